//! The servers a race is run against, and what its rounds share of them.

use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::Restart;
use super::volley::Volley;
use crate::history::Cause;
use crate::scenario::ServerUse;
use crate::target::{Target, Version};

/// Contenders' connections that are being opened at one time. A listener may have room for five that wait, and the
/// set-up of a round opens one, too. What does not fit is tried again by the kernel, a second later.
const MOST_CONNECTING: usize = 4;

/// The servers a race is run against.
pub(super) struct Servers<'a, T> {
    pub(super) target: &'a T,
    /// A second one on the same data, if there is one.
    pub(super) replica: Option<&'a T>,
    /// What can restart them, if anything.
    pub(super) restart: Option<&'a dyn Restart>,
    /// Why the last restart failed, if it did.
    restart_failure: Mutex<Option<String>>,
    /// Rounds in which waiting for the target to settle did not help.
    pub(super) vain_waits: AtomicU32,
    connecting: Semaphore,
}

impl<'a, T: Target> Servers<'a, T> {
    pub(super) fn new(target: &'a T, replica: Option<&'a T>) -> Self {
        Self {
            target,
            replica,
            restart: None,
            restart_failure: Mutex::default(),
            vain_waits: AtomicU32::new(0),
            connecting: Semaphore::new(MOST_CONNECTING),
        }
    }

    pub(super) fn at(&self, at: ServerUse) -> &'a T {
        match at {
            ServerUse::Target => self.target,
            ServerUse::Replica => self.replica.unwrap_or(self.target),
        }
    }

    /// A usable connection for a contender: a kept one, or else a new one.
    pub(super) async fn connection(
        &self,
        at: ServerUse,
        version: Version,
        volley: &Volley<T::Contender>,
    ) -> Result<T::Contender, Cause> {
        if let Some(kept) = volley.take(at, version) {
            return Ok(kept);
        }
        let _turn = self.turn().await;
        // One may have been given back meanwhile.
        match volley.take(at, version) {
            Some(kept) => Ok(kept),
            None => self.at(at).contender(version).await,
        }
    }

    /// A new connection for a contender.
    pub(super) async fn connect(&self, at: ServerUse, version: Version) -> Result<T::Contender, Cause> {
        let _turn = self.turn().await;
        self.at(at).contender(version).await
    }

    async fn turn(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.connecting.acquire().await.expect("nobody closes it")
    }

    /// Lets go of all connections that the servers' targets keep: nobody learns by losing a request that they are dead.
    pub(super) fn forget_connections(&self) {
        self.target.forget_connections();
        if let Some(replica) = self.replica {
            replica.forget_connections();
        }
    }

    pub(super) fn note_restart_failure(&self, why: String) {
        *self.restart_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    pub(super) fn take_restart_failure(&self) -> Option<String> {
        self.restart_failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
