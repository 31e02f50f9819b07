//! A scenario as written, in TOML. Checked against an API description when it is planned.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toml::Spanned;

use crate::check::Alone;
use crate::source::{Source, SourceError};

/// The version of the format.
const SCHEMA: &str = "quickeats-bench/scenario@1";

/// A scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    schema: Spanned<String>,
    /// Its name: what `race` takes.
    pub name: Spanned<String>,
    /// The API descriptions it is for.
    pub apis: Vec<Spanned<String>>,
    /// One line about it.
    pub summary: String,
    /// What it shows, for people.
    #[serde(default)]
    pub story: String,
    /// The state that the fresh resource is brought to.
    pub start: Spanned<String>,
    /// Actions done one after the other just before the volley, after stale tokens were read.
    #[serde(default)]
    pub change: Vec<Spanned<String>>,
    /// What a contender hears when nothing races with it.
    pub alone: Alone,
    /// How far `--contenders` may raise the volley; absent, it stays as written.
    pub most_contenders: Option<Spanned<usize>>,
    /// Who races.
    #[serde(default)]
    pub contenders: Vec<Contender>,
    /// What follows the race, one after the other: late retries, latecomers.
    #[serde(default)]
    pub then: Vec<Contender>,
    /// Whether the target is restarted after the race, in the middle of whatever it does.
    #[serde(default)]
    pub restart: bool,
    /// Clients that act at random, instead of contenders.
    pub swarm: Option<Swarm>,
    /// The file's name and text, for errors and for `scenarios show`.
    #[serde(skip)]
    pub file: String,
    /// See `file`.
    #[serde(skip)]
    pub text: String,
}

/// Clients that act at random on a few fresh resources, all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swarm {
    /// How many clients.
    pub clients: u8,
    /// How many requests each makes.
    pub steps: u8,
    /// How many resources they share. Each is a round of its own.
    pub resources: u8,
}

/// One racing request, or one that follows the race.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contender {
    /// An action of the API description, or its `create` or `read`.
    pub action: Spanned<String>,
    /// Who acts, if not the action's own actor.
    pub actor: Option<Spanned<String>>,
    /// Which person of that role.
    #[serde(default)]
    pub person: PersonUse,
    /// Which version token it names.
    #[serde(default)]
    pub token: Placed<TokenUse>,
    /// Which idempotency key it carries, where its action is sent with one.
    #[serde(default)]
    pub key: KeyUse,
    /// A body instead of the described one.
    pub body: Option<Value>,
    /// Which server it is sent to.
    #[serde(default)]
    pub at: ServerUse,
}

/// A value with its place, or a default without one.
#[derive(Debug, Clone, Default)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Option<std::ops::Range<usize>>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        let span = Some(spanned.span());
        Ok(Self { value: spanned.into_inner(), span })
    }
}

/// Which person of a role a contender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonUse {
    /// The same person as in the set-up.
    #[default]
    Same,
    /// A person of its own.
    Each,
    /// One person who is not the one of the set-up.
    Other,
}

/// Which server a request is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerUse {
    /// The target.
    #[default]
    Target,
    /// A replica of it on the same data, where there is one; else the target.
    Replica,
}

/// Which version token a contender names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenUse {
    /// The one it read last.
    #[default]
    Current,
    /// The one it read before the `change`; after the race, the one read before it.
    Stale,
    /// The current one, said to be a weak one.
    Weak,
    /// One that no version ever had.
    Unheard,
    /// None at all.
    None,
}

/// Which idempotency key a contender carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyUse {
    /// A key of its own.
    #[default]
    Own,
    /// The one key of all contenders that share.
    Shared,
    /// None, though its action is sent with one.
    None,
}

