//! Writes that were acknowledged and cannot all stand: `lost-update`, `double-cas-win`, `contradictory-acks`.

use super::evidence::{Evidence, acknowledged};
use super::kind::Kind;
use super::left::{is_third, leads_to, states_under};
use super::linear::{Answer, Entry, search};
use super::lost::ending;
use super::round::{Ack, Round, is_refused, is_unsettled};
use crate::api::{ActionModel, Family, Leaves, Needs};
use crate::history::{Meaning, Operation};
use crate::ids::OpId;
use crate::spec::lifecycle::{Lifecycle, Op, Seen, State, Token};
use crate::text::{harmless, short};

/// Steps for one question to the state machine. Pairs and the few set-up actions need a handful.
const BUDGET: u64 = 20_000;
/// Pairs looked at in one round: 64 contenders that all win make 2,016.
const MOST_PAIRS: usize = 4_096;

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    let acks: Vec<Ack<'_>> = round.own_acks().collect();
    let pairs = || pairs(&acks).take(MOST_PAIRS);
    // Of a counter's changes no two exclude each other but for want of room, and `sums` sees to that.
    // Nor do writes that any register takes, whatever it holds.
    let may_exclude = !matches!(round.model.family, Family::Counter(_));
    let takes_any = |ack: &Ack<'_>| {
        let write = round.model.action(ack.action()).and_then(|action| action.write);
        write.is_some_and(|write| write.needs == Needs::Anything)
    };
    let overlapping = || pairs().filter(|(a, b)| may_exclude && overlap(a, b) && !(takes_any(a) && takes_any(b)));
    let contradictory = overlapping().find(|(a, b)| cannot_both_happen(round, a, b));
    let collided = pairs().find(|(a, b)| claim_one_version(round, a, b));
    let won_together = pairs().find(|(a, b)| won_with_one_token(round, a, b));
    // Nothing else may have overwritten the first of them lawfully.
    let overwritten = || pairs().find(|(a, b)| wrote_two_values(a, b) && won_alone(round, a, b));
    let missing = contradictory.or_else(overwritten).filter(|(a, b)| one_is_missing(round, a, b));
    if let Some((a, b)) = collided.or(missing) {
        found.push(lost_update(round, &a, &b));
    }
    if let Some((a, b)) = won_together {
        found.push(double_cas_win(&a, &b));
    }
    if let Some((a, b)) = contradictory {
        found.push(contradictory_acks(round, &a, &b));
    }
}

/// Every two acknowledged operations that are not the same logical operation.
fn pairs<'r, 'a>(acks: &'r [Ack<'a>]) -> impl Iterator<Item = (Ack<'a>, Ack<'a>)> + 'r {
    (acks.iter().enumerate())
        .flat_map(|(index, a)| acks[index + 1..].iter().map(move |b| (*a, *b)))
        .filter(|(a, b)| !a.operation.repeats(b.operation))
}

/// Whether either may have come first. Of two that came one after the other, the second is at fault alone: it was accepted
/// where it may not be, and `transitions` or the search says so.
fn overlap(a: &Ack<'_>, b: &Ack<'_>) -> bool {
    !a.operation.precedes(b.operation) && !b.operation.precedes(a.operation)
}

/// Two acknowledged writes both say that they made version *n*, and show it in different states.
///
/// Sound where the version is declared to go up by exactly one with each change: of all writes only one made version
/// *n*, and version *n* has one state. It holds as well for a server that reads the resource again before it answers,
/// since then both replies are reads of version *n*. (One after the other, it is the version that stood still:
/// `version-gap`.)
fn claim_one_version(round: Round<'_>, a: &Ack<'_>, b: &Ack<'_>) -> bool {
    let differ =
        |x: &Option<std::sync::Arc<str>>, y: &Option<std::sync::Arc<str>>| x.is_some() && y.is_some() && x != y;
    round.model.versioned
        && a.reply.version.is_some()
        && a.reply.version == b.reply.version
        && overlap(a, b)
        && differ(&a.reply.state, &b.reply.state)
}

