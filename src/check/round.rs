//! One round's operations, sorted into what the rules ask about. Draws no conclusions.

use std::sync::Arc;

use crate::api::{Family, Leaves, Model, Needs, StateIx};
use crate::history::{Meaning, Operation, Outcome, Phase, Record, Reply, Verb, overlapped};
use crate::ids::{OpId, RoundId};

/// One round: a fresh resource and everything that was asked of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round<'a> {
    /// Which one.
    pub(super) id: RoundId,
    /// What the API means.
    pub(super) model: &'a Model,
    /// Everything asked, in order of opening.
    pub(super) operations: &'a [Operation],
}

/// An acknowledged action: an operation and its reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ack<'a> {
    pub(super) operation: &'a Operation,
    pub(super) reply: &'a Reply,
}

/// A reply that shows the resource, or claims to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture<'a> {
    pub(super) operation: &'a Operation,
    pub(super) reply: &'a Reply,
}

impl Picture<'_> {
    /// Its strong token, if it has one.
    pub(super) fn strong_token(&self) -> Option<&Arc<str>> {
        self.reply.token.as_ref().filter(|token| !token.starts_with("W/"))
    }
}

impl Ack<'_> {
    pub(super) fn id(&self) -> OpId {
        self.operation.id
    }

    pub(super) fn action(&self) -> &str {
        self.operation.call.action().expect("an acknowledged action is an action")
    }
}

