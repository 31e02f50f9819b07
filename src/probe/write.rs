//! Writing into a description what was learned: those keys alone; comments, order and the rest stay as they are.

use serde_json::Value;
use toml_edit::{DocumentMut, InlineTable, Item, Table};

use crate::probe_result::Advice;

/// A description that cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` cannot be written: {why}")]
pub struct WriteError {
    /// The dotted key.
    pub key: String,
    /// Why.
    pub why: String,
}

/// `text` with what `advice` says in it.
///
/// # Errors
/// If the text is no TOML, or a key stands where a table should be.
///
/// ```
/// use quickeats_bench::{probe::written, probe_result::Advice};
///
/// let advice = Advice { key: vec!["token".into(), "required".into()], value: Some(false.into()) };
/// let text = "[token] # versions\nrequired = true # 428\n";
/// assert_eq!(written(text, &[advice]).unwrap(), "[token] # versions\nrequired = false # 428\n");
/// ```
pub fn written(text: &str, advice: &[Advice]) -> Result<String, WriteError> {
    let whole =
        |error: toml_edit::TomlError| WriteError { key: "the file".to_owned(), why: error.message().to_owned() };
    let mut document: DocumentMut = text.parse().map_err(whole)?;
    let gone = unheard_of(text);
    for one in advice {
        let wrong = |why: &str| WriteError { key: one.key.join("."), why: why.to_owned() };
        let Some((key, tables)) = one.key.split_last() else { continue };
        let mut here = document.as_item_mut();
        for name in tables {
            let table =
                here.as_table_like_mut().ok_or_else(|| wrong("something else stands in the place of a table"))?;
            if one.value.is_none() && !table.contains_key(name) {
                return Err(wrong("there is no such table"));
            }
            here = table.entry(name).or_insert_with(|| Item::Table(Table::new()));
        }
        let has_lines = !here.is_inline_table();
        let table = here.as_table_like_mut().ok_or_else(|| wrong("something else stands in the place of a table"))?;
        match &one.value {
            // The comments above a key stay, whatever follows it: its line alone is left out in the end.
            None if has_lines && table.get(key).is_some_and(Item::is_value) => put(table, key, gone.as_str().into()),
            None => drop(table.remove(key)),
            Some(value) => put(table, key, toml(value).ok_or_else(|| wrong("this is no value of TOML"))?),
        }
    }
    Ok(document.to_string().split_inclusive('\n').filter(|line| !line.contains(&gone)).collect())
}

/// A word that does not stand in `text`.
fn unheard_of(text: &str) -> String {
    let mut word = "gone".to_owned();
    while text.contains(&word) {
        word.push('-');
    }
    word
}

/// Puts a value in the place of another, with the comment that stands behind it; or a new one at the end.
fn put(table: &mut dyn toml_edit::TableLike, key: &str, mut value: toml_edit::Value) {
    if let Some(old) = table.get_mut(key).and_then(Item::as_value_mut) {
        *value.decor_mut() = old.decor().clone();
        *old = value;
    } else {
        table.insert(key, Item::Value(value));
    }
}

fn toml(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Bool(truth) => (*truth).into(),
        Value::String(text) => text.into(),
        Value::Number(number) => number.as_i64()?.into(),
        Value::Object(entries) => {
            let mut table = InlineTable::new();
            for (key, value) in entries {
                table.insert(key, toml(value)?);
            }
            table.into()
        }
        Value::Null | Value::Array(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(key: &[&str], value: Option<Value>) -> Advice {
        Advice { key: key.iter().map(|part| (*part).to_owned()).collect(), value }
    }

    const TEXT: &str = "\
# mine
name = \"x\"   # a name

[idempotency]
send = { header = \"K\" }
replay = \"stored\"   # word for word

[read] # it lags
path = \"/x\"
";

    #[test]
    fn only_what_was_learned_is_changed() {
        let all = [
            advice(&["idempotency", "replay"], None),
            advice(&["idempotency", "replayed"], Some(serde_json::json!({ "header": "R" }))),
            advice(&["read", "eventual"], Some(true.into())),
            advice(&["token", "required"], Some(false.into())),
        ];
        let expected = "\
# mine
name = \"x\"   # a name

[idempotency]
send = { header = \"K\" }
replayed = { header = \"R\" }

[read] # it lags
path = \"/x\"
eventual = true

[token]
required = false
";
        assert_eq!(written(TEXT, &all).unwrap(), expected);
        assert_eq!(written(TEXT, &[]).unwrap(), TEXT);
    }

    #[test]
    fn comments_above_a_key_stay_when_it_is_taken_out() {
        let text = "\
# The head.

# Why the first.
first = 1   # the first
# Why the second, gone too.
second = \"\"\"
two
\"\"\" # the second

[third] # its table
inline = { a = 1, b = 2 } # both
# Why the last.
last = true

# The end.
";
        let all = [
            advice(&["first"], None),
            advice(&["second"], None),
            advice(&["third", "inline", "a"], None),
            advice(&["third", "last"], None),
        ];
        let expected = "\
# The head.

# Why the first.
# Why the second, gone too.

[third] # its table
inline = { b = 2 } # both
# Why the last.

# The end.
";
        assert_eq!(written(text, &all).unwrap(), expected);
        // The last line need not end.
        assert_eq!(written("# a\nb = 1", &[advice(&["b"], None)]).unwrap(), "# a\n");
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let error = written(TEXT, &[advice(&["name", "first"], Some(true.into()))]).unwrap_err();
        assert_eq!(error.to_string(), "`name.first` cannot be written: something else stands in the place of a table");
        assert!(written("= =", &[]).is_err());
    }
}
