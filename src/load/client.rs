//! One client of a load: it brings resources of its own from step to step, turns to those that all act on now and then, and
//! looks at what became of a resource when it is done with it. Each turn is one request.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::audit::Audit;
use super::hot::Found;
use super::joint::JointSet;
use super::journey::{Journey, Next};
use super::mind::Mind;
use super::resource::{Begun, Resource};
use super::saying::{Saying, get};
use super::slots::{Slot, after};
use super::visit::Visit;
use crate::api::Request;
use crate::clock::Stamp;
use crate::history::{Cause, Meaning, Outcome, Phase, Reply, Verb};
use crate::ids::ClientId;
use crate::measure::{Ended, Sample};
use crate::target::{Exchange, Failure, Persistent, Route};
use crate::traffic::JourneyStep;

/// So many errands in a row without a request: there is nothing to do.
const MOST_IDLE: usize = 64;
/// How long a client waits that found no connection, so that it does not ask a dead server thousands of times a second.
const BREATH: Duration = Duration::from_millis(20);

/// One client.
pub(super) struct Client {
    mind: Mind,
    line: Persistent,
    /// For what is sent twice.
    spare: Option<Persistent>,
    route: Route,
    /// Its identity in histories, until it does not know what came of a request (judging R3).
    id: ClientId,
    journey: Option<Journey>,
    visit: Option<Visit>,
    audits: VecDeque<Audit>,
    requests: u64,
    requests_to_hot: u64,
    /// Requests that did what they asked for.
    achieved: Rc<Cell<u64>>,
}

/// What a request is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    Audit,
    Visit,
    Journey,
}

/// A request that was sent.
#[derive(Clone, Copy)]
struct Sent<'a> {
    slot: Slot,
    saying: &'a Saying,
    is_conditional: bool,
}

/// What came of it, as far as the client goes by it.
struct Heard {
    reply: Option<Reply>,
    is_known: bool,
    is_unsent: bool,
}

impl Heard {
    fn has_won(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.meaning == Meaning::Applied)
    }
}

/// What a client does with its turn.
enum Deed {
    Say(Errand, Saying),
    Get(usize, usize),
}

impl Client {
    pub(super) fn new(mind: Mind, route: Route) -> Self {
        let id = mind.shared.numbers.client();
        Self {
            mind,
            line: Persistent::new(route.clone()),
            spare: None,
            route,
            id,
            journey: None,
            visit: None,
            audits: VecDeque::new(),
            requests: 0,
            requests_to_hot: 0,
            achieved: Rc::default(),
        }
    }

    /// Opens its connection.
    pub(super) async fn connect(&mut self) -> Result<(), Cause> {
        self.line.connect().await
    }

    /// Takes turns until there are no more.
    pub(super) async fn run(&mut self) {
        while let Some(slot) = {
            let think = self.think();
            self.mind.shared.slots.next(think).await
        } {
            let Some(deed) = self.next() else { return };
            self.requests += 1;
            match deed {
                Deed::Say(errand, saying) => {
                    self.requests_to_hot += u64::from(errand == Errand::Visit);
                    self.say(slot, errand, saying).await;
                }
                Deed::Get(journey, step) => self.get(slot, journey, step).await,
            }
        }
    }

