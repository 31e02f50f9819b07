//! What a reply says that the description does not: of requests that were played one after the other, alone.
//!
//! ```text
//! `replace` was refused (400: bad If-Match) on a fresh record, where the description allows it
//! value: wrote `7faad201…`, read `7faad201…\r`: the place takes too much
//! ```

use std::sync::Arc;

use crate::api::{ActionModel, Bounds, Family, Headers, Leaves, Model};
use crate::history::Meaning;
use crate::text::{harmless, short};

/// What is known of a resource before it is tried what can be done to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// Whether anybody made it.
    pub(super) is_there: bool,
    /// What a counter held, if that was shown.
    pub(super) number: Option<i64>,
}

/// Whether the model allows that `action` is refused so on a fresh resource, though it is allowed in its state. A bound may be
/// reached by the first step; what is done by another than who made it may be kept to its maker; a read that may be late may
/// tell a token of yesterday; and what is not there cannot be removed, however lenient the description is.
pub(super) fn may_be_refused(model: &Model, action: &ActionModel, meaning: Meaning, before: Before) -> bool {
    let leaves_nothing = action.write.is_some_and(|write| write.leaves == Leaves::Nothing);
    match meaning {
        Meaning::Stale => model.lags.reads,
        Meaning::NotFound => leaves_nothing && !before.is_there,
        Meaning::Unauthorized => action.only.is_some(),
        Meaning::Refused => match model.family {
            Family::Counter(bounds) => before.number.is_none_or(|number| leaves_bounds(bounds, number, action.adds)),
            Family::Lifecycle | Family::Register | Family::Effects => action.only.is_some(),
        },
        Meaning::MissingPrecondition => false,
        // No refusals.
        Meaning::Applied | Meaning::Replayed | Meaning::InProgress | Meaning::Unclear => true,
    }
}

fn leaves_bounds(bounds: Bounds, number: i64, adds: Option<i64>) -> bool {
    let after = number.saturating_add(adds.unwrap_or(0));
    bounds.least.is_some_and(|least| after < least) || bounds.most.is_some_and(|most| after > most)
}

/// Where a header of `told` has the token that was sent, in quotes that were not sent with it: its name, and what it says.
/// (`If-Match` names entity tags, and their quotes belong to them: RFC 9110 §8.8.3.)
pub(super) fn quoted<'a>(told: &'a Headers, sent: &str) -> Option<(&'a Arc<str>, &'a Arc<str>)> {
    let bare = |value: &str| value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map(str::to_owned);
    told.iter().find(|(_, value)| bare(value).is_some_and(|bare| bare == sent)).map(|(name, value)| (name, value))
}

/// What is wrong with a value that is read right after it was written, in a sentence; none, if it is the same.
pub(super) fn changed(wrote: &str, read: &str) -> Option<String> {
    let why = if read == wrote {
        return None;
    } else if read.contains(wrote) {
        "the place takes too much"
    } else if wrote.contains(read) {
        "the place takes too little, or the server cut it"
    } else {
        "the server changed it, or shows it late (eventual = true in [read])"
    };
    Some(format!("value: wrote `{}`, read `{}`: {why}", short(wrote), visible(&read.replace(wrote, &short(wrote)))))
}

/// A text with its control characters as programmers write them.
fn visible(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    harmless(&shown, 80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::builtin;

    const WORD: &str = "7faad201-1111-2222-3333-444455556666";

    #[test]
    fn a_value_that_comes_back_as_another_is_told_with_what_may_be_wrong() {
        assert_eq!(changed(WORD, WORD), None);
        for (read, expected) in [
            (format!("{WORD}\r"), r"value: wrote `7faad201…`, read `7faad201…\r`: the place takes too much"),
            (
                "7faad201".to_owned(),
                "value: wrote `7faad201…`, read `7faad201`: the place takes too little, or the server cut it",
            ),
        ] {
            assert_eq!(changed(WORD, &read).as_deref(), Some(expected));
        }
        assert!(changed(WORD, "other").unwrap().contains("read `other`: the server changed it"));
    }

    #[test]
    fn a_token_that_lacks_the_quotes_of_a_header_is_found_there() {
        let told: Headers = vec![("date".into(), "x".into()), ("etag".into(), "\"17\"".into())];
        assert_eq!(quoted(&told, "17").map(|(name, value)| (&**name, &**value)), Some(("etag", "\"17\"")));
        assert_eq!((quoted(&told, "\"17\""), quoted(&told, "x")), (None, None));
    }

    #[test]
    fn a_refusal_is_lawful_where_the_description_has_a_reason_for_it() {
        let documents = builtin::api("documents").unwrap();
        let replace = documents.model.action("replace").unwrap();
        let before = |number| Before { is_there: true, number };
        for meaning in [Meaning::Refused, Meaning::Stale, Meaning::NotFound, Meaning::MissingPrecondition] {
            assert!(!may_be_refused(&documents.model, replace, meaning, before(None)), "{meaning:?}");
        }
        let mut late = documents.model.clone();
        late.lags.reads = true;
        assert!(may_be_refused(&late, replace, Meaning::Stale, before(None)));
        let stock = builtin::api("stock").unwrap();
        let take = stock.model.action("take").unwrap();
        for (starts, lawful) in [(Some(0), true), (Some(3), false), (None, true)] {
            assert_eq!(may_be_refused(&stock.model, take, Meaning::Refused, before(starts)), lawful, "{starts:?}");
        }
    }
}
