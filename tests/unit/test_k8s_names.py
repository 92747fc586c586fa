"""Names and labels are valid and apart whatever they are made from: row S9."""

import re

from hypothesis import given
from hypothesis import strategies as st

from trainyard.executors.base import RunId
from trainyard.executors.kubernetes.names import code_name, job_name, label_value, labels, secret_name, selector

DNS_1035 = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")  # a Service's name, the strictest
LABEL = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
LABEL_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
ANYTHING = st.text(max_size=300)
RUNS = st.builds(RunId, job_id=ANYTHING, attempt=st.integers(1, 10_000), trace_id=ANYTHING)


def test_a_job_of_ours_keeps_its_id_in_every_name() -> None:
    run = RunId("dev-20261121-101112-abcd", 1, "f00d")
    assert job_name(run) == "training-dev-20261121-101112-abcd"
    assert code_name(run) == "training-code-dev-20261121-101112-abcd"
    assert secret_name(run) == "training-secret-dev-20261121-101112-abcd"
    assert selector(run) == {"trainyard/job-id": "dev-20261121-101112-abcd", "trainyard/attempt": "1"}


def test_a_relaunch_has_names_of_its_own() -> None:
    """The first attempt's objects may still be on their way out."""
    run = RunId("job-20261121-101112-abcd", 3, "f00d")
    assert job_name(run) == "training-job-20261121-101112-abcd-3"
    assert code_name(run).endswith("abcd-3")
    assert labels(run, "sklearn")["app.kubernetes.io/instance"] == job_name(run)


def test_the_longest_id_there_may_be_is_not_cut() -> None:
    longest = "local-20261121-101112-" + "z" * 18
    assert len(longest) == 40
    for name in (job_name, code_name, secret_name):
        assert longest in name(RunId(longest, 99, "t"))


@given(RUNS)
def test_names_are_valid_whatever_the_id(run: RunId) -> None:
    for name in (job_name(run), code_name(run), secret_name(run)):
        assert DNS_1035.fullmatch(name), name
        assert len(f"{name}-255") <= 63  # the host name of a Job's pod with an index


@given(RUNS, ANYTHING)
def test_labels_are_valid_whatever_the_text(run: RunId, framework: str) -> None:
    for key, value in labels(run, framework).items():
        assert LABEL_NAME.fullmatch(key)
        assert LABEL.fullmatch(value), value


@given(ANYTHING, ANYTHING)
def test_two_texts_never_become_one_label_or_name(one: str, other: str) -> None:
    apart = one != other
    assert (label_value(one) != label_value(other)) == apart
    assert (job_name(RunId(one, 1, "t")) != job_name(RunId(other, 1, "t"))) == apart


def test_texts_that_are_labels_already_stay_and_others_are_marked() -> None:
    assert label_value("yolo11n_v2.1") == label_value("yolo11n_v2.1") == "yolo11n_v2.1"
    assert re.fullmatch(r"My-cats-[0-9a-f]{8}", label_value("My cats!"))
    assert re.fullmatch(r"[0-9a-f]{8}", label_value("고양이"))
    assert len(label_value("a" * 300)) == 63
