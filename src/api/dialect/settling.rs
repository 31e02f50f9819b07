//! Settling: what is waited for before a round counts, and the other places that its resource can be read at.

use std::sync::Arc;
use std::time::Duration;

use super::{Dialect, Fill};
use crate::api::exchange::{Request, Response};
use crate::api::place::{Place, Sight};
use crate::history::{Meaning, Verb};

/// What is waited for before a race, and before the look at what it came to.
#[derive(Debug, Clone)]
pub struct Settle {
    /// Nothing is sent for so long.
    pub quiet: Duration,
    /// A read tells a strong version token.
    pub(in crate::api) strong_token: bool,
    /// A read tells this.
    pub(in crate::api) until: Option<Until>,
    /// How long it may take until a read tells that.
    pub limit: Duration,
}

/// What a read must tell, and where.
#[derive(Debug, Clone)]
pub(in crate::api) struct Until {
    pub(in crate::api) read: Place,
    /// Any of these.
    pub(in crate::api) is: Vec<Box<str>>,
}

/// What is waited for to settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    /// A resource that is to be raced: its version token matters.
    Start,
    /// What a race came to.
    End,
}

impl Settle {
    /// Whether reads can tell.
    pub const fn is_seen(&self, what: Settling) -> bool {
        self.until.is_some() || self.strong_token && matches!(what, Settling::Start)
    }
}

impl Dialect {
    /// What is waited for, if anything is.
    pub const fn settle(&self) -> Option<&Settle> {
        self.settle.as_ref()
    }

    /// Whether the resource has settled, as the answer to a read tells. What does not tell has not; and where there is none, as
    /// nobody made it or somebody removed it, there is nothing to wait for.
    pub fn is_settled(&self, response: &Response, what: Settling) -> bool {
        let Some(settle) = &self.settle else { return true };
        if self.read(&Verb::Read, response).reply().is_some_and(|reply| reply.meaning == Meaning::NotFound) {
            return true;
        }
        let json = serde_json::from_slice(&response.body).ok();
        let sight = Sight { response, json: json.as_ref() };
        let is_strong = || {
            let token = self.token.as_ref().and_then(|token| token.read.text(sight));
            token.is_some_and(|token| !token.starts_with("W/"))
        };
        let tells =
            |until: &Until| until.read.text(sight).is_some_and(|text| until.is.iter().any(|one| **one == *text));
        (!settle.strong_token || what == Settling::End || is_strong()) && settle.until.as_ref().is_none_or(tells)
    }

    /// In how many other places the resource can be read.
    pub const fn views(&self) -> usize {
        self.views.len()
    }

    /// The role that makes the request for `verb`, or reads at this view.
    pub fn reader_of(&self, verb: &Verb, view: Option<usize>) -> &Arc<str> {
        view.map_or_else(|| self.role(verb), |view| &self.views[view].actor)
    }

    /// The read at one of them, from 0; and the same for people: without what may be a secret.
    pub fn view_and_shown(&self, index: usize, fill: Fill<'_>) -> (Request, Request) {
        let template = &self.views[index];
        self.with_values(fill, |values| {
            let mut shown = self.compose_as(&Verb::Read, template, fill, values.shown());
            self.mask_headers(&mut shown.headers);
            (self.compose_as(&Verb::Read, template, fill, values), shown)
        })
    }

    /// The read at one of them, from 0; and its method and path for people, without secrets.
    pub fn view(&self, index: usize, fill: Fill<'_>) -> (Request, Arc<str>) {
        let template = &self.views[index];
        let request = self.with_values(fill, |values| self.compose_as(&Verb::Read, template, fill, values));
        let shown = self.shown_as(template, fill, &request);
        (request, shown)
    }
}
