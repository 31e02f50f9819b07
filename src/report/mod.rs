//! A run's result, for people and for machines. Renders plain data; knows nothing of races, targets or the service.

pub mod advice;
mod clean;
mod compared;
mod github;
mod html;
mod json;
mod junit;
mod listed;
pub mod load;
mod markdown;
mod palette;
mod places;
pub mod progress;
pub mod replay;
mod sarif;
mod terminal;
mod words;

pub use github::{Github, disarmed};
pub use html::Html;
pub use json::Json;
pub use junit::Junit;
pub use listed::Listed;
pub use markdown::Markdown;
pub use palette::Palette;
pub use sarif::Sarif;
pub use terminal::{Detail, Terminal, visible_width};

use crate::check_result::CheckResult;
use crate::compare_result::Comparison;
use crate::load_result::LoadResult;
use crate::probe_result::ProbeResult;
use crate::run_result::RunResult;

/// Turns a result into text.
pub trait Renderer {
    /// The text of a race, ending with a line end.
    fn render(&self, result: &RunResult) -> String;

    /// The text of a load, ending with a line end.
    fn render_load(&self, result: &LoadResult) -> String;
}

/// The JSON Schema of `run.json`, as it is committed under `reports/`.
///
/// # Panics
/// Never: a schema is plain data.
pub fn run_schema() -> String {
    schema_text(&schemars::schema_for!(RunResult))
}

/// The JSON Schema of what `check --output json` prints, as it is committed under `reports/`.
pub fn check_schema() -> String {
    schema_text(&schemars::schema_for!(CheckResult))
}

/// The JSON Schema of what `compare --format json` prints, as it is committed under `reports/`.
pub fn compare_schema() -> String {
    schema_text(&schemars::schema_for!(Comparison))
}

/// The JSON Schema of what `probe --format json` prints, as it is committed under `reports/`.
pub fn probe_schema() -> String {
    schema_text(&schemars::schema_for!(ProbeResult))
}

fn schema_text(schema: &schemars::Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema).expect("a schema is plain data");
    text.push('\n');
    text
}