    /// How many of its requests did what they asked for.
    pub(super) fn achieved(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.achieved)
    }

    /// Looks at what is left: what it was at itself and, if nobody acts any more, what all acted on.
    pub(super) async fn wind_up(&mut self, is_quiet: bool) {
        if let Some(visit) = self.visit.take() {
            self.leave(visit);
        }
        let own = self.journey.take().and_then(Journey::into_resource);
        self.audits.extend(own.map(Audit::of));
        loop {
            while let Some(audit) = self.audits.front_mut() {
                match audit.next(&self.mind) {
                    Some(saying) => self.say(Slot { intended: None }, Errand::Audit, saying).await,
                    None => drop(self.audits.pop_front()),
                }
            }
            let left = is_quiet.then(|| self.mind.shared.hot.take_one()).flatten();
            let Some(left) = left else { return };
            self.audits.push_back(Audit::of(left));
        }
    }

    /// Looks at what is left of the resources that other processes act on, too.
    pub(super) async fn wind_up_joint(&mut self, joint: &JointSet) {
        while let Some(left) = joint.take_one() {
            let audit = Audit::of(left);
            let mut audit = if joint.were_there() { audit.without_lists() } else { audit };
            while let Some(saying) = audit.next(&self.mind) {
                self.say(Slot { intended: None }, Errand::Audit, saying).await;
            }
        }
    }

    /// Looks at what was there before, before anybody acts on it.
    pub(super) async fn look_first(&mut self, joint: &JointSet) {
        while let Some(resource) = joint.next_given() {
            let saying = Saying::plain(&self.mind, &resource, Verb::Read, Phase::SetUp);
            self.say(Slot { intended: None }, Errand::Audit, saying).await;
            joint.open(resource);
        }
    }

    fn think(&mut self) -> Option<Duration> {
        // Who is tried alone need not be waited for.
        let range = self.mind.shared.plan.think.clone().filter(|_| !self.mind.shared.numbers.is_alone())?;
        Some(range.start + range.end.saturating_sub(range.start).mul_f64(self.mind.whims.fraction()))
    }

    /// What it does with its turn.
    fn next(&mut self) -> Option<Deed> {
        if let Some(joint) = &self.mind.shared.joint {
            self.audits.extend(joint.due(self.mind.shared.slots.clock.now()).map(Audit::of));
        }
        for _ in 0..MOST_IDLE {
            if let Some(audit) = self.audits.front_mut() {
                match audit.next(&self.mind) {
                    Some(saying) => return Some(Deed::Say(Errand::Audit, saying)),
                    None => drop(self.audits.pop_front()),
                }
                continue;
            }
            if self.visit.is_none() && self.is_drawn_to_hot() {
                self.visit = self.begin_visit();
            }
            if let Some(visit) = &mut self.visit {
                if let Some(saying) = visit.next(&mut self.mind) {
                    return Some(Deed::Say(Errand::Visit, saying));
                }
                if let Some(visit) = self.visit.take() {
                    self.leave(visit);
                }
                continue;
            }
            let plan = Arc::clone(&self.mind.shared.plan);
            let journey = self.journey.get_or_insert_with(|| Journey::begin(&plan, &mut self.mind.whims));
            match journey.next(&mut self.mind) {
                Next::Say(saying) => return Some(Deed::Say(Errand::Journey, saying)),
                Next::Get(journey, step) => return Some(Deed::Get(journey, step)),
                Next::Over => self.end_journey(),
            }
        }
        None
    }

    fn end_journey(&mut self) {
        let is_looked_at = self.mind.whims.fraction() < self.mind.shared.plan.audit;
        let resource = self.journey.take().and_then(Journey::into_resource);
        self.audits.extend(resource.filter(|_| is_looked_at).map(Audit::of));
    }

    /// Whether fewer of its requests than planned went to the resources that all act on.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn is_drawn_to_hot(&self) -> bool {
        let share = self.mind.shared.plan.hot.share;
        share > 0.0 && (self.requests_to_hot as f64) < share * (self.requests + 1) as f64
    }

    fn begin_visit(&mut self) -> Option<Visit> {
        if let Some(resource) = self.joint_resource() {
            return Some(Visit::begin(&mut self.mind, None, resource, false));
        }
        let hot = Arc::clone(&self.mind.shared.hot);
        match hot.visit(&mut self.mind.whims)? {
            Found::Resource(place, resource) => Some(Visit::begin(&mut self.mind, Some(place), resource, false)),
            Found::Vacancy(place) => {
                let resource = self.mind.new_resource();
                if self.mind.dialect().creates() {
                    return Some(Visit::begin(&mut self.mind, Some(place), resource, true));
                }
                resource.visitors.store(1, std::sync::atomic::Ordering::Relaxed);
                hot.fill(place, Some(Arc::clone(&resource)));
                Some(Visit::begin(&mut self.mind, Some(place), resource, false))
            }
        }
    }

    /// Every other visit is to a resource that other processes act on, too, where they agree on such; every one, where the user names some.
    fn joint_resource(&mut self) -> Option<Arc<Resource>> {
        let joint = Arc::clone(self.mind.shared.joint.as_ref()?);
        let is_its_turn = joint.were_there() || self.mind.whims.below(2) == 0;
        let now = self.mind.shared.slots.clock.now();
        if is_its_turn { joint.visit(now, &mut self.mind.whims) } else { None }
    }

    fn leave(&mut self, visit: Visit) {
        // What other processes act on, too, is left for another when its time is over.
        let Some(place) = visit.place else { return };
        if !visit.is_in {
            // It was never made: the next visitor may try.
            self.mind.shared.hot.fill(place, None);
            return;
        }
        let is_over = visit.is_over;
        let last = self.mind.shared.hot.leave(place, visit.resource, is_over);
        self.audits.extend(last.map(Audit::of));
    }

    /// Sends a request about a resource, and learns what came of it.
    async fn say(&mut self, slot: Slot, errand: Errand, saying: Saying) {
        let (request, call) = saying.speak(&mut self.mind);
        let sent = Sent { slot, saying: &saying, is_conditional: !call.precondition.is_absent() };
        let (slots, label) = (&self.mind.shared.slots, self.mind.shared.plan.label(&saying.verb));
        let opened = slots.clock.now();
        let begun = saying.resource.begin(call.clone(), saying.phase, self.id, opened);
        // Who is tried alone clicks once: a second request beside the first would be company.
        let is_doubled = saying.is_doubled && !self.mind.shared.numbers.is_alone();
        let under_way = || slots.under_way(slot, opened, label, sent.is_conditional);
        let first = under_way();
        let (exchange, second) = if is_doubled && slots.take_from_budget() {
            let second = under_way();
            // Whoever clicks twice is one person, and two clients that do not wait for each other.
            let other = saying.resource.begin(call, saying.phase, self.mind.shared.numbers.client(), opened);
            let route = self.route.clone();
            let spare = self.spare.get_or_insert_with(|| Persistent::new(route));
            let (one, another) = tokio::join!(self.line.send(&request), spare.send(&request));
            second.end();
            (one, Some((other, another)))
        } else {
            (self.line.send(&request).await, None)
        };
        first.end();
        let mut heard = self.end(sent, begun, opened, exchange);
        if let Some((begun, exchange)) = second {
            let also = self.end(sent, begun, opened, exchange);
            if !heard.has_won() {
                heard = also;
            }
        }
        let reply = heard.reply.filter(|_| heard.is_known);
        self.hear(errand, &saying.verb, reply.as_ref());
        if heard.is_unsent {
            self.breathe().await;
        } else if !heard.is_known {
            self.id = self.mind.shared.numbers.client();
        }
    }

    /// Reads what came of a request, records and counts it.
    fn end(&mut self, sent: Sent<'_>, begun: Begun, opened: Stamp, exchange: Exchange) -> Heard {
        let Sent { slot, saying, is_conditional } = sent;
        let closed = exchange.window.closed;
        let outcome = self.read(&saying.verb, exchange);
        let reply = outcome.reply().cloned();
        let sample = Sample {
            label: self.mind.shared.plan.label(&saying.verb),
            conditional: is_conditional,
            stale: is_conditional && reply.as_ref().is_some_and(|reply| reply.meaning == Meaning::Stale),
            abreast: begun.abreast,
            ..sample(slot, opened, closed, &outcome)
        };
        self.achieved.set(self.achieved.get() + u64::from(sample.achieved));
        let is_known = reply.as_ref().is_some_and(|reply| !reply.meaning.is_open());
        let is_unsent = matches!(outcome, Outcome::NotSent(_));
        saying.resource.end(begun, closed, outcome);
        let is_measured = self.mind.shared.slots.record(slot.intended.unwrap_or(opened), &sample);
        if is_measured && sample.achieved {
            saying.resource.note_achieved();
        }
        Heard { reply, is_known, is_unsent }
    }

    fn hear(&mut self, errand: Errand, verb: &Verb, reply: Option<&Reply>) {
        match errand {
            Errand::Visit => {
                let visit = self.visit.as_mut();
                visit.expect("its request was sent").heard(&self.mind, verb, reply);
            }
            Errand::Journey => {
                let journey = self.journey.as_mut();
                journey.expect("its request was sent").heard(&self.mind, verb, reply);
            }
            Errand::Audit => {}
        }
    }

    fn read(&self, verb: &Verb, exchange: Exchange) -> Outcome {
        match exchange.result {
            Ok(response) => self.mind.dialect().read(verb, &response),
            Err(Failure::NotSent(cause)) => Outcome::NotSent(cause),
            Err(Failure::Unknown(cause)) => Outcome::Unknown(cause),
        }
    }

    /// Reads a path, of which only the status counts.
    async fn get(&mut self, slot: Slot, journey: usize, step: usize) {
        let plan = Arc::clone(&self.mind.shared.plan);
        let JourneyStep::Get { path, role, label } = &plan.journeys[journey].steps[step] else { return };
        let request: Request = get(&self.mind, path, role);
        let opened = self.mind.shared.slots.clock.now();
        let under_way = self.mind.shared.slots.under_way(slot, opened, *label, false);
        let exchange = self.line.send(&request).await;
        under_way.end();
        let closed = exchange.window.closed;
        let outcome = match exchange.result {
            Ok(response) if response.status < 500 => {
                let is_there = (200..300).contains(&response.status);
                let meaning = if is_there { Meaning::Applied } else { Meaning::Refused };
                Outcome::Answered(Reply::new(response.status, meaning))
            }
            Ok(response) => Outcome::Unknown(Cause::Status(response.status)),
            Err(Failure::NotSent(cause)) => Outcome::NotSent(cause),
            Err(Failure::Unknown(cause)) => Outcome::Unknown(cause),
        };
        let sample = Sample { label: *label, ..sample(slot, opened, closed, &outcome) };
        self.achieved.set(self.achieved.get() + u64::from(sample.achieved));
        self.mind.shared.slots.record(slot.intended.unwrap_or(opened), &sample);
        if matches!(outcome, Outcome::NotSent(_)) {
            self.breathe().await;
        }
    }

    async fn breathe(&self) {
        let slots = &self.mind.shared.slots;
        slots.pacer.until(after(slots.clock.now(), BREATH)).await;
    }
}

/// What is counted of a request that came to `outcome`.
pub(super) fn sample(slot: Slot, opened: Stamp, closed: Stamp, outcome: &Outcome) -> Sample {
    let (ended, status, timed_out) = match outcome {
        Outcome::Answered(reply) => (Ended::Answered, Some(reply.status), false),
        Outcome::NotSent(_) => (Ended::Failed, None, false),
        Outcome::Unknown(cause) => (Ended::Unknown, cause.status(), *cause == Cause::TimedOut),
    };
    let meaning = outcome.reply().map(|reply| reply.meaning);
    Sample {
        label: 0,
        from_intended: closed.since(slot.intended.unwrap_or(opened)),
        from_actual: closed.since(opened),
        ended,
        is_error: ended != Ended::Answered,
        timed_out,
        status,
        achieved: matches!(meaning, Some(Meaning::Applied | Meaning::Replayed)),
        conditional: false,
        stale: false,
        abreast: 0,
    }
}
