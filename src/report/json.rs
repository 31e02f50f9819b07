//! The result as JSON: the same bytes as `run.json`.

use super::Renderer;
use crate::run_result::RunResult;

/// JSON, indented.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Renderer for Json {
    fn render(&self, result: &RunResult) -> String {
        crate::text::json(result)
    }
}