impl Scenario {
    /// Reads a scenario. `file` names it in errors.
    ///
    /// # Errors
    /// The first mistake that shows without an API description, with file, line, key and the way out.
    pub fn parse(file: &str, text: &str) -> Result<Self, SourceError> {
        let source = Source::new(file, text);
        let mut scenario: Self = source.parse()?;
        if scenario.schema.get_ref() != SCHEMA {
            let message = format!("unknown schema `{}`", scenario.schema.get_ref());
            return Err(source.wrong(scenario.schema.span(), message).help(format!("this version reads `{SCHEMA}`")));
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if scenario.name.get_ref().is_empty() || !scenario.name.get_ref().chars().all(plain) {
            return Err(source.wrong(scenario.name.span(), "a name is made of lower-case letters, digits and dashes"));
        }
        if scenario.apis.is_empty() {
            return Err(source
                .wrong_whole("`apis` names no API description")
                .help("apis = [\"NAME\"], the `name` in its file"));
        }
        if let Some(swarm) = scenario.swarm {
            let Swarm { clients, steps, resources } = swarm;
            if clients < 2 || steps < 1 || !(1..=clients).contains(&resources) {
                return Err(source.wrong_whole(
                    "a swarm needs two clients or more, a step or more, and between one resource and as many as clients",
                ));
            }
            if !(scenario.contenders.is_empty() && scenario.then.is_empty() && scenario.change.is_empty()) {
                return Err(source.wrong_whole("a swarm acts at random: it has no contenders, `then` or `change`"));
            }
        } else if scenario.contenders.len() < 2 {
            let message =
                format!("a race needs two [[contenders]] or more, and there are {}", scenario.contenders.len());
            return Err(source.wrong_whole(message));
        }
        if let Some(most) = &scenario.most_contenders
            && *most.get_ref() < scenario.contenders.len()
        {
            let message =
                format!("most_contenders is {}, but {} are written", most.get_ref(), scenario.contenders.len());
            return Err(source.wrong(most.span(), message));
        }
        for contender in &scenario.contenders {
            if contender.token.value == TokenUse::Stale && scenario.change.is_empty() {
                let span = contender.token.span.clone().unwrap_or_default();
                return Err(source
                    .wrong(span, "a token is stale only after a change, and there is none")
                    .help("add `change = [\"ACTION\"]`, an action that is done after the tokens were read"));
            }
        }
        file.clone_into(&mut scenario.file);
        text.clone_into(&mut scenario.text);
        Ok(scenario)
    }

    /// An error about a place in this file.
    pub(super) fn wrong(&self, place: &Spanned<String>, message: impl Into<String>) -> SourceError {
        Source::new(&self.file, &self.text).wrong(place.span(), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = r#"
schema = "quickeats-bench/scenario@1"
name = "mine"
apis = ["quickeats-v2"]
summary = "s"
start = "pending_payment"
alone = "applied"
[[contenders]]
action = "payment"
[[contenders]]
action = "cancellation"
"#;

    #[test]
    fn a_malformed_scenario_says_where_and_what_was_expected() {
        for (from, to, line, expected) in [
            ("action = \"payment\"", "action = 7", 9, "string"),
            ("alone = \"applied\"", "alone = \"aplied\"", 7, "`applied`"),
            ("summary = \"s\"", "sumary = \"s\"", 5, "sumary"),
            ("name = \"mine\"", "name = \"My Race\"", 3, "lower-case"),
            ("scenario@1", "scenario@9", 2, "scenario@1"),
            ("action = \"payment\"", "action = \"payment\"\ntoken = \"stale\"", 10, "change"),
            ("start = \"pending_payment\"", "start = \"pending_payment\"\nmost_contenders = 1", 7, "most_contenders"),
            ("start = ", "start = = ", 6, ""),
            ("action = \"payment\"", "action = \"payment\"\ntoken = \"week\"", 10, "`weak`"),
            ("action = \"payment\"", "action = \"payment\"\nperson = \"others\"", 10, "`other`"),
            ("action = \"payment\"", "action = \"payment\"\nat = \"secondary\"", 10, "`replica`"),
            ("alone = \"applied\"", "alone = \"applied\"\nrestart = \"yes\"", 8, "boolean"),
        ] {
            let error = Scenario::parse("mine.toml", &VALID.replacen(from, to, 1)).unwrap_err();
            let shown = error.to_string();
            assert_eq!(error.place.map(|place| place.line), Some(line), "{shown}");
            assert!(shown.contains(expected), "{shown}");
        }
    }

    #[test]
    fn a_swarm_stands_for_contenders_and_not_beside_them() {
        let (head, _) = VALID.split_once("[[contenders]]").unwrap();
        let parse =
            |tail: &str| Scenario::parse("mine.toml", &format!("{head}{tail}")).map_err(|error| error.to_string());
        let swarm = |clients: u8, steps: u8, resources: u8| {
            format!("[swarm]\nclients = {clients}\nsteps = {steps}\nresources = {resources}\n")
        };
        assert!(parse(&swarm(4, 8, 2)).is_ok());
        for lonely in [swarm(1, 8, 1), swarm(4, 0, 1), swarm(4, 8, 0), swarm(4, 8, 5)] {
            assert!(parse(&lonely).unwrap_err().contains("a swarm needs two clients"), "{lonely}");
        }
        let beside = format!("{}[[contenders]]\naction = \"payment\"\n", swarm(4, 8, 2));
        assert!(parse(&beside).unwrap_err().contains("it has no contenders"));
        assert!(parse("[swarm]\nclients = 4\nsteps = 8\n").unwrap_err().contains("resources"));
    }

    #[test]
    fn one_contender_is_no_race() {
        let text = VALID.rsplit_once("[[contenders]]").unwrap().0;
        let error = Scenario::parse("mine.toml", text).unwrap_err();
        assert!(error.to_string().contains("two [[contenders]]"), "{error}");
    }
}
