"""The environment of a trainer: a clean base, the contract's variables, and none of the platform's own."""

import os
from collections.abc import Mapping

_KEPT = """
    PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TERM COLORTERM NO_COLOR FORCE_COLOR
    SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
    HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy
    LD_LIBRARY_PATH DYLD_LIBRARY_PATH XDG_CACHE_HOME HF_HOME TORCH_HOME
    SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT APPDATA LOCALAPPDATA PROGRAMDATA USERPROFILE
""".split()  # noqa: SIM905 - a list of forty quoted names reads worse
_KEPT_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "NCCL_", "OMP_", "MKL_", "OPENBLAS_", "PIP_", "UV_")


def base_environment(source: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What of our own environment a trainer needs to work on this machine. An allow-list: new secrets stay out."""
    return {name: value for name, value in source.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}


def plan_variables(gpus: tuple[int, ...]) -> dict[str, str]:
    """What a run gets beyond the contract, and no secret: it may be written to plan.json."""
    # an empty CUDA_VISIBLE_DEVICES hides all of them: a job that was leased none must not take another's
    visible = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, gpus))}
    # leases count as nvidia-smi does; CUDA's own order puts the fastest first
    return visible | {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "PYTHONUNBUFFERED": "1"}
