//! The result as JSON: the same bytes as `run.json`.

use super::Renderer;
use crate::run_result::RunResult;

/// JSON, indented.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Renderer for Json {
    fn render(&self, result: &RunResult) -> String {
        let mut text = serde_json::to_string_pretty(result).expect("a result is plain data");
        text.push('\n');
        text
    }
}
