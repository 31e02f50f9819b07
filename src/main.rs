//! The binary: a runtime, Ctrl-C, and the exit code. Everything else is the library's.

use std::process::ExitCode;

use quickeats_bench::cli;
use quickeats_bench::race::Stop;

/// A request is a hundred small allocations: a tenth of its time with the system's allocator (`benches/README.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("harness")
        .enable_all()
        .build()
        .expect("a runtime can be started");
    runtime.block_on(async {
        let stop = Stop::default();
        tokio::spawn(listen_for_signals(stop.clone()));
        cli::main(stop).await
    })
}

/// The first Ctrl-C (or SIGTERM) asks the run to stop, judge and report; the second ends the process.
async fn listen_for_signals(stop: Stop) {
    next_signal().await;
    stop.ask();
    next_signal().await;
    std::process::exit(130);
}

#[cfg(unix)]
async fn next_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupted().await;
    };
    tokio::select! {
        () = interrupted() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn next_signal() {
    interrupted().await;
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Signals cannot be had here: never stop for one.
        std::future::pending::<()>().await;
    }
}