/// No order of the two, within their windows and with whatever else was done or may have been done, is allowed by the
/// declared state machine alone. Versions, tokens and what the replies show are not asked.
fn cannot_both_happen(round: Round<'_>, a: &Ack<'_>, b: &Ack<'_>) -> bool {
    let operations = (round.actions()).filter_map(|operation| {
        let accused = operation.id == a.id() || operation.id == b.id();
        // What came before the two is a fact; what else raced with them, and what may be a stored answer, is left open,
        // so that the pair alone decides. A refusal or a marked replay did nothing.
        let before_both = operation.precedes(a.operation) && operation.precedes(b.operation);
        let is_fact = before_both && !is_unsettled(operation) && !round.may_be_replay(operation);
        let is_replay = operation.outcome.reply().is_some_and(|reply| reply.meaning == Meaning::Replayed);
        let did_nothing = is_refused(operation) || (is_replay && !round.may_replay_itself(operation));
        (!did_nothing).then_some((operation, !accused && (is_replay || !is_fact)))
    });
    let mut entries = Vec::new();
    for (operation, optional) in operations {
        let name = operation.call.action().expect("actions() yields actions");
        let Some(action) = round.model.actions.iter().position(|action| *action.name == *name) else {
            return false;
        };
        entries.push(Entry {
            op: Op::Apply { action, precondition: None, key: None, seen: Seen::default() },
            opened: operation.window.opened,
            closed: (!optional).then_some(operation.window.closed),
            optional,
            after: None,
        });
    }
    let spec = Lifecycle { model: round.model, relaxed: None };
    if !round.is_known_from_the_start() {
        return false;
    }
    let created = round.at_first().and_then(|reply| round.model.state(reply.state.as_ref()?));
    let start =
        State { at: created.unwrap_or(round.model.initial), version: None, token: Token::Unknown, keys: Vec::new() };
    search(&spec, &start, &entries, BUDGET) == Answer::Illegal
}

/// Of two acknowledged operations that exclude each other, the server's own later word shows one at most. They must
/// have been told different things (two identical answers leave nothing that could be missing), and not as two different
/// versions (then both stand in the chain, one after the other, and what is wrong is the step between them).
fn one_is_missing(round: Round<'_>, a: &Ack<'_>, b: &Ack<'_>) -> bool {
    let both_left_an_effect = a.reply.effect.is_some() && b.reply.effect.is_some() && a.action() == b.action();
    let told_apart = a.reply.state != b.reply.state
        || wrote_two_values(a, b)
        || (a.reply.digest.is_some() && b.reply.digest.is_some() && a.reply.digest != b.reply.digest);
    let both_in_the_chain =
        a.reply.version.is_some() && b.reply.version.is_some() && a.reply.version != b.reply.version;
    // Of two removals nothing can be missing: both leave nothing.
    let leaves_nothing = |ack: &Ack<'_>| {
        let write = round.model.action(ack.action()).and_then(|action| action.write);
        write.is_some_and(|write| write.leaves == Leaves::Nothing)
    };
    let is_shown = !both_left_an_effect && !both_in_the_chain && round.final_read().is_some();
    told_apart && is_shown && !(leaves_nothing(a) && leaves_nothing(b))
}

/// Two values were written. (A register holds one: of two writes on one token, the later one overwrote what its writer had
/// not seen.)
fn wrote_two_values(a: &Ack<'_>, b: &Ack<'_>) -> bool {
    a.operation.call.value.is_some() && b.operation.call.value.is_some() && a.action() != b.action()
}

fn lost_update(round: Round<'_>, a: &Ack<'_>, b: &Ack<'_>) -> Evidence {
    let (ending, proof) = ending(round, a, b);
    let as_version = match (a.reply.version, b.reply.version) {
        (Some(one), Some(other)) if one == other => format!(", both as version {one}"),
        _ => String::new(),
    };
    let sentence = format!("{}, and {}{as_version}{ending}", acknowledged(a), acknowledged(b));
    Evidence::new(Kind::LostUpdate, sentence, with(a, b, proof))
}

