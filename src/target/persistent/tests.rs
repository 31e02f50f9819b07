//! What becomes of requests on real sockets, plain and over TLS, with servers that do as a script says.

mod broken;
mod server;
mod sound;

use std::time::Duration;

use super::*;
use crate::target::Endpoint;
use server::{Act, Server};

/// Long enough for everything that happens at all.
const LONG: Duration = Duration::from_secs(20);
/// Short enough to be waited for.
const SHORT: Duration = Duration::from_millis(150);

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn get(path: &str) -> Request {
    Request { method: "GET".into(), path: path.to_owned(), headers: Vec::new(), body: None }
}

fn post(body: Vec<u8>) -> Request {
    let headers = vec![("content-type".into(), "application/octet-stream".into())];
    Request { method: "POST".into(), path: "/orders".to_owned(), headers, body: Some(body.into()) }
}

/// Asks for `path`, and says what came of it.
async fn ask(line: &mut Persistent, path: &str) -> Result<(u16, u64), Failure> {
    let prepared = Prepared::new(&line.route, &get(path)).unwrap();
    let brief = line.ask(&prepared).await;
    assert!(brief.window.opened <= brief.window.closed && brief.window.released.is_none());
    brief.result.map(|reply| (reply.status, reply.bytes))
}

fn unknown<T>(result: &Result<T, Failure>) -> Option<&Cause> {
    match result {
        Err(Failure::Unknown(cause)) => Some(cause),
        Ok(_) | Err(Failure::NotSent(_)) => None,
    }
}

/// Lets the runtime hear what has come on idle connections.
async fn listen() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

#[tokio::test]
async fn a_line_can_move_between_threads() {
    let acts = vec![[Act::Take, Act::say(OK)]; 2].concat();
    let (_server, mut line) = Server::start(false, LONG, vec![acts]).await;
    let moved = tokio::spawn(async move {
        line.send(&get("/")).await.result.unwrap();
        assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
    });
    moved.await.unwrap();
}
