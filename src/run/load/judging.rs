//! The judge of a load: a thread of its own, which takes one resource's history after the other, saves what is to be saved, and
//! judges it.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use serde_json::json;

use crate::api::Api;
use crate::check::{Alone, Kind, Severity};
use crate::history::jsonl::{self, Header, ScenarioLine};
use crate::history::{Operation, Outcome, Phase};
use crate::ids::RoundId;
use crate::load::{Inlet, Settled};
use crate::load_result::{Judged, JudgedSoFar};
use crate::run_result::{Ledger, ScenarioFacts};
use crate::seed::Seed;
use crate::traffic::Part;

/// What the load's chapter of a history is called.
pub(in crate::run) const CHAPTER: &str = "load";
/// So many resources of each kind of finding are saved, where not all of them are.
const MOST_SAVED: u64 = 50;

/// What the judge needs to know.
pub(in crate::run) struct Bench {
    pub(in crate::run) api: Arc<Api>,
    pub(in crate::run) clients: u32,
    pub(in crate::run) fail_on: Severity,
    /// Whether the history of every resource is saved, not only of those that show something.
    pub(in crate::run) saves_all: bool,
    pub(in crate::run) history: PathBuf,
    pub(in crate::run) seed: Seed,
    /// Which part of the whole load this process is.
    pub(in crate::run) part: Part,
}

/// The judge at work.
pub(super) struct Judge {
    so_far: Arc<Mutex<JudgedSoFar>>,
    thread: JoinHandle<Sentence>,
}

/// What the judge comes to.
pub(in crate::run) struct Sentence {
    pub(in crate::run) judged: Judged,
    /// What could not be saved.
    pub(in crate::run) unsaved: Option<io::Error>,
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
    let mut sitting = Sitting::open(bench, so_far);
    while let Some(settled) = inlet.next() {
        sitting.hear(&settled);
    }
    let spilled = inlet.spilled();
    let mut doubts = Vec::new();
    if let Err(error) = inlet.drain(|settled| sitting.hear(&settled)) {
        doubts.push(format!("some of what had to wait for the judge could not be kept: {error}"));
    }
    sitting.close(spilled, doubts)
}

/// A load being judged, resource by resource.
pub(in crate::run) struct Sitting<'a> {
    bench: &'a Bench,
    so_far: &'a Mutex<JudgedSoFar>,
    ledger: Ledger<'a>,
    history: Saved,
    left_to_merge: u64,
}

impl<'a> Sitting<'a> {
    pub(in crate::run) fn open(bench: &'a Bench, so_far: &'a Mutex<JudgedSoFar>) -> Self {
        let ledger = Ledger::open(&bench.api, Alone::Either, &plan());
        Self { bench, so_far, ledger, history: Saved::open(bench), left_to_merge: 0 }
    }

    /// Judges one resource, unless other processes act on it, too: then it is saved for who knows all of it.
    fn hear(&mut self, settled: &Settled) {
        if let RoundId::Raced(number) = settled.round
            && self.bench.part.is_joint(number)
        {
            self.left_to_merge += settled.operations.len() as u64;
            self.history.write(|writer| writer.append(None, &settled.operations));
            return;
        }
        self.judge(settled.round, &settled.operations, settled.achieved.into());
    }

    /// Judges one resource, of whose operations so many did what they asked for.
    pub(in crate::run) fn judge(&mut self, round: RoundId, operations: &[Operation], good: u64) {
        // A rehearsal may end just when its last resource was made: then nobody was tried alone on it.
        if !round.is_raced() && operations.iter().all(|operation| operation.phase != Phase::Contend) {
            return;
        }
        // What nobody was asked anything about proves nothing.
        if operations.iter().all(|operation| matches!(operation.outcome, Outcome::NotSent(_))) {
            return;
        }
        let before: Vec<Kind> = self.ledger.found().collect();
        let is_violated = self.ledger.absorb(round, None, operations);
        let kinds: Vec<Kind> = self.ledger.found().collect();
        let is_news = kinds.len() > before.len();
        self.history.take(round, operations, is_violated, is_news, self.bench.saves_all);
        let count = operations.len() as u64;
        let mut so_far = lock(self.so_far);
        so_far.rounds += 1;
        so_far.operations += count;
        if is_violated {
            so_far.violated += 1;
            so_far.tainted += count;
            so_far.spoilt += good;
        } else if round.is_raced() {
            so_far.good += good;
        }
        if is_news {
            let new = kinds.iter().filter(|kind| !before.contains(kind));
            let told = new.filter_map(|kind| Some((*kind, self.ledger.sentence(*kind)?.to_owned())));
            so_far.sentences.extend(told);
            so_far.kinds = kinds;
        }
    }

    /// What it comes to.
    pub(in crate::run) fn close(self, spilled: u64, doubts: Vec<String>) -> Sentence {
        let Self { bench, so_far, ledger, history, left_to_merge } = self;
        let unsaved = history.close(&doubts);
        let facts =
            ScenarioFacts { name: CHAPTER, contenders: bench.clients as usize, parallel: None, fail_on: bench.fail_on };
        let (scenario, _) = ledger.close(facts, doubts);
        let mut so_far = lock(so_far);
        so_far.spilled = spilled;
        let JudgedSoFar { operations, good, tainted, violated, .. } = *so_far;
        Sentence { judged: Judged { operations, good, tainted, violated, spilled, left_to_merge, scenario }, unsaved }
    }
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
        let chapter = ScenarioLine {
            scenario: CHAPTER.to_owned(),
            plan: plan(),
            doubts: Vec::new(),
            parallel: None,
            left_out: 0,
        };
        let opened = File::create_new(&bench.history)
            .and_then(|file| jsonl::Writer::new(BufWriter::new(file), &header))
            .and_then(|mut writer| writer.begin(&chapter).map(|()| writer));
        match opened {
            Ok(writer) => Self { writer: Some(writer), violated: 0, unsaved: None },
            Err(error) => Self { writer: None, violated: 0, unsaved: Some(error) },
        }
    }

    fn take(&mut self, round: RoundId, operations: &[Operation], is_violated: bool, is_news: bool, saves_all: bool) {
        self.violated += u64::from(is_violated);
        let is_telling = is_news || (is_violated && self.violated <= MOST_SAVED) || !round.is_raced();
        self.write(|writer| {
            if saves_all || is_telling {
                return writer.append(None, operations);
            }
            writer.leave_out(operations.len() as u64);
            Ok(())
        });
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
