//! The shape of an API description's file, for serde and for the JSON Schema that editors complete it by. What it means, and
//! whether it makes sense, is for the reader.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::super::model::{Allowed, Leaves, Needs};
use super::place::PlaceFile;
use super::rules::ReplyFile;
use super::settle::SettleFile;

/// Texts by name, each with its place.
pub(super) type Texts = BTreeMap<Spanned<String>, Spanned<String>>;

/// An API description: a resource, what can be done to it, and how that is spoken over HTTP.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "API description of quickeats-bench")]
pub(crate) struct ApiFile {
    /// The format's version: `quickeats-bench/api@1`.
    #[schemars(with = "String")]
    pub(super) schema: Spanned<String>,
    /// What `--api` takes: lower-case letters, digits and dashes.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// One line about it.
    pub(super) summary: String,
    /// What kind of resource it is.
    #[serde(default)]
    pub(super) model: ModelFile,
    /// The resource, and where replies tell of it.
    pub(super) resource: ResourceFile,
    /// The named states of a state machine.
    pub(super) states: Option<StatesFile>,
    /// What a counter may be.
    #[schemars(with = "Option<CounterFile>")]
    pub(super) counter: Option<Spanned<CounterFile>>,
    /// The version token: what a reply tells, and a request is conditional on.
    pub(super) token: Option<TokenFile>,
    /// The idempotency key: requests with the same key are one.
    pub(super) idempotency: Option<KeyFile>,
    /// Who asks, by role.
    #[serde(default)]
    pub(super) actors: BTreeMap<String, ActorFile>,
    /// Makes a fresh resource.
    pub(super) create: Option<CreateFile>,
    /// Reads the resource.
    pub(super) read: Option<ReadFile>,
    /// Other requests that show the resource as `read` does, by name: past a cache, at a mirror. What they say must agree.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ViewFile>")]
    pub(super) views: BTreeMap<Spanned<String>, ViewFile>,
    /// What is waited for before a race, and before the look at what it came to.
    #[schemars(with = "Option<SettleFile>")]
    pub(super) settle: Option<Spanned<SettleFile>>,
    /// What is done to the resource, by name.
    #[schemars(with = "BTreeMap<String, ActionFile>")]
    pub(super) actions: BTreeMap<Spanned<String>, ActionFile>,
    /// Lists the effects that were had (a ledger of charges, say).
    pub(super) effects: Option<ListFile>,
    /// Lists the transitions that were applied.
    pub(super) events: Option<ListFile>,
    /// What replies mean; the first that fits decides.
    #[serde(default)]
    pub(super) replies: Vec<ReplyFile>,
}

/// What kind of resource is described.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ModelFile {
    /// Named states, and actions that lead from one to another.
    #[default]
    StateMachine,
    /// A value that is replaced as a whole, or removed.
    Register,
    /// A number that actions add to or take from.
    Counter,
    /// Nothing but the effects that it is asked for.
    Effects,
}

/// The resource, and where replies tell of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceFile {
    /// What it is called in sentences: `order`.
    pub(super) name: String,
    /// Where the reply to `create` tells its id; or `{ made = "doc-{unique}" }`, where the client makes it up.
    #[schemars(with = "PlaceFile")]
    pub(super) id: Spanned<PlaceFile>,
    /// State machines: where a reply tells the state.
    #[schemars(with = "Option<PlaceFile>")]
    pub(super) state: Option<Spanned<PlaceFile>>,
    /// Registers and counters: where a reply tells the value.
    #[schemars(with = "Option<PlaceFile>")]
    pub(super) value: Option<Spanned<PlaceFile>>,
    /// Where a reply tells the version: a whole number that goes up by exactly one with each change.
    #[schemars(with = "Option<PlaceFile>")]
    pub(super) version: Option<Spanned<PlaceFile>>,
    /// JSON Pointers to what may differ between two readings of one version.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) volatile: Vec<Spanned<String>>,
}

/// The named states of a state machine.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatesFile {
    /// Where a fresh resource starts.
    #[schemars(with = "String")]
    pub(super) initial: Spanned<String>,
    /// States that nothing leaves.
    #[schemars(with = "Vec<String>")]
    pub(super) terminal: Vec<Spanned<String>>,
}

/// What a counter may be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CounterFile {
    /// What `{starts}` is filled with, where a scenario does not say otherwise.
    pub(super) starts: Option<i64>,
    /// Not less than this.
    pub(super) least: Option<i64>,
    /// Not more than this.
    pub(super) most: Option<i64>,
}

/// The version token.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenFile {
    /// Where a reply tells it.
    #[schemars(with = "PlaceFile")]
    pub(super) read: Spanned<PlaceFile>,
    /// Where a request names it; left out where requests say `{token}` themselves.
    #[schemars(with = "Option<SendFile>")]
    pub(super) send: Option<Spanned<SendFile>>,
    /// Whether an action without it must be refused.
    pub(super) required: bool,
    /// How the server compares tokens.
    #[serde(default)]
    pub(super) compare: CompareFile,
}

