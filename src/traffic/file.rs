//! Traffic as written, in TOML. Checked against an API description when it is planned.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use toml::Spanned;

use crate::scenario::{KeyUse, PersonUse, TokenUse};
use crate::source::{Source, SourceError};
use crate::text::parse_duration;

/// The version of the format.
const SCHEMA: &str = "quickeats-bench/traffic@1";

/// Traffic: what the clients of a load do, and how often.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Traffic of quickeats-bench")]
pub struct Traffic {
    /// The format's version: `quickeats-bench/traffic@1`.
    #[schemars(with = "String")]
    schema: Spanned<String>,
    /// Its name: what `load --traffic` takes.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The API descriptions it is for.
    #[schemars(with = "Vec<String>")]
    pub apis: Vec<Spanned<String>>,
    /// One line about it.
    pub summary: String,
    /// What happens to fresh resources: each is brought from step to step by one client.
    pub journeys: Vec<JourneyFile>,
    /// A few resources that all clients act on.
    #[serde(default)]
    pub hot: HotFile,
    /// How long a client of a closed load thinks before each request.
    pub think: Option<ThinkFile>,
    /// The share of journeys after which the resource and its lists are read, as the contract has them, such as `"100%"`.
    #[serde(default, deserialize_with = "optional_share")]
    #[schemars(with = "Option<String>")]
    pub audit: Option<f64>,
    /// Limits that fail the load when crossed, such as `"p95<50ms"` or `"payment.rate_412<0.2"`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub thresholds: Vec<Spanned<String>>,
    /// The file's name and text, for errors.
    #[serde(skip)]
    pub(super) file: String,
    #[serde(skip)]
    pub(super) text: String,
}

/// One kind of journey.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JourneyFile {
    /// Its name.
    pub name: String,
    /// How often it is begun, against the weights of the others; 0 is never.
    #[schemars(with = "f64")]
    pub weight: Spanned<f64>,
    /// What is done, one after the other: actions, `read`, `create`, `walk`, or tables.
    #[schemars(with = "Vec<StepFile>")]
    pub steps: Vec<Spanned<StepFile>>,
}

/// One step: a word, or a table that says more.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
pub enum StepFile {
    /// An action, `read`, `create` (of another resource), or `walk`: any action that is allowed, until none is.
    Word(String),
    /// An action or a request, in detail.
    Table(StepTable),
}

/// One step, in detail.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepTable {
    /// An action of the API description.
    pub action: Option<String>,
    /// A path to be read, such as `/orders?limit=20`: a request about no resource of its own. Its status is counted, its answer not judged.
    pub get: Option<String>,
    /// Who acts, if not the action's own actor. `get` needs one where the API knows several.
    pub actor: Option<String>,
    /// Which person of that role.
    pub person: PersonUse,
    /// Which version token it names: the latest, the one before the last change (`stale`) …
    pub token: TokenUse,
    /// Which idempotency key it carries: `shared` is one for all of the journey's steps that say so.
    pub key: KeyUse,
    /// A body instead of the described one.
    pub body: Option<Value>,
    /// Whether it is sent twice at the same moment, on two connections: a double click.
    pub twice: bool,
}

