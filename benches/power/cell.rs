//! One cell: a run of `cancel-vs-accept`, and which of its rounds showed the mistake.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use quickeats_bench::api::{Credentials, builtin};
use quickeats_bench::check::Severity;
use quickeats_bench::event::{Event, Observer};
use quickeats_bench::jwt::Secret;
use quickeats_bench::race::{Parallel, Stop};
use quickeats_bench::run::{self, Extent, RunConfig, TargetChoice, Thresholds};
use quickeats_bench::scenario::{Plan, catalog};
use quickeats_bench::seed::Seed;
use quickeats_bench::service::{Auth, Defect, LatencyRule, ServiceConfig, StoreChoice};
use quickeats_bench::target::Delivery;

use crate::real_parts;

/// Rounds that a sweep has to find its bearings.
const WARM_UP: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Memory,
    Sqlite,
    Postgres,
}

/// What is raced, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) store: Store,
    /// Between check and save, beside what naturally lies there.
    pub(crate) window: Duration,
    /// How much later the acceptance reaches its check.
    pub(crate) apart: Duration,
    pub(crate) method: Delivery,
    pub(crate) is_swept: bool,
    pub(crate) rounds: u32,
}

/// What a run of it showed.
#[derive(Debug, Clone)]
pub(crate) struct Caught {
    /// By round, in order: whether it showed the mistake.
    pub(crate) rounds: Vec<bool>,
    /// Under which names.
    pub(crate) kinds: Vec<&'static str>,
}

impl Caught {
    /// Of all rounds, or with a sweep of those after the warm-up: how many there are, and how many showed it.
    pub(crate) fn counts(&self, is_swept: bool) -> (usize, usize) {
        let counted = &self.rounds[if is_swept { WARM_UP.min(self.rounds.len()) } else { 0 }..];
        (counted.len(), counted.iter().filter(|is_caught| **is_caught).count())
    }

    /// The first round that showed it, from 1.
    pub(crate) fn first(&self) -> Option<usize> {
        self.rounds.iter().position(|is_caught| *is_caught).map(|index| index + 1)
    }
}

impl Store {
    pub(crate) const ALL: [Self; 3] = [Self::Memory, Self::Sqlite, Self::Postgres];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// Whether the machine has it. If not, that is said.
    pub(crate) fn is_there(self) -> bool {
        self != Self::Postgres || real_parts::has_postgres("the table of PostgreSQL")
    }
}

/// Takes down how many rounds had shown the mistake when each was noted.
#[derive(Default)]
struct Counted(RefCell<Vec<u64>>);

impl Observer for Counted {
    fn on(&self, event: &Event<'_>) {
        if let Event::RoundDone { violated, .. } = event {
            self.0.borrow_mut().push(*violated);
        }
    }
}

impl Cell {
    /// Makes the run.
    pub(crate) fn run(&self, seed: u64) -> Caught {
        static POSTGRES: LazyLock<StoreChoice> = LazyLock::new(|| real_parts::postgres().parse().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let store = match self.store {
            Store::Memory => StoreChoice::Memory,
            Store::Sqlite => StoreChoice::Sqlite(folder.path().join("orders.db")),
            Store::Postgres => POSTGRES.clone(),
        };
        let later = || format!("acceptance={:?}", self.apart).parse::<LatencyRule>().unwrap();
        let secret = Secret::random();
        let service = ServiceConfig {
            store,
            auth: Auth::Jwt(secret.clone()),
            defect: Some(Defect::CheckThenSave),
            defect_window: self.window,
            latency: (!self.apart.is_zero()).then(later).into_iter().collect(),
            ..ServiceConfig::default()
        };
        let credentials = Credentials::minting(secret, 4_000_000_000);
        let api = Arc::new((*builtin::api("quickeats-v2").unwrap()).clone().with_credentials(credentials));
        let scenarios = catalog::all();
        let scenario = scenarios.iter().find(|scenario| scenario.name.get_ref() == "cancel-vs-accept").unwrap();
        let config = RunConfig {
            plans: vec![Plan::resolve(scenario, &api, None).unwrap()],
            api,
            target: TargetChoice::InProcess(Box::new(service)),
            extent: Extent::rounds(self.rounds),
            parallel: Parallel::Auto,
            max_rate: None,
            delivery: self.method,
            replay: std::collections::BTreeMap::new(),
            sweep: self.is_swept,
            seed: Seed::new(seed),
            timeout: Duration::from_secs(5),
            fail_on: Severity::Violation,
            thresholds: Thresholds::default(),
            out: folder.path().join("reports"),
            rerun: quickeats_bench::run_result::Rerun::default(),
        };
        self.caught(&config)
    }

    fn caught(&self, config: &RunConfig) -> Caught {
        let counted = Counted::default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let run = runtime.block_on(run::run(config, &counted, &Stop::default())).unwrap();
        let counts = counted.0.into_inner();
        assert_eq!(
            counts.len(),
            usize::try_from(self.rounds).unwrap(),
            "{self:?}: {:?}",
            run.result.scenarios[0].doubts
        );
        let before = std::iter::once(&0).chain(&counts);
        let rounds = counts.iter().zip(before).map(|(now, before)| now > before).collect();
        let kinds = run.result.scenarios[0].findings.iter().map(|finding| finding.kind.name()).collect();
        Caught { rounds, kinds }
    }
}
