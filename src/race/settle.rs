//! Waiting until a resource has settled, as its API description asks: before the race, and before the look at what it came to.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::round::RoundRunner;
use super::stage::{Stage, read_exchange, reader};
use crate::api::Settling;
use crate::history::{Lane, Phase};
use crate::scenario::ServerUse;
use crate::seed::Dice;
use crate::target::Target;

/// Between two reads that ask whether it has settled: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

impl<T: Target> RoundRunner<'_, T> {
    /// Waits, with `lane` in its own phase meanwhile. Whether the resource settled in time; it is not said where nothing is
    /// waited for.
    ///
    /// What a read shows before that is recorded, and not judged: the description says that it may not hold yet. The judge
    /// sees that a round ended with waiting, and what it waited for in vain.
    pub(super) async fn settle(&self, stage: &Stage<'_>, lane: &mut Lane, what: Settling, dice: &mut Dice) -> bool {
        let Some(settle) = stage.dialect.settle() else { return true };
        self.pause(settle.quiet).await;
        if !settle.is_seen(what) {
            return true;
        }
        lane.enter(Phase::Settle);
        let until = Instant::now() + settle.limit;
        let mut pause = PAUSES.0;
        loop {
            let (request, call) = stage.speak_read(&reader(stage.dialect), dice);
            let verb = call.verb.clone();
            let open = lane.open(call);
            let exchange = self.servers.at(ServerUse::Target).send(&request).await;
            let is_settled = (exchange.result.as_ref()).is_ok_and(|response| stage.dialect.is_settled(response, what));
            let (window, outcome) = read_exchange(stage.dialect, &verb, exchange);
            let is_lost = outcome.is_open_ended();
            open.close(window, outcome);
            if is_settled || is_lost || Instant::now() + pause > until {
                return is_settled;
            }
            self.pause(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn pause(&self, time: Duration) {
        if !time.is_zero() {
            tokio::time::sleep(time).await;
            self.waited_ms.fetch_add(time.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}
