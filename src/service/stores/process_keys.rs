//! Idempotency keys in the memory of one process: where no sound service keeps them. They are gone after a restart, and no
//! other replica knows them.

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;

use super::super::idempotency::{Completion, Fingerprint, Lease};
use super::beside::KeyStore;
use super::key_table::KeyTable;
use super::{Claimed, StoreError};

#[derive(Clone, Default)]
pub(super) struct ProcessKeys(Arc<Mutex<KeyTable>>);

impl ProcessKeys {
    fn table(&self) -> Result<MutexGuard<'_, KeyTable>, StoreError> {
        self.0.lock().map_err(|_| StoreError::HalfWritten)
    }
}

impl KeyStore for ProcessKeys {
    async fn claim(
        &self,
        lease: &Lease,
        fingerprint: &Fingerprint,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claimed, StoreError> {
        Ok(self.table()?.claim(lease.clone(), fingerprint.clone(), now, until))
    }

    async fn recall(&self, lease: &Lease, now: Timestamp) -> Result<Claimed, StoreError> {
        Ok(self.table()?.recall(&lease.key, now))
    }

    async fn finish(&self, completion: &Completion) -> Result<(), StoreError> {
        self.table()?.finish(Some(completion.clone()));
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.table()?.release(lease);
        Ok(())
    }

    async fn remember(&self, completion: &Completion, fingerprint: &Fingerprint) -> Result<(), StoreError> {
        self.table()?.remember(completion.clone(), fingerprint.clone());
        Ok(())
    }
}
