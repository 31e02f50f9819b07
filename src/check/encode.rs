//! A round as the search wants it: names as numbers, each operation as what it may have done.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::linear::Entry;
use super::round::{Round, is_about_the_resource, is_refused, is_unsettled};
use crate::api::{Family, Model, StateIx};
use crate::history::{Actor, Call, Meaning, Operation, Outcome, Reply, Verb};
use crate::ids::OpId;
use crate::spec::lifecycle::{KeyIx, Op, Seen, State, Token, TokenIx};

/// How an acknowledgement's picture of the resource is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AckReading {
    /// As the state that the write left behind.
    AtTheWrite,
    /// As a read at some time after the write, within the same window: some servers read the resource again before
    /// they answer, and show the state that a later writer left. (What may be a stored answer is not read at all: it
    /// shows a state of long ago.)
    ReadAfterwards,
    /// As two such reads: of the resource, and then of its token. Some servers answer with what they wrote, or read, and ask
    /// for the tag last.
    PartsReadAfterwards,
    /// Not at all: what it shows may never have been.
    Unread,
}

impl AckReading {
    /// The ways to read acknowledgements: a round is refuted only if it is lawful by none.
    pub(super) const SOUND: [Self; 3] = [Self::AtTheWrite, Self::ReadAfterwards, Self::PartsReadAfterwards];
}

/// A round, ready for the search.
#[derive(Debug)]
pub(super) struct Encoded {
    /// The resource when it was fresh.
    pub(super) start: State,
    /// Everything asked of it since.
    pub(super) entries: Vec<Entry<Op>>,
    /// Entry by entry, the operation that it is a step of.
    pub(super) of: Vec<OpId>,
}

/// Encodes `round`. Of the operations in `doubted` it believes nothing: they may have been done or not, and showed nothing.
///
/// # Errors
/// What keeps it from being judged, as a sentence.
pub(super) fn encode(round: Round<'_>, acks: AckReading, doubted: &BTreeSet<OpId>) -> Result<Encoded, String> {
    let created = match round.at_first() {
        Some(created) => created,
        None if round.model.family == Family::Lifecycle => return Err("the resource was not created".to_owned()),
        // What is there without having been made, and what was made without saying so, starts where the model does.
        None => &Reply::new(0, Meaning::Applied),
    };
    let by_reader = tokens_depend_on_the_reader(round) || an_actor_has_tokens_of_its_own(round);
    let mut names = Names { ignore_tokens: by_reader, ..Names::default() };
    let seen = names.seen(round.model, created)?;
    let start = State {
        at: seen.state.unwrap_or(round.model.initial),
        version: seen.version,
        token: seen.token.map_or(Token::Unknown, Token::Is),
        keys: Vec::new(),
    };
    let (mut entries, mut of) = (Vec::new(), Vec::new());
    for operation in round.operations {
        encode_operation(round, operation, (acks, doubted.contains(&operation.id)), &mut names, &mut entries)?;
        of.resize(entries.len(), operation.id);
    }
    Ok(Encoded { start, entries, of })
}

