"""Charges with idempotency keys, as Stripe takes them: a request that is sent again with its key charges once.

    POST /v1/charges  customer=…&amount=…&currency=…  Idempotency-Key: …   200 {"id": "ch_…", "amount": …, …}
    GET  /v1/charges?customer=…&limit=100                                  200 {"object": "list", "data": […], "has_more": …}
    GET  /v1/charges/ID                                                    200, or 404

A retry hears what was answered first, word for word, with `Idempotent-Replayed: true`. While the first is being worked on, it hears
409 (or waits for it, with --in-flight wait). A key that comes with other parameters is refused with 400. What is refused
for its parameters leaves no trace of its key. A charge takes as long as --window says, as the network of the cards would.
"""

import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from plumbing import Reply, json_reply, serve

BREAKS = {
    "look-up-then-store": "the key is looked up, the card charged, then the key stored: two in flight both charge",
    "key-forgotten": "the key is dropped as soon as its request was answered: it protects only what is in flight",
    "ignore-key": "the key is never looked at",
    "replays-anything": "other parameters hear what the first were told",
    "replay-rebuilt": "the replay is made anew instead of stored: it has an id that no charge has",
    "charges-before-key": "the card is charged before the key is looked up: the answer is the first one, the charge a second",
    "refused-but-charged": "a used key with other parameters is refused, and charges all the same",
    "charges-twice": "every third charge is made twice",
    "lost-charge": "every third charge is acknowledged and not made",
    "stale-list": "the list leaves out what is younger than 200 ms",
}
YOUNG = 0.200  # seconds


@dataclass
class Keyed:
    """What a key stands for: parameters, and, once it is there, the answer."""

    parameters: dict
    reply: Reply | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Charges:
    def __init__(self, broken, in_flight):
        self.broken, self.in_flight = broken, in_flight
        self.lock = threading.Lock()
        self.charges = []  # oldest first: (when, charge)
        self.keys = {}
        self.made = 0

    def answer(self, request):
        match request.method, request.path:
            case "POST", ["v1", "charges"]:
                return self.create(request)
            case "GET", ["v1", "charges"]:
                return self.list(request.query)
            case "GET", ["v1", "charges", wanted]:
                found = [charge for _, charge in self.charges if charge["id"] == wanted]
                return json_reply(200, found[0]) if found else error(404, f"No such charge: {wanted}")
        return error(404, "Unrecognized request URL")

    def create(self, request):
        parameters = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        amount = parameters.get("amount", "")
        if not (amount.isascii() and amount.isdigit() and len(amount) < 9 and int(amount) > 0):
            return error(400, "Invalid integer: amount")
        key = request.headers.get("idempotency-key")
        if key is None or self.broken.by("ignore-key"):
            return self.charge(parameters)
        if self.broken.by("look-up-then-store"):
            return self.create_unguarded(key, parameters)
        if self.broken.by("charges-before-key"):
            charged = self.charge(parameters)
            return self.once(key, parameters, lambda: charged)
        return self.once(key, parameters, lambda: self.charge(parameters))

    def once(self, key, parameters, work):
        """Does the work for whoever comes first with the key. To look the key up and to take it is one step: that is what the
        lock is for. It is not held while the card is charged."""
        with self.lock:
            known = self.keys.get(key)
            if known is None:
                mine = self.keys[key] = Keyed(parameters)
        if known is not None:
            return self.replay(known, parameters)
        mine.reply = work()
        if self.broken.by("key-forgotten"):
            del self.keys[key]
        mine.done.set()
        return mine.reply

    def create_unguarded(self, key, parameters):
        known = self.keys.get(key)
        if known is not None:
            return self.replay(known, parameters)
        stored = Keyed(parameters, self.charge(parameters))
        stored.done.set()
        self.keys[key] = stored
        return stored.reply

    def replay(self, known, parameters):
        if known.parameters != parameters and not self.broken.by("replays-anything"):
            if self.broken.by("refused-but-charged"):
                self.charge(parameters)
            return error(400, "Keys for idempotent requests can only be used with the same parameters", "idempotency_error")
        if self.in_flight == "refuse" and not known.done.is_set():
            return error(409, "Another request with this key is in progress", code="idempotency_key_in_use")
        known.done.wait()
        body = known.reply.body
        if self.broken.by("replay-rebuilt"):
            body = json.dumps(new_charge(parameters)).encode()
        return Reply(known.reply.status, body, known.reply.headers | {"Idempotent-Replayed": "true"})

    def charge(self, parameters):
        self.broken.gap()
        charge = new_charge(parameters)
        with self.lock:
            self.made += 1
            third = self.made % 3 == 0
            if not (third and self.broken.by("lost-charge")):
                self.charges.append((time.monotonic(), charge))
            if third and self.broken.by("charges-twice"):
                self.charges.append((time.monotonic(), new_charge(parameters)))
        return json_reply(200, charge)

    def list(self, query):
        limit = query.get("limit", "10")
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= 100):
            return error(400, "limit is a number from 1 to 100")
        latest = time.monotonic() - (YOUNG if self.broken.by("stale-list") else 0)
        with self.lock:
            charges = [charge for when, charge in reversed(self.charges) if when <= latest]
        customer = query.get("customer")
        found = [charge for charge in charges if customer is None or charge["customer"] == customer]
        shown = found[: int(limit)]
        return json_reply(
            200, {"object": "list", "data": shown, "has_more": len(shown) < len(found), "url": "/v1/charges"}
        )


def new_charge(parameters):
    return {
        "id": f"ch_{secrets.token_hex(12)}",
        "object": "charge",
        "amount": int(parameters["amount"]),
        "currency": parameters.get("currency", "usd"),
        "customer": parameters.get("customer"),
        "description": parameters.get("description"),
        "status": "succeeded",
    }


def error(status, message, kind="invalid_request_error", code=None):
    told = {"type": kind, "message": message}
    return json_reply(status, {"error": told | ({"code": code} if code else {})})


if __name__ == "__main__":
    serve(Charges, BREAKS, in_flight=["refuse", "wait"])
