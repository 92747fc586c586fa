"""What a run tells of its surroundings: right versions, no secret, once, bounded, and never at the training's cost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.contract.conftest import MakeProbe, MakeStarter
from tests.contract.running import JOB, ROOT, TOKEN, Starter
from trainyard.conformance.recorder import Recorder
from trainyard.contract.environment import SECRET_VARIABLES, JobFacts, Platform, environment

FILE = ROOT / "trainer-template" / "surroundings.py"
LARGEST = 64 * 1024


def ask(python: Path, lines: str, **env: str) -> Any:
    """The JSON that these lines print, with surroundings imported."""
    argv = [python, "-c", f"import json, sys, surroundings\n{lines}"]
    given = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")} | env
    done = subprocess.run(argv, cwd=FILE.parent, env=given, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def by_metadata(python: Path) -> dict[str, str]:
    """The slow way, which opens and reads each package's METADATA."""
    lines = "import importlib.metadata as meta, re\nname = lambda one: re.sub('[-_.]+', '-', one.name).lower()\n"
    return ask(python, lines + "print(json.dumps({name(one): one.version for one in meta.distributions()}))")


def told_by(start: Starter, recorder: Recorder, **changes: Any) -> dict[str, Any]:
    start(EPOCHS=2, **changes).succeeds()
    (event,) = recorder.events("environment")
    return event["data"]


def test_it_arrives_once_with_the_versions_that_are_installed(start: Starter, recorder: Recorder) -> None:
    told = told_by(start, recorder)
    assert told["packages"] == by_metadata(start.python)
    assert "numpy" in told["packages"]
    assert told["python"] == ask(start.python, "import platform\nprint(json.dumps(platform.python_version()))")
    assert told["system"].startswith("Linux ") or sys.platform != "linux"
    assert recorder.taken[0].name == "running"
    assert recorder.taken[-1].kind == "done"


def test_variables_are_told_and_secrets_are_not(template: Starter, recorder: Recorder) -> None:
    hidden = {"PARAM_HUB_TOKEN": "hub-secret", "MY_OWN": "own-secret", "HTTPS_PROXY": ""}
    told = told_by(
        template, recorder, SEED=7, PARAM_DROPOUT="0.5", MLFLOW_EXPERIMENT_NAME="http://me:pw@there", **hidden
    )
    assert told["variables"] | {"SEED": "7", "PARAM_DROPOUT": "0.5", "JOB_ID": JOB} == told["variables"]
    assert told["variables"]["MLFLOW_EXPERIMENT_NAME"] == "http://there"
    assert {"CALLBACK_TOKEN", "MINIO_SECRET_KEY", "PARAM_HUB_TOKEN", "MY_OWN"} <= set(told["other_variables"])
    text = json.dumps(told)
    secrets = [TOKEN, template.variables["MINIO_SECRET_KEY"], template.variables["MINIO_ACCESS_KEY"], "pw@"]
    assert [secret for secret in (*secrets, "hub-secret", "own-secret") if secret in text] == []


def test_every_variable_of_the_contract_is_told_unless_it_is_secret() -> None:
    facts = JobFacts("j", "t", 1, "p", "classify", "mine", "small", "d", {"dropout": 0.1}, "key", 2)
    for storage in ("minio", "r2"):
        given = environment(facts, Platform("b", "m", storage, "s", "bucket", 10, 4, "a", "k", "t"))
        told = ask(
            Path(sys.executable), "print(json.dumps(surroundings.variables(surroundings.os.environ)[0]))", **given
        )
        assert given.keys() - told.keys() == SECRET_VARIABLES & given.keys()


def test_it_is_small_however_much_there_is(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"package_number_{number}-1.{number}.dist-info").mkdir()
    lines = f"sys.path.insert(0, {str(tmp_path)!r})\nprint(json.dumps(surroundings.collect()))"
    many = {f"PARAM_{number}": "x" * 5000 for number in range(100)}
    told = ask(Path(sys.executable), lines, **many)
    assert len(json.dumps(told)) < LARGEST
    assert told["cut"] is True
    assert told["python"]
    assert told["packages"]


def test_names_are_normalized_and_the_first_found_counts(tmp_path: Path) -> None:
    for folder, name in (("a", "Ruamel.yaml_clib-0.2.8.dist-info"), ("b", "ruamel-yaml-clib-9.9-py3.11.egg-info")):
        (tmp_path / folder / name).mkdir(parents=True)
    lines = f"print(json.dumps(surroundings.packages(['/nowhere', {str(tmp_path / 'a')!r}, {str(tmp_path / 'b')!r}])))"
    assert ask(Path(sys.executable), lines) == {"ruamel-yaml-clib": "0.2.8"}


def test_training_does_not_wait_for_it(probe: MakeProbe, recorder: Recorder) -> None:
    run = probe(
        """
        import surroundings, threading
        threading.Event().wait(0.2)
        took = []
        for _ in range(20):
            began = time.perf_counter()
            surroundings.tell(job)
            took.append(time.perf_counter() - began)
        job.event("took", seconds=sorted(took)[10])
        """
    )
    run.succeeds()
    (event,) = recorder.events("took")
    assert event["data"]["seconds"] < 0.01


def test_a_failure_to_collect_is_told_and_harms_nothing(probe: MakeProbe, recorder: Recorder) -> None:
    run = probe(
        """
        import surroundings
        surroundings.collect = lambda: 1 / 0
        surroundings._tell(job)
        """
    )
    run.succeeds()
    # the run's own, which begins first, may come last
    told = [event["data"] for event in recorder.events("environment")]
    assert {"problem": "ZeroDivisionError: division by zero"} in told
    assert recorder.done()["status"] == "succeeded"


def test_torch_is_told_of_where_it_is_there_already_and_never_imported(starter: MakeStarter) -> None:
    python = starter("trainer-template").python
    stub = "import types\nmade = types.ModuleType('torch')\nsys.modules['torch'] = made\n"
    version = "made.version = types.SimpleNamespace(__version__='2.15.0', cuda='13.2')\n"
    cudnn = "made.backends = types.SimpleNamespace(cudnn=types.SimpleNamespace(version=lambda: 92600))\n"
    show = "print(json.dumps([surroundings.torch(), 'numpy' in sys.modules]))"
    assert ask(python, show) == [None, False]
    assert ask(python, stub + show) == [None, False], "half imported"
    assert ask(python, stub + version + show)[0] == {"version": "2.15.0", "cuda": "13.2"}
    assert ask(python, stub + version + cudnn + show)[0]["cudnn"] == 92600
