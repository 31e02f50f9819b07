//! A service in a process of its own, that can be killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Response};
use serde_json::{Value, json};

/// `serve`, on a free port. Killed at the latest when dropped.
pub(crate) struct Served {
    process: Child,
    url: String,
    client: Client,
}

/// What became of a request: an answer, or none.
pub(crate) type Heard = Option<(u16, Value)>;

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) tag: String,
}

impl Served {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
            .args(["serve", "--addr", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().expect("a service that starts says so").unwrap();
        let url = first.strip_prefix("listening on ").unwrap().to_owned();
        // reqwest wants a TLS provider even for plain HTTP. A second installation fails, and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().tls_certs_only([]).no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        Self { process, url, client }
    }

    /// SIGKILL: no handler runs, no buffer is flushed.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Somebody who can ask, and outlives the service.
    pub(crate) fn caller(&self) -> Caller {
        Caller { url: self.url.clone(), client: self.client.clone() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}

#[derive(Clone)]
pub(crate) struct Caller {
    url: String,
    client: Client,
}

impl Caller {
    /// A fresh order; none if the service is gone.
    pub(crate) async fn order(&self) -> Option<Order> {
        let response = self.client.post(format!("{}/api/v2/orders", self.url)).send().await.ok()?;
        let tag = tag(&response);
        let (status, body) = read(response).await?;
        assert_eq!(status, 201, "{body}");
        Some(Order { id: body["id"].as_str().unwrap().to_owned(), tag })
    }

    pub(crate) async fn pay(&self, order: &Order, key: &str) -> Heard {
        let request = self.client.post(format!("{}/api/v2/orders/{}/payment", self.url, order.id));
        let body = json!({"payment_method": "card", "amount": 25_000}).to_string();
        let request = request.header("if-match", &order.tag).header("idempotency-key", key);
        let request = request.header("content-type", "application/json").body(body);
        read(request.send().await.ok()?).await
    }

    /// Pays again under the same key for as long as the key is in use.
    pub(crate) async fn pay_when_free(&self, order: &Order, key: &str) -> (u16, Value) {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let (status, body) = self.pay(order, key).await.unwrap();
            if status != 409 || body["error"] != "idempotency_key_in_use" {
                return (status, body);
            }
            assert!(Instant::now() < deadline, "the key {key} is locked for ever");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = read(self.client.get(format!("{}{path}", self.url)).send().await.unwrap()).await.unwrap();
        assert_eq!(status, 200, "{path} {body}");
        body
    }

    pub(crate) async fn now(&self, order: &Order) -> Value {
        self.get(&format!("/api/v2/orders/{}", order.id)).await
    }

    pub(crate) async fn rows(&self, order: &Order, what: &str) -> Vec<Value> {
        let body = self.get(&format!("/api/v2/orders/{}/{what}", order.id)).await;
        body["results"].as_array().unwrap().clone()
    }
}

fn tag(response: &Response) -> String {
    response.headers()["etag"].to_str().unwrap().to_owned()
}

async fn read(response: Response) -> Heard {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.ok()?;
    Some((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
}
