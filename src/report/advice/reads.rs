//! What reads show, and when.

use super::{Advice, Framework};

pub(super) const TORN_READ: Advice = Advice {
    title: "One reply mixes two versions",
    cause: "The reply is put together from several reads (the row, then its lines; the body, then the token) and a write came in between. \
            Or the token comes from a cache and the body does not.",
    mend: "Read all parts in one statement, or in one transaction with a snapshot (`REPEATABLE READ`). Make the token from the very row the \
           body was made from.",
    sql: Some(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;   -- one snapshot for both
SELECT id, status, version FROM orders WHERE id = :id;
SELECT * FROM order_lines WHERE order_id = :id;
COMMIT;",
    ),
    framework: Some(Framework {
        name: "Spring",
        language: "java",
        code: "@Transactional(readOnly = true, isolation = Isolation.REPEATABLE_READ)
public OrderView view(UUID id) { … }",
    }),
};

pub(super) const DIRTY_READ: Advice = Advice {
    title: "A read showed a write that was then refused",
    cause: "The write became visible before it was decided: a cache or an object in memory is changed first and put back later, or an event \
            is published before the commit. Rarely, the isolation level is `READ UNCOMMITTED`.",
    mend: "Change caches and publish events only after the commit. Work on a copy in memory, and swap it in once it is decided.",
    sql: Some(
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;  -- at least
BEGIN;
UPDATE orders SET status = :next, version = version + 1 WHERE id = :id AND version = :if_match;
INSERT INTO outbox (topic, payload) VALUES ('order-changed', :payload);
COMMIT;   -- a worker publishes from the outbox",
    ),
    framework: Some(Framework {
        name: "Django",
        language: "python",
        code: "with transaction.atomic():
    order.save()
    transaction.on_commit(lambda: cache.delete(f\"order:{order.pk}\"))",
    }),
};

pub(super) const NON_MONOTONIC_READ: Advice = Advice {
    title: "A client read a version, and then an older one",
    cause: "Reads are spread over replicas or caches that are behind by different amounts.",
    mend: "Keep a client on one replica (sticky sessions), or let it say which version it has seen and read from the primary until a \
           replica is as far.",
    sql: Some(
        "-- PostgreSQL: remember where the client's last view was, ask the replica before use
SELECT pg_last_wal_replay_lsn() >= :seen_lsn;   -- false: read from the primary",
    ),
    framework: Some(Framework {
        name: "Rails",
        language: "ruby",
        code: "# config/environments/production.rb: after a write, the primary answers for a while
config.active_record.database_selector = { delay: 2.seconds }
config.active_record.database_resolver =
  ActiveRecord::Middleware::DatabaseSelector::Resolver",
    }),
};

pub(super) const STALE_READ: Advice = Advice {
    title: "A read showed less than what was already acknowledged",
    cause: "The read came from a cache or replica that had not heard of the write yet, or a list is filled by a job that runs later.",
    mend: "Read from the primary after a write, or invalidate the cache in the write before it is acknowledged. Where reads may be behind, \
           declare it (`eventual = true` in the API description) and tell your clients.",
    sql: Some(
        "SET synchronous_commit = 'remote_apply';   -- COMMIT waits until standbys show it
UPDATE orders SET status = :next, version = version + 1 WHERE id = :id;",
    ),
    framework: Some(Framework {
        name: "Django",
        language: "python",
        code: "class AfterWritesPrimary:                  # DATABASE_ROUTERS
    def db_for_read(self, model, **hints):
        return \"default\" if wrote_recently() else \"replica\"",
    }),
};

pub(super) const ACKNOWLEDGED_THEN_LOST: Advice = Advice {
    title: "An acknowledged write was never seen again",
    cause: "The answer was sent before the commit, and the commit failed or never came; or the write went to memory, a queue or a node that \
            was lost. Asynchronous failover does this too.",
    mend: "Answer after the commit, and let a failed commit become a failed answer. Keep `synchronous_commit` on for what must not be \
           lost.",
    sql: Some(
        "BEGIN;
UPDATE orders SET status = :next, version = version + 1 WHERE id = :id AND version = :if_match;
COMMIT;   -- check its result, and only then answer 200",
    ),
    framework: Some(Framework {
        name: "FastAPI with SQLAlchemy",
        language: "python",
        code: "@app.post(\"/orders/{id}/cancellation\")
def cancel(id: UUID, session: Session = Depends(session)):
    order = change(session, id)
    session.commit()        # here, not in a background task or after `yield`
    return order",
    }),
};
