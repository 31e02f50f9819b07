"""A count of what is in stock: taken one at a time, given back one at a time, never less than none.

    POST /items          {"stock": 3}   201 {"id": …, "stock": 3}
    POST /items/ID/take                 200 with one less, or 409 {"error": "sold_out", …} where there is none
    POST /items/ID/give                 200 with one more
    GET  /items/ID                      200 {"id": …, "stock": …}
"""

import threading
import uuid

from plumbing import json_reply, serve
from stale import Stale

BREAKS = {
    "read-modify-write": "the number is read, and written back one less: of two takes at once, one is lost",
    "oversell": "whether there is one is looked at first, and the taking is a step of its own: more are sold than there were",
    "take-then-put-back": "takes first, and puts back what made it less than none: a reader sees it, and somebody is refused",
    "refused-but-taken": "answers 409, and takes all the same",
    "takes-two": "a take takes two, while there are more than two",
    "lost-take": "every third take is acknowledged and not made",
    "stale-reads": "GET is answered from a cache that may be 20 ms old",
}


class Stock:
    def __init__(self, broken):
        self.broken = broken
        self.lock = threading.Lock()
        self.stock = {}
        self.taken = 0
        self.cache = Stale()

    def answer(self, request):
        match request.method, request.path:
            case "POST", ["items"]:
                return self.create(request)
            case "GET", ["items", item] if item in self.stock:
                return self.read(item)
            case "POST", ["items", item, "take"] if item in self.stock:
                return self.take(item)
            case "POST", ["items", item, "give"] if item in self.stock:
                with self.lock:
                    return self.add(item, 1)
        return json_reply(404, {"error": "not_found"})

    def create(self, request):
        stock = (request.json() or {}).get("stock")
        if type(stock) is not int or not 0 <= stock <= 1_000_000:
            return json_reply(400, {"error": "the body must be {\"stock\": NUMBER}"})
        item = uuid.uuid4().hex
        self.stock[item] = stock
        return self.told(201, item, stock)

    def read(self, item):
        stock = self.stock[item]
        if self.broken.by("stale-reads"):
            stock = self.cache.of(item, stock)
        return self.told(200, item, stock)

    def take(self, item):
        """Nothing else is done between the look at what is there and the taking: that is what the lock is for."""
        if self.broken.by("read-modify-write"):
            return self.take_by_rewriting(item)
        if self.broken.by("oversell"):
            if self.stock[item] < 1:
                return self.sold_out(item)
            self.broken.gap()
            with self.lock:
                return self.add(item, -1)
        if self.broken.by("take-then-put-back"):
            return self.take_and_put_back(item)
        with self.lock:
            if self.stock[item] < 1:
                if self.broken.by("refused-but-taken"):
                    self.add(item, -1)
                return self.sold_out(item)
            self.taken += 1
            if self.taken % 3 == 0 and self.broken.by("lost-take"):
                return self.told(200, item, self.stock[item] - 1)
            if self.stock[item] > 2 and self.broken.by("takes-two"):
                return self.add(item, -2)
            return self.add(item, -1)

    def take_by_rewriting(self, item):
        stock = self.stock[item]
        if stock < 1:
            return self.sold_out(item)
        self.broken.gap()
        self.stock[item] = stock - 1
        return self.told(200, item, stock - 1)

    def take_and_put_back(self, item):
        with self.lock:
            taken = self.add(item, -1)
            if self.stock[item] >= 0:
                return taken
        self.broken.gap()
        with self.lock:
            self.add(item, 1)
            return self.sold_out(item)

    def add(self, item, number):
        self.stock[item] += number
        return self.told(200, item, self.stock[item])

    def sold_out(self, item):
        return json_reply(409, {"error": "sold_out", "id": item})

    def told(self, status, item, stock):
        return json_reply(status, {"id": item, "stock": stock})


if __name__ == "__main__":
    serve(Stock, BREAKS)
