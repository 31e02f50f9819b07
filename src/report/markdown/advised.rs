//! What to do about a kind of finding, in Markdown. The words are our own: nothing in them needs to be escaped.

use std::fmt::Write as _;

use super::escape::fenced_as;
use crate::check::Kind;
use crate::report::advice::Advice;

/// Cause and mend in a paragraph each, and the code to unfold. Told with the first finding of its kind, as all of a kind stand
/// together; the others say where.
pub(super) fn told(kind: Kind, is_first: bool) -> String {
    if !is_first {
        return format!("\nUsual cause, and what mends it: under the first {kind} above.\n");
    }
    let advice @ Advice { cause, mend, .. } = Advice::of(kind);
    let names: Vec<&str> = advice.examples().map(|(name, ..)| name).collect();
    format!(
        "\n**Usual cause.** {cause}\n\n**What mends it.** {mend}\n\n<details><summary>For example in {}</summary>\n{}\n</details>\n",
        names.join(", and in "),
        examples(advice)
    )
}

/// The code of a hint, block by block, each under its name.
pub(in crate::report) fn examples(advice: Advice) -> String {
    advice.examples().fold(String::new(), |mut out, (name, language, code)| {
        let _ = write!(out, "\n{name}:\n\n{}", fenced_as(language, code));
        out
    })
}

#[cfg(test)]
mod tests {
    use super::super::escaped;
    use super::*;

    #[test]
    fn our_own_words_are_no_markup_but_for_code() {
        for kind in Kind::ALL {
            let Advice { cause, mend, .. } = Advice::of(kind);
            for prose in [cause, mend] {
                for part in prose.split('`').step_by(2).map(str::trim_start).filter(|part| !part.starts_with('.')) {
                    assert_eq!(escaped(part), part, "{kind}");
                }
            }
            for (name, ..) in Advice::of(kind).examples() {
                assert_eq!(escaped(name), name, "{kind}");
            }
        }
    }

    #[test]
    fn a_hint_is_told_once_a_kind() {
        let first = told(Kind::LostUpdate, true);
        assert!(first.contains("```sql\nUPDATE orders") && first.contains("```java\n@Entity"), "{first}");
        assert!(first.contains("<summary>For example in SQL, and in Spring Data JPA</summary>"), "{first}");
        let second = told(Kind::LostUpdate, false);
        assert!(second.contains("under the first lost-update above") && !second.contains("```"), "{second}");
    }
}
