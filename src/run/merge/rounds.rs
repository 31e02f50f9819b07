//! The histories of shards, round by round: those of one shard as they come, those of several joined.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};

use super::MergeError;
use super::shards::{Shard, Shards};
use crate::history::jsonl::{ReadError, Rounds, WholeRound, read_round};
use crate::history::{Meaning, Operation, Phase};
use crate::ids::{OpId, RoundId};
use crate::load_result::Alignment;
use crate::run::load::judging::CHAPTER;
use crate::text::harmless;

/// What the histories told beside their rounds.
pub(super) struct Read {
    /// Why the shards themselves doubted what they saw.
    pub(super) doubts: Vec<String>,
    /// Resources that several shards acted on.
    pub(super) joint: u64,
}

/// Takes a round, its operations, and how many of them did what they asked for.
type Judge<'a> = &'a mut dyn FnMut(RoundId, &[Operation], u64);

/// Where a part of a round stands.
struct Piece {
    shard: usize,
    at: u64,
    count: usize,
}

/// The API description that all histories hold; `None` where nothing was judged.
pub(super) fn api(shards: &Shards) -> Result<Option<String>, MergeError> {
    let mut api: Option<String> = None;
    for shard in shards.all.iter().filter(|shard| shard.result.judged.is_some()) {
        let rounds = shard.open()?;
        if rounds.header().seed != shard.result.seed {
            return Err(shard.strange("it is the history of another load than its load.json".to_owned()));
        }
        if rounds.chapter() != CHAPTER {
            return Err(shard.strange("it is the history of a race".to_owned()));
        }
        if api.as_ref().is_some_and(|api| *api != rounds.header().api) {
            let why = "its API description is another one than in the other shards' histories";
            return Err(shard.strange(why.to_owned()));
        }
        api = Some(rounds.header().api.clone());
    }
    Ok(api)
}

/// Reads all histories, and hands each round to the judge once all of it is known.
pub(super) fn read(shards: &Shards, alignment: &Alignment, judge: Judge<'_>) -> Result<Read, MergeError> {
    let mut doubts = Vec::new();
    let mut joint: BTreeMap<u32, Vec<Piece>> = BTreeMap::new();
    for (index, shard) in shards.all.iter().enumerate() {
        let mut rounds = shard.open()?;
        let mut seen = BTreeSet::new();
        while let Some(round) = rounds.next_round().map_err(|cause| shard.broken(cause))? {
            let id = round.operations[0].round;
            let number = number(id);
            if !seen.insert((id.is_raced(), number)) {
                return Err(shard.strange(format!("it has round {id} twice")));
            }
            if id.is_raced() && shard.part.is_joint(number) {
                let piece = Piece { shard: index, at: round.at, count: round.operations.len() };
                joint.entry(number).or_default().push(piece);
            } else if shard.part.is_own(number) {
                judge_own(shard, index, round, alignment, judge);
            } else {
                return Err(shard.strange(format!("it has round {id}, which is not one of {}", shard.name())));
            }
        }
        doubts.extend(rounds.doubts().iter().map(|doubt| format!("{}: {}", shard.name(), harmless(doubt, 400))));
    }
    let count = joint.len() as u64;
    // What the missing ones did to them is not known.
    if shards.missing().is_empty() {
        judge_joint(shards, alignment, &joint, judge)?;
    }
    Ok(Read { doubts, joint: count })
}

const fn number(id: RoundId) -> u32 {
    match id {
        RoundId::Control(number) | RoundId::Raced(number) => number,
    }
}

fn judge_own(shard: &Shard, index: usize, round: WholeRound, alignment: &Alignment, judge: Judge<'_>) {
    let mut operations = round.operations;
    let good = shard.good(&operations);
    for operation in &mut operations {
        alignment.shift(index, operation);
    }
    judge(operations[0].round, &operations, good);
}

/// Joins the parts of each round, on one clock and in order of opening.
fn judge_joint(
    shards: &Shards,
    alignment: &Alignment,
    joint: &BTreeMap<u32, Vec<Piece>>,
    judge: Judge<'_>,
) -> Result<(), MergeError> {
    let mut files = shards.all.iter().map(Shard::file).collect::<Result<Vec<_>, _>>()?;
    for (number, pieces) in joint {
        let (mut operations, mut good) = (Vec::new(), 0);
        for piece in pieces {
            let (shard, file) = (&shards.all[piece.shard], &mut files[piece.shard]);
            let moved = file.seek(SeekFrom::Start(piece.at)).map_err(|source| ReadError::Io { line: 0, source });
            let part = moved.and_then(|_| read_round(&mut *file, piece.count)).map_err(|cause| shard.broken(cause))?;
            good += shard.good(&part);
            operations.extend(part.into_iter().map(|mut operation| {
                alignment.place(piece.shard, &mut operation);
                operation
            }));
        }
        operations.sort_by_key(|operation: &Operation| (operation.window.opened, operation.client));
        for (operation, id) in operations.iter_mut().zip(0..) {
            operation.id = OpId(id);
        }
        judge(RoundId::Raced(*number), &operations, good);
    }
    Ok(())
}

impl Shard {
    fn file(&self) -> Result<BufReader<File>, MergeError> {
        let opened = File::open(&self.history);
        opened.map(BufReader::new).map_err(|source| self.broken(ReadError::Io { line: 0, source }))
    }

    fn open(&self) -> Result<Rounds<BufReader<File>>, MergeError> {
        Rounds::open(self.file()?).map_err(|cause| self.broken(cause))
    }

    /// Its history is whole, and not what it should be.
    fn strange(&self, why: String) -> MergeError {
        let path = harmless(&self.history.display().to_string(), 200);
        MergeError::Unreadable { path, why, help: "merge the folders as `load --shard` left them" }
    }

    fn broken(&self, cause: ReadError) -> MergeError {
        MergeError::History { path: harmless(&self.history.display().to_string(), 200), cause }
    }

    /// How many of these did what they asked for, and were measured.
    fn good(&self, operations: &[Operation]) -> u64 {
        let millis = |millis: u64| millis.saturating_mul(1_000_000);
        let from = self.clock().begin_ns.saturating_add(millis(self.result.plan.warm_up_ms));
        let until = from.saturating_add(millis(self.result.measured_ms));
        let is_measured = |one: &&Operation| (from..until).contains(&one.window.opened.nanos());
        operations.iter().filter(is_measured).filter(|operation| is_done(operation)).count() as u64
    }
}

/// Whether an operation did what it asked for.
fn is_done(operation: &Operation) -> bool {
    let meaning = operation.outcome.reply().map(|reply| reply.meaning);
    operation.phase != Phase::Settle && matches!(meaning, Some(Meaning::Applied | Meaning::Replayed))
}
