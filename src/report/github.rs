//! GitHub's workflow commands: annotations at the top of a workflow's page and, where a file was named, beside it.
//!
//! A step shows ten of each level, so the tenth line counts the rest. The runner takes `::error` at the beginning of a line, and
//! `##[error]` anywhere: what a report prints of strangers there goes through [`disarmed`].

use super::clean::clean;
use super::words::{self, Counted, Limit};
use super::{Renderer, places};
use crate::check::{Severity, Verdict};
use crate::load_result::LoadResult;
use crate::report::replay;
use crate::run_result::{Exit, FindingResult, RunResult, ScenarioResult};

/// Annotations, a line each.
#[derive(Debug, Clone, Copy, Default)]
pub struct Github;

/// Annotations of one level that a step shows.
const MOST: usize = 10;
/// Characters of an annotation's message.
const MESSAGE: usize = 4_000;

impl Renderer for Github {
    fn render(&self, result: &RunResult) -> String {
        let result = &clean(result);
        let mut annotations = Vec::new();
        for scenario in &result.scenarios {
            annotations.extend(scenario.findings.iter().map(|finding| of_finding(result, scenario, finding)));
            if scenario.verdict == Verdict::Inconclusive {
                annotations.push(of_doubts(result, scenario));
            }
        }
        annotations.extend(of_run(result));
        if annotations.iter().all(|annotation| annotation.level == Level::Warning) && result.exit_code == 0 {
            let told = format!("{}, {}", words::answer(result), words::raced(result));
            annotations.push(Annotation {
                level: Level::Notice,
                title: "quickeats-bench".to_owned(),
                file: None,
                told,
            });
        }
        lines(&annotations)
    }

    fn render_load(&self, result: &LoadResult) -> String {
        super::load::github::render(&clean(result))
    }
}

/// All of them, errors first.
pub(super) fn lines(annotations: &[Annotation]) -> String {
    [Level::Error, Level::Warning, Level::Notice].into_iter().map(|level| shown(level, annotations)).collect()
}

/// How an annotation looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    const fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

pub(super) struct Annotation {
    pub(super) level: Level,
    pub(super) title: String,
    pub(super) file: Option<String>,
    pub(super) told: String,
}

pub(super) fn of_finding(result: &RunResult, scenario: &ScenarioResult, finding: &FindingResult) -> Annotation {
    let level = match finding.severity {
        Severity::Violation => Level::Error,
        Severity::Warning if result.fail_on == Severity::Warning => Level::Error,
        Severity::Warning => Level::Warning,
    };
    let replay = replay::command(result, scenario).map(|command| format!("\nPlay it again: {command}"));
    Annotation {
        level,
        title: format!("{} in {}", finding.kind, scenario.name),
        file: places::file(result, &scenario.name),
        told: format!(
            "{}: {}{}",
            words::seen(Counted::of(result), scenario, finding),
            words::sentence(finding),
            replay.unwrap_or_default()
        ),
    }
}

pub(super) fn of_doubts(result: &RunResult, scenario: &ScenarioResult) -> Annotation {
    let doubts = if scenario.doubts.is_empty() { "nothing was shown".to_owned() } else { scenario.doubts.join("; ") };
    Annotation {
        level: Level::Error,
        title: format!("inconclusive: {}", scenario.name),
        file: places::file(result, &scenario.name),
        told: doubts,
    }
}

/// What no scenario tells.
fn of_run(result: &RunResult) -> Vec<Annotation> {
    let error = |title: &str, told: &str| Annotation {
        level: Level::Error,
        title: title.to_owned(),
        file: None,
        told: told.to_owned(),
    };
    let mut told = Vec::new();
    for threshold in &result.thresholds {
        if let (Limit::Crossed, text) = words::threshold(threshold) {
            told.push(error("threshold crossed", &text));
        }
    }
    if result.interrupted || result.exit_code == Exit::Interrupted.code() {
        told.push(error("interrupted", "judged is what was seen until then"));
    } else if result.exit_code == Exit::TargetUnusable.code() {
        told.push(error("target unusable", "it stopped answering: judged is what was seen until then"));
    } else if result.scenarios.is_empty() {
        told.push(error("inconclusive", "no scenario was raced"));
    }
    told
}

/// The annotations of one level, at most [`MOST`].
fn shown(level: Level, annotations: &[Annotation]) -> String {
    let of_level: Vec<&Annotation> = annotations.iter().filter(|annotation| annotation.level == level).collect();
    let rest = if of_level.len() > MOST { of_level.len() - (MOST - 1) } else { 0 };
    let mut lines: String = of_level[..of_level.len() - rest].iter().map(|annotation| annotation.line()).collect();
    if rest > 0 {
        let told = format!("and {rest} more: a step shows {MOST} of a level, the report has all");
        lines += &Annotation { level, title: "quickeats-bench".to_owned(), file: None, told }.line();
    }
    lines
}

impl Annotation {
    fn line(&self) -> String {
        let file = self.file.as_ref().map(|file| format!("file={},line=1,", property(file))).unwrap_or_default();
        let told: String = self.told.chars().take(MESSAGE).collect();
        format!("::{} {file}title={}::{}\n", self.level.command(), property(&self.title), data(&told))
    }
}

/// A message: the runner unescapes these three.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property: it ends at a comma, and all of them at two colons.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text for a workflow's log, in which no line is a command: `::` at a line's beginning and `##[` anywhere are parted by a
/// backslash.
pub fn disarmed(text: &str) -> String {
    let line = |line: &str| {
        let rest = line.trim_start();
        let blank = &line[..line.len() - rest.len()];
        let rest = rest.replace("##[", "#\\#[");
        if rest.starts_with("::") { format!("{blank}\\{rest}") } else { format!("{blank}{rest}") }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_end_its_command() {
        assert_eq!(data("100 %\r\n::error::x"), "100 %25%0D%0A::error::x");
        assert_eq!(property("a:b,c%"), "a%3Ab%2Cc%25");
    }

    #[test]
    fn no_line_of_a_log_is_a_command() {
        assert_eq!(
            disarmed("a\n  ::set-env name=x::y\n::error::z\nb ::fine:: \n"),
            "a\n  \\::set-env name=x::y\n\\::error::z\nb ::fine:: \n"
        );
        assert_eq!(disarmed("x ##[error]y"), "x #\\#[error]y");
        assert_eq!(disarmed("nothing to do: a::b\n"), "nothing to do: a::b\n");
    }
}
