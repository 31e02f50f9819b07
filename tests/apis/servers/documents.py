"""A store of documents with strong ETags: nobody overwrites what they have not seen.

    PUT    /docs/NAME  {"text": …}  If-None-Match: *    201, or 412 where there is one
    PUT    /docs/NAME  {"text": …}  If-Match: "7"       200, or 412 where it is not that one any more
    DELETE /docs/NAME               If-Match: "7"       204, 412, or 404 where there is none
    GET    /docs/NAME                                   200 {"name": …, "text": …} with its ETag, or 404
    GET    /mirror/NAME                                 the same, from another place

A PUT or DELETE without either header is answered 428. With --index late, a document says whether it is "indexed": some time after
it has changed; and it has a weak ETag until then.
"""

import itertools
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace

from etags import strong_match, weak_match
from plumbing import Reply, json_reply, serve
from stale import Stale

BREAKS = {
    "check-then-save": "If-Match is compared, then saved without a condition: two who hold one ETag both win",
    "create-check-then-save": "the same for If-None-Match: * alone: two who create both win",
    "ignore-if-match": "what If-Match says is never looked at",
    "ignore-if-none-match": "If-None-Match: * overwrites",
    "delete-ignores-if-match": "DELETE never looks at If-Match",
    "optional-if-match": "a change that has neither header is let through",
    "weak-compare": 'W/"7" matches "7"',
    "etag-unchanged": "the ETag does not change when the document does",
    "etag-per-second": "the ETag is a time stamp in whole seconds",
    "refused-but-applied": "answers 412, and saves all the same",
    "lost-write": "every third replacement is acknowledged and not saved",
    "stale-reads": "GET is answered from a cache that may be 20 ms old",
    "stale-mirror": "the mirror shows a change half a second after it was made",
    "torn-read": "GET takes the text first, and the ETag a little later",
    "torn-text": "a new text overwrites the old one from the front: GET may see half of each",
}

LATE = 0.060  # seconds until a document is indexed
BEHIND = 0.5  # seconds until a mirror that lags shows a change


@dataclass(frozen=True)
class Document:
    text: str
    tag: str
    changed: float = 0.0


class Documents:
    def __init__(self, broken, index):
        self.broken = broken
        self.indexed_after = LATE if index == "late" else 0.0
        self.lock = threading.Lock()
        self.documents, self.before = {}, {}
        self.numbers = itertools.count(1)
        self.replaced = 0
        self.cache = Stale()

    def answer(self, request):
        match request.method, request.path:
            case "GET", ["docs", name]:
                return self.read(name)
            case "GET", ["mirror", name]:
                return self.mirrored(name)
            case "PUT", ["docs", name]:
                told = request.json() or {}
                if not isinstance(told.get("text"), str):
                    return problem(400, "the body must be a JSON object with a text")
                return self.change(request, name, told["text"])
            case "DELETE", ["docs", name]:
                return self.change(request, name, None)
            case _, ["docs", _]:
                return problem(405, "GET, PUT or DELETE")
        return problem(404, "documents are at /docs/NAME")

    def mirrored(self, name):
        if self.broken.by("stale-mirror"):
            before, document = self.before.get(name), self.documents.get(name)
            if before and document and time.monotonic() - document.changed < BEHIND:
                document = before
            return self.shown(name, document) if document else problem(404, "there is no such document")
        return self.read(name)

    def read(self, name):
        document = self.documents.get(name)
        if self.broken.by("stale-reads"):
            document = self.cache.of(name, document)
        if document is None:
            return problem(404, "there is no such document")
        if self.broken.by("torn-read"):
            self.broken.gap()
            document = replace(document, tag=self.documents.get(name, document).tag)
        return self.shown(name, document)

    def shown(self, name, document, status=200):
        told, tag = {"name": name, "text": document.text}, document.tag
        if self.indexed_after:
            told["indexed"] = time.monotonic() - document.changed >= self.indexed_after
            tag = tag if told["indexed"] else f"W/{tag}"
        return json_reply(status, told, ETag=tag)

    def change(self, request, name, text):
        """Replaces, makes or (without a text) removes. Nothing else is done between the look at what is there and the
        change: that is what the lock is for."""
        creates = "if-none-match" in request.headers
        unguarded = self.broken.by("create-check-then-save" if creates else "check-then-save")
        with nullcontext() if unguarded else self.lock:
            refusal = self.refusal(request, name)
            if refusal is not None:
                if refusal.status == 412 and self.broken.by("refused-but-applied"):
                    self.save(name, text)
                return refusal
            if unguarded:
                self.broken.gap()
            return self.save(name, text)

    def refusal(self, request, name):
        """Why the request is not done, or None."""
        document = self.documents.get(name)
        tag = document.tag if document else None
        if_match, if_none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
        if if_match is None and if_none_match is None and not self.broken.by("optional-if-match"):
            return problem(428, "say If-Match, or If-None-Match: *")
        if request.method == "DELETE" and document is None:
            return problem(404, "there is no such document")
        if if_match is not None and not self.let_through(request.method, if_match, tag):
            return problem(412, "the document has changed")
        if if_none_match is not None and weak_match(if_none_match, tag):
            if not self.broken.by("ignore-if-none-match"):
                return problem(412, "there is such a document")
        return None

    def let_through(self, method, if_match, tag):
        if tag is not None and self.broken.by("ignore-if-match"):
            return True
        if method == "DELETE" and self.broken.by("delete-ignores-if-match"):
            return True
        if self.broken.by("weak-compare"):
            return weak_match(if_match, tag)
        return strong_match(if_match, tag)

    def save(self, name, text):
        if text is None:
            self.documents.pop(name, None)
            return Reply(204)
        document = Document(text, self.next_tag(name), time.monotonic())
        is_new = name not in self.documents
        if not is_new and self.broken.by("torn-text"):
            old, half = self.documents[name], len(text) // 2
            self.documents[name] = Document(text[:half] + old.text[half:], old.tag)
            self.broken.gap()
        self.replaced += not is_new
        self.before[name] = self.documents.get(name)
        if is_new or self.replaced % 3 or not self.broken.by("lost-write"):
            self.documents[name] = document
        return self.shown(name, document, 201 if is_new else 200)

    def next_tag(self, name):
        """A tag that no document ever had. (One made of the text alone would be the same when an old text comes back.)"""
        if self.broken.by("etag-unchanged"):
            return f'"{name}"'
        if self.broken.by("etag-per-second"):
            return f'"{int(time.time())}"'
        return f'"{next(self.numbers)}"'


def problem(status, detail):
    return json_reply(status, {"error": detail})


if __name__ == "__main__":
    serve(Documents, BREAKS, index=["at-once", "late"])
