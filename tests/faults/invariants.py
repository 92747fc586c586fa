"""What must hold after every fault: nothing of the job is left, and it has one end."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.faults.yard import Yard
from tests.real.backend import wait_for
from trainyard.db.tables import events, leases
from trainyard.jobs.states import ENDS


def closed(yard: Yard, job_id: str, *, seconds: float = 90, strangers: Collection[int] = ()) -> dict[str, Any]:
    """The job once it is put away, having looked whether all of it is."""
    job = yard.wait_closed(job_id, seconds)
    alive = set(yard.processes_of(job_id)) - set(strangers)
    assert not alive, f"processes of {job_id} are left: {alive}"
    assert not yard.rows(sa.select(leases).where(leases.c.job_id == job_id)), "a lease is left"
    ends = [data for data in _state_changes(yard, job_id) if data["to"] in ENDS]
    assert ends == [{"from": ends[0]["from"], "to": job["state"], "reason": job["reason"]}], f"not one end: {ends}"
    assert job["message"], "nobody says why it ended"
    assert not job["cancelling"]
    shim = yard.run_folder(job_id).shim()
    if shim is not None:
        wait_for("its temporary files to go", lambda: not Path(shim.tmp).exists())
    assert not yard.open_uploads(), "an upload was left half-done"
    return job


def states(yard: Yard, job_id: str) -> list[str]:
    """Every state it was in."""
    return [data["to"] for data in _state_changes(yard, job_id)]


def _state_changes(yard: Yard, job_id: str) -> list[dict[str, Any]]:
    query = sa.select(events.c.data).where(events.c.job_id == job_id, events.c.type == "state").order_by(events.c.id)
    return [row.data for row in yard.rows(query)]
