"""`trainyard predict`: show pictures to a job's checkpoint, and see what it finds in them."""

import base64
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from trainyard.cli.client import Client, Refused
from trainyard.cli.console import duration, err, out, print_json
from trainyard.cli.console import size as bytes_of
from trainyard.cli.fit import Column, print_table
from trainyard.cli.which_job import find_job
from trainyard.errors import InvalidInput
from trainyard.settings import Settings, load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MOST_AT_ONCE = 16
SLACK = 64 * 1024  # what stands in a request besides its pictures
AGAIN_SECONDS = 2.0
SCORES = 5


@app.command()
def predict(
    job: Annotated[str, typer.Argument(help="Its id, a beginning or end of it, or `last`.")],
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="Files, or folders with pictures.")],
    confidence: Annotated[
        float | None, typer.Option(min=0, max=1, help="Leave out what is less sure. Default: the trainer's.")
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="best, last or epoch-N. Default: best, or last if there is none.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the pictures there, with what was found drawn on them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show pictures to a job's checkpoint.

    Example: trainyard predict last street.jpg --save found
    """
    settings = load_settings()
    files = list(_files(pictures))
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
    wanted = {"confidence": confidence, "checkpoint": checkpoint, "overlay": save is not None}
    shown: list[dict[str, Any]] = []
    with Client(settings) as client:
        found = find_job(client, job)
        path = f"/v1/jobs/{found['id']}/predict"
        for batch in _batches(files, settings):
            answer = _ask(client, path, wanted | {"pictures": [_sent(file) for file in batch]}, settings)
            for one in _by_picture(answer, batch):
                one["saved"] = _save(save, one) if save else None
                shown.append(one)
                if not as_json:
                    _print(one)
            if not as_json and batch[-1] == files[-1]:
                _print_end(answer, len(files))
    if as_json:
        print_json({"job": found["id"], "pictures": [_told(one) for one in shown]})


# -- pictures -------------------------------------------------------------------------------------------------------


def _files(given: Sequence[Path]) -> Iterator[Path]:
    """Each file once, in the order given; of a folder its pictures by name. Raises InvalidInput."""
    seen: set[Path] = set()
    for path in given:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES and one.is_file())
            if not inside:
                raise InvalidInput(f"{path} holds no pictures.", hint=f"Looked for {' '.join(SUFFIXES)}.")
        elif path.is_file():
            inside = [path]
        else:
            raise InvalidInput(f"There is no {path}.", hint="Give pictures, or folders with pictures.", field="PICTURE")
        for file in inside:
            if file not in seen:
                seen.add(file)
                yield file


def _batches(files: Sequence[Path], settings: Settings) -> Generator[list[Path]]:
    """As many at once as a request may hold."""
    most = settings.max_predict_mb * 2**20 - SLACK
    batch: list[Path] = []
    size = 0
    for file in files:
        coded = file.stat().st_size * 4 // 3 + 1000
        if coded > most:
            raise InvalidInput(
                f"{file} is too large to be sent ({bytes_of(file.stat().st_size)}).",
                hint="Make it smaller, or raise TRAINYARD_MAX_PREDICT_MB here and at the backend.",
            )
        if batch and (len(batch) == MOST_AT_ONCE or size + coded > most):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += coded
    yield batch


def _sent(file: Path) -> dict[str, str]:
    name = "".join(letter if letter.isprintable() else "?" for letter in file.name)
    return {"name": name[:300], "data": base64.b64encode(file.read_bytes()).decode()}


# -- asking ---------------------------------------------------------------------------------------------------------


def _ask(client: Client, path: str, body: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Waits while the trainer's environment is made, saying how far that is."""
    said = ""
    while True:
        try:
            return client.post(path, body, timeout=settings.predict_seconds + 60)
        except Refused as error:
            if error.code != "preparing":
                raise
            if error.message != said:
                err().print(escape(error.message))
            said = error.message
        time.sleep(AGAIN_SECONDS)


def _by_picture(answer: dict[str, Any], batch: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for number, (file, picture) in enumerate(zip(batch, answer["pictures"], strict=True)):
        mine = [one for one in answer["predictions"] if one["picture"] == number]
        yield {"file": file, "checkpoint": answer["checkpoint"], "predictions": mine, **picture}


def _save(folder: Path, one: dict[str, Any]) -> Path:
    """Beside whatever is there already: a file is never overwritten."""
    data = base64.b64decode(one["overlay"].partition(",")[2])
    number = 1
    while True:
        path = folder / f"{one['file'].stem}-predicted{f'-{number}' if number > 1 else ''}.jpg"
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            number += 1
            continue
        return path


# -- showing --------------------------------------------------------------------------------------------------------


def _print(one: dict[str, Any]) -> None:
    out().print(f"[bold]{escape(str(one['file']))}[/]  [dim]{one['width']}x{one['height']}[/]")
    found: list[dict[str, Any]] = one["predictions"]
    if not found:
        out().print("  nothing found")
    elif any(prediction["box"] for prediction in found):
        columns = [
            Column("  found", [f"  {prediction['label']}" for prediction in found]),
            Column(">sure", [_percent(prediction["confidence"]) for prediction in found]),
            Column(">left, top, right, bottom", [_box(prediction["box"]) for prediction in found], 1),
        ]
        print_table(out(), columns)
    else:
        best = found[0]
        scores: dict[str, float] = best["scores"] or {best["label"]: best["confidence"]}
        ranked = sorted(scores.items(), key=lambda pair: -pair[1])[:SCORES]
        columns = [
            Column("  class", [f"  {label}" for label, _ in ranked]),
            Column(">sure", [_percent(score) for _, score in ranked]),
        ]
        print_table(out(), columns)
    if one["saved"]:
        out().print(f"  → {escape(str(one['saved']))}")


def _print_end(answer: dict[str, Any], count: int) -> None:
    model = answer["seconds"]["model"]
    spent = f"the last request took {duration(answer['seconds']['total'])}"
    spent += "" if model is None else f", the model {duration(model)} of it"
    note = f" {answer['note']}" if answer["note"] else ""
    pictures = "1 picture" if count == 1 else f"{count} pictures"
    err().print(f"[dim]{pictures} shown to {answer['checkpoint']}; {spent}.{note}[/]")


def _told(one: dict[str, Any]) -> dict[str, Any]:
    predictions = [
        {name: prediction[name] for name in ("label", "confidence", "box", "scores") if prediction[name] is not None}
        for prediction in one["predictions"]
    ]
    kept = {name: one[name] for name in ("file", "checkpoint", "width", "height")}
    return kept | {"predictions": predictions, "saved": one["saved"]}


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _box(box: Sequence[float] | None) -> str:
    return "" if box is None else ", ".join(f"{side:.0f}" for side in box)
