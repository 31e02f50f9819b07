"""A store of objects, as S3 keeps them: raw bytes, an ETag that is their MD5, errors in XML.

    PUT    /BUCKET/KEY  …bytes…                             200 with the ETag: the last write wins
    PUT    /BUCKET/KEY  …bytes…  If-None-Match: *           200, or 412 where there is one
    PUT    /BUCKET/KEY  …bytes…  If-Match: "<md5>"          200, 412 where it is not that one any more, 404 where there is none
    DELETE /BUCKET/KEY           (If-Match: "<md5>")        204, whether there was one or not; 412
    GET    /BUCKET/KEY                                      200 with bytes and ETag, or 404

Every bucket exists. An ETag made of the content is the same again when an old content comes back, and there If-Match holds: what
it protects is the content.
"""

import hashlib
import threading
from contextlib import nullcontext

from etags import strong_match
from plumbing import Reply, serve
from stale import Stale

BREAKS = {
    "check-then-save": "If-Match is compared, then saved without a condition: two who hold one ETag both win",
    "create-check-then-save": "the same for If-None-Match: * alone: two who create both win",
    "ignore-if-match": "If-Match is never looked at, where there is an object",
    "ignore-if-none-match": "If-None-Match: * overwrites",
    "etag-unchanged": "the ETag is made of the key",
    "refused-but-applied": "answers 412, and saves all the same",
    "lost-write": "every third replacement is acknowledged and not saved",
    "stale-reads": "GET is answered from a cache that may be 20 ms old",
}
STATUS = {
    "MethodNotAllowed": 405,
    "NoSuchKey": 404,
    "NotImplemented": 501,
    "PreconditionFailed": 412,
}


class Objects:
    def __init__(self, broken):
        self.broken = broken
        self.lock = threading.Lock()
        self.objects = {}
        self.replaced = 0
        self.cache = Stale()

    def answer(self, request):
        match request.method, request.path:
            case "PUT", [_] | [_, ""]:
                return Reply(200)
            case "GET", [_, _, *_]:
                return self.read(tuple(request.path))
            case ("PUT" | "DELETE"), [_, _, *_]:
                return self.change(request, tuple(request.path))
        return error("MethodNotAllowed")

    def read(self, key):
        content = self.objects.get(key)
        if self.broken.by("stale-reads"):
            content = self.cache.of(key, content)
        if content is None:
            return error("NoSuchKey")
        return Reply(200, content, {"Content-Type": "application/octet-stream", "ETag": self.tag(key, content)})

    def change(self, request, key):
        """Replaces, makes or (for DELETE) removes. Nothing else is done between the look at what is there and the change:
        that is what the lock is for."""
        creates = "if-none-match" in request.headers
        unguarded = self.broken.by("create-check-then-save" if creates else "check-then-save")
        with nullcontext() if unguarded else self.lock:
            refusal = self.refusal(request, key)
            if refusal is not None:
                if refusal.status == 412 and self.broken.by("refused-but-applied"):
                    self.save(request, key)
                return refusal
            if unguarded:
                self.broken.gap()
            return self.save(request, key)

    def refusal(self, request, key):
        """Why the request is not done, or None."""
        content = self.objects.get(key)
        if_match, if_none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
        if if_none_match is not None:
            if if_none_match.strip() != "*":
                return error("NotImplemented")
            if content is not None and not self.broken.by("ignore-if-none-match"):
                return error("PreconditionFailed")
        if if_match is not None:
            if content is None:
                return error("NoSuchKey")
            if not strong_match(if_match, self.tag(key, content)) and not self.broken.by("ignore-if-match"):
                return error("PreconditionFailed")
        return None

    def save(self, request, key):
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return Reply(204)
        self.replaced += key in self.objects
        if key not in self.objects or self.replaced % 3 or not self.broken.by("lost-write"):
            self.objects[key] = request.body
        return Reply(200, b"", {"ETag": self.tag(key, request.body)})

    def tag(self, key, content):
        made_of = "/".join(key).encode() if self.broken.by("etag-unchanged") else content
        return f'"{hashlib.md5(made_of).hexdigest()}"'


def error(code):
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>\n'
    return Reply(STATUS[code], body.encode(), {"Content-Type": "application/xml"})


if __name__ == "__main__":
    serve(Objects, BREAKS)
