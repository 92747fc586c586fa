"""What a run finds around it, told once as the event `environment`: Python, packages, devices, variables; no secrets.

`trainyard parity` compares it between runs. It is collected in a thread of its own, and holds at most 64 kB.
"""

import contextlib
import json
import os
import platform
import re
import sys
import threading
from pathlib import Path

LIMIT, LONGEST = 60_000, 1_000  # characters of all of it as JSON, of one variable
# the variables whose values are told; of all others only that they are set
TOLD = """
    CONTRACT_VERSION JOB_ID TRACE_ID ATTEMPT PROJECT_ID BACKEND_BASE_URL TASK_TYPE FRAMEWORK MODEL_NAME DATASET_ID
    EPOCHS BATCH_SIZE LEARNING_RATE IMAGE_SIZE SEED STORAGE_TYPE MINIO_ENDPOINT MINIO_BUCKET R2_ENDPOINT R2_BUCKET
    MLFLOW_TRACKING_URI MLFLOW_EXPERIMENT_NAME RESUME_FROM HEARTBEAT_SECONDS FLUSH_SECONDS SAMPLE_COUNT KEEP_EPOCHS
    DATASET_CACHE_DIR CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER MASTER_ADDR MASTER_PORT WORLD_SIZE RANK LOCAL_RANK
""".split()  # noqa: SIM905 - a list of forty quoted names reads worse
SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_KEY")
INSTALLED = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+?)(-py[\d.]+)?\.(dist|egg)-info")


def tell(job):
    """Send the event; returns at once."""
    if job.backend:
        threading.Thread(target=_tell, args=(job,), daemon=True).start()


def _tell(job):
    try:
        found = collect()
    except Exception as error:
        found = {"problem": f"{type(error).__name__}: {error}"[:LONGEST]}
    with job.lock:  # or it could follow `done`
        if not job.told.is_set():
            job.event("environment", **found)


def collect():
    """All of it, with what is longest cut where it would be too much."""
    values, others = variables(os.environ)
    told = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.machine()}",
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "cpus": os.cpu_count(),
        "gpus": gpus(),
        "torch": torch(),
        "packages": packages(sys.path),
        "variables": values,
        "other_variables": others,
    }
    while len(json.dumps(told)) > LIMIT:
        name = max(("packages", "variables", "other_variables"), key=lambda name: len(json.dumps(told[name])))
        half = list(told[name].items() if isinstance(told[name], dict) else told[name])[: len(told[name]) // 2]
        told |= {name: type(told[name])(half), "cut": True}
    return told


def variables(environment):
    """(the contract's with their values, the names of all others)."""
    named = {name for name in environment if name in TOLD or name.startswith("PARAM_")}
    named = {name for name in named if not SECRET.search(name)}
    values = {name: re.sub(r"(?<=//)[^/@\s]*@", "", environment[name])[:LONGEST] for name in sorted(named)}
    return values, sorted(name[:LONGEST] for name in environment if name not in named)


def packages(places):
    """{name: version}. By the folders' names, which are made of both: to open each METADATA takes a hundred times as
    long, and the training would feel it."""
    found = {}
    for place in places:
        try:
            names = os.listdir(place or ".")
        except OSError:  # a zip, or not there
            continue
        for match in filter(None, map(INSTALLED.fullmatch, names)):
            found.setdefault(re.sub(r"[-_.]+", "-", match["name"]).lower(), match["version"])  # the first is imported
    return dict(sorted(found.items()))


def torch():
    """What torch was built for; None where nobody has imported it."""
    module = sys.modules.get("torch")
    if not hasattr(module, "version"):  # another thread may be importing it right now
        return None
    told = {"version": str(module.version.__version__), "cuda": module.version.cuda}
    with contextlib.suppress(Exception):  # it looks for the library, and may dislike what it finds
        told["cudnn"] = module.backends.cudnn.version()
    return told


def gpus():
    """The machine's NVIDIA devices as their driver lists them: to ask CUDA would start it here, for good."""
    listed = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    models = (re.search(r"^Model:\s*(.+)$", one.read_text(errors="replace"), re.MULTILINE) for one in listed)
    return [model[1].strip() for model in models if model]
