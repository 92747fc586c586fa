"""The web page: files that the build put beside this package, for every address that is not the API's."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from trainyard.errors import NotFound

FOLDER = Path(__file__).resolve().parents[1] / "page"
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cross-Origin-Opener-Policy": "same-origin"}
FOR_EVER = "public, max-age=31536000, immutable"  # a name under assets/ holds the hash of what is in it
NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>trainyard</title>
<p>The web page is not built in this checkout. <code>python frontend/run.py build</code> builds it; the API works without.</p>
"""

router = APIRouter(include_in_schema=False)


@router.api_route("/{path:path}", methods=["GET", "HEAD"])
def page(path: str, request: Request) -> Response:
    """A file of the page, or the page itself, which knows its own addresses. Needs no sign-in: it holds no data."""
    if path.startswith("v1/"):
        raise NotFound(f"There is nothing at /{path[:200]}.", hint="GET /v1/openapi.json describes this API.")
    file = _file(path)
    if file is not None:
        kept = FOR_EVER if path.startswith("assets/") else "no-cache"
        return FileResponse(file, headers={**HEADERS, "Cache-Control": kept})
    if path.startswith("assets/") or "." in path.rsplit("/", 1)[-1]:
        raise NotFound(f"There is nothing at /{path[:200]}.")
    index = FOLDER / "index.html"
    if not index.is_file():
        return HTMLResponse(NOT_BUILT, 503, headers=HEADERS)
    return FileResponse(index, headers={**HEADERS, "Cache-Control": "no-cache"})


def _file(path: str) -> Path | None:
    """Only what lies in the folder, however the address is spelled."""
    if not path or "\0" in path or path == "index.html":
        return None
    found = (FOLDER / path).resolve()
    return found if found.is_relative_to(FOLDER) and found.is_file() else None
