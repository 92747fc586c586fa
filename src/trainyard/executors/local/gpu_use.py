"""Which GPUs a run's processes are on, as nvidia-smi tells it; one question serves all runs of a look."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from trainyard.executors.base import GpuUse

KEPT_SECONDS = 1.0
AGAIN_SECONDS = 60.0  # after a driver that did not answer
DRIVER_SECONDS = 5.0
_MIB = 1 << 20
_Ask = Callable[..., str]


def ask_driver(*question: str) -> str:
    """What nvidia-smi answers, as CSV; empty where there is none. Raises OSError, TimeoutExpired."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    argv = [tool, *question, "--format=csv,noheader,nounits"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=DRIVER_SECONDS, check=False)
    return done.stdout if done.returncode == 0 else ""


class GpuTable:
    """For one thread."""

    def __init__(self, ask: _Ask = ask_driver) -> None:
        self._ask = ask
        self._until = 0.0
        self._gpus: dict[str, tuple[int, float | None]] = {}  # by uuid: index, percent
        self._memory: dict[str, dict[int, int | None]] = {}  # by uuid: bytes by pid

    def of(self, pids: set[int]) -> tuple[GpuUse, ...]:
        """Those that any of the processes is on, in order."""
        if time.monotonic() >= self._until:
            self._look()
        found: list[GpuUse] = []
        for uuid, by_pid in self._memory.items():
            mine = [memory for pid, memory in by_pid.items() if pid in pids]
            if mine and uuid in self._gpus:
                index, percent = self._gpus[uuid]
                told = [memory for memory in mine if memory is not None]
                found.append(GpuUse(index, percent, sum(told) if told else None))
        return tuple(sorted(found, key=lambda gpu: gpu.index))

    def _look(self) -> None:
        self._gpus, self._memory = {}, {}
        try:
            for uuid, pid, memory in _rows(self._ask("--query-compute-apps=gpu_uuid,pid,used_memory"), 3):
                with suppress(ValueError):
                    self._memory.setdefault(uuid, {})[int(pid)] = _bytes(memory)
            if self._memory:
                for uuid, index, percent in _rows(self._ask("--query-gpu=uuid,index,utilization.gpu"), 3):
                    with suppress(ValueError):
                        self._gpus[uuid] = (int(index), _number(percent))
        except (OSError, subprocess.SubprocessError):
            self._until = time.monotonic() + AGAIN_SECONDS
        else:
            self._until = time.monotonic() + KEPT_SECONDS


def _rows(text: str, columns: int) -> Iterator[list[str]]:
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) == columns:
            yield cells


def _bytes(mebibytes: str) -> int | None:
    number = _number(mebibytes)
    return None if number is None else int(number * _MIB)


def _number(text: str) -> float | None:
    """[N/A] and the like are none."""
    try:
        return float(text)
    except ValueError:
        return None
