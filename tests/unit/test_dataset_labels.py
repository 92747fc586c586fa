"""What is wrong with a line of a label file, and what all lines together say of a dataset."""

import pytest

from trainyard.contract.vocabulary import Task
from trainyard.datasets.check.labels import Box, read_labels
from trainyard.datasets.check.report import Code, Findings, Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING


def test_boxes_and_outlines_become_corners() -> None:
    assert read_labels("0 .5 .5 .4 .2\n\n1 0.5 0.5 1 1\n", 2).boxes == [Box(0, 0.3, 0.4, 0.7, 0.6), Box(1, 0, 0, 1, 1)]
    assert read_labels("1 .1 .2 .5 .9 .3 .4", 2).boxes == [Box(1, 0.1, 0.2, 0.5, 0.9)]
    assert read_labels("\n \n", 2).boxes == read_labels("", 2).faults == []
    assert read_labels("0.0 .5 .5 .4 .2", 1).faults == []  # some exports write 0.0


@pytest.mark.parametrize(
    ("line", "code", "severity"),
    [
        ("cat .5 .5 .4 .4", Code.LABEL_UNREADABLE, ERROR),
        ("0 .5 .5 .4", Code.LABEL_UNREADABLE, ERROR),
        ("0 .5 .5 .4 .4 .9", Code.LABEL_UNREADABLE, ERROR),
        ("0 .1 .2 .5 .9 .3 .4 .5", Code.LABEL_UNREADABLE, ERROR),  # half a point
        ("0 nan .5 .4 .4", Code.LABEL_UNREADABLE, ERROR),
        ("0 1e999 .5 .4 .4", Code.LABEL_UNREADABLE, ERROR),
        ("0.5 .5 .5 .4 .4", Code.LABEL_UNREADABLE, ERROR),
        ("2 .5 .5 .4 .4", Code.CLASS_OUT_OF_RANGE, ERROR),
        ("-1 .5 .5 .4 .4", Code.CLASS_OUT_OF_RANGE, ERROR),
        ("99999999999999999999 .5 .5 .4 .4", Code.CLASS_OUT_OF_RANGE, ERROR),
        ("0 120 80 40 30", Code.BOX_OUTSIDE, ERROR),  # in pixels
        ("0 -.2 .5 .4 .4", Code.BOX_OUTSIDE, ERROR),
        ("0 .9 .5 .4 .4", Code.BOX_OUTSIDE, WARNING),  # its middle is inside: trainers cut it
        ("0 .5 .5 0 .4", Code.BOX_DEGENERATE, ERROR),
        ("0 .5 .5 .4 -.4", Code.BOX_DEGENERATE, ERROR),
        ("0 .5 .5 .5 .5 .5 .5", Code.BOX_DEGENERATE, ERROR),  # an outline of one point
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(line: str, code: Code, severity: Severity) -> None:
    found = read_labels(f"0 .5 .5 .4 .4\n{line}\n" if line.count(" ") < 6 else line, 2)
    assert [(fault.code, fault.severity) for fault in found.faults] == [(code, severity)]
    if line.count(" ") < 6:
        assert found.faults[0].line == 2


def test_a_box_that_leaves_the_picture_a_little_is_cut_without_a_word() -> None:
    found = read_labels("0 .5 .5 1.01 1.005", 1)
    assert (found.boxes, found.faults) == ([Box(0, 0, 0, 1, 1)], [])


def test_boxes_and_outlines_in_one_file_are_what_trainers_refuse() -> None:
    found = read_labels("0 .5 .5 .4 .4\n0 .1 .2 .5 .9 .3 .4", 1)
    assert [(fault.code, fault.line) for fault in found.faults] == [(Code.LABEL_UNREADABLE, 2)]


def findings(task: Task = Task.DETECT, splits: tuple[str, ...] = ("train", "val")) -> Findings:
    return Findings(task, ["cat", "dog"], splits)


def codes(found: Findings) -> set[tuple[str, str]]:
    return {(code, severity) for code, severity, _ in found.problems}


def test_a_sound_dataset_is_ready_and_nothing_is_said() -> None:
    found = findings()
    for split in ("train", "val"):
        found.picture(split, [0, 1], readable=True)
        found.picture(split, [], readable=True)
    assert found.judge() == []
    assert codes(found) == set()
    report = found.report(1.0, 2.0)
    assert report["splits"]["train"] == {"pictures": 2, "labelled": 1, "empty": 1, "boxes": 2, "share": 0.5}
    assert report["classes"][1] == {
        "id": 1,
        "name": "dog",
        "pictures": {"train": 1, "val": 1},
        "boxes": {"train": 1, "val": 1},
    }


Shown = list[tuple[str, list[int] | None, bool]]  # split, classes, whether it can be read
DOOMED: list[tuple[Shown, str]] = [
    ([("val", [0], True)], "No picture for training can be read."),
    ([("train", [0], False), ("val", [0], True)], "No picture for training can be read."),
    ([("train", [], True), ("train", None, True), ("val", [0], True)], "has a box that can be used"),
    ([("train", [0], True), ("val", [0], False)], "No picture for validation can be read."),
]


@pytest.mark.parametrize(("pictures", "reason"), DOOMED)
def test_what_surely_ends_a_training_refuses_it(
    pictures: list[tuple[str, list[int] | None, bool]], reason: str
) -> None:
    found = findings()
    for split, kinds, readable in pictures:
        found.picture(split, kinds, readable=readable)
    assert any(reason in said for said in found.judge()), reason


def test_class_ids_over_the_count_refuse_with_the_file() -> None:
    found = findings()
    for split in ("train", "val"):
        found.picture(split, [0, 1], readable=True)
    found.found(Code.CLASS_OUT_OF_RANGE, "train", "labels/train/7.txt:3")
    (reason,) = found.judge()
    assert "labels/train/7.txt:3" in reason


def test_folders_without_validation_are_ready_with_a_warning() -> None:
    found = findings(Task.CLASSIFY, ("all",))
    found.picture("all", [0], readable=True)
    found.picture("all", [1], readable=True)
    assert found.judge() == []
    assert codes(found) == {(Code.NO_VALIDATION, WARNING)}
    one = findings(Task.CLASSIFY, ("train", "val"))
    one.picture("train", [0], readable=True)
    one.picture("train", [1], readable=False)
    one.picture("val", [0], readable=True)
    assert "Fewer than two classes" in one.judge()[0]


def test_balance_and_classes_that_are_nowhere_are_said() -> None:
    found = findings()
    for _ in range(20):
        found.picture("train", [0], readable=True)
    found.picture("train", [1, 1], readable=True)
    found.picture("val", [0], readable=True)
    found.judge()
    said = {problem["code"]: problem for problem in found.report(0, 0)["problems"]}
    assert said[Code.IMBALANCE]["message"] == "train holds 20 of cat, but 2 of dog."
    assert (said[Code.CLASS_MISSING]["split"], said[Code.CLASS_MISSING]["count"]) == ("val", 1)
    assert "dog" in said[Code.CLASS_MISSING]["message"]


def test_duplicates_are_told_apart_by_their_split() -> None:
    found = findings()
    assert found.seen("a.png", "train", 4, 4, "PNG", b"1") == []
    assert found.seen("b.png", "train", 4, 4, "JPEG", b"1") == [Code.DUPLICATE_INSIDE]
    assert found.seen("c.png", "val", 4, 4, "PNG", b"1") == [Code.DUPLICATE_ACROSS]
    assert found.seen("d.png", "val", 9, 9, "PNG", b"2") == []
    assert (found.errors, found.warnings) == (1, 1)
    assert found.report(0, 0)["sizes"] == {"min": [4, 4], "median": [4, 4], "max": [9, 9]}


def test_only_the_first_files_are_named_and_all_are_counted() -> None:
    found = findings()
    for number in range(50):
        found.found(Code.UNREADABLE_PICTURE, "train", f"{number}.png", why="the first: cut off")
    (problem,) = found.report(0, 0)["problems"]
    assert (problem["count"], len(problem["files"])) == (50, 20)
    assert problem["message"] == "Pictures that can't be read (train): 50; the first: cut off."
