//! Idempotency keys: the key is taken before the work is done.

use super::{Advice, Framework};

pub(super) const IN_FLIGHT_DUPLICATE: Advice = Advice {
    title: "Two requests with one key both did the work",
    cause: "The handler looks whether the key is known, does the work, and stores the key at the end. A second request looks in between \
            and finds nothing. A check in one process's memory fails in the same way with two processes.",
    mend: "Insert the key first, under a unique constraint, in the transaction that does the work. Who cannot insert it waits for the \
           stored answer, or answers 409.",
    sql: Some(
        "CREATE TABLE idempotency_keys (
  principal text, key text, request_hash bytea NOT NULL, answer jsonb,
  PRIMARY KEY (principal, key));

BEGIN;
INSERT INTO idempotency_keys (principal, key, request_hash)
VALUES (:principal, :key, :hash) ON CONFLICT DO NOTHING;   -- waits for a rival to end
-- 0 rows: ROLLBACK, answer with what is stored
-- 1 row: do the work, UPDATE … SET answer = :answer
COMMIT;",
    ),
    framework: Some(Framework {
        name: "Django",
        language: "python",
        code: "with transaction.atomic():
    _, created = IdempotencyKey.objects.get_or_create(
        principal=user, key=key, defaults={\"request_hash\": digest}
    )                                   # unique_together = (principal, key)
    if not created:
        return stored_answer(user, key)
    charge = Charge.objects.create(order=order, amount=amount)
    return store_answer(user, key, charge)",
    }),
};

pub(super) const KEY_FORGOTTEN: Advice = Advice {
    title: "A late retry with the same key did the work again",
    cause: "Keys are kept for too short a time, in a cache that evicts them, in memory that a restart or another replica does not have, or \
            are stored only when the answer was sent.",
    mend: "Keep keys where the effect is kept, in the same transaction, and for as long as the API promises. Clean up by age, never by \
           room.",
    sql: Some(
        "BEGIN;
INSERT INTO idempotency_keys (principal, key, request_hash, expires_at)
VALUES (:principal, :key, :hash, now() + interval '24 hours');
INSERT INTO charges (order_id, amount) VALUES (:order, :amount);
COMMIT;   -- both or neither",
    ),
    framework: Some(Framework {
        name: "Redis (if keys must live there)",
        language: "text",
        code: "SET idem:{principal}:{key} in-progress NX EX 86400
# and in redis.conf: a key that was evicted is a second charge
maxmemory-policy noeviction
appendonly yes",
    }),
};

pub(super) const KEY_REUSE_ACCEPTED: Advice = Advice {
    title: "A used key was accepted with another request",
    cause: "Only the key is compared, not what was asked with it. A client that reuses a key by mistake is told that something else was \
            done, or does it twice.",
    mend: "Store a digest of method, path and body beside the key, and answer 422 when it differs.",
    sql: Some(
        "SELECT request_hash = :hash AS is_same, answer
  FROM idempotency_keys WHERE principal = :principal AND key = :key;
-- is_same = false: 422",
    ),
    framework: Some(Framework {
        name: "Express",
        language: "javascript",
        code: "const digest = createHash('sha256')
  .update([req.method, req.originalUrl, JSON.stringify(req.body)].join('\\n'))
  .digest('hex');
if (stored && stored.digest !== digest) {
  return res.status(422).json({ title: 'This key was used for another request' });
}",
    }),
};

pub(super) const KEY_SCOPE_LEAK: Advice = Advice {
    title: "A key got one caller another caller's answer",
    cause: "Keys are looked up by themselves, without the principal who sent them. Whoever guesses or repeats a key is shown a stranger's \
            answer.",
    mend: "Make the principal part of the key's identity: in the unique constraint, in every look-up, and in the name of a cache entry.",
    sql: Some(
        "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey,
  ADD PRIMARY KEY (principal, key);",
    ),
    framework: Some(Framework {
        name: "Rails",
        language: "ruby",
        code: "# scoped by who is signed in, never IdempotencyKey.find_by(key: …)
current_user.idempotency_keys.find_by(key: request.headers[\"Idempotency-Key\"])",
    }),
};

pub(super) const KEY_POISONED: Advice = Advice {
    title: "A passing refusal is replayed for ever",
    cause: "Every answer is stored for its key, also those that say \"not now\": 412, 409, 429, 5xx. The client does right to try again and \
            can never succeed.",
    mend: "Store an answer only once the work is done, or refused for good. Roll the key back with the transaction when it is not.",
    sql: Some(
        "BEGIN;
INSERT INTO idempotency_keys (principal, key, request_hash) VALUES (:principal, :key, :hash);
-- the work; refused for now (412, 409, 5xx)?
ROLLBACK;   -- the key is free again",
    ),
    framework: Some(Framework {
        name: "Express",
        language: "javascript",
        code: "const isFinal = (status) => status < 500 && ![408, 409, 412, 425, 429].includes(status);
if (isFinal(answer.status)) await keys.store(principal, key, answer);
else await keys.release(principal, key);",
    }),
};

pub(super) const REPLAY_MISMATCH: Advice = Advice {
    title: "A retry was answered differently from the first request",
    cause: "The answer to a retry is made anew from the resource as it is now, not from what was answered then; or only the body is \
            stored, and not the status.",
    mend: "Store status, headers that matter and body with the key, in the transaction that does the work, and replay them as they are.",
    sql: Some(
        "UPDATE idempotency_keys
   SET status = :status, etag = :etag, body = :body
 WHERE principal = :principal AND key = :key;   -- before COMMIT",
    ),
    framework: Some(Framework {
        name: "Spring MVC",
        language: "java",
        code: "record Stored(int status, String etag, byte[] body) {}

ResponseEntity<byte[]> replay(Stored stored) {
  return ResponseEntity.status(stored.status()).eTag(stored.etag()).body(stored.body());
}",
    }),
};
