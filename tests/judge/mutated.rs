//! Lawful histories with one anomaly put in: the judge must find it, under its kind or a more telling one.
//!
//! Not every mutation leaves proof (another request may explain it), so nineteen of twenty must be found.

use quickeats_bench::check::{Alone, Kind, Severity, judge};
use quickeats_bench::history::History;

use crate::anomalies::inject;
use crate::manners::{Again, Knows, Manners, Tags, Words};
use crate::notation::{load, number_by_opening};
use crate::simulated::{history, promised};

/// Histories for each kind; `MUTATED_HISTORIES=6000` makes the long run.
fn histories() -> u32 {
    std::env::var("MUTATED_HISTORIES").map_or(1_500, |count| count.parse().expect("MUTATED_HISTORIES is a number"))
}

/// Kinds that nothing is put in for: the first is one of counters (`families`); others need serial controls (the next three), or a retry, a tag that comes back or a pair
/// of winners that chance does not make. `tests/histories/bad` has an example of each.
const NOT_INJECTED: [Kind; 9] = [
    Kind::Oversell,
    Kind::NoWinner,
    Kind::ServerError,
    Kind::Hang,
    Kind::KeyPoisoned,
    Kind::EtagReused,
    Kind::DoubleCasWin,
    Kind::ContradictoryAcks,
    Kind::TornRead,
];

/// The server that tells most: what is put in is not hidden by what it leaves out.
fn talkative(dice: &mut fastrand::Rng) -> Manners {
    Manners {
        versions: true,
        tags: Some(Tags::Version),
        tags_by_reader: false,
        ledger: true,
        events: Some(Words::Ours),
        bodies: true,
        marks_replays: true,
        says_409: false,
        key_before_precondition: true,
        replays_for_any_payload: false,
        reads_again: Again::Nothing,
        reads_lag: false,
        lists_lag: false,
        row_ids_differ: false,
        limits: false,
        volatile_bodies: false,
        knows: Knows::Persons,
        ..Manners::any(dice)
    }
}

#[test]
fn what_is_put_into_a_lawful_history_is_found() {
    let models: Vec<_> = ["quickeats-v2", "pausable", "bookings", "jars"].map(load).into();
    let mut wrong = Vec::new();
    for kind in Kind::ALL {
        let mut dice = fastrand::Rng::with_seed(23);
        let (mut injected, mut found, mut named_less) = (0_u32, 0_u32, 0_u32);
        for _ in 0..histories() {
            let manners = talkative(&mut dice);
            let model = promised(&models[dice.usize(0..models.len())].model, manners);
            let mut operations = history(&model, manners, &mut dice);
            if inject(kind, &mut operations, &model).is_none() {
                continue;
            }
            number_by_opening(&mut operations);
            let judgment = judge(&History::seal(operations), &model, Alone::Refused);
            injected += 1;
            let finding = judgment.findings.iter().find(|one| one.severity == Severity::Violation);
            found += u32::from(finding.is_some());
            named_less += u32::from(finding.is_some_and(|one| one.kind > kind));
        }
        let is_tried = injected > 0;
        if is_tried == NOT_INJECTED.contains(&kind) || found * 20 < injected * 19 || named_less * 20 > injected {
            wrong.push(format!("{kind}: {injected} put in, {found} found, {named_less} under a less telling name"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
