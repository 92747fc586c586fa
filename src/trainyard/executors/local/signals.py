"""Telling a shim what to do, and tidying up behind one that can't any more."""

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

from trainyard.executors.local import processes
from trainyard.executors.local.run_folder import RunFolder, ShimRecord
from trainyard.executors.local.shim.folder import TMP

_END_SECONDS = 5.0


def ask_to_stop(shim: ShimRecord) -> None:
    """The polite way: the trainer has its grace period. Windows has no such signal, the mark file says it there."""
    if hasattr(signal, "SIGUSR1"):
        _send(shim, signal.SIGTERM)


def ask_to_end(shim: ShimRecord) -> None:
    """At once: the shim kills its tree and says how it ended; where it doesn't, it is killed itself. Blocks until it
    is gone, seconds at most."""
    if hasattr(signal, "SIGUSR1"):
        _send(shim, signal.SIGUSR1)
        give_up = time.monotonic() + _END_SECONDS
        while processes.is_alive(shim) and time.monotonic() < give_up:
            time.sleep(0.01)
    if processes.is_alive(shim):
        psutil.Process(shim.pid).kill()


def forget_temporary_files(folder: RunFolder, shim: ShimRecord) -> None:
    """What the shim removes itself, if it lives to do so."""
    shutil.rmtree(folder.path / TMP, ignore_errors=True)
    short = Path(shim.tmp)
    if short.is_symlink():
        short.unlink(missing_ok=True)


def _send(shim: ShimRecord, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(shim.pid, number)
