//! The run's folder: every round is written to `history.jsonl` before it is judged, and `run.json` comes last.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::{RunConfig, RunError};
use crate::check::{ScenarioJudge, Severity};
use crate::event::{Event, Observer};
use crate::history::Operation;
use crate::history::jsonl::{self, Header, ScenarioLine};
use crate::ids::RoundId;
use crate::measure::Tally;
use crate::race::Sink;
use crate::run_result::{RunResult, ScenarioFacts, ScenarioResult};
use crate::scenario::Plan;

/// A run's folder.
#[derive(Debug)]
pub(super) struct Book {
    folder: PathBuf,
    run_id: String,
    history: jsonl::Writer<BufWriter<File>>,
}

impl Book {
    /// Makes the folder and begins the history.
    pub(super) fn open(config: &RunConfig, started_at: jiff::Timestamp) -> Result<Self, RunError> {
        let (folder, run_id) = make_folder(&config.out, started_at)?;
        let path = folder.join("history.jsonl");
        let header = Header {
            schema: jsonl::SCHEMA.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: config.seed.value(),
            api: config.api.source.to_string(),
        };
        let history = File::create_new(&path)
            .and_then(|file| jsonl::Writer::new(BufWriter::new(file), &header))
            .map_err(|source| RunError::Report { path, source })?;
        Ok(Self { folder, run_id, history })
    }

    pub(super) fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Opens a scenario's chapter.
    pub(super) fn begin<'a>(
        &'a mut self,
        plan: &'a Plan,
        fail_on: Severity,
        observer: &'a dyn Observer,
    ) -> Result<Chapter<'a>, RunError> {
        let plan_as_data = serde_json::to_value(plan).expect("a plan is plain data");
        let line = ScenarioLine { scenario: plan.name.clone(), plan: plan_as_data };
        let path = self.folder.join("history.jsonl");
        self.history.begin(&line).map_err(|source| RunError::Report { path: path.clone(), source })?;
        Ok(Chapter {
            history: &mut self.history,
            path,
            plan,
            fail_on,
            observer,
            judge: ScenarioJudge::new(&plan.api.model, plan.alone),
            tally: Tally::default(),
            doubts: Vec::new(),
        })
    }

    /// Writes the result beside the history.
    pub(super) fn save(self, result: &RunResult) -> Result<PathBuf, RunError> {
        let path = self.folder.join("run.json");
        let mut json = serde_json::to_vec_pretty(result).expect("a result is plain data");
        json.push(b'\n');
        fs::write(&path, json).map_err(|source| RunError::Report { path, source })?;
        Ok(self.folder)
    }
}

/// Makes a folder named after the moment; if two runs start in one second, the later gets a number.
fn make_folder(out: &Path, started_at: jiff::Timestamp) -> Result<(PathBuf, String), RunError> {
    let failed = |path: &Path, source| RunError::Report { path: path.to_owned(), source };
    fs::create_dir_all(out).map_err(|source| failed(out, source))?;
    let moment = started_at.strftime("%Y-%m-%dT%H-%M-%SZ").to_string();
    for attempt in 1.. {
        let run_id = if attempt == 1 { moment.clone() } else { format!("{moment}-{attempt}") };
        let folder = out.join(&run_id);
        match fs::create_dir(&folder) {
            Ok(()) => return Ok((folder, run_id)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 1_000 => {}
            Err(error) => return Err(failed(&folder, error)),
        }
    }
    unreachable!("the loop returns")
}

/// One scenario while it runs: saves, judges and counts round by round, keeping no round.
pub(super) struct Chapter<'a> {
    history: &'a mut jsonl::Writer<BufWriter<File>>,
    path: PathBuf,
    plan: &'a Plan,
    fail_on: Severity,
    observer: &'a dyn Observer,
    judge: ScenarioJudge<'a>,
    tally: Tally,
    doubts: Vec<String>,
}

impl Sink for Chapter<'_> {
    fn round(&mut self, id: RoundId, operations: &[Operation]) -> io::Result<()> {
        self.history.append(operations)?;
        self.judge.absorb(id, operations);
        self.tally.absorb(id, operations);
        if let RoundId::Raced(done) = id {
            self.observer.on(&Event::RoundDone { done, violated: self.judge.rounds_violated() });
            if done % 64 == 0 {
                self.history.flush()?;
            }
        }
        Ok(())
    }
}

impl Chapter<'_> {
    /// Notes why the scenario may be inconclusive.
    pub(super) fn doubt(&mut self, why: &str) {
        self.doubts.push(why.to_owned());
    }

    pub(super) fn failed(&self, source: io::Error) -> RunError {
        RunError::Report { path: self.path.clone(), source }
    }

    /// Ends the scenario.
    pub(super) fn close(self) -> Result<(ScenarioResult, Tally), RunError> {
        if let Err(source) = self.history.end() {
            return Err(RunError::Report { path: self.path, source });
        }
        let mut judgment = self.judge.finish();
        judgment.doubts.extend(self.doubts);
        let facts =
            ScenarioFacts { name: &self.plan.name, contenders: self.plan.contenders.len(), fail_on: self.fail_on };
        Ok((ScenarioResult::new(facts, &judgment, &self.tally), self.tally))
    }
}
