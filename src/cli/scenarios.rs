//! `quickeats-bench scenarios`.

use std::fmt::Write as _;

use anyhow::bail;

use super::args::{ScenariosArgs, ScenariosCommand};
use super::selection::{self, Asked};
use super::{Failure, print, print_exactly, scenario_check, usage};
use crate::race::Stop;
use crate::run_result::Exit;
use crate::scenario::{ModelKind, PAIRS, Scenario, catalog};

pub(super) async fn main(args: ScenariosArgs, stop: &Stop) -> Result<Exit, Failure> {
    match args.command.unwrap_or(ScenariosCommand::List) {
        ScenariosCommand::List => print(&list())?,
        ScenariosCommand::Check(args) => return scenario_check::main(&args, stop).await,
        ScenariosCommand::Show { name } => print_exactly(&show(&name).map_err(usage)?)?,
    }
    Ok(Exit::Holds)
}

/// The text of a scenario's file.
fn show(name: &str) -> anyhow::Result<String> {
    if Asked::pairs(name).is_some() {
        let name = crate::text::harmless(name, 200);
        bail!(
            "`{name}` has no file: pairs are made from an API description\n  = help: `quickeats-bench scenarios check {name} \
             --api FILE` shows what they come to"
        );
    }
    Ok(selection::scenario(name)?.text)
}

fn list() -> String {
    let (built_in, generic) = (catalog::all(), catalog::generic());
    let rows = (built_in.iter().chain(&generic))
        .map(|scenario| (scenario.name.get_ref().as_str(), audience(scenario), scenario.summary.as_str()))
        .chain([(
            PAIRS,
            ModelKind::StateMachine.word().to_owned(),
            "Every two actions that a state allows, each with each and with itself",
        )]);
    let rows: Vec<_> = rows.collect();
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let name_width = widest(&mut rows.iter().map(|(name, _, _)| name.len()));
    let for_width = widest(&mut rows.iter().map(|(_, audience, _)| audience.len()));
    let mut list = format!("{:name_width$}  {:for_width$}  WHAT RACES\n", "SCENARIO", "API OR MODEL");
    for (name, audience, summary) in &rows {
        let _ = writeln!(list, "{name:name_width$}  {audience:for_width$}  {summary}");
    }
    list
}

/// What it is for: an API description, or models.
fn audience(scenario: &Scenario) -> String {
    if scenario.models.len() == ModelKind::ALL.len() { "any model".to_owned() } else { scenario.audience() }
}
