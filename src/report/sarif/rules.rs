//! A rule for each kind of finding. What it means is told once, beside [`Kind`]: its JSON Schema carries those words here.

use serde_json::{Value, json};

use crate::check::{Kind, Severity};

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
    let help = format!(
        "{meaning} {is_about} The finding's message says who was told what; its flow has the requests that prove it, one thread \
         a client. A violation is told only where what was recorded cannot be lawful."
    );
    json!({
        "id": kind.name(),
        "name": name(kind),
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": format!("{meaning} {is_about}")},
        "help": {"text": help},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["concurrency", "correctness"], "precision": "very-high", "problem.severity": level},
    })
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
        }
        assert_eq!(name(Kind::Spurious412), "Spurious412");
        assert_eq!(name(Kind::DoubleCasWin), "DoubleCasWin");
    }
}
