//! The table "what a reply means": the first rule that fits decides.

use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

use crate::api::exchange::Response;
use crate::api::place::Source;
use crate::history::{Meaning, Verb};

/// One line of the table.
#[derive(Debug, Clone)]
pub(in crate::api) struct ReplyRule {
    /// The line of the description's file that it begins on.
    pub(in crate::api) line: usize,
    /// Only replies to these; all, if `None`.
    pub(in crate::api) to: Option<Vec<Verb>>,
    /// Any, if `None`.
    pub(in crate::api) statuses: Option<Vec<StatusRange>>,
    pub(in crate::api) body: Vec<(Source, Value)>,
    pub(in crate::api) lacks: Vec<Source>,
    pub(in crate::api) headers: Vec<(Arc<str>, Arc<str>)>,
    pub(in crate::api) matches: Option<Regex>,
    pub(in crate::api) means: Meaning,
}

/// Statuses from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) struct StatusRange(pub(in crate::api) u16, pub(in crate::api) u16);

impl ReplyRule {
    pub(super) fn fits(&self, verb: &Verb, response: &Response, json: Option<&Value>) -> bool {
        let node = |at: &Source| json.and_then(|json| at.node(json));
        self.is_for(verb, response.status)
            && self.body.iter().all(|(at, value)| node(at) == Some(value))
            // What cannot be read lacks nothing for sure.
            && self.lacks.iter().all(|at| json.is_some() && node(at).is_none())
            && self.headers.iter().all(|(name, value)| response.header(name) == Some(value))
            && self.matches.as_ref().is_none_or(|regex| {
                std::str::from_utf8(&response.body).is_ok_and(|text| regex.is_match(text))
            })
    }

    /// Whether it takes the JSON of a body to know if it fits a reply of this status.
    pub(super) fn asks_the_body(&self, verb: &Verb, status: u16) -> bool {
        !(self.body.is_empty() && self.lacks.is_empty()) && self.is_for(verb, status)
    }

    fn is_for(&self, verb: &Verb, status: u16) -> bool {
        let in_range = |ranges: &Vec<StatusRange>| {
            ranges.iter().any(|StatusRange(first, last)| (*first..=*last).contains(&status))
        };
        self.to.as_ref().is_none_or(|verbs| verbs.contains(verb)) && self.statuses.as_ref().is_none_or(in_range)
    }
}
