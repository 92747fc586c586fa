"""What a run on injected code needs: which files travel, how, and what is started in them."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from trainyard.contract.manifest import Manifest, parse_manifest
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


def trainer_in(bundle: Bundle) -> Manifest | None:
    """What the trainer that travels declares of itself; None: a script that is of no trainer. Raises InvalidInput."""
    for file in bundle.files:
        if file.path == "trainer.toml":
            try:
                return parse_manifest(file.data.decode(), file.path)
            except ValueError as error:
                raise InvalidInput(f"The code's {error}", hint="Correct it, then submit again.", field="code") from None
    return None


def collect(folder: Path, script: Path | None) -> tuple[Bundle, str | None]:
    """What travels of a trainer's folder, or of the script's own where that lies elsewhere; and the script's path in
    it. Reads files. Raises InvalidInput or TooLarge."""
    folder = folder.resolve()
    if script is None:
        return bundle_folder(folder), None
    if not script.is_file():
        raise InvalidInput(f"There is no script {script}.", hint="Name an existing Python file.", field="script")
    script = script.resolve()
    if script.is_relative_to(folder):
        return bundle_folder(folder), script.relative_to(folder).as_posix()
    return bundle_script(script), script.name


def program_of(bundle: Bundle, manifest: Manifest, script: Path | str | None) -> Program:
    """How it is run. `script`: a path in the bundle, else the trainer's own entrypoint. Raises InvalidInput."""
    command = _own(manifest.command) if script is None else []
    if not command:
        entrypoint = manifest.entrypoint if script is None else PurePosixPath(script).as_posix()
        bundle.require(entrypoint)
        command = ["python", _inside(entrypoint)]
    elif manifest.command[0].startswith("./"):
        bundle.require(manifest.command[0])
    return Program(bundle, command, None if fits_config_map(bundle) else bundle.archive())


def read_program(settings: Settings, spec: RunSpec) -> Program:
    """Of the files as they lie here now. Raises LaunchFailed, InvalidInput or TooLarge."""
    manifest = trainer_of(settings, spec.framework)
    bundle, script = collect(settings.trainers_dir / f"trainer-{spec.framework}", spec.script)
    return program_of(bundle, manifest, script)


def _own(command: list[str]) -> list[str]:
    """A trainer's own command: what begins with ./ lies in its folder, anything else in the image."""
    return [_inside(command[0]) if command[0].startswith("./") else command[0], *command[1:]] if command else []


def _inside(path: str) -> str:
    return f"{CODE}/{PurePosixPath(path).as_posix()}"
