//! Words for people: names that were probably meant, durations as typed, and strangers' bytes made harmless.

use std::time::Duration;

use serde::Serialize;

/// The entry of `known` that `typed` most likely meant, if any is close enough to be worth suggesting.
///
/// ```
/// use quickeats_bench::text::nearest;
/// assert_eq!(nearest("cancel-v-accept", ["cancel-vs-accept", "stale-write"]), Some("cancel-vs-accept"));
/// assert_eq!(nearest("banana", ["cancel-vs-accept"]), None);
/// ```
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// Bytes from a stranger, as text that can be shown on any terminal: control characters, escapes and characters
/// that reorder text are written as `\u{…}`, and what exceeds `max_chars` is cut with an ellipsis.
pub fn harmless(untrusted: &str, max_chars: usize) -> String {
    let mut shown = String::new();
    for (index, character) in untrusted.chars().enumerate() {
        if index == max_chars {
            shown.push('…');
            break;
        }
        if is_no_text(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same of a text that has lines, however long it is: their ends stay.
pub fn harmless_lines(untrusted: &str) -> String {
    untrusted.split('\n').map(|line| harmless(line, usize::MAX)).collect::<Vec<_>>().join("\n")
}

/// A value as indented JSON that can be shown on any terminal, ending with a line end: what [`harmless`] spells out is escaped
/// as JSON has it (RFC 8259, section 7), so who reads it gets the very same text.
///
/// # Panics
/// If the value cannot be JSON: a map whose keys are no text.
pub fn json<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_string_pretty(value).expect("plain data");
    let mut shown = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        if character != '\n' && is_no_text(character) {
            let units = character.encode_utf16(&mut [0; 2]).to_vec();
            shown.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            shown.push(character);
        }
    }
    shown.push('\n');
    shown
}

/// Control characters, Unicode's bidirectional controls and invisible separators (UAX #9, "Trojan Source"), invisible tags, and
/// what Unicode says is no character, which XML and HTML refuse.
fn is_no_text(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// An id or token by its beginning, if it is long: enough to tell two of them apart by eye.
pub fn short(word: &str) -> String {
    const LONGEST: usize = 20;
    const BEGINNING: usize = 8;
    let (quote, bare) = match word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(bare) => ("\"", bare),
        None => ("", word),
    };
    if bare.chars().count() <= LONGEST {
        return word.to_owned();
    }
    let beginning: String = bare.chars().take(BEGINNING).collect();
    format!("{quote}{beginning}…{quote}")
}

/// Reads a duration such as `250us`, `50ms`, `5s`, `2m`; the unit is required.
///
/// # Errors
/// A sentence that names what was expected.
pub fn parse_duration(typed: &str) -> Result<Duration, String> {
    let expected =
        || format!("`{typed}` is not a duration: write a number and a unit, as in 250us, 50ms, 5s, 2m or 1h");
    let split = typed.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(expected)?;
    let (number, unit) = typed.split_at(split);
    let number: f64 = number.parse().map_err(|_| expected())?;
    let seconds = match unit {
        "us" | "µs" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(expected()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| expected())
}

/// A span of microseconds as people read it: `850 µs`, `12.4 ms`, `3.2 s`.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn micros(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} µs"),
        1_000..10_000 => format!("{:.2} ms", value as f64 / 1e3),
        10_000..1_000_000 => format!("{:.1} ms", value as f64 / 1e3),
        _ => format!("{:.2} s", value as f64 / 1e6),
    }
}

/// The text as one word of a POSIX shell, quoted where it must be.
///
/// ```
/// use quickeats_bench::text::shell_word;
///
/// assert_eq!(shell_word("--seed=7"), "--seed=7");
/// assert_eq!(shell_word("it's"), r"'it'\''s'");
/// ```
pub fn shell_word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@,+%".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) { text.to_owned() } else { shell_quoted(text) }
}

/// The text in single quotes, as one word of a POSIX shell.
pub fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `1 round`, `2 rounds`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [init @ .., last] => {
            let init: Vec<&str> = init.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", init.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_bidi_marks_cannot_reach_a_terminal() {
        let shown = harmless("\u{1b}[31mred\u{202e}drow\r\n", 100);
        assert_eq!(shown, "\\u{1b}[31mred\\u{202e}drow\\u{d}\\u{a}");
    }

    #[test]
    fn json_is_the_same_text_to_who_reads_it_and_harmless_to_who_sees_it() {
        let strange = ["\u{202e}\u{9b}\u{7f}\u{fffe}", "주문\n", "\u{e0041}😀", "\\u202e"];
        let told = json(&strange);
        assert_eq!(serde_json::from_str::<Vec<String>>(&told).expect("JSON"), strange);
        assert!(told.chars().all(|one| one == '\n' || !is_no_text(one)) && told.ends_with("]\n"), "{told}");
        assert!(
            told.contains(r"\u202e\u009b\u007f\ufffe") && told.contains("주문") && told.contains(r"\udb40\udc41😀"),
            "{told}"
        );
    }

    #[test]
    fn lines_stay_and_nothing_else_is_obeyed() {
        assert_eq!(harmless_lines("a\r\n\u{1b}b\n"), "a\\u{d}\n\\u{1b}b\n");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        assert_eq!(harmless("abcdef", 3), "abc…");
        assert_eq!(harmless("abc", 3), "abc");
        assert_eq!(harmless("주문이 취소됨", 3), "주문이…");
    }

    #[test]
    fn long_ids_and_tokens_are_shown_by_their_beginning() {
        assert_eq!(short("847ddb32-23b4-4075-8365-1eace10e51b4"), "847ddb32…");
        assert_eq!(short("\"8c4c496c9f39456ba15b58625ac7f8f0\""), "\"8c4c496c…\"");
        assert_eq!(short("\"v3\""), "\"v3\"");
        assert_eq!(short("preparation-complete"), "preparation-complete");
    }

    #[test]
    fn durations_are_read_with_their_units() {
        assert_eq!(parse_duration("250us"), Ok(Duration::from_micros(250)));
        assert_eq!(parse_duration("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(parse_duration("1h"), Ok(Duration::from_hours(1)));
        for wrong in ["", "5", "ms", "-5ms", "5 parsecs", "1e9s", "..s", "9999999999999999999999999s"] {
            let error = parse_duration(wrong).unwrap_err();
            assert!(error.contains("50ms"), "{wrong}: {error}");
        }
    }

    #[test]
    fn numbers_and_nouns_agree() {
        assert_eq!(count(1, "round"), "1 round");
        assert_eq!(count(0, "round"), "0 rounds");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(micros(850), "850 µs");
        assert_eq!(micros(12_400), "12.4 ms");
    }
}
