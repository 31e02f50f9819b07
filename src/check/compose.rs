//! From rounds to a scenario's judgment: every rule on every round, one cause a round, one finding a kind.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use super::distress::Distress;
use super::evidence::Evidence;
use super::kind::{Kind, Severity, Verdict};
use super::refute::{self, Refutation};
use super::round::Round;
use super::{distress, effects, preconditions, transitions, updates};
use crate::api::Model;
use crate::history::{Meaning, Operation, Phase};
use crate::ids::RoundId;

/// What a contender hears when nothing races with it: the control that shows that a race means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alone {
    /// It is accepted.
    Applied,
    /// It is refused.
    Refused,
}

/// One kind of anomaly in one scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// In how many raced rounds it was the cause.
    pub count: u64,
    /// In how many serial controls, where nothing raced, it was the cause.
    pub controls: u64,
    /// The first raced round of them, or the first control if no race showed it.
    pub first_round: RoundId,
    /// That round, in words.
    pub sentence: String,
    /// The operations of that round that prove it.
    pub witness: Vec<Operation>,
    /// Other kinds that the same rounds are evidence of.
    pub also: Vec<Kind>,
}

/// A scenario's judgment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgment {
    /// Findings, the most telling kind first.
    pub findings: Vec<Finding>,
    /// Rounds that prove nothing: not brought to their start, or written to by someone else.
    pub rounds_void: u64,
    /// Rounds in which an acknowledged update was lost, whatever their cause is called.
    pub lost_updates: u64,
    /// Rounds in which one logical operation had more than one effect.
    pub duplicate_effects: u64,
    /// Raced rounds with a violation.
    pub rounds_violated: u64,
    /// Why the scenario may be inconclusive, in words; each reason once.
    pub doubts: Vec<String>,
}

impl Judgment {
    /// The verdict, given how many rounds truly overlapped, and the severity from which on a finding counts.
    pub fn verdict(&self, rounds_overlapped: u64, fail_on: Severity) -> Verdict {
        if self.findings.iter().any(|finding| finding.kind.severity() >= fail_on) {
            Verdict::Violated
        } else if rounds_overlapped == 0 || !self.doubts.is_empty() {
            Verdict::Inconclusive
        } else {
            Verdict::Holds
        }
    }
}

/// Judges a scenario's rounds one by one, keeping only what the judgment needs.
#[derive(Debug)]
pub struct ScenarioJudge<'a> {
    model: &'a Model,
    alone: Alone,
    findings: BTreeMap<Kind, Finding>,
    distress: Distress,
    judgment: Judgment,
}

impl<'a> ScenarioJudge<'a> {
    /// A judge of rounds of `model`'s resource, whose contenders are expected to hear `alone` when nothing races.
    pub fn new(model: &'a Model, alone: Alone) -> Self {
        Self { model, alone, findings: BTreeMap::new(), distress: Distress::default(), judgment: Judgment::default() }
    }

    /// Judges one round. A rule that panics makes the scenario inconclusive, not the run fail.
    pub fn absorb(&mut self, id: RoundId, operations: &[Operation]) {
        let round = Round { id, model: self.model, operations };
        if let Some(why) = void(round) {
            if id.is_raced() {
                self.judgment.rounds_void += 1;
            } else {
                self.doubt(format!("a contender alone could not be tried: {why}"));
            }
            return;
        }
        self.distress.absorb(round);
        match catch_unwind(AssertUnwindSafe(|| judge_round(round, self.alone))) {
            Ok((evidence, doubt)) => {
                if evidence.is_empty() {
                    self.check_control(round);
                }
                self.note(id, operations, &evidence);
                if let Some(why) = doubt {
                    self.doubt(why);
                }
            }
            Err(_) => self.doubt("the judge failed on a round; the history has it".to_owned()),
        }
    }

    /// Raced rounds with a violation so far.
    pub const fn rounds_violated(&self) -> u64 {
        self.judgment.rounds_violated
    }

    /// The judgment of everything absorbed.
    pub fn finish(mut self) -> Judgment {
        let distress = std::mem::take(&mut self.distress);
        for (id, evidence, witness) in distress.findings() {
            self.add(id, &witness, &evidence, Vec::new());
        }
        self.judgment.findings = self.findings.into_values().collect();
        self.judgment
    }

