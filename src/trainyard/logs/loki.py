"""Job logs that lie on this machine, shipped to Loki as they grow: one thread, and the logs themselves are its buffer.

What Loki does not take now is read again later, so an outage of any length costs no memory. Lines carry no time of
their own: they get that of the log's last change when they are read. A repeated batch begins with the same times, so
Loki, which drops a line that it has with the same time, shows none twice.
"""

import base64
import gzip
import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
from pydantic import SecretStr

from trainyard.errors import InvalidSetting
from trainyard.logs import files

log = logging.getLogger(__name__)
PUSH_PATH = "/loki/api/v1/push"
LONGEST_LINE = 256 * 1024  # bytes; Loki's own limit
NEVER_TAKEN = (400, 413, 422)  # too old, too large, not understood: another try ends the same
_STATE = "shipped.json"


@dataclass(frozen=True, slots=True)
class JobLog:
    """A log to ship. `ended`: nothing will be added any more."""

    job_id: str
    framework: str
    tier: str
    trace_id: str
    path: Path
    ended: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds, and bytes of a log that are read for one push."""

    look: float = 1.0
    first_pause: float = 0.5
    longest_pause: float = 60.0
    answer: float = 10.0
    batch: int = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Position:
    """How far a log is shipped: an offset, the line begun before it, and the last line's time in nanoseconds."""

    offset: int = 0
    rest: str = ""
    stamp: int = 0


@dataclass(slots=True)
class _Followed:
    position: _Position
    stamp: int = 0  # of the first line of a batch that Loki did not take yet
    pause: float = 0.0
    not_before: float = 0.0
    warned: bool = False


class Away(Exception):
    """Loki can't take it now, or not from us; the words hold no secret."""


class Refused(Exception):
    """Loki will never take this batch."""


# -- the push API ---------------------------------------------------------------------------------------------------


class Loki:
    """Where to push, and as whom. Raises InvalidSetting for an address that can't be one, without showing it."""

    def __init__(self, url: str, token: SecretStr | None, patience: float) -> None:
        try:
            parts = urlsplit(url.strip())
            host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
            self.shown = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"
        except ValueError:
            parts, host = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or not host:
            raise InvalidSetting(
                "TRAINYARD_LOKI_URL is no address of a Loki.",
                hint="It begins with http or https and names a host, such as http://loki:3100.",
                field="TRAINYARD_LOKI_URL",
            )
        secret = token.get_secret_value().strip() if token else ""
        if not (secret.isascii() and secret.isprintable()):
            raise InvalidSetting("TRAINYARD_LOKI_TOKEN holds what no header can carry.", field="TRAINYARD_LOKI_TOKEN")
        user, password = unquote(parts.username or ""), unquote(parts.password or "") or secret
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._secrets = [text for text in (basic, secret, password, parts.password) if text]
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "User-Agent": "trainyard"}
        if user or secret:
            headers["Authorization"] = f"Basic {basic}" if user else f"Bearer {secret}"
        path = parts.path.rstrip("/")
        self._url = self.shown + (path if path.endswith(PUSH_PATH) else path + PUSH_PATH)
        self._http = httpx2.Client(headers=headers, timeout=patience)

    def push(self, labels: dict[str, str], values: list[tuple[str, str, dict[str, str]]]) -> None:
        """Blocks for seconds. Safe to repeat with the same values. Raises Away or Refused."""
        body = json.dumps({"streams": [{"stream": labels, "values": values}]}, ensure_ascii=False)
        try:
            answer = self._http.post(self._url, content=gzip.compress(body.encode(), 5))
        except httpx2.HTTPError as error:
            raise Away(f"{type(error).__name__}") from None  # its text may hold the address
        if answer.is_success:
            return
        said = f"HTTP {answer.status_code}: {self._without_secrets(answer.text)[:200].strip()}"
        raise Refused(said) if answer.status_code in NEVER_TAKEN else Away(said)

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def close(self) -> None:
        self._http.close()


# -- the shipper ----------------------------------------------------------------------------------------------------


