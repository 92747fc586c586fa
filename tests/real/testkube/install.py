"""What the cluster is made of: Debian's packages, and the Kubernetes programs, unpacked or built."""

import lzma
import os
import shutil
import subprocess
from pathlib import Path

from tests.real.testkube.places import BIN, CACHE, IMAGES, SOURCE, call, say

VERSION, COREDNS = "1.34.4", "v1.15.0"
PARTS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"]
PACKAGES = ["etcd-server", "containerd", "runc", "containernetworking-plugins", "iptables", "conntrack", "socat"]
TOOLS = ["iproute2", "openssl", "buildah", "debootstrap", "gcc", "libc6-dev"]
PROGRAMS = ["etcd", "containerd", "runc", "iptables", "conntrack", "socat", "ip", "nsenter", *TOOLS[1:5]]
PAUSE, PAUSE_ARCHIVE = "localhost/pause:1", IMAGES / "pause.tar"


def install() -> None:
    """Whatever is missing; a moment where nothing is."""
    if not all(map(shutil.which, PROGRAMS)) or not Path("/usr/lib/cni/bridge").exists():
        say(f"installing {', '.join(PACKAGES + TOOLS)}")
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        call("apt-get", "update", "-qq", env=env)
        call(
            "apt-get",
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            *PACKAGES,
            *TOOLS,
            env=env,
            stdout=subprocess.PIPE,
        )
    BIN.mkdir(parents=True, exist_ok=True)
    IMAGES.mkdir(exist_ok=True)
    for name, build in (("hyperkube", _build_hyperkube), ("coredns", _build_coredns)):
        if not (BIN / name).exists() and not _unpack(name):
            say(f"building {name}, which takes minutes (TESTKUBE_PACKED may name a folder with {name}.xz)")
            build()
    for part in PARTS:
        if not (BIN / part).is_symlink():
            (BIN / part).symlink_to("hyperkube")
    if not PAUSE_ARCHIVE.exists():
        _make_pause()


def _unpack(name: str) -> bool:
    """A ready-made program spares the compiler: from TESTKUBE_PACKED, or a folder beside or above the checkout."""
    given = os.environ.get("TESTKUBE_PACKED")
    folders = [Path(given)] if given else [above / "shared" / "testkube" for above in SOURCE.parents]
    packed = next((path for folder in folders if (path := folder / f"{name}.xz").is_file()), None)
    if packed is None:
        return False
    draft = BIN / f"{name}.tmp"
    with lzma.open(packed) as source, draft.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    draft.chmod(0o755)
    draft.rename(BIN / name)
    return True


def _build_hyperkube() -> None:
    """About seven minutes on two cores, the first time."""
    major, minor, _ = VERSION.split(".")
    told = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor}
    flags = " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{name}={value}" for name, value in told.items())])
    draft = BIN / "hyperkube.tmp"
    argv = [_go(), "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", str(draft), "."]
    call(*argv, cwd=SOURCE, env=os.environ | {"CGO_ENABLED": "0"})
    draft.rename(BIN / "hyperkube")


def _build_coredns() -> None:
    """About two minutes."""
    argv = [_go(), "install", "-trimpath", "-ldflags", "-s -w", f"github.com/coredns/coredns@{COREDNS}"]
    call(*argv, cwd=BIN, env=os.environ | {"CGO_ENABLED": "0", "GOBIN": str(BIN)})


def _go() -> str:
    found = shutil.which("go")
    if found is None:
        raise SystemExit("testkube: its programs are built with Go, and there is none: apt-get install golang-go")
    return found


def _make_pause() -> None:
    """The image that holds a pod's network; a static program of three lines."""
    context = CACHE / "pause"
    context.mkdir(exist_ok=True)
    call("gcc", "-static", "-O2", "-o", context / "pause", SOURCE / "pause.c")
    (context / "Dockerfile").write_text('FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n')
    call("buildah", "bud", "-q", "-t", PAUSE, context, stdout=subprocess.DEVNULL)
    draft = PAUSE_ARCHIVE.with_suffix(".tmp")
    call("buildah", "push", "-q", PAUSE, f"docker-archive:{draft}:{PAUSE}")
    draft.rename(PAUSE_ARCHIVE)
