"""The CLI's way to the backend: HTTP with the administrator's token, errors as the backend words them."""

import ipaddress
import json
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2
import stamina

from trainyard.errors import InvalidSetting, TrainyardError, Unavailable
from trainyard.settings import Settings

AWAY_SECONDS = 60.0  # a backend that we have spoken with may be restarting for so long
AGAIN_SECONDS = 0.2
SILENT_SECONDS = 45.0  # event streams say something every 15 s
PIECE = 256 * 1024
stamina.instrumentation.set_on_retry_hooks([])  # its own would print each retry as a warning


class Refused(TrainyardError):
    """The backend's answer was no. Carries its code, its status and its words."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("message") or f"The backend answered {status}."))
        self.status = status
        self.code = str(problem.get("code") or "http")
        self.hint = str(problem.get("hint") or "")
        self.field = problem.get("field")


class Client:
    """Parsed JSON from every call; TrainyardError when it fails. What may be repeated is, while a backend restarts."""

    def __init__(self, settings: Settings, *, timeout: float = 30, patience: float = AWAY_SECONDS) -> None:
        self._url = settings.backend_url
        self._timeout = httpx2.Timeout(timeout, connect=3)
        self._patience = patience
        self._reached = False
        # a proxy in the environment is meant for the internet, not for the backend
        self.http = httpx2.Client(
            base_url=self._url,
            headers={"Authorization": f"Bearer {_token(settings)}"},
            timeout=self._timeout,
            trust_env=False,
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    # -- one question, one answer ----------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        return self.request("GET", path, repeat=True, params=given)

    def post(
        self, path: str, body: Any = None, *, headers: dict[str, str] | None = None, timeout: float | None = None
    ) -> Any:
        """Repeated while the backend restarts if it carries an Idempotency-Key."""
        wait = httpx2.Timeout(timeout, connect=3) if timeout else self._timeout
        repeat = "Idempotency-Key" in (headers or {})
        return self.request("POST", path, repeat=repeat, json=body, headers=headers, timeout=wait)

    def put(self, path: str, content: bytes, kind: str, *, timeout: float) -> Any:
        """Bytes as the body. Does the same however often it is sent."""
        wait = httpx2.Timeout(timeout, connect=3)
        return self.request("PUT", path, repeat=True, content=content, headers={"Content-Type": kind}, timeout=wait)

    def ask(self, path: str) -> Any:
        """A POST that does the same however often it is sent: cancel, attach."""
        return self.request("POST", path, repeat=True)

    def delete(self, path: str) -> Any:
        return self.request("DELETE", path)

    def request(self, method: str, path: str, *, repeat: bool = False, **given: Any) -> Any:
        answer = self._repeated(method, path, given) if repeat else self._once(method, path, given)
        return answer.json() if answer.content else None

    def text(self, path: str, **query: Any) -> tuple[str, httpx2.Headers]:
        """A plain text and the headers that came with it."""
        answer = self._repeated("GET", path, {"params": query})
        return answer.text, answer.headers

    def _repeated(self, method: str, path: str, given: dict[str, Any]) -> httpx2.Response:
        for attempt in stamina.retry_context(on=self._may_return, attempts=None, timeout=self._patience, wait_max=1):
            with attempt:
                return self._once(method, path, given)
        raise AssertionError("stamina raises the last failure")

    def _may_return(self, error: Exception) -> bool:
        return isinstance(error, Unavailable) and self._reached

    def _once(self, method: str, path: str, given: dict[str, Any]) -> httpx2.Response:
        try:
            answer = self.http.request(method, path, **given)
        except httpx2.TransportError as error:
            raise self._away(error) from error
        self._reached = True
        return _success(answer)

    def _away(self, error: httpx2.TransportError) -> Unavailable:
        if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)):
            return Unavailable(f"The backend isn't running at {self._url}.", hint="`trainyard up` starts it.")
        self._reached = True
        return Unavailable(
            f"The backend at {self._url} did not answer ({type(error).__name__}).",
            hint="`trainyard status` shows whether it runs.",
        )

    # -- files and streams -----------------------------------------------------------------------------------------

    def upload(
        self,
        path: str,
        file: Path,
        sent: Callable[[int], None],
        *,
        method: str,
        kind: str,
        **query: Any,
    ) -> Any:
        """Send a file as the body, never held in memory; `sent` hears of every piece."""

        def pieces() -> Iterator[bytes]:
            with file.open("rb") as source:
                while piece := source.read(PIECE):
                    yield piece
                    sent(len(piece))

        headers = {"Content-Type": kind, "Content-Length": str(file.stat().st_size)}
        given = {name: value for name, value in query.items() if value is not None}
        wait = httpx2.Timeout(3600, connect=3)  # it is checked and stored before it is answered
        request = self.http.build_request(method, path, content=pieces(), headers=headers, params=given, timeout=wait)
        try:
            return _success(self.http.send(request)).json()
        except httpx2.TransportError as error:
            raise self._away(error) from error

    def events(self, say: Callable[[str], None], after: int | None = None, **query: str) -> Generator[dict[str, Any]]:
        """Everything that happens from now on, or since the event `after`, without a gap: a lost connection is taken
        up again. Never ends; leave it when you have seen enough."""
        for frame in self._stream("/v1/events", query, None if after is None else str(after), say):
            yield json.loads(frame.data)

    def log(self, job_id: str, say: Callable[[str], None], offset: int = 0) -> Generator[str]:
        """A job's log from `offset` on as it grows; ends when it is complete."""
        for frame in self._stream(f"/v1/jobs/{job_id}/log/stream", {}, str(offset), say):
            if frame.event == "end":
                return
            yield json.loads(frame.data)

    def _stream(
        self, path: str, query: dict[str, str], last: str | None, say: Callable[[str], None]
    ) -> Generator[httpx2.ServerSentEvent]:
        told = False
        while True:
            try:
                for frame in self._connected(path, query, last):
                    told = False
                    last = frame.id or last
                    if frame.data:
                        yield frame
            except httpx2.TransportError as error:
                if not self._reached:
                    raise self._away(error) from error
            if not told:
                told = True
                say("connection lost, reconnecting…")
            self.get("/v1/health/live")  # repeated until it is back; raises where it stays away
            time.sleep(AGAIN_SECONDS)

    def _connected(self, path: str, query: dict[str, str], last: str | None) -> Generator[httpx2.ServerSentEvent]:
        wait = httpx2.Timeout(SILENT_SECONDS, connect=3)
        headers = {} if last is None else {"Last-Event-ID": last}
        # a piece of a log may be 256 kB of anything, six bytes each once it is JSON
        with self.http.sse(path, params=query, headers=headers, timeout=wait, max_event_size=8 * PIECE) as source:
            if not source.response.is_success:
                source.response.read()
                _success(source.response)
            self._reached = True
            yield from source


def _token(settings: Settings) -> str:
    """What to show the backend. A `.env` of somebody else's may name any host: it gets no generated one."""
    given = settings.token is not None and settings.token.get_secret_value() != ""
    if not given and not _is_loopback(httpx2.URL(settings.backend_url).host):
        raise InvalidSetting(
            f"TRAINYARD_URL names another machine, {settings.backend_url}, and there is no token for it: "
            "the generated one is for this machine only.",
            hint="Set TRAINYARD_TOKEN to that backend's token.",
            field="TRAINYARD_TOKEN",
        )
    return settings.admin_token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _success(answer: httpx2.Response) -> httpx2.Response:
    if answer.is_success:
        return answer
    raise Refused(answer.status_code, _problem(answer))


def _problem(answer: httpx2.Response) -> dict[str, Any]:
    try:
        return dict(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return {}  # not the backend's own words: a proxy's page, or nothing
