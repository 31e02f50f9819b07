//! The page of a load: the answer and the one number, what was found, then what was measured.

mod answer;
mod numbers;

use maud::{Markup, html};

use super::{charts, findings, mending, whole};
use crate::load_result::LoadResult;
use crate::report::clean::clean;
use crate::report::load::view;

/// The whole page.
pub(super) fn page(load: &LoadResult) -> Markup {
    let load = &clean(load);
    let run = view::as_run(load);
    let found = findings::all(&run);
    let main = html! {
        (answer::section(load, &found))
        (findings::section(&run))
        (mending::section(&found))
        (numbers::requests(load))
        (charts::of_load(load))
        (numbers::judged(load))
        (numbers::effort(load))
    };
    whole(&answer::title(load), &load.tool_version, &main, &answer::footer(load))
}
