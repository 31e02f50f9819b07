//! The part `spread`: how far apart a volley's requests arrive, for each way to send it.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use quickeats_bench::api::Request;
use quickeats_bench::seed::Seed;
use quickeats_bench::target::Method::{Barrier, Head, SinglePacketHead, SinglePacketTail, Tail};
use quickeats_bench::target::{Target, Version};

use crate::proxy;
use crate::server::{self, Identity};
use crate::volley::{Sending, Shot, Volley};

const ROUNDS: usize = 500;
/// They warm what a program warms when it starts.
const WARMING: usize = 20;
/// Names the folder of the identity, in a process that trusts it.
const FOLDER: &str = "DELIVERY_BENCH_IDENTITY";

const NAIVE: Sending = Sending::Naive(Version::Http1);
/// One after the other on one connection.
const NAIVE_2: Sending = Sending::Naive(Version::Http2);

/// What a table is about.
struct Table {
    title: &'static str,
    scheme: &'static str,
    /// Where HTTP/1.1 is spoken, and HTTP/2.
    at: [SocketAddr; 2],
    sendings: Vec<Sending>,
    /// What is sent is a cancellation of a fresh order.
    is_the_service: bool,
}

pub(crate) fn measure(asked: &[String]) {
    let is_asked = |table: &str| asked.is_empty() || asked.iter().any(|word| word == table);
    println!(
        "{ROUNDS} volleys a row; µs from the first arrival to the last, by the server's clock; skew: from the first release to the last\n"
    );
    let all = || [Barrier, Head, Tail, SinglePacketHead, SinglePacketTail].map(Sending::Held).to_vec();
    let lean = |workers| [Version::Http1, Version::Http2].map(|version| server::lean(version, None, workers));
    for (table, workers, title) in [
        ("single", 1, "a handler that does nothing but stamp, on one thread, loopback"),
        ("direct", 2, "the same on two threads"),
    ] {
        if is_asked(table) {
            let sendings = [vec![NAIVE, NAIVE_2], all()].concat();
            run(&Table { title, scheme: "http", at: lean(workers), sendings, is_the_service: false });
        }
    }
    if is_asked("service") {
        // Its stamp says when the head was there, which tells nothing of tails.
        let sendings =
            vec![NAIVE, NAIVE_2, Sending::Held(Barrier), Sending::Held(Head), Sending::Held(SinglePacketHead)];
        let title = "the reference service in memory, in-process as `race` starts it, one fresh order a volley";
        run(&Table { title, scheme: "http", at: [server::reference(); 2], sendings, is_the_service: true });
    }
    if is_asked("tls") {
        measure_tls();
    }
    if is_asked("jitter") {
        let title = "the handler on one thread behind a network that delays each piece by 5 ± 3 ms";
        let sendings = [vec![NAIVE, NAIVE_2], all()].concat();
        run(&Table { title, scheme: "http", at: lean(1).map(proxy::start), sendings, is_the_service: false });
    }
}

/// What is trusted is read from the environment when a process starts, so TLS is measured by another one.
fn measure_tls() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        let folder = tempfile::tempdir().unwrap();
        Identity::write(folder.path());
        let mut another = Command::new(std::env::current_exe().unwrap());
        another.args(["spread", "tls"]).env(FOLDER, folder.path());
        another.env("SSL_CERT_FILE", Identity::certificate_file(folder.path())).env_remove("SSL_CERT_DIR");
        assert!(another.status().unwrap().success());
        return;
    };
    let identity = Identity::read(folder.as_ref());
    let at = [Version::Http1, Version::Http2].map(|version| server::lean(version, Some(identity.clone()), 1));
    let sendings = vec![NAIVE, NAIVE_2, Sending::Held(Head), Sending::Held(SinglePacketHead)];
    run(&Table { title: "the same handler over TLS 1.3", scheme: "https", at, sendings, is_the_service: false });
}

