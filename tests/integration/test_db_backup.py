"""`trainyard db backup|restore`: a whole database out of one that is in use, and back, losing nothing on a mistake."""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.real.backend import Backend
from tests.real.shell import Shell


@pytest.fixture
def shell(backend: Backend, tmp_path: Path) -> Shell:
    return Shell(backend, tmp_path)


def test_a_backup_made_under_load_is_one_moment_and_comes_back(shell: Shell, backend: Backend, tmp_path: Path) -> None:
    old = [backend.submit(epochs=2) for _ in range(3)]
    for job_id in old:
        backend.wait_closed(job_id)
    before = {job_id: backend.job(job_id) for job_id in old}
    curves = {job_id: backend.curve(job_id, "train/loss") for job_id in old}
    enough = threading.Event()

    def write() -> None:
        while not enough.is_set():
            backend.ask("PATCH", f"/v1/jobs/{old[0]}", json={"notes": "written meanwhile"})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        said = shell.run("db", "backup", str(tmp_path / "kept" / "monday.db")).out
    finally:
        enough.set()
        writer.join()
    assert "monday.db: 3 jobs" in said
    assert (tmp_path / "kept" / "monday.db").stat().st_mode & 0o777 == 0o600
    new = backend.submit(epochs=1)
    backend.wait_closed(new)
    assert "Another backend is using" in shell.run("db", "restore", str(tmp_path / "kept" / "monday.db"), code=1).err

    backend.stop()
    said = shell.run("db", "restore", str(tmp_path / "kept" / "monday.db")).out
    assert "Restored 3 jobs" in said
    (kept,) = (backend.folder / "data").glob("trainyard-before-restore-*.db")
    backend.start()
    assert {job["id"] for job in backend.ask("GET", "/v1/jobs")["items"]} == set(old)
    changing = {"notes": None, "events": None}
    for job_id in old:
        assert backend.job(job_id) | changing == before[job_id] | changing
        assert backend.curve(job_id, "train/loss") == curves[job_id]
    assert backend.http.get(f"/v1/jobs/{new}").status_code == 404
    backend.stop()
    shell.run("db", "restore", str(kept))  # and what was there before
    backend.start()
    assert backend.job(new)["state"] == "SUCCEEDED"


def _no_database(path: Path) -> None:
    path.write_text("dear diary")


def _another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE jobs (id TEXT)")


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20_000])


def _from_the_future(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
        conn.commit()


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (_no_database, "is not a backup of trainyard"),
    "another database": (_another_database, "is not a backup of trainyard"),
    "cut off": (_cut_off, "damaged|not a backup"),
    "from the future": (_from_the_future, "newer trainyard"),
}


def test_a_wrong_file_is_refused_and_the_database_stays(shell: Shell, backend: Backend, tmp_path: Path) -> None:
    job_id = backend.submit(epochs=1)
    backend.wait_closed(job_id)
    good = tmp_path / "good.db"
    shell.run("db", "backup", str(good))
    assert "is there already" in shell.run("db", "backup", str(good), code=2).err
    backend.stop()
    before = (backend.folder / "data" / "trainyard.db").read_bytes()
    for case, (spoil, reason) in WRONG.items():
        bad = tmp_path / f"{case.replace(' ', '-')}.db"
        if spoil is not _another_database and spoil is not _no_database:
            shutil.copy(good, bad)
        spoil(bad)
        refused = shell.run("db", "restore", str(bad), code=2).err
        assert any(words in refused.replace("\n", " ") for words in reason.split("|")), refused
        assert (backend.folder / "data" / "trainyard.db").read_bytes() == before, case
    assert "There is no file" in shell.run("db", "restore", str(tmp_path / "nowhere.db"), code=2).err
    backend.start()
    assert backend.job(job_id)["state"] == "SUCCEEDED"
    assert not list((backend.folder / "data").glob("*before-restore*"))


def test_postgresql_is_sent_to_its_own_tools(shell: Shell) -> None:
    said = shell.run("db", "backup", code=1, TRAINYARD_DATABASE_URL="postgresql://nobody@127.0.0.1/none").err
    assert "pg_dump" in said
