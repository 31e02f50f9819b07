//! Version tokens and conditional requests (RFC 9110, section 13).

use super::{Advice, Framework};

pub(super) const STALE_WRITE_ACCEPTED: Advice = Advice {
    title: "A write on an outdated version was accepted",
    cause: "`If-Match` is not read, is read only by some handlers, or is compared with a cached copy of the resource.",
    mend: "Compare `If-Match` with the stored version in the write itself, for every action that changes the resource, and answer 412 when \
           they differ.",
    sql: Some(
        "UPDATE documents SET body = :body, version = version + 1
 WHERE id = :id AND version = :if_match;   -- 0 rows: 412",
    ),
    framework: Some(Framework {
        name: "ASP.NET Core with EF Core",
        language: "csharp",
        code: "public class Order {
  public Guid Id { get; set; }
  [Timestamp] public byte[] Version { get; set; }
}

db.Entry(order).Property(o => o.Version).OriginalValue = ifMatch;
try { await db.SaveChangesAsync(); }
catch (DbUpdateConcurrencyException) { return StatusCode(412); }",
    }),
};

pub(super) const PRECONDITION_NOT_REQUIRED: Advice = Advice {
    title: "A write without a precondition was accepted",
    cause: "The check runs only where `If-Match` is present. A client that forgets the header overwrites whatever is there.",
    mend: "Answer 428 (RFC 6585, section 3) where the header is missing, before anything is read or written. Do it in one place for all \
           actions, not in each handler.",
    sql: None,
    framework: Some(Framework {
        name: "Express",
        language: "javascript",
        code: "function requireIfMatch(req, res, next) {
  if (req.get('If-Match') === undefined) {
    return res.status(428).json({ title: 'If-Match is required' });
  }
  next();
}
app.post('/orders/:id/:action', requireIfMatch, handleAction);",
    }),
};

pub(super) const WEAK_ETAG_ACCEPTED: Advice = Advice {
    title: "A weak version token passed as a precondition",
    cause: "Tokens are compared as text after `W/` was cut off. `If-Match` compares strongly (RFC 9110, section 13.1.1): a weak token never \
            matches, since two different representations may share it.",
    mend: "Refuse a token that starts with `W/` in `If-Match`. If a proxy makes your tokens weak (compression often does), have it leave \
           them alone, or keep the version in a field of the body.",
    sql: None,
    framework: Some(Framework {
        name: "Spring MVC",
        language: "java",
        code: "boolean matches(String ifMatch, String current) {
  return Arrays.stream(ifMatch.split(\",\"))
      .map(String::strip)
      .anyMatch(tag -> !tag.startsWith(\"W/\") && tag.equals(current));
}",
    }),
};

pub(super) const ETAG_UNCHANGED: Advice = Advice {
    title: "The content changed and its version token did not",
    cause: "The token is made of something coarser than the content: a timestamp in seconds, a size, the status alone, or only some of the \
            fields. Two writes within that grain look the same, and a stale write passes.",
    mend: "Make the token from a version that every change raises, in the same statement as the change; or hash all of the \
           representation.",
    sql: Some(
        "ALTER TABLE documents ADD COLUMN version bigint NOT NULL DEFAULT 1;
UPDATE documents SET body = :body, version = version + 1 WHERE id = :id AND version = :if_match;
-- ETag: \"<version>\", not the time of the last change",
    ),
    framework: Some(Framework {
        name: "Django",
        language: "python",
        code: "def document_etag(request, pk):
    version = Document.objects.values_list(\"version\", flat=True).get(pk=pk)
    return f'\"{pk}-{version}\"'

@etag(document_etag)      # for GET; writes compare in their UPDATE
def document(request, pk): ...",
    }),
};

pub(super) const ETAG_REUSED: Advice = Advice {
    title: "An old version token came back",
    cause: "The token is a hash of the content or the name of a state, so that going back to an earlier content brings the earlier token \
            back (ABA); or the version starts again after a delete. A precondition made before all that passes.",
    mend: "Use a number that only grows, or a random value per write. Keep it over a delete, or make resources that are created anew have \
           a new id.",
    sql: Some(
        "UPDATE documents
   SET body = :body, version = nextval('document_versions')   -- never comes back
 WHERE id = :id AND version = :if_match;",
    ),
    framework: Some(Framework {
        name: "Rails",
        language: "ruby",
        code: "# lock_version only grows; a digest of the body does not
def etag_of(document) = %(\"#{document.id}-#{document.lock_version}\")",
    }),
};

pub(super) const SPURIOUS_412: Advice = Advice {
    title: "A current version token was refused",
    cause: "The token is compared with a cached or replicated copy that is behind, something raises the version though nothing changed, or \
            a serialization failure of the database is answered as 412 though no one else won.",
    mend: "Compare with the primary, in the write. Raise the version only where something changed. Repeat a transaction that the database \
           gave up, and answer 412 only where the row has another version.",
    sql: Some(
        "UPDATE orders SET status = :next, version = version + 1
 WHERE id = :id AND version = :if_match;
-- SQLSTATE 40001 or 40P01: run the transaction again. 0 rows: 412.",
    ),
    framework: Some(Framework {
        name: "Spring",
        language: "java",
        code: "@Retryable(retryFor = { CannotAcquireLockException.class },   // not the version conflict itself
           maxAttempts = 3, backoff = @Backoff(delay = 20, random = true))
@Transactional
public Order accept(UUID id, long version) { … }",
    }),
};

pub(super) const NO_WINNER: Advice = Advice {
    title: "Every contender was refused",
    cause: "Each contender blocks or invalidates the others: locks that give up at once (`NOWAIT`), a version that is raised before the check \
            that fails, or tokens that a proxy has made weak. It may be the race's own doing: a token read too early.",
    mend: "Let exactly one through: a conditional update has one winner by construction. Wait for a lock for a short time, and change \
           nothing before the check has passed.",
    sql: Some(
        "SET lock_timeout = '2s';            -- wait a little, not NOWAIT
UPDATE orders SET status = :next, version = version + 1
 WHERE id = :id AND version = :if_match;   -- the first one to get the row wins",
    ),
    framework: None,
};