fn run(table: &Table) {
    println!("{}", table.title);
    println!(
        "{:>10}  {:<20} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "contenders", "sent", "median", "p95", "of naive", "skew", "at once"
    );
    // The program's own.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).thread_name("harness").enable_all().build().unwrap();
    for contenders in [2, 20] {
        // As in the program, what is awaited is not on one of the workers.
        let rows = runtime.block_on(shoot(table, contenders));
        let naive = quantile(&rows[0], 0.5, |shot| shot.spread);
        for (sending, shots) in table.sendings.iter().zip(&rows) {
            let median = quantile(shots, 0.5, |shot| shot.spread);
            let at_once = shots.iter().filter(|shot| shot.at_once).count();
            println!(
                "{contenders:>10}  {:<20} {median:>9.1} {:>9.1} {:>9.2} {:>9.1} {:>7.1} %{}",
                sending.name(),
                quantile(shots, 0.95, |shot| shot.spread),
                median / naive,
                quantile(shots, 0.5, |shot| shot.skew),
                share(at_once, shots.len()),
                if shots.len() < ROUNDS { format!("  ({} void)", ROUNDS - shots.len()) } else { String::new() },
            );
        }
    }
    println!();
}

/// The shots of each row, which take turns.
async fn shoot(table: &Table, contenders: usize) -> Vec<Vec<Shot>> {
    let mut volleys: Vec<Volley> = (table.sendings.iter())
        .map(|sending| {
            let [http1, http2] = table.at;
            let at = if sending.version() == Version::Http1 { http1 } else { http2 };
            Volley::new(table.scheme, at, *sending, contenders)
        })
        .collect();
    let mut rows = vec![Vec::with_capacity(ROUNDS); volleys.len()];
    let mut dice = Seed::new(7).dice();
    for round in 0..WARMING + ROUNDS {
        for (volley, row) in volleys.iter_mut().zip(&mut rows) {
            let (read, request) = if table.is_the_service { cancellation(volley).await } else { made_up() };
            let shot = volley.shoot(&read, &Arc::new(request), &mut dice).await;
            if round >= WARMING {
                row.extend(shot);
            }
        }
    }
    rows
}

/// A read and an action, as large as those of a race.
fn made_up() -> (Request, Request) {
    const ID: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
    (read(ID), action(ID, "\"3fa85f6457174562b3fc2c963f66afa6\""))
}

/// A fresh order is read, and then cancelled.
async fn cancellation(volley: &Volley) -> (Request, Request) {
    let create = Request {
        method: "POST".into(),
        path: "/api/v2/orders".to_owned(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: Some(r#"{"restaurant":"sushi-kaze","amount":25000}"#.into()),
    };
    let created = volley.target.send(&create).await.result.unwrap();
    assert_eq!(created.status, 201);
    let header = |name: &str| &*created.headers.iter().find(|(known, _)| &**known == name).unwrap().1;
    let id = header("location").rsplit('/').next().unwrap();
    (read(id), action(id, header("etag")))
}

fn read(id: &str) -> Request {
    Request { method: "GET".into(), path: format!("/api/v2/orders/{id}"), headers: Vec::new(), body: None }
}

fn action(id: &str, tag: &str) -> Request {
    Request {
        method: "POST".into(),
        path: format!("/api/v2/orders/{id}/cancellation"),
        headers: vec![("content-type".into(), "application/json".into()), ("if-match".into(), tag.into())],
        body: Some("{}".into()),
    }
}

/// The value (µs) that a share `rank` of the shots does not exceed (nearest rank).
fn quantile(shots: &[Shot], rank: f64, of: impl Fn(&Shot) -> Duration) -> f64 {
    let mut values: Vec<Duration> = shots.iter().map(of).collect();
    values.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
    let at = (rank * values.len() as f64).ceil() as usize;
    values[at.max(1) - 1].as_secs_f64() * 1e6
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}
