//! The schedule against simulated servers, which the methods meet each in its own way: does it find what one of them finds, and
//! spend its rounds on what pays?

use super::super::sweep::simulated::{Server, delay_of};
use super::*;

/// A server as each method meets it.
type Met = [Server; Method::ALL.len()];

fn alike(server: Server) -> Met {
    [server; Method::ALL.len()]
}

/// By round: the method, and whether it was a hit.
fn race(met: &Met, seed: u64, rounds: u32, is_swept: bool) -> Vec<(Method, bool)> {
    let mut schedule = Schedule::new(&Method::ALL, Seed::new(seed), is_swept.then(|| vec![1, 1]));
    if let Some(swept) = &mut schedule.swept {
        swept.typical = met[0].typical().to_vec();
    }
    let mut dice = Seed::new(seed).child("server").dice();
    let step = |round| {
        let orders = schedule.begin(RoundId::Raced(round));
        let server = met[Method::ALL.iter().position(|method| *method == orders.method).unwrap()];
        let shown = server.round(orders.stagger.as_ref().map_or(0.0, delay_of), &mut dice);
        let volleyed = Volleyed { left: orders.stagger.clone(), acknowledged: shown.acknowledged };
        schedule.learn(orders.method, Shown { is_overlapped: true, is_violated: shown.hit }, Some(&volleyed));
        (orders.method, shown.hit)
    };
    (1..=rounds).map(step).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred rounds")]
fn share_of_hits(rounds: &[(Method, bool)]) -> f64 {
    rounds.iter().filter(|(_, hit)| *hit).count() as f64 / rounds.len() as f64
}

/// The share of hits after the warm-up, of three races.
fn share_after_50(met: &Met) -> f64 {
    let late: Vec<_> = (1..=3).flat_map(|seed| race(met, seed, 300, true).split_off(50)).collect();
    share_of_hits(&late)
}

const CROSSINGS_US: [f64; 5] = [-5_000.0, 0.0, 300.0, 3_000.0, 5_000.0];

#[test]
fn with_all_methods_four_rounds_of_five_hit_a_window_of_1_ms() {
    for crossing in CROSSINGS_US {
        for window in [1_000.0, 5_000.0] {
            let hits = share_after_50(&alike(Server::new(crossing, window, 200.0)));
            assert!(hits >= 0.8, "{crossing} {window}: {hits}");
        }
    }
}

#[test]
fn with_all_methods_the_first_hit_of_50_us_comes_within_200_rounds() {
    for crossing in CROSSINGS_US {
        for seed in 1..=5 {
            let rounds = race(&alike(Server::new(crossing, 50.0, 50.0)), seed, 200, true);
            assert!(rounds.iter().any(|(_, hit)| *hit), "{crossing}, seed {seed}");
        }
    }
}

#[test]
fn methods_that_cross_elsewhere_find_it_all_the_same() {
    let mut met = alike(Server::new(3_000.0, 1_000.0, 50.0));
    for (server, method) in met.iter_mut().zip(Method::ALL) {
        if method.is_tail() {
            server.crossing = -1_000.0;
        }
    }
    let late: Vec<_> = (1..=3).flat_map(|seed| race(&met, seed, 300, true).split_off(50)).collect();
    assert!(share_of_hits(&late) >= 0.75, "{}", share_of_hits(&late));
}

#[test]
fn what_one_method_alone_finds_is_found_and_then_played() {
    for only in 0..Method::ALL.len() {
        let mut met = alike(Server::new(2_000.0, 0.0, 50.0));
        met[only] = Server::new(-500.0, 1_000.0, 50.0);
        for seed in 1..=3 {
            let late = race(&met, seed, 400, true).split_off(200);
            assert!(share_of_hits(&late) >= 0.6, "{}, seed {seed}: {}", Method::ALL[only], share_of_hits(&late));
        }
    }
}

#[test]
fn without_a_sweep_the_method_that_finds_most_gets_most_rounds() {
    for best in 0..Method::ALL.len() {
        let mut met = alike(Server::new(0.0, 20.0, 100.0));
        met[best].window = 300.0;
        let late = race(&met, 1, 300, false).split_off(100);
        assert!(share_of_hits(&late) >= 0.85, "{}: {}", Method::ALL[best], share_of_hits(&late));
    }
}

#[test]
fn as_long_as_nothing_is_found_every_method_gets_as_many_rounds() {
    let rounds = race(&alike(Server::new(0.0, 0.0, 50.0)), 1, 200, true);
    for method in Method::ALL {
        assert_eq!(rounds.iter().filter(|(played, _)| *played == method).count(), 40, "{method}");
    }
}
