"""The folders of a trainer's environments: one for each state of its requirements, and a link to the newest.

A training imports from its environment until it ends, so one that is complete is never changed again.
"""

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

import psutil

STAMP = "trainyard.json"  # written last: where it stands, the environment is complete
_KEPT = 2


def show(folder: Path, link: Path) -> None:
    """Let the well-known name lead there, if it is free or ours, and where the system has links: only people look."""
    target = os.path.relpath(folder, link.parent)
    with suppress(OSError):
        if os.path.lexists(link):
            ours = link.is_symlink() and link.readlink().parent.name == folder.parent.name
            if not ours or str(link.readlink()) == target:
                return
        draft = link.with_name(f"{link.name}.{secrets.token_hex(4)}")
        draft.symlink_to(target, target_is_directory=True)
        draft.replace(link)


def forget_old(current: Path) -> None:
    """Remove older environments beside this one but the last, unless somebody runs in them. Best effort."""
    others = [folder for folder in current.parent.iterdir() if folder.is_dir() and folder != current]
    old = sorted(others, key=_made_at, reverse=True)[_KEPT - 1 :]
    if not old:
        return
    used = _places_in_use()
    for folder in old:
        if f"{folder}{os.sep}" not in used:
            with suppress(OSError):
                (folder / STAMP).unlink(missing_ok=True)  # first: half of it must not count as complete
            shutil.rmtree(folder, ignore_errors=True)


def _made_at(folder: Path) -> float:
    try:
        return (folder / STAMP).stat().st_mtime
    except OSError:
        return 0.0  # never completed


def _places_in_use() -> str:
    """What processes were started as, and where they look for programs: a run's environment stands first there."""
    places: list[str] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            places += process.cmdline()
        with suppress(psutil.Error, OSError):
            places.append(process.exe())
        with suppress(psutil.Error, OSError):
            places.append(process.environ().get("PATH", ""))
    return "\n".join(places)
