//! From rounds to a scenario's judgment: every rule on every round, one cause a round, one finding a kind.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use super::authors::authors;
use super::distress::Distress;
use super::evidence::{Evidence, Telling};
use super::kind::{Kind, Severity, Verdict};
use super::lower::lower;
use super::round::Round;
use super::rules::{is_explained, judge_round, judge_without_states};
use super::story::Story;
use crate::api::Model;
use crate::history::{Meaning, Operation, Phase, Verb};
use crate::ids::{OpId, RoundId};

/// What a contender hears when nothing races with it: the control that shows that a race means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Alone {
    /// It is accepted.
    Applied,
    /// It is refused.
    Refused,
    /// Either: nothing is expected of it.
    Either,
}

/// One kind of anomaly in one scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// How bad it is: the worst that any of its rounds shows.
    pub severity: Severity,
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
    /// The last read of that round: what the server said in the end. Part of the story, not always of the proof.
    pub aftermath: Option<Operation>,
    /// The operations that wrote what the witness's reads and the last read show, where they are not of the witness: part of
    /// the story, not of the proof.
    pub authors: Vec<Operation>,
    /// Other kinds that the same rounds are evidence of.
    pub also: Vec<Kind>,
    /// The whole of that round.
    pub story: Story,
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
    /// Rounds that are evidence: something went wrong in them, or two contenders with clear answers overlapped, the
    /// server was asked afterwards, somebody got through, and the judge could decide.
    pub trials: u64,
    /// Why the scenario may be inconclusive, in words; each reason once.
    pub doubts: Vec<String>,
}

