"""Which GPUs this machine may lease to jobs."""

import shutil
import subprocess

from trainyard.errors import InvalidSetting
from trainyard.settings import Settings

_DRIVER_SECONDS = 20  # a driver that has to wake up takes long; one that hangs must not hold us up


def available_gpus(settings: Settings) -> tuple[int, ...]:
    """Their indices. May ask the driver: seconds, call it once. Raises InvalidSetting."""
    match settings.gpus.strip().lower():
        case "none" | "":
            return ()
        case "auto":
            return _installed()
        case listed:
            return _listed(listed)


def _listed(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts) or len(set(parts)) != len(parts):
        raise InvalidSetting(
            f"TRAINYARD_GPUS={text} is not usable: it takes auto, none, or indices such as 0,1.", field="TRAINYARD_GPUS"
        )
    return tuple(int(part) for part in parts)


def _installed() -> tuple[int, ...]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        listing = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=_DRIVER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(range(sum(line.startswith("GPU ") for line in listing.stdout.splitlines())))
