//! Judging histories that other tools recorded: what each operation means under a model, one part per key, each part
//! searched for a legal order, a refuted one shrunk to its witness.
//!
//! ```text
//! exchanges ──► operations of the model ──► a part per key ──► legal order? ──► verdict (the worst of the parts)
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::kind::Verdict;
use super::linear::{self, Answer, Budget, Effort, Entry, Limit};
use super::parts::{Panicked, side_by_side};
use crate::history::foreign::{Came, Exchange, Malformed, Value};
use crate::spec::Spec;
use crate::spec::key_value::{self, KeyValue};
use crate::spec::register::{self, Register};

/// Steps for each question while a refuted part is shrunk.
const SHRINKING: u64 = 2_000_000;

/// What a recorded history is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedModel {
    /// Registers with compare-and-set; one, or one per key.
    Register,
    /// A key-value store of texts with append.
    KeyValue,
}

/// What a recorded history comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedJudgment {
    /// Its parts, by key.
    pub parts: Vec<PartJudgment>,
}

impl RecordedJudgment {
    /// The worst of the parts; a history in which nothing was answered proves nothing.
    pub fn verdict(&self) -> Verdict {
        let is_telling = self.parts.iter().any(|part| part.answered > 0);
        let worst = self.parts.iter().map(|part| part.verdict).max();
        worst.filter(|_| is_telling).unwrap_or(Verdict::Inconclusive)
    }
}

/// What one key's operations come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartJudgment {
    /// The key; none if there is only one resource.
    pub key: Option<String>,
    /// What its operations come to.
    pub verdict: Verdict,
    /// How many operations count.
    pub operations: usize,
    /// How many of them were answered.
    pub answered: usize,
    /// How much was looked at.
    pub effort: Effort,
    /// Why it is inconclusive, if it is.
    pub doubt: Option<String>,
    /// Exchanges that prove a violation, in order of opening: they have no legal order.
    pub proves: Vec<usize>,
    /// Exchanges beside them that belong to the story: wherever they are placed, there is none.
    pub context: Vec<usize>,
    /// Whether each of the proving ones is known to be needed.
    pub is_smallest: bool,
}

/// Judges `exchanges`, keys side by side on so many threads.
///
/// # Errors
/// An operation that the model does not have, with its line.
pub fn judge_recorded(
    exchanges: &[Exchange],
    model: RecordedModel,
    budget: &Budget<'_>,
    threads: usize,
) -> Result<RecordedJudgment, Malformed> {
    let parts = match model {
        RecordedModel::Register => {
            judge_parts(exchanges, register_op, budget, threads, |_| (Register::PLAIN, register::State::default()))
        }
        RecordedModel::KeyValue => judge_parts(exchanges, key_value_op, budget, threads, |entries| {
            let spec = KeyValue::for_ops(entries.iter().map(|entry| &entry.op));
            let absent = spec.absent();
            (spec, absent)
        }),
    }?;
    Ok(RecordedJudgment { parts })
}

/// One key's operations.
struct Part<Op> {
    key: Option<String>,
    entries: Vec<Entry<Op>>,
    /// The exchange that each stems from.
    exchanges: Vec<usize>,
}

fn judge_parts<S: Spec>(
    exchanges: &[Exchange],
    read: fn(&Exchange) -> Result<Option<S::Op>, Malformed>,
    budget: &Budget<'_>,
    threads: usize,
    specify: impl Fn(&[Entry<S::Op>]) -> (S, S::State) + Sync,
) -> Result<Vec<PartJudgment>, Malformed>
where
    S::Op: Clone + Sync,
{
    let mut by_key: BTreeMap<Option<&str>, Part<S::Op>> = BTreeMap::new();
    for (index, exchange) in exchanges.iter().enumerate() {
        let Some(op) = read(exchange)? else { continue };
        let part = by_key.entry(exchange.key.as_deref()).or_insert_with(|| Part {
            key: exchange.key.clone(),
            entries: Vec::new(),
            exchanges: Vec::new(),
        });
        let (opened, closed) = (exchange.opened_at(), exchange.closed_at());
        part.entries.push(Entry { op, opened, closed, optional: exchange.came == Came::Open, after: None });
        part.exchanges.push(index);
    }
    let parts: Vec<Part<S::Op>> = by_key.into_values().collect();
    let judged = side_by_side(&parts, threads, |part| {
        let (spec, start) = specify(&part.entries);
        judge_part(&spec, &start, part, budget)
    });
    let told = |(part, judged): (&Part<S::Op>, Result<PartJudgment, Panicked>)| {
        judged.unwrap_or_else(|Panicked| {
            let doubt = Some("the judge failed on it".to_owned());
            PartJudgment { verdict: Verdict::Inconclusive, doubt, ..unjudged(part) }
        })
    };
    Ok(parts.iter().zip(judged).map(told).collect())
}

