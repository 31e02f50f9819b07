//! The sweep against simulated servers: does it find the collisions, whatever the crossing, the window and the jitter?

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::{LONGEST_US, Seen, Stagger, Sweep, as_left, offset};
use crate::seed::{Dice, Seed};

const CROSSINGS_US: [f64; 6] = [-5_000.0, -2_000.0, 0.0, 300.0, 3_000.0, 5_000.0];
const JITTERS_US: [f64; 3] = [10.0, 50.0, 200.0];

/// What the winner of a round without collision says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::race) enum Winner {
    /// The first to come wins.
    First,
    /// Anybody.
    Any,
    /// Always entry 0.
    Entry0,
    /// Both are acknowledged, lawfully.
    Both,
}

/// A server with two actions, which checks, waits for as long as the window, and saves.
#[derive(Debug, Clone, Copy)]
pub(in crate::race) struct Server {
    /// How much later entry 1 has to leave to reach its critical section together with entry 0.
    pub(in crate::race) crossing: f64,
    pub(in crate::race) window: f64,
    jitter: f64,
    winner: Winner,
}

impl Server {
    pub(in crate::race) fn new(crossing: f64, window: f64, jitter: f64) -> Self {
        Self { crossing, window, jitter, winner: Winner::First }
    }

    /// How long it takes to a critical section, beyond the usual: now and then the server pauses.
    fn late(&self, dice: &mut Dice) -> f64 {
        let pause = if dice.fraction() < 0.01 { 3_000.0 * dice.fraction() } else { 0.0 };
        self.jitter * (2.0 * dice.fraction() - 1.0) + pause
    }

    /// A round in which entry 1 leaves `delay` µs after entry 0.
    pub(in crate::race) fn round(&self, delay: f64, dice: &mut Dice) -> Seen {
        let beyond = delay + self.late(dice) - self.late(dice) - self.crossing;
        let hit = beyond.abs() < self.window;
        let is_first = match self.winner {
            Winner::First => beyond > 0.0,
            Winner::Any => dice.fraction() < 0.5,
            Winner::Entry0 => true,
            Winner::Both => return Seen { hit, acknowledged: vec![Some(true), Some(true)] },
        };
        Seen { hit, acknowledged: vec![Some(hit || is_first), Some(hit || !is_first)] }
    }

    /// How long each takes alone. They tell little of the crossing: entry 0 does much after its critical section.
    pub(in crate::race) fn typical(&self) -> [Option<Duration>; 2] {
        let us = |us: f64| Some(Duration::from_secs_f64(us * 1e-6));
        [us(4_300.0 + self.crossing.max(0.0)), us(1_000.0 + (-self.crossing).max(0.0))]
    }

    /// A whole race: by round, the delay in µs and whether it was a hit.
    fn race(&self, seed: u64, rounds: usize) -> Vec<(f64, bool)> {
        let mut sweep = Sweep::new(Seed::new(seed), &[1, 1], &self.typical());
        let mut dice = Seed::new(seed).child("server").dice();
        (0..rounds).map(|_| self.step(&mut sweep, &mut dice)).collect()
    }

    fn step(&self, sweep: &mut Sweep, dice: &mut Dice) -> (f64, bool) {
        let stagger = sweep.next();
        let delay = delay_of(&stagger);
        let seen = self.round(delay, dice);
        sweep.note(&stagger, &seen);
        (delay, seen.hit)
    }
}

