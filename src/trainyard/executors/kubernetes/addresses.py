"""Where pods find the platform: another place than processes of this machine do."""

from urllib.parse import urlsplit

from trainyard.executors.base import Addresses
from trainyard.settings import Settings

_HERE = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::"}  # noqa: S104 - compared with, never listened on


def pod_addresses(settings: Settings) -> Addresses:
    return Addresses(
        backend=settings.k8s_backend_url.rstrip("/") or settings.backend_url,
        s3=settings.k8s_s3_url.rstrip("/") or settings.s3_url,
        mlflow=settings.k8s_mlflow_url.rstrip("/") or settings.tracking_url,
    )


def out_of_reach(addresses: Addresses) -> list[str]:
    """A sentence for each that means this machine here and the pod itself there; none where all is well."""
    found = (("backend", addresses.backend), ("s3", addresses.s3), ("mlflow", addresses.mlflow))
    return [
        f"Pods can't reach {url}: set TRAINYARD_K8S_{name.upper()}_URL to the address that they see."
        for name, url in found
        if (urlsplit(url).hostname or "") in _HERE
    ]
