//! Small servers that do what a test says, one request after the other.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

/// One request.
pub(crate) struct Asked {
    pub(crate) method: String,
    /// `/docs/a` is `["docs", "a"]`; the query is left out.
    pub(crate) path: Vec<String>,
    /// Names in lower case.
    headers: BTreeMap<String, String>,
    body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// What the body says at `pointer`, if it is JSON.
    pub(crate) fn json(&self, pointer: &str) -> Option<Value> {
        serde_json::from_str::<Value>(&self.body).ok()?.pointer(pointer).cloned()
    }
}

/// What is answered.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// JSON.
pub(crate) fn json(status: u16, body: &Value) -> Said {
    Said { status, headers: Vec::new(), body: body.to_string() }
}

impl Said {
    /// Something else than HTTP.
    pub(crate) fn rudely() -> Self {
        json(0, &Value::Null)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A listening server; gone when dropped. Each connection is closed after its answer.
pub(crate) struct Server {
    pub(crate) url: String,
    address: SocketAddr,
    is_gone: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(answer: impl FnMut(&Asked) -> Said + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_gone = Arc::new(AtomicBool::new(false));
        let (gone, answer) = (Arc::clone(&is_gone), Arc::new(Mutex::new(answer)));
        let acceptor = thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                if gone.load(Ordering::Acquire) {
                    break;
                }
                let answer = Arc::clone(&answer);
                // How a connection ends is the client's affair.
                thread::spawn(move || drop(converse(&tcp, |asked| (answer.lock().unwrap())(asked))));
            }
        });
        Self { url: format!("http://{address}"), address, is_gone, acceptor: Some(acceptor) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().unwrap();
        }
    }
}

fn converse(mut tcp: &TcpStream, answer: impl FnOnce(&Asked) -> Said) -> io::Result<()> {
    // A connection that asks nothing is let go in the end.
    tcp.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut read = BufReader::new(tcp);
    let mut line = || -> io::Result<String> {
        let mut line = String::new();
        read.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    read.read_exact(&mut body)?;
    let path = path.split('?').next().unwrap_or_default();
    let asked = Asked {
        method: method.to_owned(),
        path: path.split('/').skip(1).map(str::to_owned).collect(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let said = if method == "PRI" { json(400, &Value::Null) } else { answer(&asked) };
    tcp.write_all(bytes(&said).as_bytes())
}

fn bytes(said: &Said) -> String {
    let headers: Vec<String> = said.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let media = if headers.contains("content-type: ") { "" } else { "content-type: application/json\r\n" };
    if said.status == 0 {
        return "oops\r\n\r\n".to_owned();
    }
    let (status, length, body) = (said.status, said.body.len(), &said.body);
    format!("HTTP/1.1 {status} Said\r\n{media}{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A store of documents at `/docs/NAME`, `{"text": …, "version": …}`, with a tag made of the version.
pub(crate) struct Documents {
    pub(crate) all: BTreeMap<String, (Value, u64)>,
    /// How a tag is written.
    pub(crate) tag: fn(u64) -> String,
    /// Whether a tag in If-Match that is not the current one is refused, and a change without one.
    pub(crate) looks_at_tags: bool,
    /// How far the version goes up with each change.
    pub(crate) step: u64,
}

impl Documents {
    pub(crate) fn new() -> Self {
        Self { all: BTreeMap::new(), tag: |version| format!("\"{version}\""), looks_at_tags: true, step: 1 }
    }

    pub(crate) fn answer(&mut self, asked: &Asked) -> Said {
        let [_, name] = &asked.path[..] else { return json(404, &Value::Null) };
        let known = self.all.get(name).cloned();
        let tag = known.as_ref().map(|(_, version)| (self.tag)(*version));
        if asked.method == "GET" {
            return known.map_or_else(|| json(404, &Value::Null), |document| self.shown(200, document));
        }
        match (asked.header("if-match"), asked.header("if-none-match").is_some()) {
            (_, true) if known.is_some() => return json(412, &Value::Null),
            (Some(said), false) if self.looks_at_tags && Some(said) != tag.as_deref() => {
                return json(412, &Value::Null);
            }
            (None, false) if self.looks_at_tags => return json(428, &Value::Null),
            (Some(_) | None, _) => {}
        }
        if asked.method == "DELETE" {
            let status = if self.all.remove(name).is_some() { 200 } else { 404 };
            return json(status, &Value::Null);
        }
        let version = known.as_ref().map_or(0, |(_, version)| *version) + self.step;
        let document = (asked.json("/text").unwrap_or_default(), version);
        self.all.insert(name.clone(), document.clone());
        self.shown(if known.is_some() { 200 } else { 201 }, document)
    }

    fn shown(&self, status: u16, (text, version): (Value, u64)) -> Said {
        json(status, &serde_json::json!({ "text": text, "version": version })).with("etag", (self.tag)(version))
    }
}

/// Jobs that are started, finished or cancelled: `POST /jobs`, `GET /jobs/ID`, `POST /jobs/ID/start`.
pub(crate) struct Jobs(Vec<&'static str>);

impl Jobs {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn answer(&mut self, asked: &Asked) -> Said {
        let job = asked.path.get(1).and_then(|id| id.parse::<usize>().ok()).filter(|id| *id < self.0.len());
        match (asked.method.as_str(), job, asked.path.get(2).map(String::as_str)) {
            ("POST", None, None) => {
                self.0.push("waiting");
                self.shown(201, self.0.len() - 1)
            }
            ("GET", Some(job), None) => self.shown(200, job),
            ("POST", Some(job), Some(step)) => {
                self.0[job] = match (self.0[job], step) {
                    ("waiting", "start") => "running",
                    ("running", "finish") => "done",
                    ("waiting" | "running", "cancel") => "cancelled",
                    _ => return json(409, &Value::Null),
                };
                self.shown(200, job)
            }
            _ => json(404, &Value::Null),
        }
    }

    fn shown(&self, status: u16, job: usize) -> Said {
        json(status, &serde_json::json!({ "id": job.to_string(), "state": self.0[job] }))
    }
}