fn unjudged<Op>(part: &Part<Op>) -> PartJudgment {
    PartJudgment {
        key: part.key.clone(),
        verdict: Verdict::Holds,
        operations: part.entries.len(),
        answered: part.entries.iter().filter(|entry| !entry.optional).count(),
        effort: Effort::default(),
        doubt: None,
        proves: Vec::new(),
        context: Vec::new(),
        is_smallest: false,
    }
}

fn judge_part<S: Spec>(spec: &S, start: &S::State, part: &Part<S::Op>, budget: &Budget<'_>) -> PartJudgment
where
    S::Op: Clone,
{
    let found = linear::explore(spec, start, &part.entries, budget);
    let judged = PartJudgment { effort: found.effort, ..unjudged(part) };
    match found.answer {
        Answer::Legal(_) => judged,
        Answer::GaveUp => {
            let spent = found.effort.limit.unwrap_or(Limit::Steps);
            let doubt = Some(format!("the search for a legal order ran out of {spent}"));
            PartJudgment { verdict: Verdict::Inconclusive, doubt, ..judged }
        }
        Answer::Illegal => {
            let question = Budget { steps: budget.steps.min(SHRINKING), ..*budget };
            let exchanges = |indices: Vec<usize>| indices.into_iter().map(|index| part.exchanges[index]).collect();
            match linear::shrink(spec, start, &part.entries, &question) {
                Some(witness) => PartJudgment {
                    verdict: Verdict::Violated,
                    proves: exchanges(witness.proves),
                    context: exchanges(witness.context),
                    is_smallest: witness.is_smallest,
                    ..judged
                },
                // No time to shrink: all of it proves it.
                None => PartJudgment { verdict: Verdict::Violated, proves: part.exchanges.clone(), ..judged },
            }
        }
    }
}

fn unfit(exchange: &Exchange, expected: &str) -> Malformed {
    let came = match &exchange.came {
        Came::Done(value) | Came::Failed(value) => value.to_string(),
        Came::Open => "no end".to_owned(),
    };
    let function = crate::text::harmless(&exchange.function, 40);
    let found = format!(":{function} with {} and {came}", exchange.asked);
    Malformed { line: exchange.opened as usize, expected: expected.to_owned(), found }
}

/// What an exchange did to its register; nothing if it certainly did and told nothing.
fn register_op(exchange: &Exchange) -> Result<Option<register::Op>, Malformed> {
    let expected = "a register's operation: :read of nil or a number, :write of a number, :cas of [FROM TO]";
    let unfit = || unfit(exchange, expected);
    Ok(match (exchange.function.as_str(), &exchange.came) {
        // A read without an answer learned nothing.
        ("read", Came::Failed(_) | Came::Open) => None,
        ("read", Came::Done(Value::Nil)) => Some(register::Op::read(None)),
        ("read", Came::Done(Value::Integer(value))) => Some(register::Op::read(Some(*value))),
        ("write", came) => {
            let Value::Integer(value) = exchange.asked else { return Err(unfit()) };
            (!matches!(came, Came::Failed(_))).then(|| register::Op::write(value))
        }
        ("cas", came) => {
            let Value::List(values) = &exchange.asked else { return Err(unfit()) };
            let [Value::Integer(from), Value::Integer(to)] = values[..] else { return Err(unfit()) };
            match came {
                Came::Done(_) | Came::Open => Some(register::Op::cas(from, to)),
                // A failure with a reason of its own (`:timed-out`) does not say what the value was.
                Came::Failed(Value::Keyword(_)) => None,
                Came::Failed(_) => Some(register::Op::cas_failed(from)),
            }
        }
        _ => return Err(unfit()),
    })
}

/// What an exchange did to its key; nothing if it certainly did and told nothing.
fn key_value_op(exchange: &Exchange) -> Result<Option<key_value::Op>, Malformed> {
    let unfit = || unfit(exchange, "a key-value operation with a :key: :get of a text, :put or :append of a text");
    if exchange.key.is_none() {
        return Err(unfit());
    }
    let asked = || match &exchange.asked {
        Value::Text(text) => Ok(Arc::from(text.as_str())),
        Value::Nil | Value::Integer(_) | Value::Keyword(_) | Value::List(_) => Err(unfit()),
    };
    Ok(match (exchange.function.as_str(), &exchange.came) {
        ("get", Came::Failed(_) | Came::Open) | ("put" | "append", Came::Failed(_)) => None,
        ("get", Came::Done(Value::Text(text))) => Some(key_value::Op::Get(text.as_str().into())),
        ("get", Came::Done(Value::Nil)) => Some(key_value::Op::Get("".into())),
        ("put", Came::Done(_) | Came::Open) => Some(key_value::Op::Put(asked()?)),
        ("append", Came::Done(_) | Came::Open) => Some(key_value::Op::Append(asked()?)),
        _ => return Err(unfit()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::foreign::edn;

    /// What process 0 did, one after the other: `put KEY TEXT` or `get KEY TEXT`.
    fn told(operations: &[(&str, &str, &str)]) -> Vec<Exchange> {
        let lines: Vec<String> = (operations.iter())
            .flat_map(|(function, key, text)| {
                ["invoke", "ok"].map(|kind| {
                    format!("{{:process 0, :type :{kind}, :f :{function}, :key \"{key}\", :value \"{text}\"}}")
                })
            })
            .collect();
        edn::read(&lines.join("\n")).exchanges
    }

    #[test]
    fn a_violation_outranks_a_search_that_gave_up_and_that_outranks_a_key_that_holds() {
        let long = [("put", "a", "x"); 20];
        let judged = |operations: &[(&str, &str, &str)], steps: u64, threads: usize| {
            let model = RecordedModel::KeyValue;
            judge_recorded(&told(operations), model, &Budget::steps(steps), threads).expect("they fit the model")
        };
        let fine = ("put", "b", "y");
        for threads in [1, 2, 4] {
            let undecided = judged(&[&long[..], &[fine]].concat(), 5, threads);
            assert_eq!(undecided.verdict(), Verdict::Inconclusive);
            let doubts: Vec<bool> = undecided.parts.iter().map(|part| part.doubt.is_some()).collect();
            assert_eq!(doubts, [true, false]);
            let wrong = judged(&[&long[..], &[fine, ("get", "c", "z")]].concat(), 5, threads);
            assert_eq!(wrong.verdict(), Verdict::Violated);
            assert_eq!(judged(&[&long[..], &[fine]].concat(), 1_000, threads).verdict(), Verdict::Holds);
        }
    }

    #[test]
    fn a_failure_that_does_not_tell_the_value_accuses_nobody() {
        let log = "INFO - 0\t:invoke\t:cas\t[1 2]\nINFO - 0\t:fail\t:cas\t:timed-out\n\
                   INFO - 1\t:invoke\t:write\t1\nINFO - 1\t:ok\t:write\t1\n\
                   INFO - 0\t:invoke\t:cas\t[1 2]\nINFO - 0\t:fail\t:cas\tVALUE\n";
        let verdict = |value: &str| {
            let exchanges = crate::history::foreign::jepsen_log::read(&log.replace("VALUE", value)).exchanges;
            let budget = Budget::steps(1_000);
            judge_recorded(&exchanges, RecordedModel::Register, &budget, 1).map(|judgment| judgment.verdict())
        };
        assert_eq!(verdict(":timed-out"), Ok(Verdict::Holds));
        assert_eq!(verdict("[1 2]"), Ok(Verdict::Violated));
    }
}
