"""Where testkube keeps its things, what it is made from, and how its parts are called. Standard library only."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_HOME = "/var/lib/testkube"
HOME = Path(os.environ.get("TESTKUBE_HOME") or _HOME)  # the running cluster; a second one beside it has its own
CACHE = Path(os.environ.get("TESTKUBE_CACHE") or "/var/cache/testkube")  # programs and images, worth keeping
SOURCE = Path(__file__).with_name("src")
BIN, IMAGES = CACHE / "bin", CACHE / "images"
PKI, LOGS, KUBECONFIG = HOME / "pki", HOME / "logs", HOME / "kubeconfig"
# checkouts of one machine share the cluster in the usual place; one in another place shares nothing with it
NAME = "testkube" if Path(_HOME) == HOME else f"testkube-{hashlib.sha256(bytes(HOME)).hexdigest()[:8]}"
NETWORK = Path("/run/netns") / NAME
INSIDE = ["nsenter", f"--net={NETWORK}"]
NODE_IP = "10.85.0.1"
RUN = Path("/run") / NAME
SOCKET = RUN / "containerd.sock"


def call(*argv: str | Path, **given: Any) -> None:
    """Blocks until it has ended. Raises CalledProcessError where it fails."""
    subprocess.run([str(part) for part in argv], check=True, **given)


def say(text: str) -> None:
    """What takes a while, to whoever waits for it."""
    print(f"testkube: {text}", file=sys.stderr, flush=True)


def kubectl(*arguments: str, **given: Any) -> "subprocess.CompletedProcess[str]":
    """From outside as from inside; any exit code."""
    argv = [*INSIDE, str(BIN / "kubectl"), "--kubeconfig", str(KUBECONFIG), *arguments]
    return subprocess.run(argv, check=False, text=True, **given)


def ctr(*arguments: str) -> list[str]:
    """The command that asks the cluster's containerd."""
    return [*INSIDE, "ctr", "--address", str(SOCKET), "--namespace", "k8s.io", *arguments]


@contextmanager
def locked() -> Generator[None]:
    """One at a time installs, starts, stops or builds; whoever comes second finds it done. Not to be nested."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_inside() -> bool:
    """Whether this process is in the cluster's network."""
    try:
        return NETWORK.stat().st_ino == Path("/proc/self/ns/net").stat().st_ino
    except OSError:
        return False


def is_given() -> bool:
    """Whether the environment names somebody's cluster, to test with that one; TRAINYARD_TESTKUBE asks for ours."""
    named = os.environ.get("KUBECONFIG", "")
    return named not in ("", str(KUBECONFIG)) and not os.environ.get("TRAINYARD_TESTKUBE")


def what_is_missing() -> str:
    """Why there can't be a cluster here; empty where there can."""
    if is_given() or (sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get")):
        return ""
    return "a cluster: root on Debian or Ubuntu makes one; elsewhere KUBECONFIG names one (kind, minikube)"
