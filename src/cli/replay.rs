//! `--replay RUN`: the plan of a saved run, to be played again.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;

use super::verify;
use crate::history::Delivered;
use crate::seed::Seed;

/// What a saved run did.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) seed: Seed,
    /// The API description that it raced, by name.
    pub(super) api: String,
    /// Its scenarios, in order.
    pub(super) scenarios: Vec<String>,
    /// By scenario: how the volley of each raced round was delivered.
    pub(super) rounds: BTreeMap<String, Vec<Delivered>>,
}

impl Replay {
    /// Reads it from a run's folder.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let (result, saved) = verify::read(folder)?;
        let mut rounds = BTreeMap::new();
        for (line, history) in &saved.scenarios {
            let delivered: Vec<Delivered> =
                history.rounds().filter_map(|(round, _)| history.delivered(round).cloned()).collect();
            if !delivered.is_empty() {
                rounds.insert(line.scenario.clone(), delivered);
            }
        }
        if rounds.is_empty() {
            bail!(
                "{} does not say how its volleys were delivered, so they cannot be played again\n  = help: it may be of an \
                 earlier version, or hold swarms alone, which --seed repeats",
                folder.join("history.jsonl").display()
            );
        }
        let scenarios = rounds.keys().cloned().collect::<Vec<_>>();
        let in_order = result.scenarios.iter().map(|scenario| scenario.name.clone());
        let scenarios = in_order.filter(|name| scenarios.contains(name)).collect();
        Ok(Self { seed: Seed::new(result.seed), api: result.api, scenarios, rounds })
    }
}
