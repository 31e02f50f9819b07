//! Idempotency keys in Redis, beside orders in any store.
//!
//! ```text
//! claim     SET key "claimed L1" NX PX lease     another's SET: nil, it GETs the value: in flight
//!                ╴╴╴ window 1 ╴╴╴
//! effect    BEGIN … UPDATE … WHERE version = 7 … COMMIT
//!                ╴╴╴ window 2 ╴╴╴
//! finish    if the value starts with "claimed L1": SET key "finished …" PX ttl
//! ```
//!
//! Two systems do not commit together, so there are two windows in which the process may die:
//!
//! 1. *Claimed, nothing committed.* Nothing has happened. The key answers 409 until its lease runs out, and is new then.
//! 2. *Committed, not finished.* The effect stays, and its answer is lost. The key answers 409 until its lease runs out,
//!    and is new then; so the retry is judged afresh, and the order's own version and state are what keeps it from
//!    happening twice: its `If-Match` names the version from before (412), and even `*` finds an order that is paid
//!    already (409). Never two charges. The customer looks at the order and sees that it is paid.
//!
//! Placing an order has no version to be fenced by: a retry after window 2 places a second, unpaid one. Whoever cannot
//! live with that keeps keys and orders in one transaction (`same`), which has no windows.
//!
//! Should a lease run out under a live holder (it is longer than a request may take), two work under one key. Both write
//! on condition of one version: one of them has an effect.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{RedisError, cmd};
use uuid::Uuid;

use super::super::answer::Answer;
use super::super::idempotency::{CallerKey, Completion, Fingerprint, Lease};
use super::beside::KeyStore;
use super::{Claimed, OpenError, StoreError};

