//! Of two writes of which one is lost: which one the judge says it is, and what it says only where that was shown.

use quickeats_bench::check::{Finding, Kind};

use crate::judged;
use crate::notation::Example;

/// Two puts on one token, answered as told, and what came after them.
fn told(first: &str, second: &str, after: &str) -> Finding {
    let text = format!(
        "api: records\ncreate [0 1] value a -> 201 a \"1\"\n\
         * client put [10 20] if \"1\" value b -> {first}\n* client#2 put [10 21] if \"1\" value c -> {second}\n{after}"
    );
    let mut judgment = judged(&Example::parse(&text).unwrap());
    assert_eq!(judgment.findings.len(), 1, "{text}: {judgment:#?}");
    judgment.findings.remove(0)
}

#[test]
fn the_lost_one_is_the_one_that_is_not_read_afterwards() {
    let (one, other) = ("the client's put with `b` is lost", "client 2's put with `c` is lost");
    for (first, second, after, ending) in [
        // No reply shows anything: the values that were sent tell.
        ("204", "204", "read [30 31] -> 200 b", format!("; the server now says `b`: {other}")),
        ("204", "204", "read [30 31] -> 200 c", format!("; the server now says `c`: {one}")),
        // A lawful removal afterwards: the last read tells nothing, an earlier one does, or who was granted the removal.
        (
            "204",
            "204",
            "client read [30 31] -> 200 b\nclient remove [32 33] -> 204\nread [40 41] -> 404 not-found",
            format!("; a read after both showed `b`: {other}"),
        ),
        (
            "200 b \"2\"",
            "200 c \"3\"",
            "client remove [32 33] if \"3\" -> 204\nread [40 41] -> 404 not-found",
            format!("client's remove was acknowledged (204: applied), on what client 2's put with `c` left: {one}"),
        ),
        // Nothing tells.
        (
            "204",
            "204",
            "client remove [32 33] -> 204\nread [40 41] -> 404 not-found",
            "; one of the two is lost".to_owned(),
        ),
        // One was built upon, and the other is what is there.
        (
            "200 b \"2\"",
            "200 c \"3\"",
            "client patch [22 25] if \"2\" value d -> 200 d \"4\"\nread [40 41] -> 200 c \"3\"",
            ": only one of the two can stand".to_owned(),
        ),
    ] {
        let finding = told(first, second, after);
        assert_eq!(finding.kind, Kind::LostUpdate, "{after}");
        assert!(finding.sentence.ends_with(&ending), "{after}: {}", finding.sentence);
    }
}
