//! Contenders' connections, kept from round to round as long as they are usable.

use crate::scenario::ServerUse;
use crate::target::Contender;

/// Connections to the target and to its replica.
#[derive(Debug)]
pub(super) struct Volley<C> {
    target: Vec<C>,
    replica: Vec<C>,
}

impl<C: Contender> Volley<C> {
    pub(super) const fn new() -> Self {
        Self { target: Vec::new(), replica: Vec::new() }
    }

    /// A usable one, if there is one.
    pub(super) fn take(&mut self, at: ServerUse) -> Option<C> {
        let kept = self.kept(at);
        while let Some(connection) = kept.pop() {
            if connection.is_usable() {
                return Some(connection);
            }
        }
        None
    }

    pub(super) fn give_back(&mut self, at: ServerUse, connection: C) {
        if connection.is_usable() {
            self.kept(at).push(connection);
        }
    }

    /// Lets all go: the target is another process now.
    pub(super) fn clear(&mut self) {
        self.target.clear();
        self.replica.clear();
    }

    fn kept(&mut self, at: ServerUse) -> &mut Vec<C> {
        match at {
            ServerUse::Target => &mut self.target,
            ServerUse::Replica => &mut self.replica,
        }
    }
}
