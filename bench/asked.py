"""Every request of a process to a cluster's API server, noted in a file: a backend imports this before it starts."""

import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import httpx2

_PATH = re.compile(r"/apis?/(?:[a-z.]+/)?v1/(?:namespaces/[^/]+/)?(?P<kind>[a-z]+)(?:/[^/]+(?P<part>/[a-z]+)?)?")


def note_requests(file: Path) -> None:
    """From here on. A line as each is sent, with how many of its kind that stay open (watches, logs) are open now."""
    real, method, lock = httpx2.Client.send, "send", threading.Lock()
    open_now: Counter[str] = Counter()

    def note(what: str, change: int, status: int = 0) -> None:
        with lock, file.open("a") as out:
            open_now[what] += change
            line = {"at": time.time(), "what": what, "open": open_now[what], "sent": change >= 0, "status": status}
            out.write(json.dumps(line) + "\n")

    @wraps(real)
    def noted(self: httpx2.Client, request: httpx2.Request, *, stream: bool = False, **given: Any) -> httpx2.Response:
        what = _what(request)
        if not what:
            return real(self, request, stream=stream, **given)
        answer = real(self, request, stream=stream, **given)
        note(what, int(stream), answer.status_code)
        if stream:
            _when_closed(answer, lambda: note(what, -1))
        return answer

    setattr(httpx2.Client, method, noted)


def _what(request: httpx2.Request) -> str:
    """`POST jobs`, `WATCH pods`, `GET pods/log`; empty: it goes elsewhere."""
    found = _PATH.fullmatch(request.url.path)
    if found is None:
        return ""
    verb = "WATCH" if request.url.params.get("watch") else request.method
    return f"{verb} {found['kind']}{found['part'] or ''}"


def _when_closed(answer: httpx2.Response, tell: Any) -> None:
    close, method, told = answer.close, "close", threading.Event()

    def closing() -> None:
        close()
        if not told.is_set():
            told.set()
            tell()

    setattr(answer, method, closing)


@dataclass(frozen=True)
class Asked:
    """What was noted between two moments."""

    sent: Counter[str]
    refused: Counter[str]
    most_open: dict[str, int]
    most_in_a_second: int

    @classmethod
    def read(cls, file: Path, begun: float, ended: float) -> "Asked":
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        lines = [line for line in lines if begun <= line["at"] <= ended]
        sent = [line for line in lines if line["sent"]]
        most_open: dict[str, int] = {}
        for line in lines:
            most_open[line["what"]] = max(line["open"], most_open.get(line["what"], 0))
        moments = sorted(line["at"] for line in sent)
        first = most = 0
        for place, moment in enumerate(moments):
            while moment - moments[first] > 1:
                first += 1
            most = max(most, place - first + 1)
        refused = Counter(f"{line['status']} to {line['what']}" for line in sent if line["status"] >= 400)
        return cls(Counter(line["what"] for line in sent), refused, most_open, most)
