"""What a run starts: from a spec and the settings. The shim does what stands there."""

import shutil
from pathlib import Path
from typing import TypedDict

from trainyard.contract.manifest import Manifest, read_manifest
from trainyard.executors.base import LaunchFailed, RunSpec
from trainyard.executors.local.run_folder import RunFolder
from trainyard.executors.local.variables import plan_variables
from trainyard.executors.torchrun import in_processes
from trainyard.settings import Settings


class LaunchPlan(TypedDict):
    """plan.json. No secret may ever stand in it: those travel through the shim's environment."""

    argv: list[str]
    cwd: str
    variables: dict[str, str]
    trace_id: str
    grace: float
    log_limit: int


def make_plan(settings: Settings, spec: RunSpec, python: Path) -> LaunchPlan:
    """Raises LaunchFailed where there is no such trainer or script."""
    folder = settings.trainers_dir / f"trainer-{spec.framework}"
    if spec.script is not None:
        argv, folder = _python(python, spec.script.absolute()), spec.script.absolute().parent
    else:
        manifest = manifest_of(folder)
        argv = argv_of(folder, manifest.command, python, manifest.entrypoint)
        if manifest.distributed and len(spec.gpus) > 1:
            argv = in_processes(argv, len(spec.gpus), RunFolder.of(settings.runs_dir, spec.run).torchrun)
    return LaunchPlan(
        argv=argv,
        cwd=str(folder),
        variables=plan_variables(spec.gpus),
        trace_id=spec.run.trace_id,
        grace=settings.grace_seconds,
        log_limit=settings.log_limit_mb << 20,
    )


def argv_of(folder: Path, command: list[str], python: Path, entrypoint: str) -> list[str]:
    """What starts one of a trainer's programs: its own command, else Python with a script of its folder."""
    return _command(folder, command) or _python(python, folder / entrypoint)


def _python(python: Path, script: Path) -> list[str]:
    if not script.is_file():
        raise LaunchFailed(
            f"There is no script {script}.", hint="Name an existing file, or check trainer.toml's entrypoint."
        )
    return [str(python), str(script)]


def _command(folder: Path, command: list[str]) -> list[str]:
    """A trainer's own command; what begins with ./ lies in its folder, anything else is looked for on the PATH."""
    if not command:
        return []
    program = folder / command[0] if command[0].startswith("./") else shutil.which(command[0])
    if program is None or not Path(program).is_file():
        raise LaunchFailed(
            f"There is no program {command[0]}, which {folder.name}/trainer.toml names as its command.",
            hint="Build or install it, or correct `command`.",
        )
    return [str(program), *command[1:]]


def manifest_of(folder: Path) -> Manifest:
    """A trainer's declaration. Raises LaunchFailed where there is none to be read."""
    try:
        return read_manifest(folder / "trainer.toml")
    except FileNotFoundError:
        raise LaunchFailed(
            f"There is no trainer {folder.name.removeprefix('trainer-')}: {folder / 'trainer.toml'} is missing.",
            hint="A copy of trainer-template is one; TRAINYARD_TRAINERS_DIR names the folder that holds them.",
        ) from None
    except ValueError as error:
        raise LaunchFailed(str(error), hint="Correct it and submit the job again.") from None
