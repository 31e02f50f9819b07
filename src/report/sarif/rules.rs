//! A rule for each kind of finding. What it means is told once, beside [`Kind`]: its JSON Schema carries those words here.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::check::{Kind, Severity};
use crate::report::advice::Advice;
use crate::report::markdown::examples;

/// The rules, in the order of [`Kind::ALL`].
pub(super) fn all() -> Vec<Value> {
    let meanings = schemars::schema_for!(Kind).to_value();
    Kind::ALL.into_iter().map(|kind| rule(kind, meaning(&meanings, kind))).collect()
}

/// A kind's place among them.
pub(super) fn index(kind: Kind) -> usize {
    Kind::ALL.iter().position(|known| *known == kind).expect("all kinds are listed")
}

fn meaning(schema: &Value, kind: Kind) -> &str {
    let variants = schema["oneOf"].as_array().expect("an enum of documented names");
    let variant = variants.iter().find(|variant| variant["const"] == kind.name()).expect("every kind is one of them");
    variant["description"].as_str().expect("every kind is documented")
}

fn rule(kind: Kind, meaning: &str) -> Value {
    let (level, is_about) = match kind.severity() {
        Severity::Violation => ("error", "The server broke the contract that its API description states."),
        Severity::Warning => ("warning", "It breaks no promise by itself, and is worth knowing."),
    };
    let (text, markdown) = help(kind, meaning, is_about);
    json!({
        "id": kind.name(),
        "name": name(kind),
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": format!("{meaning} {is_about}")},
        "help": {"text": text, "markdown": markdown},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["concurrency", "correctness"], "precision": "very-high", "problem.severity": level},
    })
}

/// What a viewer shows beside an alert: what it means, what usually causes it and what mends it. As plain text, and in Markdown
/// (without HTML, which viewers may refuse: §3.11.4).
fn help(kind: Kind, meaning: &str, is_about: &str) -> (String, String) {
    let advice @ Advice { cause, mend, .. } = Advice::of(kind);
    let proof = "The finding's message says who was told what; its flow has the requests that prove it, one thread a client. A \
                 violation is told only where what was recorded cannot be lawful.";
    let mut text =
        format!("{meaning} {is_about} {proof}\n\nUsual cause: {cause}\n\nWhat mends it: {mend}\n").replace('`', "'");
    for (name, _, code) in advice.examples() {
        let _ = write!(text, "\nFor example in {name}:\n\n{code}\n");
    }
    let markdown = format!(
        "{meaning} {is_about}\n\n**Usual cause.** {cause}\n\n**What mends it.** {mend}\n{}\n{proof}\n",
        examples(advice)
    );
    (text, markdown)
}

/// `LostUpdate`: a rule's name is one word (§3.49.7).
fn name(kind: Kind) -> String {
    let capital = |word: &str| {
        word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)).collect::<String>()
    };
    kind.name().split('-').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_rule_at_its_index() {
        let rules = all();
        assert_eq!(rules.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let rule = &rules[index(kind)];
            assert_eq!(rule["id"], kind.name());
            assert!(rule["shortDescription"]["text"].as_str().is_some_and(|text| text.len() > 20), "{rule}");
            // Every text of a rule may hold links (§3.11.6); code does not mean any.
            for form in ["text", "markdown"] {
                let help = rule["help"][form].as_str().expect("a rule has help");
                assert!(
                    help.contains("Usual cause") && help.contains("What mends it") && !help.contains("]("),
                    "{help}"
                );
            }
            assert!(rule["help"]["markdown"].as_str().is_some_and(|text| text.contains("\n```")), "{rule}");
        }
        assert_eq!(name(Kind::Spurious412), "Spurious412");
        assert_eq!(name(Kind::DoubleCasWin), "DoubleCasWin");
    }
}
