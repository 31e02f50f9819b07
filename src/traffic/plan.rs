//! Traffic, resolved against an API description: everything that clients do, nothing left to look up.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::file::{HotFile, StepFile, StepTable, Traffic};
use super::threshold::Threshold;
use crate::api::{Api, Family};
use crate::history::{Actor, Verb};
use crate::scenario::{KeyUse, PersonUse, TokenUse};
use crate::source::SourceError;

/// How many resources are acted on at random in a journey that no file says.
const STEPS_OF_A_WALK: usize = 8;

/// What the clients of a load do.
#[derive(Debug, Clone)]
pub struct TrafficPlan {
    /// Its name.
    pub name: String,
    /// The API description.
    pub api: Arc<Api>,
    /// What happens to fresh resources.
    pub journeys: Vec<Journey>,
    /// What happens to those that all clients act on.
    pub hot: Hot,
    /// How long a client of a closed load thinks before each request, drawn evenly.
    pub think: Option<Range<Duration>>,
    /// The share of journeys after which the resource and its lists are read.
    pub audit: f64,
    /// Limits that fail the load when crossed.
    pub thresholds: Vec<Threshold>,
    /// What requests ask for, in words: a sample's label counts into them.
    pub labels: Arc<[Arc<str>]>,
}

/// One kind of journey.
#[derive(Debug, Clone)]
pub struct Journey {
    /// Its name.
    pub name: Arc<str>,
    /// How often it is begun, against the weights of the others.
    pub weight: f64,
    /// What is done, one after the other.
    pub steps: Vec<JourneyStep>,
    /// Whether it is about a resource of its own.
    pub has_resource: bool,
}

/// One step of a journey.
#[derive(Debug, Clone)]
pub enum JourneyStep {
    /// A request about its resource.
    Ask(Box<Ask>),
    /// Any action that the resource's state allows, until none is.
    Walk,
    /// A path is read, of which only the status counts.
    Get {
        /// Path and query.
        path: String,
        /// In which role.
        role: Arc<str>,
        /// Its label.
        label: usize,
    },
}

/// A request about a resource.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What it asks for.
    pub verb: Verb,
    /// Who asks.
    pub actor: Actor,
    /// Which version token it names.
    pub token: TokenUse,
    /// Which idempotency key it carries.
    pub key: KeyUse,
    /// A body instead of the described one.
    pub body: Option<Arc<Value>>,
    /// Whether it is sent twice at the same moment.
    pub is_doubled: bool,
}

/// What happens to the resources that all clients act on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hot {
    /// The share of requests that go to them.
    pub share: f64,
    /// How many there are at a time.
    pub resources: u16,
    /// The share of visits that do what a careless client does.
    pub mischief: f64,
    /// How often a change that is refused as stale is tried again.
    pub retries: u8,
}

impl From<&HotFile> for Hot {
    fn from(file: &HotFile) -> Self {
        Self { share: file.share, resources: file.resources, mischief: file.mischief, retries: file.retries }
    }
}

impl TrafficPlan {
    /// Resolves `traffic` for `api`.
    ///
    /// # Errors
    /// An action or actor that the description does not have, with its place in the file.
    pub fn resolve(traffic: &Traffic, api: &Arc<Api>) -> Result<Self, SourceError> {
        let is_for = |name: &&str| **name == *api.name;
        if !traffic.apis.iter().map(|name| name.get_ref().as_str()).any(|name| is_for(&name)) {
            let message = format!("this traffic is not for `{}`", api.name);
            return Err(traffic
                .wrong(traffic.name.span(), message)
                .help(format!("add \"{}\" to `apis`, or name another API with --api", api.name)));
        }
        let mut labels = Labels::new(api);
        let resolver = Resolver { traffic, api };
        let mut journeys = Vec::new();
        for journey in &traffic.journeys {
            let steps: Vec<JourneyStep> = (journey.steps.iter())
                .map(|step| resolver.step(step.get_ref(), &step.span(), &mut labels))
                .collect::<Result<_, _>>()?;
            let has_resource = steps.iter().any(|step| !matches!(step, JourneyStep::Get { .. }));
            journeys.push(Journey {
                name: journey.name.as_str().into(),
                weight: *journey.weight.get_ref(),
                steps,
                has_resource,
            });
        }
        Ok(Self {
            name: traffic.name.get_ref().clone(),
            api: Arc::clone(api),
            journeys,
            hot: Hot::from(&traffic.hot),
            think: traffic.think.map(|think| think.least..think.most),
            audit: traffic.audit.unwrap_or(1.0),
            thresholds: resolver.thresholds(&labels)?,
            labels: labels.0.into(),
        })
    }

