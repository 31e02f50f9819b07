//! Servers that shipped descriptions are for, started by `tests/apis/start` and stopped with the test.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Who a store that wants signatures, and does not check them, is told is asking.
pub(crate) const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/s3/aws4_request, \
    SignedHeaders=host, Signature=0000000000000000000000000000000000000000000000000000000000000000";

/// A server, for as long as this lives; it stops when its standard input is closed, however that comes.
pub(crate) struct Server {
    pub(crate) url: String,
    process: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // A test that fails for another reason must say that reason.
        let _ = self.process.wait();
    }
}

/// One of our own servers, with options such as `--broken NAME`; none where there is no Python, which is said.
pub(crate) fn own(test: &str, name: &str, options: &[&str]) -> Option<Server> {
    let has_python = Command::new("python3").arg("--version").output().is_ok_and(|told| told.status.success());
    if has_python {
        return Some(start(name, options));
    }
    leave_out(test, "Python 3 (apt-get install python3)");
    None
}

/// Another people's server. What is missing of it is installed: so it is there only where real parts are required.
pub(crate) fn real(test: &str, name: &str) -> Option<Server> {
    if is_required() {
        return Some(start(name, &[]));
    }
    leave_out(test, "QUICKEATS_BENCH_REQUIRE_REAL_PARTS=1, which installs what it needs");
    None
}

fn start(name: &str, options: &[&str]) -> Server {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apis/start");
    let mut command = Command::new(program);
    command.args([name, "--pipe"]).args(options).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut said = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let url = said.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{name} did not start: {said}"));
    Server { url: url.to_owned(), process }
}

fn is_required() -> bool {
    std::env::var_os("QUICKEATS_BENCH_REQUIRE_REAL_PARTS").is_some_and(|value| value == "1")
}

/// Past the test harness, which shows what a passing test printed to nobody.
fn leave_out(test: &str, needed: &str) {
    assert!(!is_required(), "{test} needs {needed}");
    let _ = writeln!(io::stderr(), "left out: {test} needs {needed}");
}
