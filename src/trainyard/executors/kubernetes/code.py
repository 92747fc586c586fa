"""How a trainer's code gets into its pod: as files of a ConfigMap, or beyond its limit as an archive out of S3."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainyard.executors.bundle import Bundle, File

CODE = "/code"
CONFIG_MAP_LIMIT = 1 << 20  # what the API server takes of data; keys and paths are counted here, too
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]")
_FETCH = Path(__file__).with_name("fetch_code.py")


@dataclass(frozen=True, slots=True)
class Shipped:
    """What the pod and its container need for it."""

    volume: dict[str, Any]
    config_map: dict[str, Any] = field(default_factory=dict[str, Any])  # data and binaryData; empty: by S3
    fetch: list[str] = field(default_factory=list[str])  # the init container's command; empty: none
    variables: dict[str, str] = field(default_factory=dict[str, str])  # … and its variables


def fits_config_map(bundle: Bundle) -> bool:
    """Else it goes through S3. The paths lie in the Job, and its size is bounded by the same count."""
    return sum(len(_key(f.path)) + len(f.path.encode()) + len(f.data) for f in bundle.files) <= CONFIG_MAP_LIMIT


def by_config_map(bundle: Bundle, name: str) -> Shipped:
    """Keys may hold no slash, no space, no letter beyond ASCII: `items` says which file each becomes."""
    items: list[dict[str, Any]] = []
    data: dict[str, str] = {}
    binary: dict[str, str] = {}
    for file in bundle.files:
        key = _key(file.path)
        items.append({"key": key, "path": file.path} | ({"mode": 0o555} if file.executable else {}))
        text = _text(file)
        if text is None:
            binary[key] = base64.b64encode(file.data).decode()
        else:
            data[key] = text
    volume = {"name": "code", "configMap": {"name": name, "items": items, "defaultMode": 0o444}}
    kept = {"data": data, "binaryData": binary}
    return Shipped(volume, {part: entries for part, entries in kept.items() if entries})


def by_store(archive: bytes) -> Shipped:
    """The init container gets a presigned URL through the Secret, and checks what it fetched."""
    return Shipped(
        volume={"name": "code", "emptyDir": {}},
        fetch=["python", "-c", _FETCH.read_text(encoding="utf-8"), CODE],
        variables={"CODE_SHA256": hashlib.sha256(archive).hexdigest()},
    )


def _key(path: str) -> str:
    """A file's own name where that can be a key. All others begin with a dot, which no file that travels does."""
    if _KEY.fullmatch(path):
        return path
    readable = re.sub(r"[^A-Za-z0-9_-]+", ".", path)[-180:]
    return f".{hashlib.sha256(path.encode()).hexdigest()[:16]}.{readable}"


def _text(file: File) -> str | None:
    """A file's text where it is plain text; JSON, YAML and terminals bring that over unchanged."""
    try:
        text = file.data.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text
