//! Speaks as a description says, one request after the other.

use std::fs;
use std::path::Path;
use std::time::Duration;

use quickeats_bench::api::{Api, Fill, Response};
use quickeats_bench::history::{Meaning, Outcome, Reply, Verb};

use crate::servers::{SIGNED, Server};

pub(crate) struct Speaker<'a> {
    pub(crate) api: Api,
    server: &'a Server,
    client: reqwest::Client,
}

/// A word that nobody said before.
pub(crate) fn word() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

impl<'a> Speaker<'a> {
    /// Speaks to `server` as the shipped description called `api` says.
    pub(crate) fn new(api: &str, server: &'a Server) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/apis").join(format!("{api}.toml"));
        let api = Api::parse(api, &fs::read_to_string(file).unwrap()).unwrap_or_else(|error| panic!("{error}"));
        // reqwest wants a TLS provider even for plain HTTP. A second installation fails, and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().timeout(Duration::from_mins(1));
        Self { api, server, client: client.build().unwrap() }
    }

    /// What comes of a request.
    pub(crate) async fn ask(&self, verb: &Verb, fill: Fill<'_>) -> Reply {
        let role = self.api.dialect.role(verb);
        let asked = self.api.dialect.request(verb, Fill { role, ..fill });
        let method = reqwest::Method::from_bytes(asked.method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{}", self.server.url, asked.path));
        for (name, value) in &asked.headers {
            request = request.header(&**name, &**value);
        }
        if &*self.api.name == "objects" {
            request = request.header("authorization", SIGNED);
        }
        let answered = request.body(asked.body.unwrap_or_default()).send().await.unwrap();
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.as_str().into(), value.to_str().unwrap().into())
        };
        let response = Response {
            status: answered.status().as_u16(),
            headers: answered.headers().iter().map(header).collect(),
            body: answered.bytes().await.unwrap(),
        };
        match self.api.dialect.read(verb, &response) {
            Outcome::Answered(reply) => reply,
            other => panic!("{verb}: {other:?}: {response:?}"),
        }
    }

    /// What comes of an action.
    pub(crate) async fn act(&self, action: &str, fill: Fill<'_>) -> Reply {
        self.ask(&Verb::Act(action.into()), fill).await
    }

    /// What is there, and its version token.
    pub(crate) async fn look(&self, id: &str) -> (String, Option<String>) {
        let reply = self.ask(&Verb::Read, Fill { id, ..Fill::default() }).await;
        assert_eq!(reply.meaning, Meaning::Applied, "{reply:?}");
        (reply.state.unwrap().to_string(), reply.token.map(|token| token.to_string()))
    }
}
