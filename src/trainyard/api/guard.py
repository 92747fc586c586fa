"""What a request must be before any route sees it: a plain ASGI layer, so that streams and callbacks pay nothing.

Refuses foreign Host headers (DNS rebinding), foreign Origins and form posts (cross-site requests), and bodies over
the limit, whether declared or not. Where no Authorization comes along, a cookie may, which browsers send by themselves:
then a change must come from a page of this very origin, its port included, for SameSite knows no ports.
"""

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = {"GET", "HEAD", "OPTIONS"}
BODY_TYPES = ("application/json", "application/zip", "application/octet-stream")
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),  # no other port of this host shows our pictures as its own
]


def host_of(url_or_host: str) -> str:
    """The host without scheme and port, in lower case."""
    parsed = urlsplit(url_or_host if "//" in url_or_host else f"//{url_or_host}")
    return (parsed.hostname or "").lower()


def origin_of(url: str) -> str | None:
    """Scheme, host and port as browsers spell an Origin; None where it is no address."""
    parsed = urlsplit(url.strip().lower())
    return f"{parsed.scheme}://{parsed.netloc}" if parsed.scheme in ("http", "https") and parsed.netloc else None


class Guard:
    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        max_bytes: int,
        larger: Mapping[str, int],
        *,
        public_url: str = "",
        origins: Iterable[str] = (),
    ) -> None:
        """`larger`: for paths that match a pattern as a whole, so many bytes instead of `max_bytes`. `origins`: whose
        pages may act with a session too, besides those served here or at `public_url`."""
        self._app = app
        self._hosts = {"localhost", "127.0.0.1", "::1"} | {host_of(host) for host in hosts if host}
        self._public = origin_of(public_url)
        self._origins = {origin for url in (public_url, *origins) if (origin := origin_of(url))}
        self._hosts |= {host_of(origin) for origin in self._origins}
        self._max_bytes = max_bytes
        self._larger = [(re.compile(pattern), limit) for pattern, limit in larger.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        await self._limited(scope, receive, send)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, str, str] | None:
        host = headers.get(b"host", b"").decode("latin-1")
        if _host(host) not in self._hosts:
            return 421, "unknown_host", f"This backend does not answer as {host[:100]!r} (TRAINYARD_ALLOWED_HOSTS)."
        if scope["method"] in SAFE:
            return None
        origin = headers.get(b"origin")
        if origin is not None and _host(origin.decode("latin-1")) not in self._hosts:
            return 403, "foreign_origin", "Requests from other sites are refused."
        if b"authorization" not in headers and not self._is_own_page(scope, headers, host):
            return 403, "foreign_origin", "A session acts only for the page that this backend serves."
        kind = headers.get(b"content-type", b"").decode("latin-1").split(";")[0].strip().lower()
        if kind and kind not in BODY_TYPES:
            return 415, "unsupported_type", f"Send application/json, not {kind[:60]}."
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit():
            return 400, "bad_length", "The Content-Length is no number."
        if int(declared) > self._limit(scope):
            return 413, "too_large", f"The body is larger than {self._limit(scope)} bytes."
        return None

    def _is_own_page(self, scope: Scope, headers: dict[bytes, bytes], host: str) -> bool:
        """Also true where no browser is at work: no cookie, and no word of where it comes from."""
        given = headers.get(b"origin")
        if given is None:
            site = headers.get(b"sec-fetch-site")
            return site == b"same-origin" or (site is None and b"cookie" not in headers)
        origin = given.decode("latin-1").lower()
        if origin in self._origins:
            return True
        own = {f"https://{host.lower()}"}  # a proxy may have taken the s away, but nobody adds one
        if scope["scheme"] == "http" and not (self._public or "").startswith("https:"):
            own.add(f"http://{host.lower()}")
        return origin in own

    def _limit(self, scope: Scope) -> int:
        return next((limit for path, limit in self._larger if path.fullmatch(scope["path"])), self._max_bytes)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit, seen = self._limit(scope), 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, f"The body is larger than {limit} bytes.")
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in HEADERS if pair[0] not in present)]
            await send(message)

        await self._app(scope, counted, with_headers)


def _host(value: str) -> str | None:
    try:
        return host_of(value)
    except ValueError:
        return None


async def _refuse(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps({"error": {"code": code, "message": message, "hint": "", "field": None}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
