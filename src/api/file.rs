//! Reading an API description from TOML: shape first (serde), then sense, each mistake with its place.

mod shape;
mod spoken;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::Api;
use super::model::{ActionModel, Family, KeyPromises, Lags, Model, StateIx, Transition};
use crate::source::{Source, SourceError};
use shape::{ApiFile, ReplayFile, ReuseFile};

/// The version of the format.
const SCHEMA: &str = "quickeats-bench/api@1";
/// More states than this are not a description of one resource.
const MOST_STATES: usize = 1_000;

/// Reads `text`.
pub(super) fn parse(name: &str, text: &str) -> Result<Api, SourceError> {
    let source = Source::new(name, text);
    let file: ApiFile = source.parse()?;
    let reader = Reader { source: &source, actors: file.actors.keys().cloned().collect() };
    reader.schema(&file.schema)?;
    reader.name(&file.name)?;
    let model = reader.model(&file)?;
    let dialect = reader.dialect(&file)?;
    let saved = masked(text, &file);
    Ok(Api {
        name: file.name.get_ref().as_str().into(),
        summary: file.summary.into(),
        source: saved.into(),
        model,
        dialect,
    })
}

/// The text with the values of all headers masked: they may be credentials, and the text goes into every history.
fn masked(text: &str, file: &ApiFile) -> String {
    let of_actors = file.actors.values().map(|actor| &actor.headers);
    let of_requests = [&file.create.headers, &file.read.headers].into_iter();
    let of_actions = file.actions.values().map(|action| &action.headers);
    let mut spans: Vec<Range<usize>> =
        of_actors.chain(of_requests).chain(of_actions).flat_map(BTreeMap::values).map(Spanned::span).collect();
    spans.sort_by_key(|span| span.start);
    let mut masked = text.to_owned();
    for span in spans.into_iter().rev() {
        masked.replace_range(span, "\"(masked)\"");
    }
    masked
}

/// What every part of the reading needs.
struct Reader<'a> {
    source: &'a Source<'a>,
    actors: Vec<String>,
}

