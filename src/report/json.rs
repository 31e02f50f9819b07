//! The result as JSON: the same bytes as `run.json`, or `load.json`.

use serde::Serialize;

use super::Renderer;
use crate::load_result::LoadResult;
use crate::run_result::RunResult;

/// JSON, indented.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Renderer for Json {
    fn render(&self, result: &RunResult) -> String {
        indented(result)
    }

    fn render_load(&self, result: &LoadResult) -> String {
        indented(result)
    }
}

fn indented(result: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(result).expect("a result is plain data");
    text.push('\n');
    text
}
