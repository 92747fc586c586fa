"""The files that the cluster's parts read: keys, certificates, the kubeconfig, one page for each part."""

import os
import subprocess
from pathlib import Path

from tests.real.testkube.install import PAUSE
from tests.real.testkube.places import HOME, KUBECONFIG, LOGS, NAME, NODE_IP, PKI, RUN, SOCKET, call

_NAMES = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
_ADDRESSES = ["127.0.0.1", "10.96.0.1", NODE_IP]


def write_configuration() -> None:
    for folder in (PKI, LOGS, HOME / "cni"):
        folder.mkdir(parents=True, exist_ok=True)
    if not (PKI / "api.crt").exists():
        _make_certificates()
    token = PKI / "token"
    if not token.exists():
        token.write_text(os.urandom(16).hex())
    (PKI / "tokens.csv").write_text(f"{token.read_text()},admin,admin,system:masters\n")
    texts = {"cni/10-bridge.conflist": _CNI, "containerd.toml": _CONTAINERD, "Corefile": _COREFILE}
    texts |= {"kubelet.yaml": _KUBELET, "kubeconfig": _KUBECONFIG.replace("TOKEN", token.read_text())}
    if NAME != "testkube":
        texts["kubelet.yaml"] += f"cgroupRoot: /{NAME}\n"
        _make_cgroup()
    for name, text in texts.items():
        draft = HOME / f"{name}.tmp"
        draft.touch(0o600)
        draft.write_text(text)
        draft.rename(HOME / name)  # others may be reading it


def _make_certificates() -> None:
    def openssl(*arguments: str) -> None:
        call("openssl", *arguments, cwd=PKI, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    new = ["-newkey", "rsa:2048", "-nodes"]
    openssl("genrsa", "-out", "sa.key", "2048")
    openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")
    authority = ["-keyout", "ca.key", "-out", "ca.crt", "-days", "365", "-subj", "/CN=testkube-ca"]
    openssl("req", "-x509", *new, *authority)
    openssl("req", *new, "-keyout", "api.key", "-out", "api.csr", "-subj", "/CN=kube-apiserver")
    names = [f"DNS:{name}" for name in _NAMES] + [f"IP:{address}" for address in _ADDRESSES]
    (PKI / "san").write_text(f"subjectAltName={','.join(names)}")
    signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "365", "-extfile", "san"]
    openssl("x509", "-req", "-in", "api.csr", "-out", "api.crt", *signed)


def cgroups() -> list[Path]:
    """A second cluster's own: two kubelets in one tree would end each other's pods."""
    root = Path("/sys/fs/cgroup")
    unified = (root / "cgroup.controllers").exists()
    parents = [root] if unified else [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
    return [parent / NAME for parent in parents]


def _make_cgroup() -> None:
    for folder in cgroups():
        folder.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):  # the older kind leaves them empty, and nothing may run then
            own, above = folder / name, folder.parent / name
            if own.exists() and above.exists() and not own.read_text().strip():
                own.write_text(above.read_text())


_KUBECONFIG = f"""apiVersion: v1
kind: Config
clusters:
- {{name: testkube, cluster: {{server: "https://127.0.0.1:6443", certificate-authority: {PKI}/ca.crt}}}}
users: [{{name: admin, user: {{token: TOKEN}}}}]
contexts: [{{name: testkube, context: {{cluster: testkube, user: admin}}}}]
current-context: testkube
"""
_CNI = """{"cniVersion": "0.4.0", "name": "testkube", "plugins": [
  {"type": "bridge", "bridge": "tkbr0", "isGateway": true, "ipMasq": true, "hairpinMode": true, "ipam":
    {"type": "host-local", "dataDir": "RUN/ips", "ranges": [[{"subnet": "10.85.0.0/16"}]],
     "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
""".replace("RUN", str(RUN))
_CONTAINERD = f"""version = 2
root = "{HOME}/containerd"
state = "{RUN}"
[grpc]
  address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{HOME}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""
_COREFILE = f""".:53 {{
  bind {NODE_IP}
  errors
  kubernetes cluster.local in-addr.arpa {{
    kubeconfig {KUBECONFIG}
    pods insecure
  }}
}}
"""
_KUBELET = f"""apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix://{SOCKET}
clusterDNS: [{NODE_IP}]
clusterDomain: cluster.local
enforceNodeAllocatable: []
localStorageCapacityIsolation: false
evictionHard: {{memory.available: "100Mi"}}
"""
