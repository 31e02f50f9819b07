//! Races of a target in memory, on paused time.

mod described;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::fake::{Fake, LIMIT};
use super::{Ending, Finish, Noted, Pace, Parallel, Race, Sink, Stop};
use crate::api::{Request, builtin};
use crate::clock::Clock;
use crate::history::{Delivered, Operation, Outcome, Verb};
use crate::ids::RoundId;
use crate::scenario::{Plan, catalog};
use crate::seed::Seed;
use crate::target::Method;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn plan(name: &str) -> Plan {
    let api = builtin::api("quickeats-v2").unwrap();
    let all = catalog::all();
    let scenario = all.iter().find(|scenario| scenario.name.get_ref() == name).unwrap();
    Plan::resolve(scenario, &api, None).unwrap()
}

/// Takes rounds, and answers as it is told.
#[derive(Default)]
struct Notebook {
    ids: Vec<RoundId>,
    /// Orders that were asked for.
    created: usize,
    unknown: usize,
    /// Rounds, and whether the sink has enough from them on.
    says: BTreeMap<u32, bool>,
    last: Option<Instant>,
}

impl Notebook {
    fn saying<const N: usize>(says: [(u32, bool); N]) -> Self {
        Self { says: BTreeMap::from(says), ..Self::default() }
    }

    fn raced(&self) -> u32 {
        self.ids.last().map_or(0, |id| id.number())
    }

    fn assert_in_order(&self) {
        let raced = u32::try_from(self.ids.len()).unwrap() - 2;
        let expected = [1, 2].map(RoundId::Control).into_iter().chain((1..=raced).map(RoundId::Raced));
        assert!(self.ids.iter().copied().eq(expected), "{:?}", self.ids);
    }
}

impl Sink for Notebook {
    fn round(&mut self, id: RoundId, _: Option<&Delivered>, operations: &[Operation]) -> Noted {
        assert!(operations.iter().all(|operation| operation.round == id));
        self.ids.push(id);
        self.created += operations.iter().filter(|operation| operation.call.verb == Verb::Create).count();
        self.unknown += operations.iter().filter(|operation| matches!(operation.outcome, Outcome::Unknown(_))).count();
        self.last = Some(Instant::now());
        let is_enough = self.says.range(..=id.number()).next_back().is_some_and(|(_, is_enough)| *is_enough);
        Noted { is_enough, is_violated: false }
    }
}

/// How a race is made: of `cancel-vs-accept`, with so many rounds, until then.
struct Made {
    name: &'static str,
    parallel: Parallel,
    rounds: u32,
    deadline: Option<Duration>,
    stop: Option<Duration>,
}

const MADE: Made =
    Made { name: "cancel-vs-accept", parallel: Parallel::Auto, rounds: 10_000, deadline: None, stop: None };

