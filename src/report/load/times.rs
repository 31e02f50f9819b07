//! The times of a load as tables: both views of each kind of request beside each other, or below each other where there is little room.

use super::told::{percentile, share, span};
use crate::load_result::{LoadResult, RequestFigures, Times};
use crate::report::visible_width;

/// The columns of each view. The last is the longest of all.
const TOLD: [(&str, f64); 4] = [("p50", 50.0), ("p95", 95.0), ("p99", 99.0), ("p99.9", 99.9)];
/// How wide a column of times is, and one of counts, with the blank before it.
const TIME: usize = 7;
const COUNT: usize = 9;
/// Both views beside each other, and what parts them.
const BOTH: usize = 2 * (TOLD.len() + 1) * TIME + 2;
/// One view, and its name.
const ONE: usize = (TOLD.len() + 1) * TIME;
const VIEW: usize = 10;
/// Names of requests that are shorter than this say nothing.
const NAME: usize = 12;
/// Longer ones are cut also where there is room.
const LONGEST: usize = 60;

/// The times of all requests and of each kind, within `width` columns.
pub(super) fn times(result: &LoadResult, width: usize) -> Vec<String> {
    if width >= NAME + BOTH { beside(result, width - BOTH) } else { below(result, width.saturating_sub(ONE + VIEW)) }
}

/// All requests, then each kind.
fn rows(result: &LoadResult) -> impl Iterator<Item = &RequestFigures> {
    std::iter::once(&result.all).chain(&result.requests)
}

/// As wide as the longest name, within `room`.
fn name_width(result: &LoadResult, room: usize) -> usize {
    let longest = rows(result).map(|row| visible_width(&row.name)).max().unwrap_or(0);
    longest.max("request".len()).min(room).min(LONGEST)
}

fn beside(result: &LoadResult, room: usize) -> Vec<String> {
    let width = name_width(result, room);
    let (views, columns) = (5 * TIME, header());
    let mut lines = vec![
        format!("{}{:>views$} │{:>views$}", padded("", width), "from the intended start", "from the actual start"),
        format!("{}{columns} │{columns}", padded("request", width)),
    ];
    lines
        .extend(rows(result).map(|row| {
            format!("{}{} │{}", padded(&row.name, width), view(&row.from_intended), view(&row.from_actual))
        }));
    lines
}

fn below(result: &LoadResult, room: usize) -> Vec<String> {
    let width = name_width(result, room.max(NAME));
    let mut lines = vec![format!("{}{:VIEW$}{}", padded("request", width), " from", header())];
    for row in rows(result) {
        lines.push(format!("{}{:VIEW$}{}", padded(&row.name, width), " intended", view(&row.from_intended)));
        lines.push(format!("{}{:VIEW$}{}", padded("", width), " actual", view(&row.from_actual)));
    }
    lines
}

fn header() -> String {
    let names = TOLD.iter().map(|(name, _)| *name).chain(["max"]);
    names.map(|name| format!("{name:>TIME$}")).collect::<Vec<_>>().concat()
}

/// One view of a row: what there are too few requests to tell is left open.
fn view(times: &Times) -> String {
    let cell = |value: Option<f64>| format!("{:>TIME$}", value.map_or_else(|| "–".to_owned(), span));
    let longest = (times.count > 0).then_some(times.max_us);
    TOLD.iter().map(|(_, percent)| cell(percentile(times, *percent))).chain([cell(longest)]).collect()
}

/// How many of each kind there were, and what came of them.
pub(super) fn counts(result: &LoadResult, width: usize) -> Vec<String> {
    let columns = ["sent", "done", "errors", "412"];
    let width = name_width(result, width.saturating_sub(columns.len() * COUNT).max(NAME));
    let cell = |text: &str| format!("{text:>COUNT$}");
    let mut lines = vec![padded("request", width) + &columns.map(cell).concat()];
    let none = || "–".to_owned();
    lines.extend(rows(result).map(|row| {
        let shares = [row.error_rate, row.rate_412].map(|rate| rate.map_or_else(none, share));
        let [errors, stale] = shares.map(|share| cell(&share));
        format!(
            "{}{}{}{errors}{stale}",
            padded(&row.name, width),
            cell(&row.sent.to_string()),
            cell(&row.achieved.to_string())
        )
    }));
    lines
}

/// The percentiles of all requests, with the interval that each lies in at 95 % confidence.
pub(super) fn intervals(result: &LoadResult) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, percent) in [("p50", 50.0), ("p95", 95.0), ("p99", 99.0), ("p99.99", 99.99)] {
        let told = [&result.all.from_intended, &result.all.from_actual].map(|times| told(times, percent));
        if let [Some(intended), Some(actual)] = told {
            lines.push(format!("{name:<8}{intended:<26}{actual}").trim_end().to_owned());
        }
    }
    if !lines.is_empty() {
        lines.insert(0, format!("{:<8}{:<26}{}", "all", "from the intended start", "from the actual start"));
    }
    lines
}

/// `1.23ms (1.20ms … 1.25ms)`
fn told(times: &Times, percent: f64) -> Option<String> {
    let value = span(percentile(times, percent)?);
    let one = times.percentiles.iter().find(|one| (one.percent - percent).abs() < 1e-9)?;
    Some(match one.interval_us {
        Some((low, high)) => format!("{value} ({} … {})", span(low), span(high)),
        None => value,
    })
}

/// `text` in `width` columns, cut with an ellipsis if it is longer.
pub(super) fn padded(text: &str, width: usize) -> String {
    let cut = cut(text, width);
    let blank = " ".repeat(width.saturating_sub(visible_width(&cut)));
    cut + &blank
}

/// `text` in at most `width` columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    if visible_width(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for character in text.chars() {
        let longer = format!("{cut}{character}");
        if visible_width(&longer) + 1 > width {
            break;
        }
        cut = longer;
    }
    if width > 0 { cut + "…" } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_at_the_column_and_say_so() {
        assert_eq!(cut("GET /orders?limit=20", 8), "GET /or…");
        assert_eq!(cut("short", 8), "short");
        assert_eq!([cut("주문을 읽다", 6), cut("주문", 0), padded("주", 4)], ["주문…", "", "주  "]);
    }
}
