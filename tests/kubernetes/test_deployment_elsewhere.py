"""Compose, kind and Railway need what no test has: at least what they say is held against chart and settings."""

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from tests.real.deployment import KIND, POSTGRESQL, render
from tests.real.platform_images import ROOT
from trainyard.cli.cluster import NAME, URL, VALUES, own_values, plan
from trainyard.images.builders import Builder
from trainyard.settings import Settings


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def arguments(component: str) -> list[str]:
    """A container's, as the chart gives them."""
    objects = [one for one in yaml.safe_load_all(render()) if one and one["kind"] == "StatefulSet"]
    (found,) = [one for one in objects if one["metadata"]["name"] == f"trainyard-{component}"]
    return found["spec"]["template"]["spec"]["containers"][0]["args"]


@pytest.mark.parametrize("component", ["storage", "mlflow"])
def test_compose_starts_the_services_as_the_chart_does(component: str) -> None:
    own, charts = (
        {one for one in words if not one.startswith("--allowed-hosts")}
        for words in (compose()[component]["command"].split(), arguments(component))
    )
    assert own == charts


@pytest.mark.parametrize("path", ["compose.yaml", "deploy/railway/README.md", "deploy/railway/railway.json"])
def test_they_name_settings_that_exist(path: str) -> None:
    named = set(re.findall(r"TRAINYARD_[A-Z0-9_]+", (ROOT / path).read_text()))
    assert named
    assert named <= {f"TRAINYARD_{name.upper()}" for name in Settings.model_fields}


def test_the_chart_names_settings_that_exist() -> None:
    named = set(re.findall(r"TRAINYARD_[A-Z0-9_]+", render(*POSTGRESQL)))
    assert named - {"TRAINYARD_PORT"} <= {f"TRAINYARD_{name.upper()}" for name in Settings.model_fields}


def test_kind_forwards_the_ports_of_its_profile() -> None:
    cluster = yaml.safe_load((ROOT / "deploy" / "kind" / "cluster.yaml").read_text())
    forwarded = {one["containerPort"]: one["hostPort"] for one in cluster["nodes"][0]["extraPortMappings"]}
    opened = {
        port["nodePort"]
        for one in yaml.safe_load_all(render(KIND))
        if one and one["kind"] == "Service"
        for port in one["spec"]["ports"]
        if "nodePort" in port
    }
    assert set(forwarded) == opened == {30080, 30500, 30900, 30901}
    assert f":{forwarded[30080]}" in URL
    assert cluster["name"] == NAME


def test_up_in_a_cluster_is_a_plan_of_commands(tmp_path: Path) -> None:
    steps = plan(ROOT, Builder("docker", "docker"), tmp_path, exists=False)
    assert [step.argv[:2] for step in steps] == [
        ["kind", "create"],
        *[["docker", "build"], ["docker", "save"], ["kind", "load"]] * 3,
        ["helm", "upgrade"],
    ]
    install = steps[-1].argv
    tag = install[install.index("--set") + 1].removeprefix("image.tag=")
    built = [step.argv[step.argv.index("--tag") + 1] for step in steps if step.argv[1] == "build"]
    assert built == [f"localhost/trainyard-{image}:{tag}" for image in ("backend", "storage", "mlflow")]
    assert steps[1:] == plan(ROOT, Builder("docker", "docker"), tmp_path, exists=True)


def test_ups_chart_takes_this_installations_token_from_a_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, token=SecretStr("a-token-of-ours"), k8s_image="registry.example/{framework}")
    (tmp_path / VALUES).write_text(json.dumps(own_values(settings)))
    install = plan(ROOT, Builder("docker", "docker"), tmp_path, exists=True)[-1].argv
    assert "a-token-of-ours" not in " ".join(install)
    files = [word for before, word in pairwise(install) if before == "--values"]
    objects = render(*(f"--values={file}" for file in files))
    assert "token: a-token-of-ours" in objects
    assert "registry.example/{framework}" in objects


@pytest.mark.parametrize("verb", [["up", "--k8s"], ["down", "--k8s", "--force"]], ids=" ".join)
def test_without_kind_they_say_what_to_install(verb: list[str], tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "TRAINYARD_DATA_DIR": str(tmp_path)}
    argv = [sys.executable, "-P", "-m", "trainyard.cli.main", *verb]
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert re.search(r"kind (and helm are|is) not installed\.\n +It makes the cluster", done.stderr), done.stderr


def test_down_does_not_delete_a_cluster_unasked(tmp_path: Path) -> None:
    log, fake = tmp_path / "calls", tmp_path / "kind"
    fake.write_text(f"#!/bin/sh\necho $* >> {log}\necho trainyard\n")
    fake.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path), "TRAINYARD_DATA_DIR": str(tmp_path)}
    argv = [sys.executable, "-P", "-m", "trainyard.cli.main", "down", "--k8s"]
    refused = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120, input="")
    assert (refused.returncode, log.exists()) == (1, False)
    subprocess.run([*argv, "--force"], env=env, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert log.read_text().splitlines() == ["get clusters", "delete cluster --name trainyard"]
