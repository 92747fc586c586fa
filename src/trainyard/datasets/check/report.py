"""What is found in a dataset, added up picture by picture, and judged at the end. Pure; its memory is bounded by the
number of pictures (a hash of 16 bytes each), not by what is in them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trainyard.contract.vocabulary import Task

SHOWN_FILES = 20
IMBALANCED = 10  # so many times more of one class than of another


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Code(StrEnum):
    UNREADABLE_PICTURE = "unreadable_picture"
    LABEL_UNREADABLE = "label_unreadable"
    CLASS_OUT_OF_RANGE = "class_out_of_range"
    BOX_OUTSIDE = "box_outside"
    BOX_DEGENERATE = "box_degenerate"
    MISSING_LABEL = "missing_label"
    DUPLICATE_INSIDE = "duplicate_inside"
    DUPLICATE_ACROSS = "duplicate_across"
    NO_VALIDATION = "no_validation"
    EMPTY_VALIDATION = "empty_validation"
    CLASS_MISSING = "class_missing"
    IMBALANCE = "imbalance"
    PICTURE_TOO_LARGE = "picture_too_large"
    NOT_CHECKED = "not_checked"
    UNKNOWN_FILE = "unknown_file"


WORDS = {
    Code.UNREADABLE_PICTURE: "Pictures that can't be read",
    Code.LABEL_UNREADABLE: "Label lines that are no `class x y width height`",
    Code.CLASS_OUT_OF_RANGE: "Labels of a class that the dataset does not name",
    Code.BOX_OUTSIDE: "Boxes that leave their picture",
    Code.BOX_DEGENERATE: "Boxes without width or height",
    Code.MISSING_LABEL: "Pictures without a label file, which trainers take as empty",
    Code.DUPLICATE_INSIDE: "Pictures that are there twice",
    Code.DUPLICATE_ACROSS: "Pictures that are in another split too, so that what is measured is too good to be true",
    Code.PICTURE_TOO_LARGE: "Pictures that are too large",
    Code.NOT_CHECKED: "Pictures that were not opened, so that nobody knows whether they can be read",
    Code.UNKNOWN_FILE: "Files that belong to no picture, or pictures that belong to no split",
}


@dataclass(slots=True)
class Problem:
    code: Code
    severity: Severity
    split: str | None
    count: int = 0
    message: str = ""
    why: str = ""  # of the first
    files: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Split:
    pictures: int = 0
    readable: int = 0
    labelled: int = 0
    empty: int = 0
    boxes: int = 0


class Findings:
    """`found` for whatever is wrong with a file, `picture` once for each; `report` at the end."""

    def __init__(self, task: Task, classes: list[str], splits: Iterable[str]) -> None:
        self.task = task
        self.classes = classes
        self.splits = {split: Split() for split in splits}
        self.problems: dict[tuple[Code, Severity, str | None], Problem] = {}
        self._pictures: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._boxes: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._formats: Counter[str] = Counter()
        self._sizes: Counter[tuple[int, int]] = Counter()
        self._seen: dict[bytes, tuple[str, str]] = {}

    # -- one by one ------------------------------------------------------------------------------------------------

    def found(
        self,
        code: Code,
        split: str | None,
        file: str = "",
        severity: Severity = Severity.ERROR,
        *,
        why: str = "",
        count: int = 1,
    ) -> None:
        problem = self.problems.setdefault((code, severity, split), Problem(code, severity, split, why=why))
        problem.count += count
        if file and len(problem.files) < SHOWN_FILES:
            problem.files.append(file)

    def picture(self, split: str, kinds: list[int] | None, *, readable: bool) -> None:
        """`kinds`: of each label it has; None where nothing says what is on it."""
        counts = self.splits[split]
        counts.pictures += 1
        counts.readable += readable
        if kinds is None or not readable:
            return
        counts.labelled += bool(kinds)
        counts.empty += not kinds
        self._pictures[split].update(set(kinds))
        if self.task is Task.DETECT:
            counts.boxes += len(kinds)
            self._boxes[split].update(kinds)

    def seen(self, name: str, split: str, width: int, height: int, format: str, digest: bytes) -> list[Code]:
        """A picture that could be read. Says whether the very same pixels were there before."""
        self._formats[format] += 1
        self._sizes[width, height] += 1
        where, twin = self._seen.setdefault(digest, (split, name))
        if twin == name and where == split:
            return []
        code = Code.DUPLICATE_INSIDE if where == split else Code.DUPLICATE_ACROSS
        severity = Severity.WARNING if where == split else Severity.ERROR
        same = f"the first is {name}, the same as {twin}" if name != twin else f"{name} is in {where} too"
        self.found(code, split, name, severity, why=same)
        return [code]

    @property
    def errors(self) -> int:
        return sum(problem.count for problem in self.problems.values() if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> int:
        return sum(problem.count for problem in self.problems.values() if problem.severity is Severity.WARNING)

    # -- all together ----------------------------------------------------------------------------------------------

    @property
    def learnt(self) -> str:
        """The split that is learnt from: "all" where there are none."""
        return "train" if "train" in self.splits else "all"

    def judge(self) -> list[str]:
        """Adds what can be said only of all pictures; returns why no training can succeed. Call it once."""
        self._judge_validation()
        self._judge_classes()
        return self._refusals()

    def _judge_validation(self) -> None:
        if "val" not in self.splits:
            self._said(
                Code.NO_VALIDATION, None, "There is no validation split: a fifth of the pictures is drawn for it."
            )
        elif not self.splits["val"].readable:
            self._said(Code.EMPTY_VALIDATION, "val", "No picture for validation can be read.", severity=Severity.ERROR)
        elif not self.splits["val"].labelled:
            message = "No picture for validation has a label: nothing can be measured on it."
            self._said(Code.EMPTY_VALIDATION, "val", message, severity=Severity.ERROR)

    def _judge_classes(self) -> None:
        of = self._boxes if self.task is Task.DETECT else self._pictures
        for split in (self.learnt, "val"):
            missing = [name for kind, name in enumerate(self.classes) if not of[split][kind]]
            if split in self.splits and missing and self.splits[split].labelled:
                listed = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
                message = f"{split} holds nothing of {len(missing):,} of {len(self.classes):,} classes: {listed}."
                self._said(Code.CLASS_MISSING, split, message, count=len(missing))
        counts = [(count, self.classes[kind]) for kind, count in of[self.learnt].items()]
        most, least = max(counts, default=(0, "")), min(counts, default=(0, ""))
        if least[0] and most[0] >= IMBALANCED * least[0]:
            message = f"{self.learnt} holds {most[0]:,} of {most[1]}, but {least[0]:,} of {least[1]}."
            self._said(Code.IMBALANCE, self.learnt, message)

    def _said(
        self, code: Code, split: str | None, message: str, *, count: int = 1, severity: Severity = Severity.WARNING
    ) -> None:
        self.problems[code, severity, split] = Problem(code, severity, split, count, message)

    def _refusals(self) -> list[str]:
        """Only what surely ends every training: a trainer may well leave out a picture or two."""
        why: list[str] = []
        learnt = self.splits.get(self.learnt, Split())
        if not learnt.readable:
            why.append("No picture for training can be read.")
        elif self.task is Task.DETECT and not learnt.boxes:
            why.append("No picture for training has a box that can be used.")
        elif self.task is Task.CLASSIFY and len(self._pictures[self.learnt]) < 2:
            why.append("Fewer than two classes have pictures for training that can be read.")
        if "val" in self.splits and not self.splits["val"].readable:
            why.append("No picture for validation can be read.")
        for (code, _, split), problem in self.problems.items():
            if code is Code.CLASS_OUT_OF_RANGE and split in (self.learnt, "val"):
                where = f"{problem.files[0]}, for one" if problem.files else split
                why.append(
                    f"Labels in {split} are of classes that data.yaml does not name: {problem.count:,} ({where})."
                )
        return why

    def report(self, seconds: float, checked_at: float) -> dict[str, Any]:
        every = sum(split.pictures for split in self.splits.values())
        order = sorted(self.problems.values(), key=lambda one: (one.severity, -one.count, one.code))
        return {
            "problems": [_shown(problem) for problem in order],
            "splits": {
                name: {
                    **{part: getattr(split, part) for part in ("pictures", "labelled", "empty", "boxes")},
                    "share": round(split.pictures / every, 4) if every else 0.0,
                }
                for name, split in self.splits.items()
            },
            "classes": [
                {
                    "id": kind,
                    "name": name,
                    "pictures": self._of(self._pictures, kind),
                    "boxes": self._of(self._boxes, kind),
                }
                for kind, name in enumerate(self.classes)
            ],
            "formats": dict(self._formats.most_common()),
            "sizes": self._spread(),
            "seconds": round(seconds, 2),
            "checked_at": checked_at,
        }

    def _of(self, counts: dict[str, Counter[int]], kind: int) -> dict[str, int]:
        return {split: counts[split][kind] for split in self.splits if split in counts and counts[split][kind]}

    def _spread(self) -> dict[str, list[int]] | None:
        """By area: the smallest, the one in the middle, the largest."""
        order = sorted(self._sizes, key=lambda size: (size[0] * size[1], size))
        if not order:
            return None
        middle, passed = self._sizes.total() / 2, 0
        for size in order:
            passed += self._sizes[size]
            if passed >= middle:
                return {"min": list(order[0]), "median": list(size), "max": list(order[-1])}
        raise AssertionError("half of the pictures are passed at the end")


def _shown(problem: Problem) -> dict[str, Any]:
    where = f" ({problem.split})" if problem.split else ""
    why = f"; {problem.why}" if problem.why else ""
    message = problem.message or f"{WORDS[problem.code]}{where}: {problem.count:,}{why}."
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": message,
        "count": problem.count,
        "split": problem.split,
        "files": problem.files,
    }
