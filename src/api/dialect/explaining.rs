//! Explaining a reply: what it means and why, and what stands at each place that the description names. For people who write
//! a description; races read replies by [`Dialect::read`] alone.

use std::sync::Arc;

use serde_json::Value;

use super::{Dialect, Told};
use crate::api::exchange::Response;
use crate::api::place::{LONGEST, Place, Sight, Source, Spot, Taken};
use crate::history::{Meaning, Outcome, Record, Verb};
use crate::text::nearest;

/// More places than this are not looked for in a body.
const MOST_POINTERS: usize = 500;
/// More keys or headers than this are not named.
const MOST_NAMED: usize = 12;

/// A reply, explained.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What races take it for.
    pub outcome: Outcome,
    /// What it means; none where that is left open (5xx, say).
    pub meaning: Option<Meaning>,
    /// What says so.
    pub because: Because,
    /// What was looked for in it. Nothing, if it is a refusal.
    pub sights: Vec<Sighted>,
}

/// What says what a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The `[[replies]]` rule on this line of the description.
    Rule(usize),
    /// HTTP (RFC 9110 §15).
    Http,
    /// HTTP or a rule, and the place of `[idempotency] replayed`.
    Replayed,
}

/// One place of a reply that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighted {
    /// What should stand there: `id`, `state`, `version token` …
    pub what: &'static str,
    /// Where that is, in words.
    pub place: String,
    /// What stands there.
    pub found: Option<String>,
    /// Whether the reply is of no use without it.
    pub is_needed: bool,
    /// If nothing stands there: what the reply has instead, and what may have been meant.
    pub hint: Option<String>,
}

impl Dialect {
    /// What `response` to `verb` means, why, and what was read from it.
    pub fn explain(&self, verb: &Verb, response: &Response) -> Explained {
        let json: Option<Value> = serde_json::from_slice(&response.body).ok();
        let sight = Sight { response, json: json.as_ref() };
        let outcome = self.read(verb, response);
        let meaning = self.meaning(verb, sight);
        let rule = self.rules.iter().find(|rule| rule.fits(verb, response, json.as_ref()));
        let because = match (meaning, rule) {
            (Some(Meaning::Replayed), rule) if rule.is_none_or(|rule| rule.means != Meaning::Replayed) => {
                Because::Replayed
            }
            (_, Some(rule)) => Because::Rule(rule.line),
            (_, None) => Because::Http,
        };
        let tells = meaning.is_some_and(|meaning| !meaning.is_refusal() && !meaning.is_open());
        let sights = if tells { self.sights(verb, sight, &outcome) } else { Vec::new() };
        Explained { outcome, meaning, because, sights }
    }

    /// The state (value, number) that stands in a reply, whether or not the description says that it shows one.
    pub fn state_in(&self, response: &Response) -> Option<Arc<str>> {
        let json: Option<Value> = serde_json::from_slice(&response.body).ok();
        self.state.as_ref()?.text(Sight { response, json: json.as_ref() })
    }

    fn sights(&self, verb: &Verb, sight: Sight<'_>, outcome: &Outcome) -> Vec<Sighted> {
        let mut sights = Vec::new();
        let mut look = |what, place: Option<&Place>, is_needed| {
            sights.extend(place.map(|place| sighted(what, place, is_needed, sight)));
        };
        let shows = match verb {
            Verb::Act(name) => self.actions.get(name).is_none_or(|action| action.shows),
            Verb::Create | Verb::Read => true,
            Verb::ListEffects | Verb::ListEvents => false,
        };
        if *verb == Verb::Create {
            look("id", self.id.place(), true);
        }
        if shows {
            let is_needed = *verb == Verb::Read || *verb == Verb::Create && self.answers_json;
            look(self.state_word, self.state.as_ref(), is_needed);
            look("version", self.version.as_ref(), false);
        }
        match verb {
            Verb::Create | Verb::Read | Verb::Act(_) => {
                let token = self.token.as_ref().map(|token| &token.read);
                look("version token", token, *verb == Verb::Read);
            }
            Verb::ListEffects | Verb::ListEvents => sights.extend(self.rows(verb, sight, outcome)),
        }
        if let Verb::Act(name) = verb
            && let Some(action) = self.actions.get(name)
        {
            let mut look = |what, place: Option<&Place>| {
                sights.extend(place.map(|place| sighted(what, place, false, sight)));
            };
            look("effect", action.effect.as_ref());
            look("amount", action.amount.as_ref());
        }
        sights
    }

    /// What a list tells.
    fn rows(&self, verb: &Verb, sight: Sight<'_>, outcome: &Outcome) -> Option<Sighted> {
        let list = if *verb == Verb::ListEffects { self.effects.as_ref() } else { self.events.as_ref() }?;
        let place = match &list.told {
            Told::Rows(at) => at.to_string(),
            Told::Count(place) => place.to_string(),
        };
        let rows = outcome.reply().and_then(|reply| reply.records.as_ref());
        let hint = match (&list.told, rows) {
            (_, Some(_)) => None,
            (Told::Rows(at), None) if at_list(at, sight) => None,
            (Told::Rows(at), None) => Some(instead(at, sight, true)),
            (Told::Count(place), None) => place.0.first().map(|spot| instead(&spot.at, sight, false)),
        };
        Some(Sighted { what: "rows", place, found: rows.map(|rows| told(rows)), is_needed: true, hint })
    }
}

