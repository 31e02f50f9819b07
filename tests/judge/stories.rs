//! What is told beside a proof: the round, and how far its operations can be put in a lawful order.

use std::fmt::Write as _;

use quickeats_bench::check::{Alone, Order, judge};
use quickeats_bench::history::Operation;
use quickeats_bench::ids::OpId;

use crate::judged;
use crate::notation::Example;

const LOST: &str = "create [0 1] -> 201 pending_payment v1 \"a\"
    customer payment [2 3] if \"a\" key k0 -> 200 pending_acceptance v2 \"b\" effect e0
    * customer cancellation [10 20] if \"b\" -> 200 cancelled v3 \"c\"
    * restaurant acceptance [10 21] if \"b\" -> 200 preparing v3 \"d\"
    read [30 31] -> 200 preparing v3 \"d\"";

fn ids(operations: &[u32]) -> Vec<OpId> {
    operations.iter().map(|id| OpId(*id)).collect()
}

#[test]
fn the_longest_lawful_order_is_told_and_what_has_no_place_after_it() {
    let judgment = judged(&Example::parse(LOST).unwrap());
    let story = &judgment.findings[0].story;
    assert_eq!((story.operations.len(), story.count), (5, 5));
    // Paid, then one of the two; the other was conditional on what is there no more.
    let Some(Order { operations, stuck: Some(stuck) }) = &story.order else { panic!("{story:?}") };
    assert!(
        *operations == ids(&[1, 2]) && *stuck == OpId(3) || *operations == ids(&[1, 3]) && *stuck == OpId(2),
        "{story:?}"
    );
}

#[test]
fn where_all_have_a_place_the_whole_order_is_told() {
    // One payment charged twice: no order of states is at fault.
    let twice = "create [0 1] -> 201 pending_payment v1 \"a\"
        * customer payment [10 20] if \"a\" key k -> 200 pending_acceptance v2 \"b\" effect e1
        read [30 31] -> 200 pending_acceptance v2 \"b\"
        effects [32 33] -> e1 e2";
    let judgment = judged(&Example::parse(twice).unwrap());
    let order = judgment.findings[0].story.order.as_ref().unwrap();
    assert_eq!((&order.operations, order.stuck), (&ids(&[1, 2]), None));
}

#[test]
fn of_a_long_round_the_witness_and_what_is_around_it_are_kept() {
    let mut text = LOST.to_owned();
    for number in 0..300 {
        let opened = 40 + 2 * number;
        write!(text, "\nread [{opened} {}] -> 200 preparing v3 \"d\"", opened + 1).unwrap();
    }
    let judgment = judged(&Example::parse(&text).unwrap());
    let finding = &judgment.findings[0];
    assert_eq!((finding.story.operations.len(), finding.story.count), (120, 305));
    for witness in &finding.witness {
        assert!(finding.story.operations.iter().any(|one| one.id == witness.id), "{witness:?}");
    }
    assert!(finding.story.operations.is_sorted_by_key(|one| one.id));
}

#[test]
fn whoever_wrote_what_the_last_read_shows_is_told_beside_the_proof() {
    for (after, author) in [
        // By its value, ...
        ("client#3 put [30 31] value d -> 204\nread [40 41] -> 200 d \"5\"", vec![3]),
        // ... by its token too, though an earlier one wrote the same, ...
        (
            "client put [30 31] value d -> 204\nclient put [32 33] value d -> 200 \"5\"\nread [40 41] -> 200 d \"5\"",
            vec![4],
        ),
        // ... and what removed it.
        ("client remove [30 31] -> 204\nread [40 41] -> 404 not-found", vec![3]),
        // One of the witness is told already.
        ("client#3 put [30 31] if \"8\" value d -> 412 stale\nread [40 41] -> 200 b \"2\"", vec![]),
    ] {
        let text = format!(
            "api: records\ncreate [0 1] value a -> 201 a \"1\"\n* client put [10 20] if \"1\" value b -> 200 b \"2\"\n\
             * client#2 put [10 21] if \"1\" value c -> 200 c \"3\"\n{after}"
        );
        let judgment = judged(&Example::parse(&text).unwrap());
        let finding = &judgment.findings[0];
        let authors: Vec<OpId> = finding.authors.iter().map(|one| one.id).collect();
        assert_eq!(authors, ids(&author), "{text}: {}", finding.sentence);
        assert!(finding.witness.iter().all(|one| !authors.contains(&one.id)), "{text}");
    }
}

#[test]
fn what_is_read_while_the_server_settles_is_no_evidence() {
    // The cancellation was acknowledged, and the next read does not know of it: a stale read, unless it was asked for too early.
    let early = "create [0 1] -> 201 pending_payment v1 \"a\"
        * customer cancellation [10 20] if \"a\" -> 200 cancelled v2 \"b\"
        read [30 31] -> 200 pending_payment v1 \"a\"
        read [40 41] -> 200 cancelled v2 \"b\"";
    assert_eq!(judged(&Example::parse(early).unwrap()).findings.len(), 1);
    let settled = early.replacen("read [30", "~ read [30", 1);
    let judgment = judged(&Example::parse(&settled).unwrap());
    assert_eq!((judgment.findings, judgment.doubts), (Vec::new(), Vec::new()));
    // A change is never overlooked for that: only reads are made while waiting.
    let example = Example::parse(&settled).unwrap();
    let kept: Vec<&Operation> = example.history.rounds().flat_map(|(_, operations)| operations).collect();
    assert_eq!(kept.len(), 4, "and the history has it");
}

#[test]
fn a_round_that_ends_with_waiting_says_why_nothing_was_shown() {
    let never = "create [0 1] -> 201 pending_payment v1 \"a\"
        * customer cancellation [10 20] if \"a\" -> 200 cancelled v2 \"b\"
        ~ read [30 31] -> 200 pending_payment v1 \"a\"";
    let example = Example::parse(never).unwrap();
    let judgment = judge(&example.history, &example.api.model, Alone::Applied);
    assert_eq!((judgment.findings.len(), judgment.trials), (0, 0));
    assert!(judgment.doubts.iter().any(|doubt| doubt.contains("did not settle in time")), "{:?}", judgment.doubts);
}
