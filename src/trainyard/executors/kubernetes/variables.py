"""A run's variables as a container gets them: secrets out of a Secret, everything else as it is."""

import re
from collections.abc import Mapping
from typing import Any

from trainyard.contract.environment import SECRET_VARIABLES

MASTER_PORT = 29500
CODE_URL = "CODE_URL"
_INDEX = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
_CREDENTIALS = re.compile(r"://[^/?#]*@")  # https://user:password@host
# what a process without an entry in the image's /etc/passwd and without a home it may write to falls over
BASE = {
    "HOME": "/tmp",  # noqa: S108 - the one folder of the pod that is there to be written to
    "USER": "trainer",
    "LOGNAME": "trainer",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def split(env: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """(plain, secret), sorted by name."""
    secret = {name for name, value in env.items() if name in SECRET_VARIABLES or _CREDENTIALS.search(value)}
    names = sorted(env)
    return {n: env[n] for n in names if n not in secret}, {n: env[n] for n in names if n in secret}


def plain_entries(variables: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": literal(value)} for name, value in variables.items()]


def secret_entries(names: Mapping[str, str], secret: str) -> list[dict[str, Any]]:
    return [{"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}} for name in names]


def distributed_entries(job: str, replicas: int) -> list[dict[str, Any]]:
    """torchrun's variables, one process a pod. The first pod's host name is the place where all meet."""
    fixed = {
        "MASTER_ADDR": f"{job}-0.{job}",
        "MASTER_PORT": str(MASTER_PORT),
        "WORLD_SIZE": str(replicas),
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
    }
    return [*plain_entries(fixed), {"name": "RANK", "valueFrom": {"fieldRef": {"fieldPath": _INDEX}}}]


def literal(text: str) -> str:
    """Kubernetes replaces $(NAME) in values, commands and arguments: a text that holds it is meant as it stands."""
    return text.replace("$", "$$")
