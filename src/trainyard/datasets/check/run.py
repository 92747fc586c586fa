"""Looks at every picture and label of a zip, one after another, and tells how far it is.

Blocking. Its memory does not grow with what is in the pictures: one at a time is unpacked, and opened elsewhere.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZipInfo

from trainyard.datasets.archive import BROKEN, LOCAL_HEADER, Archive, open_archive
from trainyard.datasets.check.decoder import Decoder, Seen, Unreadable
from trainyard.datasets.check.index import IndexWriter, Place, Row
from trainyard.datasets.check.labels import Box, read_labels
from trainyard.datasets.check.plan import Item, Plan, make_plan
from trainyard.datasets.check.report import Code, Findings, Severity
from trainyard.datasets.inspect import inspect

SAY_SECONDS = 0.5
LARGEST_FILE = 64 * 1024 * 1024  # of a picture
LARGEST_LABEL = 4 * 1024 * 1024
# no dataset keeps a machine busy for days, and others waiting; a million photos are within it
MOST_SLOW = 20
MOST_SECONDS = 4 * 3600.0

Say = Callable[[dict[str, Any]], None]


def check(path: Path, sha256: str, index: Path | None, decoder: Decoder, max_unpacked: int, say: Say) -> None:
    """Says {"done", "pictures", "errors", "warnings"} now and then, and at last {"report", "refusals"} too. The rows go
    to `index`, a file that is not there yet. Raises InvalidInput where the zip is no dataset."""
    began = time.monotonic()
    inspect(path, max_unpacked)  # what is said of a zip that would not be taken at all
    with open_archive(path, max_unpacked) as archive, path.open("rb") as file:
        plan = make_plan(archive)
        findings = Findings(plan.task, plan.classes, plan.splits)
        for name in plan.stray:
            findings.found(Code.UNKNOWN_FILE, None, name, Severity.WARNING)
        writer = IndexWriter(index) if index is not None else None
        look, told = _Look(archive, file, plan, findings, decoder), 0.0
        for number, item in enumerate(plan.items):
            if time.monotonic() - told > SAY_SECONDS:
                told = time.monotonic()
                say(_far(number, plan, findings))
            row = look.at(number, item)
            if writer is not None:
                writer.add(row)
    refusals = findings.judge()
    if writer is not None:
        writer.close({"sha256": sha256})
    report = findings.report(time.monotonic() - began, time.time())
    say(_far(len(plan.items), plan, findings) | {"report": report, "refusals": refusals})


def _far(done: int, plan: Plan, findings: Findings) -> dict[str, Any]:
    counts = {"errors": findings.errors, "warnings": findings.warnings}
    return {"done": done, "pictures": len(plan.items), **counts}


class _Look:
    """At one picture after another."""

    def __init__(self, archive: Archive, file: BinaryIO, plan: Plan, findings: Findings, decoder: Decoder) -> None:
        self._archive = archive
        self._file = file
        self._plan = plan
        self._findings = findings
        self._decoder = decoder
        self._slow, self._seconds = 0, 0.0

    def at(self, number: int, item: Item) -> Row:
        problems: list[Code] = []
        seen, enough = None, self._enough()
        if enough:  # its labels are looked at all the same
            problems.append(Code.NOT_CHECKED)
            self._findings.found(Code.NOT_CHECKED, item.split, item.name, Severity.WARNING, why=enough)
        elif isinstance(seen := self._seen(item), Unreadable):
            problems.append(Code.PICTURE_TOO_LARGE if seen.large else Code.UNREADABLE_PICTURE)
            self._findings.found(problems[0], item.split, item.name, why=f"the first, {item.name}: {seen.why}")
        else:
            size = (seen.width, seen.height)
            problems += self._findings.seen(item.name, item.split, *size, seen.format, seen.hash)
        readable = seen if isinstance(seen, Seen) else None
        boxes, kinds = self._labels(item, readable, problems)
        self._findings.picture(item.split, kinds, readable=not isinstance(seen, Unreadable))
        labels: list[tuple[str, list[float] | None]] = [
            (self._plan.classes[box.kind], [box.left, box.top, box.right, box.bottom]) for box in boxes
        ]
        if item.kind is not None:
            labels = [(self._plan.classes[item.kind], None)]
        width, height = (readable.width, readable.height) if readable else (None, None)
        problems = list(dict.fromkeys(problems))
        return Row(number, item.name, item.split, width, height, labels, [*problems], self._place(item.name))

    def _enough(self) -> str:
        """Why no more pictures are opened; empty: they are."""
        if self._slow >= MOST_SLOW:
            return f"{self._slow} before them took too long each"
        return f"those before them took {self._seconds / 3600:.1f} hours" if self._seconds >= MOST_SECONDS else ""

    def _seen(self, item: Item) -> Seen | Unreadable:
        info = self._archive.files[item.name]
        if info.file_size > LARGEST_FILE:
            return Unreadable(f"it holds {info.file_size:,} bytes, more than {LARGEST_FILE:,}", large=True)
        try:
            data = self._archive.zip.read(info)
        except (*BROKEN, RuntimeError) as error:
            return Unreadable(f"it is damaged in the zip ({str(error)[:80]})")
        if not data:
            return Unreadable("the file is empty")
        began = time.monotonic()
        seen = self._decoder.look(data)
        self._seconds += time.monotonic() - began
        self._slow += isinstance(seen, Unreadable) and seen.slow
        return seen

    def _labels(self, item: Item, seen: Seen | None, problems: list[Code]) -> tuple[list[Box], list[int] | None]:
        """Boxes, and the class of each label; None where nothing says what is on the picture."""
        if item.label is None:
            return [], [item.kind or 0]
        if item.label not in self._archive.files:
            problems.append(Code.MISSING_LABEL)
            self._findings.found(Code.MISSING_LABEL, item.split, item.name, Severity.WARNING)
            return [], None
        try:
            text = self._archive.zip.read(self._small(item.label)).decode("utf-8-sig")
        except (*BROKEN, RuntimeError, UnicodeError) as error:
            problems.append(Code.LABEL_UNREADABLE)
            self._findings.found(Code.LABEL_UNREADABLE, item.split, item.label, why=str(error)[:120])
            return [], None
        found = read_labels(text, len(self._plan.classes))
        for fault in found.faults:
            problems.append(fault.code)
            self._findings.found(fault.code, item.split, f"{item.label}:{fault.line}", fault.severity)
        if seen is not None and any(_is_a_dot(box, seen) for box in found.boxes):
            problems.append(Code.BOX_DEGENERATE)
            self._findings.found(Code.BOX_DEGENERATE, item.split, item.label, Severity.WARNING)
        kinds = [box.kind for box in found.boxes]
        return found.boxes, kinds if kinds or not found.faults else None

    def _small(self, name: str) -> ZipInfo:
        info = self._archive.files[name]
        if info.file_size > LARGEST_LABEL:
            raise ValueError(f"it holds {info.file_size:,} bytes, more than {LARGEST_LABEL:,}")
        return info

    def _place(self, name: str) -> Place:
        """Behind its own header, whose length only that says; it was compared with the directory when it was opened."""
        info = self._archive.files[name]
        self._file.seek(info.header_offset)
        *_, name_length, extra_length = LOCAL_HEADER.unpack(self._file.read(LOCAL_HEADER.size))
        start = info.header_offset + LOCAL_HEADER.size + name_length + extra_length
        return Place(start, info.compress_size, info.file_size, info.compress_type)


def _is_a_dot(box: Box, seen: Seen) -> bool:
    """Less than a pixel."""
    return (box.right - box.left) * seen.width < 1 or (box.bottom - box.top) * seen.height < 1
