//! A server that does what a script says, whatever HTTP thinks of it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::net::TcpSocket;

use crate::http2::{self, Terms};

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) head: String,
}

/// What a server does when it is asked something.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    /// Says this, and waits for the next request.
    Say(Vec<u8>),
    /// Says this, and closes the connection.
    SayAndClose(Vec<u8>),
    /// Says the first, then the second again and again, with a pause before each, until nobody listens.
    Repeat(Vec<u8>, Vec<u8>, Duration),
    /// Says nothing, and keeps the connection.
    Hang,
    /// The whole server is gone: no listener, every connection closed.
    Die,
    /// Waits for the rest of the request. For requests that are held.
    Wait,
}

/// What is answered to which request.
pub(crate) trait Script: Send + Sync + 'static {
    /// What is said to whoever connects, before anything is asked.
    fn greet(&self) -> Option<Reaction> {
        None
    }

    /// How it speaks HTTP/2 in plain text, if it does.
    fn http2(&self) -> Option<Terms> {
        None
    }

    /// What is answered to the preface of HTTP/2 by whoever does not speak it. It is no request.
    fn answer_preface(&self) -> Reaction {
        Reaction::SayAndClose(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_vec())
    }

    /// What is done about a request whose last byte of the header section is still missing.
    fn answer_early(&self, _held: &Asked) -> Reaction {
        Reaction::Wait
    }

    /// What is done about a request whose body is not complete yet.
    fn answer_at_the_headers(&self, _held: &Asked) -> Reaction {
        Reaction::Wait
    }

    /// What is answered.
    fn answer(&self, asked: &Asked) -> Reaction;
}

impl<F: Fn(&Asked) -> Reaction + Send + Sync + 'static> Script for F {
    fn answer(&self, asked: &Asked) -> Reaction {
        self(asked)
    }
}

/// Says something before it is asked, and nothing after that.
pub(crate) struct Greeting(pub(crate) Reaction);

impl Script for Greeting {
    fn greet(&self) -> Option<Reaction> {
        Some(self.0.clone())
    }

    fn answer(&self, _: &Asked) -> Reaction {
        Reaction::Hang
    }
}

/// A listening server; gone when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    floor: Arc<Floor>,
    acceptor: Option<JoinHandle<()>>,
}

/// What all connections of a server share.
pub(crate) struct Floor {
    address: SocketAddr,
    pub(crate) script: Box<dyn Script>,
    tls: Option<Arc<ServerConfig>>,
    is_gone: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
    asked: Mutex<Vec<Asked>>,
}

trait Wire: Read + Write {}
impl<W: Read + Write> Wire for W {}

impl Server {
    pub(crate) fn start(script: impl Script) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").unwrap(), Duration::ZERO, Box::new(script), None)
    }

    pub(crate) fn start_tls(tls: Arc<ServerConfig>, script: impl Script) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").unwrap(), Duration::ZERO, Box::new(script), Some(tls))
    }

    /// One that has room for so many connections that wait, and takes so long to accept each.
    pub(crate) fn start_narrow(backlog: u32, pause: Duration, script: impl Script) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let listener = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            socket.listen(backlog).unwrap().into_std().unwrap()
        });
        listener.set_nonblocking(false).unwrap();
        Self::listen(listener, pause, Box::new(script), None)
    }

    fn listen(listener: TcpListener, pause: Duration, script: Box<dyn Script>, tls: Option<Arc<ServerConfig>>) -> Self {
        let address = listener.local_addr().unwrap();
        let floor = Arc::new(Floor {
            address,
            script,
            tls,
            is_gone: AtomicBool::new(false),
            open: Mutex::default(),
            asked: Mutex::default(),
        });
        let shared = Arc::clone(&floor);
        let acceptor = thread::spawn(move || shared.accept(&listener, pause));
        Self { address, floor, acceptor: Some(acceptor) }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.floor.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// How many connections it has accepted.
    pub(crate) fn connections(&self) -> usize {
        self.floor.open.lock().unwrap().len()
    }

    /// Every complete request so far, in order of arrival.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.floor.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.floor.die();
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().unwrap();
        }
    }
}

impl Floor {
    fn accept(self: &Arc<Self>, listener: &TcpListener, pause: Duration) {
        thread::scope(|connections| {
            while let Ok((tcp, _)) = listener.accept() {
                thread::sleep(pause); // the slowness under test, no synchronisation
                let Ok(handle) = tcp.try_clone() else { continue };
                let mut open = self.open.lock().unwrap();
                if self.is_gone.load(Ordering::Acquire) {
                    break;
                }
                open.push(handle);
                drop(open);
                // How a connection ends is the client's affair.
                connections.spawn(move || drop(self.connection(tcp)));
            }
        });
    }

