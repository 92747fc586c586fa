"""Where uv is and what it needs to know. Standard library only: the bootstrap uses it before anything is installed."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

# what pip is told about the index, and how uv wants to be told the same
_PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}
_NETWORK = (
    "error sending request",
    "dns error",
    "failed to fetch",
    "connection",
    "timed out",
    "name resolution",
    "failed to lookup",
    "network",
    "temporary failure",
    "no matching distribution",
    "unreachable",
)
_OLDER_NAMES = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}


def find_uv(data_dir: Path) -> str | None:
    """A uv that runs: the one that is named, on the PATH, or in the data folder. None where there is none."""
    name = "uv.exe" if sys.platform == "win32" else "uv"
    inside = [str(folder / name) for folder in (data_dir / "uv" / "bin", uv_folder())]
    candidates = (os.environ.get("TRAINYARD_UV"), shutil.which("uv"), *inside)
    return next((candidate for candidate in candidates if candidate and _runs(candidate)), None)


def uv_folder() -> Path:
    """Where the bootstrap puts uv. It reads no .env, so that may be elsewhere than in the program's data folder."""
    return Path(__file__).resolve().parents[2] / ".trainyard" / "uv" / "bin"


def _runs(program: str) -> bool:
    # a version manager leaves stand-ins on the PATH for versions that are not active: being there proves nothing
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def uv_environment() -> dict[str, str]:
    """The environment for uv: this one, and pip's settings in uv's words where uv has none of its own."""
    env = dict(os.environ)
    env.setdefault("UV_SYSTEM_CERTS", "1")  # a company's own certificate authority is in the machine's store
    env.setdefault("UV_PYTHON_DOWNLOADS", "never")  # the Python that is here is the one to use
    for option, value in _pip_options().items():
        name = _PIP_TO_UV[option]
        if name not in env and _OLDER_NAMES.get(name, name) not in env:
            env[name] = " ".join(value.split())
    return env


def _pip_options() -> dict[str, str]:
    """pip's own order: the machine's file, the user's, the one PIP_CONFIG_FILE names, the environment."""
    found: dict[str, str] = {}
    parser = configparser.RawConfigParser()
    for path in _pip_files():
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself will complain about it; uv can do without
    for section in ("global", "install"):
        if parser.has_section(section):
            found |= {option: value for option, value in parser.items(section) if option in _PIP_TO_UV}
    for option in _PIP_TO_UV:
        value = os.environ.get("PIP_" + option.upper().replace("-", "_"))
        if value:
            found[option] = value
    return found


def _pip_files() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        roots = [os.environ.get("PROGRAMDATA"), os.environ.get("APPDATA")]
        files = [Path(root) / "pip" / "pip.ini" for root in roots if root]
    else:
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        files = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), home / ".pip/pip.conf", config / "pip/pip.conf"]
    named = os.environ.get("PIP_CONFIG_FILE")
    return files + ([Path(named)] if named else [])


def says_disk_full(output: str) -> bool:
    low = output.lower()
    return "no space left" in low or "os error 28" in low or "disk quota" in low


def explain_failure(output: str) -> str:
    """Why uv or pip could not install, and what to do about it, from what it printed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if "error" in line.lower() or "cause" in line.lower()), "")
    said = (last or (lines[-1] if lines else "nothing"))[:300]
    low = output.lower()
    if says_disk_full(output):
        return f"The disk is full ({said}). Free some space and run the same command again."
    if any(sign in low for sign in ("unknownissuer", "certificate verify failed", "invalid peer certificate")):
        return (
            f"The package index's certificate is not trusted here ({said}). Name your certificate authority's file in "
            "SSL_CERT_FILE and run the same command again."
        )
    if any(sign in low for sign in _NETWORK):
        return (
            f"The package index cannot be reached ({said}). Connect this machine to the network, or set HTTPS_PROXY, "
            "or name a mirror in UV_DEFAULT_INDEX, and run the same command again: what is there already is kept."
        )
    return f"It said: {said}"
