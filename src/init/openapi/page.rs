//! A TOML page that is written line by line, with what was guessed said beside it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::text::harmless;

/// Where comments beside a line begin, if the line is not longer.
const COLUMN: usize = 39;
/// A stranger's words are not shown further than this.
const SHOWN: usize = 100;

/// The text of a file.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// A line as it is.
    pub(super) fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// A line, and why it says so.
    pub(super) fn guess(&mut self, line: &str, why: &str) {
        let _ = writeln!(self.0, "{line:COLUMN$} # guessed: {}", harmless(why, SHOWN));
    }

    /// A line whose truth only its people know.
    pub(super) fn ask(&mut self, line: &str, question: &str) {
        let _ = writeln!(self.0, "{line:COLUMN$} # ASK: {}", harmless(question, SHOWN));
    }

    /// A comment of its own.
    pub(super) fn comment(&mut self, text: &str) {
        let _ = writeln!(self.0, "# {}", harmless(text, 400));
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    // JSON's escapes are TOML's, but for DEL, which JSON lets stand.
    Value::String(text.to_owned()).to_string().replace('\u{7f}', "\\u007f")
}

/// A value as TOML writes it in one line. TOML has no null: members that are null are left out.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Null => quoted(""),
        Value::String(text) => quoted(text),
        Value::Number(number) if number.is_u64() && number.as_i64().is_none() => i64::MAX.to_string(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter(|item| !item.is_null()).map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => table(members),
    }
}

fn table(members: &Map<String, Value>) -> String {
    let members: Vec<String> = (members.iter().filter(|(_, value)| !value.is_null()))
        .map(|(name, value)| format!("{} = {}", key(name), inline(value)))
        .collect();
    if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
}

/// A key: bare where it can be.
pub(super) fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn any_value_is_written_so_that_toml_reads_it() {
        let value = json!({ "a b": "x\"\\\n\u{7f}\u{1}é", "list": [1, 2.5, null, { "k": true }], "": {}, "huge": u64::MAX, "gone": null });
        let read: toml::Table = toml::from_str(&format!("value = {}", inline(&value))).unwrap();
        assert_eq!(read["value"]["a b"].as_str(), Some("x\"\\\n\u{7f}\u{1}é"));
        assert_eq!(read["value"]["list"].as_array().map(Vec::len), Some(3));
        assert_eq!(read["value"]["huge"].as_integer(), Some(i64::MAX));
    }

    #[test]
    fn a_strangers_words_stay_in_their_comment() {
        let mut page = Page::default();
        page.guess("a = 1", "it says\nb = 2");
        page.comment("x\r\n[table]");
        assert_eq!(page.into_text().lines().count(), 2);
    }
}