impl Made {
    async fn race(self, clock: Clock, target: &Fake, book: &mut Notebook) -> Finish {
        let pace = Pace {
            rounds: self.rounds,
            deadline: self.deadline.map(|deadline| Instant::now() + deadline),
            parallel: self.parallel,
            max_rate: None,
            gate_limit: LIMIT,
            methods: vec![Method::Head],
            sweep: false,
            replay: Vec::new(),
        };
        let plan = plan(self.name);
        let race = Race::new((target, None), &plan, Seed::new(7), clock, Arc::default(), pace);
        let stop = Stop::default();
        let stopping = async {
            match self.stop {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
            stop.ask();
            std::future::pending().await
        };
        tokio::select! {
            finish = race.run(&stop, book) => finish,
            never = stopping => never,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_with_actions_of_half_a_second_gets_two_thousand_rounds_in_a_minute() {
    let clock = Clock::start();
    let (target, mut book, begin) = (Fake::acting(clock, ms(500)), Notebook::default(), Instant::now());
    let finish = Made { deadline: Some(seconds(60)), ..MADE }.race(clock, &target, &mut book).await;
    assert_eq!((finish.ending, book.unknown), (Ending::OutOfTime(None), 0));
    assert!(book.raced() >= 2_000 && finish.parallel == 75, "{} rounds, {} abreast", book.raced(), finish.parallel);
    assert!(begin.elapsed() < seconds(62), "the rounds under way are the last ones: {:?}", begin.elapsed());
    book.assert_in_order();
    let (connections, at_once) = target.connections();
    assert!(connections <= 2 * 75 && at_once <= 4, "{connections}, {at_once} at once");
}

#[tokio::test(start_paused = true)]
async fn a_fast_target_gets_one_round_after_the_other() {
    let clock = Clock::start();
    let (target, mut book) = (Fake::acting(clock, ms(1)), Notebook::default());
    let finish = Made { rounds: 200, ..MADE }.race(clock, &target, &mut book).await;
    assert_eq!(finish, Finish { ending: Ending::Complete, parallel: 1 });
    assert_eq!((book.raced(), target.connections().0), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_fast_target_to_settle_does_not_make_it_a_slow_one() {
    let clock = Clock::start();
    let (target, mut book, begin) = (Fake::forgetful(clock), Notebook::default(), Instant::now());
    let finish = Made { rounds: 20, ..MADE }.race(clock, &target, &mut book).await;
    assert_eq!(finish, Finish { ending: Ending::Complete, parallel: 1 });
    assert!(begin.elapsed() > seconds(1), "it was waited for: {:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_target_that_works_on_one_request_at_a_time_is_not_flooded() {
    let clock = Clock::start();
    let (target, mut book) = (Fake::new(clock, 1, Box::new(|_, _| ms(100))), Notebook::default());
    let finish = Made { rounds: 300, ..MADE }.race(clock, &target, &mut book).await;
    assert_eq!((finish.ending, book.unknown), (Ending::Complete, 0));
    assert!(finish.parallel <= 8, "its time alone asks for 40, and it was given {}", finish.parallel);
}

/// A target with few places: who asks for an order while all are taken waits in vain, and the others are as quick as ever.
fn narrow(clock: Clock, places: usize) -> Fake {
    let taken = Mutex::new(Vec::<Instant>::new());
    let pace = move |asked: &Request, _: usize| {
        let (now, mut taken) = (Instant::now(), taken.lock().unwrap());
        taken.retain(|until| *until > now);
        match (&*asked.method, asked.path.split('/').count()) {
            ("POST", 4) if taken.len() >= places => return seconds(60),
            ("POST", _) => taken.push(now + ms(200)),
            _ => {}
        }
        ms(200)
    };
    Fake::new(clock, Semaphore::MAX_PERMITS, Box::new(pace))
}

#[tokio::test(start_paused = true)]
async fn a_target_with_few_places_is_not_starved_again_and_again() {
    let clock = Clock::start();
    let (target, mut book) = (narrow(clock, 8), Notebook::default());
    let finish = Made { rounds: 2_000, ..MADE }.race(clock, &target, &mut book).await;
    assert_eq!((finish.ending, book.raced()), (Ending::Complete, 2_000));
    assert!(finish.parallel > 8 && book.unknown <= 100, "{} unanswered, {} abreast", book.unknown, finish.parallel);
}

/// Rounds that take between nothing and three seconds.
fn uneven(clock: Clock) -> Fake {
    let pace = |asked: &Request, number: usize| {
        if &*asked.method == "POST" { ms(number as u64 * 379 % 1_000) } else { Duration::ZERO }
    };
    Fake::new(clock, 1_000, Box::new(pace))
}

#[tokio::test(start_paused = true)]
async fn rounds_are_noted_in_order_whichever_is_over_first() {
    let clock = Clock::start();
    let (target, mut book) = (uneven(clock), Notebook::default());
    let finish = Made { rounds: 500, parallel: Parallel::Rounds(32), ..MADE }.race(clock, &target, &mut book).await;
    assert_eq!(finish, Finish { ending: Ending::Complete, parallel: 32 });
    book.assert_in_order();
    assert_eq!((book.raced(), book.created, book.unknown), (500, 502, 0));
    assert!(target.connections().0 <= 64, "{:?}", target.connections());
}

#[tokio::test(start_paused = true)]
async fn rounds_under_way_end_at_once_when_asked_to_and_none_is_lost() {
    let clock = Clock::start();
    let (target, mut book, begin) = (uneven(clock), Notebook::default(), Instant::now());
    let parallel = Parallel::Rounds(64);
    let finish = Made { parallel, stop: Some(seconds(20)), ..MADE }.race(clock, &target, &mut book).await;
    assert_eq!((finish.ending, begin.elapsed()), (Ending::Complete, seconds(20)));
    book.assert_in_order();
    assert_eq!(book.created, target.orders(), "each order that was asked for is in the record");
    assert!(book.unknown >= 40, "{} were cut", book.unknown);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_begins_no_round_and_cuts_none() {
    let clock = Clock::start();
    let (target, mut book, begin) = (Fake::acting(clock, ms(500)), Notebook::default(), Instant::now());
    let made = Made { parallel: Parallel::Rounds(20), deadline: Some(seconds(10)), ..MADE };
    let finish = made.race(clock, &target, &mut book).await;
    assert_eq!((finish.ending, book.unknown), (Ending::OutOfTime(None), 0));
    assert!((seconds(10)..seconds(12)).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    assert_eq!(book.created, target.orders());
}

#[tokio::test(start_paused = true)]
async fn when_enough_was_seen_rounds_under_way_are_finished_and_counted() {
    let clock = Clock::start();
    let (target, mut book) = (Fake::acting(clock, ms(500)), Notebook::saying([(100, true)]));
    let finish = Made { parallel: Parallel::Rounds(20), ..MADE }.race(clock, &target, &mut book).await;
    assert_eq!((finish.ending, book.unknown), (Ending::Settled, 0));
    book.assert_in_order();
    assert_eq!(book.created, target.orders());
    assert!((101..=140).contains(&book.raced()), "{}", book.raced());
}

#[tokio::test(start_paused = true)]
async fn one_of_the_last_rounds_may_show_that_it_was_not_enough() {
    let clock = Clock::start();
    let says = [(100, true), (105, false)];
    let (target, mut book) = (Fake::acting(clock, ms(500)), Notebook::saying(says));
    let finish = Made { rounds: 300, parallel: Parallel::Rounds(20), ..MADE }.race(clock, &target, &mut book).await;
    assert_eq!((finish.ending, book.raced()), (Ending::Complete, 300));
}

/// Actions of half a second, and nothing at all is answered between two moments.
fn hanging(clock: Clock, from: Duration, to: Duration) -> Fake {
    let begin = Instant::now();
    let pace = move |asked: &Request, _| {
        if (from..to).contains(&begin.elapsed()) {
            return Duration::MAX;
        }
        if &*asked.method == "POST" { ms(500) } else { Duration::ZERO }
    };
    Fake::new(clock, 1_000, Box::new(pace))
}

#[tokio::test(start_paused = true)]
async fn a_target_that_dies_with_many_rounds_under_way_is_given_up_soon() {
    let clock = Clock::start();
    let (begin, target, mut book) = (Instant::now(), hanging(clock, seconds(15), seconds(10_000)), Notebook::default());
    let finish = MADE.race(clock, &target, &mut book).await;
    assert!(matches!(finish.ending, Ending::GaveUp(_)) && finish.parallel == 75, "{finish:?}");
    assert_eq!(book.created, target.orders());
    let took = begin.elapsed().checked_sub(seconds(15)).unwrap();
    // The first waits in vain for a contender and four looks, and a later one for its order. Nobody waits for the others.
    assert!(took <= 7 * LIMIT, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_stands_still_for_a_moment_is_not_given_up() {
    let clock = Clock::start();
    let (target, mut book) = (hanging(clock, seconds(15), seconds(17)), Notebook::default());
    let finish = Made { deadline: Some(seconds(40)), ..MADE }.race(clock, &target, &mut book).await;
    assert_eq!(finish.ending, Ending::OutOfTime(None));
    assert!(book.unknown > 50 && book.raced() > 300, "{} of {}", book.unknown, book.raced());
}

#[tokio::test(start_paused = true)]
async fn swarms_and_crashes_run_one_after_the_other() {
    for name in ["swarm", "crash"] {
        let clock = Clock::start();
        let (target, mut book) = (Fake::acting(clock, ms(500)), Notebook::default());
        let made = Made { name, rounds: 6, parallel: Parallel::Rounds(32), ..MADE };
        let finish = made.race(clock, &target, &mut book).await;
        assert_eq!((finish.parallel, book.raced()), (1, 6), "{name}: {:?}", finish.ending);
    }
}
