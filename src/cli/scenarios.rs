//! `quickeats-bench scenarios`.

use comfy_table::{Table, presets};

use super::args::{ScenariosArgs, ScenariosCommand};
use super::{Failure, print, resolve, usage};
use crate::run_result::Exit;
use crate::scenario::catalog;

pub(super) fn main(args: ScenariosArgs) -> Result<Exit, Failure> {
    match args.command.unwrap_or(ScenariosCommand::List) {
        ScenariosCommand::List => print(&list()),
        ScenariosCommand::Show { name } => print(&resolve::scenario(&name).map_err(usage)?.text),
    }
    Ok(Exit::Holds)
}

fn list() -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["SCENARIO", "API", "WHAT RACES"]);
    for scenario in catalog::all() {
        let apis: Vec<&str> = scenario.apis.iter().map(|api| api.get_ref().as_str()).collect();
        table.add_row([scenario.name.get_ref().as_str(), &apis.join(", "), &scenario.summary]);
    }
    format!("{table}\n")
}
