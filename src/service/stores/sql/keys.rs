//! Idempotency keys in SQL: a claim is an insert that fails on a duplicate, and the answer is written by the same
//! transaction as the effect.
//!
//! ```text
//! claim     INSERT … lease = L1                   another's INSERT: conflict, it reads the row: in flight
//! finish    UPDATE … WHERE lease = L1             with the order's UPDATE, one COMMIT for both
//! crash     nothing                               the row runs out; the next INSERT takes it over: lease = L2
//! late      UPDATE … WHERE lease = L1: 0 rows     the whole transaction of the late one is rolled back
//! ```
//!
//! The time by which a claim runs out is the claimant's own. Replicas whose clocks differ may take a claim over too
//! early: then the first one's `WHERE lease = L1` finds nothing, and still only one of them has an effect.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use super::super::super::answer::Answer;
use super::super::super::idempotency::{Completion, Fingerprint, Lease};
use super::super::{Claimed, StoreError};
use super::{Database, Transaction, Value};

/// How often one service removes what has run out, in microseconds.
const SWEEP_INTERVAL: i64 = 60_000_000;

/// A finished answer, as the columns `status`, `headers` and `body`.
fn columns(answer: &Answer) -> [Value; 3] {
    let (status, headers, body) = answer.to_parts();
    [i64::from(status).into(), headers.into(), Value::Bytes(body)]
}

pub(super) async fn claim(
    database: &dyn Database,
    lease: &Lease,
    fingerprint: &Fingerprint,
    now: Timestamp,
    until: Timestamp,
) -> Result<Claimed, StoreError> {
    // A key that is taken when we insert may be free when we look: it was given back. Then we insert again.
    loop {
        let claimed = database
            .execute(
                "INSERT INTO idempotency_keys (caller, key, fingerprint, lease, expires) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (caller, key) DO UPDATE SET fingerprint = excluded.fingerprint, lease = excluded.lease, \
                 expires = excluded.expires, status = NULL, headers = NULL, body = NULL \
                 WHERE idempotency_keys.expires <= $6",
                vec![
                    lease.key.caller().into(),
                    lease.key.key().into(),
                    fingerprint.as_str().into(),
                    lease.token.into(),
                    until.into(),
                    now.into(),
                ],
            )
            .await?;
        if claimed > 0 {
            return Ok(Claimed::Fresh);
        }
        if let known @ Claimed::Known { .. } = recall(database, lease, now).await? {
            return Ok(known);
        }
    }
}

/// What is known about a key that has not run out.
pub(super) async fn recall(database: &dyn Database, lease: &Lease, now: Timestamp) -> Result<Claimed, StoreError> {
    let found = database
        .query(
            "SELECT fingerprint, status, headers, body FROM idempotency_keys \
             WHERE caller = $1 AND key = $2 AND expires > $3",
            vec![lease.key.caller().into(), lease.key.key().into(), now.into()],
        )
        .await?;
    let Some(mut row) = found.into_iter().next() else {
        return Ok(Claimed::Fresh);
    };
    let fingerprint = Fingerprint::from_text(row.text()?);
    let answer = match (row.maybe_integer()?, row.maybe_text()?, row.maybe_bytes()?) {
        (None, None, None) => None,
        (Some(status), Some(headers), Some(body)) => {
            let status = u16::try_from(status).map_err(|_| StoreError::Unreadable)?;
            Some(Answer::from_parts(status, &headers, body).ok_or(StoreError::Unreadable)?)
        }
        _ => return Err(StoreError::Unreadable),
    };
    Ok(Claimed::Known { fingerprint, answer })
}

/// Keeps the answer of a claim. False if the claim is another's by now, and nothing may be written under it.
pub(super) async fn finish(
    transaction: &mut dyn Transaction,
    completion: Option<&Completion>,
) -> Result<bool, StoreError> {
    let Some(completion) = completion else {
        return Ok(true);
    };
    let Completion { lease, answer, keep_until, order: _ } = completion;
    let [status, headers, body] = columns(answer);
    let finished = transaction
        .execute(
            "UPDATE idempotency_keys SET status = $1, headers = $2, body = $3, expires = $4, lease = NULL \
             WHERE caller = $5 AND key = $6 AND lease = $7",
            vec![
                status,
                headers,
                body,
                (*keep_until).into(),
                lease.key.caller().into(),
                lease.key.key().into(),
                lease.token.into(),
            ],
        )
        .await?;
    Ok(finished > 0)
}

pub(super) async fn release(database: &dyn Database, lease: &Lease) -> Result<(), StoreError> {
    database
        .execute(
            "DELETE FROM idempotency_keys WHERE caller = $1 AND key = $2 AND lease = $3",
            vec![lease.key.caller().into(), lease.key.key().into(), lease.token.into()],
        )
        .await?;
    Ok(())
}

/// Keeps an answer under a key that nobody claimed.
pub(super) async fn remember(
    database: &dyn Database,
    completion: &Completion,
    fingerprint: &Fingerprint,
) -> Result<(), StoreError> {
    let Completion { lease, answer, keep_until, order: _ } = completion;
    let [status, headers, body] = columns(answer);
    database
        .execute(
            "INSERT INTO idempotency_keys (caller, key, fingerprint, status, headers, body, expires) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (caller, key) DO UPDATE SET \
             fingerprint = excluded.fingerprint, lease = NULL, status = excluded.status, headers = excluded.headers, \
             body = excluded.body, expires = excluded.expires",
            vec![
                lease.key.caller().into(),
                lease.key.key().into(),
                fingerprint.as_str().into(),
                status,
                headers,
                body,
                (*keep_until).into(),
            ],
        )
        .await?;
    Ok(())
}

/// Remembers when it last swept, so that one claim in a minute sweeps and the others do not.
#[derive(Debug)]
pub(super) struct Broom(AtomicI64);

impl Broom {
    /// One that sweeps first when it has been there for a while.
    pub(super) fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_microsecond()))
    }

    /// Removes what has run out, if it is time to. Tidying fails no request: what it leaves is for the next time.
    pub(super) async fn sweep(&self, database: &dyn Database, now: Timestamp) {
        let last = self.0.load(Ordering::Relaxed);
        let due = now.as_microsecond() >= last.saturating_add(SWEEP_INTERVAL);
        let ours = || self.0.compare_exchange(last, now.as_microsecond(), Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if due && ours() {
            let expired = "DELETE FROM idempotency_keys WHERE expires <= $1";
            let _ = database.execute(expired, vec![now.into()]).await;
        }
    }
}
