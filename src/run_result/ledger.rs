//! One scenario while its rounds come in: judged and counted, keeping no round. The same for a run and for a saved history.

use serde_json::Value;

use super::{ScenarioFacts, ScenarioResult};
use crate::api::Api;
use crate::check::{Alone, Kind, ScenarioJudge};
use crate::history::{Delivered, Operation, Verb};
use crate::ids::RoundId;
use crate::measure::{Deliveries, Servers, Tally};

/// A scenario's books.
#[derive(Debug)]
pub struct Ledger<'a> {
    judge: ScenarioJudge<'a>,
    tally: Tally,
    deliveries: Deliveries,
    kinds: Vec<String>,
}

impl<'a> Ledger<'a> {
    /// Opens them for a plan, as it is saved with its history, and the description that it was made from.
    pub fn open(api: &'a Api, alone: Alone, plan: &Value) -> Self {
        let contenders = plan["contenders"].as_array().map_or(&[][..], Vec::as_slice);
        let is_one = contenders.windows(2).all(|pair| pair[0]["at"] == pair[1]["at"]);
        let is_held_apart = contenders.iter().any(|contender| contender["offset_us"].is_u64());
        Self {
            judge: ScenarioJudge::new(&api.model, alone),
            tally: Tally::of(if is_one { Servers::One } else { Servers::Two })
                .held_apart(is_held_apart)
                .with_conditions(api.dialect.own_conditions()),
            deliveries: Deliveries::default(),
            kinds: kinds(contenders),
        }
    }

    /// Judges and counts one round. Whether it showed a violation.
    pub fn absorb(&mut self, id: RoundId, delivered: Option<&Delivered>, operations: &[Operation]) -> bool {
        let (violated, trials) = (self.judge.rounds_violated(), self.judge.trials());
        self.judge.absorb(id, operations);
        self.tally.absorb(id, delivered, operations);
        let is_violated = self.judge.rounds_violated() > violated;
        if let Some(delivered) = delivered.filter(|_| id.is_raced()) {
            self.deliveries.absorb(delivered, operations, self.judge.trials() > trials, is_violated);
        }
        is_violated
    }

    /// Raced rounds with a violation so far.
    pub fn violated(&self) -> u64 {
        self.judge.rounds_violated()
    }

    /// Rounds that are evidence for or against, so far.
    pub fn trials(&self) -> u64 {
        self.judge.trials()
    }

    /// The kinds of finding so far, those of controls included.
    pub fn found(&self) -> impl Iterator<Item = Kind> {
        self.judge.found()
    }

    /// What a finding so far says, in words.
    pub fn sentence(&self, kind: Kind) -> Option<&str> {
        self.judge.sentence(kind)
    }

    /// Raced rounds so far.
    pub const fn rounds(&self) -> u64 {
        self.tally.rounds
    }

    /// Closes them: what the scenario came to, and its counts. `doubts` are those that only the run could have.
    pub fn close(self, facts: ScenarioFacts<'_>, doubts: impl IntoIterator<Item = String>) -> (ScenarioResult, Tally) {
        let mut judgment = self.judge.finish();
        judgment.doubts.extend(doubts);
        let result = ScenarioResult::new(facts, &judgment, &self.tally, (&self.deliveries, &self.kinds));
        (result, self.tally)
    }
}

/// What each kind of contender asks for, by the entry of the scenario that it stems from.
fn kinds(contenders: &[Value]) -> Vec<String> {
    let mut kinds = Vec::new();
    for contender in contenders {
        let entry = contender["entry"].as_u64();
        if entry == Some(kinds.len() as u64) {
            let verb = serde_json::from_value::<Verb>(contender["verb"].clone());
            kinds.push(verb.map_or_else(|_| format!("contender {}", kinds.len() + 1), |verb| verb.to_string()));
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_are_told_by_what_they_ask_for() {
        let contenders = [
            json!({"entry": 0, "verb": {"act": "cancellation"}}),
            json!({"entry": 1, "verb": "read"}),
            json!({"entry": 0, "verb": {"act": "cancellation"}}),
            json!({"entry": 2, "verb": 7}),
        ];
        assert_eq!(kinds(&contenders), ["cancellation", "read", "contender 3"]);
    }
}
