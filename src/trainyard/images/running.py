"""Running a builder: its output is passed on as it comes, and a failure names the step and shows the last lines."""

import re
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from trainyard.errors import TrainyardError

Say = Callable[[str], None]
_LAST = 15
# podman, buildah and docker's old builder; BuildKit; a line that BuildKit repeats beside the failure
_STEP = re.compile(r"^(?:STEP |Step |#\d+ \[(?:\S+ )?)(?P<number>\d+/\d+)(?: ?: |\] )(?P<what>.*)$")


class BuildFailed(TrainyardError):
    """The builder's no, with its own last words."""

    code = "build_failed"


def run(argv: Sequence[str], doing: str, say: Say, hint: str = "") -> str:
    """Blocks until it ends and returns what it printed. Raises BuildFailed; interrupted, the builder ends as well."""
    lines: list[str] = []
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
    except OSError as error:
        raise BuildFailed(f"{doing} failed: {argv[0]} can't be started: {error.strerror}.") from error
    with process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                lines.append(line.rstrip("\r\n"))
                say(lines[-1])
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise _failed(doing, Path(argv[0]).stem, process.returncode, lines, hint)
    return "\n".join(lines)


def _failed(doing: str, builder: str, code: int, lines: list[str], hint: str) -> BuildFailed:
    said = [line for line in lines if line.strip()]
    step = next((found for line in reversed(said) if (found := _STEP.match(line))), None)
    where = f" at step {step['number']} ({step['what'].strip()[:200]})" if step else ""
    last = "\n    ".join(deque(said, _LAST)) or "(it printed nothing)"
    return BuildFailed(
        f"{doing} failed{where}: {builder} ended with exit code {code}. Its last lines:\n    {last}", hint=hint
    )