/// How tokens are compared.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CompareFile {
    /// As RFC 9110 §8.8.3.2 has it: what begins with `W/` is weak, and matches nothing.
    #[default]
    Strong,
    /// As they are: `W/` means nothing, as with OData.
    AsIs,
}

/// Where in a request something is said: one of these.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendFile {
    /// A header's name.
    #[schemars(with = "Option<String>")]
    pub(super) header: Option<Spanned<String>>,
    /// A query parameter's name.
    #[schemars(with = "Option<String>")]
    pub(super) query: Option<Spanned<String>>,
    /// A JSON Pointer into the body.
    #[schemars(with = "Option<String>")]
    pub(super) body: Option<Spanned<String>>,
}

/// The idempotency key.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    /// Where a request names it; left out where requests say `{key}` themselves.
    #[schemars(with = "Option<SendFile>")]
    pub(super) send: Option<Spanned<SendFile>>,
    /// What a reply has, and not as `false`, if it is the stored answer to an earlier request.
    #[schemars(with = "Option<PlaceFile>")]
    pub(super) replayed: Option<Spanned<PlaceFile>>,
    /// What a retry of a finished request gets.
    pub(super) replay: Option<ReplayFile>,
    /// What a used key with another payload gets.
    pub(super) reuse: Option<ReuseFile>,
}

/// What a retry of a finished request gets.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReplayFile {
    /// The answer that was stored: status, headers that matter, body.
    Stored,
}

/// What a request gets that carries a used key and another payload.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReuseFile {
    /// A refusal.
    Refused,
}

/// A role, and how its requests say who asks.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct ActorFile {
    /// Sent with all its requests.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) headers: Texts,
    /// Whom a minted token names (`sub`); the person, if it does not say.
    #[schemars(with = "Option<String>")]
    pub(super) subject: Option<Spanned<String>>,
    /// A bearer token, such as `"{env:API_TOKEN}"`.
    #[schemars(with = "Option<String>")]
    pub(super) bearer: Option<Spanned<String>>,
    /// A user and a password.
    pub(super) basic: Option<BasicFile>,
    /// A token that is made for the person, and signed with a secret that the server knows.
    pub(super) mint: Option<MintFile>,
    /// A request that is made once, before all others: the cookies it sets are sent from then on, and `{login}` is the token it
    /// tells.
    pub(super) login: Option<LoginFile>,
}

/// A user and a password (RFC 7617).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BasicFile {
    /// Who.
    #[schemars(with = "String")]
    pub(super) user: Spanned<String>,
    /// The password, such as `"{env:PASSWORD}"`.
    #[schemars(with = "String")]
    pub(super) password: Spanned<String>,
}

/// A JSON Web Token (HS256) with claims of your own; `exp` is added.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MintFile {
    /// The secret, such as `"{env:JWT_SECRET}"`: 32 bytes at least.
    #[schemars(with = "String")]
    pub(super) secret: Spanned<String>,
    /// The claims, such as `{ sub = "{person}" }`.
    #[schemars(with = "Value")]
    pub(super) claims: Spanned<Value>,
}

/// What all requests are made of.
pub(super) struct Parts<'a> {
    pub(super) actor: Option<&'a Spanned<String>>,
    pub(super) method: &'a Spanned<String>,
    pub(super) path: &'a Spanned<String>,
    pub(super) query: &'a Texts,
    pub(super) headers: &'a Texts,
    pub(super) body: Option<&'a Spanned<Value>>,
    pub(super) form: Option<&'a Texts>,
    pub(super) raw: Option<&'a Spanned<String>>,
    pub(super) content_type: Option<&'a Spanned<String>>,
}

