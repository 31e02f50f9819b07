//! Servers that answer, in every way that HTTP/1.1 has.

use super::*;
use crate::clock::Clock;
use crate::target::{Contender, HttpTarget, Patience, Target, Version};

#[tokio::test]
async fn one_connection_carries_request_after_request() {
    for is_tls in [false, true] {
        let acts = vec![[Act::Take, Act::say(OK)]; 50].concat();
        let (server, mut line) = Server::start(is_tls, LONG, vec![acts]).await;
        line.connect().await.unwrap();
        for turn in 0..50 {
            assert_eq!(ask(&mut line, &format!("/{turn}")).await, Ok((200, 2)));
        }
        assert_eq!(line.connections(), 1);
        drop(line);
        let requests = server.requests().await;
        assert_eq!(requests[0].matches("GET /").count(), 50);
    }
}

/// Answers, and whether the connection goes on after them.
const ANSWERS: [(&[u8], u16, &[u8], bool); 7] = [
    (OK, 200, b"ok", true),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", true),
    (
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 1\r\n\r\n-",
        404,
        b"-",
        true,
    ),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nx: 1\r\n\r\n", 200, b"abc", true),
    (b"HTTP/1.1 409 Conflict\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno", 409, b"no", false),
    (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, b"ok", false),
    (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end", false),
];

#[tokio::test]
async fn every_framing_is_read_whole_at_once_or_byte_by_byte() {
    for (answer, status, body, goes_on) in ANSWERS {
        for is_tls in [false, true] {
            for say in [Act::Say, Act::Trickle] {
                let first = vec![Act::Take, say(answer.to_vec())];
                let again = vec![Act::Take, Act::say(OK)];
                let script = if goes_on { vec![[first, again].concat()] } else { vec![first, again] };
                let (server, mut line) = Server::start(is_tls, LONG, script).await;
                let response = line.send(&get("/first")).await.result.unwrap();
                assert_eq!((response.status, &*response.body), (status, body), "{}", answer.escape_ascii());
                assert_eq!(ask(&mut line, "/again").await, Ok((200, 2)), "{}", answer.escape_ascii());
                assert_eq!(line.connections(), if goes_on { 1 } else { 2 }, "{}", answer.escape_ascii());
                drop(line);
                let requests = server.requests().await.concat();
                assert_eq!(requests.matches("GET /").count(), 2, "each is sent once: {requests}");
            }
        }
    }
}

#[tokio::test]
async fn what_follows_an_answer_at_once_is_not_taken_for_the_next_one() {
    let two = [OK, b"HTTP/1.1 500 Not Asked For\r\ncontent-length: 0\r\n\r\n"].concat();
    for is_tls in [false, true] {
        let script = vec![vec![Act::Take, Act::say(&two)], vec![Act::Take, Act::say(OK)]];
        let (_server, mut line) = Server::start(is_tls, LONG, script).await;
        assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
        assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
        assert_eq!(line.connections(), 2);
    }
}

#[tokio::test]
async fn an_answer_to_head_has_no_body_whatever_its_length() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
    let (_server, mut line) =
        Server::start(false, LONG, vec![vec![Act::Take, Act::say(answer), Act::Take, Act::say(OK)]]).await;
    let head = Request { method: "HEAD".into(), ..get("/") };
    let prepared = Prepared::new(&line.route, &head).unwrap();
    assert_eq!(line.ask(&prepared).await.result, Ok(BriefReply { status: 200, bytes: 0 }));
    assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
}

#[tokio::test]
async fn header_lines_are_kept_as_text_in_lower_case() {
    let answer = b"HTTP/1.1 200 OK\r\nETag: \"7\"\r\nX-Odd: \x80\r\nX-Two: a\r\nx-two: b\r\nContent-Length: 0\r\n\r\n";
    let (_server, mut line) = Server::start(false, LONG, vec![vec![Act::Take, Act::say(answer)]]).await;
    let response = line.send(&get("/")).await.result.unwrap();
    let lines: Vec<_> = response.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(lines, [("etag", "\"7\""), ("x-two", "a"), ("x-two", "b"), ("content-length", "0")]);
}

#[tokio::test]
async fn long_bodies_go_both_ways() {
    let long = vec![b'x'; 3 << 20];
    let answer = [format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", long.len()).as_bytes(), &*long].concat();
    for is_tls in [false, true] {
        let (server, mut line) =
            Server::start(is_tls, LONG, vec![vec![[Act::Take, Act::say(&answer)]; 2].concat()]).await;
        let response = line.send(&post(long.clone())).await.result.unwrap();
        assert_eq!((response.status, response.body.len()), (200, long.len()));
        let prepared = Prepared::new(&line.route, &post(long.clone())).unwrap();
        let reply = line.ask(&prepared).await.result.unwrap();
        assert_eq!((reply.status, reply.bytes), (200, long.len() as u64));
        drop(line);
        let received = server.requests().await[0].matches("xxxxxxxx").count();
        assert_eq!(received, 2 * long.len() / 8);
    }
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_counts_and_ends_the_connection() {
    let refusal = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n";
    let script = vec![vec![Act::TakeHead, Act::say(refusal), Act::Hang], vec![Act::Take, Act::say(OK)]];
    for is_tls in [false, true] {
        let (_server, mut line) = Server::start(is_tls, LONG, script.clone()).await;
        // Far more than any socket takes that nobody reads from: the request cannot be all out when the answer comes.
        let result = line.send(&post(vec![b'x'; 64 << 20])).await.result;
        assert_eq!(result.map(|response| response.status), Ok(413));
        assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
        assert_eq!(line.connections(), 2);
    }
}

/// The bytes of a request, as both clients send it.
async fn put(request: &Request) -> (String, String) {
    let script = vec![vec![Act::Take, Act::say(OK)]; 2];
    let (server, mut line) = Server::start(false, LONG, script).await;
    line.send(request).await.result.unwrap();
    let endpoint = line.route.endpoint().clone();
    drop(line);
    let target = HttpTarget::new(endpoint, Clock::start(), Patience { request: LONG }).unwrap();
    let mut contender = target.contender(Version::Http1).await.unwrap();
    contender.send(request).await.result.unwrap();
    drop(contender);
    let [ours, theirs] = <[String; 2]>::try_from(server.requests().await).unwrap();
    (ours, theirs)
}

#[tokio::test]
async fn requests_are_put_as_everywhere_else() {
    let own = vec![("If-Match".into(), "\"7\"".into()), ("accept".into(), "text/plain".into())];
    for request in [
        get("/orders/1?full=yes&x=%20"),
        post(b"{\"a\":1}".to_vec()),
        post(Vec::new()),
        Request { body: None, ..post(Vec::new()) },
        Request { headers: own.clone(), ..get("/") },
        Request { method: "PATCH".into(), headers: own, ..post(b"{}".to_vec()) },
    ] {
        let (ours, theirs) = put(&request).await;
        assert_eq!(ours, theirs, "{request:?}");
    }
}
