//! API descriptions and scenarios as people write them: valid ones are read, each mistake is named where it stands, and editors know the
//! format by its JSON Schema.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod corpus;
mod scenarios;

use std::fs;
use std::path::{Path, PathBuf};

use quickeats_bench::api::{Api, EnvironmentError, api_schema};
use serde_json::Value;

const COMMITTED_SCHEMA: &str = include_str!("../../scenarios/api.schema.json");
const MALFORMED: &str = include_str!("malformed.txt");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The TOML files of a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "toml")).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files
}

fn all_valid() -> Vec<PathBuf> {
    ["scenarios/apis", "tests/histories/apis", "tests/descriptions/valid"].into_iter().flat_map(files).collect()
}

#[test]
fn schema() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(root().join("scenarios/api.schema.json"), api_schema()).unwrap();
    }
    assert_eq!(COMMITTED_SCHEMA, api_schema(), "regenerate it: UPDATE_SCHEMA=1 cargo test --test descriptions schema");
}

#[test]
fn valid_descriptions_are_read_and_true_to_the_schema() {
    let schema: Value = serde_json::from_str(COMMITTED_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for path in all_valid() {
        let text = fs::read_to_string(&path).unwrap();
        Api::parse("x.toml", &text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let json: Value = toml::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

/// What is kept in a history is a description itself, and gives nothing away.
#[test]
fn a_saved_description_is_read_again_and_holds_no_secret() {
    let text = fs::read_to_string(root().join("tests/descriptions/valid/register.toml")).unwrap();
    let told = text.replace("{env:PAGES_PASSWORD}", "hunter2").replace("{env:PAGES_SECRET}", "hunter2hunter2");
    let api = Api::parse("x.toml", &told).unwrap();
    // (A secret in a path or a query would be on show in every log: those belong into the environment.)
    let shown: Vec<&str> = api.source.lines().filter(|line| line.contains("hunter2")).collect();
    assert_eq!(shown, [r#"query = { format = "json", key = "hunter2" }"#]);
    Api::parse("saved.toml", &api.source).unwrap();
    // That nothing may be there is no secret; what names a version may be one.
    let create = include_str!("../../scenarios/apis/documents.toml");
    let told = create.replace("If-None-Match = \"*\"", "If-None-Match = \"*\", X-Own = \"hunter2\"");
    let api = Api::parse("x.toml", &told).unwrap();
    assert!(api.source.contains("If-None-Match = \"*\", X-Own = \"(masked)\""), "{}", api.source);
    let section =
        "[actors.editor.login.body]\nuser = \"ed\"\npassword = \"hunter2\"\ncodes = [\"hunter2\", { pin = 4711 }]";
    let inline =
        "body = { password = \"hunter2\", codes = [\"hunter2\", { pin = 4711 }], of = \"{env:PAGES_SECRET}\" }";
    let dotted = "body.password = \"hunter2\"\nbody.codes = [\n  \"hunter2\",\n  { pin = 4711 },\n]";
    for body in [section, inline, dotted] {
        let form = "form = { user = \"ed\", password = \"{env:PAGES_PASSWORD}\" }\ntoken = \"/token\"";
        let told = text.replace(form, &format!("token = \"/token\"\n{body}"));
        let api = Api::parse("x.toml", &told).unwrap();
        assert!(
            told.contains("hunter2") && !api.source.contains("hunter2") && !api.source.contains("4711"),
            "{}",
            api.source
        );
        assert_eq!(api.source.contains("of = \"{env:PAGES_SECRET}\""), body == inline);
        Api::parse("saved.toml", &api.source).unwrap_or_else(|error| panic!("{error}"));
    }
    let whole = text
        .replace("[actors.editor.login]\n", "")
        .replace("form = { user = \"ed\", password = \"{env:PAGES_PASSWORD}\" }\n", "");
    let whole = whole.replace("method = \"POST\"\npath = \"/session\"\ntoken = \"/token\"\n", "login.method = \"POST\"\nlogin.path = \"/session\"\nlogin.token = \"/token\"\nlogin.body.password = \"hunter2\"\n");
    let api = Api::parse("x.toml", &whole).unwrap();
    assert!(whole.contains("hunter2") && !api.source.contains("hunter2"), "{}", api.source);
    Api::parse("saved.toml", &api.source).unwrap();
    let referred = Api::parse("x.toml", &text).unwrap();
    assert!(referred.source.contains("{env:PAGES_SECRET}"), "a reference is no secret");
}

#[test]
fn what_the_environment_lacks_is_named() {
    let text = fs::read_to_string(root().join("tests/descriptions/valid/register.toml")).unwrap();
    let api = Api::parse("x.toml", &text).unwrap();
    let missing = api.clone().with_environment(|name| (name == "PAGES_PASSWORD").then(|| "p".to_owned())).unwrap_err();
    assert_eq!(missing, EnvironmentError::Missing("PAGES_SECRET".into()));
    assert!(api.with_environment(|_| Some("x".to_owned())).is_ok());
}

#[test]
fn every_mistake_of_the_corpus_is_named_where_it_stands() {
    let judge = |text: &str| Api::parse("mine.toml", text).map(drop);
    corpus::assert_all_are_named(MALFORMED, "tests/descriptions/valid", 60, judge);
}

/// Every example of the reference is a description, or becomes one laid over the valid one of its model.
#[test]
fn every_example_of_the_reference_is_read() {
    let page = fs::read_to_string(root().join("docs/api-descriptions.md")).unwrap();
    let mut examples = 0;
    for block in page.split("\n```toml").skip(1) {
        let (model, rest) = block.split_once('\n').unwrap();
        let (example, _) = rest.split_once("\n```").unwrap();
        let text = match model.trim() {
            "" => example.to_owned(),
            model => laid_over(&model.replace("state-", ""), example),
        };
        Api::parse("example.toml", &text).unwrap_or_else(|error| panic!("{example}\n{error}"));
        examples += 1;
    }
    assert!(examples >= 8, "{examples}");
}

fn laid_over(base: &str, example: &str) -> String {
    let base = fs::read_to_string(root().join(format!("tests/descriptions/valid/{base}.toml"))).unwrap();
    let mut whole: toml::Table = toml::from_str(&base).unwrap();
    let above: toml::Table = toml::from_str(example).unwrap();
    for (key, value) in above {
        match (whole.get_mut(&key), value) {
            (Some(toml::Value::Table(own)), toml::Value::Table(table)) => own.extend(table),
            (_, value) => _ = whole.insert(key, value),
        }
    }
    toml::to_string(&whole).unwrap()
}

/// `W/` is no mark of weakness where tokens are compared as they are: such a token is known under another name, and sent as it came.
#[test]
fn tokens_that_are_compared_as_they_are_are_never_weak() {
    use quickeats_bench::api::{Fill, Response};
    use quickeats_bench::history::{Outcome, Verb};

    let text = fs::read_to_string(root().join("scenarios/apis/documents.toml")).unwrap();
    let told = |text: &str| {
        let api = Api::parse("x.toml", text).unwrap();
        let headers = vec![("etag".into(), "W/\"7\"".into())];
        let response = Response { status: 200, headers, body: "{\"text\":\"a\"}".into() };
        let Outcome::Answered(reply) = api.dialect.read(&Verb::Read, &response) else { panic!("it can be read") };
        let token = reply.token.unwrap();
        let fill = Fill { id: "a", unique: "u", token: Some(&token), ..Fill::default() };
        let request = api.dialect.request(&Verb::Act("replace".into()), fill);
        let sent = request.headers.iter().find(|(name, _)| &**name == "if-match").unwrap().1.to_string();
        (token.starts_with("W/"), sent)
    };
    assert_eq!(told(&text), (true, "W/\"7\"".to_owned()));
    let as_is = text.replace("[token]", "[token]\ncompare = \"as-is\"");
    assert_eq!(told(&as_is), (false, "W/\"7\"".to_owned()));
}
