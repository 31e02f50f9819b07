//! Workflow commands, read as GitHub's runner reads them.

use quickeats_bench::report::{Github, Palette, Renderer, Terminal, disarmed};

use crate::{assert_harmless, fixed, results};

/// A command: its name, its properties, its message.
type Command = (String, Vec<(String, String)>, String);

/// A line as the runner takes it: `::name key=value,key=value::message` at its beginning, or `##[name …]` anywhere.
fn command(line: &str) -> Option<Command> {
    let Some((head, message)) = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::")) else {
        let (_, rest) = line.split_once("##[")?;
        let (head, message) = rest.split_once(']')?;
        return Some((head.to_owned(), Vec::new(), message.to_owned()));
    };
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = (properties.split(','))
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), plain(&value.replace("%3A", ":").replace("%2C", ","))))
        .collect();
    Some((name.to_owned(), properties, plain(message)))
}

fn plain(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}

fn commands(text: &str) -> Vec<Command> {
    text.lines().map(|line| command(line).unwrap_or_else(|| panic!("no command: {line}"))).collect()
}

#[test]
fn every_line_is_one_annotation() {
    for (name, result) in results() {
        let text = Github.render(result);
        assert_harmless(name, &text);
        let told = commands(&text);
        for level in ["error", "warning", "notice"] {
            assert!(
                told.iter().filter(|(name, ..)| name == level).count() <= 10,
                "{name}: a step shows ten of a level"
            );
        }
        assert!(
            told.iter().all(|(name, ..)| ["error", "warning", "notice"].contains(&name.as_str())),
            "{name}: {text}"
        );
        assert_eq!(told.iter().any(|(name, ..)| name == "error"), result.exit_code != 0, "{name}: {text}");
        assert!(!told.is_empty(), "{name}");
    }
}

#[test]
fn hostile_text_adds_no_command_and_no_property() {
    let result = fixed::mixed();
    let shape = |text: &str| {
        let told = commands(&Github.render(&fixed::filled(&result, text)));
        let keys =
            |(name, properties, _): Command| (name, properties.into_iter().map(|(key, _)| key).collect::<Vec<_>>());
        told.into_iter().map(keys).collect::<Vec<_>>()
    };
    assert_eq!(shape(fixed::HOSTILE), shape("plain"));
    let told = commands(&Github.render(&fixed::filled(&result, "a:b,c=d::e%0Af")));
    let (_, properties, message) = &told[0];
    assert!(properties.contains(&("title".to_owned(), "lost-update in a:b,c=d::e%0Af".to_owned())), "{properties:?}");
    assert!(message.contains("A:b,c=d::e%0Af"), "{message}");
}

#[test]
fn what_is_cut_is_counted() {
    let told = commands(&Github.render(&fixed::found(200)));
    let errors: Vec<&Command> = told.iter().filter(|(name, ..)| name == "error").collect();
    assert_eq!(errors.len(), 10);
    assert!(errors[9].2.starts_with("and 192 more"), "{}", errors[9].2); // 200 findings and a threshold
}

#[test]
fn a_report_in_a_log_holds_no_command() {
    for text in [fixed::HOSTILE, "::error::owned", "##[error]owned", "x\n  ::add-mask::owned"] {
        for width in [None, Some(60)] {
            let report = Terminal { palette: Palette::Plain, width }.render(&fixed::filled(&fixed::mixed(), text));
            let commands: Vec<Command> = disarmed(&report).lines().filter_map(command).collect();
            assert_eq!(commands, []);
        }
    }
}
