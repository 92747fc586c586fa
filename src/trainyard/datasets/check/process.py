"""The checking process as the backend sees it: started with no secret of ours, listened to, ended with us."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainyard.datasets.check.decoder import KEPT

SILENT_SECONDS = 600.0  # the longest look at one picture takes less, and so does reading a large COCO json
LOOK_SECONDS = 1.0


class CheckerDied(Exception):
    """It ended without a report: killed, or out of memory."""


class Checker:
    """One check. `messages` once, from one thread; `end` from any."""

    def __init__(self, zip: Path, sha256: str, index: Path, max_pixels: int, picture_seconds: float) -> None:
        options = ["--sha256", sha256, "--index", str(index), "--max-pixels", str(max_pixels)]
        options += ["--picture-seconds", str(picture_seconds), "--heed-stdin"]
        self._heard_at = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trainyard.datasets.check", str(zip), *options],
            env={name: os.environ[name] for name in KEPT if name in os.environ} | {"TMPDIR": str(zip.parent)},
            cwd=Path(sys.executable).anchor,
            stdin=subprocess.PIPE,  # it ends when this does: also where this backend is killed
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def messages(self) -> Generator[dict[str, Any]]:
        """Everything it says, as it says it. Raises CheckerDied where the last was no report."""
        words: list[bytes] = []
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        reader = threading.Thread(target=self._read_words, args=(words,), daemon=True)
        reader.start()
        last: dict[str, Any] = {}
        try:
            assert self._process.stdout is not None
            for line in self._process.stdout:
                self._heard_at = time.monotonic()
                with suppress(ValueError):  # half a line, where it was killed
                    last = json.loads(line)
                    yield last
        finally:
            self.end()
            watcher.join()
            reader.join()
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()
        if "report" not in last and "refused" not in last:
            said = b"".join(words).decode("utf-8", "replace").strip()[-500:]
            raise CheckerDied(f"exit code {self._process.returncode}; {said or 'it said nothing'}")

    def _watch(self) -> None:
        while self._process.poll() is None:
            if time.monotonic() - self._heard_at > SILENT_SECONDS:
                self._process.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LOOK_SECONDS)

    def _read_words(self, words: list[bytes]) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            words[:] = [*words[-20:], line[:2000]]

    def end(self) -> None:
        """It is gone when this returns; what opens pictures for it reads the end of its own stdin. Idempotent."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