    /// Ends everything. The listener is woken by a connection to find out.
    fn die(&self) {
        self.is_gone.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        for connection in self.open.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    fn connection(self: &Arc<Self>, tcp: TcpStream) -> io::Result<()> {
        tcp.set_nodelay(true)?;
        if let Some(terms) = self.script.http2() {
            let mut begin = [0; 3];
            while tcp.peek(&mut begin)? < begin.len() {
                if tcp.peek(&mut begin)? == 0 {
                    return Ok(());
                }
            }
            if &begin == b"PRI" {
                return http2::serve(tcp, self, terms);
            }
            if !terms.speaks_http1 {
                return tcp.shutdown(Shutdown::Both);
            }
        }
        let handle = tcp.try_clone()?;
        let mut wire: Box<dyn Wire> = match &self.tls {
            None => Box::new(tcp),
            Some(config) => {
                let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                Box::new(StreamOwned::new(session, tcp))
            }
        };
        let spoken = self.converse(&mut *wire);
        let _ = handle.shutdown(Shutdown::Both);
        spoken
    }

    fn converse(&self, wire: &mut dyn Wire) -> io::Result<()> {
        if let Some(greeting) = self.script.greet()
            && !self.react(wire, greeting)?
        {
            return Ok(());
        }
        let mut buffer = Vec::new();
        loop {
            let mut is_answered = false;
            let (head, length) = loop {
                if let Some(end) = find(&buffer, b"\r\n\r\n") {
                    let asked = Asked::parse(&buffer[..end]);
                    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
                    buffer.drain(..end + 4);
                    break (asked, length);
                }
                if buffer.ends_with(b"\r\n\r") && !is_answered {
                    match self.script.answer_early(&Asked::parse(&buffer)) {
                        Reaction::Wait => {}
                        early => {
                            is_answered = true;
                            if !self.react(wire, early)? {
                                return Ok(());
                            }
                        }
                    }
                }
                read_more(wire, &mut buffer)?;
            };
            if matches!(&*head.method, "PRI" | "SM") {
                // The preface of HTTP/2 looks like a request, and the beginning of another one.
                if head.method == "PRI" && !self.react(wire, self.script.answer_preface())? {
                    return Ok(());
                }
                continue;
            }
            if buffer.len() < length && !is_answered {
                match self.script.answer_at_the_headers(&head) {
                    Reaction::Wait => {}
                    early => {
                        is_answered = true;
                        if !self.react(wire, early)? {
                            return Ok(());
                        }
                    }
                }
            }
            while buffer.len() < length {
                read_more(wire, &mut buffer)?;
            }
            buffer.drain(..length);
            self.note(head.clone());
            if !is_answered && !self.react(wire, self.script.answer(&head))? {
                return Ok(());
            }
        }
    }

    pub(crate) fn note(&self, asked: Asked) {
        self.asked.lock().unwrap().push(asked);
    }

    /// Whether the connection goes on.
    fn react(&self, wire: &mut dyn Wire, reaction: Reaction) -> io::Result<bool> {
        match reaction {
            Reaction::Say(bytes) => {
                wire.write_all(&bytes)?;
                wire.flush()?;
                Ok(true)
            }
            Reaction::SayAndClose(bytes) => {
                wire.write_all(&bytes)?;
                wire.flush()?;
                Ok(false)
            }
            Reaction::Repeat(first, again, pause) => {
                wire.write_all(&first)?;
                loop {
                    thread::sleep(pause); // the time under test, no synchronisation
                    wire.write_all(&again)?;
                    wire.flush()?;
                }
            }
            Reaction::Hang => loop {
                read_more(wire, &mut Vec::new())?;
            },
            Reaction::Die => {
                self.die();
                Ok(false)
            }
            Reaction::Wait => Ok(true),
        }
    }
}

impl Asked {
    fn parse(head: &[u8]) -> Self {
        let head = String::from_utf8(head.to_vec()).unwrap();
        let mut words = head.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (method, path) = (word(), word());
        Self { method, path, head }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

fn read_more(wire: &mut dyn Wire, buffer: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 4096];
    let read = wire.read(&mut chunk)?;
    buffer.extend_from_slice(&chunk[..read]);
    if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
