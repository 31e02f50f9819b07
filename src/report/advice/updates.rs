//! Writes that race: read, decide, write must be one step.

use super::{Advice, Framework};

pub(super) const LOST_UPDATE: Advice = Advice {
    title: "One acknowledged write overwrote another",
    cause: "The handler reads the row, checks it in memory, and writes it back later. Two requests read the same version, both checks \
            pass, and the second write erases the first. A version check that is not part of the write (an `if` before `save()`) \
            has the same gap.",
    mend: "Put the check into the write: update only where the version is still the one that was read, and answer 412 (or 409) when no \
           row was changed. Holding the row (`SELECT … FOR UPDATE`) from read to commit does it too, if every writer takes the lock.",
    sql: Some(
        "UPDATE orders
   SET status = 'cancelled', version = version + 1
 WHERE id = :id AND version = :expected_version AND status = 'pending_acceptance';
-- 1 row: you won. 0 rows: answer 412 and let the caller read again.",
    ),
    framework: Some(Framework {
        name: "Spring Data JPA",
        language: "java",
        code: "@Entity class Order {
  @Id UUID id;
  @Version long version;          // Hibernate adds \"where version = ?\" to each UPDATE
}

// If-Match is compared with the entity that is saved, in the same transaction:
@Transactional Order cancel(UUID id, long ifMatch) {
  Order order = orders.findById(id).orElseThrow();
  if (order.version != ifMatch) throw new PreconditionFailed();   // 412
  order.cancel();
  return orders.saveAndFlush(order);    // OptimisticLockingFailureException → 412
}",
    }),
};

pub(super) const DOUBLE_CAS_WIN: Advice = Advice {
    title: "Two writes won with the same version token",
    cause: "The token is compared in one step and the row is written in another, without a lock between them. Often the comparison is \
            right and runs too early: before the transaction, in a cache, or on a replica.",
    mend: "Compare and write in one statement, and take the number of changed rows as the answer. Read the token from the primary, never \
           from a cache or replica.",
    sql: Some(
        "UPDATE documents
   SET body = :body, version = version + 1
 WHERE id = :id AND version = :if_match
RETURNING version;
-- no row came back: someone else won, answer 412",
    ),
    framework: Some(Framework {
        name: "Django",
        language: "python",
        code: "changed = Document.objects.filter(pk=pk, version=if_match).update(
    body=body, version=F(\"version\") + 1
)
if changed == 0:
    return HttpResponse(status=412)",
    }),
};

pub(super) const CONTRADICTORY_ACKS: Advice = Advice {
    title: "Two actions were acknowledged that exclude each other",
    cause: "Each action checks the state on its own, and no write depends on what the other did: two rows are updated, or the state is \
            set without naming the state it comes from.",
    mend: "Let one row decide. Name the state the action starts from in the update itself; where the decision spans several rows, lock \
           the one they belong to, or use serializable isolation and repeat on a serialization failure.",
    sql: Some(
        "BEGIN;
SELECT status FROM orders WHERE id = :id FOR UPDATE;   -- everyone who decides waits here
-- allowed from this status? if not: ROLLBACK, 409
UPDATE orders SET status = 'preparing', version = version + 1 WHERE id = :id;
COMMIT;",
    ),
    framework: Some(Framework {
        name: "Rails",
        language: "ruby",
        code: "order.with_lock do                  # SELECT … FOR UPDATE, then reloads the record
  return head :conflict unless order.may_accept?
  order.update!(status: \"preparing\")
end",
    }),
};

pub(super) const ILLEGAL_TRANSITION: Advice = Advice {
    title: "A state followed another that it may not follow",
    cause: "The rule of what may follow what lives in code that runs before the write, or some writers (a job, an admin page, a webhook) \
            do not run it at all.",
    mend: "Let the update name the states it may come from, for every writer. A trigger or a table of allowed transitions in the database \
           keeps those that forget.",
    sql: Some(
        "UPDATE orders
   SET status = 'in_transit', version = version + 1
 WHERE id = :id AND status IN ('ready_for_pickup');
-- 0 rows: answer 409, the order is not ready",
    ),
    framework: Some(Framework {
        name: "Rails",
        language: "ruby",
        code: "ALLOWED_FROM = { \"in_transit\" => %w[ready_for_pickup] }.freeze

moved = Order.where(id: id, status: ALLOWED_FROM.fetch(target))
             .update_all([\"status = ?, version = version + 1\", target])
head :conflict if moved.zero?",
    }),
};

pub(super) const RESURRECTED_TERMINAL: Advice = Advice {
    title: "Something finished came back to life",
    cause: "A late write did not look whether the resource was finished in the meantime: it read the state before, or it sets the state \
            whatever it was. Queues and webhooks that arrive out of order do this too.",
    mend: "Exclude final states in the write itself, and treat \"no row changed\" as a refusal. Writers that come from a queue carry the \
           version they were made for.",
    sql: Some(
        "UPDATE orders
   SET status = 'preparing', version = version + 1
 WHERE id = :id AND status NOT IN ('cancelled', 'rejected', 'delivered');",
    ),
    framework: Some(Framework {
        name: "Prisma",
        language: "typescript",
        code: "const { count } = await prisma.order.updateMany({
  where: { id, status: 'PENDING_ACCEPTANCE', version },
  data: { status: 'PREPARING', version: { increment: 1 } },
});
if (count === 0) return res.status(409).end();",
    }),
};

pub(super) const REJECTED_BUT_APPLIED: Advice = Advice {
    title: "A refusal was told for something that was done",
    cause: "The write was committed before the check that refused it, or an exception was turned into an answer without rolling back. A \
            client that believes the refusal does it again.",
    mend: "Check and write in one transaction, and refuse only after it was rolled back. Make sure the framework rolls back on the very \
           exception your handler throws.",
    sql: Some(
        "BEGIN;
UPDATE orders SET status = 'cancelled', version = version + 1
 WHERE id = :id AND version = :expected_version;
-- 0 rows: ROLLBACK, and only then 412
COMMIT;",
    ),
    framework: Some(Framework {
        name: "Spring",
        language: "java",
        code: "// A checked exception commits unless it is told otherwise.
@Transactional(rollbackFor = Exception.class)
public Order cancel(UUID id, long version) throws NotAllowed { … }",
    }),
};

pub(super) const VERSION_GAP: Advice = Advice {
    title: "Versions skip a number or repeat one",
    cause: "The version is counted in the application (read, add one, write), so two writers count the same number; or it comes from a \
            sequence, or is raised by writes that fail or change nothing.",
    mend: "Raise the version in the statement that changes the row, and answer with the number that this statement returned, not with one \
           read afterwards.",
    sql: Some(
        "UPDATE orders
   SET status = :next, version = version + 1
 WHERE id = :id AND version = :expected_version
RETURNING version;   -- this is the version to answer with",
    ),
    framework: Some(Framework {
        name: "SQLAlchemy",
        language: "python",
        code: "class Order(Base):
    __tablename__ = \"orders\"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(nullable=False)
    __mapper_args__ = {\"version_id_col\": version}   # raised by each flush, or StaleDataError",
    }),
};
