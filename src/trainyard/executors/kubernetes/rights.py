"""What our account in a cluster must be allowed, in one namespace: all that trainyard ever asks for."""

from trainyard.executors.kubernetes.api import Api, Kind

RIGHTS: dict[Kind, tuple[str, ...]] = {
    "Job": ("create", "get", "list", "watch", "patch", "delete"),
    "Pod": ("list", "watch"),
    "Event": ("list", "watch"),
    "Secret": ("create",),
    "ConfigMap": ("create",),
    "Service": ("create",),
}
LOGS = "get"  # of pods/log
METRICS = "list"  # of pods in metrics.k8s.io; without it nothing is missing but what pods use


def missing_rights(api: Api) -> list[str]:
    """`create jobs` and the like, for what is not allowed. Blocking; raises ClusterAway, Refused."""
    asked: list[tuple[str, Kind]] = [(verb, kind) for kind, verbs in RIGHTS.items() for verb in verbs]
    missing = [f"{verb} {kind.lower()}s" for verb, kind in asked if not api.may(verb, kind)]
    return missing + ([] if api.may(LOGS, "Pod", "log") else [f"{LOGS} pods/log"])
