//! The look at what became of a resource, once nobody acts on it any more: the resource, the lists of what really happened, and the
//! resource again.

use std::sync::Arc;

use super::mind::Mind;
use super::resource::Resource;
use super::saying::Saying;
use crate::history::{Phase, Verb};

/// A look under way.
#[derive(Debug)]
pub(super) struct Audit {
    resource: Arc<Resource>,
    at: usize,
    /// Whether lists tell of this load alone.
    asks_for_lists: bool,
}

impl Audit {
    pub(super) const fn of(resource: Arc<Resource>) -> Self {
        Self { resource, at: 0, asks_for_lists: true }
    }

    /// The same of a resource that was there before: lists tell of more than what this load did.
    pub(super) fn without_lists(self) -> Self {
        Self { asks_for_lists: false, ..self }
    }

    /// What it asks for next; `None` when it is over.
    pub(super) fn next(&mut self, mind: &Mind) -> Option<Saying> {
        let dialect = mind.dialect();
        let read = || dialect.reads().then_some(Verb::Read);
        let verb =
            read().into_iter().chain(dialect.lists().filter(|_| self.asks_for_lists)).chain(read()).nth(self.at)?;
        self.at += 1;
        Some(Saying::plain(mind, &self.resource, verb, Phase::Observe))
    }
}
