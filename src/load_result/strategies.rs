//! Optimistic against pessimistic, over how much contention there is: what `strategies.json` holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LoadResult;
use crate::check::Verdict;

/// The version of the format.
pub const STRATEGIES_SCHEMA: &str = "quickeats-bench/strategies@1";

/// A comparison of strategies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Strategies {
    /// Always `quickeats-bench/strategies@1`.
    pub schema: String,
    /// The version of the tool.
    pub tool_version: String,
    /// When it started: RFC 3339, UTC.
    pub started_at: String,
    /// Where the service kept its orders.
    pub store: String,
    /// How many clients there were.
    pub clients: u32,
    /// How many orders all clients acted on.
    pub resources: u16,
    /// How long each load lasted.
    pub duration_ms: u64,
    /// How often each was made.
    pub repeats: u32,
    /// The seed that repeats their choices.
    pub seed: u64,
    /// Whether it was interrupted: then cells are missing, or have fewer loads.
    pub interrupted: bool,
    /// The worst of the verdicts; null where there is none yet.
    pub verdict: Option<Verdict>,
    /// By share, and for each share by strategy.
    pub cells: Vec<Cell>,
}

/// One strategy at one share of requests to orders that all clients act on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Its name.
    pub strategy: String,
    /// The share.
    pub hot_share: f64,
    /// What the loads came to, one after the other.
    pub loads: Vec<CellLoad>,
}

/// What one load came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellLoad {
    /// The load's folder.
    pub run_id: String,
    /// Correct operations in a second.
    pub goodput: f64,
    /// The 95th percentile from when requests were meant to begin, in microseconds.
    pub p95_us: f64,
    /// The share of conditional requests that were refused as stale; null without any.
    pub rate_412: Option<f64>,
    /// How often a change to an order that all act on was tried, on average, until it was done or given up; null without any.
    pub tries: Option<f64>,
    /// What the judge says.
    pub verdict: Option<Verdict>,
}

impl CellLoad {
    /// What a comparison takes from a load.
    pub fn of(load: &LoadResult) -> Self {
        Self {
            run_id: load.run_id.clone(),
            goodput: load.rates.goodput.unwrap_or_default(),
            p95_us: load.all.from_intended.percentile(95.0).unwrap_or_default(),
            rate_412: load.all.rate_412,
            tries: tries(load),
            verdict: load.verdict,
        }
    }
}

/// Refused tries are tries, too.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn tries(load: &LoadResult) -> Option<f64> {
    let done: u64 = load.done_after_tries.iter().sum();
    let tries: u64 = load.done_after_tries.iter().zip(1..).map(|(count, tries)| count * tries).sum();
    (done > 0).then(|| tries as f64 / done as f64)
}

impl Cell {
    /// The median of what its loads came to; `None` where none tells.
    pub fn median(&self, of: impl Fn(&CellLoad) -> Option<f64>) -> Option<f64> {
        let mut values: Vec<f64> = self.loads.iter().filter_map(of).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        match values.len() {
            0 => None,
            count if count % 2 == 1 => Some(values[middle]),
            _ => Some(f64::midpoint(values[middle - 1], values[middle])),
        }
    }

    /// The least and the most of what its loads came to.
    pub fn range(&self, of: impl Fn(&CellLoad) -> Option<f64>) -> Option<(f64, f64)> {
        let mut values: Vec<f64> = self.loads.iter().filter_map(of).collect();
        values.sort_by(f64::total_cmp);
        Some((*values.first()?, *values.last()?))
    }
}

/// The JSON Schema of `strategies.json`, as it is committed under `reports/`.
pub fn strategies_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Strategies)).expect("a schema is plain data");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_tells_the_middle_and_the_range_of_its_loads() {
        let load = |goodput: f64, rate_412: Option<f64>| CellLoad {
            run_id: String::new(),
            goodput,
            p95_us: 0.0,
            rate_412,
            tries: None,
            verdict: None,
        };
        let loads = vec![load(300.0, None), load(100.0, Some(0.5)), load(200.0, Some(0.1))];
        let cell = Cell { strategy: "optimistic".to_owned(), hot_share: 0.05, loads };
        assert_eq!(cell.median(|load| Some(load.goodput)), Some(200.0));
        assert_eq!(cell.median(|load| load.rate_412), Some(0.3));
        assert_eq!(cell.median(|load| load.tries), None);
        assert_eq!(cell.range(|load| Some(load.goodput)), Some((100.0, 300.0)));
    }
}
