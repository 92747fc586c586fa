"""A program in the foreground: it has the terminal, and its signals."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType


def run_in_terminal(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> int:
    """Blocks until it has ended; its exit code as a shell would say it.

    Ctrl+C is the program's business (it is in the same terminal); a SIGTERM to us is passed on to it.
    """
    child: subprocess.Popen[bytes] | None = None

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """A handler, not SIG_IGN, which children would inherit."""

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        if child is not None:
            child.terminate()

    before = [
        (number, signal.signal(number, does)) for number, does in ((signal.SIGINT, ignore), (signal.SIGTERM, pass_on))
    ]
    try:
        child = subprocess.Popen(argv, cwd=cwd, env=env)
        status = child.wait()
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status