fn encode_operation(
    round: Round<'_>,
    operation: &Operation,
    (acks, is_doubted): (AckReading, bool),
    names: &mut Names,
    entries: &mut Vec<Entry<Op>>,
) -> Result<(), String> {
    // What contenders create is another resource.
    let mut seen = match operation.outcome.reply().filter(|_| is_about_the_resource(operation)) {
        Some(reply) => names.seen(round.model, reply)?,
        None => Seen::default(),
    };
    if round.is_aside(operation) {
        seen.token = None; // an older API has tags of its own
    }
    let mut add = |op: Op, optional: bool, after: Option<usize>| {
        let closed = (!optional).then_some(operation.window.closed);
        entries.push(Entry { op, opened: operation.window.opened, closed, optional, after });
        entries.len() - 1
    };
    match (&operation.call.verb, &operation.outcome) {
        (Verb::Read, _) if is_doubted => {}
        (Verb::Create | Verb::ListEffects | Verb::ListEvents, _)
        | (Verb::Read, Outcome::Unknown(_))
        | (_, Outcome::NotSent(_)) => {}
        (Verb::Read, Outcome::Answered(reply)) => {
            // Where reads may lag by declaration, they say nothing about the order.
            if reply.meaning == Meaning::Applied && !round.model.lags.reads {
                add(Op::Read(seen), false, None);
            }
        }
        (Verb::Act(name), outcome) => {
            let reply = outcome.reply().filter(|_| !is_doubted);
            let effect = claim(round, operation, name, reply, names)?;
            let Op::Apply { action, precondition, key, .. } = effect else {
                add(effect, false, None);
                return Ok(());
            };
            let unseen = Op::Apply { action, precondition, key, seen: Seen::default() };
            // Where nothing tells two persons with one key apart, it may be the one's own or the other's stored answer.
            let may_be_a_strangers = round.twins(operation).any(|twin| !twin.shares_key(operation));
            if is_doubted || is_unsettled(operation) || may_be_a_strangers {
                add(unseen, true, None);
                return Ok(());
            }
            if outcome.reply().is_some_and(|reply| reply.meaning == Meaning::Replayed) {
                add(unseen, false, None);
                return Ok(());
            }
            match acks {
                AckReading::AtTheWrite => _ = add(Op::Apply { action, precondition, key, seen }, false, None),
                AckReading::ReadAfterwards if !round.may_be_replay(operation) => {
                    let write = add(unseen, false, None);
                    add(Op::Read(seen), false, Some(write));
                }
                AckReading::PartsReadAfterwards if !round.may_be_replay(operation) => {
                    let write = add(unseen, false, None);
                    let picture = add(Op::Read(Seen { token: None, ..seen }), false, Some(write));
                    add(Op::Read(Seen { token: seen.token, ..Seen::default() }), false, Some(picture));
                }
                AckReading::ReadAfterwards | AckReading::PartsReadAfterwards | AckReading::Unread => {
                    add(unseen, false, None);
                }
            }
        }
    }
    Ok(())
}

/// What an action's answer claims.
fn claim(
    round: Round<'_>,
    operation: &Operation,
    name: &str,
    reply: Option<&Reply>,
    names: &mut Names,
) -> Result<Op, String> {
    let call = &operation.call;
    let action = (round.model.actions.iter().position(|action| *action.name == *name))
        .ok_or_else(|| format!("the API description has no action `{name}`"))?;
    let precondition = call.precondition.strong_token().and_then(|token| names.token(token));
    let key = call.key.as_ref().map(|key| names.key(call, key));
    let apply = Op::Apply { action, precondition, key, seen: Seen::default() };
    Ok(match reply.map(|reply| reply.meaning) {
        None | Some(Meaning::Applied | Meaning::InProgress | Meaning::Unclear) => apply,
        Some(Meaning::Replayed) if round.may_replay_itself(operation) => apply,
        Some(Meaning::Replayed) => key.map_or(apply, |key| Op::Replay { key }),
        // A write that nobody knows the end of may have held the resource, and come to nothing.
        Some(Meaning::Stale) if round.unsettled().any(|open| !operation.precedes(open)) => {
            Op::Refused { action: Some(action) }
        }
        // A tag that somebody else was shown may not be this one's.
        Some(Meaning::Stale) if !was_shown_its_token(round, operation) => Op::Refused { action: Some(action) },
        Some(Meaning::Stale) => Op::Stale { token: precondition, action: Some(action) },
        Some(Meaning::Refused | Meaning::MissingPrecondition | Meaning::NotFound | Meaning::Unauthorized) => {
            Op::Refused { action: Some(action) }
        }
    })
}

/// Whether the one who asks was shown the token that they name, or got through with it.
fn was_shown_its_token(round: Round<'_>, operation: &Operation) -> bool {
    let named = operation.call.precondition.strong_token();
    (round.operations.iter())
        .filter(|other| other.call.actor == operation.call.actor)
        .any(|other| own_tokens(round, other).any(|token| Some(token) == named))
}

/// The strong tokens that this answer proves to be its asker's: the one it shows, and the one it was let through on. A stored
/// answer may show another's, and is given whatever the request names; so is the answer that it is done already.
fn own_tokens<'a>(round: Round<'a>, operation: &'a Operation) -> impl Iterator<Item = &'a Arc<str>> {
    let reply = (operation.outcome.reply())
        .filter(|reply| reply.meaning == Meaning::Applied && is_about_the_resource(operation))
        .filter(|_| !round.may_be_replay(operation));
    let shown = reply.and_then(|reply| reply.token.as_ref()).filter(|token| !token.starts_with("W/"));
    let named = operation.call.precondition.strong_token();
    shown.into_iter().chain(named.filter(|_| reply.is_some() && !round.may_be_done_already(operation)))
}

