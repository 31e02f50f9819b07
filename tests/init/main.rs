//! What `init` writes is a start: valid as it is, and, raced against a server that speaks it, it tells a sound one from a broken one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod openapi;
#[expect(dead_code, reason = "shared with the tests of shipped descriptions, which need more of it")]
#[path = "../apis/servers.rs"]
mod servers;
#[path = "../serving/mod.rs"]
mod serving;
mod tool;

use std::fs;

use tool::Tool;

/// Races what `init --model` wrote against a server, sound and with a mistake.
fn a_skeleton_tells_a_sound_server_from_a_broken_one(model: &str, server: &str, mistake: &str) {
    let tool = Tool::new();
    assert_eq!(tool.succeeds(&["init", "mine", "--model", model]), "mine.toml\nmine-race.toml\n");
    for (options, expected) in [(&[][..], 0), (&["--broken", mistake, "--window", "5ms"], 1)] {
        let Some(running) = servers::own(model, server, options) else { return };
        let race = ["race", "--api", "mine.toml", "--target", &running.url, "--rounds", "25", "--seed", "7"];
        tool.exits(expected, &race);
        tool.exits(expected, &[&race[..], &["mine-race.toml"]].concat());
    }
}

#[test]
fn a_state_machine() {
    a_skeleton_tells_a_sound_server_from_a_broken_one("state-machine", "jobs", "check-then-save");
}

#[test]
fn a_register() {
    a_skeleton_tells_a_sound_server_from_a_broken_one("register", "documents", "check-then-save");
}

#[test]
fn a_counter() {
    a_skeleton_tells_a_sound_server_from_a_broken_one("counter", "stock", "read-modify-write");
}

#[test]
fn effects() {
    a_skeleton_tells_a_sound_server_from_a_broken_one("effects", "charges", "look-up-then-store");
}

#[test]
fn nothing_is_overwritten_unless_forced() {
    let tool = Tool::new();
    fs::write(tool.path("mine-race.toml"), "precious").unwrap();
    let error = tool.fails(&["init", "mine", "--model", "counter"]);
    assert!(error.contains("mine-race.toml is there already, and nothing was written"), "{error}");
    assert!(error.contains("--force"), "{error}");
    assert!(!tool.path("mine.toml").exists());
    assert_eq!(fs::read_to_string(tool.path("mine-race.toml")).unwrap(), "precious");

    tool.succeeds(&["init", "mine", "--model", "counter", "--force"]);
    assert!(fs::read_to_string(tool.path("mine-race.toml")).unwrap().contains("mine-race"));
}

#[test]
fn files_go_where_they_are_asked_for_and_stdout_names_them_alone() {
    let tool = Tool::new();
    assert_eq!(
        tool.succeeds(&["init", "--model", "effects", "--out", "new/folder"]),
        "new/folder/my-api.toml\nnew/folder/my-api-race.toml\n"
    );
    let next = tool.run(&["init", "--model", "effects", "--force"]).stderr;
    let next = String::from_utf8(next).unwrap();
    assert!(next.contains("race --api my-api.toml --target URL"), "{next}");
    assert!(next.contains("scenarios check my-api.toml --target URL"), "{next}");
}

#[test]
fn a_description_is_printed_where_no_file_is_wanted() {
    let tool = Tool::new();
    let printed = tool.succeeds(&["init", "mine", "--model", "register", "--out", "-"]);
    quickeats_bench::api::Api::parse("mine.toml", &printed).unwrap();
    assert!(!tool.path("mine.toml").exists() && !tool.path("-").exists());
}

#[test]
fn a_name_that_nothing_can_have_is_refused_with_one_that_it_can() {
    let error = Tool::new().fails(&["init", "My Orders", "--model", "register"]);
    assert!(error.contains("`My Orders` cannot be its name") && error.contains("`my-orders`, say"), "{error}");
    let error = Tool::new().fails(&["init", "../etc/passwd", "--model", "register"]);
    assert!(error.contains("cannot be its name"), "{error}");
}

/// The examples of the newcomer's page are what `init` writes, and its race is the one of `a_state_machine`, above.
#[test]
fn the_newcomers_page_shows_what_init_writes() {
    let page = include_str!("../../docs/your-own-api.md");
    assert!(page.contains("    quickeats-bench init jobs --model state-machine\n"));
    let printed = Tool::new().succeeds(&["init", "jobs", "--model", "state-machine", "--out", "-"]);
    let examples: Vec<&str> = page.split("\n```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert!(!examples.is_empty());
    for example in examples {
        assert!(printed.contains(example), "{example}");
    }
    // The one of a text body is whole: it is read and raced as it stands.
    let (_, rest) = page.split_once("\n```toml text\n").unwrap();
    let tool = Tool::new();
    std::fs::write(tool.path("events.toml"), rest.split_once("```").unwrap().0).unwrap();
    let told = tool.succeeds(&["race", "--api", "events.toml", "--dry-run", "concurrent-replace"]);
    assert!(told.contains("PUT /user/calendar/ev-example.ics"), "{told}");
}