impl<'de> Deserialize<'de> for StepFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = StepFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "an action, \"read\", \"create\", \"walk\", or a table such as { action = \"payment\", key = \"shared\" }",
                )
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<StepFile, E> {
                Ok(StepFile::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StepFile, A::Error> {
                StepTable::deserialize(MapAccessDeserializer::new(map)).map(StepFile::Table)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Resources that all clients act on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HotFile {
    /// The share of requests that go to them, such as `"1%"`; `--hot` says otherwise.
    #[serde(deserialize_with = "share")]
    #[schemars(with = "String")]
    pub share: f64,
    /// How many there are at a time.
    pub resources: u16,
    /// The share of visits to them that do what a careless client does: act on an old token, without one, or say things again.
    #[serde(deserialize_with = "share")]
    #[schemars(with = "String")]
    pub mischief: f64,
    /// How often a change that is refused as stale is tried again, after another read.
    pub retries: u8,
}

impl Default for HotFile {
    fn default() -> Self {
        Self { share: 0.01, resources: 8, mischief: 0.1, retries: 5 }
    }
}

/// Think time, drawn evenly between two durations.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThinkFile {
    /// At least so long, such as `"10ms"`.
    #[serde(deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub least: Duration,
    /// At most so long.
    #[serde(deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub most: Duration,
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(de::Error::custom)
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_percent(&text).map_err(de::Error::custom)
}

fn optional_share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    share(deserializer).map(Some)
}

/// Reads a share: `5%`, or a number from 0 to 1.
///
/// # Errors
/// How it is written.
pub fn parse_percent(typed: &str) -> Result<f64, String> {
    let (digits, divisor) = typed.strip_suffix('%').map_or((typed, 1.0), |digits| (digits, 100.0));
    match digits.trim().parse::<f64>() {
        Ok(number) if (0.0..=divisor).contains(&number) => Ok(number / divisor),
        Ok(_) | Err(_) => Err("a share is a percentage such as 5%, or a number from 0 to 1".to_owned()),
    }
}

impl Traffic {
    /// Reads traffic. `file` names it in errors.
    ///
    /// # Errors
    /// The first mistake that shows without an API description, with file, line, key and the way out.
    pub fn parse(file: &str, text: &str) -> Result<Self, SourceError> {
        let source = Source::new(file, text);
        let mut traffic: Self = source.parse()?;
        if traffic.schema.get_ref() != SCHEMA {
            let message = format!("unknown schema `{}`", traffic.schema.get_ref());
            return Err(source.wrong(traffic.schema.span(), message).help(format!("this version reads `{SCHEMA}`")));
        }
        file.clone_into(&mut traffic.file);
        text.clone_into(&mut traffic.text);
        traffic.check()?;
        Ok(traffic)
    }

    fn check(&self) -> Result<(), SourceError> {
        if let Some(bad) = self.journeys.iter().find(|journey| !(0.0..=1e6).contains(journey.weight.get_ref())) {
            return Err(self.wrong(bad.weight.span(), "a weight is a number from 0 to 1000000"));
        }
        if let Some(empty) = self.journeys.iter().find(|journey| journey.steps.is_empty()) {
            let message = format!("the journey `{}` has no steps", empty.name);
            return Err(self
                .wrong(empty.weight.span(), message)
                .help("steps = [\"read\"], or the actions that it is made of"));
        }
        if !self.journeys.iter().any(|journey| *journey.weight.get_ref() > 0.0) {
            return Err(self
                .wrong(self.name.span(), "no journey has a weight above 0: there is nothing to send")
                .help("[[journeys]] with a name, a weight and steps"));
        }
        if let Some(think) = &self.think
            && think.least > think.most
        {
            return Err(self.wrong(self.name.span(), "[think]: `least` is more than `most`"));
        }
        if self.hot.resources == 0 && self.hot.share > 0.0 {
            return Err(self.wrong(self.name.span(), "[hot] has a share, and no resources to go to"));
        }
        Ok(())
    }

    /// An error about a place in this file.
    pub(super) fn wrong(&self, span: Range<usize>, message: impl Into<String>) -> SourceError {
        Source::new(&self.file, &self.text).wrong(span, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = r#"
schema = "quickeats-bench/traffic@1"
name = "mine"
apis = ["quickeats-v2"]
summary = "s"
audit = "50%"
[[journeys]]
name = "paid"
weight = 2
steps = ["payment", { action = "payment", key = "shared" }, "walk"]
[hot]
share = "5%"
[think]
least = "1ms"
most = "2ms"
"#;

    #[test]
    fn a_file_says_what_clients_do() {
        let traffic = Traffic::parse("mine.toml", VALID).unwrap();
        assert_eq!((traffic.audit, traffic.hot.share, traffic.hot.resources), (Some(0.5), 0.05, 8));
        assert!(matches!(traffic.journeys[0].steps[1].get_ref(), StepFile::Table(step) if step.key == KeyUse::Shared));
    }

    #[test]
    fn a_malformed_file_says_where_and_what_was_expected() {
        for (from, to, line, expected) in [
            ("traffic@1", "traffic@9", 2, "traffic@1"),
            ("weight = 2", "weight = -1", 9, "from 0"),
            ("weight = 2", "weight = 0", 3, "nothing to send"),
            ("weight = 2", "wait = 2", 9, "wait"),
            ("\"walk\"", "7", 10, "an action"),
            ("key = \"shared\"", "key = \"shred\"", 10, "shared"),
            ("key = \"shared\"", "kye = \"shared\"", 10, "kye"),
            ("\"5%\"", "\"500%\"", 12, "percentage"),
            ("\"2ms\"", "\"2\"", 15, "a number and a unit"),
            ("\"1ms\"", "\"3ms\"", 3, "`least` is more"),
            (
                "steps = [\"payment\", { action = \"payment\", key = \"shared\" }, \"walk\"]",
                "steps = []",
                9,
                "no steps",
            ),
        ] {
            let error = Traffic::parse("mine.toml", &VALID.replacen(from, to, 1)).unwrap_err();
            let shown = error.to_string();
            assert_eq!(error.place.as_ref().map(|place| place.line), Some(line), "{shown}");
            assert!(shown.contains(expected), "{to}: {shown}");
        }
    }

    #[test]
    fn a_share_is_a_percentage_or_a_fraction() {
        assert_eq!(parse_percent("0.1%"), Ok(0.001));
        assert_eq!(parse_percent("0.25"), Ok(0.25));
        for wrong in ["", "%", "101%", "1.5", "-1%", "nan", "five"] {
            assert!(parse_percent(wrong).is_err(), "{wrong}");
        }
    }
}
