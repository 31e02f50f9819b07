//! From figures back to meters, so that those of several processes can be added up: counts are sums, and histograms hold every time in the
//! bin that it had, so nothing is lost.

use std::sync::Arc;

use super::{LoadResult, Measured, RequestFigures, Second, Times};
use crate::measure::{Figures, MOST_ABREAST, MOST_TRIES, Meter, NotSpans, Refusals, Spans};

/// Why a result's figures cannot be added to others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAdded {
    /// A histogram is none.
    #[error("the times of `{name}` are {error}")]
    Histogram {
        /// Of these requests.
        name: String,
        /// What is wrong with it.
        error: NotSpans,
    },
    /// Its figures contradict each other.
    #[error("its figures do not add up: {0}")]
    Sums(&'static str),
}

impl Measured {
    /// What a process measured, as its result has it. `labels` are what kinds of request are called; new ones are added.
    ///
    /// # Errors
    /// If a histogram cannot be read, or the figures contradict each other.
    pub fn of(result: &LoadResult, labels: &mut Vec<Arc<str>>) -> Result<Self, NotAdded> {
        let meter = meter(result, labels)?;
        let warm_up = Meter { slots: result.warm_up, ..Meter::default() };
        if !(meter.slots.add_up() && warm_up.slots.add_up()) {
            return Err(NotAdded::Sums("slots are not what was sent, dropped, answered, and lost"));
        }
        let all = meter.all();
        if all.sent != meter.slots.sent || all.from_intended != spans("all", &result.all.from_intended)? {
            return Err(NotAdded::Sums("all requests are not the sum of their kinds"));
        }
        Ok(Self {
            meter,
            warm_up,
            lag: spans("the load's own delay", &result.generator.lag)?,
            seconds: result.seconds.clone(),
            step: result.seconds.iter().map(|second| second.of).max().unwrap_or(1),
            clients: result.done_by_client.clone(),
            busiest: result.generator.busiest,
        })
    }

    /// Adds what another process measured, which began so many seconds later.
    pub fn join(&mut self, other: &Self, later: u64) {
        self.meter.add(&other.meter);
        self.warm_up.add(&other.warm_up);
        self.lag.add(&other.lag);
        for second in &other.seconds {
            self.join_second(&Second { at: second.at.saturating_add(later), ..*second });
        }
        self.clients.extend(&other.clients);
        self.busiest = self.busiest.into_iter().chain(other.busiest).max_by(f64::total_cmp);
    }
}

fn meter(result: &LoadResult, labels: &mut Vec<Arc<str>>) -> Result<Meter, NotAdded> {
    let mut meter = Meter { slots: result.slots, statuses: result.status_counts.clone(), ..Meter::default() };
    for figures in &result.requests {
        let place = labels.iter().position(|label| **label == *figures.name).unwrap_or_else(|| {
            labels.push(figures.name.as_str().into());
            labels.len() - 1
        });
        if meter.by_label.len() <= place {
            meter.by_label.resize(place + 1, None);
        }
        meter.by_label[place] = Some(Box::new(figures_of(figures)?));
    }
    for contention in &result.contention {
        let place = usize::try_from(contention.abreast).ok().filter(|abreast| (1..=MOST_ABREAST).contains(abreast));
        let place = place.ok_or(NotAdded::Sums("more requests were abreast than are told apart"))?;
        meter.abreast[place - 1] = Refusals { conditional: contention.conditional, stale: contention.stale };
    }
    if result.done_after_tries.len() > MOST_TRIES {
        return Err(NotAdded::Sums("more tries are told apart than there can be"));
    }
    for (own, told) in meter.tries.iter_mut().zip(&result.done_after_tries) {
        *own = *told;
    }
    meter.given_up = result.given_up;
    Ok(meter)
}

fn figures_of(told: &RequestFigures) -> Result<Figures, NotAdded> {
    Ok(Figures {
        from_intended: spans(&told.name, &told.from_intended)?,
        from_actual: spans(&told.name, &told.from_actual)?,
        sent: told.sent,
        answered: told.answered,
        achieved: told.achieved,
        failed: told.failed,
        unknown: told.unknown,
        errors: told.errors.max(told.failed + told.unknown),
        timed_out: told.timed_out,
        conditional: told.conditional,
        stale: told.stale,
    })
}

fn spans(name: &str, times: &Times) -> Result<Spans, NotAdded> {
    let named = |error| NotAdded::Histogram { name: crate::text::harmless(name, 80), error };
    let spans = Spans::decoded(&times.histogram).map_err(named)?;
    if spans.count() == times.count {
        Ok(spans)
    } else {
        Err(NotAdded::Sums("a histogram has more or fewer times than are told"))
    }
}
