//! The real binary, started as a user would start it, and killed when it hangs.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use quickeats_bench::history::{Phase, Window, jsonl};
use quickeats_bench::run_result::RunResult;
use tempfile::TempDir;

/// No run under test may take longer: each is bounded by its time limits to a few seconds.
const LONGEST_RUN: Duration = Duration::from_mins(1);

/// A command line.
pub(crate) struct Bench {
    options: BTreeMap<String, String>,
    environment: BTreeMap<String, PathBuf>,
    out: TempDir,
}

/// A run under way.
pub(crate) struct Running {
    child: Child,
    said: mpsc::Receiver<(Stream, Vec<u8>)>,
    started: Instant,
    out: TempDir,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// How a run ended: what it said, and what it left.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    out: TempDir,
}

impl Bench {
    /// Races `cancel-vs-accept` against `url`: three rounds, a second for each request.
    pub(crate) fn race(url: &str) -> Self {
        let bench = Self { options: BTreeMap::new(), environment: BTreeMap::new(), out: tempfile::tempdir().unwrap() };
        bench.with("--target", url).with("--seed", "7").rounds(3).timeout("1s")
    }

    pub(crate) fn rounds(self, rounds: u32) -> Self {
        self.with("--rounds", &rounds.to_string())
    }

    pub(crate) fn timeout(self, timeout: &str) -> Self {
        self.with("--timeout", timeout)
    }

    pub(crate) fn with(mut self, option: &str, value: &str) -> Self {
        self.options.insert(option.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &Path) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn start(self) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
            .args(["race", "cancel-vs-accept", "--out"])
            .arg(self.out.path())
            .args(self.options.iter().flat_map(|(option, value)| [option, value]))
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, said) = mpsc::channel();
        let stdout: Box<dyn Read + Send> = Box::new(child.stdout.take().unwrap());
        let stderr: Box<dyn Read + Send> = Box::new(child.stderr.take().unwrap());
        for (stream, mut pipe) in [(Stream::Out, stdout), (Stream::Err, stderr)] {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = pipe.read_to_end(&mut bytes);
                let _ = sender.send((stream, bytes));
            });
        }
        Running { child, said, started: Instant::now(), out: self.out }
    }

    pub(crate) fn run(self) -> Ended {
        self.start().finish()
    }
}

impl Running {
    /// What Ctrl-C does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", self.child.id())]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; a run that hangs is killed, and fails the test.
    pub(crate) fn finish(mut self) -> Ended {
        let mut texts = [String::new(), String::new()];
        let mut hung = false;
        for _ in 0..2 {
            let left = LONGEST_RUN.saturating_sub(self.started.elapsed());
            let (stream, bytes) = self.said.recv_timeout(left).unwrap_or_else(|_| {
                hung = true;
                self.child.kill().unwrap();
                self.said.recv().unwrap()
            });
            texts[usize::from(stream == Stream::Err)] = String::from_utf8(bytes).unwrap();
        }
        let status = self.child.wait().unwrap();
        let [stdout, stderr] = texts;
        let ended = Ended { code: status.code(), stdout, stderr, took: self.started.elapsed(), out: self.out };
        assert!(!hung, "it hung\n{}", ended.said());
        ended.assert_decent();
        ended
    }
}

impl Ended {
    /// Everything said, for messages of failed tests.
    pub(crate) fn said(&self) -> String {
        format!("exit {:?} after {:?}\nstdout:\n{}\nstderr:\n{}", self.code, self.took, self.stdout, self.stderr)
    }

    /// Whatever happened: no panic, and nothing that a terminal would obey.
    fn assert_decent(&self) {
        for text in [&self.stdout, &self.stderr] {
            assert!(!text.contains("panicked"), "{}", self.said());
            let obeyed = |c: char| {
                c.is_control() && c != '\n'
                    || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            assert_eq!(text.chars().find(|c| obeyed(*c)), None, "{}", self.said());
        }
    }

    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.said());
        self
    }

    pub(crate) fn expect_stdout(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "`{part}` is missing\n{}", self.said());
        self
    }

    pub(crate) fn expect_stderr(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "`{part}` is missing\n{}", self.said());
        self
    }

    /// The target could not be raced: said in one message with `why` and advice, and nothing is left behind.
    pub(crate) fn expect_unusable(self, why: &str) -> Self {
        let ended = self.expect_code(4).expect_stderr("cannot be raced: ").expect_stderr(why).expect_stderr("= help: ");
        assert_eq!(ended.stdout, "", "{}", ended.said());
        assert!(ended.folders().is_empty(), "{}", ended.said());
        ended
    }

    fn folders(&self) -> Vec<PathBuf> {
        fs::read_dir(self.out.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    fn read(&self, name: &str) -> String {
        let folders = self.folders();
        assert_eq!(folders.len(), 1, "one run leaves one folder\n{}", self.said());
        fs::read_to_string(folders[0].join(name)).unwrap_or_else(|error| panic!("{name}: {error}\n{}", self.said()))
    }

    /// `run.json`, which says the same as the exit code.
    pub(crate) fn result(&self) -> RunResult {
        let result: RunResult = serde_json::from_str(&self.read("run.json")).unwrap();
        assert_eq!(Some(i32::from(result.exit_code)), self.code, "{}", self.said());
        result
    }

    /// When contenders of raced rounds were opened, let go and answered.
    pub(crate) fn contenders(&self) -> Vec<Window> {
        let saved = jsonl::read(self.read("history.jsonl").as_bytes()).unwrap();
        (saved.scenarios.iter().flat_map(|(_, history)| history.operations()))
            .filter(|operation| operation.phase == Phase::Contend && operation.round.is_raced())
            .map(|operation| operation.window)
            .collect()
    }

    /// `verify` derives all of it again.
    pub(crate) fn expect_verified(&self) {
        let run = &self.folders()[0];
        let verify = Command::new(env!("CARGO_BIN_EXE_quickeats-bench")).arg("verify").arg(run).output().unwrap();
        assert!(verify.status.success(), "{}\n{}", String::from_utf8_lossy(&verify.stdout), self.said());
    }

    /// `history.jsonl` can be read to its end, and has every request that was counted.
    pub(crate) fn expect_whole_history(&self) {
        let text = self.read("history.jsonl");
        assert!(text.lines().last().unwrap().starts_with("{\"end\":"), "{text}");
        let saved = jsonl::read(text.as_bytes()).unwrap();
        let operations: usize = saved.scenarios.iter().map(|(_, history)| history.operations().count()).sum();
        assert_eq!(operations as u64, self.result().totals.requests, "{}", self.said());
    }
}
