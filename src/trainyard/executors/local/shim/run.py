"""One run from its lock to its exit.json. Start-up order is what makes it run at most once: see `_run`."""

from __future__ import annotations

import errno
import json
import os
import time

from trainyard.executors.local.shim import folder as files
from trainyard.executors.local.shim.kernel import become_subreaper, boot_id, free_bytes, start_ticks
from trainyard.executors.local.shim.launch import NotStarted, start_child, trainer_environment
from trainyard.executors.local.shim.log import JobLog
from trainyard.executors.local.shim.relay import Follow, Relay
from trainyard.executors.local.shim.supervise import Supervisor, listen

TYPE_CHECKING = False  # importing `typing` would double the start-up time
if TYPE_CHECKING:
    from typing import Any

STARTED_BEFORE, DISK_IS_FULL = 75, 74
_LONGEST_TMP = 60  # sockets are made below it, and their whole path may have 107 characters
_FULL = 64 * 1024


def main(folder: str, foreground: bool) -> int:
    """Run it, and say how it ended by an exit code."""
    if not files.take_lock(folder):
        return STARTED_BEFORE
    try:
        return _as_exit_code(_run(folder, foreground))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DISK_IS_FULL
        raise


def _run(folder: str, foreground: bool) -> dict[str, object]:
    signals = listen()
    with open(os.path.join(folder, files.PLAN), encoding="utf-8") as file:
        plan = json.load(file)
    become_subreaper()
    log = JobLog(folder, plan["trace_id"], plan["log_limit"])
    files.reserve_exit(folder)
    tmp = _make_tmp(folder)
    me: dict[str, object] = {"pid": os.getpid(), "ticks": start_ticks(os.getpid()), "boot_id": boot_id()}
    me |= {"at": time.time(), "tmp": tmp}
    files.write_json(folder, files.SHIM, me)  # from here on a cancel finds us; an earlier one has left its mark
    relay = _relay(log, foreground)
    try:
        end = _supervise(folder, plan, me, log, relay, signals)
    finally:
        relay.finish()
    log.keep_short_at_last()
    _remove_tmp(folder, tmp)
    end["at"] = time.time()
    end["disk_full"] = free_bytes(folder) < _FULL
    log.say(_in_words(end))
    files.write_exit(folder, end)
    return end


def _supervise(
    folder: str, plan: dict[str, Any], me: dict[str, object], log: JobLog, relay: Relay, signals: int
) -> dict[str, object]:
    if os.path.exists(os.path.join(folder, files.CANCEL)):
        return {"exit_code": None, "signal": None, "stopped_on_request": True, "started": False}
    argv = plan["argv"]
    env = trainer_environment(plan["variables"], argv[0], str(me["tmp"]))
    try:
        pid = start_child(argv, plan["cwd"], env, relay.stdio(), relay.terminal)
    except NotStarted as problem:
        return {
            "exit_code": 127,
            "signal": None,
            "stopped_on_request": False,
            "started": False,
            "problem": str(problem),
        }
    relay.started()
    log.say(f"started process {pid}: {' '.join(argv)}")
    try:
        files.write_json(folder, files.SHIM, me | {"child": pid, "child_ticks": start_ticks(pid)})
    except OSError:
        pass  # the disk is full by now; nothing depends on the child's pid
    end = Supervisor(folder, plan["grace"], log, relay, signals).supervise(pid)
    return end | {"started": True, "seconds": round(time.time() - float(str(me["at"])), 3)}


def _relay(log: JobLog, foreground: bool) -> Relay:
    if not foreground:
        return Relay(log)
    if os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp():  # in the background, `… &`, the terminal isn't ours
        from trainyard.executors.local.shim.terminal import Terminal  # needs termios, which detached runs can spare

        return Terminal(log)
    return Follow(log)


def _make_tmp(folder: str) -> str:
    """The run's own TMPDIR. Where its path is long it gets a short name: trainers make sockets in there."""
    path = os.path.join(folder, files.TMP)
    os.makedirs(path, mode=0o700, exist_ok=True)
    if len(path) <= _LONGEST_TMP:
        return path
    short = os.path.join("/tmp", f"ty-{os.urandom(6).hex()}")  # noqa: S108 - symlink() fails where it exists
    os.symlink(path, short)
    return short


def _remove_tmp(folder: str, tmp: str) -> None:
    import shutil  # 8 ms that the start can do without

    shutil.rmtree(os.path.join(folder, files.TMP), ignore_errors=True)
    if os.path.islink(tmp):
        os.unlink(tmp)


def _in_words(end: dict[str, object]) -> str:
    if not end["started"]:
        return f"not started: {end.get('problem') or 'it was cancelled before'}"
    how = f"signal {end['signal']}" if end["signal"] else f"exit code {end['exit_code']}"
    return f"ended with {how} after {end['seconds']} s"


def _as_exit_code(end: dict[str, object]) -> int:
    """As a shell would say it."""
    code, number = end["exit_code"], end["signal"]
    if isinstance(code, int):
        return code
    return 128 + number if isinstance(number, int) else 143
