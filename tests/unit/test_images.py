"""What an image is built from and how: builders' argv, the context, names, Dockerfiles."""

import json
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.unit.images_made import ROOT, make_trainer, program, settings_for
from trainyard.errors import InvalidInput, NotAvailable
from trainyard.executors.base import LaunchFailed
from trainyard.executors.bundle import bundle_folder
from trainyard.images.archive import add_names
from trainyard.images.builders import Builder, find_builder
from trainyard.images.context import read_context, written
from trainyard.images.names import of_code, registry, repository, wanted_name, with_tag
from trainyard.images.plan import Goal, plan, revision_of

TRAINERS = sorted(path.parent for path in ROOT.glob("trainer-*/Dockerfile"))
TAGS, LABELS, ARGUMENTS = ["reg.io/t:1", "reg.io/t:code-0"], {"a": "b c"}, {"REQUIREMENTS": "requirements.txt"}
REST = "--tag reg.io/t:1 --tag reg.io/t:code-0 --label a=b c --build-arg REQUIREMENTS=requirements.txt --pull=never ctx"


# -- builders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "build", "save", "push"),
    [
        ("docker", f"build {REST}", "save --output a.tar reg.io/t:1 reg.io/t:code-0", "push reg.io/t:1"),
        (
            "podman",
            f"build {REST}",
            "save --format docker-archive --multi-image-archive --output a.tar reg.io/t:1 reg.io/t:code-0",
            "push --digestfile d reg.io/t:1",
        ),
        (
            "buildah",
            f"build --layers --force-rm --isolation chroot --network host {REST}",
            "push reg.io/t:1 docker-archive:a.tar:reg.io/t:1",
            "push --digestfile d reg.io/t:1",
        ),
    ],
)
def test_each_builder_is_told_in_its_own_words(
    name: str, build: str, save: str, push: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BUILDAH_ISOLATION", raising=False)
    builder = Builder(name, name)
    assert " ".join(builder.build(Path("ctx"), TAGS, LABELS, ARGUMENTS, ["--pull=never"])) == f"{name} {build}"
    assert " ".join(builder.save(TAGS, Path("a.tar"))) == f"{name} {save}"
    assert " ".join(builder.push(TAGS[0], Path("d"))) == f"{name} {push}"


def test_whoever_chose_buildahs_isolation_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUILDAH_ISOLATION", "rootless")
    assert "--isolation" not in Builder("buildah", "buildah").build(Path("ctx"), TAGS, {}, {})


def test_the_first_builder_that_works_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A docker without its daemon is on many PATHs."""
    program(tmp_path / "bin", "docker", "echo 'Cannot connect to the Docker daemon.' >&2; exit 1")
    program(tmp_path / "bin", "buildah", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_builder().name == "buildah"
    with pytest.raises(NotAvailable, match=r"docker is there but does not work .Cannot connect to the Docker daemon"):
        find_builder("docker")


def test_without_a_builder_each_is_named_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotAvailable) as caught:
        find_builder()
    for name in ("docker", "podman", "buildah"):
        assert f"{name} is not installed" in caught.value.message
    assert "install podman or buildah" in caught.value.hint


def test_a_builder_may_be_named_by_its_path(tmp_path: Path) -> None:
    path = program(tmp_path / "bin", "podman", "exit 0")
    assert find_builder(str(path)) == Builder("podman", str(path))
    with pytest.raises(InvalidInput, match="kaniko is no builder"):
        find_builder("kaniko")


# -- the context ------------------------------------------------------------------------------------------------------


def test_only_what_travels_is_in_the_context(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    code = ["layers/deep.py", "predict.py", "train.py", "trainer.toml"]
    with written(read_context(trainer)) as folder:
        found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        assert found == sorted([*code, "Dockerfile", "requirements.lock", "requirements.txt"])
        assert found == [file.path for file in bundle_folder(trainer).files]
    assert not folder.exists()


def test_two_contexts_of_the_same_code_are_alike(tmp_path: Path) -> None:
    """Times and modes are part of what a builder's cache may look at; the image's user must be able to read them."""
    trainer = make_trainer(tmp_path)
    (trainer / "train.py").chmod(0o700)
    (trainer / "predict.py").chmod(0o600)

    def looked_at() -> dict[str, tuple[int, float]]:
        with written(read_context(trainer)) as folder:
            return {
                str(path.relative_to(folder)): (path.stat().st_mode, path.stat().st_mtime) for path in folder.rglob("*")
            }

    first = looked_at()
    (trainer / "train.py").touch()
    assert looked_at() == first
    assert oct(first["train.py"][0])[-3:] == "755"
    assert oct(first["predict.py"][0])[-3:] == "644"
    assert oct(first["layers"][0])[-3:] == "755"


def test_what_the_dockerfile_needs_is_there_even_where_git_ignores_it(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    (trainer / ".gitignore").write_text("requirements.lock\nDockerfile\n")
    context = read_context(trainer)
    assert {path.name for path in context.besides} == {"Dockerfile", "requirements.lock"}
    with written(context) as folder:
        assert (folder / "requirements.lock").read_bytes() == (trainer / "requirements.lock").read_bytes()
        assert (folder / "Dockerfile").is_file()


def test_a_lock_of_other_requirements_is_not_installed(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    assert read_context(trainer).arguments == {}
    (trainer / "requirements.txt").write_text("numpy\n")
    context = read_context(trainer)
    assert context.arguments == {"REQUIREMENTS": "requirements.txt"}
    assert "installs without the lock" in context.warning
    (trainer / "requirements.lock").unlink()
    assert read_context(trainer).arguments == {"REQUIREMENTS": "requirements.txt"}


def test_what_is_no_trainer_or_has_nothing_to_run_is_refused(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    (trainer / "train.py").unlink()
    with pytest.raises(InvalidInput, match=r"train\.py is to be run"):
        read_context(trainer)
    (trainer / "Dockerfile").unlink()
    with pytest.raises(InvalidInput, match="no Dockerfile"):
        read_context(trainer)
    with pytest.raises(LaunchFailed, match="no trainer nobody"):
        read_context(tmp_path / "trainer-nobody")


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "full", "before", "host"),
    [
        ("trainer", "trainer:latest", "trainer", "docker.io"),
        ("me/trainer:1", "me/trainer:1", "me/trainer", "docker.io"),
        ("localhost/t:dev", "localhost/t:dev", "localhost/t", "localhost"),
        ("localhost:5000/t", "localhost:5000/t:latest", "localhost:5000/t", "localhost:5000"),
        ("ghcr.io/o/t:1", "ghcr.io/o/t:1", "ghcr.io/o/t", "ghcr.io"),
        (f"ghcr.io/o/t@sha256:{'0' * 64}", f"ghcr.io/o/t@sha256:{'0' * 64}", "ghcr.io/o/t", "ghcr.io"),
    ],
)
def test_the_parts_of_a_name(image: str, full: str, before: str, host: str) -> None:
    assert (with_tag(image), repository(image), registry(image)) == (full, before, host)
    assert of_code(image, "0123456789abcdef") == f"{before}:code-0123456789ab"


def test_the_name_is_the_settings_where_none_is_given(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, k8s_image="ghcr.io/o/{framework}")
    assert wanted_name(settings, "timm", None) == "ghcr.io/o/timm:latest"
    assert wanted_name(settings, "timm", "other:2") == "other:2"
    with pytest.raises(InvalidInput) as caught:
        wanted_name(settings, "timm", "Not An Image")
    assert caught.value.field == "--tag"
    with pytest.raises(InvalidInput, match="finished image"):
        wanted_name(settings, "timm", f"x@sha256:{'0' * 64}")


# -- the plan ---------------------------------------------------------------------------------------------------------


def test_the_image_says_what_it_was_made_from(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    made = plan(settings_for(tmp_path), Builder("docker", "docker"), "mine")
    code = bundle_folder(trainer).hash
    argv = made.build(Path("ctx"))
    assert f"trainyard.code-hash={code}" in argv
    assert [argv[at + 1] for at, word in enumerate(argv) if word == "--tag"] == [
        "localhost/trainer-mine:dev",
        f"localhost/trainer-mine:code-{code[:12]}",
    ]
    assert not [word for word in argv if word.startswith("org.opencontainers.image.revision")], "no git knows it"


def test_the_revision_is_gits_and_says_dirty(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    assert revision_of(trainer) == ""

    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t", *arguments], cwd=tmp_path, check=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    clean = revision_of(trainer)
    assert re.fullmatch(r"[0-9a-f]{40}", clean)
    (tmp_path / "elsewhere").write_text("not of this trainer")
    assert revision_of(trainer) == clean
    (trainer / "train.py").write_text("print('edited')\n")
    assert revision_of(trainer) == f"{clean}-dirty"


def test_a_name_without_a_registry_is_not_pushed(tmp_path: Path) -> None:
    make_trainer(tmp_path)
    with pytest.raises(InvalidInput, match="names no registry"):
        plan(settings_for(tmp_path), Builder("docker", "docker"), "mine", goal=Goal.PUSH)


def test_load_knows_kinds_clusters_and_says_what_to_do_about_others(tmp_path: Path) -> None:
    make_trainer(tmp_path)
    (tmp_path / "config").write_text("{clusters: [], users: [], contexts: [], current-context: kind-dev}")
    settings = settings_for(tmp_path, kubeconfig=tmp_path / "config")
    made = plan(settings, Builder("docker", "docker"), "mine", goal=Goal.LOAD)
    assert made.load(Path("x.tar")) == ["kind", "load", "image-archive", "x.tar", "--name", "dev"]
    with pytest.raises(NotAvailable, match="'minikube' is none") as caught:
        plan(settings_for(tmp_path, k8s_context="minikube"), Builder("docker", "docker"), "mine", goal=Goal.LOAD)
    assert "minikube image load" in caught.value.hint


def test_an_archive_goes_into_a_folder_that_exists(tmp_path: Path) -> None:
    make_trainer(tmp_path)
    where = tmp_path / "nowhere" / "x.tar"
    with pytest.raises(InvalidInput, match="no folder"):
        plan(settings_for(tmp_path), Builder("docker", "docker"), "mine", goal=Goal.ARCHIVE, archive=where)


def test_an_archive_gets_more_names(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(
        json.dumps([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["l.tar"]}])
    )
    (tmp_path / "l.tar").write_text("a layer")
    with tarfile.open(tmp_path / "image.tar", "w") as packed:
        for name in ("manifest.json", "l.tar"):
            packed.add(tmp_path / name, name)
    add_names(tmp_path / "image.tar", ["a:1", "a:2"])
    with tarfile.open(tmp_path / "image.tar") as packed:
        member = packed.extractfile("manifest.json")  # the last one of that name
        assert member is not None
        assert json.load(member) == [{"Config": "c.json", "RepoTags": ["a:1", "a:2"], "Layers": ["l.tar"]}]
        assert packed.getnames().count("l.tar") == 1


# -- Dockerfiles ------------------------------------------------------------------------------------------------------


def shape(trainer: Path) -> list[str]:
    """A Dockerfile without what is the trainer's own: its name, its licence, the libraries that OpenCV needs."""
    text = (trainer / "Dockerfile").read_text().replace(trainer.name, "NAME")
    lines = re.sub(r'licenses="[^"]*"', 'licenses="L"', text).splitlines()
    return [line for line in lines if not line.startswith("RUN apt-get")]


@pytest.mark.parametrize("trainer", TRAINERS, ids=lambda path: path.name)
def test_all_dockerfiles_have_one_shape(trainer: Path) -> None:
    assert len(TRAINERS) == 5
    assert shape(trainer) == shape(ROOT / "trainer-template")
    assert (trainer / ".dockerignore").read_text() == (ROOT / "trainer-template" / ".dockerignore").read_text()
    opencv = re.search(r"^opencv-python==", (trainer / "requirements.lock").read_text(), re.MULTILINE)
    assert ("RUN apt-get" in (trainer / "Dockerfile").read_text()) == bool(opencv)


def test_packages_come_before_the_code_and_nothing_runs_as_root() -> None:
    steps = [line for line in shape(ROOT / "trainer-template") if not line.startswith("#")]
    words = [line.split()[0] for line in steps]
    assert words == ["FROM", "LABEL", "ENV", "WORKDIR", "ARG", "COPY", "RUN", "COPY", "USER", "ENTRYPOINT"]
    assert steps[4:8] == [
        "ARG REQUIREMENTS=requirements.lock",
        "COPY requirements.* ./",
        'RUN pip install --no-cache-dir --compile --root-user-action=ignore -r "$REQUIREMENTS"',
        "COPY . .",
    ]
    assert steps[8] == "USER 10001:10001"