/// Whether two reads of one state and version, with no action between them, showed different strong tokens: then each
/// reader gets a representation of its own (RFC 9110 §8.8.3), and tokens say nothing about the resource.
fn tokens_depend_on_the_reader(round: Round<'_>) -> bool {
    let reads: Vec<(&Operation, &Reply)> = (round.operations.iter())
        .filter(|operation| operation.call.verb == Verb::Read)
        .filter_map(|operation| Some((operation, operation.outcome.reply()?)))
        .filter(|(_, reply)| reply.token.as_ref().is_some_and(|token| !token.starts_with("W/")))
        .collect();
    let undisturbed = |a: &Operation, b: &Operation| {
        let (from, to) = (a.window.opened.min(b.window.opened), a.window.closed.max(b.window.closed));
        !round.actions().any(|action| {
            let over = !action.outcome.is_open_ended() && action.window.closed < from;
            !over && action.window.opened <= to
        })
    };
    reads.iter().enumerate().any(|(index, (a, first))| {
        reads[index + 1..].iter().any(|(b, second)| {
            let same = first.state == second.state && first.version == second.version;
            same && first.token != second.token && undisturbed(a, b)
        })
    })
}

/// Whether somebody names or is shown tokens, and none of theirs is proved to be anybody else's, too. Then they may be another
/// representation's, and nothing says how its tokens and the others' belong together.
fn an_actor_has_tokens_of_its_own(round: Round<'_>) -> bool {
    // An older API has tags of its own.
    let tells = |operation: &&Operation| !round.is_aside(operation) && !is_refused(operation);
    let mut proved: HashMap<&Actor, HashSet<&Arc<str>>> = HashMap::new();
    for operation in round.operations.iter().filter(tells) {
        let mut tokens = own_tokens(round, operation).peekable();
        // Whoever names one that is not proved to be theirs (nobody knows the end of it, or it was answered from store) counts.
        if tokens.peek().is_some() || operation.call.precondition.strong_token().is_some() {
            proved.entry(&operation.call.actor).or_default().extend(tokens);
        }
    }
    let is_alone = |(actor, own): (&&Actor, &HashSet<&Arc<str>>)| {
        let mut others = proved.iter().filter(|(other, _)| *other != actor).map(|(_, tokens)| tokens).peekable();
        others.peek().is_some() && others.all(|tokens| tokens.is_disjoint(own))
    };
    proved.iter().any(is_alone)
}

/// Tokens and keys, numbered as they come.
#[derive(Debug, Default)]
struct Names {
    ignore_tokens: bool,
    tokens: HashMap<Arc<str>, u32>,
    keys: HashMap<(Arc<str>, Verb, Arc<str>), u32>,
}

impl Names {
    /// A strong token's number. Weak ones identify no version (RFC 9110 §8.8.1).
    fn token(&mut self, token: &Arc<str>) -> Option<TokenIx> {
        if self.ignore_tokens || token.starts_with("W/") {
            return None;
        }
        let next = u32::try_from(self.tokens.len()).expect("a round is small");
        Some(TokenIx(*self.tokens.entry(Arc::clone(token)).or_insert(next)))
    }

    /// A key's number. Keys belong to the action and the caller: whom the server was told to be dealing with; where nothing
    /// proved it, the person.
    fn key(&mut self, call: &Call, key: &Arc<str>) -> KeyIx {
        let next = u32::try_from(self.keys.len()).expect("a round is small");
        let caller = call.principal.clone().unwrap_or_else(|| call.actor.to_string().into());
        let identity = (caller, call.verb.clone(), Arc::clone(key));
        KeyIx(*self.keys.entry(identity).or_insert(next))
    }

    fn seen(&mut self, model: &Model, reply: &Reply) -> Result<Seen, String> {
        // Of effects there is but one state, whatever a reply says there.
        let state = reply.state.as_ref().filter(|_| model.family != Family::Effects);
        Ok(Seen {
            state: state.map(|name| known_state(model, name)).transpose()?,
            version: reply.version,
            token: reply.token.as_ref().and_then(|token| self.token(token)),
        })
    }
}

fn known_state(model: &Model, name: &str) -> Result<StateIx, String> {
    model.state(name).ok_or_else(|| {
        let name = crate::text::harmless(name, 60);
        format!("the server answered a state `{name}` that the API description does not have")
    })
}