// serde cannot flatten and deny unknown fields at once, so requests repeat their keys.
macro_rules! request_file {
    ($(#[$doc:meta])* $name:ident { $($(#[$more:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            /// Who asks; need not be said where there is one actor at most.
            #[schemars(with = "Option<String>")]
            pub(super) actor: Option<Spanned<String>>,
            /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
            #[schemars(with = "String")]
            pub(super) method: Spanned<String>,
            /// From `/`, with holes such as `{id}`.
            #[schemars(with = "String")]
            pub(super) path: Spanned<String>,
            /// Query parameters.
            #[serde(default)]
            #[schemars(with = "BTreeMap<String, String>")]
            pub(super) query: Texts,
            /// Headers beside the actor's.
            #[serde(default)]
            #[schemars(with = "BTreeMap<String, String>")]
            pub(super) headers: Texts,
            /// A JSON body, with holes in its strings.
            #[schemars(with = "Option<Value>")]
            pub(super) body: Option<Spanned<Value>>,
            /// A form (`application/x-www-form-urlencoded`).
            #[schemars(with = "Option<BTreeMap<String, String>>")]
            pub(super) form: Option<Texts>,
            /// A body as it is, with holes.
            #[schemars(with = "Option<String>")]
            pub(super) raw: Option<Spanned<String>>,
            /// The media type of a `raw` body.
            #[schemars(with = "Option<String>")]
            pub(super) content_type: Option<Spanned<String>>,
            $($(#[$more])* pub(super) $field: $type,)*
        }

        impl $name {
            pub(super) fn parts(&self) -> Parts<'_> {
                Parts {
                    actor: self.actor.as_ref(),
                    method: &self.method,
                    path: &self.path,
                    query: &self.query,
                    headers: &self.headers,
                    body: self.body.as_ref(),
                    form: self.form.as_ref(),
                    raw: self.raw.as_ref(),
                    content_type: self.content_type.as_ref(),
                }
            }
        }
    };
}

request_file! {
    /// The request that makes a fresh resource.
    CreateFile {
        /// Whether it is sent with an idempotency key.
        #[serde(default)]
        idempotency_key: bool,
    }
}

request_file! {
    /// The request that logs an actor in.
    LoginFile {
        /// Where the reply tells a token: `{login}` in the actor's headers, or in `bearer`.
        #[schemars(with = "Option<PlaceFile>")]
        token: Option<Spanned<PlaceFile>>,
    }
}

request_file! {
    /// The request that reads the resource.
    ReadFile {
        /// Whether what it shows may lag behind what was acknowledged.
        #[serde(default)]
        eventual: bool,
    }
}

request_file! {
    /// Another request that shows the resource.
    ViewFile {}
}

request_file! {
    /// Something that is done to the resource.
    ActionFile {
        /// Whether it is sent with an idempotency key.
        #[serde(default)]
        idempotency_key: bool,
        /// Whether it is conditional on the version token, where there is one.
        #[serde(default = "yes")]
        token: bool,
        /// Where the reply tells the id of the effect it had (a charge).
        #[schemars(with = "Option<PlaceFile>")]
        effect: Option<Spanned<PlaceFile>>,
        /// Where the reply tells how much that was.
        #[schemars(with = "Option<PlaceFile>")]
        amount: Option<Spanned<PlaceFile>>,
        /// Who alone may do it.
        only: Option<Allowed>,
        /// Whether it is from outside the contract (an older API on the same data).
        #[serde(default)]
        aside: bool,
        /// Whether its replies show the resource.
        #[serde(default = "yes")]
        shows: bool,
        /// State machines: where it leads.
        #[serde(default)]
        transitions: Vec<TransitionFile>,
        /// Registers: what it leaves behind.
        #[schemars(with = "Option<Leaves>")]
        writes: Option<Spanned<Leaves>>,
        /// Registers: what it needs to find.
        #[schemars(with = "Option<Needs>")]
        needs: Option<Spanned<Needs>>,
        /// Counters: what it adds; less than nothing takes away.
        #[schemars(with = "Option<i64>")]
        adds: Option<Spanned<i64>>,
    }
}

fn yes() -> bool {
    true
}

/// One allowed step.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TransitionFile {
    /// The state before.
    #[schemars(with = "String")]
    pub(super) from: Spanned<String>,
    /// The state after.
    #[schemars(with = "String")]
    pub(super) to: Spanned<String>,
}

/// A list of what really happened.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListFile {
    /// Who asks; need not be said where there is one actor at most.
    #[schemars(with = "Option<String>")]
    pub(super) actor: Option<Spanned<String>>,
    /// From `/`, with holes such as `{id}`.
    #[schemars(with = "String")]
    pub(super) path: Spanned<String>,
    /// Query parameters.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) query: Texts,
    /// Headers beside the actor's.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) headers: Texts,
    /// Where the rows are: a JSON Pointer or a JSONPath to a list.
    #[schemars(with = "Option<String>")]
    pub(super) rows: Option<Spanned<String>>,
    /// Effects alone: where their number is, if there are no rows to be had.
    #[schemars(with = "Option<PlaceFile>")]
    pub(super) count: Option<Spanned<PlaceFile>>,
    /// The most rows that a reply shows: one with as many is not believed to be all, unless `more` tells. If it is not said, what a
    /// parameter called `limit`, `per_page`, `page_size` or `pageSize` asks for.
    #[schemars(with = "Option<u32>")]
    pub(super) page: Option<Spanned<u32>>,
    /// Where a reply shows that there are more rows than it tells of: something stands there that is neither `false` nor zero nor empty.
    #[schemars(with = "Option<PlaceFile>")]
    pub(super) more: Option<Spanned<PlaceFile>>,
    /// Where in a row its id is; this and the following are JSON Pointers or JSONPaths from the row on.
    #[schemars(with = "Option<String>")]
    pub(super) id: Option<Spanned<String>>,
    /// Where in a row its amount is.
    #[schemars(with = "Option<String>")]
    pub(super) amount: Option<Spanned<String>>,
    /// Effects: how many one resource may have.
    pub(super) at_most: Option<u32>,
    /// Whether it may lag behind what was acknowledged.
    #[serde(default)]
    pub(super) eventual: bool,
    /// Where in a row the action's name is.
    #[schemars(with = "Option<String>")]
    pub(super) action: Option<Spanned<String>>,
    /// Where in a row the state before is.
    #[schemars(with = "Option<String>")]
    pub(super) from: Option<Spanned<String>>,
    /// Where in a row the state after is.
    #[schemars(with = "Option<String>")]
    pub(super) to: Option<Spanned<String>>,
    /// Where in a row the version is.
    #[schemars(with = "Option<String>")]
    pub(super) version: Option<Spanned<String>>,
}
