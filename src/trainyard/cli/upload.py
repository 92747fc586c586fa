"""Files on their way to the backend: folders packed into a zip, everything sent with a bar that says how far it is."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from trainyard.cli.console import err
from trainyard.errors import InvalidInput

PACKED = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".mp4", ".zip", ".gz"}  # gain nothing from being packed again


def pack(folder: Path, target: Path, *, compress: bool = True) -> None:
    """All files below it but hidden ones. Raises InvalidInput where there are none."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not _hidden(file.relative_to(folder))]
    if not files:
        raise InvalidInput(f"{folder} holds no files.", hint="Look whether it is the right one.", field="PATH")
    sizes = [file.stat().st_size for file in files]
    with _progress() as progress, zipfile.ZipFile(target, "w", strict_timestamps=False) as archive:
        task = progress.add_task("Packing", total=sum(sizes))
        for file, count in zip(files, sizes, strict=True):
            plain = not compress or file.suffix.lower() in PACKED
            archive.write(file, file.relative_to(folder), zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED)
            progress.advance(task, count)


def send(file: Path, afterwards: str, upload: Callable[[Callable[[int], None]], Any]) -> Any:
    """Call `upload` with what hears of every piece; `afterwards` is what the backend does once it has them all."""
    with _progress() as progress:
        task = progress.add_task("Uploading", total=file.stat().st_size)

        def sent(count: int) -> None:
            progress.advance(task, count)
            if progress.finished:
                progress.update(task, description=afterwards)

        return upload(sent)


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err(), transient=True, disable=not err().is_terminal)