impl Reader<'_> {
    fn wrong(&self, span: Range<usize>, message: impl Into<String>) -> SourceError {
        self.source.wrong(span, message)
    }

    fn schema(&self, schema: &Spanned<String>) -> Result<(), SourceError> {
        if schema.get_ref() == SCHEMA {
            return Ok(());
        }
        let message = format!("unknown schema `{}`", schema.get_ref());
        Err(self.wrong(schema.span(), message).help(format!("this version reads `{SCHEMA}`")))
    }

    fn name(&self, name: &Spanned<String>) -> Result<(), SourceError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.get_ref().is_empty() && name.get_ref().chars().all(plain) {
            return Ok(());
        }
        Err(self.wrong(name.span(), "a name is made of lower-case letters, digits and dashes"))
    }

    fn model(&self, file: &ApiFile) -> Result<Model, SourceError> {
        let mut states: Vec<Arc<str>> = Vec::new();
        let mut add = |name: &str| {
            if !states.iter().any(|state| **state == *name) {
                states.push(name.into());
            }
        };
        add(file.states.initial.get_ref());
        for action in file.actions.values() {
            for transition in &action.transitions {
                add(transition.from.get_ref());
                add(transition.to.get_ref());
            }
        }
        if states.len() > MOST_STATES {
            return Err(self
                .source
                .wrong_whole(format!("{} states; at most {MOST_STATES} can be judged", states.len())));
        }
        let index = |name: &Spanned<String>| {
            let position = states.iter().position(|state| **state == **name.get_ref());
            position.map(|at| StateIx(u16::try_from(at).expect("at most MOST_STATES"))).ok_or_else(|| {
                self.wrong(name.span(), format!("no transition mentions the state `{}`", name.get_ref()))
                    .suggest(name.get_ref(), states.iter().map(|state| &**state))
            })
        };
        let terminal = file.states.terminal.iter().map(index).collect::<Result<Vec<_>, _>>()?;
        let mut actions = Vec::new();
        for (name, action) in &file.actions {
            if action.transitions.is_empty() {
                let message = format!("the action `{name}` has no transitions: nothing could ever be done with it");
                return Err(self
                    .wrong(action.path.span(), message)
                    .help("transitions = [{ from = \"…\", to = \"…\" }]"));
            }
            let mut transitions = Vec::new();
            for transition in &action.transitions {
                let (from, to) = (index(&transition.from)?, index(&transition.to)?);
                if terminal.contains(&from) && from != to && !action.aside {
                    let message =
                        format!("`{}` is declared terminal, so nothing may leave it", transition.from.get_ref());
                    return Err(self.wrong(transition.from.span(), message));
                }
                transitions.push(Transition { from, to });
            }
            actions.push(ActionModel {
                name: name.as_str().into(),
                actor: action.actor.get_ref().as_str().into(),
                transitions,
                has_effect: action.effect.is_some(),
                only: action.only,
                is_aside: action.aside,
                write: None,
                adds: None,
            });
        }
        let initial = index(&file.states.initial)?;
        self.check_reachable(file, &states, initial, &actions)?;
        Ok(Model {
            noun: file.resource.name.as_str().into(),
            family: Family::Lifecycle,
            initial,
            states: states.clone(),
            actions,
            precondition_required: file.token.as_ref().is_some_and(|token| token.required),
            versioned: file.resource.version.is_some(),
            effects_per_resource: file.effects.as_ref().and_then(|effects| effects.at_most),
            terminal,
            keys: KeyPromises {
                replays_what_was_stored: (file.idempotency.as_ref())
                    .is_some_and(|keys| keys.replay == Some(ReplayFile::Stored)),
                refuses_reuse: (file.idempotency.as_ref()).is_some_and(|keys| keys.reuse == Some(ReuseFile::Refused)),
            },
            lags: Lags {
                reads: file.read.eventual,
                effects: file.effects.as_ref().is_some_and(|list| list.eventual),
                events: file.events.as_ref().is_some_and(|list| list.eventual),
            },
        })
    }

    /// Every state that a transition leaves must be one that something leads to: the rest are slips of the pen.
    fn check_reachable(
        &self,
        file: &ApiFile,
        states: &[Arc<str>],
        initial: StateIx,
        actions: &[ActionModel],
    ) -> Result<(), SourceError> {
        let mut reached = vec![initial];
        let mut looked_at = 0;
        while let Some(state) = reached.get(looked_at).copied() {
            looked_at += 1;
            for to in actions.iter().flat_map(|action| action.next(state)) {
                if !reached.contains(&to) {
                    reached.push(to);
                }
            }
        }
        let name = |state: &StateIx| &*states[usize::from(state.0)];
        let is_reached = |from: &str| reached.iter().any(|state| name(state) == from);
        let transitions = file.actions.values().flat_map(|action| &action.transitions);
        match transitions.into_iter().find(|transition| !is_reached(transition.from.get_ref())) {
            None => Ok(()),
            Some(transition) => {
                let (from, initial) = (transition.from.get_ref(), file.states.initial.get_ref());
                Err(self
                    .wrong(transition.from.span(), format!("no transitions lead from `{initial}` to `{from}`"))
                    .suggest(from, reached.iter().map(name)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Api;

    #[test]
    fn a_promise_that_makes_no_sense_is_named_where_it_stands() {
        let valid = include_str!("../../scenarios/apis/quickeats-v2.toml");
        for (from, to, expected) in [
            ("only = \"role\"", "only = \"owner\"", "`creator`"),
            ("replay = \"stored\"", "replay = \"same\"", "`stored`"),
            ("reuse = \"refused\"", "reuse = \"409\"", "`refused`"),
            ("aside = true", "aside = \"v1\"", "boolean"),
            ("amount = \"/amount\"", "amount = \"amount\"", "did you mean `/amount`?"),
            ("[actions.rejection]", "[actions.read]", "an action cannot be called `read`"),
            ("[actions.rejection]", "[actions.create]", "an action cannot be called `create`"),
            ("[idempotency]", "[idempotence]", "idempotence"),
        ] {
            assert!(valid.contains(from), "{from}");
            let error = Api::parse("mine.toml", &valid.replacen(from, to, 1)).unwrap_err();
            let shown = error.to_string();
            assert!(error.place.is_some() && shown.contains(expected), "{to}: {shown}");
        }
    }

    #[test]
    fn a_key_that_is_sent_must_have_a_header() {
        let valid = include_str!("../../scenarios/apis/quickeats-v1.toml");
        let keyed = valid.replacen("[create]", "[create]\nidempotency_key = true", 1);
        let error = Api::parse("mine.toml", &keyed).unwrap_err().to_string();
        assert!(error.contains("there is no [idempotency] table"), "{error}");
    }
}
