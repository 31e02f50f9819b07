//! The sound service behind a network that loses things: every scenario, on every store, with 15 % of all outcomes Unknown
//! (a request that never arrived, or an answer that was lost after the effect). What is not known is never an accusation:
//! nothing may be found.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod network;
#[path = "../real_parts/mod.rs"]
mod real_parts;

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use network::{Losses, LossyTarget};
use quickeats_bench::api::{Api, Credentials, builtin};
use quickeats_bench::check::ScenarioJudge;
use quickeats_bench::clock::Clock;
use quickeats_bench::history::{Delivered, Operation};
use quickeats_bench::ids::RoundId;
use quickeats_bench::jwt::Secret;
use quickeats_bench::measure::Tally;
use quickeats_bench::race::{Ending, Noted, Pace, Parallel, Race, Sink, Stop};
use quickeats_bench::scenario::{Plan, catalog};
use quickeats_bench::seed::Seed;
use quickeats_bench::service::{Auth, KeyStoreChoice, OrderService, ServiceConfig, StoreChoice, Strategy};
use quickeats_bench::target::{Endpoint, HttpTarget, Method, Patience};
use tokio::net::TcpListener;

/// Rounds on each store, all scenarios together; `UNRELIABLE_ROUNDS=25000` makes the long run.
fn rounds() -> u32 {
    std::env::var("UNRELIABLE_ROUNDS").map_or(1_000, |rounds| rounds.parse().expect("UNRELIABLE_ROUNDS is a number"))
}

/// Judges and counts, as a run does.
struct Book<'a> {
    judge: ScenarioJudge<'a>,
    tally: Tally,
}

impl Sink for Book<'_> {
    fn round(&mut self, id: RoundId, delivered: Option<&Delivered>, operations: &[Operation]) -> Noted {
        self.judge.absorb(id, operations);
        self.tally.absorb(id, delivered, operations);
        Noted::default()
    }
}

/// The addresses of two replicas of the sound service, and the API as their callers speak it.
async fn serve(store: StoreChoice, key_store: KeyStoreChoice, strategy: Strategy) -> (Vec<Endpoint>, Arc<Api>) {
    let secret = Secret::random();
    let config =
        ServiceConfig { store, key_store, strategy, auth: Auth::Jwt(secret.clone()), ..ServiceConfig::default() };
    let mut endpoints = Vec::new();
    for replica in OrderService::open_replicas(config, 2).await.unwrap() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        endpoints.push(Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap());
        tokio::spawn(replica.serve(listener, std::future::pending()));
    }
    let credentials = Credentials::minting(secret, 4_000_000_000);
    (endpoints, Arc::new((*builtin::api("quickeats-v2").unwrap()).clone().with_credentials(credentials)))
}

/// Races every scenario at such a service, and expects nothing to be found.
async fn nothing_is_found(place: &str, store: StoreChoice, key_store: KeyStoreChoice, strategy: Strategy) {
    let (endpoints, api) = serve(store, key_store, strategy).await;
    let clock = Clock::start();
    let losses = Losses::seeded(17);
    let patience = Patience { request: Duration::from_secs(10) };
    let target = |endpoint: &Endpoint| {
        LossyTarget::new(HttpTarget::new(endpoint.clone(), clock, patience).unwrap(), losses.clone(), clock)
    };
    let (first, second) = (target(&endpoints[0]), target(&endpoints[1]));
    let scenarios: Vec<Plan> = (catalog::all().iter())
        .filter(|scenario| scenario.apis[0].get_ref() == "quickeats-v2")
        .map(|scenario| Plan::resolve(scenario, &api, None).unwrap())
        .collect();
    let each = rounds() / u32::try_from(scenarios.len()).unwrap();
    let mut total = Tally::default();
    for plan in &scenarios {
        let mut book = Book { judge: ScenarioJudge::new(&api.model, plan.alone), tally: Tally::default() };
        let mut seed = 0;
        while book.tally.rounds < u64::from(each) {
            seed += 1;
            let how = Pace {
                rounds: each,
                deadline: None,
                parallel: Parallel::Rounds(1),
                max_rate: None,
                gate_limit: patience.request,
                methods: vec![Method::Head, Method::SinglePacketTail],
                sweep: false,
                replay: Vec::new(),
            };
            let race = Race::new((&first, Some(&second)), plan, Seed::new(seed), clock, Arc::default(), how);
            // A network like this may lose several rounds in a row; then the race is begun anew.
            if race.run(&Stop::default(), &mut book).await.ending == Ending::Complete {
                break;
            }
        }
        let judgment = book.judge.finish();
        assert!(judgment.findings.is_empty(), "{place}, {}, seed 17: {:#?}", plan.name, judgment.findings);
        assert!(judgment.trials > 0, "{place}, {}: no round was evidence: {:?}", plan.name, judgment.doubts);
        total.add(&book.tally);
    }
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = total.unknown as f64 / total.requests as f64;
    let _ = writeln!(
        io::stderr(),
        "{place}: {} rounds, {} requests, {:.1} % Unknown, nothing found",
        total.rounds,
        total.requests,
        share * 100.0
    );
    assert!((0.14..0.20).contains(&share), "{place}: {share}");
}

macro_rules! places {
    ($($test:ident: $strategy:ident, $keys:expr, $needs:expr, $store:expr;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let needs: &[fn(&str) -> bool] = $needs;
                if needs.iter().all(|is_there| is_there(stringify!($test))) {
                    let folder = tempfile::tempdir().unwrap();
                    let store: fn(&std::path::Path) -> StoreChoice = $store;
                    let keys: fn() -> KeyStoreChoice = $keys;
                    nothing_is_found(stringify!($test), store(folder.path()), keys(), Strategy::$strategy).await;
                }
            }
        )+
    };
}

fn sqlite(folder: &std::path::Path) -> StoreChoice {
    StoreChoice::Sqlite(folder.join("orders.db"))
}

fn postgres(_: &std::path::Path) -> StoreChoice {
    real_parts::postgres().parse().unwrap()
}

places! {
    memory: Optimistic, || KeyStoreChoice::Same, &[], |_| StoreChoice::Memory;
    memory_locked: Pessimistic, || KeyStoreChoice::Same, &[], |_| StoreChoice::Memory;
    on_sqlite: Optimistic, || KeyStoreChoice::Same, &[], sqlite;
    on_sqlite_locked: Pessimistic, || KeyStoreChoice::Same, &[], sqlite;
    on_postgres: Optimistic, || KeyStoreChoice::Same, &[real_parts::has_postgres], postgres;
    on_postgres_locked: Pessimistic, || KeyStoreChoice::Same, &[real_parts::has_postgres], postgres;
    with_keys_in_redis: Optimistic, || real_parts::redis().parse().unwrap(),
        &[real_parts::has_postgres, real_parts::has_redis], postgres;
}