impl<'a> Round<'a> {
    /// All actions sent, whatever came of them.
    pub(super) fn actions(self) -> impl Iterator<Item = &'a Operation> {
        (self.operations.iter())
            .filter(|operation| operation.call.action().is_some())
            .filter(|operation| !matches!(operation.outcome, Outcome::NotSent(_)))
    }

    /// Actions that the server says it did. Marked replays of earlier answers are not among them; unmarked ones are.
    pub(super) fn acks(self) -> impl Iterator<Item = Ack<'a>> {
        self.actions().filter_map(|operation| {
            let reply = operation.outcome.reply()?;
            (reply.meaning == Meaning::Applied).then_some(Ack { operation, reply })
        })
    }

    /// Acknowledgements that cannot be the stored answer of another request.
    pub(super) fn own_acks(self) -> impl Iterator<Item = Ack<'a>> {
        self.acks().filter(move |ack| !self.may_be_replay(ack.operation))
    }

    /// Whether `operation` may have been answered with the stored answer of another request.
    pub(super) fn may_be_replay(self, operation: &'a Operation) -> bool {
        self.twins(operation).next().is_some()
    }

    /// Requests with the same key whose stored answer it may have been: not begun after it was over, not refused. (A server
    /// that replays for any payload would answer one with the other's, too; and one that cannot tell two persons apart
    /// answers one with the other's.)
    pub(super) fn twins(self, operation: &'a Operation) -> impl Iterator<Item = &'a Operation> {
        // Without a key it has none, and nobody need look for one.
        let has_key = operation.call.key.is_some();
        self.actions().take_while(move |_| has_key).filter(move |twin| {
            let is_another = twin.id != operation.id && twin.may_share_key(operation);
            is_another && !operation.precedes(twin) && !is_refused(twin)
        })
    }

    /// Whether `operation` was answered with a stored answer that nothing else was given first: then something between may have
    /// said this very request twice, and it was done.
    pub(super) fn may_replay_itself(self, operation: &'a Operation) -> bool {
        let means = |one: &Operation, meaning| one.outcome.reply().is_some_and(|reply| reply.meaning == meaning);
        let was_given_first = |twin: &'a Operation| twin.shares_key(operation) && means(twin, Meaning::Applied);
        means(operation, Meaning::Replayed) && !self.twins(operation).any(was_given_first)
    }

    /// Actions that the server says, for good, it did not do.
    pub(super) fn refusals(self) -> impl Iterator<Item = &'a Operation> {
        self.actions().filter(|operation| is_refused(operation))
    }

    /// Actions that may have been done or not: Unknown outcomes, and answers that leave it open.
    pub(super) fn unsettled(self) -> impl Iterator<Item = &'a Operation> {
        self.actions().filter(|operation| is_unsettled(operation))
    }

    /// Reads that began after every action had closed, in order. An Unknown action may still take effect later.
    pub(super) fn final_reads(self) -> impl Iterator<Item = (&'a Operation, &'a Reply)> {
        let quiet = self.actions().map(|operation| operation.window.closed).max();
        (self.operations.iter())
            .filter(|operation| operation.call.verb == Verb::Read)
            .filter(move |operation| quiet.is_none_or(|closed| closed < operation.window.opened))
            .filter_map(|operation| Some((operation, operation.outcome.reply()?)))
            .filter(|(_, reply)| reply.state.is_some())
    }

    /// What the server says in the end: the last of the final reads.
    pub(super) fn final_read(self) -> Option<(&'a Operation, &'a Reply)> {
        self.final_reads().last()
    }

    /// The rows of the last list of `verb` that was asked for after every action had closed.
    pub(super) fn list(self, verb: &Verb) -> Option<(&'a Operation, &'a [Record])> {
        let quiet = self.actions().map(|operation| operation.window.closed).max();
        (self.operations.iter().rev())
            .filter(|operation| operation.call.verb == *verb)
            .filter(|operation| quiet.is_none_or(|closed| closed < operation.window.opened))
            .find_map(|operation| Some((operation, operation.outcome.reply()?.records.as_deref()?)))
    }

    /// Everything sent, whatever came of it.
    pub(super) fn sent(self) -> impl Iterator<Item = &'a Operation> {
        self.operations.iter().filter(|operation| !matches!(operation.outcome, Outcome::NotSent(_)))
    }

    /// Contenders that were sent.
    pub(super) fn contenders(self) -> impl Iterator<Item = &'a Operation> {
        self.sent().filter(|operation| operation.phase == Phase::Contend)
    }

    /// Contenders that would change something.
    pub(super) fn writers(self) -> impl Iterator<Item = &'a Operation> {
        self.contenders().filter(|operation| matches!(operation.call.verb, Verb::Act(_) | Verb::Create))
    }

    /// Whether several contenders would have changed something, and every one of them was definitely refused.
    pub(super) fn nobody_won(self) -> bool {
        self.id.is_raced() && self.writers().count() > 1 && self.writers().all(is_refused)
    }

    /// Replies that show the resource, with the operations they came for.
    pub(super) fn pictures(self) -> impl Iterator<Item = Picture<'a>> {
        (self.operations.iter())
            .filter(|operation| is_about_the_resource(operation))
            .filter_map(|operation| Some(Picture { operation, reply: operation.outcome.reply()? }))
            .filter(|picture| picture.reply.meaning == Meaning::Applied && picture.reply.state.is_some())
    }

    /// Pictures whose parts are all of one moment: reads, and answers to actions beside which nothing else was or may have
    /// been done. (Some servers answer a write with what it left behind, and with a tag that they read again later.)
    pub(super) fn pictures_of_one_moment(self) -> impl Iterator<Item = Picture<'a>> {
        let disturbs = |action: &Operation, picture: &Operation| {
            action.id != picture.id && !is_refused(action) && !action.precedes(picture) && !picture.precedes(action)
        };
        self.pictures().filter(move |picture| {
            let is_read = picture.operation.call.verb == Verb::Read;
            is_read || !self.actions().any(|action| disturbs(action, picture.operation))
        })
    }

    /// Answered reads that show the resource.
    pub(super) fn reads(self) -> impl Iterator<Item = Picture<'a>> {
        self.pictures().filter(|picture| picture.operation.call.verb == Verb::Read)
    }

    /// Whether anything from outside the contract (an older API on the same data) was, or may have been, done.
    pub(super) fn has_asides(self) -> bool {
        self.actions().any(|operation| self.is_aside(operation) && !is_refused(operation))
    }

    /// Whether this came from outside the contract (an older API on the same data).
    pub(super) fn is_aside(self, operation: &Operation) -> bool {
        let action = operation.call.action().and_then(|name| self.model.action(name));
        action.is_some_and(|action| action.is_aside)
    }

    /// Whether what `operation` asks for may have been done already: then a success changes nothing, and is lawful whatever
    /// the precondition says (RFC 9110 §13.1.1). The model must have a way to stay where the action leads, and something
    /// else must have been able to lead there before.
    pub(super) fn may_be_done_already(self, operation: &Operation) -> bool {
        let Some(action) = operation.call.action().and_then(|name| self.model.action(name)) else { return false };
        let from_the_start = self.starts_at().is_some_and(|start| action.is_settled_in(start));
        from_the_start
            || self.actions().any(|other| {
                let before = other.id != operation.id && !is_refused(other) && !operation.precedes(other);
                let led = other.call.action().and_then(|name| self.model.action(name));
                before && led.is_some_and(|led| led.transitions.iter().any(|step| action.is_settled_in(step.to)))
            })
    }

    /// Whether something relevant was seen: two contenders with clear answers overlapped, and the server was asked
    /// afterwards. Only such a round can be evidence that nothing goes wrong.
    pub(super) fn is_telling(self) -> bool {
        let clear =
            |operation: &&Operation| operation.outcome.reply().is_some_and(|reply| reply.meaning != Meaning::Unclear);
        let follows = |operation: &&Operation| operation.phase == Phase::Follow;
        self.id.is_raced()
            && overlapped(self.contenders().filter(clear))
            && self.sent().filter(follows).all(|operation| clear(&operation))
            && self.was_asked_in_the_end()
    }

    /// Whether the server was asked for what is, once all was done: for the resource, or for the effects where there is nothing
    /// else.
    fn was_asked_in_the_end(self) -> bool {
        let has_list = || self.list(&Verb::ListEffects).is_some();
        self.final_read().is_some() || (self.model.family == Family::Effects && has_list())
    }

    /// Someone else's write (judging R7): an event tells of an action that this round never sent.
    pub(super) fn foreign_write(self) -> Option<String> {
        let (_, rows) = self.list(&Verb::ListEvents)?;
        rows.iter().find_map(|row| {
            let name = row.action.as_deref()?;
            let sent = self.actions().any(|operation| operation.call.action() == Some(name));
            let foreign = self.model.action(name).is_some() && !sent;
            foreign.then(|| format!("the events tell of `{name}`, which was not sent in this round"))
        })
    }

    /// The reply that shows the resource as it was at first: to what made it or, where nothing in the round did, to the look at it that was
    /// over before anybody acted. (What has no life of its own need not be made; what contenders make then is another.)
    pub(super) fn at_first(self) -> Option<&'a Reply> {
        let is_made = self.model.family == Family::Lifecycle;
        let mut creations = (self.operations.iter())
            .filter(|operation| is_made || operation.phase == Phase::SetUp)
            .filter(|operation| operation.call.verb == Verb::Create);
        match creations.next() {
            Some(creation) => creation.outcome.reply(),
            None => self.first_look(),
        }
    }

    /// The last look at a resource that was there already, over before anybody acted on it. (Reads that lag show what was.)
    fn first_look(self) -> Option<&'a Reply> {
        let shows = |reply: &&Reply| reply.meaning == Meaning::Applied && reply.state.is_some();
        self.first_looks().filter_map(|one| one.outcome.reply()).filter(shows).last()
    }

    /// Looks that were over before anybody acted.
    fn first_looks(self) -> impl Iterator<Item = &'a Operation> {
        let first = self.actions().map(|action| action.window.opened).min();
        (self.operations.iter())
            .filter(move |_| !self.model.lags.reads)
            .filter(|one| one.phase == Phase::SetUp && one.call.verb == Verb::Read)
            .filter(move |one| first.is_none_or(|first| one.window.closed < first))
    }

    /// What a resource that nothing in the round made held before anybody acted on it; `None` inside where there was nothing. Where
    /// nobody looks first, it is one that nobody knew.
    ///
    /// # Errors
    /// It was looked at because it was there before, and what was seen does not tell.
    pub(super) fn held_at_first(self) -> Result<Option<Arc<str>>, String> {
        let is_set_up = |one: &&Operation| one.phase == Phase::SetUp;
        let was_looked_at = self.sent().filter(is_set_up).any(|one| one.call.verb == Verb::Read);
        let was_set_up = self.actions().any(|one| one.phase == Phase::SetUp);
        let answers = self.first_looks().filter_map(|one| one.outcome.reply());
        let told = answers.filter(|reply| matches!(reply.meaning, Meaning::Applied | Meaning::NotFound)).last();
        match told {
            Some(reply) => Ok(reply.state.clone().filter(|_| reply.meaning == Meaning::Applied)),
            None if was_looked_at && !was_set_up => {
                Err(format!("nothing shows what the {} held at first", self.model.noun))
            }
            None => Ok(None),
        }
    }

    /// Whether the round knows where the resource began: it was made in it, or looked at before anybody acted; what has no life of its own
    /// begins where its machine does.
    pub(super) fn is_known_from_the_start(self) -> bool {
        let was_made = || self.sent().any(|operation| operation.call.verb == Verb::Create);
        self.model.family != Family::Lifecycle || was_made() || self.first_look().is_some()
    }

    /// Where the resource is known to have started. A round told in values or numbers starts where its machine does.
    pub(super) fn starts_at(self) -> Option<StateIx> {
        let shown = self.at_first().and_then(|reply| self.model.state(reply.state.as_ref()?));
        match self.model.family {
            Family::Lifecycle => shown,
            Family::Register | Family::Counter(_) => Some(shown.unwrap_or(self.model.initial)),
            Family::Effects => Some(self.model.initial),
        }
    }

    /// Whether what `operation` writes may have found nothing there: then there was nothing to name a token of.
    pub(super) fn may_have_found_nothing(self, operation: &Operation) -> bool {
        let action = |one: &Operation| one.call.action().and_then(|name| self.model.action(name));
        let Some(write) = action(operation).and_then(|action| action.write) else { return false };
        let leaves = |one: &Operation| action(one).and_then(|action| action.write).map(|write| write.leaves);
        let may_have_removed = |one: &&Operation| {
            let is_removal = leaves(one) == Some(Leaves::Nothing) && !is_refused(one);
            is_removal && one.id != operation.id && !operation.precedes(one)
        };
        // A value that was acknowledged before, and that nothing may have removed since.
        let was_there = |ack: Ack<'_>| {
            let is_before = leaves(ack.operation) == Some(Leaves::Value) && ack.operation.precedes(operation);
            let is_after = |one: &Operation| !one.precedes(ack.operation);
            is_before && !self.actions().any(|one| may_have_removed(&one) && is_after(one))
        };
        match write.needs {
            Needs::Absent => true,
            Needs::Present => false,
            // A register's first state is the one without a value.
            Needs::Anything if self.own_acks().any(was_there) => false,
            Needs::Anything => self.starts_at() == Some(StateIx(0)) || self.actions().any(|one| may_have_removed(&one)),
        }
    }

    /// Whether `operation` asks for something outside the resource (a charge).
    pub(super) fn has_effect(self, operation: &Operation) -> bool {
        let action = operation.call.action().and_then(|name| self.model.action(name));
        action.is_some_and(|action| action.has_effect || self.model.family == Family::Effects)
    }
}

/// Whether this asks for the round's resource, or made it. What contenders create is another one, with a version 1 and perhaps
/// a tag `"1"` of its own; and lists are not the resource.
pub(super) fn is_about_the_resource(operation: &Operation) -> bool {
    match operation.call.verb {
        Verb::Read | Verb::Act(_) => true,
        Verb::Create => operation.phase == Phase::SetUp,
        Verb::ListEffects | Verb::ListEvents => false,
    }
}

/// Whether the server says, for good, that it did not do this.
pub(super) fn is_refused(operation: &Operation) -> bool {
    operation.outcome.reply().is_some_and(|reply| reply.meaning.is_refusal())
}

/// Whether this may have been done or not.
pub(super) fn is_unsettled(operation: &Operation) -> bool {
    match &operation.outcome {
        Outcome::Answered(reply) => reply.meaning.is_open(),
        Outcome::Unknown(_) => true,
        Outcome::NotSent(_) => false,
    }
}
