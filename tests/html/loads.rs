//! Fixed loads: the one that every renderer is held against.

use quickeats_bench::check::Verdict;
use quickeats_bench::load_result::LoadResult;

use crate::hostile;

/// A load that found two kinds, crossed limits, dropped requests, and was late.
pub(crate) fn violated() -> LoadResult {
    serde_json::from_str(include_str!("../rendered/runs/load.json")).unwrap()
}

/// A load on which nothing was found.
pub(crate) fn holds() -> LoadResult {
    let mut load = violated();
    let scenario = &mut load.judged.as_mut().unwrap().scenario;
    scenario.findings.clear();
    scenario.verdict = Verdict::Holds;
    load.verdict = Some(Verdict::Holds);
    load.thresholds.clear();
    load.generator.void.clear();
    load.exit_code = 0;
    load
}

/// One URL, read over and over: nothing to judge, and nobody was in anybody's way.
pub(crate) fn plain() -> LoadResult {
    let mut load = holds();
    (load.judged, load.verdict, load.rates.goodput) = (None, None, None);
    (load.plan.api, load.plan.traffic) = (None, "GET /health".to_owned());
    load.requests.clear();
    load.contention.clear();
    load.done_after_tries.clear();
    (load.given_up, load.all.rate_412, load.rerun) = (0, None, None);
    load
}

/// A stranger's words in every field but the histograms of all requests: of words nothing is drawn.
pub(crate) fn hostile() -> LoadResult {
    let (mut load, friendly) = (hostile::of(&violated()), violated());
    load.all.from_intended.histogram = friendly.all.from_intended.histogram;
    load.all.from_actual.histogram = friendly.all.from_actual.histogram;
    load
}
