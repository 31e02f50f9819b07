//! Numbers and strangers' words as a page shows them.

use maud::{Markup, Render, html};

/// A length in SVG: one digit behind the point, none where it is 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Px(pub(super) f64);

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = if self.0.is_finite() { (self.0 * 10.0).round() + 0.0 } else { 0.0 };
        if (tenths % 10.0).abs() < 0.5 { write!(f, "{:.0}", tenths / 10.0) } else { write!(f, "{:.1}", tenths / 10.0) }
    }
}

impl Render for Px {
    fn render_to(&self, buffer: &mut String) {
        self.to_string().render_to(buffer);
    }
}

/// A moment of a timeline: milliseconds from where its finding counts.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
pub(super) fn at(micros: i64) -> String {
    format!("{:.2} ms", micros as f64 / 1e3).replace('-', "−")
}

/// Text in which backticks quote code.
pub(super) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    html! {
        @for (at, part) in parts.iter().enumerate() {
            @if at % 2 == 0 { (part) } @else if at == last { "`" (part) } @else { code { (part) } }
        }
    }
}

/// A sentence, beginning with a capital.
pub(super) fn capital(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// A number with its thousands apart: `12 400` (with a narrow space).
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len() > 4 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short_and_always_numbers() {
        let shown = |length: f64| Px(length).to_string();
        assert_eq!([shown(0.0), shown(-0.01), shown(12.0), shown(12.34), shown(-3.96)], ["0", "0", "12", "12.3", "-4"]);
        assert_eq!([shown(f64::NAN), shown(f64::INFINITY)], ["0", "0"]);
    }

    #[test]
    fn quoted_words_become_code_and_stay_text() {
        assert_eq!(prose("says `a<b`, and").into_string(), "says <code>a&lt;b</code>, and");
        assert_eq!(prose("one ` alone").into_string(), "one ` alone");
        assert_eq!(prose("").into_string(), "");
    }

    #[test]
    fn numbers_are_grouped_from_five_digits_on() {
        assert_eq!([grouped(0), grouped(1234), grouped(12_400)], ["0", "1234", "12\u{202f}400"]);
        assert_eq!(grouped(1_000_000), "1\u{202f}000\u{202f}000");
    }

    #[test]
    fn sentences_begin_with_a_capital() {
        assert_eq!([capital("the order"), capital(""), capital("주문")], ["The order", "", "주문"]);
    }
}
