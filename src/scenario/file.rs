//! A scenario as written, in TOML. Checked against an API description when it is planned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::contender::{Contender, TokenUse};
use super::generic::{ModelKind, Role, Starts};
use crate::check::Alone;
use crate::source::{Source, SourceError};

/// The version of the format.
const SCHEMA: &str = "quickeats-bench/scenario@1";
/// How far `--contenders` may raise the volley of a scenario that no file says.
const MOST_MADE: usize = 64;

/// A scenario: a state to bring a fresh resource to, and who then races.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Scenario of quickeats-bench")]
pub struct Scenario {
    /// The format's version: `quickeats-bench/scenario@1`.
    #[schemars(with = "String")]
    schema: Spanned<String>,
    /// Its name: what `race` takes.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The API descriptions it is for; none if it is for kinds of models.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub apis: Vec<Spanned<String>>,
    /// The kinds of models it is for, whatever the description; none if it is for named ones.
    #[serde(default)]
    #[schemars(with = "Vec<ModelKind>")]
    pub models: Vec<Spanned<ModelKind>>,
    /// One line about it.
    pub summary: String,
    /// What it shows, for people.
    #[serde(default)]
    pub story: String,
    /// The state that the fresh resource is brought to. A generic scenario may leave it out: then it is the nearest one in which
    /// the contenders may act.
    #[schemars(with = "Option<String>")]
    pub start: Option<Spanned<String>>,
    /// What a fresh counter holds, if not what the description says.
    #[schemars(with = "Option<Starts>")]
    pub starts: Option<Spanned<Starts>>,
    /// Actions done one after the other just before the volley, after stale tokens were read.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub change: Vec<Spanned<String>>,
    /// What a contender hears when nothing races with it.
    pub alone: Alone,
    /// How far `--contenders` may raise the volley; absent, it stays as written.
    #[schemars(with = "Option<usize>")]
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
    #[schemars(with = "Option<Swarm>")]
    pub swarm: Option<Spanned<Swarm>>,
    /// The file's name and text, for errors and for `scenarios show`.
    #[serde(skip)]
    pub file: String,
    /// See `file`.
    #[serde(skip)]
    pub text: String,
}

/// Clients that act at random on a few fresh resources, all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Swarm {
    /// How many clients.
    pub clients: u8,
    /// How many requests each makes.
    pub steps: u8,
    /// How many resources they share. Each is a round of its own.
    pub resources: u8,
}