impl Judgment {
    /// The verdict, given the severity from which on a finding counts.
    pub fn verdict(&self, fail_on: Severity) -> Verdict {
        if self.findings.iter().any(|finding| finding.severity >= fail_on) {
            Verdict::Violated
        } else if self.trials == 0 || !self.doubts.is_empty() {
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
    /// What was seen of the first resource that did not settle.
    unsettled: Option<String>,
    judgment: Judgment,
}

impl<'a> ScenarioJudge<'a> {
    /// A judge of rounds of `model`'s resource, whose contenders are expected to hear `alone` when nothing races.
    pub fn new(model: &'a Model, alone: Alone) -> Self {
        Self {
            model,
            alone,
            findings: BTreeMap::new(),
            distress: Distress::default(),
            unsettled: None,
            judgment: Judgment::default(),
        }
    }

    /// Judges one round. A rule that panics makes the scenario inconclusive, not the run fail.
    pub fn absorb(&mut self, id: RoundId, operations: &[Operation]) {
        let is_waited_for = |operation: &Operation| operation.phase == Phase::Settle;
        let judged: Cow<'_, [Operation]> = if operations.iter().any(is_waited_for) {
            self.note_unsettled(operations);
            // What was shown while the server was given time to settle may not have held yet: the description says so.
            operations.iter().filter(|operation| !is_waited_for(operation)).cloned().collect()
        } else {
            operations.into()
        };
        let operations = &*judged;
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(Round { id, model: self.model, operations })));
        if judged.is_err() {
            self.doubt("the judge failed on a round; the history has it".to_owned());
        }
    }

    /// A round that ends with waiting waited in vain.
    fn note_unsettled(&mut self, operations: &[Operation]) {
        if let Some(last) = operations.last().filter(|last| last.phase == Phase::Settle) {
            let (noun, answer) = (&self.model.noun, super::evidence::answer(last));
            let why =
                || format!("the {noun} did not settle in time ([settle]): a read of it was last answered {answer}");
            self.unsettled.get_or_insert_with(why);
        }
    }

    fn judge(&mut self, round: Round<'_>) {
        let is_raced = round.id.is_raced();
        if let Some(why) = never_raced(round) {
            if is_raced {
                self.judgment.rounds_void += 1;
            } else {
                self.doubt(format!("a contender alone could not be tried: {why}"));
            }
            return;
        }
        if let Some(why) = round.foreign_write() {
            self.judgment.rounds_void += u64::from(is_raced);
            self.doubt(format!("someone else wrote to the fresh {}: {why}", self.model.noun));
            return;
        }
        self.distress.absorb(round, self.alone);
        let lowered = lower(round);
        // Told in values or numbers, where it is about such: the operations are the same, and so are their ids.
        let told = match &lowered {
            Ok(Some(lowered)) => Round { model: &lowered.model, operations: &lowered.operations, ..round },
            Ok(None) | Err(_) => round,
        };
        let (evidence, doubt) = match lowered.as_ref().err() {
            None => judge_round(told),
            Some(unjudged) => (judge_without_states(round, &unjudged.found), Some(unjudged.why.clone())),
        };
        // What is proved stands, whatever could not be told beside it.
        let doubt = doubt.filter(|_| !is_explained(&evidence));
        if !is_raced {
            self.check_lists(round);
        }
        if evidence.is_empty() {
            self.check_control(round);
        }
        let is_told = lowered.is_ok().then_some(told);
        let violated = self.note((round, is_told), told.final_read().map(|(read, _)| read.id), &evidence);
        let nobody_got_through = self.alone == Alone::Applied && round.nobody_won();
        let is_evidence = told.is_telling() && !nobody_got_through && doubt.is_none();
        self.judgment.trials += u64::from(is_raced && (violated || is_evidence));
        if let Some(why) = doubt {
            self.doubt(why);
        }
    }

    /// Raced rounds with a violation so far.
    pub const fn rounds_violated(&self) -> u64 {
        self.judgment.rounds_violated
    }

    /// The kinds of finding so far.
    pub fn found(&self) -> impl Iterator<Item = Kind> {
        self.findings.keys().copied()
    }

    /// What a finding so far says, in words.
    pub fn sentence(&self, kind: Kind) -> Option<&str> {
        self.findings.get(&kind).map(|finding| finding.sentence.as_str())
    }

    /// Raced rounds so far that are evidence for or against.
    pub const fn trials(&self) -> u64 {
        self.judgment.trials
    }

    /// The judgment of everything absorbed.
    pub fn finish(mut self) -> Judgment {
        let distress = std::mem::take(&mut self.distress);
        for found in distress.findings() {
            let round = Round { id: found.first, model: self.model, operations: &found.witness };
            self.add((round, None), None, &found.evidence, Vec::new());
            if let Some(finding) = self.findings.get_mut(&found.evidence.kind) {
                finding.count += found.rounds - 1;
            }
        }
        if let Some(why) = self.unsettled.take().filter(|_| self.judgment.trials == 0) {
            self.doubt(why);
        }
        self.judgment.findings = self.findings.into_values().collect();
        self.judgment
    }

    /// In a control, where nothing is in the way, every list that the description has must be readable: without it, whole
    /// families of proofs would be silently missing.
    fn check_lists(&mut self, round: Round<'_>) {
        for operation in round.operations {
            let is_list = matches!(operation.call.verb, Verb::ListEffects | Verb::ListEvents);
            let is_read = operation.outcome.reply().is_some_and(|reply| reply.records.is_some());
            if is_list && !is_read {
                let answer = super::evidence::answer(operation);
                self.doubt(format!(
                    "the {} cannot be read: {} was answered {answer}",
                    operation.call.verb,
                    operation.call.request.split(' ').next().unwrap_or_default()
                ));
            }
        }
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
                Alone::Either => true,
            };
            if !expected {
                let word = if self.alone == Alone::Applied { "accepted" } else { "refused" };
                self.doubt(format!(
                    "{} alone, nothing racing, should be {word}, and was answered {}",
                    super::evidence::whose(contender),
                    super::evidence::answer(contender),
                ));
            }
        }
    }

    /// Books a round's evidence; whether it holds a violation.
    fn note(&mut self, (round, told): Told<'_>, aftermath: Option<OpId>, evidence: &[Evidence]) -> bool {
        let has = |kind: Kind| evidence.iter().any(|one| one.kind == kind);
        let violated = evidence.iter().any(|one| one.severity == Severity::Violation);
        if round.id.is_raced() {
            let judgment = &mut self.judgment;
            judgment.lost_updates += u64::from(has(Kind::LostUpdate));
            judgment.duplicate_effects += u64::from(has(Kind::DuplicateEffect) || has(Kind::InFlightDuplicate));
            judgment.rounds_violated += u64::from(violated);
        }
        if let Some((cause, others)) = evidence.split_first() {
            self.add((round, told), aftermath, cause, others.iter().map(|one| one.kind).collect());
        }
        violated
    }

    fn add(&mut self, (round, told): Told<'_>, aftermath: Option<OpId>, evidence: &Evidence, also: Vec<Kind>) {
        let (id, operations) = (round.id, round.operations);
        let chosen =
            |ids: &[OpId]| operations.iter().filter(|operation| ids.contains(&operation.id)).cloned().collect();
        let example = || {
            let Telling { sentence, witness } = evidence.telling(told.unwrap_or(round)).into_owned();
            let shown: Vec<OpId> = witness.iter().copied().chain(aftermath).collect();
            Finding {
                kind: evidence.kind,
                severity: evidence.severity,
                count: 0,
                controls: 0,
                first_round: id,
                sentence,
                witness: chosen(&witness),
                aftermath: operations.iter().find(|operation| Some(operation.id) == aftermath).cloned(),
                authors: told.map(|told| chosen(&authors(told, &shown))).unwrap_or_default(),
                also: Vec::new(),
                story: Story::of(round, told, &witness),
            }
        };
        let finding = self.findings.entry(evidence.kind).or_insert_with(example);
        if id.is_raced() && !finding.first_round.is_raced() {
            // A race tells more than a control: it becomes the example.
            *finding = Finding {
                controls: finding.controls,
                severity: finding.severity,
                also: std::mem::take(&mut finding.also),
                ..example()
            };
        }
        finding.severity = finding.severity.max(evidence.severity);
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

/// A round, and the same as the search wants it, if it can be told so.
type Told<'a> = (Round<'a>, Option<Round<'a>>);

/// Why a round proves nothing, if no contender of it was sent.
fn never_raced(round: Round<'_>) -> Option<String> {
    if round.contenders().next().is_some() {
        return None;
    }
    let last = round.operations.iter().rfind(|operation| operation.phase == Phase::SetUp);
    Some(match last {
        Some(last) => format!("{} ended with {}", super::evidence::whose(last), super::evidence::answer(last)),
        None => "nothing was sent".to_owned(),
    })
}
