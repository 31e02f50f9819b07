//! What a run tells GitHub when it runs in a workflow there: annotations, and a page of the step's summary.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use super::saved::SavedRun;
use crate::report::{Github, Markdown};
use crate::text::harmless;

/// What a step's summary may hold (bytes): GitHub shows nothing of a larger one.
const MOST: u64 = 1 << 20;

/// Whether this is a step of a workflow: its log takes commands.
pub(super) fn is_github() -> bool {
    env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Tells what the run came to, if this is a step of a workflow. The annotations go to stderr, which the runner reads as well: stdout is
/// the answer alone.
pub(super) fn tell(result: &SavedRun) {
    if !is_github() {
        return;
    }
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(result.render(&Github).as_bytes());
    let Some(summary) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return };
    if let Err(error) = append(Path::new(&summary), &result.render(&Markdown)) {
        // Nobody asked for it by a flag, and the run is reported elsewhere.
        let _ = writeln!(stderr, "the step's summary could not be written: {}", harmless(&error.to_string(), 200));
    }
}

fn append(path: &Path, page: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    if file.metadata()?.len() + page.len() as u64 > MOST {
        return Err(io::Error::other(format!("with this run's page it would hold more than {MOST} bytes")));
    }
    file.write_all(page.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_added_until_a_summary_is_full() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("summary.md");
        append(&path, "one\n").expect("there is room");
        append(&path, "two\n").expect("there is room");
        assert_eq!(std::fs::read_to_string(&path).expect("written"), "one\ntwo\n");
        let page = "x".repeat(1 << 20);
        assert!(append(&path, &page).expect_err("full").to_string().contains("1048576 bytes"));
        assert_eq!(std::fs::read_to_string(&path).expect("kept"), "one\ntwo\n");
    }
}
