"""`trainyard submit`, `jobs`, `logs` and `cancel`: in pipes, in narrow terminals, with a backend that goes away."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.backend import Backend, free_port, wait_for
from tests.real.proxy import PASS, Fate, Proxy, Request
from tests.real.shell import Shell, ends

PROBE = ("--framework", "probe", "--dataset", "cats-dogs-classes")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def shell(shared: Backend, tmp_path: Path) -> Shell:
    return Shell(shared, tmp_path)


def finished(shell: Shell, **given: object) -> str:
    job_id = shell.backend.submit(**given)  # type: ignore[arg-type]
    shell.backend.wait_closed(job_id)
    return job_id


# -- submit ---------------------------------------------------------------------------------------------------------


def test_submit_prints_the_job_and_returns_while_it_runs(shell: Shell) -> None:
    said = shell.run("submit", *PROBE, "--epochs", "2", "--name", "two epochs", "--tag", "a", "--priority", "5")
    job_id, address = said.out.split()
    job = shell.backend.wait_end(job_id)
    assert address == job["url"]
    assert (job["name"], job["tags"], job["priority"], job["state"]) == ("two epochs", ["a"], 5, "SUCCEEDED")


def test_a_watched_job_shows_each_epoch_once_and_how_it_ended(shell: Shell) -> None:
    said = shell.run("submit", *PROBE, "--epochs", "3", "--watch")
    epochs = re.findall(r"^epoch (\d)/3  val/accuracy (\S+)", said.out, re.M)
    assert epochs == [("1", "0.5"), ("2", "0.6667"), ("3", "0.75")]
    assert "✔ SUCCEEDED" in said.out
    assert "\x1b" not in said.out + said.err


def test_the_exit_code_of_a_watched_job_says_how_it_ended(shell: Shell) -> None:
    said = shell.run("submit", *PROBE, "--set", "mode=crash", "--watch", code=1)
    assert "RuntimeError: the probe was told to crash" in said.out
    assert "trainyard logs job-" in said.out


def test_watching_goes_on_where_it_was_after_the_backend_was_killed(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    backend = make_backend().start().with_sample()
    shell = Shell(backend, tmp_path)
    with shell.start("submit", *PROBE, "--epochs", "20", "--set", "epoch_seconds=0.3", "--watch") as process:
        wait_for("the third epoch", lambda: (shell.newest().get("epoch") or 0) >= 3)
        backend.kill()
        backend.start()
        out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert [int(number) for number in re.findall(r"^epoch +(\d+)/20", out, re.M)] == list(range(1, 21))
    assert err.count("connection lost, reconnecting") == 1


def test_ctrl_c_leaves_a_watched_job_running(shell: Shell) -> None:
    terminal = shell.terminal("submit", *PROBE, "--epochs", "5000", "--watch")
    terminal.expect("epoch    2/5000")
    terminal.sendintr()
    code, said = ends(terminal)
    assert code == 130
    job = shell.newest()
    assert "goes on" in said
    assert f"trainyard cancel {job['id']}" in said
    assert shell.backend.job(job["id"])["state"] == "RUNNING"
    shell.run("cancel", job["id"])
    shell.backend.wait_state(job["id"], "CANCELLED")


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_watching_fits_into_the_terminal(shell: Shell, columns: int) -> None:
    terminal = shell.terminal("submit", *PROBE, "--epochs", "3", "--watch", columns=columns)
    terminal.expect("epoch 1/3")
    _, said = ends(terminal)
    lines = [ESCAPES.sub("", line) for line in re.split(r"[\r\n]+|\x1b\[2K", said) if "epoch" in line or "━" in line]
    assert lines
    assert all(len(line) <= columns for line in lines), lines


def test_a_submit_whose_answer_was_lost_is_repeated_and_is_one_job(shell: Shell) -> None:
    lost: list[Request] = []

    def rule(request: Request) -> Fate:
        if request.method == "POST" and request.path == "/v1/jobs" and len(lost) < 2:
            lost.append(request)
            return Fate(cut_at=0)
        return PASS

    before = shell.jobs()
    proxy = Proxy(("127.0.0.1", shell.backend.port), rule)
    try:
        job_id = shell.run("submit", *PROBE, TRAINYARD_URL=proxy.url).out.split()[0]
    finally:
        proxy.close()
    assert len(lost) == 2
    assert shell.jobs() == before + 1
    shell.backend.wait_state(job_id, "SUCCEEDED")


def test_kubernetes_is_refused_in_a_sentence(shell: Shell) -> None:
    before = shell.jobs()
    said = shell.run("submit", *PROBE, "--on", "k8s", code=1)
    assert "There is no cluster to send it to" in said.err
    assert "TRAINYARD_KUBECONFIG" in said.err
    assert shell.jobs() == before


# -- jobs -----------------------------------------------------------------------------------------------------------


def test_jobs_lists_in_a_pipe_whole_and_without_colours(shell: Shell) -> None:
    job_id = finished(shell, name="a name that is quite long, so that a narrow terminal has no room for it")
    said = shell.run("jobs", COLUMNS="30")
    row = next(line for line in said.out.splitlines() if job_id in line)
    assert "✔ SUCCEEDED" in row
    assert "a name that is quite long, so that a narrow terminal has no room for it" in row
    assert "0.75 val/accuracy" in row
    assert "3/3" in row
    assert "\x1b" not in said.out


@pytest.mark.parametrize("columns", [24, 45, 70, 200])
def test_jobs_fits_into_the_terminal(shell: Shell, columns: int) -> None:
    job_id = finished(shell)
    code, said = ends(shell.terminal("jobs", columns=columns))
    lines = [ESCAPES.sub("", line) for line in said.splitlines()]
    assert code == 0
    assert all(len(line) <= columns for line in lines)
    assert columns < 45 or any("✔ SUCCEEDED" in line and job_id in line for line in lines)


def test_jobs_as_json_is_what_the_api_says(shell: Shell) -> None:
    job_id = finished(shell)
    listed = shell.json("jobs", "--state", "SUCCEEDED", "--limit", "1")
    assert [job["id"] for job in listed] == [job_id]
    assert listed[0]["metrics"]["val/accuracy"]["max"] == 0.75
    assert shell.json("jobs", "--framework", "another") == []


def test_jobs_reads_as_many_pages_as_it_needs(shell: Shell) -> None:
    for _ in range(3):
        finished(shell, epochs=1)
    everything = shell.json("jobs", "--limit", "5000")
    assert len(everything) == shell.jobs()
    assert len({job["id"] for job in everything}) == len(everything)


def test_a_state_that_does_not_exist_is_named_with_those_that_do(shell: Shell) -> None:
    said = shell.run("jobs", "--state", "running,BORED", code=2)
    assert "BORED" in said.err
    assert "RUNNING" in said.err


def test_one_job_is_shown_with_its_evidence_metrics_and_events(shell: Shell) -> None:
    job_id = finished(shell, mode="crash")
    said = shell.run("jobs", job_id).out
    assert "✖ FAILED" in said
    assert "RuntimeError: the probe was told to crash" in said
    assert "Traceback (most recent call last)" in said
    assert shell.backend.job(job_id)["trace_id"] in said
    assert re.search(r"PENDING\s+Submitted", said)
    shown = shell.json("jobs", job_id)
    assert shown["reason"] == "TrainerError"
    assert [event["type"] for event in shown["events"]][:2] == ["state", "state"]


def test_a_job_is_found_by_a_part_of_its_id_that_only_it_has(shell: Shell) -> None:
    first, second = finished(shell), finished(shell)
    assert shell.json("jobs", second[-4:])["id"] == second
    assert shell.json("jobs", first)["id"] == first
    assert shell.json("jobs", "last")["id"] == second
    assert "may mean" in shell.run("jobs", "job-", code=2).err
    assert "No job's id begins or ends with 'zzzzz'" in shell.run("jobs", "zzzzz", code=1).err
    assert shell.run("jobs", "../../secrets", code=1).err.startswith("Error: No job's id")


# -- logs -----------------------------------------------------------------------------------------------------------


def test_logs_prints_the_whole_log_or_its_tail(shell: Shell) -> None:
    job_id = finished(shell, epochs=30, epoch_seconds=0)
    whole = shell.run("logs", job_id).out
    assert whole == shell.backend.log_text(job_id)
    assert "epoch 1 of 30" in whole
    assert shell.run("logs", job_id, "--tail", "3").out.splitlines() == whole.splitlines()[-3:]
    assert shell.run("logs", job_id, "--tail", "0").out == ""


def test_logs_follows_until_the_job_has_ended(shell: Shell) -> None:
    job_id = shell.backend.submit(epochs=10, epoch_seconds=0.1)
    said = shell.run("logs", job_id, "-f")
    assert shell.backend.job(job_id)["state"] == "SUCCEEDED"
    assert [f"epoch {number} of 10" in said.out for number in range(1, 11)] == [True] * 10
    assert said.out == shell.run("logs", job_id, "-f").out


def test_following_a_log_goes_on_after_the_backend_was_killed(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    backend = make_backend().start().with_sample()
    shell = Shell(backend, tmp_path)
    go = tmp_path / "go"
    job_id = backend.submit(params={"epochs": 20, "epoch_seconds": 0.05, "gate": str(go)})
    with shell.start("logs", job_id, "-f") as process:
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.readline()  # it follows by now
        backend.kill()
        backend.start()
        go.touch()  # not before: what has ended is not followed
        rest, err = process.stdout.read(), process.stderr.read()
    assert process.returncode == 0, err
    assert first + rest == backend.log_text(job_id)
    assert err.count("connection lost, reconnecting") == 1


def test_binary_garbage_and_endless_lines_are_printed_as_well_as_can_be(shell: Shell) -> None:
    job_id = finished(shell, mode="garbage")
    said = shell.run("logs", job_id, PYTHONIOENCODING="ascii")
    assert "50%\n100%\n" in said.out  # carriage returns: read as text
    assert "epoch 3 of 3" in said.out
    assert said.out.endswith(shell.run("logs", job_id, "--tail", "1").out)


def test_a_reader_that_leaves_ends_logs_quietly(shell: Shell) -> None:
    job_id = finished(shell, mode="garbage")
    with shell.start("logs", job_id) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
    assert said == ""
    assert process.returncode != 0


# -- cancel ---------------------------------------------------------------------------------------------------------


def test_cancel_stops_those_named_and_no_other(shell: Shell) -> None:
    jobs = [shell.backend.submit(epochs=5000) for _ in range(3)]
    for job_id in jobs:
        shell.backend.wait_state(job_id, "RUNNING")
    typo = shell.run("cancel", jobs[0], "nothing-like-it", code=1)
    assert "nothing-like-it" in typo.err
    assert shell.backend.job(jobs[0])["cancelling"] is False
    shell.run("cancel", jobs[0], jobs[1])
    for job_id in jobs[:2]:
        shell.backend.wait_state(job_id, "CANCELLED")
    assert shell.backend.job(jobs[2])["state"] == "RUNNING"
    shell.run("cancel", "--all")
    shell.backend.wait_state(jobs[2], "CANCELLED")
    assert f"{jobs[2]} has ended already: CANCELLED" in shell.run("cancel", jobs[2]).out
    assert "No job is active" in shell.run("cancel", "--all").err


def test_cancel_wants_to_know_what(shell: Shell) -> None:
    assert "--all" in shell.run("cancel", code=2).err


# -- without a backend ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [("jobs",), ("logs", "last"), ("cancel", "last"), ("submit",), ("datasets", "list"), ("trainers",)]
)
def test_a_backend_that_is_not_there_is_said_at_once(shell: Shell, command: tuple[str, ...]) -> None:
    said = shell.run(*command, code=1, TRAINYARD_PORT=str(free_port()))
    assert "The backend isn't running at http://127.0.0.1:" in said.err
    assert "`trainyard up` starts it" in said.err


def test_the_generated_token_goes_to_no_host_that_a_dotenv_names(shell: Shell) -> None:
    folder = shell.folder / "cloned"
    folder.mkdir()
    (folder / ".env").write_text("TRAINYARD_URL=http://127.0.0.1@192.0.2.1:8000\n")
    stranger = Shell(shell.backend, folder)
    del stranger.env["TRAINYARD_TOKEN"]
    stranger.env["TRAINYARD_DATA_DIR"] = str(folder / "data")
    said = stranger.run("jobs", code=2)
    assert "there is no token for it" in said.err
    assert "Set TRAINYARD_TOKEN" in said.err
    for here in ("127.0.0.1", "localhost", "[::1]"):
        assert "The backend isn't running" in stranger.run("jobs", code=1, TRAINYARD_URL=f"http://{here}:9").err
    chosen = {"TRAINYARD_URL": "http://192.0.2.1:9", "TRAINYARD_TOKEN": "chosen-by-somebody"}
    assert "The backend isn't running" in stranger.run("jobs", code=1, **chosen).err


def test_another_installation_s_token_is_refused_in_a_sentence(shell: Shell) -> None:
    said = shell.run("jobs", code=1, TRAINYARD_TOKEN="not-the-token-of-this-one")
    assert "token is not valid here" in said.err