/// How many µs entry 1 leaves after entry 0.
pub(in crate::race) fn delay_of(stagger: &Stagger) -> f64 {
    1e6 * (offset(stagger, 1, 0).as_secs_f64() - offset(stagger, 0, 0).as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand rounds")]
fn share<T>(items: &[T], is_it: impl Fn(&T) -> bool) -> f64 {
    items.iter().filter(|item| is_it(item)).count() as f64 / items.len() as f64
}

#[test]
fn the_first_hit_comes_within_200_rounds() {
    for (window, jitters) in
        [(50.0, &JITTERS_US[..2]), (200.0, &JITTERS_US), (1_000.0, &JITTERS_US), (5_000.0, &JITTERS_US)]
    {
        for jitter in jitters {
            for crossing in CROSSINGS_US {
                let server = Server::new(crossing, window, *jitter);
                let is_found = |seed| {
                    let mut sweep = Sweep::new(Seed::new(seed), &[1, 1], &server.typical());
                    let mut dice = Seed::new(seed).child("server").dice();
                    (0..200).any(|_| server.step(&mut sweep, &mut dice).1)
                };
                let found: Vec<bool> = (0..5).map(is_found).collect();
                assert!(found.iter().all(|is_found| *is_found), "{server:?}: {found:?}");
            }
        }
    }
}

/// The share of hits after `warm_up` rounds.
fn share_of_hits(server: Server, warm_up: usize, rounds: usize) -> f64 {
    share(&server.race(2, rounds).split_off(warm_up), |(_, hit)| *hit)
}

#[test]
fn four_rounds_of_five_hit_a_window_of_1_ms() {
    for crossing in CROSSINGS_US {
        for window in [1_000.0, 5_000.0] {
            let server = Server::new(crossing, window, 200.0);
            let hits = share_of_hits(server, 50, 200);
            assert!(hits >= 0.8, "{server:?}: {hits}");
        }
    }
}

#[test]
fn where_times_scatter_as_widely_as_the_window_little_is_lost_to_looking_elsewhere() {
    for crossing in CROSSINGS_US {
        for jitter in [600.0, 900.0] {
            let server = Server::new(crossing, 1_000.0, jitter);
            let mut dice = Seed::new(4).dice();
            let known: Vec<Seen> = (0..2_000).map(|_| server.round(crossing, &mut dice)).collect();
            let best = share(&known, |seen| seen.hit);
            let hits =
                (1..=8).map(|seed| share(&server.race(seed, 300).split_off(50), |(_, hit)| *hit)).sum::<f64>() / 8.0;
            assert!(hits >= 0.91 * best, "{server:?}: {hits} of {best}");
        }
    }
}

#[test]
fn hits_alone_lead_to_the_crossing() {
    for crossing in CROSSINGS_US {
        for winner in [Winner::Both, Winner::Any, Winner::Entry0] {
            let server = Server { winner, ..Server::new(crossing, 1_000.0, 50.0) };
            let hits = share_of_hits(server, 150, 250);
            assert!(hits >= 0.8, "{server:?}: {hits}");
        }
    }
}

#[test]
fn a_server_that_never_fails_is_tried_where_its_actions_meet() {
    for crossing in CROSSINGS_US {
        let server = Server::new(crossing, 0.0, 50.0);
        let late = server.race(1, 300).split_off(100);
        let near = share(&late, |(delay, _)| (delay - crossing).abs() <= 300.0);
        assert!(near >= 0.7, "{server:?}: {near}");
    }
}

#[test]
fn rounds_stay_spread_where_nothing_is_learnt() {
    let server = Server { winner: Winner::Any, ..Server::new(0.0, 0.0, 50.0) };
    let late = server.race(1, 400).split_off(100);
    for (from, to) in
        [(-50e3, -10e3), (-10e3, -2e3), (-2e3, -0.2e3), (-200.0, 200.0), (0.2e3, 2e3), (2e3, 10e3), (10e3, 50e3)]
    {
        let within = share(&late, |(delay, _)| (from..to).contains(delay));
        assert!((0.01..0.5).contains(&within), "{from} to {to}: {within}");
    }
}

#[test]
fn a_crossing_that_moves_is_followed() {
    let mut server = Server::new(3_000.0, 1_000.0, 50.0);
    let mut sweep = Sweep::new(Seed::new(3), &[1, 1], &server.typical());
    let mut dice = Seed::new(3).child("server").dice();
    let mut race =
        |server: &Server, rounds| -> Vec<_> { (0..rounds).map(|_| server.step(&mut sweep, &mut dice)).collect() };
    race(&server, 200);
    for _ in 0..200 {
        server.crossing -= 10.0;
        race(&server, 1);
    }
    assert!(share(&race(&server, 100), |(_, hit)| *hit) >= 0.8);
    server.crossing = 4_000.0;
    race(&server, 60);
    assert!(share(&race(&server, 100), |(_, hit)| *hit) >= 0.8);
}

#[test]
fn without_a_sweep_the_same_collisions_are_missed() {
    let server = Server::new(3_000.0, 200.0, 50.0);
    let mut dice = Seed::new(1).dice();
    let together: Vec<Seen> = (0..200).map(|_| server.round(0.0, &mut dice)).collect();
    assert!(share(&together, |seen| seen.hit) < 0.05);
    assert!(share_of_hits(server, 50, 200) >= 0.75);
}

/// Equals that leave `step` apart, of which neighbours collide if they come within the window.
fn race_of_equals(crossing: f64, window: f64, rounds: usize) -> Vec<(f64, bool)> {
    let mut sweep = Sweep::new(Seed::new(5), &[2], &[None]);
    let mut dice = Seed::new(6).dice();
    let server = Server::new(crossing, window, 50.0);
    let step = |_| {
        let stagger = sweep.next();
        let step = 1e6 * offset(&stagger, 0, 1).as_secs_f64();
        let hit = server.round(step, &mut dice).hit;
        sweep.note(&stagger, &Seen { hit, acknowledged: vec![Some(true)] });
        (step, hit)
    };
    (0..rounds).map(step).collect()
}

#[test]
fn equals_meet_where_they_leave_together_or_a_step_apart() {
    for (crossing, window) in [(0.0, 200.0), (0.0, 1_000.0), (2_000.0, 1_000.0)] {
        let late = race_of_equals(crossing, window, 250).split_off(100);
        let hits = share(&late, |(_, hit)| *hit);
        assert!(hits >= 0.8, "{crossing} {window}: {hits}");
    }
}

/// A round of three entries, each of which is acknowledged if it comes within the window of the first to come.
fn round_of_three(stagger: &Stagger, crossings: [f64; 2], dice: &mut Dice) -> Seen {
    let critical = [0.0, crossings[0], crossings[1]];
    let arrivals: Vec<f64> = (0..3)
        .map(|entry| 1e6 * offset(stagger, entry, 0).as_secs_f64() - critical[entry] + 40.0 * dice.fraction())
        .collect();
    let first = arrivals.iter().copied().fold(f64::INFINITY, f64::min);
    let acknowledged: Vec<bool> = arrivals.iter().map(|at| at - first < 500.0).collect();
    let hit = acknowledged.iter().filter(|is| **is).count() > 1;
    Seen { hit, acknowledged: acknowledged.into_iter().map(Some).collect() }
}

#[test]
fn each_further_entry_has_a_crossing_of_its_own() {
    let mut sweep = Sweep::new(Seed::new(1), &[1, 2, 1], &[]);
    let mut dice = Seed::new(2).dice();
    let step = |_| {
        let stagger = sweep.next();
        let seen = round_of_three(&stagger, [2_000.0, -700.0], &mut dice);
        sweep.note(&stagger, &seen);
        seen
    };
    let late = (0..400).map(step).collect::<Vec<_>>().split_off(150);
    for entry in [1, 2] {
        let met = share(&late, |seen| seen.both(entry));
        assert!(met >= 0.75, "entry {entry}: {met}");
    }
}

#[test]
fn the_same_seed_and_notes_make_the_same_plan() {
    let server = Server::new(300.0, 200.0, 50.0);
    assert_eq!(server.race(7, 100), server.race(7, 100));
    assert_ne!(server.race(7, 100), server.race(8, 100));
}

#[test]
fn rounds_may_overlap() {
    let server = Server::new(3_000.0, 1_000.0, 50.0);
    let mut sweep = Sweep::new(Seed::new(1), &[1, 1], &server.typical());
    let mut dice = Seed::new(2).dice();
    let mut hits = Vec::new();
    for _ in 0..40 {
        let out: Vec<Stagger> = (0..8).map(|_| sweep.next()).collect();
        for stagger in out.iter().rev() {
            let seen = server.round(delay_of(stagger), &mut dice);
            sweep.note(stagger, &seen);
            hits.push(seen.hit);
        }
    }
    assert!(share(&hits[100..], |hit| *hit) >= 0.8);
}

#[test]
fn offsets_begin_at_zero() {
    let us = Duration::from_micros;
    let stagger = Stagger::Kinds(vec![-300, 200]);
    assert_eq!([0, 1, 2].map(|entry| offset(&stagger, entry, 9)), [us(300), us(0), us(500)]);
    assert_eq!([0, 1, 2].map(|place| offset(&Stagger::Steps(40), 0, place)), [us(0), us(40), us(80)]);
}

#[test]
fn a_round_counts_where_its_contenders_left_in_fact() {
    let us = Duration::from_micros;
    let planned = Stagger::Kinds(vec![-300, 200]);
    assert_eq!(as_left(&planned, &[us(1_000), us(750), us(1_300)]), Stagger::Kinds(vec![-250, 300]));
    assert_eq!(as_left(&planned, &[us(1_000)]), planned);
    assert_eq!(as_left(&Stagger::Steps(40), &[us(7), us(60), us(107)]), Stagger::Steps(50));
}

#[test]
fn a_round_that_is_not_known_says_nothing_against_its_delay() {
    let seen = |hit, acknowledged: &[Option<bool>]| Seen { hit, acknowledged: acknowledged.to_vec() };
    assert_eq!(seen(false, &[Some(true), None]).sight(1), None);
    assert_eq!(seen(false, &[]).sight(1), None);
    assert_eq!(seen(true, &[Some(true), None]).sight(1), Some(super::Sight::Hit));
    // A third won: entries 0 and 1 have not met.
    let third = seen(false, &[Some(false), Some(false), Some(true)]);
    assert_eq!((third.sight(1), third.sight(2)), (None, Some(super::Sight::SecondWon)));
    // Entries 0 and 2 collided, 1 came too late.
    let pair = seen(true, &[Some(true), Some(false), Some(true)]);
    assert_eq!((pair.sight(1), pair.sight(2)), (Some(super::Sight::FirstWon), Some(super::Sight::Hit)));
    // Entries 1 and 2 collided, 0 came too late.
    let others = seen(true, &[Some(false), Some(true), Some(true)]);
    assert_eq!((others.sight(1), others.sight(2)), (Some(super::Sight::SecondWon), Some(super::Sight::SecondWon)));
}

fn config() -> Config {
    Config { cases: 48, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_absurd_comes_of_absurd_notes(
        seed: u64,
        contenders in prop::collection::vec(0_usize..5_000, 0..5),
        typical in prop::collection::vec(prop::option::of(any::<Duration>()), 0..5),
        notes in prop::collection::vec(
            (
                any::<bool>(),
                prop::collection::vec(any::<Option<bool>>(), 0..5),
                prop::option::of((any::<i32>(), any::<Duration>())),
            ),
            0..60,
        ),
    ) {
        let mut sweep = Sweep::new(Seed::new(seed), &contenders, &typical);
        let most = Duration::from_micros(u64::try_from(2 * LONGEST_US).unwrap());
        for (hit, acknowledged, strange) in notes {
            let stagger = sweep.next();
            let offsets: Vec<Duration> = (0..contenders.len()).map(|entry| offset(&stagger, entry, 0)).collect();
            prop_assert!(offsets.iter().all(|offset| *offset <= most));
            prop_assert!(offsets.is_empty() || offsets.contains(&Duration::ZERO));
            prop_assert!(offset(&stagger, 0, 4_999) <= most);
            let noted = match (strange, &stagger) {
                (None, _) => stagger,
                (Some((delay, _)), Stagger::Kinds(delays)) => Stagger::Kinds(vec![delay; delays.len()]),
                (Some((_, left)), Stagger::Steps(_)) => as_left(&stagger, &[Duration::ZERO, left]),
            };
            prop_assert!(offset(&noted, 1, usize::MAX) >= Duration::ZERO);
            sweep.note(&noted, &Seen { hit, acknowledged });
            for axis in &sweep.axes {
                prop_assert!((axis.total() - 1.0).abs() < 1e-9, "{}", axis.total());
            }
        }
    }
}
