"""Running a builder, delivering what it built, the record of it, and the command itself."""

import json
import os
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.real.shell import CLI
from tests.unit.images_made import DIGEST, ROOT, builder, called, make_trainer, program, settings_for
from trainyard.errors import InvalidSetting, NotAvailable
from trainyard.images.build import build, deliver
from trainyard.images.plan import Goal, plan
from trainyard.images.record import Built, keep_built, pinned_image, read_built, record_file
from trainyard.images.running import BuildFailed, run

IMAGE = "ghcr.io/o/trainer-mine:1"
# a docker-archive of nothing, where buildah was told to write one
ARCHIVES = """case "$3" in docker-archive:*)
  echo '[{"Config": "c.json", "RepoTags": ["first"], "Layers": []}]' > "$0.d/manifest.json"
  file=${3#docker-archive:}; tar -cf "${file%%.tar:*}.tar" -C "$0.d" manifest.json;;
esac"""
BUILT = Built("r/t@sha256:0", "r/t:dev", "0" * 64, "", "2026-01-01T00:00:00+00:00")


# -- running ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "step"),
    [
        ("STEP 6/9: COPY a b\nSTEP 7/9: RUN pip install x\n", "step 7/9 (RUN pip install x)"),  # podman, buildah
        ("Step 6/9 : COPY a b\nStep 7/9 : RUN pip install x\n", "step 7/9 (RUN pip install x)"),  # docker
        ("#7 [3/5] COPY a b\n#8 [4/5] RUN pip install x\n#8 1.2 ERROR\n", "step 4/5 (RUN pip install x)"),  # BuildKit
        ("#8 [stage-0 4/5] RUN pip install x\n", "step 4/5 (RUN pip install x)"),
    ],
)
def test_a_failing_build_names_its_step_and_shows_its_last_lines(tmp_path: Path, printed: str, step: str) -> None:
    made = program(tmp_path, "podman", f"printf '{printed}'; echo 'no matching distribution' >&2; exit 3")
    heard: list[str] = []
    with pytest.raises(BuildFailed) as caught:
        run([str(made)], "Building x", heard.append)
    assert step in caught.value.message
    assert "podman ended with exit code 3" in caught.value.message
    assert caught.value.message.endswith("no matching distribution")
    assert heard == [*printed.splitlines(), "no matching distribution"]


def test_only_the_last_lines_are_repeated(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed) as caught:
        run([str(program(tmp_path, "docker", "seq 100 199; exit 1"))], "Building x", lambda line: None)
    assert "199" in caught.value.message
    assert "183" not in caught.value.message


def test_lines_are_passed_on_as_they_come(tmp_path: Path) -> None:
    """The program waits for a file that is made when its first line has arrived."""
    made = program(tmp_path, "docker", f"echo first; until [ -e {tmp_path}/heard ]; do sleep 0.01; done; echo second")
    assert run([str(made)], "Building x", lambda line: (tmp_path / "heard").touch()) == "first\nsecond"


def test_a_builder_that_is_gone_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="can't be started"):
        run([str(tmp_path / "docker")], "Building x", lambda line: None)


# -- delivering -------------------------------------------------------------------------------------------------------


def test_what_was_pushed_is_pinned_by_the_registrys_digest(tmp_path: Path) -> None:
    make_trainer(tmp_path)
    settings = settings_for(tmp_path, k8s_image="ghcr.io/o/trainer-{framework}:1")
    podman = builder(tmp_path / "bin", "podman", f'[ "$1" = push ] && printf {DIGEST} > "$3"; exit 0')
    built = deliver(settings, plan(settings, podman, "mine", goal=Goal.PUSH), print)
    assert built is not None
    assert (built.pinned, built.tag) == (f"ghcr.io/o/trainer-mine@{DIGEST}", IMAGE)
    assert pinned_image(settings, "mine", IMAGE) == built.pinned


def test_dockers_digest_is_read_from_what_it_prints(tmp_path: Path) -> None:
    make_trainer(tmp_path)
    settings = settings_for(tmp_path)
    layer = "sha256:" + "1" * 64
    docker = builder(tmp_path / "bin", "docker", f"echo '{layer}: Pushed'; echo '1: digest: {DIGEST} size: 7'")
    built = deliver(settings, plan(settings, docker, "mine", IMAGE, Goal.PUSH), print)
    assert built is not None
    assert built.pinned == f"ghcr.io/o/trainer-mine@{DIGEST}"


def test_a_push_that_fails_says_how_to_sign_in_and_leaves_the_record(tmp_path: Path) -> None:
    make_trainer(tmp_path)
    settings = settings_for(tmp_path)
    keep_built(settings, "mine", replace(BUILT, tag=IMAGE))
    podman = builder(tmp_path / "bin", "podman", "echo denied; exit 125")
    with pytest.raises(BuildFailed, match="denied") as caught:
        deliver(settings, plan(settings, podman, "mine", IMAGE, Goal.PUSH), print)
    assert "podman login ghcr.io" in caught.value.hint
    assert pinned_image(settings, "mine", IMAGE) == BUILT.pinned


def test_an_archive_holds_both_names_and_jobs_take_the_codes(tmp_path: Path) -> None:
    make_trainer(tmp_path)
    settings = settings_for(tmp_path)
    buildah = builder(tmp_path / "bin", "buildah", ARCHIVES)
    (tmp_path / "bin" / "buildah.d").mkdir()
    target = tmp_path / "image.tar"
    target.write_text("an older one")
    made = plan(settings, buildah, "mine", IMAGE, Goal.ARCHIVE, target)
    built = deliver(settings, made, print)
    assert built is not None
    assert built.pinned == made.code_image == pinned_image(settings, "mine", IMAGE)
    with tarfile.open(target) as packed:
        member = packed.extractfile("manifest.json")
        assert member is not None
        assert json.load(member)[0]["RepoTags"] == ["first", made.code_image, IMAGE]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "data", "image.tar", "trainer-mine"]


