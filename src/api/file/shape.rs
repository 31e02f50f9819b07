//! The shape of an API description's file, for serde. What it means, and whether it makes sense, is for the reader.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::super::model::Allowed;
use crate::history::Meaning;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiFile {
    pub(super) schema: Spanned<String>,
    pub(super) name: Spanned<String>,
    pub(super) summary: String,
    pub(super) resource: ResourceFile,
    pub(super) states: StatesFile,
    pub(super) token: Option<TokenFile>,
    pub(super) idempotency: Option<KeyFile>,
    #[serde(default)]
    pub(super) actors: BTreeMap<String, ActorFile>,
    pub(super) create: CreateFile,
    pub(super) read: ReadFile,
    pub(super) actions: BTreeMap<String, ActionFile>,
    pub(super) effects: Option<ListFile>,
    pub(super) events: Option<ListFile>,
    #[serde(default)]
    pub(super) replies: Vec<ReplyFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceFile {
    pub(super) name: String,
    pub(super) id: Spanned<String>,
    pub(super) state: Spanned<String>,
    pub(super) version: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) volatile: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatesFile {
    pub(super) initial: Spanned<String>,
    pub(super) terminal: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenFile {
    pub(super) reply_header: Spanned<String>,
    pub(super) request_header: Spanned<String>,
    pub(super) required: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    pub(super) request_header: Spanned<String>,
    pub(super) replayed_header: Option<Spanned<String>>,
    pub(super) replay: Option<ReplayFile>,
    pub(super) reuse: Option<ReuseFile>,
}

/// What a retry of a finished request gets.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReplayFile {
    /// The answer that was stored: status, headers that matter, body.
    Stored,
}

/// What a request gets that carries a used key and another payload.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReuseFile {
    /// A refusal.
    Refused,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActorFile {
    #[serde(default)]
    pub(super) headers: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) subject: Option<Spanned<String>>,
}

// serde cannot flatten and deny unknown fields at once, so requests repeat their keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateFile {
    pub(super) actor: Spanned<String>,
    pub(super) method: Spanned<String>,
    pub(super) path: Spanned<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) body: Option<Spanned<Value>>,
    #[serde(default)]
    pub(super) idempotency_key: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadFile {
    pub(super) actor: Spanned<String>,
    pub(super) method: Spanned<String>,
    pub(super) path: Spanned<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) body: Option<Spanned<Value>>,
    #[serde(default)]
    pub(super) eventual: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActionFile {
    pub(super) actor: Spanned<String>,
    pub(super) method: Spanned<String>,
    pub(super) path: Spanned<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) body: Option<Spanned<Value>>,
    #[serde(default)]
    pub(super) idempotency_key: bool,
    pub(super) effect: Option<Spanned<String>>,
    pub(super) amount: Option<Spanned<String>>,
    pub(super) only: Option<Allowed>,
    #[serde(default)]
    pub(super) aside: bool,
    pub(super) transitions: Vec<TransitionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransitionFile {
    pub(super) from: Spanned<String>,
    pub(super) to: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListFile {
    pub(super) actor: Spanned<String>,
    pub(super) path: Spanned<String>,
    pub(super) rows: Spanned<String>,
    pub(super) id: Option<Spanned<String>>,
    pub(super) amount: Option<Spanned<String>>,
    pub(super) at_most: Option<u32>,
    #[serde(default)]
    pub(super) eventual: bool,
    pub(super) action: Option<Spanned<String>>,
    pub(super) from: Option<Spanned<String>>,
    pub(super) to: Option<Spanned<String>>,
    pub(super) version: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplyFile {
    pub(super) status: Vec<Spanned<StatusFile>>,
    #[serde(default)]
    pub(super) body: BTreeMap<Spanned<String>, Value>,
    pub(super) means: Meaning,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a status is a number from 100 to 599, or a class such as \"2xx\"")]
pub(super) enum StatusFile {
    Exact(u16),
    Class(String),
}