    /// The serial control: alone, a contender must hear what the scenario says.
    fn check_control(&mut self, round: Round<'_>) {
        if round.id.is_raced() {
            return;
        }
        for contender in round.contenders() {
            let heard = contender.outcome.reply().map(|reply| reply.meaning);
            let expected = match self.alone {
                Alone::Applied => heard == Some(Meaning::Applied),
                Alone::Refused => heard.is_some_and(Meaning::is_refusal),
            };
            if !expected {
                let word = match self.alone {
                    Alone::Applied => "accepted",
                    Alone::Refused => "refused",
                };
                self.doubt(format!(
                    "{} alone, nothing racing, should be {word}, and was answered {}",
                    super::evidence::whose(contender),
                    super::evidence::answer(contender),
                ));
            }
        }
    }

    fn note(&mut self, id: RoundId, operations: &[Operation], evidence: &[Evidence]) {
        let has = |kind: Kind| evidence.iter().any(|one| one.kind == kind);
        self.judgment.lost_updates += u64::from(has(Kind::LostUpdate));
        self.judgment.duplicate_effects += u64::from(has(Kind::DuplicateEffect) || has(Kind::InFlightDuplicate));
        let violated = evidence.iter().any(|one| one.kind.severity() == Severity::Violation);
        self.judgment.rounds_violated += u64::from(violated && id.is_raced());
        if let Some((cause, others)) = evidence.split_first() {
            self.add(id, operations, cause, others.iter().map(|one| one.kind).collect());
        }
    }

    fn add(&mut self, id: RoundId, operations: &[Operation], evidence: &Evidence, also: Vec<Kind>) {
        let example = || Finding {
            kind: evidence.kind,
            count: 0,
            controls: 0,
            first_round: id,
            sentence: evidence.sentence.clone(),
            witness: (operations.iter())
                .filter(|operation| evidence.witness.contains(&operation.id))
                .cloned()
                .collect(),
            also: Vec::new(),
        };
        let finding = self.findings.entry(evidence.kind).or_insert_with(example);
        if id.is_raced() && !finding.first_round.is_raced() {
            // A race tells more than a control: it becomes the example.
            *finding = Finding { controls: finding.controls, also: std::mem::take(&mut finding.also), ..example() };
        }
        if id.is_raced() {
            finding.count += 1;
        } else {
            finding.controls += 1;
        }
        finding.also.extend(also);
        finding.also.sort_unstable();
        finding.also.dedup();
    }

    fn doubt(&mut self, why: String) {
        if !self.judgment.doubts.contains(&why) && self.judgment.doubts.len() < 8 {
            self.judgment.doubts.push(why);
        }
    }
}

/// Why a round proves nothing, if it does.
fn void(round: Round<'_>) -> Option<String> {
    if !round.operations.iter().any(|operation| operation.phase == Phase::Contend) {
        let Some(last) = round.operations.last() else {
            return Some("nothing was sent".to_owned());
        };
        return Some(format!("{} ended with {}", super::evidence::whose(last), super::evidence::answer(last)));
    }
    round.foreign_write()
}

/// Everything wrong with a round, its cause first, and what could not be decided.
fn judge_round(round: Round<'_>, alone: Alone) -> (Vec<Evidence>, Option<String>) {
    let mut found = Vec::new();
    updates::check(round, &mut found);
    preconditions::check(round, &mut found);
    effects::check(round, &mut found);
    transitions::check(round, &mut found);
    if alone == Alone::Applied {
        found.extend(distress::no_winner(round));
    }
    let mut doubt = None;
    match refute::check(round) {
        Refutation::Refuted if found.is_empty() => found.push(refute::name(round)),
        Refutation::Undecided(why) if found.is_empty() => doubt = Some(why),
        // Lawful, or the cause is named already.
        Refutation::None | Refutation::Refuted | Refutation::Undecided(_) => {}
    }
    found.sort_by_key(|evidence| evidence.kind);
    found.dedup_by_key(|evidence| evidence.kind);
    (found, doubt)
}
