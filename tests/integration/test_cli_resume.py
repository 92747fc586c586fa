"""`trainyard resume`, `--keep-epochs`, and what `trainyard jobs` shows of parents, children and many events."""

import re
from pathlib import Path

import pytest

from tests.integration.test_resume import finished, interrupted
from tests.real.backend import Backend
from tests.real.shell import Shell


@pytest.fixture
def shell(shared: Backend, tmp_path: Path) -> Shell:
    return Shell(shared, tmp_path)


def test_resume_goes_on_with_the_job_meant_and_is_watched_to_its_end(shell: Shell) -> None:
    parent = interrupted(shell.backend, epochs=6, after=4)
    said = shell.run("resume", "last", "--watch", "--set", "epoch_seconds=0.01")
    child = shell.newest()
    assert said.out.splitlines()[0] == f"{child['id']}  {child['url']}"
    assert f"Continues {parent} from epoch 4 of 6, with another epoch_seconds: its log says" in said.err
    assert re.findall(r"^epoch (\d)/6", said.out, re.M) == ["5", "6"]
    assert "✔ SUCCEEDED" in said.out
    assert (child["parent_id"], child["params"]["epoch_seconds"]) == (parent, 0.01)


def test_resume_takes_a_checkpoint_by_name_or_by_its_epoch(shell: Shell) -> None:
    parent = finished(shell.backend, epochs=4, keep_epochs=9)
    by_number = shell.json("resume", parent[-4:], "--from", "2")
    assert by_number["resume_from"] == f"checkpoints/job-{parent}/epoch-2.pt"
    by_name = shell.json("resume", parent, "--from", "best", "--epochs", "2")
    assert (
        by_name["message"] == f"Starts a fresh schedule of 2 epochs from the weights of {parent} (best, epoch 3 of 4)."
    )
    for child in (by_number, by_name):
        shell.backend.wait_closed(child["id"])


def test_what_can_not_be_resumed_is_said_in_a_sentence_and_makes_no_job(shell: Shell) -> None:
    parent = finished(shell.backend)
    before = shell.jobs()
    said = shell.run("resume", parent, code=1).err
    assert f"{parent} finished all of its 3 epochs." in said
    assert "Say how many more: --epochs N" in said
    assert "There are: best, last." in shell.run("resume", parent, "--from", "2", code=1).err
    assert "checkpoint" in shell.run("resume", parent, "--from", "../x", code=1).err
    assert "--epochs N" in shell.run("resume", parent, "--set", "epochs=4", code=1).err
    assert "No job's id" in shell.run("resume", "nobody", code=1).err
    assert shell.jobs() == before


def test_a_job_shows_where_it_comes_from_and_what_came_of_it(shell: Shell) -> None:
    parent = interrupted(shell.backend, epochs=6, after=4)
    children = [shell.json("resume", parent)["id"], shell.backend.ask("POST", f"/v1/jobs/{parent}/retry")["id"]]
    for child in children:
        shell.backend.wait_closed(child)
    assert f"children   {children[0]} SUCCEEDED, {children[1]} FAILED" in shell.run("jobs", parent).out
    assert f"origin     Continues {parent} from epoch 4 of 6." in shell.run("jobs", children[0]).out
    assert f"origin     Tries {parent} again." in shell.run("jobs", children[1]).out
    assert shell.json("jobs", parent)["children"] == children


@pytest.mark.parametrize("verb", ["submit", "train"])
def test_keep_epochs_keeps_the_checkpoints_of_single_epochs(shell: Shell, verb: str) -> None:
    wanted = ("--framework", "probe", "--dataset", "cats-dogs-classes", "--set", "mode=keep", "--epochs", "2")
    shell.run(verb, *wanted, "--keep-epochs", "5")
    job = shell.newest()
    shell.backend.wait_closed(job["id"])
    items = shell.backend.ask("GET", f"/v1/jobs/{job['id']}/checkpoints")["items"]
    assert (job["keep_epochs"], [item["kind"] for item in items]) == (5, ["best", "last", "epoch-1", "epoch-2"])


def test_of_many_events_the_newest_twenty_are_shown(shell: Shell) -> None:
    job_id = finished(shell.backend, epochs=30)
    said = shell.run("jobs", job_id).out
    events = said[said.index("… and earlier ones") :].splitlines()[1:]
    assert len(events) == 20
    assert "SUCCEEDED" in events[-1]
    assert not any("sample" in line or "heartbeat" in line for line in events)
    told = shell.json("jobs", job_id)["events"]
    assert len(told) == 31 + 4 + 3  # checkpoints, states, and launched, running, done
