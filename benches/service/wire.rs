//! The client: a few connections on one thread, requests that are written out beforehand, and as little reading of
//! answers as will do, so that the server is what is measured.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub(crate) const CONNECTIONS: usize = 8;

/// What of an answer the next request needs.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) id: String,
    pub(crate) tag: String,
}

/// Sends all requests, over all connections at once, and returns how many were answered in a second.
pub(crate) fn rate(address: SocketAddr, requests: &[Vec<u8>], expected: u16) -> f64 {
    let count = u32::try_from(requests.len()).unwrap();
    let took = drive(address, requests, expected, |_| ()).0;
    f64::from(count) / took.as_secs_f64()
}

/// Sends all requests and returns the answers, in no particular order.
pub(crate) fn send(address: SocketAddr, requests: &[Vec<u8>], expected: u16) -> Vec<Reply> {
    let read = |answer: &[u8]| {
        let text = std::str::from_utf8(answer).unwrap();
        let after = |name: &str, end: &str| {
            let (_, rest) = text.split_once(name).unwrap();
            rest.split_once(end).unwrap().0.to_owned()
        };
        Reply { id: after("{\"id\":\"", "\""), tag: after("etag: ", "\r\n") }
    };
    drive(address, requests, expected, read).1
}

/// Whether all requests are answered, in any way, in this time.
pub(crate) fn within(limit: Duration, address: SocketAddr, requests: &[Vec<u8>]) -> bool {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let all = async {
            let mut connection = Connection::open(address).await;
            for request in requests {
                connection.ask(request).await;
            }
        };
        timeout(limit, all).await.is_ok()
    })
}

fn drive<T: Send + 'static>(
    address: SocketAddr,
    requests: &[Vec<u8>],
    expected: u16,
    read: impl Fn(&[u8]) -> T + Copy + Send + 'static,
) -> (Duration, Vec<T>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let start = format!("HTTP/1.1 {expected} ");
    runtime.block_on(async {
        let mut shares = vec![Vec::new(); CONNECTIONS];
        for (number, request) in requests.iter().enumerate() {
            shares[number % CONNECTIONS].push(request.clone());
        }
        let mut connections = Vec::new();
        for share in shares {
            connections.push((Connection::open(address).await, share));
        }
        let started = Instant::now();
        let mut running = JoinSet::new();
        for (mut connection, share) in connections {
            let start = start.clone();
            running.spawn(async move {
                let mut answers = Vec::with_capacity(share.len());
                for request in share {
                    let answer = connection.ask(&request).await;
                    assert!(answer.starts_with(start.as_bytes()), "{}", String::from_utf8_lossy(answer));
                    answers.push(read(answer));
                }
                answers
            });
        }
        let answers = running.join_all().await.into_iter().flatten().collect();
        (started.elapsed(), answers)
    })
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(4096) }
    }

    /// Sends a request and returns its whole answer.
    async fn ask(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "the server hung up");
            if is_whole(&self.buffer) {
                return &self.buffer;
            }
        }
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return false;
    };
    let head_text = std::str::from_utf8(&answer[..head]).unwrap();
    let length = head_text.split_once("content-length: ").map(|(_, rest)| rest.split("\r\n").next().unwrap());
    answer.len() == head + 4 + length.map_or(0, |digits| digits.parse().unwrap())
}
