"""A new trainer's folder from an existing one: all of it or nothing."""

import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from trainyard.contract.manifest import FRAMEWORK_PATTERN, Manifest, read_manifest
from trainyard.errors import Conflict, InvalidInput, NotAvailable, NotFound
from trainyard.settings import Settings, checkout

# environments, caches and a person's own keys: made by whoever works with the trainer, not part of it
_STAYS = shutil.ignore_patterns(".venv", ".venvs", ".venv.*", "__pycache__", "*.pyc", ".env", ".git", ".*_cache")


@dataclass(frozen=True, slots=True)
class Made:
    """A new trainer: where it is, which file is to be edited, and the licence of what it was copied from."""

    folder: Path
    entrypoint: str
    license: str


def copy_trainer(settings: Settings, source: str, name: str) -> Made:
    """Copy trainer-{source} to trainer-{name}. Raises InvalidInput, Conflict, NotFound, NotAvailable."""
    _check_name(name)
    target = settings.trainers_dir / f"trainer-{name}"
    if target.exists():
        raise Conflict(f"There is a trainer-{name} already: {target}.", hint="Choose another name.", field="name")
    origin, manifest = _origin(settings, source)
    # no trainer-* of a half: the backend lists what is called so the moment it is there
    draft = settings.trainers_dir / f".new-{name}-{secrets.token_hex(4)}"
    try:
        shutil.copytree(origin, draft, ignore=_STAYS)
        _rename(draft, source, name)
        if read_manifest(draft / "trainer.toml").framework != name:
            raise ValueError(f'its trainer.toml does not say framework = "{source}" in a line of its own')
        draft.rename(target)
    except OSError as error:
        raise NotAvailable(
            f"{target} can't be made: {error}.", hint="TRAINYARD_TRAINERS_DIR names the folder that holds the trainers."
        ) from error
    except ValueError as error:
        raise InvalidInput(f"trainer-{source} can't be copied: {error}", field="--from") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Made(target, manifest.entrypoint, manifest.license)


def _check_name(name: str) -> None:
    if name.startswith("trainer-"):
        short = name.removeprefix("trainer-")
        raise InvalidInput(f"trainer- is put before by itself: write {short!r}.", field="name")
    if not re.fullmatch(FRAMEWORK_PATTERN, name):
        raise InvalidInput(
            f"{name!r} can't be a trainer's name.",
            hint="Small letters, digits and hyphens, at most 41, and no hyphen first: my-trainer.",
            field="name",
        )
    if name == "template":
        raise InvalidInput("The template is called so itself.", hint="Choose another name.", field="name")


def _origin(settings: Settings, source: str) -> tuple[Path, Manifest]:
    """Beside the new one, or else among ours: the trainers' folder may be empty."""
    places = [settings.trainers_dir, *filter(None, [checkout()])]
    folders = [path.parent for place in places for path in sorted(place.glob("trainer-*/trainer.toml"))]
    origin = next((folder for folder in folders if folder.name == f"trainer-{source}"), None)
    if origin is None:
        there = {folder.name.removeprefix("trainer-") for folder in folders}
        raise NotFound(
            f"There is no trainer {source!r} to copy.", hint=f"There are: {', '.join(sorted(there))}.", field="--from"
        )
    try:
        return origin, read_manifest(origin / "trainer.toml")
    except ValueError as error:
        raise InvalidInput(f"trainer-{source} can't be copied: {error}", field="--from") from error


def _rename(folder: Path, source: str, name: str) -> None:
    """Its new name where the old one stands: trainer.toml, the README's heading, the image's title."""
    title = name.replace("-", " ").capitalize()
    _replace(folder / "trainer.toml", r"^framework\s*=.*$", f'framework = "{name}"')
    _replace(folder / "trainer.toml", r'^title = ".*"$', f'title = "{title}"')
    copied = f'description = "A copy of trainer-{source}: say here what it learns, and from what."'
    _replace(folder / "trainer.toml", r'^description = ".*"$', copied)
    _replace(folder / "README.md", r"^# .*$", f"# trainer-{name}")
    _replace(folder / "Dockerfile", rf'title="trainer-{source}"', f'title="trainer-{name}"')


def _replace(path: Path, pattern: str, text: str) -> None:
    """The first place only; a file that a trainer doesn't have is none it needs."""
    if path.is_file():
        changed = re.sub(pattern, lambda _: text, path.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
        path.write_text(changed, encoding="utf-8")
