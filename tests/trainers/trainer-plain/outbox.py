"""Talking to servers that may be away: JSON over HTTP, and a queue whose thread repeats what was not taken."""

import http.client
import json
import math
import threading
import time
import urllib.request

from settings import say


def ask(url, body=None, token=""):
    """POST this body, or GET without one; the answer's JSON object."""
    data = None if body is None else json.dumps(body).encode()
    head = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(url, data, head), timeout=10) as answer:
        found = json.load(answer)
    if not isinstance(found, dict):
        raise ValueError(f"{url} answers with no JSON object")
    return found


def plain(value):
    """As JSON has it: NaN, Infinity and -Infinity as text."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return json.dumps(value) if isinstance(value, float) and not math.isfinite(value) else value


class Outbox(threading.Thread):
    """Sends calls one by one and in order; keeps and repeats them, unchanged, while their server is away."""

    def __init__(self, server, send, limit=10_000):
        super().__init__(daemon=True)
        self.server, self.send, self.limit, self.calls, self.error = server, send, limit, {}, None
        self.changed, self.closing = threading.Condition(), threading.Event()
        self.start()

    def put(self, key, call, keep=True):
        """Takes the place of a call that waits under the same key. A full box drops what need not be kept."""
        with self.changed:
            if len(self.calls) >= self.limit:
                self.calls.pop(next((old for old, (_, kept) in self.calls.items() if not kept), None), None)
            self.calls[key] = (call, keep)
            self.changed.notify()

    def drop(self, key):
        with self.changed:
            self.calls.pop(key, None)

    def run(self):
        delay = 0.25
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.calls)
                key, item = next(iter(self.calls.items()))
            try:
                self.send(item[0])
                self.error, delay = None, 0.25
            except (OSError, http.client.HTTPException, ValueError) as error:
                code = getattr(error, "code", 0)
                final = 400 <= code < 500 and code not in (408, 429)  # it would be refused again
                if final or self.error is None:
                    say(f"WARNING {self.server} {'refused a call' if final else 'is away, its calls wait'}: {error}")
                if not final:
                    self.error, delay = error, min(delay * 2, 15)
                    time.sleep(0.25 if self.closing.wait(delay) else 0)
                    continue
            with self.changed:
                if self.calls.get(key) is item:
                    del self.calls[key]

    def empty(self, until):
        """Wait until all is sent or the moment until() has come; True if all is sent."""
        self.closing.set()
        while self.calls and time.monotonic() < until():
            time.sleep(0.02)
        return not self.calls
