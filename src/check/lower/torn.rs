//! A value that nobody wrote, and that two writes made together.
//!
//! Why it proves something where another strange value does not: a server that changes what it is given (trims it, say, or
//! counts its words) makes its value of one write. A value that begins as one write alone does and ends as another alone
//! does was made of both, and a register is replaced as a whole.

use std::sync::Arc;

use crate::check::evidence::{Evidence, answer, whose};
use crate::check::kind::Kind;
use crate::history::Operation;
use crate::text::{harmless, short};

/// So much of each of the two must be seen beyond what they have in common: unique words do not share it by chance.
const LEAST: usize = 4;

/// Evidence that `operation` was shown a mixture of two of `written`.
pub(super) fn torn(operation: &Operation, shown: &str, written: &[Arc<str>]) -> Option<Evidence> {
    let (first, last) = (written.iter())
        .flat_map(|first| written.iter().map(move |last| (first, last)))
        .find(|(first, last)| is_mixture(shown, first, last))?;
    let sentence = format!(
        "{} ({}) shows `{}`, which nobody wrote: it begins as `{}` and ends as `{}`",
        whose(operation),
        answer(operation),
        harmless(shown, 80),
        harmless(&short(first), 40),
        harmless(&short(last), 40),
    );
    Some(Evidence::new(Kind::TornRead, sentence, [operation.id]))
}

fn is_mixture(shown: &str, first: &str, last: &str) -> bool {
    let begins = common(shown.bytes(), first.bytes());
    let ends = common(shown.bytes().rev(), last.bytes().rev());
    let tells_first = begins >= common(first.bytes(), last.bytes()) + LEAST;
    let tells_last = ends >= common(first.bytes().rev(), last.bytes().rev()) + LEAST;
    begins + ends >= shown.len() && tells_first && tells_last
}

/// How much two beginnings have in common.
fn common(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixture_begins_as_one_value_and_ends_as_another() {
        let (one, other) = ("quick-3fd81a", "quick-b2c907");
        assert!(is_mixture("quick-3fd8b2c907", one, other) && is_mixture("quick-b2c93fd81a", other, one));
        for shown in ["quick-3fd8", "quick-3fd81a", "QUICK-3FD81A", "quick-3fd81a!", "quick-", "", "quick-3fd817"] {
            assert!(!is_mixture(shown, one, other) && !is_mixture(shown, other, one), "{shown}");
        }
    }
}
