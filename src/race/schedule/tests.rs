//! Which method is played, by what rounds show.

use super::*;
use crate::clock::Stamp;
use crate::history::{Actor, Call, Cause, Outcome, Precondition, Verb, Window};
use crate::ids::{ClientId, OpId};

const METHODS: [Method; 3] = [Method::Head, Method::Tail, Method::SinglePacketHead];

fn contender(released: u64, closed: u64) -> Operation {
    let at = |micros: u64| Stamp::from_nanos(micros * 1_000);
    Operation {
        id: OpId(0),
        client: ClientId(0),
        round: RoundId::Raced(1),
        phase: Phase::Contend,
        call: Call {
            verb: Verb::Read,
            actor: Actor { role: "customer".into(), person: 1 },
            request: "GET /orders/1".into(),
            precondition: Precondition::Absent,
            principal: None,
            key: None,
            payload: None,
            value: None,
        },
        window: Window { opened: at(0), released: Some(at(released)), closed: at(closed) },
        outcome: Outcome::Unknown(Cause::TimedOut),
    }
}

/// How often each method is played of so many rounds, after `overlaps` and `finds` say what its rounds show.
fn played(rounds: u32, overlaps: fn(Method) -> bool, finds: fn(Method, u32) -> bool) -> [usize; 3] {
    let mut schedule = Schedule::new(&METHODS, Seed::new(1), None);
    let mut methods = Vec::new();
    for round in 1..=rounds {
        let id = RoundId::Raced(round);
        let orders = schedule.begin(id);
        let second = if overlaps(orders.method) { 20 } else { 2_000 };
        let noted = Noted { is_violated: finds(orders.method, round), is_enough: false };
        schedule.note((id, &orders), None, &[contender(10, 1_000), contender(second, 3_000)], noted);
        methods.push(orders.method);
    }
    METHODS.map(|method| methods.iter().filter(|played| **played == method).count())
}

#[test]
fn while_nothing_is_found_all_methods_that_race_are_played_in_turn() {
    assert_eq!(played(300, |_| true, |_, _| false), [100, 100, 100]);
    let [head, tail, single] = played(300, |method| method != Method::Tail, |_, _| false);
    assert_eq!((head, tail, single), (146, 8, 146), "one whose contenders do not overlap is evidence of nothing");
}

#[test]
fn a_method_that_finds_something_gets_most_rounds_and_the_others_some() {
    let [head, tail, single] = played(400, |_| true, |method, _| method == Method::Tail);
    assert!(tail > 250 && head >= 8 && single >= 8, "{head}, {tail}, {single}");
}

#[test]
fn a_method_that_finds_more_takes_over_from_one_that_was_first() {
    let finds = |method, round| match method {
        Method::Head => round == 1,
        Method::SinglePacketHead => round > 100,
        _ => false,
    };
    let [head, _, single] = played(400, |_| true, finds);
    assert!(single > 200 && single > 2 * head, "{head}, {single}");
}

#[test]
fn every_method_is_tried_before_any_is_preferred() {
    assert_eq!(played(24, |_| true, |method, _| method == Method::Head), [8, 8, 8]);
    assert_eq!(played(2, |_| true, |_, _| true), [1, 1, 0]);
}

#[test]
fn rounds_are_played_again_as_they_were() {
    let was = |round, method, planned| Delivered { method, round: RoundId::Raced(round), planned, left: None };
    let apart = Some(Stagger::Kinds(vec![-300]));
    let rounds = [was(1, Method::Tail, apart.clone()), was(2, Method::Barrier, None), was(3, Method::Tail, None)];
    let mut schedule = Schedule::new(&METHODS, Seed::new(1), None).replaying(&rounds);
    let played: Vec<Orders> = (1..=4).map(|round| schedule.begin(RoundId::Raced(round))).collect();
    let orders = |method, stagger| Orders { method, stagger };
    let expected = [
        orders(Method::Tail, apart),
        orders(Method::Head, None), // what is not to be used any more is played as if there were no replay
        orders(Method::Tail, None),
        orders(Method::SinglePacketHead, None),
    ];
    assert_eq!(played, expected);
}

#[test]
fn controls_are_played_by_the_first_method_and_tell_how_long_a_kind_takes() {
    let mut schedule = Schedule::new(&METHODS, Seed::new(1), Some(vec![1, 1]));
    let orders = schedule.begin(RoundId::Control(2));
    assert_eq!(orders, Orders { method: Method::Head, stagger: None });
    schedule.note((RoundId::Control(2), &orders), None, &[contender(10, 1_000)], Noted::default());
    assert_eq!(schedule.swept.as_ref().unwrap().typical, [None, None], "it was not answered");
    let staggered = schedule.begin(RoundId::Raced(1));
    assert!(matches!(staggered.stagger, Some(Stagger::Kinds(delays)) if delays.len() == 1));
}