fn at_list(at: &Source, sight: Sight<'_>) -> bool {
    sight.json.and_then(|json| at.node(json)).is_some_and(Value::is_array)
}

fn told(rows: &[Record]) -> String {
    const SHOWN: usize = 3;
    let row = |row: &Record| {
        let named = [
            row.id.as_ref().map(|id| crate::text::short(id)),
            row.action.as_ref().map(ToString::to_string),
            row.from.as_ref().map(|from| format!("from {from}")),
            row.to.as_ref().map(|to| format!("to {to}")),
            row.amount.map(|amount| format!("amount {amount}")),
            row.version.map(|version| format!("version {version}")),
        ];
        named.into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    let shown: Vec<String> = rows.iter().take(SHOWN).map(row).filter(|row| !row.is_empty()).collect();
    let more = if rows.len() > SHOWN && !shown.is_empty() { "; …" } else { "" };
    let colon = if shown.is_empty() { "" } else { ": " };
    format!("{}{colon}{}{more}", crate::text::count(rows.len() as u64, "row"), shown.join("; "))
}

fn sighted(what: &'static str, place: &Place, is_needed: bool, sight: Sight<'_>) -> Sighted {
    let found = place.text(sight);
    let is_number = what != "version" || place.natural(sight).is_some();
    let hint = match (&found, place.0.first()) {
        (None, Some(spot)) => Some(unmatched(spot, sight).unwrap_or_else(|| instead(&spot.at, sight, false))),
        (Some(_), _) if !is_number => Some("a version is a whole number".to_owned()),
        (Some(_), _) | (None, None) => None,
    };
    let found = found.filter(|_| is_number).map(|found| found.to_string());
    Sighted { what, place: place.to_string(), found, is_needed, hint }
}

/// What a spot of the whole body made of it that tells nothing, if it is one: half a sentence.
fn unmatched(spot: &Spot, sight: Sight<'_>) -> Option<String> {
    let body = &sight.response.body;
    if !matches!(spot.at, Source::Body) || body.is_empty() {
        return None;
    }
    let kind = sight.response.header("content-type").map_or("of no media type", |kind| kind);
    let body =
        format!("the body ({}, {})", crate::text::count(body.len() as u64, "byte"), crate::text::harmless(kind, 60));
    if std::str::from_utf8(&sight.response.body).is_err() {
        return Some(format!("{body} is not UTF-8"));
    }
    Some(match &spot.taken(sight) {
        Taken::NotEncoded => format!("{body} is not the Base64 of a text"),
        Taken::Unmatched => format!("the regex matches nothing in {body}"),
        Taken::Text(text) if text.is_empty() => format!("what is taken from {body} is empty"),
        Taken::Text(text) => format!(
            "what is taken from {body} has {} bytes, and at most {LONGEST} are taken: a regex may take less",
            text.len()
        ),
        Taken::Nothing => return None,
    })
}

/// What a reply has where nothing stands at `at`: half a sentence.
fn instead(at: &Source, sight: Sight<'_>, wants_list: bool) -> String {
    if let Source::Header(name) = at {
        if sight.response.headers.is_empty() {
            return "the reply has no headers".to_owned();
        }
        let names: Vec<&str> = sight.response.headers.iter().map(|(name, _)| &**name).collect();
        let meant = nearest(name, names.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
        return format!("the reply has these headers: {}{}", named(&names), meant.unwrap_or_default());
    }
    let Some(json) = sight.json else {
        return if sight.response.body.is_empty() {
            "the reply has no body".to_owned()
        } else {
            "the body is not JSON".to_owned()
        };
    };
    let keys: Vec<&str> = match json {
        Value::Object(table) => table.keys().map(String::as_str).collect(),
        Value::Array(items) => return format!("the body is a list of {}", items.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return "the body is a plain value".to_owned();
        }
    };
    let mut pointers = Vec::new();
    collect(json, &mut String::new(), wants_list, &mut pointers);
    let meant = likely(at, &pointers).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    if keys.is_empty() {
        return "the body is an empty object".to_owned();
    }
    format!("the body has these keys: {}{meant}", named(&keys))
}

fn named(names: &[&str]) -> String {
    let more = if names.len() > MOST_NAMED { " …" } else { "" };
    let shown: Vec<String> = names.iter().take(MOST_NAMED).map(|name| crate::text::harmless(name, 40)).collect();
    format!("{}{more}", shown.join(", "))
}

/// The places of all plain values (or of all lists), depth first.
fn collect(json: &Value, here: &mut String, wants_list: bool, found: &mut Vec<String>) {
    if found.len() >= MOST_POINTERS {
        return;
    }
    let is_wanted = if wants_list { json.is_array() } else { !json.is_array() && !json.is_object() && !json.is_null() };
    if is_wanted {
        found.push(here.clone());
    }
    let mut enter = |key: &str, inner: &Value| {
        let length = here.len();
        here.push('/');
        here.push_str(&key.replace('~', "~0").replace('/', "~1"));
        collect(inner, here, wants_list, found);
        here.truncate(length);
    };
    match json {
        Value::Object(table) => table.iter().for_each(|(key, inner)| enter(key, inner)),
        Value::Array(items) => items.iter().take(1).for_each(|inner| enter("0", inner)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The place that was probably meant: one that ends in the same name, else the likest one.
fn likely<'a>(at: &Source, pointers: &'a [String]) -> Option<&'a str> {
    let Source::Pointer(typed) = at else { return None };
    let last = |pointer: &str| pointer.rsplit('/').next().unwrap_or_default().to_lowercase();
    let wanted = last(typed);
    let same = pointers.iter().find(|pointer| last(pointer) == wanted);
    same.map(String::as_str).or_else(|| nearest(typed, pointers.iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Api, builtin};

    fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Response { status, headers, body: body.to_owned().into() }
    }

    fn orders() -> Api {
        (*builtin::api("quickeats-v2").unwrap()).clone()
    }

    #[test]
    fn what_is_there_is_told_with_its_place() {
        let body = r#"{"id":"o-1","status":"preparing","version":3}"#;
        let told = orders().dialect.explain(&Verb::Read, &reply(200, &[("etag", "\"t\"")], body));
        assert_eq!((told.meaning, told.because), (Some(Meaning::Applied), Because::Http));
        let found: Vec<_> = told.sights.iter().map(|sight| (sight.what, sight.found.as_deref())).collect();
        assert_eq!(found, [("state", Some("preparing")), ("version", Some("3")), ("version token", Some("\"t\""))]);
        assert_eq!(told.sights[0].place, "`/status`");
    }

    #[test]
    fn what_is_missing_is_told_with_what_is_there_instead() {
        let told = orders().dialect.explain(&Verb::Read, &reply(200, &[("e-tag", "1")], r#"{"order":{"status":"x"}}"#));
        let hints: Vec<_> = told.sights.iter().map(|sight| sight.hint.as_deref().unwrap()).collect();
        assert_eq!(hints[0], "the body has these keys: order; did you mean `/order/status`?");
        assert!(hints[2].ends_with("these headers: e-tag; did you mean `e-tag`?"), "{}", hints[2]);
        assert!(told.sights[0].is_needed && matches!(told.outcome, Outcome::Unknown(_)));
        let lists = orders().dialect.explain(&Verb::ListEffects, &reply(200, &[], r#"{"data":{"results":[]}}"#));
        assert!(lists.sights[0].hint.as_deref().unwrap().ends_with("did you mean `/data/results`?"));
    }

    #[test]
    fn a_regex_that_matches_nothing_in_a_body_is_told_as_such() {
        let text = include_str!("../../../scenarios/apis/objects.toml");
        for (place, body, expected) in [
            (
                "regex = 'SUMMARY:(.*)'",
                "BEGIN:VEVENT",
                "the regex matches nothing in the body (12 bytes, text/calendar)",
            ),
            ("regex = 'never'", "{}", "the regex matches nothing in the body (2 bytes, text/calendar)"),
            ("regex = 'D(.*)'", "BEGIN:ND", "what is taken from the body (8 bytes, text/calendar) is empty"),
            ("decode = \"base64\"", "?", "the body (1 byte, text/calendar) is not the Base64 of a text"),
            ("regex = '.*'", &"x".repeat(1_025), "has 1025 bytes, and at most 1024 are taken: a regex may take less"),
            ("regex = '.'", "", "the reply has no body"),
        ] {
            let text = text.replace("{ body = true }", &format!("{{ body = true, {place} }}"));
            let api = Api::parse("objects.toml", &text).unwrap();
            let told = api.dialect.explain(&Verb::Read, &reply(200, &[("content-type", "text/calendar")], body));
            let hint = told.sights[0].hint.as_deref().unwrap();
            assert!(hint.ends_with(expected), "{place}: {hint}");
        }
    }

    #[test]
    fn the_rule_that_decides_is_named_by_its_line() {
        let api = orders();
        let text = include_str!("../../../scenarios/apis/quickeats-v2.toml");
        let line = 1 + text.lines().position(|line| line == "[[replies]]").unwrap();
        let declined = api.dialect.explain(&Verb::Act("payment".into()), &reply(402, &[], "{}"));
        assert_eq!((declined.meaning, declined.because), (Some(Meaning::Applied), Because::Rule(line)));
        let stale = api.dialect.explain(&Verb::Act("payment".into()), &reply(412, &[], "{}"));
        assert_eq!((stale.meaning, stale.because, stale.sights), (Some(Meaning::Stale), Because::Http, vec![]));
        let replayed = reply(200, &[("idempotent-replayed", "true")], "{}");
        assert_eq!(api.dialect.explain(&Verb::Create, &replayed).because, Because::Replayed);
        assert_eq!(api.dialect.explain(&Verb::Read, &reply(503, &[], "")).meaning, None);
    }
}