impl Scenario {
    /// A race that no file says, for one API description: two contenders that are accepted alone, or more by taking turns.
    pub(super) fn made(name: String, api: &str, start: &str, summary: String, contenders: [Contender; 2]) -> Self {
        let nowhere = |text: &str| Spanned::new(0..0, text.to_owned());
        Self {
            schema: nowhere(SCHEMA),
            name: Spanned::new(0..0, name),
            apis: vec![nowhere(api)],
            models: Vec::new(),
            summary,
            story: String::new(),
            start: Some(nowhere(start)),
            starts: None,
            change: Vec::new(),
            alone: Alone::Applied,
            most_contenders: Some(Spanned::new(0..0, MOST_MADE)),
            contenders: contenders.into(),
            then: Vec::new(),
            restart: false,
            swarm: None,
            file: String::new(),
            text: String::new(),
        }
    }

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
        scenario.check_audience(&source)?;
        scenario.check_size(&source)?;
        scenario.check_contenders(&source)?;
        file.clone_into(&mut scenario.file);
        text.clone_into(&mut scenario.text);
        Ok(scenario)
    }

    /// It is for descriptions or for kinds of models, and says where it starts.
    fn check_audience(&self, source: &Source<'_>) -> Result<(), SourceError> {
        match (self.apis.first(), self.models.first()) {
            (None, None) => Err(source.wrong(self.name.span(), "nothing says what it is for: neither `apis` nor `models`").help(
                "apis = [\"NAME\"], the `name` in an API description's file; or models = [\"register\"], for all such",
            )),
            (Some(_), Some(model)) => Err(source
                .wrong(model.span(), "a scenario is for API descriptions or for kinds of models, not for both")
                .help("leave out `apis` or `models`")),
            (Some(_), None) if self.start.is_none() => Err(source
                .wrong(self.name.span(), "missing field `start`")
                .help("start = \"STATE\", the state that the fresh resource is brought to")),
            (Some(_), None) | (None, Some(_)) => Ok(()),
        }
    }

    /// There are enough at it, and either contenders or a swarm.
    fn check_size(&self, source: &Source<'_>) -> Result<(), SourceError> {
        if let Some(swarm) = &self.swarm {
            let Swarm { clients, steps, resources } = *swarm.get_ref();
            if clients < 2 || steps < 1 || !(1..=clients).contains(&resources) {
                return Err(source.wrong(
                    swarm.span(),
                    "a swarm needs two clients or more, a step or more, and between one resource and as many as clients",
                ));
            }
            if !(self.contenders.is_empty() && self.then.is_empty() && self.change.is_empty()) {
                return Err(
                    source.wrong(swarm.span(), "a swarm acts at random: it has no contenders, `then` or `change`")
                );
            }
        } else if self.contenders.len() < 2 {
            let message = format!("a race needs two [[contenders]] or more, and there are {}", self.contenders.len());
            let at = self.contenders.first().map_or(self.name.span(), |only| only.action.span());
            return Err(source.wrong(at, message).help("[[contenders]] with action = \"…\", one for each who races"));
        }
        if let Some(most) = &self.most_contenders
            && *most.get_ref() < self.contenders.len()
        {
            let message = format!("most_contenders is {}, but {} are written", most.get_ref(), self.contenders.len());
            return Err(source.wrong(most.span(), message));
        }
        Ok(())
    }

    /// What contenders and followers say makes sense without an API description.
    fn check_contenders(&self, source: &Source<'_>) -> Result<(), SourceError> {
        for contender in &self.contenders {
            if contender.token.value == TokenUse::Stale && self.change.is_empty() {
                let span = contender.token.span.clone().unwrap_or_default();
                return Err(source
                    .wrong(span, "a token is stale only after a change, and there is none")
                    .help("add `change = [\"ACTION\"]`, an action that is done after the tokens were read"));
            }
        }
        if let Some(span) = self.then.iter().find_map(|follower| follower.offset.span.clone()) {
            return Err(source
                .wrong(span, "what follows the race is sent one after the other, and has no offset")
                .help("leave it out, or let it race: [[contenders]]"));
        }
        for action in self.actions() {
            if let Some(Err(unknown)) = Role::parse(action.get_ref()) {
                return Err(source
                    .wrong(action.span(), format!("unknown role `{unknown}`"))
                    .suggest(&unknown, Role::ALL.map(Role::word)));
            }
        }
        Ok(())
    }

    /// An error about a place in this file.
    pub(super) fn wrong<T>(&self, place: &Spanned<T>, message: impl Into<String>) -> SourceError {
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
            ("summary = \"s\"", "summary = \"s\"\nmodels = [\"register\"]", 6, "not for both"),
            ("apis = [\"quickeats-v2\"]", "models = [\"registry\"]", 4, "`register`"),
            ("alone = \"applied\"", "alone = \"applied\"\nstarts = \"enough\"", 8, "\"for-one\" or \"for-all\""),
            ("alone = \"applied\"", "alone = \"applied\"\nchange = [\"<reqlace>\"]", 8, "did you mean `<replace>`?"),
            ("action = \"payment\"", "action = \"<pay>\"", 9, "<effect>"),
            ("action = \"payment\"", "action = \"payment\"\noffset = 2", 10, "string"),
            ("action = \"payment\"", "action = \"payment\"\noffset = \"2\"", 10, "a number and a unit"),
            ("action = \"payment\"", "action = \"payment\"\noffset = \"2s\"", 10, "at most 1s"),
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
    fn it_is_for_descriptions_or_for_kinds_of_models() {
        let parse = |from: &str, to: &str| Scenario::parse("mine.toml", &VALID.replacen(from, to, 1));
        let apis = "apis = [\"quickeats-v2\"]\n";
        let error = |from, to| parse(from, to).unwrap_err().to_string();
        assert!(error(apis, "").contains("neither `apis` nor `models`"));
        assert!(error(apis, "apis = []\nmodels = []\n").contains("neither `apis` nor `models`"));
        let start = "start = \"pending_payment\"\n";
        assert!(error(start, "").contains("missing field `start`"));
        let generic = VALID.replacen(apis, "models = [\"register\", \"state-machine\"]\n", 1).replacen(start, "", 1);
        let generic = Scenario::parse("mine.toml", &generic).unwrap();
        assert!(generic.is_generic() && generic.is_for("any", crate::api::Family::Register));
        assert!(!generic.is_for("quickeats-v2", crate::api::Family::Effects));
        assert_eq!(generic.audience(), "register, state-machine");
    }

    #[test]
    fn what_follows_the_race_has_no_offset() {
        let text = format!("{VALID}[[then]]\naction = \"payment\"\noffset = \"2ms\"\n");
        let error = Scenario::parse("mine.toml", &text).unwrap_err();
        assert!(error.to_string().contains("has no offset"), "{error}");
    }

    #[test]
    fn one_contender_is_no_race() {
        let text = VALID.rsplit_once("[[contenders]]").unwrap().0;
        let error = Scenario::parse("mine.toml", text).unwrap_err();
        assert!(error.to_string().contains("two [[contenders]]"), "{error}");
    }
}
