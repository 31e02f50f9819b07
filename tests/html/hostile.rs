//! Words of a stranger who wants to be more than words.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::outline::{self, Piece};

/// Ends text, attributes, elements, comments and scripts; escapes a terminal; turns text around; is no character.
pub(crate) const WORDS: &str = "</script></style></title></textarea><script>alert(1)</script><img src=x onerror=alert(2)>\" onload=\"alert(3)' \
                                onclick='alert(4) <!-- --> ]]> &lt; `<b>` javascript:alert(5) \u{1b}[31mred\u{1b}[0m \u{202e}drow\u{2066} \u{0} \
                                \u{7f}\u{85}\u{feff}\u{2028}\r\nend";

/// A run with those words in every field that can hold any: wherever text may stand, and the run can still be read.
pub(crate) fn of<R: Serialize + DeserializeOwned>(result: &R) -> R {
    let mut json = serde_json::to_value(result).unwrap();
    let mut paths = Vec::new();
    texts(&json, String::new(), &mut paths);
    let mut taken = 0;
    for path in &paths {
        let field = json.pointer_mut(path).unwrap();
        let friendly = std::mem::replace(field, Value::String(WORDS.to_owned()));
        if serde_json::from_value::<R>(json.clone()).is_err() {
            *json.pointer_mut(path).unwrap() = friendly; // a word of the format: a verdict, a kind
        } else {
            taken += 1;
        }
    }
    assert!(taken > 60, "only {taken} of {} fields hold text", paths.len());
    if let Some(rerun) = json.get_mut("rerun").filter(|rerun| rerun.is_object()) {
        rerun["files"] = serde_json::json!({ WORDS: WORDS });
    }
    serde_json::from_value(json).unwrap()
}

fn texts(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(path),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| texts(item, format!("{path}/{at}"), found));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| texts(field, format!("{path}/{name}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The page with hostile words has the elements and attributes of the one with friendly words, and no others.
pub(crate) fn assert_harmless(hostile: &str, friendly: &str) {
    let stray = |one: char| one.is_control() && one != '\n';
    let turning = |one: char| matches!(one, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    assert_eq!(hostile.chars().find(|one| stray(*one) || turning(*one)), None);
    assert!(hostile.contains("\\u{202e}drow") && hostile.contains("\\u{1b}[31m") && hostile.contains("\\u{0}"));
    let (own, known) = (outline::pieces(hostile), outline::pieces(friendly));
    let shapes = |pieces: &[Piece]| -> BTreeSet<(String, String)> {
        let names = |piece: &Piece| match piece {
            Piece::Start { name, attributes } if attributes.is_empty() => vec![(name.clone(), String::new())],
            Piece::Start { name, attributes } => {
                attributes.iter().map(|(key, _)| (name.clone(), key.clone())).collect()
            }
            Piece::End(_) | Piece::Text(_) => Vec::new(),
            Piece::Comment => vec![("comment".to_owned(), String::new())],
        };
        pieces.iter().flat_map(names).collect()
    };
    let strange: Vec<_> = shapes(&own).difference(&shapes(&known)).cloned().collect();
    assert!(strange.is_empty(), "{strange:?}");
    for element in ["script", "style", "title", "img"] {
        let number = |pieces: &[Piece]| pieces.iter().filter(|piece| piece.is_start(element)).count();
        // A picture's operations have titles of their own, as many as there are operations.
        assert_eq!(number(&own), number(&known), "{element}");
    }
    let words = own.iter().filter_map(Piece::text).filter(|text| text.contains("<script>alert(1)")).count();
    assert!(words > 10, "the words are shown as they are: {words}");
    let started = own.iter().filter(|piece| matches!(piece, Piece::Start { .. })).count();
    let friendly_started = known.iter().filter(|piece| matches!(piece, Piece::Start { .. })).count();
    assert!(started <= friendly_started + 200, "{started} elements where {friendly_started} were");
}
