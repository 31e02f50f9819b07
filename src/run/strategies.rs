//! One load after the other on the reference service: each strategy at each share of contention, in turn, so that whatever else the
//! machine does hits all alike.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::book::make_folder;
use super::load::{LoadConfig, Subject, load};
use super::{RunError, TargetChoice};
use crate::load_result::{Cell, CellLoad, LoadObserver, STRATEGIES_SCHEMA, Strategies};
use crate::race::Stop;
use crate::service::Strategy;

/// What is compared.
#[derive(Debug, Clone)]
pub struct StrategiesConfig {
    /// A load of the reference service; its strategy and its share of contention are the comparison's.
    pub load: LoadConfig,
    /// Shares of requests to orders that all clients act on.
    pub shares: Vec<f64>,
    /// How often each load is made.
    pub repeats: u32,
}

/// Makes the comparison. A load that is interrupted is the last one, and does not count.
///
/// # Errors
/// If the service cannot be started, or the folder not be made.
///
/// # Panics
/// If the load is not one of traffic on the reference service.
pub async fn compare_strategies(
    config: &StrategiesConfig,
    observer: &dyn LoadObserver,
    stop: &Stop,
) -> Result<(Strategies, PathBuf), RunError> {
    let started_at = jiff::Timestamp::now();
    let (folder, _) = make_folder(&config.load.out, started_at)?;
    let mut cells: Vec<Cell> = (config.shares.iter())
        .flat_map(|share| Strategy::ALL.map(|strategy| (strategy, *share)))
        .map(|(strategy, share)| Cell { strategy: strategy.name().to_owned(), hot_share: share, loads: Vec::new() })
        .collect();
    'all: for _ in 0..config.repeats {
        for cell in &mut cells {
            let made = load(&config.cell(cell, &folder), observer, stop).await?;
            if stop.is_asked() {
                break 'all;
            }
            cell.loads.push(CellLoad::of(&made.result));
        }
    }
    let (Subject::Traffic(plan), TargetChoice::InProcess(service)) = (&config.load.subject, &config.load.target) else {
        unreachable!("the same as in each cell")
    };
    let result = Strategies {
        schema: STRATEGIES_SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: started_at.to_string(),
        store: service.store.to_string(),
        clients: config.load.clients,
        resources: plan.hot.resources,
        duration_ms: config.load.duration.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        repeats: config.repeats,
        seed: config.load.seed.value(),
        interrupted: stop.is_asked(),
        verdict: cells.iter().flat_map(|cell| &cell.loads).filter_map(|load| load.verdict).max(),
        cells,
    };
    let path = folder.join("strategies.json");
    let mut json = serde_json::to_vec_pretty(&result).expect("a result is plain data");
    json.push(b'\n');
    fs::write(&path, json).map_err(|cause| RunError::Report { path, cause })?;
    Ok((result, folder))
}

impl StrategiesConfig {
    fn cell(&self, cell: &Cell, folder: &std::path::Path) -> LoadConfig {
        let mut config = self.load.clone();
        folder.clone_into(&mut config.out);
        let (Subject::Traffic(plan), TargetChoice::InProcess(service)) = (&mut config.subject, &mut config.target)
        else {
            panic!("strategies are the reference service's")
        };
        Arc::make_mut(plan).hot.share = cell.hot_share;
        service.strategy = cell.strategy.parse().expect("cells are made of strategies");
        config
    }
}
