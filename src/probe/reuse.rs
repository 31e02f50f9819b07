//! A used key with another payload: refused, or taken for the first request, or done as another.

use serde_json::Value;

use super::fresh::{Prober, applied, heard, is_refused};
use super::keys::Keyed;
use super::speaker::{Answer, Say};
use crate::history::{Reply, Verb};
use crate::probe_result::Mark;
use crate::target::Target;

const ABOUT: &str = "used keys";

impl<T: Target> Prober<'_, T> {
    /// Asks with the first request that can tell.
    pub(super) async fn ask_reuse(&mut self, keyed: &[Keyed], is_breached: bool) {
        let promised = self.api().model.keys.refuses_reuse;
        for one in keyed {
            // Only what may be done twice: else the state refuses, and not the key.
            let is_repeatable = match &one.verb {
                Verb::Create => !self.api().dialect.makes_ids(),
                Verb::Act(name) => {
                    let model = &self.api().model;
                    let action = model.action(name).expect("a keyed action is one of the model");
                    action.next(one.from).all(|to| action.next(to).next().is_some())
                }
                Verb::Read | Verb::ListEffects | Verb::ListEvents => false,
            };
            if !is_repeatable {
                continue;
            }
            let Some((refused, told)) = self.reuse(one).await else { continue };
            let verb = &one.verb;
            let word = if refused { "is refused" } else { "is not refused" };
            let mark = if refused == promised { Mark::AsDescribed } else { Mark::Differs };
            self.note(ABOUT, mark, format!("`{verb}` with a used key and another payload {word}: {told}"));
            if refused != promised && !is_breached {
                self.advise(&["idempotency", "reuse"], refused.then(|| "refused".into()));
            }
            return;
        }
        let sentence = "whether one with another payload is refused: no request with a key could tell";
        self.note(ABOUT, Mark::Open, sentence);
    }

    /// Whether another payload under a used key is refused that is accepted under a key of its own; and what was heard.
    async fn reuse(&mut self, keyed: &Keyed) -> Option<(bool, String)> {
        let verb = &keyed.verb;
        let fresh = self.before(keyed).await?;
        let key = self.speaker.word();
        let say = Say { key: Some(key.as_str().into()), word: Some(self.speaker.word()), ..Say::default() };
        let say = Say { token: self.token_for(verb, &fresh).await, ..say };
        let first = self.say_to(&fresh, verb, &say).await;
        let made = applied(&first)?.clone();
        let bodies = bodies(self.sent(verb));
        for body in bodies {
            // Accepted under a key of its own, another payload is no mistake.
            let other = self.before(keyed).await?;
            let token = self.token_for(verb, &other).await;
            let word = Some(self.speaker.word());
            let own = Say { key: Some(self.speaker.word().into()), word, token, body: body.as_ref(), ..Say::default() };
            let control = self.say_to(&other, verb, &own).await;
            if applied(&control).is_none() || control.payload == first.payload {
                continue;
            }
            let token = self.token_for(verb, &fresh).await;
            let word = Some(self.speaker.word());
            let again = Say { key: Some(key.as_str().into()), word, token, body: body.as_ref(), ..Say::default() };
            let before = self.settled(&fresh, Some(0), made.effect.is_some()).await;
            let answer = self.say_to(&fresh, verb, &again).await;
            let refused = is_refused(&answer)?;
            if refused && made.effect.is_some() && self.effects(&fresh).await > before {
                let sentence =
                    format!("`{verb}` with a used key and another payload is refused, and done all the same");
                self.note(ABOUT, Mark::Differs, sentence);
            }
            return Some((refused, told(&answer, &made, refused)));
        }
        None
    }

    async fn token_for(&mut self, verb: &Verb, fresh: &super::fresh::Fresh) -> Option<std::sync::Arc<str>> {
        if self.api().dialect.sends_token(verb) { self.token(fresh).await } else { None }
    }

    /// The JSON that a request is sent with, as described.
    fn sent(&self, verb: &Verb) -> Option<Value> {
        let role = self.api().dialect.role(verb);
        let fill = crate::api::Fill { id: "x", role, person: "x", unique: "x", ..crate::api::Fill::default() };
        serde_json::from_slice(self.api().dialect.request(verb, fill).body.as_deref()?).ok()
    }
}

fn told(answer: &Answer, first: &Reply, refused: bool) -> String {
    let heard = heard(answer);
    let Some(reply) = answer.reply().filter(|_| !refused) else { return heard };
    let is_first = (reply.resource.is_some() && reply.resource == first.resource)
        || (reply.effect.is_some() && reply.effect == first.effect);
    if is_first { format!("{heard}, as if it were the first request") } else { format!("{heard}, as another request") }
}

/// Other payloads: the described one, which differs if it says a word of the request's own; else each number in it, raised by one.
fn bodies(sent: Option<Value>) -> Vec<Option<Value>> {
    let mut bodies = vec![None];
    if let Some(Value::Object(table)) = sent {
        for (key, value) in &table {
            if let Some(number) = value.as_i64() {
                let mut other = table.clone();
                other.insert(key.clone(), (number + 1).into());
                bodies.push(Some(Value::Object(other)));
            }
        }
    }
    bodies
}