def test_loading_without_kind_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_trainer(tmp_path)
    settings = settings_for(tmp_path, k8s_context="kind-dev")
    made = plan(settings, builder(tmp_path / "bin", "docker", ""), "mine", goal=Goal.LOAD)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotAvailable, match="needs kind"):
        deliver(settings, made, print)


def test_kind_is_given_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_trainer(tmp_path)
    settings = settings_for(tmp_path, k8s_context="kind-dev")
    made = plan(settings, builder(tmp_path / "bin", "buildah", ARCHIVES), "mine", goal=Goal.LOAD)
    (tmp_path / "bin" / "buildah.d").mkdir()
    program(tmp_path / "bin", "kind", 'test -s "$3"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    built = deliver(settings, made, print)
    assert built is not None
    assert built.pinned == made.code_image


def test_what_stays_in_the_builders_store_is_not_recorded(tmp_path: Path) -> None:
    """No cluster would find it; what was delivered before still counts."""
    make_trainer(tmp_path)
    settings = settings_for(tmp_path)
    docker = builder(tmp_path / "bin", "docker", 'for last; do :; done; test -f "$last/train.py"')
    made = plan(settings, docker, "mine")
    build(made, print)
    assert len(called(docker)) == 1
    assert deliver(settings, made, print) is None
    assert read_built(settings, "mine") is None


# -- the record -------------------------------------------------------------------------------------------------------


def test_only_the_recorded_name_is_pinned(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    assert pinned_image(settings, "mine", "r/t:dev") == "r/t:dev"
    keep_built(settings, "mine", BUILT)
    assert read_built(settings, "mine") == BUILT
    assert pinned_image(settings, "mine", "r/t:dev") == BUILT.pinned
    for image in ("r/t:other", "r/t", "r/t@sha256:1"):
        assert pinned_image(settings, "mine", image) == image
    assert pinned_image(settings, "another", "r/t:dev") == "r/t:dev"
    keep_built(settings, "mine", replace(BUILT, tag="r/t:latest"))
    assert pinned_image(settings, "mine", "r/t") == BUILT.pinned


def test_builds_at_once_lose_none_of_their_records(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    names = [f"t{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(keep_built, settings, name, replace(BUILT, tag=name)) for name in names]:
            done.result()
    assert [built.tag for name in names if (built := read_built(settings, name))] == names


@pytest.mark.parametrize("text", ["{", "[]", '{"mine": 1}', '{"mine": {"pinned": "x"}}'])
def test_a_record_that_is_none_is_no_reason_to_run_something_else(tmp_path: Path, text: str) -> None:
    settings = settings_for(tmp_path)
    record_file(settings).parent.mkdir()
    record_file(settings).write_text(text)
    with pytest.raises(InvalidSetting, match=r"images\.json can't be read"):
        pinned_image(settings, "mine", "r/t:dev")


# -- the command ------------------------------------------------------------------------------------------------------


def call(folder: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    variables = {"TRAINYARD_DATA_DIR": str(folder / "data"), "TRAINYARD_TRAINERS_DIR": str(folder)}
    base = {name: value for name, value in os.environ.items() if not name.startswith(("TRAINYARD_", "BUILDAH_"))}
    everything = base | {"PYTHONPATH": str(ROOT / "src")} | variables | env
    argv = [*CLI, "build", *arguments]
    return subprocess.run(argv, env=everything, cwd=folder, capture_output=True, text=True, timeout=60)


def test_a_dry_run_shows_what_would_be_run_and_runs_nothing(tmp_path: Path) -> None:
    make_trainer(tmp_path)
    buildah = builder(tmp_path / "bin", "buildah", "exit 0")
    said = call(
        tmp_path, "mine", "--archive", "x.tar", "--dry-run",
        TRAINYARD_BUILDER=buildah.program, TRAINYARD_BUILD_OPTIONS="--pull=never --volume 'a b:/c'",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    first, second = said.stdout.splitlines()
    assert first.startswith(
        f"{buildah.program} build --layers --force-rm --isolation chroot --network host --tag localhost/"
    )
    assert first.endswith("--pull=never --volume 'a b:/c' CONTEXT")
    assert second.split()[1] == "push"
    assert "secret.key" not in said.stderr
    assert called(buildah) == ["info"]
    assert not (tmp_path / "x.tar").exists()


def test_building_prints_the_reference_alone_on_stdout(tmp_path: Path) -> None:
    make_trainer(tmp_path)
    podman = builder(tmp_path / "bin", "podman", f'echo "[STEP] $1"; [ "$1" = push ] && printf {DIGEST} > "$3"; exit 0')
    said = call(tmp_path, "mine", "--push", "--tag", IMAGE, "--builder", podman.program)
    assert said.returncode == 0, said.stderr
    assert said.stdout == f"ghcr.io/o/trainer-mine@{DIGEST}\n"
    assert "[STEP] build" in said.stderr
    assert f"Pushed to ghcr.io. Jobs that ask for {IMAGE} run:" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["mine", "--push", "--load"], 2, "exclude each other"),
        (["mine", "--options", "'"], 2, "can't be read"),
        (["nobody"], 1, "There is no trainer nobody"),
        (["mine", "--push"], 2, "names no registry"),
    ],
)
def test_mistakes_are_told_in_a_sentence(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    make_trainer(tmp_path)
    podman = builder(tmp_path / "bin", "podman", "exit 0")
    said = call(tmp_path, *arguments, "--builder", podman.program)
    assert said.returncode == code, said.stderr
    assert words in said.stderr
    assert "Traceback" not in said.stderr
