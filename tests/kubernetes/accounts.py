"""Accounts of a test's own, with the rights it says, as kubeconfigs that a backend can be started with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_hex

from tests.kubernetes.test_cluster import kubeconfig
from tests.real.cluster import OwnNamespace
from trainyard.executors.kubernetes.rights import LOGS, RIGHTS


def account(cluster: OwnNamespace, folder: Path, name: str, rights: Mapping[str, Sequence[str]] | None = None) -> Path:
    """A service account that may do this in the namespace and nothing else; its rights may count a moment later."""
    cluster.kubectl("create", "serviceaccount", name)
    give(cluster, name, rights or {})
    return kubeconfig(cluster, folder / f"{name}.yaml", token=cluster.kubectl("create", "token", name).strip())


def give(cluster: OwnNamespace, name: str, rights: Mapping[str, Sequence[str]]) -> None:
    """More rights for an account; they may count a moment later."""
    whose = f"--serviceaccount={cluster.namespace}:{name}"
    for resource, verbs in rights.items():
        role = f"{name}-{token_hex(4)}"
        cluster.kubectl("create", "role", role, f"--verb={','.join(verbs)}", f"--resource={resource}")
        cluster.kubectl("create", "rolebinding", role, f"--role={role}", whose)


def all_that_we_ask_for() -> dict[str, tuple[str, ...]]:
    """What rights.py lists, by the names that kubectl gives to resources."""
    return {f"{kind.lower()}s": verbs for kind, verbs in RIGHTS.items()} | {"pods/log": (LOGS,)}
