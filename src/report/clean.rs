//! A result whose every text can be shown: no control character, no escape, no mark that reorders or hides.
//!
//! What strangers said stands in many fields, and `report` reads files that strangers may have written. So one pass goes over
//! all of them, those that are added later included; each format escapes what it must besides.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::text::harmless;

/// Characters of one text that are shown.
const MOST: usize = 4_000;
/// The field whose text has lines.
const LINES: &str = "script";
/// The field whose text is long: Base64, that nobody is shown.
const ENCODED: &str = "histogram";

/// `result` with every text made harmless.
pub(super) fn clean<R: Serialize + DeserializeOwned>(result: &R) -> R {
    let mut data = serde_json::to_value(result).expect("a result is plain data");
    walk(&mut data, None);
    serde_json::from_value(data)
        .expect("it reads back: texts alone were changed, and no name of a kind has anything to mend")
}

fn walk(data: &mut Value, field: Option<&str>) {
    match data {
        Value::String(text) if field == Some(LINES) => {
            *text = text.split('\n').map(shown).collect::<Vec<_>>().join("\n");
        }
        Value::String(text) if field == Some(ENCODED) && text.bytes().all(is_base64) => {}
        Value::String(text) => *text = shown(text),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, field)),
        Value::Object(fields) => {
            let cleaned = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                walk(&mut value, Some(&name));
                (shown(&name), value)
            });
            *fields = cleaned.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn shown(text: &str) -> String {
    harmless(text, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_result::RunResult;

    #[test]
    fn every_text_is_cleaned_and_nothing_else_changes() {
        let sample: RunResult = serde_json::from_str(include_str!("../../reports/sample/run.json")).expect("valid");
        assert_eq!(clean(&sample), sample);
        let mut hostile = sample.clone();
        hostile.api = "\u{1b}]0;title\u{7}\u{202e}\0\u{ffff}".to_owned();
        hostile.scenarios[0].findings[0].witness[0].token = Some("a\nb".to_owned());
        hostile.scenarios[0].script = Some("#!/bin/sh\ncurl \u{1b}[31m\n".to_owned());
        let cleaned = clean(&hostile);
        assert_eq!(cleaned.api, "\\u{1b}]0;title\\u{7}\\u{202e}\\u{0}\\u{ffff}");
        assert_eq!(cleaned.scenarios[0].findings[0].witness[0].token.as_deref(), Some("a\\u{a}b"));
        assert_eq!(cleaned.scenarios[0].script.as_deref(), Some("#!/bin/sh\ncurl \\u{1b}[31m\n"));
    }
}
