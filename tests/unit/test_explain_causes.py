"""Each cause that a trainer's own words show, in the words that frameworks really use."""

import string

import pytest

from tests.unit.jobs_explained import BUS, JOB, NO_MEMORY, said
from trainyard.contract.manifest import Scalar
from trainyard.jobs.causes import CAUSES


@pytest.mark.parametrize(
    ("kind", "message", "cause", "says", "params"),
    [
        ("OutOfMemoryError", NO_MEMORY, "gpu_memory", "GPU's memory", {"batch_size": 8}),
        ("RuntimeError", "CUDA error: out of memory", "gpu_memory", "GPU's memory", {"batch_size": 8}),
        ("MemoryError", "Unable to allocate 11.2 GiB for an array", "memory", "machine's memory", {"batch_size": 8}),
        ("RuntimeError", BUS, "shared_memory", "/dev/shm", {"workers": 0}),
        (
            "RuntimeError",
            "DataLoader worker (pid(s) 12, 13) exited unexpectedly",
            "loader_killed",
            "was killed",
            {"workers": 0},
        ),
        ("ModuleNotFoundError", "No module named 'cv2'", "missing_module", "opencv-python-headless", None),
        (
            "ModuleNotFoundError",
            "No module named 'albumentations.core'",
            "missing_module",
            "albumentations is not",
            None,
        ),
        (
            "ImportError",
            "cannot import name 'Mapping' from 'collections' (/usr/lib/python3.11/collections/__init__.py)",
            "wrong_version",
            "collections has no Mapping",
            None,
        ),
        (
            "ImportError",
            "libGL.so.1: cannot open shared object file: No such file or directory",
            "missing_library",
            "libGL.so.1 is missing",
            None,
        ),
        ("NameError", "name 'modle' is not defined", "undefined_name", "modle", None),
        (
            "FloatingPointError",
            "after epoch 3 val/loss is nan: the model has run away and learns no more. Lower LEARNING_RATE (0.05)",
            "nan",
            "NaN",
            {"learning_rate": 0.005},
        ),
        (
            "RuntimeError",
            "Function 'MulBackward0' returned nan values in its 0th output.",
            "nan",
            "NaN",
            {"learning_rate": 0.005},
        ),
        ("ValueError", "Input X contains NaN.", "nan", "NaN", {"learning_rate": 0.005}),
        ("RuntimeError", "box_loss: inf", "nan", "infinite", {"learning_rate": 0.005}),
        ("RuntimeError", "CUDA error: device-side assert triggered", "labels", "no class for", None),
        (
            "FileNotFoundError",
            "the storage does not give datasets/cats.zip: it is not there; upload it, or check the id",
            "dataset_missing",
            "The dataset cats is not in the storage",
            None,
        ),
        (
            "FileNotFoundError",
            "the storage does not give checkpoints/job-x/last.pt: it is not there; upload it, or check the id",
            "checkpoint_missing",
            "checkpoints/job-x/last.pt",
            None,
        ),
        (
            "FileNotFoundError",
            "the storage does not give datasets/cats.zip: An error occurred (500) when calling HeadObject",
            "storage_refused",
            "did not give datasets/cats.zip",
            {},
        ),
        (
            "ValueError",
            "the dataset cats is no sound zip, upload it again: File is not a zip file",
            "dataset_broken",
            "The dataset cats is broken",
            None,
        ),
        (
            "ValueError",
            "this is a detection dataset (pictures with boxes); trainer-timm classifies whole pictures: give it …",
            "dataset_task",
            "another task",
            None,
        ),
        (
            "ValueError",
            "task detect needs a YOLO dataset: data.yaml, images/ and labels/",
            "dataset_task",
            "another",
            None,
        ),
        ("ValueError", "data.yaml: val: images/val is no folder of the dataset", "dataset_layout", "folders", None),
        (
            "ValueError",
            "no two classes with pictures were found, only the folders none",
            "dataset_layout",
            "folders",
            None,
        ),
        (
            "ValueError",
            "cats/12.jpg can't be read as a picture: image file is truncated (13 bytes not processed)",
            "picture",
            "The picture cats/12.jpg can't be read",
            None,
        ),
        (
            "UnidentifiedImageError",
            "cannot identify image file '/run/dataset/cats/1.png'",
            "picture",
            "The picture /run/dataset/cats/1.png",
            None,
        ),
        ("OSError", "image file is truncated (4 bytes not processed)", "picture", "A picture", None),
        ("OSError", "[Errno 28] No space left on device: '/data/x'", "disk_full", "disk was full", {}),
        ("DiskFull", "no space is left on the disk (/tmp/x): [Errno 28]", "disk_full", "disk was full", {}),
        (
            "RuntimeError",
            "The NVIDIA driver on your system is too old (found version 11040).",
            "gpu_driver",
            "do not fit together",
            None,
        ),
        (
            "RuntimeError",
            "CUDA error: no kernel image is available for execution on the device",
            "gpu_driver",
            "fit",
            None,
        ),
        ("RuntimeError", "Found no NVIDIA driver on your system.", "no_gpu", "GPU that is not there", None),
        ("AssertionError", "Torch not compiled with CUDA enabled", "no_gpu", "GPU", None),
        ("OSError", "[Errno 24] Too many open files: 'x.jpg'", "too_many_files", "more files", {"workers": 0}),
        ("PermissionError", "[Errno 13] Permission denied: '/data/out'", "permission", "may not", None),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'my.csv'", "file_missing", "my.csv", None),
        (
            "RuntimeError",
            "Error(s) in loading state_dict for ResNet: size mismatch for fc.weight: copying a param with shape",
            "checkpoint_fit",
            "do not fit",
            None,
        ),
        (
            "EndpointConnectionError",
            'Could not connect to the endpoint URL: "http://127.0.0.1:9000/bucket"',
            "storage_away",
            "storage could not be reached",
            {},
        ),
        (
            "ClientError",
            "An error occurred (SignatureDoesNotMatch) when calling the GetObject operation",
            "storage_key",
            "refused the trainer",
            {},
        ),
        ("CheckpointUpload", "best.pt could not be uploaded: connection refused", "storage_away", "storage", {}),
        (
            "MlflowException",
            "API request to http://127.0.0.1:5000/api/2.0/mlflow/runs/create failed with exception",
            "mlflow_away",
            "MLflow",
            {},
        ),
        (
            "OSError",
            "We couldn't connect to 'https://huggingface.co' to load the files",
            "hub_away",
            "weights could not be downloaded",
            {},
        ),
        ("DistBackendError", "NCCL error in: ProcessGroupNCCL.cpp:2251, timeout", "peers", "lost each other", {}),
        ("ConnectionRefusedError", "[Errno 111] Connection refused", "network", "over the network", {}),
        ("URLError", "<urlopen error [Errno -3] Temporary failure in name resolution>", "network", "network", {}),
    ],
)
def test_what_a_trainer_says_of_its_end_is_understood(
    kind: str, message: str, cause: str, says: str, params: dict[str, Scalar] | None
) -> None:
    """`params`: None: nothing to try; {}: the same again; else with these parameters."""
    told = said(kind, message)
    assert told.cause == cause
    assert says in told.what
    assert told.advice
    assert message in told.evidence[0]
    if params is None:
        assert told.remedy is None
    else:
        assert told.remedy is not None
        assert (told.remedy.kind, told.remedy.params) == ("retry_with" if params else "retry", params)
        settings = "".join(f" --set {name}={value}" for name, value in params.items())
        assert told.remedy.command == f"trainyard retry {JOB}{settings}"


def test_each_cause_s_words_can_be_filled_in() -> None:
    known = {"framework", "job", "package", "picture"}
    for cause in CAUSES:
        named = {
            name for text in (cause.what, cause.advice) for _, name, _, _ in string.Formatter().parse(text) if name
        }
        assert named <= known | set(cause.pattern.groupindex), cause.name
