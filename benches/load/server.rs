//! The server: a bare handler on one thread, held to core 0.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// How often in a second the kernel counts what a process uses (`USER_HZ`, proc(5)).
const TICKS: f64 = 100.0;

/// A running server, gone when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

/// Starts it as a process of its own.
pub(crate) fn start() -> Server {
    let own = std::env::current_exe().unwrap();
    let mut child =
        Command::new("taskset").args(["-c", "0"]).arg(own).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    Server { child, url: url.trim().to_owned() }
}

impl Server {
    /// How long it has used its core (seconds).
    pub(crate) fn used(&self) -> f64 {
        used(&self.child.id().to_string(), &[14, 15])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The sum of these fields of a process's `stat` (proc(5)) in seconds.
pub(crate) fn used(process: &str, fields: &[usize]) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The second field is a name in parentheses, which may hold anything; the third is the first after it.
    let words: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    fields.iter().map(|field| words[field - 3].parse::<f64>().unwrap() / TICKS).sum()
}

/// Serves until it is killed.
pub(crate) fn serve() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}/", listener.local_addr().unwrap());
        axum::serve(listener, Router::new().route("/", get(async || "Hello, World!"))).await.unwrap();
    });
}
