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
    kept = {name: value for name, value in source.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    if any(name.lower().endswith("_proxy") for name in kept):
        # a proxy is for the internet: the platform's own addresses are on this machine
        for name in ("NO_PROXY", "no_proxy"):
            kept[name] = ",".join(filter(None, (kept.get(name), "127.0.0.1,localhost,::1")))
    return kept


def plan_variables(gpus: tuple[int, ...]) -> dict[str, str]:
    """What a run gets beyond the contract, and no secret: it may be written to plan.json."""
    # an empty CUDA_VISIBLE_DEVICES hides all of them: a job that was leased none must not take another's
    return {"CUDA_VISIBLE_DEVICES": ",".join(map(str, gpus)), "PYTHONUNBUFFERED": "1"}
