//! The code that hints show is code: PostgreSQL runs the SQL of each, and Python reads what is Python.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../real_parts/mod.rs"]
#[expect(dead_code, reason = "no hint's code is run on Redis")]
mod real_parts;

use std::io::Write as _;
use std::process::{Command, Stdio};

use quickeats_bench::check::Kind;
use quickeats_bench::report::advice::Advice;

/// The examples of all kinds that are written in `language`.
fn examples(language: &str) -> Vec<(Kind, &'static str)> {
    let of = |kind: Kind| Advice::of(kind).examples().map(move |(_, written_in, code)| (kind, written_in, code));
    let all = Kind::ALL.into_iter().flat_map(of);
    all.filter(|(_, written_in, _)| *written_in == language).map(|(kind, _, code)| (kind, code)).collect()
}

/// What a program says against its input; nothing if it takes it.
fn complaint(command: &mut Command, input: &str) -> Option<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn postgres_runs_the_sql_of_every_hint() {
    if !real_parts::has_postgres("the SQL of hints") {
        return;
    }
    let database = real_parts::postgres();
    let run = |sql: &str| {
        // Each on tables of its own. A hint may end before its last line has a semicolon.
        let input = format!("CREATE SCHEMA one; SET search_path = one;\n{}\n{sql}\n;", include_str!("tables.sql"));
        let told = complaint(Command::new("psql").args(["-X", &database]), &input);
        complaint(Command::new("psql").args(["-X", "-q", &database]), "DROP SCHEMA one CASCADE;");
        told
    };
    let all = examples("sql");
    assert!(all.len() > 25, "{} examples", all.len());
    for (kind, sql) in all {
        // What it adds to a table, its table has not got yet.
        let before =
            if sql.contains("ADD COLUMN version") { "ALTER TABLE documents DROP COLUMN version;\n" } else { "" };
        let before =
            if sql.contains("CREATE TABLE idempotency_keys") { "DROP TABLE idempotency_keys;\n" } else { before };
        assert_eq!(run(&format!("{before}{sql}")), None, "{kind}: {sql}");
    }
    assert!(run("UPDATE order SET status = 'x';").is_some() && run("SELECT :nothing;").is_some(), "mistakes are seen");
}

#[test]
fn python_reads_the_python_of_every_hint() {
    let read = |code: &str| {
        complaint(Command::new("python3").args(["-c", "import ast, sys; ast.parse(sys.stdin.read())"]), code)
    };
    if !Command::new("python3").arg("--version").output().is_ok_and(|told| told.status.success()) {
        let _ = writeln!(
            std::io::stderr(),
            "left out: the Python of hints: python3 is not installed (apt-get install python3)"
        );
        return;
    }
    let all = examples("python");
    assert!(all.len() > 5, "{} examples", all.len());
    for (kind, code) in all {
        assert_eq!(read(code), None, "{kind}: {code}");
    }
    assert!(read("def f(x): …").is_some(), "mistakes are seen");
}
