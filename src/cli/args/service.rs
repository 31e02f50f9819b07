//! How the in-process reference service is set up.

use std::time::Duration;

use clap::Args;

use super::{defect_parser, strategy_parser};
use crate::service::{Defect, KeyStoreChoice, LatencyRule, StoreChoice, Strategy};
use crate::text::parse_duration;

/// How the in-process reference service is set up.
#[derive(Debug, Args)]
pub(in crate::cli) struct InProcessArgs {
    /// Where the in-process reference service keeps its orders: memory, sqlite:PATH, or
    /// postgres://USER:PASSWORD@HOST:PORT/DATABASE. Its tables are made if they are not there; the run adds orders
    #[arg(long, value_name = "STORE", conflicts_with = "target", default_value = "memory")]
    pub(in crate::cli) store: StoreChoice,

    /// Where the in-process reference service keeps idempotency keys: same (with the orders, in one transaction), or
    /// redis://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(long, value_name = "STORE", conflicts_with = "target", default_value = "same")]
    pub(in crate::cli) idempotency_store: KeyStoreChoice,

    /// How the in-process reference service keeps contenders for one order apart
    #[arg(long, value_name = "NAME", conflicts_with = "target", default_value = "optimistic", value_parser = strategy_parser())]
    pub(in crate::cli) strategy: Strategy,

    /// How long actions of the in-process reference service take before they reach the store: 500ms, all of them; acceptance=3ms, one of them, and then that is
    /// its own time. May be given several times
    #[arg(long, value_name = "[ACTION=]DURATION", conflicts_with = "target")]
    pub(in crate::cli) latency: Vec<LatencyRule>,

    /// The mistake that the in-process reference service makes
    #[arg(long, value_name = "NAME", conflicts_with = "target", value_parser = defect_parser())]
    pub(in crate::cli) defect: Option<Defect>,

    /// Widen the defect's gap (between check and act, answer and commit, cache and store) by this long, such as 1ms
    #[arg(long, value_name = "DURATION", requires = "defect", value_parser = parse_duration)]
    pub(in crate::cli) defect_window: Option<Duration>,
}