class Shipper:
    """`listed` says which logs there are, from this thread, about once a second: those that grow, and those that ended
    lately. Nothing here blocks or fails a job. Raises InvalidSetting."""

    def __init__(
        self,
        url: str,
        token: SecretStr | None,
        listed: Callable[[], Iterable[JobLog]],
        pace: Pace = Pace(),
    ) -> None:
        self._loki = Loki(url, token, pace.answer)
        self._listed = listed
        self._pace = pace
        self._logs: list[JobLog] = []
        self._listed_at = -math.inf
        self._followed: dict[Path, _Followed] = {}
        self._away = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="loki", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop. What is not shipped yet is shipped after the next start. Waits for a push only shortly."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                more = self._look()
            except Exception:
                log.exception("a look at the logs for Loki failed; the next one comes soon")
                more = False
            self._stop.wait(0 if more else self._pace.look)
        self._loki.close()

    def _look(self) -> bool:
        """One batch of each log, so that a flood of one holds up no other. True where there may be more at once."""
        if time.monotonic() - self._listed_at >= self._pace.look:
            self._logs, self._listed_at = list(self._listed()), time.monotonic()
            known, self._followed = self._followed, {}
            for each in self._logs:
                self._followed[each.path] = known.get(each.path) or _Followed(_load(each.path))
        more = False
        for each in self._logs:
            followed = self._followed[each.path]
            if self._stop.is_set() or followed.not_before > time.monotonic():
                continue
            try:
                more |= self._ship(each, followed)
            except Exception:
                log.exception("a log could not be shipped to Loki; it is tried again", extra=_about(each))
                self._pause(followed)
        return more

    def _ship(self, job: JobLog, followed: _Followed) -> bool:
        """True where the batch was full: there may be more at once."""
        lines, after = _next_lines(job, followed.position, self._pace.batch)
        full = after.offset - followed.position.offset > self._pace.batch // 2
        if not lines:
            followed.position = after
            return full
        followed.stamp = followed.stamp or max(followed.position.stamp + 1, min(time.time_ns(), _changed(job.path)))
        metadata = {"trace_id": job.trace_id}
        values = [(str(followed.stamp + number), line, metadata) for number, line in enumerate(lines)]
        try:
            self._loki.push({"job_id": job.job_id, "framework": job.framework, "tier": job.tier}, values)
        except Away as away:
            self._tell_away(str(away))
            self._pause(followed)
            return False
        except Refused as refused:
            if not followed.warned:
                followed.warned = True
                log.warning("Loki refuses lines, which are not sent again: %s", refused, extra=_about(job))
        followed.position = _Position(after.offset, after.rest, followed.stamp + len(lines) - 1)
        followed.stamp, followed.pause = 0, 0.0
        _save(job.path, followed.position)
        self._tell_back()
        return full

    def _pause(self, followed: _Followed) -> None:
        followed.pause = min(max(followed.pause * 2, self._pace.first_pause), self._pace.longest_pause)
        followed.not_before = time.monotonic() + followed.pause

    def _tell_away(self, why: str) -> None:
        if not self._away:
            self._away = True
            log.warning("Loki at %s takes no logs: %s. They are kept and sent once it does.", self._loki.shown, why)

    def _tell_back(self) -> None:
        """Said only when nothing waits any more: a single log that Loki can't take would say it with every other."""
        if self._away and not any(each.pause for each in self._followed.values()):
            self._away = False
            log.info("Loki at %s takes logs again", self._loki.shown)


def _about(job: JobLog) -> dict[str, str]:
    return {"job_id": job.job_id, "trace_id": job.trace_id, "framework": job.framework}


# -- lines of a log ---------------------------------------------------------------------------------------------------


def _next_lines(job: JobLog, position: _Position, limit: int) -> tuple[list[str], _Position]:
    """Whole lines, none longer than Loki takes, and the position after them. A line that is still being written waits,
    unless it is too long already."""
    total = files.size(job.path)
    offset, rest = position.offset, position.rest
    if total < offset and files.read_cut(job.path) is None:  # somebody emptied it: it is another log now
        offset, rest = 0, ""
    text, offset = files.read_range(job.path, offset, limit, ended=job.ended)
    *lines, rest = (rest + text).split("\n")
    if rest and job.ended and offset >= files.size(job.path):
        lines, rest = [*lines, rest], ""
    pieces = [piece for line in lines for piece in _pieces(line)]
    *begun, rest = _pieces(rest)
    return pieces + begun, _Position(offset, rest, position.stamp)


def _pieces(line: str) -> Iterator[str]:
    """The line, cut between characters where it is too long. At least one piece."""
    if len(line) * 4 <= LONGEST_LINE:
        yield line
        return
    data = line.encode()
    while len(data) > LONGEST_LINE:
        text, used = files.decode(data[:LONGEST_LINE], final=False)
        yield text
        data = data[used:]
    yield data.decode()


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return time.time_ns()


# -- what a restart needs to know -------------------------------------------------------------------------------------


def _load(path: Path) -> _Position:
    """From the beginning where nothing is known."""
    try:
        told: dict[str, Any] = json.loads(path.with_name(_STATE).read_text(encoding="utf-8"))
        return _Position(int(told["offset"]), str(told["rest"]), int(told["stamp"]))
    except (OSError, ValueError, KeyError, TypeError):
        return _Position()


def _save(path: Path, position: _Position) -> None:
    """For the owner only, like the log. A full disk loses it: then a restart sends some lines again."""
    told = {"offset": position.offset, "rest": position.rest, "stamp": position.stamp}
    draft = path.with_name(f".{_STATE}.draft")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(told, file)
        draft.replace(path.with_name(_STATE))
    except OSError:
        pass
