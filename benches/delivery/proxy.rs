//! A network that jitters: what a client sends waits for 5 ± 3 ms, each piece for a time of its own, and stays in order on its
//! connection. Answers come back at once.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use quickeats_bench::seed::{Dice, Seed};

/// The shortest delay, and how much longer the longest is (µs).
const SHORTEST: f64 = 2_000.0;
const VARIES_BY: f64 = 6_000.0;

/// A way to `server` that runs until the program ends. The delays are the same in every run.
pub(crate) fn start(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let dice = Seed::new(7).child(&number.to_string()).dice();
            connect(client.unwrap(), TcpStream::connect(server).unwrap(), dice);
        }
    });
    address
}

fn connect(client: TcpStream, server: TcpStream, mut dice: Dice) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let (send, late) = mpsc::channel::<(Instant, Vec<u8>)>();
    let (mut from_client, mut to_client) = (client.try_clone().unwrap(), client);
    let (mut to_server, mut from_server) = (server.try_clone().unwrap(), server);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from_client.read(&mut buffer) {
            let due = Instant::now() + Duration::from_secs_f64((SHORTEST + VARIES_BY * dice.fraction()) / 1e6);
            if send.send((due, buffer[..read].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (due, piece) in late {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to_server.write_all(&piece).is_err() {
                return;
            }
        }
        // A server that is gone already needs no word.
        let _ = to_server.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
}
