//! What a server says of its own work, `Server-Timing` (<https://www.w3.org/TR/server-timing/>): of that, when the request
//! arrived.
//!
//! ```text
//! Server-Timing: db;desc="2 statements, 1 row", total;dur=1.208, arrival;dur=48211.093117
//! ```
//!
//! The name `arrival` is a custom of this tool's reference service: milliseconds on the server's clock, whatever it started
//! from, as a plain decimal number. Whoever says nothing of the kind, says it twice or says it otherwise has not said it.

use super::exchange::Headers;
use crate::history::Arrival;

/// The name of the metric.
const ARRIVAL: &str = "arrival";

/// When the request arrived, if the server says so: once, and as it should be.
pub(super) fn arrival(headers: &Headers) -> Option<Arrival> {
    let lines = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("server-timing"));
    let metrics = lines.flat_map(|(_, line)| split(line, ','));
    let mut said = metrics.filter_map(|metric| {
        let mut parts = split(metric, ';');
        parts.next()?.eq_ignore_ascii_case(ARRIVAL).then(|| duration(parts))
    });
    let first = said.next()?;
    // Two that say it (a server and a proxy, say) need not mean the same clock.
    if said.next().is_some() { None } else { first }
}

/// The first `dur` among parameters; a later one does not count (§ "parse a server-timing header").
fn duration<'a>(parameters: impl Iterator<Item = &'a str>) -> Option<Arrival> {
    let mut named = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, value) = named.find(|(name, _)| name.trim_end().eq_ignore_ascii_case("dur"))?;
    let value = value.trim();
    let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    nanos(bare).map(Arrival::from_nanos)
}

/// A plain decimal number of milliseconds as whole nanoseconds; digits beyond are dropped. A float would be too coarse for
/// a clock that counts from 1970.
fn nanos(millis: &str) -> Option<u64> {
    let (whole, fraction) = millis.split_once('.').unwrap_or((millis, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let fraction = digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction)
}

/// The parts of `text` between separators that are in no quoted string (RFC 9110 §5.6.4), without the space around them.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c: char| {
        let separates = c == separator && !quoted;
        (quoted, escaped) = match c {
            _ if escaped => (quoted, false),
            '\\' if quoted => (quoted, true),
            '"' => (!quoted, false),
            _ => (quoted, false),
        };
        separates
    })
    .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<u64> {
        let headers = lines.iter().map(|line| ("Server-Timing".into(), (*line).into())).collect();
        arrival(&headers).map(Arrival::nanos)
    }

    #[test]
    fn an_arrival_is_read_wherever_it_stands() {
        for (line, nanos) in [
            ("arrival;dur=48211.093117", 48_211_093_117),
            ("db;desc=\"2 statements\", total;dur=1.208, arrival;dur=0.000001", 1),
            ("db;desc=\"1 row, arrival;dur=5\", arrival;dur=7", 7_000_000),
            ("db;desc=\"a \\\" quote, arrival;dur=5\";dur=1, arrival;dur=7", 7_000_000),
            ("ARRIVAL ; desc=\"when; exactly\" ; DUR = 2.5 ,x", 2_500_000),
            ("arrival;dur=\"1.5\"", 1_500_000),
            ("arrival;dur=1;dur=2", 1_000_000),
            ("arrival;dur=1764000000000.1234567", 1_764_000_000_000_123_456),
            ("arrival;dur=0", 0),
        ] {
            assert_eq!(read(&[line]), Some(nanos), "{line}");
        }
        assert_eq!(read(&["cache;desc=hit", "arrival;dur=3"]), Some(3_000_000));
        let other: Headers = vec![("sErVeR-tImInG".into(), "arrival;dur=1".into())];
        assert_eq!(arrival(&other).map(Arrival::nanos), Some(1_000_000));
    }

    #[test]
    fn what_is_no_arrival_is_none() {
        for line in [
            "",
            ",;,",
            "arrival",
            "arrival;dur",
            "arrival;dur=",
            "arrival;dur=-1",
            "arrival;dur=+1",
            "arrival;dur=NaN",
            "arrival;dur=inf",
            "arrival;dur=1e3",
            "arrival;dur=.5",
            "arrival;dur=1.",
            "arrival;dur=1.2.3",
            "arrival;dur=1ms",
            "arrival;dur=99999999999999999999",
            "arrival;dur=18446744073709.551616",
            "arrivals;dur=1",
            "x;arrival;dur=1",
            "db;desc=\"never closed, arrival;dur=1",
            "arrival;dur=1, arrival;dur=2",
        ] {
            assert_eq!(read(&[line]), None, "{line}");
        }
        assert_eq!(read(&["arrival;dur=1", "arrival;dur=1"]), None);
        assert_eq!(read(&[]), None);
    }
}
