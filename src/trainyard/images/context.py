"""What a builder is given: the files that would travel to a cluster, in a folder of their own. Nothing else is seen."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainyard.errors import InvalidInput
from trainyard.executors.bundle import Bundle, bundle_folder
from trainyard.executors.local.launch_plan import manifest_of
from trainyard.executors.local.recipes import lock_of

DOCKERFILE = "Dockerfile"
_INSTALLED = ("requirements.txt", "requirements.lock")
_WHEN = 315_532_800  # 1980: builders whose cache looks at times find the same file again


@dataclass(frozen=True)
class Context:
    """A trainer's bundle, what is needed besides, and what the Dockerfile is told."""

    bundle: Bundle
    besides: tuple[Path, ...]  # ignored by somebody's .gitignore, and needed all the same
    arguments: dict[str, str]
    warning: str

    @property
    def names(self) -> list[str]:
        return sorted({*(file.path for file in self.bundle.files), *(path.name for path in self.besides)})


def read_context(folder: Path) -> Context:
    """Reads a trainer's folder. Raises LaunchFailed where it is none, InvalidInput, TooLarge."""
    manifest, bundle = manifest_of(folder), bundle_folder(folder)
    if not (folder / DOCKERFILE).is_file():
        raise InvalidInput(
            f"{folder.name} has no Dockerfile, so there is nothing to build an image from.",
            hint="Copy the one of trainer-template into it.",
            field="framework",
        )
    if not manifest.command:
        bundle.require(manifest.entrypoint)
    travelling = {file.path for file in bundle.files}
    needed = [folder / name for name in (DOCKERFILE, *_INSTALLED)]
    besides = tuple(path for path in needed if path.is_file() and path.name not in travelling)
    return Context(bundle, besides, *_requirements(folder))


def _requirements(folder: Path) -> tuple[dict[str, str], str]:
    """The lock, where it belongs to requirements.txt: the same rule as for environments on this machine."""
    requirements = folder / _INSTALLED[0]
    if not requirements.is_file() or lock_of(requirements):
        return {}, ""
    warning = (
        f"{folder.name}/requirements.lock is missing or older than requirements.txt: installs without the lock "
        f"(`just lock {folder.name}` makes it anew)."
    )
    return {"REQUIREMENTS": requirements.name}, warning


@contextmanager
def written(context: Context) -> Generator[Path]:
    """The context as a folder that is gone afterwards. Files are readable by the image's user whatever the umask."""
    with tempfile.TemporaryDirectory(prefix="trainyard-build-") as temporary:
        root = Path(temporary) / "context"
        root.mkdir()
        for file in context.bundle.files:
            _write(root, file.path, file.data, file.executable)
        for path in context.besides:
            _write(root, path.name, path.read_bytes(), False)
        for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)
            os.utime(folder, (_WHEN, _WHEN))
        yield root


def _write(root: Path, name: str, data: bytes, executable: bool) -> None:
    target = root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    target.chmod(0o755 if executable else 0o644)
    os.utime(target, (_WHEN, _WHEN))
