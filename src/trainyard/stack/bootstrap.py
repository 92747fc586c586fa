"""Makes .venv from a lock file, once. Run by ./trainyard with the machine's own Python: standard library only.

Two at once are safe: the second waits for the first and finds the work done.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

from trainyard.stack import page
from trainyard.uv import explain_failure, find_uv, uv_environment

RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"
HERE = Path(__file__).resolve().parent


class SetupFailed(Exception):
    """Said to the user as it is."""


def say(text: str, end: str = "\n") -> None:
    sys.stderr.write(text + end)
    sys.stderr.flush()


def is_fresh(root: Path, wanted: str) -> bool:
    """Whether .venv is what the lock file asks for. ./trainyard asks the same in shell before it comes here."""
    venv = root / ".venv"
    home, stamp = venv / "trainyard-home", venv / "trainyard-lock"
    if not (venv_python(venv).exists() and home.is_file() and stamp.is_file()):
        return False
    locks = (DEV,) if wanted == DEV else (RUNTIME, DEV)  # the tests' packages include the program's
    content = stamp.read_bytes()
    return home.read_text().strip() == str(root) and any((root / lock).read_bytes() == content for lock in locks)


def venv_python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


@contextlib.contextmanager
def alone(path: Path) -> Generator[None]:
    """Hold a lock that ends with this process, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if not _lock(file.fileno(), wait=False):
            say("Another trainyard is setting up here; waiting for it.")
            while not _lock(file.fileno(), wait=True):
                time.sleep(0.5)
        yield


def _lock(descriptor: int, *, wait: bool) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # the other branch's module does not exist here

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def install_uv(data: Path) -> str:
    """Put uv into the data folder with pip, which the machine's own Python may be forbidden to do anywhere else."""
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode != 0:
        raise SetupFailed(
            f"{sys.executable} has no pip, and there is no uv. Install one package, python3-pip "
            "(apt-get install python3-pip), or put uv on the PATH, and run the same command again."
        )
    argv = [*pip, "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes"]
    argv += ["--root-user-action=ignore", "--upgrade", "--target", str(data / "uv"), "-r", str(HERE / "uv-bin.lock")]
    run("installing uv", argv, dict(os.environ))
    found = find_uv(data)
    if found is None:
        raise SetupFailed(f"uv was installed into {data / 'uv'} but does not run. Put a uv that does on the PATH.")
    return found


def run(what: str, argv: list[str], env: dict[str, str]) -> None:
    """Run a program, showing that time passes; its output counts only when it fails."""
    began, shown = time.monotonic(), sys.stderr.isatty()
    back = "\r" if shown else ""
    process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not shown:
        say(f"  {what} …")
    while True:
        try:
            output, _ = process.communicate(timeout=1)
            break
        except subprocess.TimeoutExpired:
            if shown:
                say(f"\r  {what} … {time.monotonic() - began:.0f} s", end="")
        except BaseException:
            process.kill()  # Ctrl+C: leave nothing behind that still writes into .venv
            process.wait()
            raise
    seconds = time.monotonic() - began
    if process.returncode != 0:
        raise SetupFailed(f"{what} failed. {explain_failure(output or '')}")
    say(f"{back}  {what}: {seconds:.1f} s")


def make(root: Path, data: Path, wanted: str) -> None:
    """Everything between a clone and a program that runs. Started again, it goes on where it stopped."""
    say("Setting up trainyard (once):")
    env = uv_environment()
    uv = find_uv(data) or install_uv(data)
    venv, lock = root / ".venv", root / wanted
    stamp = venv / "trainyard-lock"
    ours = stamp.exists() or not venv.exists()
    python = venv_python(venv)
    if not _alive(python):
        run("making .venv", [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)], env)
    stamp.unlink(missing_ok=True)  # until the end, .venv is neither the old nor the new
    (venv / "trainyard-home").unlink(missing_ok=True)
    env["VIRTUAL_ENV"] = str(venv)
    common = ["--quiet", "--python", str(python), "--compile-bytecode"]
    packages = f"{lock.read_text().count('==')} packages"
    # a .venv that somebody else made keeps what they put there
    verb = ["sync", str(lock)] if ours else ["install", "--requirements", str(lock)]
    run(packages, [uv, "pip", *verb, "--require-hashes", *common], env)
    build = ["--build-constraints", str(HERE / "build.lock"), "--no-deps", "--reinstall-package", "trainyard"]
    run("trainyard itself", [uv, "pip", "install", *common, *build, "--editable", str(root)], env)
    refresh_page(root, data)
    (venv / "trainyard-home").write_text(f"{root}\n")
    draft = venv / "trainyard-lock.new"
    draft.write_bytes(lock.read_bytes())
    draft.replace(stamp)


def refresh_page(root: Path, data: Path) -> None:
    """Build the web page where its sources have changed. All else is worth having without it: a failure is said, and
    no more."""
    uv = None if page.is_current(root) else find_uv(data)
    if uv is None:
        return
    try:
        run("the web page", page.build_command(root, uv), uv_environment())
    except SetupFailed as failed:
        say(f"  {failed} All else works without the page; `trainyard up` tries again.")


def _alive(python: Path) -> bool:
    try:
        probe = [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        return subprocess.run(probe, capture_output=True).returncode == 0
    except OSError:
        return False


def main() -> int:
    root = HERE.parents[2]
    wanted = sys.argv[1]
    data = Path(os.environ.get("TRAINYARD_DATA_DIR") or root / ".trainyard").expanduser().absolute()
    try:
        with alone(data / "setup.lock"):
            if not is_fresh(root, wanted):
                make(root, data, wanted)
    except SetupFailed as error:
        say(f"Error: {error}")
        return 1
    except PermissionError as error:
        say(f"Error: {error.filename} cannot be written. Make it writable, or set TRAINYARD_DATA_DIR elsewhere.")
        return 1
    except KeyboardInterrupt:
        say("\nStopped. The same command goes on from here.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
