"""images.json in the data folder: which image of a trainer was delivered last, and the reference that can't change."""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock

from trainyard.errors import InvalidSetting
from trainyard.images.names import with_tag
from trainyard.settings import Settings


@dataclass(frozen=True, slots=True)
class Built:
    """One delivered image."""

    pinned: str  # name@sha256:… from a registry, else name:code-…
    tag: str  # the name it was asked for
    code_hash: str  # of the bundle, as executors.bundle has it
    revision: str  # git's, with -dirty; empty outside of a repository
    at: str  # ISO 8601, UTC


def record_file(settings: Settings) -> Path:
    return settings.data_dir / "images.json"


def read_built(settings: Settings, framework: str) -> Built | None:
    """What was delivered last; None: nothing. Raises InvalidSetting for a file that can't be read."""
    found = _read(record_file(settings)).get(framework)
    return Built(**found) if found else None


def pinned_image(settings: Settings, framework: str, image: str) -> str:
    """The reference of what was delivered under this name, else the name as it is. Reads one small file."""
    built = read_built(settings, framework)
    return built.pinned if built is not None and built.tag == with_tag(image) else image


def keep_built(settings: Settings, framework: str, built: Built) -> None:
    """Atomic; of two at once both are kept, and of two for one trainer the later."""
    path = record_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(_read(path) | {framework: asdict(built)}, indent=1) + "\n", encoding="utf-8")
        os.replace(draft, path)  # noqa: PTH105 - on Windows, too, over a file that exists


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        wanted = {field.name for field in fields(Built)}
        if not all(isinstance(one, dict) and one.keys() == wanted for one in found.values()):
            raise ValueError("it holds something else")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidSetting(
            f"{path} can't be read: {error}.",
            hint="Remove it, then build and deliver the images anew: `trainyard build`.",
            field="TRAINYARD_DATA_DIR",
        ) from None
    return found
