//! `quickeats-bench scenarios`.

use std::fmt::Write as _;

use super::args::{ScenariosArgs, ScenariosCommand};
use super::{Failure, print, resolve, usage};
use crate::run_result::Exit;
use crate::scenario::{Scenario, catalog};

pub(super) fn main(args: ScenariosArgs) -> Result<Exit, Failure> {
    match args.command.unwrap_or(ScenariosCommand::List) {
        ScenariosCommand::List => print(&list())?,
        ScenariosCommand::Show { name } => print(&resolve::scenario(&name).map_err(usage)?.text)?,
    }
    Ok(Exit::Holds)
}

fn list() -> String {
    let scenarios = catalog::all();
    let apis = |scenario: &Scenario| -> String {
        scenario.apis.iter().map(|api| api.get_ref().as_str()).collect::<Vec<_>>().join(", ")
    };
    let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let name_width = longest(&mut scenarios.iter().map(|scenario| scenario.name.get_ref().len()));
    let api_width = longest(&mut scenarios.iter().map(|scenario| apis(scenario).len()));
    let mut list = format!("{:name_width$}  {:api_width$}  WHAT RACES\n", "SCENARIO", "API");
    for scenario in &scenarios {
        let (name, apis) = (scenario.name.get_ref(), apis(scenario));
        let _ = writeln!(list, "{name:name_width$}  {apis:api_width$}  {}", scenario.summary);
    }
    list
}
