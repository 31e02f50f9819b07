//! Plan after plan, raced as long as there is time, and a target.

use std::sync::Arc;

use tokio::time::Instant;

use super::book::Book;
use super::extent::Time;
use super::look::look;
use super::{RunConfig, TargetChoice};
use crate::clock::Clock;
use crate::event::{Event, Observer};
use crate::measure::Tally;
use crate::race::{Ending, Finish, Pace, Race, Restart, Stop};
use crate::run_result::{Rerun, ScenarioResult};
use crate::scenario::{self, Plan, ScriptTarget};
use crate::target::{HttpTarget, Method};

/// Why a scenario that the time did not suffice for says nothing.
const NO_TIME: &str = "not raced: there was no time left for it";

/// What racing all plans came to.
#[derive(Default)]
pub(super) struct Raced {
    pub(super) scenarios: Vec<ScenarioResult>,
    pub(super) tally: Tally,
    pub(super) target_lost: bool,
    /// Scenarios whose time was over before all rounds were raced.
    pub(super) out_of_time: Vec<String>,
    /// Scenarios that had shown enough before all rounds were raced.
    pub(super) settled: Vec<String>,
}

/// What may end a run before all is raced.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    pub(super) time: Time,
    /// Asked by the user.
    pub(super) stop: &'a Stop,
    /// Ends the round under way, for either reason.
    pub(super) cut: &'a Stop,
}

/// What is raced, and how it can be.
#[derive(Clone, Copy)]
pub(super) struct Targets<'a> {
    pub(super) target: &'a HttpTarget,
    pub(super) replica: Option<&'a HttpTarget>,
    pub(super) restart: Option<&'a dyn Restart>,
    /// The methods of delivery that are asked for, and that it allows.
    pub(super) methods: &'a [Method],
}

/// Races every plan, one after the other, as long as there is time and a target.
pub(super) async fn race_all(
    config: &RunConfig,
    Targets { target, replica, restart, methods }: Targets<'_>,
    url: &str,
    clock: Clock,
    book: &mut Book,
    observer: &dyn Observer,
    Ends { time, stop, cut }: Ends<'_>,
) -> Raced {
    let clients = Arc::default();
    let mut raced = Raced::default();
    for (index, plan) in config.plans.iter().enumerate() {
        let replay = config.replay.get(&plan.name).cloned().unwrap_or_default();
        let rounds = match u32::try_from(replay.len()) {
            Ok(rounds) if rounds > 0 => rounds,
            Ok(_) | Err(_) => config.extent.rounds,
        };
        let deadline = time.share(config.plans.len() - index);
        let began = clock.now();
        observer.on(&Event::ScenarioStarted {
            name: &plan.name,
            rounds,
            needed: config.extent.until.iter().filter_map(|rule| rule.trials_needed()).min(),
            time: deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())),
        });
        let mut chapter = book.begin(plan, config, observer);
        let pace = Pace {
            rounds,
            deadline,
            parallel: config.parallel,
            max_rate: config.max_rate,
            gate_limit: config.timeout,
            methods: methods.to_vec(),
            sweep: config.sweep,
            replay,
        };
        let mut is_out_of_time = false;
        if stop.is_asked() {
            chapter.doubt("not raced: the run was interrupted");
        } else if raced.target_lost {
            chapter.doubt("not raced: the target had stopped answering");
        } else if time.is_over() {
            is_out_of_time = true;
            chapter.doubt(NO_TIME);
        } else {
            let race = Race::new((target, replica), plan, config.seed, clock, Arc::clone(&clients), pace)
                .with_restart(restart);
            let Finish { ending, parallel } = race.run(cut, &mut chapter).await;
            chapter.ran_abreast(parallel);
            is_out_of_time = matches!(ending, Ending::OutOfTime(_)) || cut.is_asked() && !stop.is_asked();
            if is_out_of_time && !chapter.has_raced() {
                chapter.doubt(NO_TIME);
            }
            if ending == Ending::Settled {
                raced.settled.push(plan.name.clone());
            }
            if let Ending::GaveUp(why) = &ending {
                chapter.doubt(&format!("given up after several rounds in a row without a usable answer: {why}"));
            }
            if let Ending::GaveUp(why) | Ending::Faltered(why) | Ending::OutOfTime(Some(why)) = ending
                && look(&config.api, target, url, stop).await.is_err()
            {
                raced.target_lost = true;
                chapter.doubt(&format!("the target stopped answering: {why}"));
            }
        }
        if is_out_of_time {
            raced.out_of_time.push(plan.name.clone());
        }
        let (mut scenario, tally) = chapter.close();
        scenario.duration_ms = Some(clock.now().since(began).as_millis().try_into().unwrap_or(u64::MAX));
        if !scenario.findings.is_empty() {
            scenario.script = script(plan, config, url);
        }
        let done = Event::ScenarioDone { name: &plan.name, verdict: scenario.verdict, rounds: scenario.rounds };
        observer.on(&done);
        raced.tally.add(&tally);
        raced.scenarios.push(scenario);
    }
    raced
}

/// The scenario for a shell. The in-process service is gone when it is read: another one is started first.
fn script(plan: &Plan, config: &RunConfig, url: &str) -> Option<String> {
    let start = match config.target {
        TargetChoice::InProcess(_) => Some(config.rerun.serve()),
        TargetChoice::Remote { .. } => None,
    };
    let url = if start.is_some() { Rerun::SERVED_AT } else { url };
    scenario::script(plan, ScriptTarget { url, start: start.as_deref() })
}
