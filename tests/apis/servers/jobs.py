"""Jobs that are started, finished or cancelled, without tokens: whoever comes first is told yes, whoever comes too late 409.

    POST /jobs  {"title": …}   201 {"id": …, "state": "waiting", "title": …}
    POST /jobs/ID/start        200, or 409 unless it is waiting
    POST /jobs/ID/finish       200, or 409 unless it is running
    POST /jobs/ID/cancel       200, or 409 unless it is waiting or running
    GET  /jobs/ID              200, or 404
"""

import threading
import uuid
from contextlib import nullcontext

from plumbing import json_reply, serve

BREAKS = {
    "check-then-save": "the state is looked at, and saved in a step of its own: two are told yes",
    "refused-but-applied": "answers 409, and does it all the same",
}
STEPS = {
    "start": (["waiting"], "running"),
    "finish": (["running"], "done"),
    "cancel": (["waiting", "running"], "cancelled"),
}


class Jobs:
    def __init__(self, broken):
        self.broken = broken
        self.lock = threading.Lock()
        self.jobs = {}

    def answer(self, request):
        match request.method, request.path:
            case "POST", ["jobs"]:
                job = {"id": uuid.uuid4().hex, "state": "waiting", "title": (request.json() or {}).get("title")}
                self.jobs[job["id"]] = job
                return json_reply(201, job)
            case "GET", ["jobs", job] if job in self.jobs:
                return json_reply(200, self.jobs[job])
            case "POST", ["jobs", job, step] if job in self.jobs and step in STEPS:
                return self.step(job, *STEPS[step])
        return json_reply(404, {"error": "not_found"})

    def step(self, job, allowed, leads_to):
        """Nothing else is done between the look at the state and the step: that is what the lock is for."""
        unguarded = self.broken.by("check-then-save")
        with nullcontext() if unguarded else self.lock:
            if self.jobs[job]["state"] not in allowed:
                if self.broken.by("refused-but-applied"):
                    self.save(job, leads_to)
                return json_reply(409, {"error": f"it is {self.jobs[job]['state']}"})
            if unguarded:
                self.broken.gap()
            return json_reply(200, self.save(job, leads_to))

    def save(self, job, state):
        self.jobs[job] = self.jobs[job] | {"state": state}
        return self.jobs[job]


if __name__ == "__main__":
    serve(Jobs, BREAKS)
