"""Documents with revisions, as CouchDB keeps them: the revision travels in the body, and a conflict is a 409.

    PUT    /db/ID  {"text": …}                 201 {"ok": true, "id": …, "rev": "1-…"}: a new one
    PUT    /db/ID  {"_rev": "1-…", "text": …}  201 with the next revision, or 409 {"error": "conflict"}
    DELETE /db/ID?rev=2-…                      200 with the revision of its grave, 409, or 404
    GET    /db/ID                              200 {"_id": …, "_rev": …, "text": …}, or 404

Every database exists. A document that was deleted can be made anew, with or without the revision of its grave.
"""

import hashlib
import json
import threading
from contextlib import nullcontext
from dataclasses import dataclass

from plumbing import json_reply, serve
from stale import Stale

BREAKS = {
    "check-then-save": "the revision is compared, then saved without a condition: two who hold one revision both win",
    "ignore-rev": "the revision in a PUT is never looked at",
    "delete-ignores-rev": "the revision in a DELETE is never looked at",
    "put-without-rev": "a PUT without a revision overwrites",
    "rev-unchanged": "the revision stays what it was when the document was made",
    "conflict-applies": "answers 409, and saves all the same",
    "lost-write": "every third revision after the first is acknowledged and not saved",
    "stale-reads": "GET is answered from a cache that may be 20 ms old",
}


@dataclass(frozen=True)
class Document:
    rev: str
    fields: dict | None  # None: deleted


class Revisions:
    def __init__(self, broken):
        self.broken = broken
        self.lock = threading.Lock()
        self.documents = {}
        self.replaced = 0
        self.cache = Stale()

    def answer(self, request):
        match request.method, request.path:
            case "PUT", [_]:
                return json_reply(201, {"ok": True})
            case "GET", [_, _]:
                return self.read(tuple(request.path))
            case "PUT", [_, _]:
                fields = request.json()
                if fields is None or any(name.startswith("_") and name not in ("_id", "_rev") for name in fields):
                    return error(400, "bad_request", "the document must be a JSON object without names in _")
                fields.pop("_id", None)
                rev = request.query.get("rev", fields.pop("_rev", None))
                return self.change(tuple(request.path), rev, fields)
            case "DELETE", [_, _]:
                return self.change(tuple(request.path), request.query.get("rev"), None)
        return error(405, "method_not_allowed", "documents are at /DB/ID: GET, PUT or DELETE")

    def read(self, where):
        document = self.documents.get(where)
        if self.broken.by("stale-reads"):
            document = self.cache.of(where, document)
        if document is None or document.fields is None:
            return error(404, "not_found", "missing" if document is None else "deleted")
        told = {"_id": where[1], "_rev": document.rev, **document.fields}
        return json_reply(200, told, ETag=f'"{document.rev}"')

    def change(self, where, rev, fields):
        """Saves `fields` as the next revision after `rev`, or (without fields) digs a grave. Nothing else is done between
        the look at what is there and the change: that is what the lock is for."""
        unguarded = self.broken.by("check-then-save")
        with nullcontext() if unguarded else self.lock:
            document = self.documents.get(where)
            deletes = fields is None
            if deletes and (document is None or document.fields is None):
                return error(404, "not_found", "missing" if document is None else "deleted")
            if not self.follows(document, rev, deletes):
                if self.broken.by("conflict-applies"):
                    self.save(where, document, fields)
                return error(409, "conflict", "Document update conflict.")
            if unguarded:
                self.broken.gap()
            return self.save(where, document, fields)

    def follows(self, document, rev, deletes):
        """Whether a change that names `rev` may come next."""
        if document is None:
            return rev is None
        if rev == document.rev or (rev is None and document.fields is None):
            return True
        if rev is None:
            return self.broken.by("put-without-rev") and not deletes
        return self.broken.by("delete-ignores-rev" if deletes else "ignore-rev")

    def save(self, where, before, fields):
        rev = self.next_rev(before, fields)
        self.replaced += before is not None
        if before is None or self.replaced % 3 or not self.broken.by("lost-write"):
            self.documents[where] = Document(rev, fields)
        status = 200 if fields is None else 201
        return json_reply(status, {"ok": True, "id": where[1], "rev": rev}, ETag=f'"{rev}"')

    def next_rev(self, before, fields):
        """How many changes there were, and a digest of this one and all before it."""
        if before is None:
            number, parent = 1, ""
        else:
            if self.broken.by("rev-unchanged"):
                return before.rev
            number, parent = int(before.rev.split("-")[0]) + 1, before.rev
        digest = hashlib.md5(json.dumps([parent, fields], sort_keys=True).encode()).hexdigest()
        return f"{number}-{digest}"


def error(status, name, reason):
    return json_reply(status, {"error": name, "reason": reason})


if __name__ == "__main__":
    serve(Revisions, BREAKS)
