//! The judge of a load: a thread of its own, which takes one resource's history after the other, saves what is to be saved, and
//! judges it.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use serde_json::json;

use crate::api::Api;
use crate::check::{Alone, Kind, Severity};
use crate::clock::Stamp;
use crate::history::jsonl::{self, Header, ScenarioLine};
use crate::history::{Meaning, Operation, Phase};
use crate::load::{Inlet, Settled};
use crate::load_result::{Judged, JudgedSoFar};
use crate::run_result::{Ledger, ScenarioFacts};
use crate::seed::Seed;

/// What the load's chapter of a history is called.
pub(super) const CHAPTER: &str = "load";
/// So many resources of each kind of finding are saved, where not all of them are.
const MOST_SAVED: u64 = 50;

/// What the judge needs to know.
pub(super) struct Bench {
    pub(super) api: Arc<Api>,
    pub(super) clients: u32,
    pub(super) fail_on: Severity,
    /// Whether the history of every resource is saved, not only of those that show something.
    pub(super) saves_all: bool,
    pub(super) history: PathBuf,
    pub(super) seed: Seed,
    /// From when on operations count, in nanoseconds of the run's clock: known when the load begins.
    pub(super) measured_from: Arc<AtomicU64>,
}

/// The judge at work.
pub(super) struct Judge {
    so_far: Arc<Mutex<JudgedSoFar>>,
    thread: JoinHandle<Sentence>,
}

/// What the judge comes to.
pub(super) struct Sentence {
    pub(super) judged: Judged,
    /// What could not be saved.
    pub(super) unsaved: Option<io::Error>,
}

impl Judge {
    /// Begins to judge what comes out of `inlet`. Ends when that does.
    pub(super) fn start(bench: Bench, inlet: Inlet) -> io::Result<Self> {
        let so_far: Arc<Mutex<JudgedSoFar>> = Arc::default();
        let shared = Arc::clone(&so_far);
        let thread = std::thread::Builder::new().name("judge".to_owned()).spawn(move || sit(&bench, inlet, &shared))?;
        Ok(Self { so_far, thread })
    }

    /// What it says so far.
    pub(super) fn so_far(&self) -> JudgedSoFar {
        lock(&self.so_far).clone()
    }

    /// What it comes to, once all is judged.
    pub(super) fn finish(self) -> Sentence {
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn lock(so_far: &Mutex<JudgedSoFar>) -> MutexGuard<'_, JudgedSoFar> {
    so_far.lock().expect("no code panics while it holds this lock")
}

/// The plan as it is saved with the history: there are no contenders that could be named.
fn plan() -> serde_json::Value {
    json!({ "name": CHAPTER, "alone": "either", "contenders": [] })
}

fn sit(bench: &Bench, inlet: Inlet, so_far: &Mutex<JudgedSoFar>) -> Sentence {
    let mut ledger = Ledger::open(&bench.api, Alone::Either, &plan());
    let mut history = Saved::open(bench);
    let mut judge = |settled: Settled| {
        let before: Vec<Kind> = ledger.found().collect();
        let is_violated = ledger.absorb(settled.round, None, &settled.operations);
        let kinds: Vec<Kind> = ledger.found().collect();
        let is_news = kinds.len() > before.len();
        history.take(&settled, is_violated, is_news, bench.saves_all);
        let count = settled.operations.len() as u64;
        let measured_from = Stamp::from_nanos(bench.measured_from.load(Ordering::Relaxed));
        let good = settled.operations.iter().filter(|one| is_good(one, measured_from)).count() as u64;
        let mut so_far = lock(so_far);
        so_far.rounds += 1;
        so_far.operations += count;
        if is_violated {
            so_far.violated += 1;
            so_far.tainted += count;
        } else if settled.round.is_raced() {
            so_far.good += good;
        }
        if is_news {
            let new = kinds.iter().filter(|kind| !before.contains(kind));
            let told = new.filter_map(|kind| Some((*kind, ledger.sentence(*kind)?.to_owned())));
            so_far.sentences.extend(told);
            so_far.kinds = kinds;
        }
    };
    while let Some(settled) = inlet.next() {
        judge(settled);
    }
    let spilled = inlet.spilled();
    let mut doubts = Vec::new();
    if let Err(error) = inlet.drain(&mut judge) {
        doubts.push(format!("some of what had to wait for the judge could not be kept: {error}"));
    }
    let unsaved = history.close(&doubts);
    let facts =
        ScenarioFacts { name: CHAPTER, contenders: bench.clients as usize, parallel: None, fail_on: bench.fail_on };
    let (scenario, _) = ledger.close(facts, doubts);
    let mut so_far = lock(so_far);
    so_far.spilled = spilled;
    let JudgedSoFar { operations, good, tainted, .. } = *so_far;
    Sentence { judged: Judged { operations, good, tainted, spilled, scenario }, unsaved }
}

/// Whether an operation is one that counts as done: it did what it asked for, and was measured.
fn is_good(operation: &Operation, measured_from: Stamp) -> bool {
    let is_done =
        matches!(operation.outcome.reply().map(|reply| reply.meaning), Some(Meaning::Applied | Meaning::Replayed));
    is_done && operation.window.opened >= measured_from && operation.phase != Phase::Settle
}

/// The history, as far as it is saved.
struct Saved {
    writer: Option<jsonl::Writer<BufWriter<File>>>,
    violated: u64,
    unsaved: Option<io::Error>,
}

impl Saved {
    fn open(bench: &Bench) -> Self {
        let header = Header {
            schema: jsonl::SCHEMA.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: bench.seed.value(),
            api: bench.api.source.to_string(),
        };
        let chapter = ScenarioLine { scenario: CHAPTER.to_owned(), plan: plan(), doubts: Vec::new(), parallel: None };
        let opened = File::create_new(&bench.history)
            .and_then(|file| jsonl::Writer::new(BufWriter::new(file), &header))
            .and_then(|mut writer| writer.begin(&chapter).map(|()| writer));
        match opened {
            Ok(writer) => Self { writer: Some(writer), violated: 0, unsaved: None },
            Err(error) => Self { writer: None, violated: 0, unsaved: Some(error) },
        }
    }

    fn take(&mut self, settled: &Settled, is_violated: bool, is_news: bool, saves_all: bool) {
        self.violated += u64::from(is_violated);
        let is_telling = is_news || (is_violated && self.violated <= MOST_SAVED) || !settled.round.is_raced();
        if saves_all || is_telling {
            self.write(|writer| writer.append(None, &settled.operations));
        }
    }

    /// The first failure ends it: what comes later is judged all the same.
    fn write(&mut self, write: impl FnOnce(&mut jsonl::Writer<BufWriter<File>>) -> io::Result<()>) {
        if let Some(writer) = &mut self.writer
            && let Err(error) = write(writer)
        {
            self.unsaved = Some(error);
            self.writer = None;
        }
    }

    fn close(mut self, doubts: &[String]) -> Option<io::Error> {
        self.write(|writer| writer.end(doubts, 0));
        self.unsaved
    }
}
