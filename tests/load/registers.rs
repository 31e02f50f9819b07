//! A store of documents at two addresses: one store behind both, or one behind each that never hears of the other. Either alone is sound.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::runtime::Runtime;

/// How the two addresses belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stores {
    One,
    SplitBrain,
}

/// A server for as long as this lives.
pub(crate) struct Registers {
    pub(crate) urls: [String; 2],
    _runtime: Runtime,
}

/// A document: its text, and its number, which no other change has.
type Documents = Arc<Mutex<(u64, HashMap<String, (String, u64)>)>>;

impl Registers {
    pub(crate) fn start(stores: Stores) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let first = Documents::default();
        let second = if stores == Stores::One { Arc::clone(&first) } else { Documents::default() };
        let urls = [first, second].map(|documents| {
            let router = Router::new().route("/docs/{name}", any(answer)).with_state(documents);
            let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            runtime.spawn(async move { axum::serve(listener, router).await });
            url
        });
        Self { urls, _runtime: runtime }
    }
}

async fn answer(
    State(documents): State<Documents>,
    Path(name): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut documents = documents.lock().unwrap();
    let there = documents.1.get(&name).cloned();
    let tag = there.as_ref().map(|(_, number)| format!("\"{number}\""));
    let said = |header: header::HeaderName| headers.get(header).map(|value| value.to_str().unwrap().to_owned());
    let (if_match, is_to_be_new) = (said(header::IF_MATCH), said(header::IF_NONE_MATCH).is_some());
    match (method, there) {
        (Method::GET, Some(document)) => shown(StatusCode::OK, &document),
        (Method::GET | Method::DELETE, None) => StatusCode::NOT_FOUND.into_response(),
        _ if if_match.is_none() && !is_to_be_new => StatusCode::PRECONDITION_REQUIRED.into_response(),
        (_, there) if if_match != tag && !(is_to_be_new && there.is_none()) => {
            StatusCode::PRECONDITION_FAILED.into_response()
        }
        (Method::DELETE, Some(_)) => {
            documents.1.remove(&name);
            StatusCode::NO_CONTENT.into_response()
        }
        (_, there) => {
            let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
            documents.0 += 1;
            let document = (told["text"].as_str().unwrap().to_owned(), documents.0);
            documents.1.insert(name, document.clone());
            shown(if there.is_some() { StatusCode::OK } else { StatusCode::CREATED }, &document)
        }
    }
}

fn shown(status: StatusCode, (text, number): &(String, u64)) -> Response {
    let body = serde_json::json!({ "text": text }).to_string();
    let headers = [(header::ETAG, format!("\"{number}\"")), (header::CONTENT_TYPE, "application/json".to_owned())];
    (status, headers, body).into_response()
}
