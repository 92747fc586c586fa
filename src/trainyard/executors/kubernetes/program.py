"""Reading what a run on injected code needs: which files travel, how, and what is started in them."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from trainyard.contract.manifest import Manifest
from trainyard.errors import InvalidInput
from trainyard.executors.base import RunSpec
from trainyard.executors.bundle import Bundle, bundle_folder, bundle_script
from trainyard.executors.kubernetes.code import CODE, fits_config_map
from trainyard.executors.local.launch_plan import manifest_of
from trainyard.settings import Settings


@dataclass(frozen=True, slots=True)
class Program:
    """A bundle and the command that is run in it."""

    bundle: Bundle = field(repr=False)
    command: list[str]
    archive: bytes | None = field(repr=False)  # for the store at contract.keys.code_key(bundle.hash); None: ConfigMap


def trainer_of(settings: Settings, framework: str) -> Manifest:
    """Raises LaunchFailed where there is no such trainer."""
    return manifest_of(settings.trainers_dir / f"trainer-{framework}")


def read_program(settings: Settings, spec: RunSpec) -> Program:
    """Reads the trainer's folder. Raises LaunchFailed, InvalidInput or TooLarge."""
    folder = (settings.trainers_dir / f"trainer-{spec.framework}").resolve()
    manifest = manifest_of(folder)
    script = _script(spec.script)
    if script is None or script.is_relative_to(folder):
        bundle = bundle_folder(folder)
        entrypoint = manifest.entrypoint if script is None else script.relative_to(folder).as_posix()
        command = _own(manifest.command) if script is None else []
    else:
        bundle, entrypoint, command = bundle_script(script), script.name, []
    if not command:
        bundle.require(entrypoint)
        command = ["python", _inside(entrypoint)]
    elif manifest.command[0].startswith("./"):
        bundle.require(manifest.command[0])
    return Program(bundle, command, None if fits_config_map(bundle) else bundle.archive())


def _script(script: Path | None) -> Path | None:
    if script is not None and not script.is_file():
        raise InvalidInput(f"There is no script {script}.", hint="Name an existing Python file.", field="script")
    return script.resolve() if script else None


def _own(command: list[str]) -> list[str]:
    """A trainer's own command: what begins with ./ lies in its folder, anything else in the image."""
    return [_inside(command[0]) if command[0].startswith("./") else command[0], *command[1:]] if command else []


def _inside(path: str) -> str:
    return f"{CODE}/{PurePosixPath(path).as_posix()}"
