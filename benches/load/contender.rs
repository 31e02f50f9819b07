//! Who is compared: the clients of this crate and of its libraries, and the programs that are installed.

use std::process::Command;
use std::time::Instant;

use crate::server::{Server, used};
use crate::{CONNECTIONS, SLICE};

/// Header lines that every client sends: those of this program.
pub(crate) const LINES: [(&str, &str); 2] = [
    ("user-agent", concat!("quickeats-bench/", env!("CARGO_PKG_VERSION"))),
    ("accept", "application/json, application/problem+json, */*;q=0.5"),
];

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    /// A loop of this process's program (`client.rs`).
    Own(&'static str),
    /// A program.
    Installed(&'static str),
}

/// What came of one slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    requests: f64,
    /// How long it lasted (seconds), as the client says.
    seconds: f64,
    /// How long the client used its core (seconds), its start and end included: outside the kernel, and in it.
    user: f64,
    system: f64,
    /// The shares of the slice that client and server used their cores.
    pub(crate) client_busy: f64,
    pub(crate) server_busy: f64,
}

impl Slice {
    /// Requests per second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests / self.seconds
    }

    /// The time of the client's core that a request took (µs).
    pub(crate) fn micros(&self) -> f64 {
        1e6 * (self.user + self.system) / self.requests
    }

    /// What of that was spent outside the kernel (µs): all clients write once and read once, so this is what tells them apart.
    pub(crate) fn own_micros(&self) -> f64 {
        1e6 * self.user / self.requests
    }
}

impl Contender {
    /// All that can run here.
    pub(crate) fn all() -> Vec<Self> {
        let own = crate::client::NAMES.into_iter().map(Self::Own);
        let installed = ["wrk", "h2load", "oha"].into_iter().filter(|program| {
            let is_there = Command::new(program).arg("--version").output().is_ok();
            if !is_there {
                eprintln!("{program} is not installed: left out");
            }
            is_there
        });
        own.chain(installed.map(Self::Installed)).collect()
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Own(name) | Self::Installed(name) => name,
        }
    }

    /// Lets it run for a slice.
    pub(crate) fn run(self, server: &Server) -> Slice {
        let mut command = Command::new("taskset");
        command.args(["-c", "1"]);
        match self {
            Self::Own(name) => command.arg(std::env::current_exe().unwrap()).args(["drive", name, &server.url]),
            Self::Installed(name) => command.arg(name).args(arguments(name)).arg(&server.url),
        };
        // Of all children that are over: their time outside the kernel, and in it.
        let children = || (used("self", &[16]), used("self", &[17]));
        let (started, before, its_use) = (Instant::now(), children(), server.used());
        let output = command.output().unwrap();
        let lasted = started.elapsed().as_secs_f64();
        let (after, its_use) = (children(), server.used() - its_use);
        let (user, system) = (after.0 - before.0, after.1 - before.1);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}: {said}{}", self.name(), String::from_utf8_lossy(&output.stderr));
        let (requests, seconds) = self.read(&said).unwrap_or_else(|| panic!("{}: {said}", self.name()));
        Slice { requests, seconds, user, system, client_busy: (user + system) / lasted, server_busy: its_use / lasted }
    }

    /// Requests that were answered, and how long that took (seconds).
    fn read(self, said: &str) -> Option<(f64, f64)> {
        let after = |text: &str| {
            let rest = said.split_once(text)?.1.trim_start();
            rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?.parse::<f64>().ok()
        };
        match self.name() {
            "wrk" => {
                assert!(!said.contains("Non-2xx") && !said.contains("Socket errors"), "{said}");
                let requests = said.split_once(" requests in ")?.0.rsplit([' ', '\n']).next()?.parse().ok()?;
                Some((requests, after(" requests in ")?))
            }
            "h2load" => {
                let rate = said.split_once(" req/s")?.0.rsplit(' ').next()?.parse::<f64>().ok()?;
                let requests = said.split_once(" done, ")?.0.rsplit(' ').next()?.parse::<f64>().ok()?;
                assert!(said.contains(" 0 failed, 0 errored, 0 timeout"), "{said}");
                Some((requests, requests / rate))
            }
            "oha" => {
                let rate = after("Requests/sec:")?;
                let seconds = after("Total:")?;
                Some((rate * seconds, seconds))
            }
            _ => {
                let (requests, seconds) = said.trim().split_once(' ')?;
                Some((requests.parse().ok()?, seconds.parse().ok()?))
            }
        }
    }
}

/// What a program is told but for the URL.
fn arguments(program: &str) -> Vec<String> {
    let arguments = match program {
        "wrk" => format!("-t1 -c{CONNECTIONS} -d{SLICE}s --latency"),
        "h2load" => format!("--h1 -t1 -c{CONNECTIONS} -D{SLICE}"),
        _ => format!("--no-tui -w -c {CONNECTIONS} -z {SLICE}s"),
    };
    let lines = LINES.iter().flat_map(|(name, value)| ["-H".to_owned(), format!("{name}: {value}")]);
    arguments.split(' ').map(str::to_owned).chain(lines).collect()
}
