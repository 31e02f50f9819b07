//! A list that shows a page at most: what it leaves out is no proof that anything is missing.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Tool;

/// A list shows so many rows at most.
const PAGE: usize = 20;

type Texts = HashMap<String, String>;
type Charges = Arc<Mutex<Vec<(String, String)>>>;

/// Charges, each of which is made: nobody can do anything wrong here but lose one.
struct Ledger {
    url: String,
    _runtime: Runtime,
}

impl Ledger {
    /// One that forgets every so many-th charge.
    fn start(forgets: Option<usize>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let charge = move |State(charges): State<Charges>, Json(said): Json<Texts>| async move {
            let mut charges = charges.lock().unwrap();
            let id = format!("ch_{}", charges.len());
            let is_forgotten = forgets.is_some_and(|every| charges.len() % every == every - 1);
            let customer = if is_forgotten { "nobody" } else { &said["customer"] };
            charges.push((customer.to_owned(), id.clone()));
            Json(json!({ "id": id }))
        };
        let router = Router::new().route("/charges", get(list).post(charge)).with_state(Charges::default());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, _runtime: runtime }
    }
}

async fn list(State(charges): State<Charges>, Query(asked): Query<Texts>) -> Json<Value> {
    let charges = charges.lock().unwrap();
    let of_customer = charges.iter().filter(|(customer, _)| *customer == asked["customer"]);
    let all: Vec<Value> = of_customer.map(|(_, id)| json!({ "id": id })).collect();
    Json(json!({ "data": all.iter().take(PAGE).collect::<Vec<_>>(), "has_more": all.len() > PAGE }))
}

/// A description of it whose list says `paging`.
fn description(tool: &Tool, paging: &str) {
    let text = format!(
        r#"schema = "quickeats-bench/api@1"
name = "ledger"
summary = "Charges in pages"
model = "effects"
[resource]
name = "customer"
id = {{ made = "cus-{{unique}}" }}
[actions.charge]
method = "POST"
path = "/charges"
body = {{ customer = "{{id}}", text = "{{unique}}" }}
effect = "/id"
[effects]
path = "/charges"
rows = "/data"
id = "/id"
{paging}
"#
    );
    fs::write(tool.path().join("ledger.toml"), text).unwrap();
}

const PAGINGS: [&str; 3] = [
    "query = { customer = \"{id}\" }\nmore = \"/has_more\"",
    "query = { customer = \"{id}\" }\npage = 20",
    "query = { customer = \"{id}\", limit = \"20\" }",
];

#[test]
fn what_a_page_leaves_out_is_not_missed() {
    let ledger = Ledger::start(None);
    let tool = Tool::new();
    for paging in PAGINGS {
        description(&tool, paging);
        let arguments = [
            "--target",
            &ledger.url,
            "--api",
            "ledger.toml",
            "--seed",
            "3",
            "--clients",
            "8",
            "--hot",
            "50%",
            "--requests",
            "2000",
            "--duration",
            "40s",
        ];
        let output = tool.run(&[&["load", "--format", "json", "--quiet"][..], &arguments].concat());
        // Not proven where lists are cut off, and never accused.
        assert!(matches!(output.status.code(), Some(0 | 3)), "{paging}: {}", super::stderr(&output));
        let result: quickeats_bench::load_result::LoadResult = serde_json::from_slice(&output.stdout).unwrap();
        let judged = result.judged.unwrap().scenario;
        assert!(judged.findings.is_empty(), "{paging}: {:?}", judged.findings);
    }
}

#[test]
fn what_a_page_shows_is_judged() {
    let ledger = Ledger::start(Some(50));
    let tool = Tool::new();
    for paging in PAGINGS {
        description(&tool, paging);
        let arguments = [
            "--target",
            &ledger.url,
            "--api",
            "ledger.toml",
            "--seed",
            "3",
            "--clients",
            "8",
            "--hot",
            "50%",
            "--requests",
            "2000",
            "--duration",
            "40s",
        ];
        let result = tool.load(&arguments, 1);
        let found = &result.judged.unwrap().scenario.findings[0];
        assert_eq!(found.kind.name(), "audit-mismatch", "{paging}");
    }
}
