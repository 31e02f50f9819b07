//! What every report of a load says in the same words.

use std::time::Duration;

use crate::check::{Severity, Verdict};
use crate::load_result::{Contention, LimitResult, LoadResult, PlanInfo, Times};
use crate::report::words::{Limit, reference_service};
use crate::text::{count, list};
use crate::traffic::{Shape, Spacing, Threshold};

/// `✗ violated: lost-update among 83 resources`: a sign with its word, and what it rests on.
pub(in crate::report) fn answer(result: &LoadResult) -> String {
    let Some(judged) = &result.judged else { return "measured: nothing was judged".to_owned() };
    let resources = count(judged.scenario.rounds, "resource");
    match judged.scenario.verdict {
        Verdict::Holds => format!("✓ holds: {resources}"),
        Verdict::Inconclusive => format!("? inconclusive: {resources}"),
        Verdict::Violated => {
            let failing = judged.scenario.findings.iter().filter(|finding| finding.severity >= result.fail_on);
            let kinds: Vec<&str> = failing.map(|finding| finding.kind.name()).collect();
            format!("✗ violated: {} among {resources}", list(&kinds))
        }
    }
}

/// The one number: correct operations in a second, or answers where nothing was judged.
pub(in crate::report) fn number(result: &LoadResult) -> String {
    match result.rates.goodput {
        Some(goodput) => format!("{} correct operations/s", rate(goodput)),
        None => format!("{} answers/s", rate(result.rates.answered)),
    }
}

/// `delivery-day of quickeats-v2 against http://…, 64 clients, closed, 10.0 s`
pub(in crate::report) fn loaded(result: &LoadResult) -> String {
    let of = result.plan.api.as_ref().map(|api| format!(" of {api}")).unwrap_or_default();
    let warm_up = match result.plan.warm_up_ms {
        0 => String::new(),
        warm_up => format!(" after {} of warm-up", time(warm_up)),
    };
    let shard = result.plan.shard.map(|shard| format!(" (part {} of {})", shard.index, shard.of)).unwrap_or_default();
    format!(
        "{}{of} against {}, {}, {} measured{warm_up}{shard}",
        result.plan.traffic,
        target(result),
        shape(&result.plan),
        time(result.measured_ms)
    )
}

/// The server: its URL, or what the reference service was set up to be.
pub(in crate::report) fn target(result: &LoadResult) -> String {
    match &result.target.service {
        None => result.target.url.clone(),
        Some(service) => reference_service(service, result.target.defect.as_deref()),
    }
}

/// How requests were offered.
pub(in crate::report) fn shape(plan: &PlanInfo) -> String {
    let clients = count(plan.clients.into(), "client");
    match &plan.shape {
        Shape::Closed => format!("{clients} one request after the other"),
        Shape::Open { stages, arrivals } => {
            let told: Vec<String> = (stages.iter().take(6))
                .map(|stage| match stage.from.total_cmp(&stage.to) {
                    std::cmp::Ordering::Equal => format!("{}/s for {}", rate(stage.from), time(stage.duration_ms)),
                    std::cmp::Ordering::Less | std::cmp::Ordering::Greater => {
                        format!("{} to {}/s in {}", rate(stage.from), rate(stage.to), time(stage.duration_ms))
                    }
                })
                .collect();
            let more = if stages.len() > 6 { format!(" and {} more stages", stages.len() - 6) } else { String::new() };
            let spaced = match arrivals {
                Spacing::Constant => "evenly",
                Spacing::Poisson => "by chance (Poisson)",
            };
            format!("{}{more} by the clock, spaced {spaced}, {clients}", told.join(", "))
        }
    }
}

/// How it ended, if not by its plan.
pub(in crate::report) fn ended(result: &LoadResult) -> Option<String> {
    if result.interrupted {
        return Some("interrupted: told is what was seen until then".to_owned());
    }
    result.stopped.as_ref().map(|why| format!("ended: {why}"))
}

/// What its reader should know before believing figures or the exit code.
pub(in crate::report) fn caveats(result: &LoadResult) -> Vec<String> {
    let mut told = Vec::new();
    let (all, slots) = (&result.all, &result.slots);
    if slots.sent == 0 {
        let warm_up = result.warm_up.sent;
        let why =
            if warm_up > 0 { format!(": all {warm_up} requests were part of the warm-up") } else { String::new() };
        told.push(format!("nothing was measured{why}"));
    }
    if all.errors > 0 {
        let of = share(all.error_rate.unwrap_or(1.0));
        told.push(format!("{} of {} requests came to nothing or to an error ({of})", all.errors, slots.sent));
    }
    let is_of_times =
        |limit: &LimitResult| limit.threshold.parse::<Threshold>().is_ok_and(|limit| limit.metric.is_time());
    if !result.generator.void.is_empty() && result.thresholds.iter().any(is_of_times) {
        told.push("limits on times are not held against the target: the times are void".to_owned());
    }
    told
}

