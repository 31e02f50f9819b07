"""What the example servers share: HTTP/1.1 in threads, and the command line. Nothing here knows what is served.

    serve(Documents, {"check-then-save": "the ETag is compared, then …"})

reads the options, prints `listening on http://127.0.0.1:PORT` as its first line, and serves until it is told to stop. An
application is made with the mistake that was asked for (`Broken`), and answers requests, many at a time:

    class Documents:
        def __init__(self, broken): …
        def answer(self, request): return Reply(204)
"""

import argparse
import inspect
import json
import re
import signal
import sys
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

LARGEST_BODY = 1 << 20  # bytes
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass
class Request:
    """What a client asked. Header names are in lower case; one that came twice has its values joined by commas."""

    method: str
    path: list[str]  # /docs/a%20b → ["docs", "a b"]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self):
        """The body as a JSON object, or None where it is not one."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return None
        return told if isinstance(told, dict) else None


@dataclass
class Reply:
    """What is answered."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_reply(status, value, **headers):
    """`value` as JSON. Headers are written as names of Python's: `ETag`, `Idempotent_Replayed`."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


class Broken:
    """The mistake that the server makes, if any, and how wide its gap is."""

    def __init__(self, name, window, breaks):
        self._name, self._window, self._breaks = name, window, breaks

    def by(self, name):
        """Whether the mistake is `name`. A name that --help does not list is a slip of the pen."""
        if name not in self._breaks:
            raise KeyError(name)
        return self._name == name

    def gap(self):
        """Takes as long as --window says."""
        time.sleep(self._window)

def serve(application, breaks, **choices):
    """Serves `application` on 127.0.0.1 as the command line says, until SIGTERM or Ctrl-C. `breaks` says what --broken may
    name, and what is wrong then. Each of `choices` is an option more, and an argument of the application: what it may be, the
    default first."""
    options = _options(application, breaks, choices)
    chosen = {name: getattr(options, name) for name in choices}
    answers = application(Broken(options.broken, options.window, breaks), **chosen).answer

    class Handler(_Handler):
        answer = staticmethod(answers)

    class Server(ThreadingHTTPServer):
        request_queue_size = 1024  # a volley connects at once

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Server(("127.0.0.1", options.port), Handler) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


def _options(application, breaks, choices):
    wide = max(map(len, breaks))
    listed = "\n".join(f"  {name:{wide}}  {what}" for name, what in breaks.items())
    about = inspect.getdoc(sys.modules[application.__module__])
    parser = argparse.ArgumentParser(
        description=about,
        epilog=f"what --broken may name:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0 (the default) is any free one")
    parser.add_argument("--broken", metavar="NAME", choices=breaks, help="make this mistake; sound unless given")
    parser.add_argument(
        "--window", type=_duration, default="1ms", metavar="1ms", help="how wide the gap of a mistake is that has one"
    )
    for name, allowed in choices.items():
        parser.add_argument(f"--{name.replace('_', '-')}", choices=allowed, default=allowed[0])
    return parser.parse_args()


def _duration(text):
    told = re.fullmatch(r"(\d+(?:\.\d+)?)(us|ms|s)", text)
    if told is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 50us, 1ms or 2s")
    return float(told[1]) * SECONDS[told[2]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive
    disable_nagle_algorithm = True
    wbufsize = -1  # status, headers and body leave in one write

    def _any(self):
        request = self._request()
        if request is None:
            self.close_connection = True
            reply = Reply(400, b"a body needs a Content-Length of 1 MiB at most\n", {"Connection": "close"})
        else:
            reply = self.answer(request)
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _any

    def _request(self):
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch(r"\d{1,9}", length) or int(length) > LARGEST_BODY:
            return None
        target = urlsplit(self.path)
        return Request(
            method="GET" if self.command == "HEAD" else self.command,
            path=[unquote(part) for part in target.path.split("/")[1:]],
            query=dict(parse_qsl(target.query, keep_blank_values=True)),
            headers={name.lower(): ", ".join(self.headers.get_all(name)) for name in self.headers.keys()},
            body=self.rfile.read(int(length)),
        )

    def handle_expect_100(self):
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def log_message(self, *_):
        """Says nothing: a log line per request would be the slowest part."""
