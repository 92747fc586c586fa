"""The process that checks a dataset: a zip in, one JSON object a line out. `trainyard datasets check` starts it on a
file of yours, the backend on what was uploaded. Knows no secrets, no store and no database.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trainyard.datasets.archive import open_archive
from trainyard.datasets.check.decode import NICENESS
from trainyard.datasets.check.decoder import SECONDS, Decoder
from trainyard.datasets.check.run import check
from trainyard.datasets.inspect import coco_sources, take_in
from trainyard.errors import TrainyardError

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None

MAX_MEMORY = 6 * 1024**3  # a directory of 500,000 entries takes some hundred MiB, a COCO json as much
NOT_A_DATASET = 4


def main() -> int:
    given = _arguments()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    if given.heed_stdin:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    decoder = Decoder(given.max_pixels, given.picture_seconds)
    try:
        with _readable(given.path, given.max_unpacked) as path:
            check(path, given.sha256, given.index, decoder, given.max_unpacked, _say)
    except TrainyardError as error:
        _say({"refused": error.message, "hint": error.hint})
        return NOT_A_DATASET
    finally:
        decoder.close()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trainyard.datasets.check")
    parser.add_argument("path", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--sha256", default="")
    parser.add_argument("--max-pixels", type=int, required=True)
    parser.add_argument("--max-unpacked", type=int, default=100 * 2**30)
    parser.add_argument("--picture-seconds", type=float, default=SECONDS)
    parser.add_argument("--heed-stdin", action="store_true", help="end when stdin ends")
    return parser.parse_args()


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when this process ends by itself
        pass
    os._exit(1)  # the decoder reads the end of its own stdin


@contextmanager
def _readable(path: Path, max_unpacked: int) -> Generator[Path]:
    """The zip itself; of a COCO dataset a copy that trainers could read."""
    with open_archive(path, max_unpacked) as archive:
        is_coco = bool(coco_sources(archive))
    if not is_coco:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="trainyard-") as folder:
        copy = Path(folder) / "dataset.zip"
        shutil.copyfile(path, copy)
        take_in(copy, max_unpacked)
        yield copy


if __name__ == "__main__":
    raise SystemExit(main())