    /// Traffic for any API: fresh resources that are acted on at random, and read.
    pub fn generic(api: &Arc<Api>) -> Self {
        let mut steps =
            vec![JourneyStep::Walk; if api.model.family == Family::Lifecycle { 1 } else { STEPS_OF_A_WALK }];
        if api.dialect.reads() {
            let actor = Actor { role: Arc::clone(api.dialect.role(&Verb::Read)), person: 1 };
            let read = Ask {
                verb: Verb::Read,
                actor,
                token: TokenUse::None,
                key: KeyUse::None,
                body: None,
                is_doubled: false,
            };
            steps.push(JourneyStep::Ask(Box::new(read)));
        }
        let walk = Journey { name: "walk".into(), weight: 1.0, steps, has_resource: true };
        Self {
            name: "any".to_owned(),
            api: Arc::clone(api),
            journeys: vec![walk],
            hot: Hot::from(&HotFile { share: 0.1, ..HotFile::default() }),
            think: None,
            audit: 1.0,
            thresholds: Vec::new(),
            labels: Labels::new(api).0.into(),
        }
    }

    /// Whether anything of it is about a resource, whose history can be judged.
    pub fn is_judged(&self) -> bool {
        self.hot.share > 0.0 || self.journeys.iter().any(|journey| journey.has_resource)
    }

    /// What of it changes nothing; `None` if nothing is left.
    #[must_use]
    pub fn reads_only(mut self) -> Option<Self> {
        self.journeys.retain(|journey| !journey.has_resource);
        self.hot.share = 0.0;
        self.journeys.iter().any(|journey| journey.weight > 0.0).then_some(self)
    }

    /// The label of requests for `verb`.
    pub fn label(&self, verb: &Verb) -> usize {
        match verb {
            Verb::Create => 0,
            Verb::Read => 1,
            Verb::ListEffects => 2,
            Verb::ListEvents => 3,
            Verb::Act(name) => {
                let place = self.api.model.actions.iter().position(|action| action.name == *name);
                4 + place.expect("plans are checked against the description")
            }
        }
    }
}

/// What requests are called: in the order that [`TrafficPlan::label`] counts on, then paths.
struct Labels(Vec<Arc<str>>);

impl Labels {
    fn new(api: &Api) -> Self {
        let fixed = [Verb::Create, Verb::Read, Verb::ListEffects, Verb::ListEvents].map(|verb| verb.to_string().into());
        Self(fixed.into_iter().chain(api.model.actions.iter().map(|action| Arc::clone(&action.name))).collect())
    }

    fn of(&mut self, word: &str) -> usize {
        self.0.iter().position(|known| **known == *word).unwrap_or_else(|| {
            self.0.push(word.into());
            self.0.len() - 1
        })
    }
}

struct Resolver<'a> {
    traffic: &'a Traffic,
    api: &'a Api,
}

