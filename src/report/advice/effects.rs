//! Effects that are counted (charges, stock, events), who may cause them, and how the server copes.

use super::{Advice, Framework};

pub(super) const DUPLICATE_EFFECT: Advice = Advice {
    title: "One operation had two effects",
    cause: "Two requests saw \"not done yet\" and both did it. Or the effect is caused outside of the transaction that guards it (a payment \
            provider is called, then the transaction is repeated), or a retry has no key that ties it to the first try.",
    mend: "Let the database refuse the second effect: a unique constraint on what may exist once. Insert first, act after, and hand the same \
           idempotency key on to the provider.",
    sql: Some(
        "CREATE UNIQUE INDEX one_charge_per_order ON charges (order_id) WHERE refunded_at IS NULL;

INSERT INTO charges (order_id, amount) VALUES (:order, :amount)
ON CONFLICT DO NOTHING;   -- 0 rows: it is charged already",
    ),
    framework: Some(Framework {
        name: "Spring",
        language: "java",
        code: "@Transactional
public Charge pay(UUID orderId, Money amount) {
  try { return charges.saveAndFlush(new Charge(orderId, amount)); }  // unique (order_id)
  catch (DataIntegrityViolationException taken) { throw new AlreadyPaid(orderId); }  // 409
}",
    }),
};

pub(super) const OVERSELL: Advice = Advice {
    title: "More was given out than there was",
    cause: "The handler reads the stock, subtracts in memory, and writes the result back; or it counts reservations and then inserts one. \
            Two requests see the same number.",
    mend: "Subtract in the statement, only where enough is left, and let a `CHECK` keep it. Where reservations are rows, lock the row they \
           are counted for.",
    sql: Some(
        "ALTER TABLE stock ADD CHECK (available >= 0);

UPDATE stock SET available = available - :wanted
 WHERE item = :item AND available >= :wanted;   -- 0 rows: sold out, 409",
    ),
    framework: Some(Framework {
        name: "Django",
        language: "python",
        code: "taken = Stock.objects.filter(pk=item, available__gte=wanted).update(
    available=F(\"available\") - wanted
)
if not taken:
    return HttpResponse(status=409)",
    }),
};

pub(super) const AUDIT_MISMATCH: Advice = Advice {
    title: "The record does not tell what was done",
    cause: "The event or ledger row is written in a transaction of its own, after the change or before it: one of them can happen without \
            the other. A lost update that left its event behind looks like this too.",
    mend: "Write the change and its record in one transaction. Publish from that record (an outbox), not beside it.",
    sql: Some(
        "BEGIN;
UPDATE orders SET status = :next, version = version + 1
 WHERE id = :id AND version = :if_match;              -- 0 rows: ROLLBACK
INSERT INTO order_events (order_id, version, kind) VALUES (:id, :if_match + 1, :kind);
COMMIT;   -- PRIMARY KEY (order_id, version) keeps one event a version",
    ),
    framework: Some(Framework {
        name: "Rails",
        language: "ruby",
        code: "Order.transaction do
  order.update!(status: \"cancelled\")                 # lock_version is compared
  order.events.create!(version: order.lock_version, kind: \"cancelled\")
end",
    }),
};

pub(super) const CONSERVATION: Advice = Advice {
    title: "The amounts do not add up",
    cause: "One side of a transfer was written and the other was not, an amount was booked twice, or a balance is kept beside its bookings \
            and updated by reading and writing it back.",
    mend: "Book both sides in one transaction, change balances in the statement (`balance = balance + …`), and tie each booking to its \
           operation by a unique id.",
    sql: Some(
        "BEGIN;
INSERT INTO bookings (operation_id, account, amount)
VALUES (:operation, :from, -:amount), (:operation, :to, :amount);
-- UNIQUE (operation_id, account)
UPDATE accounts SET balance = balance - :amount WHERE id = :from AND balance >= :amount;
UPDATE accounts SET balance = balance + :amount WHERE id = :to;
COMMIT;",
    ),
    framework: Some(Framework {
        name: "Django",
        language: "python",
        code: "with transaction.atomic():
    Booking.objects.create(operation=op, account=source, amount=-amount)
    Booking.objects.create(operation=op, account=target, amount=amount)
    Account.objects.filter(pk=source.pk).update(balance=F(\"balance\") - amount)
    Account.objects.filter(pk=target.pk).update(balance=F(\"balance\") + amount)",
    }),
};

pub(super) const AUTHORIZATION_BYPASS: Advice = Advice {
    title: "Someone acted who may not",
    cause: "The handler checks that the caller is signed in and not whether the resource is theirs, or checks the role on some routes only. \
            Some servers check the owner from a copy read earlier than the one they change.",
    mend: "Make the owner part of the query that finds the resource and of the write that changes it, so that no path can leave it out. \
           Answer 404 or 403 alike for what is not theirs.",
    sql: Some(
        "UPDATE orders SET status = 'cancelled', version = version + 1
 WHERE id = :id AND customer_id = :caller AND version = :if_match;",
    ),
    framework: Some(Framework {
        name: "Rails",
        language: "ruby",
        code: "# through the owner, never Order.find(params[:id])
order = current_customer.orders.find(params[:id])",
    }),
};

pub(super) const SERVER_ERROR: Advice = Advice {
    title: "Requests failed with 5xx only when they raced",
    cause: "A deadlock, a serialization failure, a lock timeout or a unique violation was not handled and became a 500; or the connection \
            pool was empty.",
    mend: "Lock rows in one order everywhere. Repeat a transaction on SQLSTATE 40001 and 40P01, a few times, with a random pause. Turn unique \
           violations (23505) into the 409 they mean. Make the pool larger than the number of requests that wait for each other.",
    sql: Some("SELECT id FROM orders WHERE id = ANY(:ids) ORDER BY id FOR UPDATE;   -- always in this order"),
    framework: Some(Framework {
        name: "Spring",
        language: "java",
        code: "@Retryable(retryFor = ConcurrencyFailureException.class, maxAttempts = 3,
           backoff = @Backoff(delay = 20, multiplier = 2, random = true))
@Transactional
public Order cancel(UUID id, long version) { … }",
    }),
};

pub(super) const HANG: Advice = Advice {
    title: "Requests were not answered when they raced",
    cause: "Requests wait for each other: for a lock without a timeout, for a connection that a waiting request holds, or for a lock held over \
            a call to another service.",
    mend: "Give locks and statements a timeout and answer 503 or 409 when it is over. Never hold a transaction over a call to another \
           service, and never take a second connection from the pool within one.",
    sql: Some(
        "SET lock_timeout = '2s';
SET statement_timeout = '5s';
SET idle_in_transaction_session_timeout = '10s';",
    ),
    framework: Some(Framework {
        name: "Spring Boot (application.properties)",
        language: "properties",
        code: "spring.datasource.hikari.connection-timeout=2000
spring.datasource.hikari.data-source-properties.options=-c lock_timeout=2s
spring.transaction.default-timeout=5s",
    }),
};
