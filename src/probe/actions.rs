//! Every action once, alone: whether it does what the model says, and whether reads, versions, replies and lists show it.

use std::sync::Arc;

use super::fresh::{Fresh, Prober, SETTLING, applied, heard};
use super::speaker::{Answer, Say};
use crate::api::{ActionModel, Family, Leaves, Model, StateIx};
use crate::history::{Meaning, Reply, Verb};
use crate::probe_result::Mark;
use crate::target::Target;

/// Reads right after a change.
const READS: usize = 4;
/// Actions that are tried.
const MOST_ACTIONS: usize = 24;

/// What all actions showed together.
#[derive(Debug, Default)]
struct Seen {
    reads: usize,
    late: usize,
    /// Actions that were never shown.
    unseen: Vec<String>,
    /// How far the version went with one change, wherever that was not by one; and how often it was.
    steps: Vec<(String, String)>,
    ones: usize,
    /// Actions with no version before or after them.
    untold: Vec<String>,
    /// Actions that did what the model says, and rows that lists had at once.
    done: Vec<String>,
    rows: usize,
}

impl<T: Target> Prober<'_, T> {
    pub(super) async fn ask_actions(&mut self) {
        let model = &self.api().model;
        let mut seen = Seen::default();
        for action in model.actions.iter().filter(|action| !action.is_aside).take(MOST_ACTIONS) {
            match self.nearest(action) {
                Some(from) => self.ask_action(action, from, &mut seen).await,
                None => self.note(&action.name, Mark::Open, "nothing leads to where it is allowed"),
            }
        }
        if !seen.done.is_empty() {
            let sentence = format!("applied, alone: {}", crate::text::list(&seen.done));
            self.note("actions", Mark::AsDescribed, sentence);
        }
        if seen.rows > 0 {
            let rows = crate::text::count(seen.rows as u64, "row");
            self.note("lists", Mark::AsDescribed, format!("{rows} of what was done, at once"));
        }
        self.note_reads(&seen);
        self.note_versions(&seen);
    }

    /// The nearest state that allows it and can be had.
    pub(super) fn nearest(&self, action: &ActionModel) -> Option<StateIx> {
        let (model, dialect) = (&self.api().model, &self.api().dialect);
        let can_be_had = |state: &StateIx| {
            **model.state_name(*state) != *Model::ABSENT || model.family != Family::Register || dialect.makes_ids()
        };
        let present = |state: &StateIx| **model.state_name(*state) != *Model::ABSENT;
        (0..model.states.len())
            .filter_map(|index| u16::try_from(index).ok().map(StateIx))
            .filter(|state| action.next(*state).next().is_some() && can_be_had(state))
            .filter_map(|state| Some((!present(&state), model.path_to(state)?.len(), state)))
            .min()
            .map(|(_, _, state)| state)
    }

    async fn ask_action(&mut self, action: &ActionModel, from: StateIx, seen: &mut Seen) {
        let verb = Verb::Act(Arc::clone(&action.name));
        let name = format!("`{verb}`");
        let Some(mut fresh) = self.fresh(from).await else {
            return self.note(&action.name, Mark::Open, "no resource could be brought to where it is allowed");
        };
        let before = self.read(&fresh).await;
        let told_before = fresh.reply.as_ref().and_then(|reply| reply.version);
        let lists: Vec<Verb> = self.api().dialect.lists().collect();
        let mut rows = Vec::new();
        for list in &lists {
            rows.push(self.rows(list, &fresh).await);
        }
        let word = self.speaker.word();
        let answer = self.act(&verb, &mut fresh, Some(word.clone())).await;
        if applied(&answer).is_none() {
            let state = self.api().model.state_name(from);
            let came = if answer.response.is_some() { "is answered" } else { "has no reply:" };
            let sentence = format!("{name} in `{state}`, alone, {came} {}", heard(&answer));
            return self.note("actions", Mark::Differs, sentence);
        }
        seen.done.push(name.clone());
        let shown = Shown { action, from, before: before.as_ref(), word: &word, told: answer.reply() };
        let last = self.watch(&fresh, &shown, seen).await;
        // What is not there has no version.
        if **self.api().model.state_name(from) != *Model::ABSENT {
            let told = told_before.max(before.as_ref().and_then(|before| before.version));
            self.note_version(&name, told, last.as_ref(), seen);
        }
        self.note_shows(action, &answer, last.as_ref());
        self.ask_lists(action, &fresh, lists.iter().zip(rows), seen).await;
    }

    /// Reads several times right after a change, and once more later if one of these did not show it. What was read last.
    async fn watch(&mut self, fresh: &Fresh, shown: &Shown<'_>, seen: &mut Seen) -> Option<Reply> {
        if !self.api().dialect.reads() {
            return None;
        }
        let mut late = 0;
        let mut last = None;
        for _ in 0..READS {
            let answer = self.speaker.say(&Verb::Read, Say { id: &fresh.id, ..Say::default() }).await;
            late += usize::from(!shown.in_answer(&answer, &self.api().model));
            last = applied(&answer).cloned();
        }
        if late > 0 {
            tokio::time::sleep(SETTLING).await;
            let answer = self.speaker.say(&Verb::Read, Say { id: &fresh.id, ..Say::default() }).await;
            if !shown.in_answer(&answer, &self.api().model) {
                let state = answer.reply().and_then(|reply| reply.state.as_deref());
                let state = state.map(|state| format!(", `{}`", self.speaker.safe(state, 60))).unwrap_or_default();
                let name = &shown.action.name;
                seen.unseen.push(format!("`{name}` (a read is then answered {}{state})", heard(&answer)));
                return None;
            }
            last = applied(&answer).cloned();
        }
        seen.reads += READS;
        seen.late += late;
        last
    }

    fn note_reads(&mut self, seen: &Seen) {
        for unseen in &seen.unseen {
            self.note(
                "reads",
                Mark::Differs,
                format!("what was acknowledged is not shown, by the model, after {unseen}"),
            );
        }
        if seen.reads == 0 {
            return;
        }
        let described = self.api().model.lags.reads;
        let (reads, fresh) = (seen.reads, seen.reads - seen.late);
        let told = format!("{fresh} of {reads} reads right after a change showed it");
        match (seen.late > 0, described) {
            (false, false) => self.note("reads", Mark::AsDescribed, told),
            (false, true) => {
                self.note("reads", Mark::Open, format!("{told}; that they may be late cannot be disproven"));
            }
            (true, true) => self.note("reads", Mark::AsDescribed, format!("{told}, the others were late")),
            (true, false) => {
                self.note("reads", Mark::Differs, format!("{told}, the others were late"));
                self.advise(&["read", "eventual"], Some(true.into()));
            }
        }
    }

    fn note_version(&self, name: &str, before: Option<u64>, last: Option<&Reply>, seen: &mut Seen) {
        let Some(last) = last else { return };
        if !self.api().model.versioned {
            return;
        }
        match (before, last.version) {
            (Some(before), Some(last)) if before.checked_add(1) == Some(last) => seen.ones += 1,
            (Some(before), Some(last)) => seen.steps.push((name.to_owned(), format!("from {before} to {last}"))),
            (None, _) | (_, None) => seen.untold.push(name.to_owned()),
        }
    }

    fn note_versions(&mut self, seen: &Seen) {
        if let Some((name, step)) = seen.steps.first() {
            let sentence = format!("does not go up by one with each change: {step} with {name}");
            self.note("version", Mark::Differs, sentence);
            self.advise(&["resource", "version"], None);
        } else if seen.ones > 0 {
            let changes = crate::text::count(seen.ones as u64, "change");
            self.note("version", Mark::AsDescribed, format!("went up by one with each of {changes}"));
        }
        if !seen.untold.is_empty() {
            let names = crate::text::list(&seen.untold);
            self.note("version", Mark::Open, format!("none is told before or after {names}"));
        }
    }

    /// Whether the reply shows the resource as the next read does.
    fn note_shows(&mut self, action: &ActionModel, answer: &Answer, last: Option<&Reply>) {
        let dialect = &self.api().dialect;
        let (Some(response), Some(last)) = (&answer.response, last.and_then(|last| last.state.as_ref())) else {
            return;
        };
        let Some(found) = dialect.state_in(response) else { return };
        let (described, is_shown) = (dialect.shows_resource(&action.name), found == *last);
        let name = &action.name;
        let short = |text: &str| crate::text::harmless(&crate::text::short(&self.speaker.masked(text)), 60);
        match (described, is_shown) {
            (true, true) | (false, false) => {}
            (true, false) => {
                let (found, last) = (short(&found), short(last));
                let sentence =
                    format!("the reply to `{name}` says `{found}`, and a read `{last}`: it does not show the resource");
                self.note("actions", Mark::Differs, sentence);
                self.advise(&["actions", name, "shows"], Some(false.into()));
            }
            (false, true) => {
                self.note("actions", Mark::Learned, format!("the reply to `{name}` shows the resource as a read does"));
                self.advise(&["actions", name, "shows"], Some(true.into()));
            }
        }
    }

    /// Whether the lists have a row more, at once or later.
    async fn ask_lists<'v>(
        &mut self,
        action: &ActionModel,
        fresh: &Fresh,
        lists: impl Iterator<Item = (&'v Verb, Option<usize>)>,
        seen: &mut Seen,
    ) {
        for (list, before) in lists {
            let Some(before) = before else { continue };
            if *list == Verb::ListEffects && !action.has_effect {
                continue;
            }
            let Some(after) = self.rows(list, fresh).await else { continue };
            let name = &action.name;
            if after > before {
                seen.rows += 1;
                continue;
            }
            tokio::time::sleep(SETTLING).await;
            let (key, lags) = match list {
                Verb::ListEffects => ("effects", self.api().model.lags.effects),
                _ => ("events", self.api().model.lags.events),
            };
            if self.rows(list, fresh).await.is_some_and(|later| later > before) {
                let mark = if lags { Mark::AsDescribed } else { Mark::Differs };
                self.note(&list.to_string(), mark, format!("`{name}` has its row there late"));
                if !lags {
                    self.advise(&[key, "eventual"], Some(true.into()));
                }
            } else {
                self.note(&list.to_string(), Mark::Differs, format!("`{name}` has no row there"));
            }
        }
    }
}

/// What a read must show after an action.
struct Shown<'a> {
    action: &'a ActionModel,
    from: StateIx,
    before: Option<&'a Reply>,
    word: &'a str,
    told: Option<&'a Reply>,
}

impl Shown<'_> {
    fn in_answer(&self, answer: &Answer, model: &Model) -> bool {
        let Some(reply) = answer.reply() else { return false };
        let state = reply.state.as_deref();
        match (model.family, self.action.write) {
            (Family::Register, Some(write)) if write.leaves == Leaves::Nothing => reply.meaning == Meaning::NotFound,
            (Family::Register, _) => state == Some(self.word),
            (Family::Counter(_), _) => {
                let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
                let before = number(self.before.and_then(|before| before.state.as_deref()));
                let expected = before.zip(self.action.adds).map(|(before, adds)| before + adds);
                expected.is_some() && number(state) == expected
            }
            (Family::Lifecycle, _) => match self.told.and_then(|told| told.state.as_deref()) {
                // The reply says where it led.
                Some(told) => state == Some(told),
                None => self.action.next(self.from).any(|to| state == Some(&**model.state_name(to))),
            },
            (Family::Effects, _) => reply.meaning == Meaning::Applied,
        }
    }
}
