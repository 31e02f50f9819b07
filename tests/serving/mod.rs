//! The reference service as a process of its own, started by a test and stopped with it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// `serve` on a free port, for as long as this lives.
pub(crate) struct Service {
    pub(crate) url: String,
    process: Child,
}

impl Service {
    /// With these options, and these environment variables.
    pub(crate) fn start(options: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
        tool.envs(environment.iter().copied());
        tool.args(["serve", "--addr", "127.0.0.1:0"]).args(options).stdout(Stdio::piped());
        let mut process = tool.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let url = said.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it did not start: {said}"));
        Self { url: url.to_owned(), process }
    }
}

impl Service {
    /// The number of its process.
    #[allow(dead_code, reason = "not every test that starts one sends it signals")]
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A test that fails for another reason must say that reason.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
