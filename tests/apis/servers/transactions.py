"""Keys, values and transactions, as etcd's JSON gateway (v3) speaks of them. All is a POST, and all is answered 200: whether a
transaction did what was asked stands in the body.

    POST /v3/kv/range        {"key": K}
    POST /v3/kv/put          {"key": K, "value": V}
    POST /v3/kv/deleterange  {"key": K}
    POST /v3/kv/txn          {"compare": [{"key": K, "target": "MOD", "result": "EQUAL", "mod_revision": "7"}],
                              "success": [{"request_put": {"key": K, "value": V}}, {"request_range": {"key": K}}],
                              "failure": [{"request_range": {"key": K}}]}

Keys and values are base64, 64-bit numbers are strings, and what is 0 or false is left out, as in protobuf's JSON. One key at
a time: no ranges, leases or old revisions. A key that is not there compares as revision 0.
"""

import base64
import threading
from contextlib import nullcontext
from dataclasses import dataclass

from plumbing import json_reply, serve
from stale import Stale

BREAKS = {
    "check-then-save": "the comparisons are made, then the rest is done without them: two who hold one revision both win",
    "ignore-compare": "what is compared is never looked at, where there is such a key",
    "create-compares-nothing": "revision 0 matches any key",
    "failed-txn-applies": "does what is asked for on success, and says that it did not",
    "revision-unchanged": "mod_revision stays what it was when the key was made",
    "lost-write": "every third put on a key that is there is acknowledged and not done",
    "stale-reads": "a range on its own is answered from a cache that may be 20 ms old, as by a follower",
}
RESULTS = {
    "EQUAL": lambda left, right: left == right,
    "NOT_EQUAL": lambda left, right: left != right,
    "GREATER": lambda left, right: left > right,
    "LESS": lambda left, right: left < right,
}
TARGETS = {"VERSION": "version", "CREATE": "create_revision", "MOD": "mod_revision", "VALUE": "value"}


@dataclass(frozen=True)
class Entry:
    value: str = ""  # base64, as it came
    create_revision: int = 0
    mod_revision: int = 0
    version: int = 0


ABSENT = Entry()


class Transactions:
    def __init__(self, broken):
        self.broken = broken
        self.lock = threading.Lock()
        self.entries = {}
        self.revision = 1
        self.puts = 0
        self.cache = Stale()

    def answer(self, request):
        told = request.json()
        if request.method != "POST" or request.path[:2] != ["v3", "kv"]:
            return json_reply(404, {"error": "Not Found", "code": 5})
        try:
            match request.path[2:], told:
                case ["range"], {"key": _}:
                    return json_reply(200, self.header() | self.range(told, self.broken.by("stale-reads")))
                case ["put"], {"key": _}:
                    return json_reply(200, self.txn({"success": [{"request_put": told}]})["responses"][0]["response_put"])
                case ["deleterange"], {"key": _}:
                    answered = self.txn({"success": [{"request_delete_range": told}]})
                    return json_reply(200, answered["responses"][0]["response_delete_range"])
                case ["txn"], dict():
                    return json_reply(200, self.txn(told))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return json_reply(400, {"error": f"not understood: {error!r}", "code": 3})
        return json_reply(400, {"error": "not understood", "code": 3})

    def txn(self, told):
        """Compares, and does one branch or the other. Nothing else is done in between: that is what the lock is for. What
        cannot be understood is found out before anything is done."""
        compares = [comparison(compare) for compare in told.get("compare", [])]
        success, failure = ([operation(asked) for asked in told.get(branch, [])] for branch in ("success", "failure"))
        unguarded = self.broken.by("check-then-save")
        with nullcontext() if unguarded else self.lock:
            holds = all(self.holds(*compare) for compare in compares)
            if unguarded:
                self.broken.gap()
            if any(kind != "range" for kind, _ in (success if holds else failure)):
                self.revision += 1  # one for all that a transaction changes
            responses = [self.do(kind, of) for kind, of in (success if holds else failure)]
            if not holds and self.broken.by("failed-txn-applies"):
                self.revision += 1
                for kind, of in success:
                    self.do(kind, of)
            return self.header() | ({"succeeded": True} if holds else {}) | {"responses": responses}

    def holds(self, key, target, result, wanted):
        entry = self.entries.get(key, ABSENT)
        if entry is not ABSENT and wanted != 0 and self.broken.by("ignore-compare"):
            return True
        if wanted == 0 and self.broken.by("create-compares-nothing"):
            return True
        return RESULTS[result](getattr(entry, TARGETS[target]), wanted)

    def do(self, kind, told):
        if kind == "range":
            return {"response_range": self.header() | self.range(told)}
        if kind == "put":
            self.put(told["key"], told.get("value", ""))
            return {"response_put": self.header()}
        removed = self.entries.pop(told["key"], None)
        return {"response_delete_range": self.header() | ({"deleted": "1"} if removed else {})}

    def put(self, key, value):
        before = self.entries.get(key)
        self.puts += before is not None
        if before is None:
            self.entries[key] = Entry(value, self.revision, self.revision, 1)
        elif self.puts % 3 or not self.broken.by("lost-write"):
            revision = before.mod_revision if self.broken.by("revision-unchanged") else self.revision
            self.entries[key] = Entry(value, before.create_revision, revision, before.version + 1)

    def range(self, told, from_cache=False):
        entry = self.entries.get(told["key"])
        if from_cache:
            entry = self.cache.of(told["key"], entry)
        if entry is None:
            return {}
        numbers = {name: str(getattr(entry, name)) for name in ("create_revision", "mod_revision", "version")}
        return {"kvs": [{"key": told["key"], **numbers, "value": entry.value}], "count": "1"}

    def header(self):
        return {"header": {"cluster_id": "1", "member_id": "1", "revision": str(self.revision), "raft_term": "1"}}


def comparison(told):
    """(key, target, result, what it is compared with). A name is written in either way that protobuf's JSON allows."""
    target = told.get("target", "VERSION")
    name = TARGETS[target]
    wanted = told.get(name, told.get(camel(name), "" if target == "VALUE" else 0))
    result = told.get("result", "EQUAL")
    RESULTS[result]
    return told["key"], target, result, wanted if target == "VALUE" else int(wanted)


def operation(told):
    """(`range`, `put` or `delete`, what is asked)."""
    for kind, name in (("range", "request_range"), ("put", "request_put"), ("delete", "request_delete_range")):
        asked = told.get(name, told.get(camel(name)))
        if asked is not None:
            base64.b64decode(asked["key"], validate=True)
            base64.b64decode(asked.get("value", ""), validate=True)
            return kind, asked
    raise ValueError(told)


def camel(name):
    """request_put → requestPut"""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


if __name__ == "__main__":
    serve(Transactions, BREAKS)