/// How long Redis may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// `KEYS[1]` is finished with `ARGV[2]` for `ARGV[3]` milliseconds if `ARGV[1]` still holds it. What follows the first
/// line of a value, the fingerprint, is kept.
const FINISH: &str = "\
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, #ARGV[1]) == ARGV[1] then
    local finished = ARGV[2] .. string.sub(value, #ARGV[1] + 1)
    if tonumber(ARGV[3]) > 0 then redis.call('SET', KEYS[1], finished, 'PX', ARGV[3]) else redis.call('DEL', KEYS[1]) end
    return 1
end
return 0";

/// `KEYS[1]` is given back if `ARGV[1]` still holds it.
const RELEASE: &str = "\
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, #ARGV[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0";

/// Where a Redis is, and how to get in. Shown without the password.
#[derive(Clone)]
pub struct RedisUrl {
    client: redis::Client,
    shown: String,
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl RedisUrl {
    /// Reads `redis://…`; none if it cannot be read.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        let client = redis::Client::open(text).ok()?;
        let host = url.host_str().filter(|host| !host.is_empty())?;
        let database = url.path().trim_end_matches('/');
        let shown = format!("redis://{host}:{}{database}", url.port().unwrap_or(6379));
        Some(Self { client, shown })
    }
}

/// What a key holds: the first line says who, or what came of it; the rest is the fingerprint.
enum Held {
    InProgress(Fingerprint),
    Finished(Fingerprint, Answer),
}

fn claimed_line(token: Uuid) -> String {
    format!("claimed {token}\n")
}

fn finished_line(answer: &Answer) -> String {
    let (status, headers, body) = answer.to_parts();
    let body = String::from_utf8(body).expect("the service's own answers are JSON");
    let parts = serde_json::to_string(&(status, headers, body)).expect("numbers and texts are JSON");
    format!("finished {parts}\n")
}

impl Held {
    fn read(value: &str) -> Option<Self> {
        let (first, fingerprint) = value.split_once('\n')?;
        let fingerprint = Fingerprint::from_text(fingerprint.to_owned());
        match first.split_once(' ')? {
            ("claimed", _) => Some(Self::InProgress(fingerprint)),
            ("finished", parts) => {
                let (status, headers, body): (u16, String, String) = serde_json::from_str(parts).ok()?;
                Some(Self::Finished(fingerprint, Answer::from_parts(status, &headers, body.into_bytes())?))
            }
            _ => None,
        }
    }
}

/// The name of a key in Redis. The caller's name may hold any visible character, so its length goes first.
fn name(key: &CallerKey) -> String {
    format!("quickeats:key:{}:{}:{}", key.caller().len(), key.caller(), key.key())
}

fn millis_between(now: Timestamp, until: Timestamp) -> i64 {
    until.as_millisecond().saturating_sub(now.as_millisecond()).max(0)
}

impl From<RedisError> for StoreError {
    fn from(error: RedisError) -> Self {
        if error.is_timeout() {
            Self::Database("Redis did not answer in time")
        } else {
            Self::Database("Redis is away")
        }
    }
}

/// Keys in one Redis.
#[derive(Clone)]
pub(super) struct RedisKeys(ConnectionManager);

impl RedisKeys {
    pub(super) async fn open(url: RedisUrl) -> Result<Self, OpenError> {
        // Once without the manager, which would try again for a while.
        url.client.get_multiplexed_async_connection().await?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        Ok(Self(ConnectionManager::new_with_config(url.client, config).await?))
    }
}

impl KeyStore for RedisKeys {
    async fn claim(
        &self,
        lease: &Lease,
        fingerprint: &Fingerprint,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let value = claimed_line(lease.token) + fingerprint.as_str();
        let name = name(&lease.key);
        let lasting = millis_between(now, until).max(1);
        // A key that is taken when we set may be free when we look: it was given back, or ran out. Then we set again.
        loop {
            let mut set = cmd("SET");
            set.arg(&name).arg(&value).arg("NX").arg("PX").arg(lasting);
            let set: Option<String> = set.query_async(&mut self.0.clone()).await?;
            if set.is_some() {
                return Ok(Claimed::Fresh);
            }
            if let known @ Claimed::Known { .. } = self.recall(lease, now).await? {
                return Ok(known);
            }
        }
    }

    async fn recall(&self, lease: &Lease, _now: Timestamp) -> Result<Claimed, StoreError> {
        let value: Option<String> = cmd("GET").arg(name(&lease.key)).query_async(&mut self.0.clone()).await?;
        let Some(value) = value else {
            return Ok(Claimed::Fresh);
        };
        Ok(match Held::read(&value).ok_or(StoreError::Unreadable)? {
            Held::InProgress(fingerprint) => Claimed::Known { fingerprint, answer: None },
            Held::Finished(fingerprint, answer) => Claimed::Known { fingerprint, answer: Some(answer) },
        })
    }

    async fn finish(&self, completion: &Completion) -> Result<(), StoreError> {
        let lasting = millis_between(Timestamp::now(), completion.keep_until);
        let mut script = cmd("EVAL");
        script.arg(FINISH).arg(1).arg(name(&completion.lease.key));
        script.arg(claimed_line(completion.lease.token)).arg(finished_line(&completion.answer)).arg(lasting);
        script.exec_async(&mut self.0.clone()).await?;
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut script = cmd("EVAL");
        script.arg(RELEASE).arg(1).arg(name(&lease.key)).arg(claimed_line(lease.token));
        script.exec_async(&mut self.0.clone()).await?;
        Ok(())
    }

    async fn remember(&self, completion: &Completion, fingerprint: &Fingerprint) -> Result<(), StoreError> {
        let value = finished_line(&completion.answer) + fingerprint.as_str();
        let lasting = millis_between(Timestamp::now(), completion.keep_until).max(1);
        let mut set = cmd("SET");
        set.arg(name(&completion.lease.key)).arg(value).arg("PX").arg(lasting);
        set.exec_async(&mut self.0.clone()).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn a_value_says_who_holds_the_key_or_what_came_of_it_and_for_which_request() {
        let claimed = claimed_line(Uuid::nil()) + "POST /x\n{}";
        let Some(Held::InProgress(fingerprint)) = Held::read(&claimed) else { panic!("{claimed}") };
        assert_eq!(fingerprint.as_str(), "POST /x\n{}");
        let finished = finished_line(&Answer::json(StatusCode::OK, &"a\nb é")) + "POST /x\n{}";
        let Some(Held::Finished(fingerprint, answer)) = Held::read(&finished) else { panic!("{finished}") };
        assert_eq!(fingerprint.as_str(), "POST /x\n{}");
        assert_eq!(answer.to_parts().2, serde_json::to_vec("a\nb é").unwrap());
        for other in ["", "claimed", "finished {}\nx", "else x\ny"] {
            assert!(Held::read(other).is_none(), "{other}");
        }
    }

    #[test]
    fn no_two_callers_keys_have_one_name() {
        assert_ne!(name(&CallerKey::new("a:b", "c")), name(&CallerKey::new("a", "b:c")));
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = RedisUrl::parse("redis://ann:hunter2@h/3").unwrap();
        assert_eq!(format!("{url} {url:?}"), "redis://h:6379/3 redis://h:6379/3");
    }
}
