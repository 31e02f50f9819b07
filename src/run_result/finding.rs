//! What a finding tells: its sentence, its witness, and the round that shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Kind, Severity};
use crate::history::{Meaning, Phase};

/// One kind of anomaly in one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingResult {
    /// What it is.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// In how many raced rounds it was the cause.
    pub count: u64,
    /// In how many serial controls, where nothing raced, it was the cause.
    pub controls: u64,
    /// The first raced round of them, from 1; 0 if only serial controls showed it.
    pub first_round: u32,
    /// That round, in words.
    pub sentence: String,
    /// The operations of that round that prove it, and those that wrote what these and the last read show (`beside`), in
    /// order of opening.
    pub witness: Vec<WitnessLine>,
    /// What the server said in the end, where it was asked: the last read of that round.
    pub aftermath: Option<WitnessLine>,
    /// Other kinds that the same rounds are evidence of.
    pub also: Vec<Kind>,
    /// The whole of that round; null in runs of versions that did not keep it.
    #[serde(default)]
    pub round: Option<RoundStory>,
}

/// A round from its first request to its last, told in full. Its times count from where the witness's do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundStory {
    /// Its name in the history: `r17`, or `c1` for a control.
    pub name: String,
    /// Its operations in order of opening: all of them or, of a long round, the witness and those around it.
    pub operations: Vec<WitnessLine>,
    /// How many it had.
    pub count: u64,
    /// When the gate opened: the first release of a contender; null where none was held.
    pub gate_us: Option<i64>,
    /// How far the judge can put its operations in a lawful order; null where it is not about order.
    pub order: Option<LawfulOrder>,
}

/// The longest order of a round's operations, within their windows, that the API description allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LawfulOrder {
    /// Ids of operations, in the order in which they may have taken effect.
    pub operations: Vec<u32>,
    /// An operation that cannot come next there, though its window ends; null if all have a place.
    pub stuck: Option<u32>,
}

/// One operation of a witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WitnessLine {
    /// The round in the history: `r17`, or `c1` for a control.
    pub round: String,
    /// The operation's id within the round.
    pub operation: u32,
    /// The client's number.
    pub client: u32,
    /// Who asked.
    pub actor: String,
    /// Method and path.
    pub request: String,
    /// The version token it was conditional on.
    pub precondition: Option<String>,
    /// Its idempotency key.
    pub idempotency_key: Option<String>,
    /// What part it plays in its round; null in runs of versions that did not say.
    #[serde(default)]
    pub phase: Option<Phase>,
    /// What was answered, in words.
    pub answer: String,
    /// The status of the answer; null where there was none.
    #[serde(default)]
    pub status: Option<u16>,
    /// What the API description says that the answer means; null where there was none.
    #[serde(default)]
    pub meaning: Option<Meaning>,
    /// The state that the answer told.
    #[serde(default)]
    pub state: Option<String>,
    /// The version number that the answer told.
    #[serde(default)]
    pub version: Option<u64>,
    /// The version token that the answer told.
    #[serde(default)]
    pub token: Option<String>,
    /// Microseconds, counted from the opening of the witness's first operation.
    pub opened_us: i64,
    /// When the gate let it go, if it was held.
    pub released_us: Option<i64>,
    /// When its last response byte had come.
    pub closed_us: i64,
    /// Whether it stands beside the proof: it wrote what a read shows, and proves nothing itself.
    #[serde(default)]
    pub beside: bool,
}