impl Resolver<'_> {
    fn step(&self, step: &StepFile, span: &Range<usize>, labels: &mut Labels) -> Result<JourneyStep, SourceError> {
        let wrong = |message: String| self.traffic.wrong(span.clone(), message);
        let table = match step {
            StepFile::Word(word) if word == "walk" => return Ok(JourneyStep::Walk),
            StepFile::Word(word) => &StepTable { action: Some(word.clone()), ..StepTable::default() },
            StepFile::Table(table) => table,
        };
        match (&table.action, &table.get) {
            (Some(action), None) => Ok(JourneyStep::Ask(Box::new(self.ask(action, table, span)?))),
            (None, Some(path)) => {
                if !path.starts_with('/') || path.parse::<http::uri::PathAndQuery>().is_err() {
                    return Err(wrong(format!("`{path}` is not a path")).help(
                        "it begins with `/`, and what a URL does not have in its path or query is percent-encoded",
                    ));
                }
                if path.contains(['{', '}']) {
                    return Err(wrong(format!("`{path}` has a hole, and a `get` is about no resource"))
                        .help("a resource of the journey is read by the step \"read\""));
                }
                let role = self.role(table, span)?;
                Ok(JourneyStep::Get { path: path.clone(), role, label: labels.of(&format!("GET {path}")) })
            }
            (Some(_), Some(_)) => Err(wrong("a step is an `action` or a `get`, not both".to_owned())),
            (None, None) => Err(wrong("a step needs an `action` or a `get`".to_owned())),
        }
    }

    fn thresholds(&self, labels: &Labels) -> Result<Vec<Threshold>, SourceError> {
        let read = |written: &toml::Spanned<String>| {
            let wrong = |message: String| self.traffic.wrong(written.span(), message);
            let threshold: Threshold = written.get_ref().parse().map_err(wrong)?;
            if let Some(label) = &threshold.label
                && !labels.0.iter().any(|known| **known == **label)
            {
                let message = format!("no request is called `{label}`");
                return Err(wrong(message).suggest(label, labels.0.iter().map(|known| &**known)));
            }
            Ok(threshold)
        };
        self.traffic.thresholds.iter().map(read).collect()
    }

    fn role(&self, table: &StepTable, span: &Range<usize>) -> Result<Arc<str>, SourceError> {
        let dialect = &self.api.dialect;
        let mut roles = dialect.roles();
        match (&table.actor, roles.next(), roles.next()) {
            (Some(role), ..) if dialect.has_role(role) => Ok(role.as_str().into()),
            (Some(role), ..) => Err(self.no_actor(role, span)),
            (None, Some(only), None) => Ok(only.into()),
            (None, ..) => {
                Err(self.traffic.wrong(span.clone(), "`get` needs an `actor`: who asks?").suggest("", dialect.roles()))
            }
        }
    }

    fn no_actor(&self, role: &str, span: &Range<usize>) -> SourceError {
        let message = format!("`{}` has no actor `{role}`", self.api.name);
        self.traffic.wrong(span.clone(), message).suggest(role, self.api.dialect.roles())
    }

    fn ask(&self, word: &str, table: &StepTable, span: &Range<usize>) -> Result<Ask, SourceError> {
        let (api, dialect) = (self.api, &self.api.dialect);
        let verb = match (word, api.model.action(word)) {
            (_, Some(action)) => Verb::Act(Arc::clone(&action.name)),
            ("read", None) if dialect.reads() => Verb::Read,
            ("create", None) if dialect.creates() => Verb::Create,
            ("walk", None) => {
                return Err(self
                    .traffic
                    .wrong(span.clone(), "`walk` is no action of its own")
                    .help("write it as a word: \"walk\""));
            }
            (_, None) => {
                let known = api.model.actions.iter().map(|action| &*action.name).chain(["create", "read", "walk"]);
                let message = format!("`{}` has no action `{word}`", api.name);
                return Err(self.traffic.wrong(span.clone(), message).suggest(word, known));
            }
        };
        let own_role = match &verb {
            Verb::Act(name) => &api.model.action(name).expect("found there").actor,
            _ => dialect.role(&verb),
        };
        let role = match &table.actor {
            None => Arc::clone(own_role),
            Some(role) if dialect.has_role(role) => role.as_str().into(),
            Some(role) => return Err(self.no_actor(role, span)),
        };
        let person = if table.person == PersonUse::Same { 1 } else { 2 };
        Ok(Ask {
            token: if dialect.sends_token(&verb) { table.token } else { TokenUse::None },
            key: if dialect.sends_key(&verb) { table.key } else { KeyUse::None },
            verb,
            actor: Actor { role, person },
            body: table.body.clone().map(Arc::new),
            is_doubled: table.twice,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::builtin;

    fn plan(steps: &str) -> Result<TrafficPlan, SourceError> {
        let text = format!(
            "schema = \"quickeats-bench/traffic@1\"\nname = \"mine\"\napis = [\"quickeats-v2\"]\nsummary = \"\"\n[[journeys]]\nname = \"j\"\nweight = 1\nsteps = [{steps}]\n"
        );
        TrafficPlan::resolve(&Traffic::parse("mine.toml", &text)?, &builtin::api("quickeats-v2").unwrap())
    }

    #[test]
    fn steps_are_looked_up_in_the_description() {
        let plan = plan(
            r#""payment", { action = "acceptance", token = "stale" }, "walk", { get = "/x?y=1", actor = "rider" }"#,
        )
        .unwrap();
        let [
            JourneyStep::Ask(payment),
            JourneyStep::Ask(acceptance),
            JourneyStep::Walk,
            JourneyStep::Get { label, .. },
        ] = &plan.journeys[0].steps[..]
        else {
            panic!("{:?}", plan.journeys[0].steps)
        };
        assert_eq!((payment.key, payment.token), (KeyUse::Own, TokenUse::Current));
        assert_eq!((acceptance.key, acceptance.token), (KeyUse::None, TokenUse::Stale));
        assert_eq!(&*plan.labels[*label], "GET /x?y=1");
        assert_eq!(&*plan.labels[plan.label(&payment.verb)], "payment");
    }

    #[test]
    fn what_the_description_does_not_have_is_named_with_its_line() {
        for (steps, expected) in [
            (r#""pay""#, "did you mean"),
            (r#"{ action = "payment", actor = "cook" }"#, "no actor `cook`"),
            (r#"{ get = "/orders" }"#, "who asks?"),
            (r#"{ get = "orders", actor = "rider" }"#, "begins with `/`"),
            (r#"{ get = "/", action = "payment" }"#, "not both"),
            ("{ }", "needs an `action`"),
        ] {
            let error = plan(steps).unwrap_err();
            assert_eq!(error.place.as_ref().map(|place| place.line), Some(8), "{error}");
            assert!(error.to_string().contains(expected), "{steps}: {error}");
        }
    }

    #[test]
    fn every_description_has_traffic() {
        for name in builtin::names() {
            let api = builtin::api(name).unwrap();
            let plan = TrafficPlan::generic(&api);
            assert!(plan.journeys.iter().all(|journey| !journey.steps.is_empty()), "{name}");
            assert_eq!(plan.labels.len(), 4 + api.model.actions.len(), "{name}");
        }
    }
}