/// What became of the slots: two sums.
pub(in crate::report) fn slots(result: &LoadResult) -> String {
    let slots = &result.slots;
    let timed_out = match result.all.timed_out {
        0 => String::new(),
        timed_out => format!(" ({timed_out} of them timed out)"),
    };
    format!(
        "{} offered = {} sent + {} dropped; {} sent = {} answered + {} failed + {} unknown{timed_out}",
        slots.offered, slots.sent, slots.dropped, slots.sent, slots.answered, slots.failed, slots.unknown
    )
}

/// What dropped requests mean, where there are any.
pub(in crate::report) fn dropped(result: &LoadResult) -> Option<String> {
    let limit = time(result.plan.timeout_ms);
    (result.slots.dropped > 0).then(|| {
        format!(
            "{} could not begin within {limit}: all {} were waiting for answers. They stand in no percentile",
            count(result.slots.dropped, "request"),
            count(result.plan.clients.into(), "client")
        )
    })
}

/// In a second: what was offered, answered, correct.
pub(in crate::report) fn rates(result: &LoadResult) -> String {
    let rates = &result.rates;
    let good = rates.goodput.map(|goodput| format!(", {}/s correct", rate(goodput))).unwrap_or_default();
    format!("{}/s offered, {}/s answered{good}", rate(rates.offered), rate(rates.answered))
}

/// Answers by status: `200 × 557, 201 × 57`.
pub(in crate::report) fn statuses<'a>(counts: impl IntoIterator<Item = (&'a u16, &'a u64)>) -> String {
    let told: Vec<String> = counts.into_iter().map(|(status, count)| format!("{status} × {count}")).collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

/// The 412 rate, and how it grows with requests under way for one resource.
pub(in crate::report) fn refused(result: &LoadResult) -> Option<String> {
    let overall = result.all.rate_412?;
    let row: Vec<String> = result
        .contention
        .iter()
        .map(|one| format!("{}: {}", abreast(one, &result.contention), share(one.rate_412)))
        .collect();
    let over = if row.len() > 1 {
        format!("; by requests under way for the resource, {}", row.join(", "))
    } else {
        String::new()
    };
    Some(format!("412 rate {} of {}{over}", share(overall), count(result.all.conditional, "conditional request")))
}

/// How many were under way; the last of sixteen stands for more, too.
pub(in crate::report) fn abreast(one: &Contention, all: &[Contention]) -> String {
    let is_last = all.last() == Some(one) && one.abreast >= crate::measure::MOST_ABREAST as u64;
    if is_last { format!("{} or more", one.abreast) } else { one.abreast.to_string() }
}

/// How often changes were tried until they were done.
pub(in crate::report) fn tries(result: &LoadResult) -> Option<String> {
    let tries = &result.done_after_tries;
    if tries.iter().all(|number| *number == 0) && result.given_up == 0 {
        return None;
    }
    let last = tries.len();
    let told: Vec<String> = (1..)
        .zip(tries)
        .filter(|(_, number)| **number > 0)
        .map(|(try_, number)| match try_ {
            1 => format!("{number} at once"),
            try_ if try_ == last => format!("{number} with try {try_} or later"),
            try_ => format!("{number} with try {try_}"),
        })
        .collect();
    let given_up = match result.given_up {
        0 => String::new(),
        given_up => format!("; given up, refused as stale each time: {given_up}"),
    };
    let done = if told.is_empty() { "none".to_owned() } else { told.join(", ") };
    Some(format!("changes of hot resources done: {done}{given_up}"))
}

/// How evenly clients were served.
pub(in crate::report) fn fairness(result: &LoadResult) -> Option<String> {
    let fairness = result.fairness?;
    Some(format!(
        "{:.3} (Jain's index; 1 is even): clients got {} to {} requests done",
        fairness.jain, fairness.least, fairness.most
    ))
}

/// How well the load itself kept up.
pub(in crate::report) fn generator(result: &LoadResult) -> String {
    let lag = &result.generator.lag;
    let late = match percentile(lag, 99.0) {
        Some(late) => format!("late by {} in 1 % of cases, by {} at most", span(late), span(lag.max_us)),
        None if lag.count == 0 => "its lag was not measured".to_owned(),
        None => format!("late by {} at most", span(lag.max_us)),
    };
    let busiest = result.generator.busiest;
    let busiest = busiest.map(|busiest| format!("; its busiest thread was at work {} of the time", share(busiest)));
    late + &busiest.unwrap_or_default()
}

/// What was judged.
pub(in crate::report) fn judged(result: &LoadResult) -> Option<String> {
    let judged = result.judged.as_ref()?;
    let tainted = match judged.tainted {
        0 => String::new(),
        tainted => format!("; {tainted} are on resources with a violation and count for nothing"),
    };
    let spilled = match judged.spilled {
        0 => String::new(),
        spilled => format!("; {spilled} had to wait for the judge in a file"),
    };
    let resources = count(judged.scenario.rounds, "resource");
    let met = judged.scenario.rounds_overlapped;
    let (operations, all) = (judged.operations, "those before and after what is measured included");
    Some(format!("{operations} operations on {resources} ({all}); on {met} requests met{tainted}{spilled}"))
}

