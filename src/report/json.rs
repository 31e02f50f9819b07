//! The result as JSON: the same bytes as `run.json`, or `load.json`.

use super::Renderer;
use crate::load_result::LoadResult;
use crate::run_result::RunResult;

/// JSON, indented.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Renderer for Json {
    fn render(&self, result: &RunResult) -> String {
        crate::text::json(result)
    }

    fn render_load(&self, result: &LoadResult) -> String {
        crate::text::json(result)
    }
}
