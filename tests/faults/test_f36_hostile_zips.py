"""Row 36: zips that slip, link, lie, bomb or are damaged are refused at the upload, and nothing of them stays."""

import re
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from tests.faults.yard import Yard
from tests.real.stored import store_of
from tests.unit.test_datasets_archive import HOSTILE
from trainyard.db.tables import datasets


def kept(yard: Yard) -> tuple[list[str], list[str], list[Path]]:
    """What there is of datasets: rows, objects, files on their way."""
    objects = [stored.key for stored in store_of(yard).list("datasets/")]
    return sorted(row.id for row in yard.rows(sa.select(datasets.c.id))), objects, list(yard.folder.rglob("*.upload"))


@pytest.mark.parametrize("case", HOSTILE)
def test_f36_a_hostile_zip_is_refused_with_its_reason_and_leaves_nothing(yard: Yard, case: str) -> None:
    make, reason = HOSTILE[case]
    before = kept(yard)
    assert yard.process is not None
    memory = psutil.Process(yard.process.pid).memory_info().rss
    answer = yard.http.post("/v1/datasets?dataset_id=f36-hostile", content=make())
    assert answer.status_code == 422, answer.text
    assert re.search(reason, answer.json()["error"]["message"])
    assert kept(yard) == before
    assert psutil.Process(yard.process.pid).memory_info().rss - memory < 200 << 20
    assert yard.http.get("/v1/health/ready").status_code == 200