/// What `holds` amounts to.
pub(in crate::report) fn excluded(result: &LoadResult) -> Option<String> {
    let scenario = &result.judged.as_ref()?.scenario;
    let bound = scenario.rate_upper_bound_95.filter(|_| scenario.verdict == Verdict::Holds)?;
    let bound = share(bound);
    Some(format!(
        "at 95 % confidence, a violation on less than {} of resources on which requests met",
        bound.strip_prefix("< ").unwrap_or(&bound)
    ))
}

/// A limit in words, and what it came to.
pub(in crate::report) fn threshold(limit: &LimitResult) -> (Limit, String) {
    match (limit.measured, limit.crossed) {
        (None, _) => {
            (Limit::NotMeasured, format!("{}: nothing it applies to was measured, so it was not kept", limit.threshold))
        }
        (Some(_), true) => (Limit::Crossed, format!("{}: {}", limit.threshold, limit.shown)),
        (Some(_), false) => (Limit::Kept, format!("{}: {}", limit.threshold, limit.shown)),
    }
}

/// A limit's sign and word.
pub(in crate::report) const fn kept(limit: Limit) -> &'static str {
    match limit {
        Limit::Kept => "✓ threshold kept",
        Limit::Crossed => "✗ threshold crossed",
        Limit::NotMeasured => "? threshold not measured",
    }
}

/// Findings that are no violation and yet worth knowing.
pub(in crate::report) fn has_findings(result: &LoadResult, severity: Severity) -> bool {
    result.judged.iter().flat_map(|judged| &judged.scenario.findings).any(|finding| finding.severity == severity)
}

/// A percentile in µs, where there are requests enough to tell it: one at least lies beyond it.
pub(in crate::report) fn percentile(times: &Times, percent: f64) -> Option<f64> {
    let value = times.percentile(percent)?;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let beyond = times.count as f64 * (1.0 - percent / 100.0);
    (beyond >= 1.0 - 1e-9).then_some(value)
}

/// A span of µs in three digits and no blank, for columns: `850µs`, `1.23ms`, `124ms`, `3.20s`.
pub(in crate::report) fn span(us: f64) -> String {
    let digits = |value: f64, unit: &str| match value {
        value if value < 9.995 => format!("{value:.2}{unit}"),
        value if value < 99.95 => format!("{value:.1}{unit}"),
        value => format!("{value:.0}{unit}"),
    };
    match us {
        us if us < 0.5 => "0µs".to_owned(),
        us if us < 999.5 => format!("{us:.0}µs"),
        us if us < 999_500.0 => digits(us / 1e3, "ms"),
        us => digits(us / 1e6, "s"),
    }
}

/// The same of a [`Duration`].
pub(in crate::report) fn lasted(time: Duration) -> String {
    span(time.as_secs_f64() * 1e6)
}

/// A time of a plan: `500 ms`, `1.5 s`, `10 s`.
#[expect(clippy::cast_precision_loss, reason = "durations are far below 2^52 ms")]
pub(in crate::report) fn time(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        _ if ms.is_multiple_of(1_000) => format!("{} s", ms / 1_000),
        _ => format!("{:.1} s", ms as f64 / 1e3),
    }
}

/// A number in a second, with the digits that matter.
pub(in crate::report) fn rate(rate: f64) -> String {
    if rate < 10.0 && rate.fract() > 0.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

/// A share of a whole; a small one is not told as none.
pub(in crate::report) fn share(share: f64) -> String {
    match share * 100.0 {
        percent if percent <= 0.0 => "0 %".to_owned(),
        percent if percent < 0.01 => "< 0.01 %".to_owned(),
        percent if percent < 0.095 => format!("{percent:.2} %"),
        percent if percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_three_digits_and_fit_six_columns() {
        let told =
            [0.0, 0.7, 850.4, 999.6, 1_234.0, 12_340.0, 123_400.0, 999_600.0, 3_200_000.0, 123_000_000.0].map(span);
        assert_eq!(told, ["0µs", "1µs", "850µs", "1.00ms", "1.23ms", "12.3ms", "123ms", "1.00s", "3.20s", "123s"]);
        assert!((0..3_600_000).step_by(977).all(|ms| span(f64::from(ms) * 1e3).chars().count() <= 6));
    }

    #[test]
    fn a_small_share_is_not_told_as_none() {
        let told = [0.0, 0.00001, 0.0005, 0.0123, 0.0996, 0.5, 1.0].map(share);
        assert_eq!(told, ["0 %", "< 0.01 %", "0.05 %", "1.2 %", "10 %", "50 %", "100 %"]);
    }

    #[test]
    fn a_percentile_is_told_only_if_a_request_lies_beyond_it() {
        let of = |count: u32| {
            let mut spans = crate::measure::Spans::default();
            (1..=count).for_each(|ms| spans.record(Duration::from_millis(ms.into())));
            Times::new(&spans)
        };
        assert!(percentile(&of(99), 99.0).is_none() && percentile(&of(100), 99.0).is_some());
        assert!(percentile(&of(9_999), 99.99).is_none() && percentile(&of(10_000), 99.99).is_some());
        assert!(percentile(&of(0), 50.0).is_none() && percentile(&of(5), 100.0).is_none());
    }
}