/// Both were conditional on the same strong token, and each changed the resource: the first change made the token
/// stale for the second (RFC 9110 §13.1.1). Where a third write might have come between the two, it might have brought
/// the old representation and with it the old token back; then this rule keeps silent, and the search decides.
///
/// A strong token stands for one representation, whenever it is shown (RFC 9110 §8.8.1), and a representation shows one
/// state. So where the token is known to have stood for state *s*, it is current in no other, and only a write that
/// leads to *s* can bring it back: one that removes the record, or writes another value, cannot.
fn won_with_one_token(round: Round<'_>, a: &Ack<'_>, b: &Ack<'_>) -> bool {
    let Some(token) = a.operation.call.precondition.strong_token() else { return false };
    let changes = |ack: &Ack<'_>| round.model.action(ack.action()).is_some_and(ActionModel::always_changes);
    let done_already = |ack: &Ack<'_>| round.may_be_done_already(ack.operation);
    let same_token = b.operation.call.precondition.strong_token() == Some(token);
    let both_changed = || changes(a) && changes(b) || show_two_pictures_under_one_token(a, b);
    let stood_for = || states_under(round, token);
    let may_bring_back = |third: &Operation| match stood_for()[..] {
        [state] => leads_to(round, third, state),
        _ => true,
    };
    let came_back = || round.actions().any(|third| is_between(third, a, b) && may_bring_back(third));
    same_token && both_changed() && !done_already(a) && !done_already(b) && !came_back()
}

/// The same, and nothing else was or may have been done between the two.
fn won_alone(round: Round<'_>, a: &Ack<'_>, b: &Ack<'_>) -> bool {
    won_with_one_token(round, a, b) && !round.actions().any(|third| is_between(third, a, b))
}

/// Whether a third action may have been done between the two.
fn is_between(third: &Operation, a: &Ack<'_>, b: &Ack<'_>) -> bool {
    let after_both = a.operation.precedes(third) && b.operation.precedes(third);
    is_third(third, a, b) && !after_both
}

/// Both replies show the resource under one strong token, and not the same resource. An action that may lead from a state
/// to itself may have changed nothing; but then its reply, read before the other's write, would show the old token, and
/// read after it the other's picture.
fn show_two_pictures_under_one_token(a: &Ack<'_>, b: &Ack<'_>) -> bool {
    let shown = |ack: &Ack<'_>| ack.reply.token.clone().filter(|token| !token.starts_with("W/"));
    let is_a_picture = |ack: &Ack<'_>| ack.reply.state.is_some() && ack.reply.effect.is_none();
    let differ = a.reply.digest.is_some() && b.reply.digest.is_some() && a.reply.digest != b.reply.digest;
    a.action() == b.action()
        && is_a_picture(a)
        && is_a_picture(b)
        && shown(a).is_some()
        && shown(a) == shown(b)
        && differ
}

/// Why a round in which nothing is proven is no evidence either: two writes on one strong token were accepted, and the
/// description leaves open whether they changed anything.
pub(super) fn undecidable(round: Round<'_>) -> Option<String> {
    let may_stay = |ack: &Ack<'_>| {
        let action = round.model.action(ack.action());
        let stays = |action: &ActionModel| {
            // What is settled where it is has not changed anything there.
            (action.transitions.iter()).any(|step| step.from == step.to && !action.is_settled_in(step.to))
        };
        action.is_some_and(stays)
    };
    let tokens: Vec<_> =
        (round.own_acks().filter(may_stay)).filter_map(|ack| ack.operation.call.precondition.strong_token()).collect();
    let shared = tokens.iter().enumerate().any(|(index, token)| tokens[index + 1..].contains(token));
    shared.then(|| {
        "several writes on one version token were accepted, and since the description has transitions from a state to \
         itself, it cannot be told whether they changed anything"
            .to_owned()
    })
}

fn double_cas_win(a: &Ack<'_>, b: &Ack<'_>) -> Evidence {
    let token = a.operation.call.precondition.token().map_or("", |token| &**token);
    let sentence = format!(
        "{}, and {}, though both were conditional on {}: the first of them made it stale",
        acknowledged(a),
        acknowledged(b),
        harmless(&short(token), 60),
    );
    Evidence::new(Kind::DoubleCasWin, sentence, with(a, b, None))
}

fn contradictory_acks(round: Round<'_>, a: &Ack<'_>, b: &Ack<'_>) -> Evidence {
    let sentence = format!(
        "{}, and {}: the {}'s states allow no order of the two",
        acknowledged(a),
        acknowledged(b),
        round.model.noun,
    );
    Evidence::new(Kind::ContradictoryAcks, sentence, with(a, b, None))
}

fn with(a: &Ack<'_>, b: &Ack<'_>, third: Option<OpId>) -> impl Iterator<Item = OpId> {
    [a.id(), b.id()].into_iter().chain(third)
}
