"""Causes of failure that a line of a trainer's shows: a table from its words to ours. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from trainyard.contract.manifest import Scalar
from trainyard.jobs.cause_names import CauseName
from trainyard.jobs.remedies import Knobs

# packages that are imported by another name than they are installed by
PACKAGES = {
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
    "dateutil": "python-dateutil",
}
LONGEST = 4_000  # of a line, when patterns are tried


@dataclass(frozen=True, slots=True)
class Cause:
    """`what` and `advice` may hold {groups} of the pattern, {framework} and {job}."""

    name: CauseName
    pattern: re.Pattern[str]
    what: str
    advice: str
    change: Callable[[Knobs], dict[str, Scalar]] | None = None
    again: bool = False  # the same run may well succeed once what is outside it is well again


@dataclass(frozen=True, slots=True)
class Found:
    """A cause, and the line that shows it."""

    cause: Cause
    line: str
    words: dict[str, str] = field(default_factory=dict[str, str])


def _cause(
    name: CauseName,
    pattern: str,
    what: str,
    advice: str,
    change: Callable[[Knobs], dict[str, Scalar]] | None = None,
    *,
    again: bool = False,
) -> Cause:
    return Cause(name, re.compile(pattern, re.IGNORECASE), what, advice, change, again)


MEMORY = (
    _cause(
        "gpu_memory",
        r"(?:CUDA|HIP|XPU) out of memory|\bOutOfMemoryError\b|CU(?:BLAS|DNN)_STATUS_ALLOC_FAILED"
        r"|MPS backend out of memory|CUDA error: out of memory",
        "The GPU's memory was too small for this training.",
        "A smaller batch_size needs less, then a smaller image_size; or end what else uses that GPU.",
        Knobs.less_memory,
    ),
    _cause(
        "shared_memory",
        r"DataLoader worker .*Bus error|out of shared memory|unable to (?:write|open|allocate|mmap|resize).*shared"
        r"|No space left on device.*(?:/dev/shm|torch_\d)|(?:/dev/shm|torch_\d).*No space left",
        "The processes that load pictures had too little shared memory (/dev/shm).",
        "Fewer workers need less of it; with workers=0 the trainer loads its pictures itself.",
        Knobs.no_workers,
    ),
    _cause(
        "loader_killed",
        r"DataLoader worker .*(?:exited unexpectedly|killed by signal)",
        "A process that loads pictures was killed, most often because memory ran out.",
        "Fewer workers and a smaller batch_size need less memory; with workers=0 the traceback shows more.",
        Knobs.no_workers,
    ),
    _cause(
        "memory",
        r"\bMemoryError\b|Cannot allocate memory|DefaultCPUAllocator|std::bad_alloc"
        r"|Unable to allocate [\d.]+ .iB",
        "The machine's memory was too small for this training.",
        "A smaller batch_size, image_size or number of workers needs less.",
        Knobs.less_memory,
    ),
)
CODE = (
    _cause(
        "missing_module",
        r"No module named ['\"]?(?P<module>[\w.]+)",
        "The package {package} is not in the trainer's environment.",
        "Add {package} to requirements.txt in trainer-{framework} and run it again: its environment is then made anew. "
        "If it is a file of your own, put it beside train.py.",
    ),
    _cause(
        "wrong_version",
        r"ImportError: cannot import name '(?P<name>[^']{1,100})' from (?:partially initialized module )?"
        r"'(?P<module>[\w.]+)'",
        "{module} has no {name}: another version of it is installed than the code was written for.",
        "Name the version that has it in requirements.txt of trainer-{framework}, or change the import.",
    ),
    _cause(
        "missing_library",
        r"(?P<library>lib(?!cuda\.)[\w.+-]+\.so[\w.]*): cannot open shared object file",
        "The system library {library} is missing where the trainer ran.",
        "Install the system's package that has it, or take a Python package that brings it along "
        "(opencv-python-headless instead of opencv-python, for instance).",
    ),
    _cause(
        "syntax",
        r"^(?P<kind>SyntaxError|IndentationError|TabError): ",
        "The trainer's code can't be read by Python ({kind}).",
        "The traceback names file and line; correct it and run it again.",
    ),
    _cause(
        "undefined_name",
        r"^(?:NameError|UnboundLocalError): .*'(?P<name>\w+)'",
        "The trainer's code uses {name}, which is not defined there.",
        "The traceback names file and line; correct it and run it again.",
    ),
)
NUMBERS = (
    _cause(
        "nan",
        r"\bFloatingPointError\b|loss\b[^a-z]*(?:is |was |became |=|:)?\s*(?:nan|-?inf(?:inity)?)\b"
        r"|\b(?:nan|inf(?:inite)?)\b\W+(?:\w+\W+){0,3}loss|contains? NaN|returned nan values|non-finite|NaN persisted"
        r"|invalid numeric entries",
        "The loss became NaN or infinite: the model has run away and learns no more.",
        "Lower learning_rate to a tenth of what it was; warm-up epochs help, too. "
        "If that changes nothing, look for broken labels in the dataset.",
        Knobs.gentler_rate,
    ),
    _cause(
        "labels",
        r"device-side assert triggered|Target \d+ is out of bounds|Assertion `t >= 0 && t < n_classes` failed",
        "A label in the dataset has a number that the model has no class for.",
        "Compare the class numbers in the labels with the names that the dataset declares, and upload it again.",
    ),
)
DATA = (
    _cause(
        "dataset_missing",
        r"the storage does not give datasets/(?P<dataset>\S+)\.zip: it is not there",
        "The dataset {dataset} is not in the storage: it was removed after the job had been submitted.",
        "Upload it again with `trainyard datasets add`, or choose another one.",
    ),
    _cause(
        "checkpoint_missing",
        r"the storage does not give (?P<key>(?:checkpoints|weights)/\S+): it is not there",
        "{key}, which the training was to begin with, is not in the storage.",
        "Resume from a checkpoint that is there (`trainyard resume {job} --from best`), or submit the training anew.",
    ),
    _cause(
        "storage_refused",
        r"the storage does not give (?P<key>\S+): ",
        "The storage did not give {key}.",
        "The line says why. Look at the storage (`trainyard status`), then try again.",
        again=True,
    ),
    _cause(
        "dataset_broken",
        r"the dataset (?P<dataset>\S+) is no sound zip",
        "The dataset {dataset} is broken: its zip can't be unpacked.",
        "Upload it again with `trainyard datasets add`.",
    ),
    _cause(
        "dataset_task",
        r"this is a detection dataset|this dataset is for task|task detect needs a YOLO dataset"
        r"|task classify needs a folder of pictures|this trainer classifies",
        "The dataset is for another task than this training.",
        "Choose another task, dataset or trainer: detection needs data.yaml, images and labels; "
        "classification a folder of pictures for each class.",
    ),
    _cause(
        "dataset_layout",
        r"no two classes with pictures|at least two folders of pictures|should hold pictures of the classes in train/"
        r"|should name the folders train and val|is no folder of the dataset|No (?:valid )?images found in"
        r"|no (?:valid )?labels found|images? not found",
        "The dataset does not have the folders that this training needs.",
        "The line names what is missing. Correct it and upload the dataset again with `trainyard datasets add`.",
    ),
    _cause(
        "picture",
        r"(?P<picture>[^\s:'\"][^:'\"]*?) can't be read as a picture"
        r"|cannot identify image file ['\"]?(?P<other>[^'\"\n]+)",
        "The picture {picture} can't be read.",
        "Remove it from the dataset, or save it anew, and upload the dataset again.",
    ),
    _cause(
        "picture",
        r"image file is truncated|broken (?:PNG|data stream)|Truncated File Read|DecompressionBomb",
        "A picture of the dataset can't be read.",
        "The traceback may name it. Remove it from the dataset, or save it anew, and upload the dataset again.",
    ),
    _cause(
        "checkpoint_fit",
        r"RESUME_FROM=(?P<key>\S+) (?:does not fit|is no checkpoint|is a model for)",
        "The checkpoint {key} does not fit this training.",
        "Resume it with the model, classes and image size it was trained with, or begin afresh.",
    ),
    _cause(
        "checkpoint_fit",
        r"Error\(s\) in loading state_dict|size mismatch for \S+: copying a param"
        r"|(?:Missing|Unexpected) key\(s\) in state_dict|invalid load key|PytorchStreamReader failed"
        r"|Weights only load failed",
        "The weights that the training was to begin with do not fit its model, or can't be read.",
        "Take weights of the same model with the same classes, or begin without them.",
    ),
)
MACHINE = (
    _cause(
        "disk_full",
        r"No space left on device|no space is left on the disk|\bErrno 28\b|\bENOSPC\b|Disk quota exceeded",
        "A disk was full.",
        "Make room where the line says (`trainyard status` shows what is free in the data folder), then try again.",
        again=True,
    ),
    _cause(
        "gpu_driver",
        r"CUDA driver version is insufficient|NVIDIA driver on your system is too old|no kernel image is available"
        r"|forward compatibility was attempted|CUDA unknown error|Driver/library version mismatch",
        "The trainer's CUDA and this machine's NVIDIA driver or GPU do not fit together.",
        "Update the driver (`nvidia-smi` shows its version), or take a torch in requirements.txt of "
        "trainer-{framework} that was built for this GPU and driver.",
    ),
    _cause(
        "no_gpu",
        r"Found no NVIDIA driver|No CUDA GPUs are available|not compiled with CUDA enabled|Invalid CUDA 'device="
        r"|invalid device ordinal|it needs a GPU|libcuda\.so|CUDA is not available|no CUDA-capable device",
        "The training wants a GPU that is not there for it.",
        "`nvidia-smi` and `trainyard doctor` show which GPUs there are; --gpus says how many the job gets. "
        "Or choose settings that the CPU can do.",
    ),
    _cause(
        "too_many_files",
        r"Too many open files|\bErrno 24\b",
        "The trainer opened more files than the system allows a process.",
        "Fewer workers open fewer files; or raise the limit (`ulimit -n`) where the backend is started.",
        Knobs.no_workers,
    ),
    _cause(
        "permission",
        r"PermissionError|Permission denied|Read-only file system",
        "The trainer may not read or write a file it needs.",
        "Let it write only into the folder of its run, or give the user who runs it the right to that file.",
    ),
    _cause(
        "file_missing",
        r"No such file or directory: ['\"]?(?P<path>[^'\"]+)",
        "The trainer wanted the file {path}, which is not there.",
        "A run has its own folder: files of yours belong into the dataset, or beside train.py, found by way of "
        "__file__.",
    ),
    _cause(
        "interrupted",
        r"^KeyboardInterrupt\b",
        "Ctrl+C, or a program that sends the same signal, stopped it.",
        "Nothing is wrong with it.",
        again=True,
    ),
)
NETWORK = (
    _cause(
        "storage_key",
        r"InvalidAccessKeyId|SignatureDoesNotMatch|NoSuchBucket|An error occurred \((?:403|AccessDenied|Forbidden)\)",
        "The storage refused the trainer: its key or bucket is not valid there.",
        "Check the storage settings of this installation (`trainyard status`), then try again.",
        again=True,
    ),
    _cause(
        "storage_away",
        r"EndpointConnectionError|Could not connect to the endpoint URL|ConnectionClosedError"
        r"|(?:Connect|Read)TimeoutError|could not be uploaded: ",
        "The storage could not be reached.",
        "Look at it with `trainyard status`, then try again.",
        again=True,
    ),
    _cause(
        "mlflow_away",
        r"MlflowException.*(?:API request|failed|timed out|retries)|/api/2\.0/mlflow|/ajax-api/2\.0/mlflow",
        "MLflow could not be reached, or refused what it was told.",
        "Look at it with `trainyard status`, then try again. A script of your own may catch the error and train on.",
        again=True,
    ),
    _cause(
        "hub_away",
        r"couldn't connect to 'https?://huggingface|LocalEntryNotFoundError|OfflineModeIsEnabled|huggingface\.co.*(?:retries|resolve)"
        r"|Download failure for https?://",
        "Pretrained weights could not be downloaded.",
        "Put them into the storage once with `trainyard weights add`, or connect the machine to the internet.",
        again=True,
    ),
    _cause(
        "peers",
        r"\bNCCL\b.*(?:error|timeout|abort)|Connection closed by peer|gloo.*(?:timeout|timed out)"
        r"|DistNetworkError|DistStoreError",
        "The processes of this training lost each other.",
        "One of them ended before the others, or the network between them failed: the log shows which spoke last.",
        again=True,
    ),
    _cause(
        "port_taken",
        r"Address already in use|\bEADDRINUSE\b",
        "A port that the trainer wanted was in use.",
        "End what uses it (often an earlier run), then try again.",
        again=True,
    ),
    _cause(
        "network",
        r"Connection refused|ConnectionRefusedError|Name or service not known|failure in name resolution"
        r"|getaddrinfo failed|Max retries exceeded|Network is unreachable|No route to host|urlopen error",
        "The trainer could not reach something that it needs over the network.",
        "The line names what. `trainyard status` shows whether backend, storage and MLflow are up.",
        again=True,
    ),
)
CAUSES = (*MEMORY, *CODE, *NUMBERS, *DATA, *MACHINE, *NETWORK)


def find(lines: list[str]) -> Found | None:
    """The first line that shows a cause."""
    for line in lines:
        for cause in CAUSES:
            match = cause.pattern.search(line[:LONGEST])
            if match:
                return Found(cause, line, _words(match.groupdict()))
    return None


def _words(groups: dict[str, str | None]) -> dict[str, str]:
    words = {name: text for name, text in groups.items() if text}
    if "module" in words:
        top = words["module"].partition(".")[0]
        words["package"] = PACKAGES.get(top, top)
    return {"picture": words.get("other", ""), "package": ""} | words
