"""One job here and in a pod: nothing differs but the image's own Python, and each planted difference is shown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes.yard import ClusterYard
from tests.real.shell import Shell
from tests.real.telling import change, telling_trainer

PICTURES = "cats-dogs-classes"
Found = dict[str, dict[str, list[str]]]


@pytest.fixture
def shell(make_yard: Callable[..., ClusterYard], tmp_path: Path) -> Shell:
    """With a trainer of the test's own."""
    telling_trainer(tmp_path / "trainers", "telling")
    return Shell(make_yard(trainers_dir=str(tmp_path / "trainers")), tmp_path)


def train(shell: Shell, execution: str) -> str:
    body = {"framework": "telling", "dataset_id": PICTURES, "execution": execution}
    job_id = str(shell.backend.ask("POST", "/v1/jobs", json=body)["id"])
    assert shell.backend.wait_end(job_id)["state"] == "SUCCEEDED"
    return job_id


def compared(shell: Shell, *arguments: str) -> Found:
    """{group: {what: values}} of what differs. The image's Python and packages are its own, so something does."""
    document = json.loads(shell.run("parity", *arguments, "--json", code=1).out)
    assert document["notes"] == []
    found: Found = {}
    for one in document["differences"]:
        found.setdefault(one["group"], {})[one["what"]] = list(one["values"].values())
    return found


def test_a_job_run_again_on_both_tiers_differs_in_nothing_but_the_image(shell: Shell) -> None:
    first = train(shell, "local")
    found = compared(shell, first, "--on", "local,k8s")
    assert found.keys() <= {"python", "packages"}
    assert "numpy" in found["packages"], "the image has what trainer-sklearn requires"
    children = shell.backend.ask("GET", "/v1/jobs", params={"parent_id": first})["items"]
    words = {job["execution"]: shell.backend.events(job["id"])[0]["message"] for job in children}
    assert words == {"local": f"Tries {first} again.", "k8s": f"Tries {first} again, on k8s."}


def test_differences_planted_in_variables_packages_code_and_metrics_are_shown(shell: Shell) -> None:
    here = train(shell, "local")
    folder = shell.folder / "trainers" / "trainer-telling"
    planted = [
        'os.environ["SEED"] = "2"',
        'os.environ["OMP_NUM_THREADS"] = "1"',
        'os.makedirs("/tmp/more/planted-1.2.3.dist-info")',
        'sys.path.insert(0, "/tmp/more")',
    ]
    change(folder / "train.py", "import random\n", "import random\nimport sys\n")
    change(folder / "train.py", "\ncalls = 0\n", "\n".join(["", *planted, "calls = 0\n"]))
    there = train(shell, "k8s")
    found = compared(shell, here, there)
    seen: dict[str, Any] = shell.backend.ask("GET", f"/v1/jobs/{there}/surroundings")
    assert found.keys() - {"python"} == {"variables", "packages", "code", "metrics"}
    assert found["variables"] == {"SEED": ["1", "2"], "OMP_NUM_THREADS": ["—", "set"]}
    assert found["packages"]["planted"] == ["—", "1.2.3"]
    assert found["code"]["hash"][1] == seen["code_hash"][:12] == shell.backend.job(there)["code_hash"][:12]
    assert [what.partition(",")[0] for what in found["metrics"]] == ["val/loss"]
