//! Contenders' connections, kept from round to round as long as they are usable, and shared by the rounds under way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::scenario::ServerUse;
use crate::target::{Contender, Version};

/// Connections to the target and to its replica that no round holds. The lock is held for a push or a pop, never while
/// anything is awaited.
#[derive(Debug)]
pub(super) struct Volley<C> {
    target: Mutex<Vec<C>>,
    replica: Mutex<Vec<C>>,
}

impl<C: Contender> Volley<C> {
    pub(super) const fn new() -> Self {
        Self { target: Mutex::new(Vec::new()), replica: Mutex::new(Vec::new()) }
    }

    /// A usable one, if there is one: the one given back last, which the server is least likely to have tired of.
    pub(super) fn take(&self, at: ServerUse, version: Version) -> Option<C> {
        let mut kept = self.kept(at);
        kept.retain(C::is_usable);
        let at = kept.iter().rposition(|connection| connection.version() == version)?;
        Some(kept.remove(at))
    }

    /// Keeps it, if it is of use. (A twin goes: the one that it was made from stands for their connection.)
    pub(super) fn give_back(&self, at: ServerUse, connection: C) {
        if connection.is_usable() && !connection.is_twin() {
            self.kept(at).push(connection);
        }
    }

    /// Lets all go: the target is another process now.
    pub(super) fn clear(&self) {
        self.kept(ServerUse::Target).clear();
        self.kept(ServerUse::Replica).clear();
    }

    fn kept(&self, at: ServerUse) -> MutexGuard<'_, Vec<C>> {
        let kept = match at {
            ServerUse::Target => &self.target,
            ServerUse::Replica => &self.replica,
        };
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
