"""Starting and stopping the cluster: a network of its own, and nine processes in it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.real.testkube.configuration import cgroups, write_configuration
from tests.real.testkube.install import PAUSE_ARCHIVE, install
from tests.real.testkube.places import (
    BIN,
    HOME,
    INSIDE,
    KUBECONFIG,
    LOGS,
    NAME,
    NETWORK,
    NODE_IP,
    PKI,
    RUN,
    call,
    ctr,
    kubectl,
    locked,
)

_PODS = "10.85.0.0/16"
_ETCD = "http://127.0.0.1:2379"
_PARTS = ["coredns", "kubelet", "proxy", "scheduler", "controllers", "apiserver", "etcd", "containerd"]  # as they end


def up() -> None:
    """Install what is missing and start it. An instant where it is up; a second caller waits for the first."""
    if is_up():
        return
    with locked():
        if is_up():
            return
        install()
        _stop()
        write_configuration()
        _make_network()
        _start_all()


def down() -> None:
    """Stop it and forget its objects; what was installed and its images stay. Nothing to do is fine."""
    if not HOME.exists():
        return
    with locked():
        if is_up():
            _end_pods()
        _stop()
        _unmount()
        if NETWORK.exists():
            call("ip", "netns", "delete", NAME)
        if NAME != "testkube":
            _remove_cgroups()


def is_up() -> bool:
    """Whether its node takes pods."""
    if not (KUBECONFIG.exists() and NETWORK.exists()):
        return False
    nodes = kubectl("get", "nodes", "--no-headers", capture_output=True)
    return " Ready" in nodes.stdout and _says_yes("get", "serviceaccount", "default")


def load(archive: Path) -> None:
    """What `kind load image-archive` does; an archive is made by `buildah push NAME docker-archive:FILE:NAME`."""
    call(*ctr("images", "import", str(archive)), stdout=subprocess.DEVNULL)


def _says_yes(*arguments: str) -> bool:
    return kubectl(*arguments, capture_output=True).returncode == 0


def _make_network() -> None:
    if not NETWORK.exists():
        call("ip", "netns", "add", NAME)
    # an address of its own: a bridge without one takes that of a pod, and when the pod goes all others lose their way
    made = "link add tkbr0 address 02:00:0a:55:00:01 type bridge"
    steps = ["link set lo up", made, f"addr add {NODE_IP}/16 dev tkbr0"]
    steps += ["link set tkbr0 up", "route replace default dev tkbr0"]
    for step in steps:  # some of it may be there already
        subprocess.run([*INSIDE, "ip", *step.split()], check=False, stderr=subprocess.DEVNULL)
    call(*INSIDE, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")


def _start_all() -> None:
    admin = f"--kubeconfig={KUBECONFIG}"
    urls = [f"--listen-client-urls={_ETCD}", f"--advertise-client-urls={_ETCD}"]
    _start("etcd", "etcd", f"--data-dir={HOME}/etcd", *urls, "--listen-peer-urls=http://127.0.0.1:2380")
    _start("containerd", "containerd", "-c", f"{HOME}/containerd.toml")
    _start("apiserver", f"{BIN}/kube-apiserver", *_apiserver_flags())
    _wait("the API server", lambda: _says_yes("get", "--raw", "/readyz"))
    signing = [f"--root-ca-file={PKI}/ca.crt", f"--service-account-private-key-file={PKI}/sa.key"]
    controllers = [admin, *signing, "--use-service-account-credentials", "--leader-elect=false"]
    _start("controllers", f"{BIN}/kube-controller-manager", *controllers)
    _start("scheduler", f"{BIN}/kube-scheduler", admin, "--leader-elect=false")
    node = [admin, "--hostname-override=node1"]
    kubelet = [f"--config={HOME}/kubelet.yaml", f"--root-dir={HOME}/kubelet", f"--node-ip={NODE_IP}"]
    _start("kubelet", f"{BIN}/kubelet", *node, *kubelet)
    proxy = [f"--cluster-cidr={_PODS}", "--conntrack-max-per-core=0", "--proxy-mode=iptables"]
    _start("proxy", f"{BIN}/kube-proxy", *node, *proxy)
    _start("coredns", f"{BIN}/coredns", "-conf", f"{HOME}/Corefile")
    load(PAUSE_ARCHIVE)
    _wait("the node", is_up)


def _apiserver_flags() -> list[str]:
    return [
        f"--etcd-servers={_ETCD}",
        "--bind-address=0.0.0.0",
        "--secure-port=6443",
        f"--advertise-address={NODE_IP}",
        f"--tls-cert-file={PKI}/api.crt",
        f"--tls-private-key-file={PKI}/api.key",
        f"--client-ca-file={PKI}/ca.crt",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={PKI}/sa.pub",
        f"--service-account-signing-key-file={PKI}/sa.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=RBAC",
        f"--token-auth-file={PKI}/tokens.csv",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def _start(name: str, *argv: str) -> None:
    """A process that outlives us, with its pid and its log where `_stop` and people find them."""
    with (LOGS / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [*INSIDE, *argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=HOME, start_new_session=True
        )
    _pid_file(name).write_text(str(process.pid))


def _pid_file(name: str) -> Path:
    return HOME / f"{name}.pid"


def _wait(what: str, look: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not look():
        if time.monotonic() > end:
            raise SystemExit(f"testkube: {what} is not ready after {seconds:g} s; {LOGS} holds their logs")
        time.sleep(0.2)


def _end_pods() -> None:
    kinds = "jobs,deployments,statefulsets,daemonsets,pods"
    kubectl("delete", kinds, "--all", "-A", "--grace-period=0", "--force", "--wait=false", capture_output=True)
    with suppress(SystemExit):  # the kubelet takes their volumes and networks away, too
        _wait("the end of the pods", lambda: not _tasks() and not any((HOME / "kubelet/pods").iterdir()), 15)
    for task in _tasks():  # whatever the kubelet has not stopped by now
        subprocess.run(ctr("tasks", "delete", "-f", task), check=False, capture_output=True)


def _tasks() -> list[str]:
    return subprocess.run(ctr("tasks", "ls", "-q"), check=False, capture_output=True, text=True).stdout.split()


def _stop() -> None:
    """By the recorded pids. The API server takes a minute over a SIGTERM, so nobody gets longer than two seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for name in _PARTS:
            if _is_running(name):
                with suppress(ProcessLookupError):
                    os.kill(int(_pid_file(name).read_text()), number)
        with suppress(SystemExit):
            _wait("their end", lambda: not any(map(_is_running, _PARTS)), 2)
    for name in _PARTS:
        _pid_file(name).unlink(missing_ok=True)
    shutil.rmtree(HOME / "etcd", ignore_errors=True)


def _is_running(name: str) -> bool:
    """A recorded pid is ours only while it runs in our network; a zombie's network is nobody's."""
    try:
        network = Path("/proc", _pid_file(name).read_text(), "ns/net").stat().st_ino
        return network == NETWORK.stat().st_ino
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def _unmount() -> None:
    """The innermost first: the list is in the order of mounting."""
    places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in reversed(places):
        if place.startswith((f"{HOME}/", f"{RUN}/")):
            call("umount", "--lazy", place)


def _remove_cgroups() -> None:
    for folder in filter(Path.exists, cgroups()):
        for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
            inner.rmdir()
        folder.rmdir()
    shutil.rmtree(RUN, ignore_errors=True)
