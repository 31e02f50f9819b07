//! The run's folder: every round is written to `history.jsonl` before it is judged, and `run.json` comes last.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::{RunConfig, RunError, Until};
use crate::check::{Kind, Severity};
use crate::event::{Event, Observer};
use crate::history::jsonl::{self, Header, ScenarioLine};
use crate::history::{Delivered, Operation};
use crate::ids::RoundId;
use crate::measure::Tally;
use crate::race::{Noted, Sink};
use crate::run_result::{Ledger, RunResult, ScenarioFacts, ScenarioResult};
use crate::scenario::Plan;

/// A run's folder.
#[derive(Debug)]
pub(super) struct Book {
    folder: PathBuf,
    run_id: String,
    history: Option<jsonl::Writer<BufWriter<File>>>,
    /// Why the history could not be written to its end: what came later was judged all the same.
    unsaved: Option<RunError>,
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
            .map_err(|source| RunError::Report { path, cause: source })?;
        Ok(Self { folder, run_id, history: Some(history), unsaved: None })
    }

    pub(super) fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Opens a scenario's chapter.
    pub(super) fn begin<'a>(
        &'a mut self,
        plan: &'a Plan,
        config: &'a RunConfig,
        observer: &'a dyn Observer,
    ) -> Chapter<'a> {
        let plan_as_data = serde_json::to_value(plan).expect("a plan is plain data");
        let ledger = Ledger::open(&plan.api, plan.alone, &plan_as_data);
        let line = ScenarioLine {
            scenario: plan.name.clone(),
            plan: plan_as_data,
            doubts: Vec::new(),
            parallel: None,
            left_out: 0,
        };
        self.write(|history| history.begin(&line));
        Chapter {
            book: self,
            plan,
            fail_on: config.fail_on,
            until: &config.extent.until,
            observer,
            ledger,
            doubts: Vec::new(),
            parallel: 0,
        }
    }

    /// Writes to the history, as long as it can be written. The first failure ends it.
    fn write(&mut self, write: impl FnOnce(&mut jsonl::Writer<BufWriter<File>>) -> io::Result<()>) {
        if let Some(history) = &mut self.history
            && let Err(source) = write(history)
        {
            self.unsaved = Some(RunError::Report { path: self.folder.join("history.jsonl"), cause: source });
            self.history = None;
        }
    }

    /// Writes the result beside the history. Says what could not be saved, if anything.
    pub(super) fn save(self, result: &RunResult) -> (PathBuf, Option<RunError>) {
        let path = self.folder.join("run.json");
        let failed =
            fs::write(&path, crate::text::json(result)).err().map(|source| RunError::Report { path, cause: source });
        (self.folder, self.unsaved.or(failed))
    }
}

/// Makes a folder named after the moment; if two runs start in one second, the later gets a number.
pub(super) fn make_folder(out: &Path, started_at: jiff::Timestamp) -> Result<(PathBuf, String), RunError> {
    let failed = |path: &Path, source| RunError::Report { path: path.to_owned(), cause: source };
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
    book: &'a mut Book,
    plan: &'a Plan,
    fail_on: Severity,
    until: &'a [Until],
    observer: &'a dyn Observer,
    ledger: Ledger<'a>,
    doubts: Vec<String>,
    parallel: u32,
}

impl Sink for Chapter<'_> {
    fn round(&mut self, id: RoundId, delivered: Option<&Delivered>, operations: &[Operation]) -> Noted {
        self.book.write(|history| history.append(delivered, operations).and_then(|()| history.flush()));
        let is_violated = self.ledger.absorb(id, delivered, operations);
        let (violated, trials) = (self.ledger.violated(), self.ledger.trials());
        if let RoundId::Raced(done) = id {
            let kinds: Vec<Kind> = self.ledger.found().collect();
            self.observer.on(&Event::RoundDone { done, violated, trials, kinds: &kinds });
        }
        Noted { is_violated, is_enough: self.until.iter().any(|rule| rule.is_reached(violated, trials)) }
    }
}

impl Chapter<'_> {
    /// Notes why the scenario may be inconclusive.
    pub(super) fn doubt(&mut self, why: &str) {
        self.doubts.push(why.to_owned());
    }

    /// Notes how many rounds ran side by side at most.
    pub(super) fn ran_abreast(&mut self, parallel: u32) {
        self.parallel = parallel;
    }

    /// Whether any round was raced yet.
    pub(super) const fn has_raced(&self) -> bool {
        self.ledger.rounds() > 0
    }

    /// Ends the scenario.
    pub(super) fn close(self) -> (ScenarioResult, Tally) {
        let (doubts, parallel) = (&self.doubts, self.parallel);
        self.book.write(|history| history.end(doubts, parallel));
        let facts = ScenarioFacts {
            name: &self.plan.name,
            contenders: self.plan.width(),
            parallel: Some(self.parallel),
            fail_on: self.fail_on,
        };
        self.ledger.close(facts, self.doubts)
    }
}
