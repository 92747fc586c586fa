"""Files on their way to the backend: folders packed into a zip, everything sent with a bar that says how far it is."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from trainyard.cli.client import Client, Refused
from trainyard.cli.console import err
from trainyard.errors import InvalidInput, Unavailable

PIECE = 8 * 1024 * 1024
MOST_BREAKS = 20  # in a row, without a piece that arrived
FINISH_SECONDS = 3600.0  # it is checked and stored before that is answered
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


def send_in_pieces(client: Client, file: Path, sent: Callable[[int], None], **wanted: Any) -> Any:
    """Upload a dataset so that a connection that breaks, or a backend that is started again, costs one piece."""
    size = file.stat().st_size
    begun = client.post("/v1/uploads", {"bytes": size, "file_name": file.name[:255], **wanted})
    at, offset, breaks = f"/v1/uploads/{begun['id']}", 0, 0
    with file.open("rb") as source:
        while offset < size:
            source.seek(offset)
            piece = source.read(PIECE)
            headers = {"Content-Type": "application/octet-stream", "Upload-Offset": str(offset)}
            try:
                told = client.request("PATCH", at, content=piece, headers=headers)
                breaks = 0
            except (Unavailable, Refused) as error:
                breaks += 1
                if breaks > MOST_BREAKS or (isinstance(error, Refused) and error.code != "wrong_offset"):
                    raise
                told = client.get(at)  # waits for a backend that is being started again
            sent(told["offset"] - offset)
            offset = told["offset"]
    return client.request("POST", f"{at}/finish", repeat=True, timeout=FINISH_SECONDS)


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err(), transient=True, disable=not err().is_terminal)
