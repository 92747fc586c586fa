"""The web page: files that the build put beside this package, for every address that is not the API's."""

import mimetypes
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = Path(__file__).resolve().parents[1] / "page"
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cross-Origin-Opener-Policy": "same-origin"}
FOR_EVER = "public, max-age=31536000, immutable"  # a name under assets/ holds the hash of what is in it
NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>trainyard</title>
<p>The web page is not built in this checkout: <code>./trainyard up</code> builds it. The API works without.</p>
"""


class Pages:
    """Answers for every address outside /v1 itself, and leaves those to the API. Needs no sign-in: it holds no data."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or f"{scope['path']}/".startswith("/v1/"):
            await self._app(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await PlainTextResponse("Method Not Allowed", 405, {"Allow": "GET, HEAD"})(scope, receive, send)
        else:
            packed = "gzip" in Headers(scope=scope).get("accept-encoding", "")
            await _answer(scope["path"].lstrip("/"), packed)(scope, receive, send)


def _answer(path: str, packed: bool) -> Response:
    """A file of the page, or else the page, which knows its own addresses. `packed`: whoever asks can unpack."""
    file = _file(path)
    if file is not None:
        kept = FOR_EVER if path.startswith("assets/") else "no-cache"
        return _sent(file, kept, packed)
    if path.startswith("assets/"):  # of a page that was built anew since: the page must not pass for it
        return PlainTextResponse("Not Found", 404)
    index = FOLDER / "index.html"
    if not index.is_file():
        return HTMLResponse(NOT_BUILT, 503, headers=HEADERS)
    return _sent(index, "no-cache", packed)


def _sent(file: Path, kept: str, packed: bool) -> Response:
    headers = {**HEADERS, "Cache-Control": kept, "Vary": "Accept-Encoding"}
    small = file.with_name(f"{file.name}.gz")
    if not packed or not small.is_file():
        return FileResponse(file, headers=headers)
    kind = mimetypes.guess_type(file.name)[0]
    return FileResponse(small, headers={**headers, "Content-Encoding": "gzip"}, media_type=kind)


def _file(path: str) -> Path | None:
    """Only what lies in the folder, however the address is spelled."""
    if not path or path == "index.html":
        return None
    try:
        found = (FOLDER / path).resolve()
        return found if found.is_relative_to(FOLDER) and found.is_file() else None
    except (OSError, ValueError):  # a name that no file can have: too long, or with a NUL
        return None
