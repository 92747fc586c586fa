"""Where a model comes from: a zipped folder in the storage, the hub, or its bare architecture; and back into a zip."""

import inspect
import json
import os
import re
import shutil
import threading
import zipfile

import utils

# what a model can be built from without the hub: its family, and where it differs from the family's defaults
BASIC = {"hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2], "layer_type": "basic"}
TINY_VIT = {"hidden_size": 96, "num_hidden_layers": 4, "num_attention_heads": 3, "intermediate_size": 192}
TINY_RESNET = {"embedding_size": 16, "hidden_sizes": [16, 32, 64], "depths": [1, 1, 1], "layer_type": "basic"}
CONFIGS = {
    "microsoft/resnet-18": ("resnet", BASIC),
    "microsoft/resnet-50": ("resnet", {}),
    "facebook/convnext-tiny-224": ("convnext", {}),
    "facebook/deit-tiny-patch16-224": (
        "vit",
        {"hidden_size": 192, "num_attention_heads": 3, "intermediate_size": 768},
    ),
    "google/vit-base-patch16-224-in21k": ("vit", {}),
    "microsoft/swin-tiny-patch4-window7-224": ("swin", {}),
    "facebook/dinov2-small": ("dinov2", {"hidden_size": 384, "num_attention_heads": 6}),
    "google/mobilenet_v2_1.0_224": ("mobilenet_v2", {}),
    "vit-tiny": ("vit", TINY_VIT | {"patch_size": 8, "hidden_dropout_prob": 0.1}),
    "resnet-tiny": ("resnet", TINY_RESNET),
}
TINY = ("vit-tiny", "resnet-tiny")  # not on the hub: made to be trained from nothing
MODEL = re.compile(r"(config|preprocessor_config|run|model\.safetensors\.index)\.json|model[\w-]*\.safetensors")
STATE = re.compile(MODEL.pattern + r"|trainer_state\.json|(optimizer|scheduler|scaler)\.pt|rng_state(_\d+)?\.pth")
HUB_SECONDS = 5
SAFE = {"use_safetensors": True, "local_files_only": True, "trust_remote_code": False}


def pack(folder, path, kept=STATE):
    """A folder's files as one zip, not compressed: weights hardly shrink."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        for file in sorted(file for file in folder.iterdir() if kept.fullmatch(file.name)):
            bundle.write(file, file.name)


def unpack(path, folder, key, kept=MODEL):
    """The files of a model, or of a checkpoint, from a zip; nothing else in it is touched."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(path) as bundle:
            entries = {entry.filename.rsplit("/", 1)[-1]: entry for entry in bundle.infolist() if not entry.is_dir()}
            wanted = {name: entry for name, entry in entries.items() if kept.fullmatch(name)}
            if sum(entry.file_size for entry in wanted.values()) > max(2**30, 100 * path.stat().st_size):
                raise ValueError("it would unpack to more than 100 times its size")
            pickles = [name for name in entries if name.endswith((".bin", ".pt", ".pth", ".pkl", ".ckpt"))]
            if "config.json" not in wanted or not any(name.endswith(".safetensors") for name in wanted):
                raise ValueError(
                    f"{pickles[0]} in it is a pickle, which can run any code when it is read: it is refused; save the "
                    "model with save_pretrained, which writes config.json and model.safetensors, and zip that folder"
                    if pickles
                    else "it should hold config.json and model.safetensors, as save_pretrained writes them"
                )
            for name, entry in wanted.items():
                with bundle.open(entry) as source, open(folder / name, "wb") as target:
                    shutil.copyfileobj(source, target, 2**20)
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, NotImplementedError) as error:
        raise ValueError(f"{key} can't be used: {error}") from None
    path.unlink()
    return folder


def prepare(folder):
    """Keep the libraries of the hub to this run: no telemetry, no progress bars, no files but in this folder."""
    quiet = ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_XET")  # xet: a downloader that no signal ends
    os.environ |= dict.fromkeys(quiet, "1") | {"TORCHINDUCTOR_CACHE_DIR": str(folder)}
    os.environ.setdefault("HF_HOME", str(folder / "hub"))
    import huggingface_hub.constants
    import huggingface_hub.utils

    for name in quiet:  # a warm start has imported it before these variables were set
        setattr(huggingface_hub.constants, name, True)
    huggingface_hub.utils.disable_progress_bars()


def load_transformers():
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def key_of(name):
    return f"weights/{name.replace('/', '--')}.zip"


def find_weights(job, name):
    """A folder with pretrained weights, from the storage, else from the hub; or None, with a warning that says why."""
    key = key_of(name)
    try:
        path = utils.download_checkpoint(key, job.folder / "weights.zip")
    except FileNotFoundError:
        if name in TINY:
            return None
    else:
        job.say(f"starts from {key} in the storage")
        return unpack(path, job.folder / "weights", key)
    job.say(f"the storage has no {key}: asks the hub for {name}")
    folder, why = _ask_hub(job, name)
    if folder:
        job.say(f"starts from the hub's {name}")
        _keep(job, folder, key)
        return folder
    check_buildable(name, why)
    job.warn(
        f"{name} starts from scratch: its pretrained weights are not in the storage, and {why}. It learns, but needs "
        "far more epochs and pictures, and a learning rate such as 1e-3. `trainyard weights add` puts weights into "
        f"the storage, as {key}"
    )
    return None


def check_buildable(name, why):
    """Stop where there are no weights, and no way to build the model without."""
    if name not in CONFIGS:
        others = ", ".join(other for other in CONFIGS if other not in TINY)
        raise utils.BadConfiguration(
            f"MODEL_NAME={name} can't be had: {why}. Put its zipped folder into the storage with `trainyard weights "
            f"add`, as {key_of(name)}, or take a model that can be built without weights: {' or '.join(TINY)}, which "
            f"are made for that, or {others}"
        )


def _ask_hub(job, name):
    """The hub's files of this model, safetensors only, or why there are none. It has a few seconds to answer."""
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import RepositoryNotFoundError

    answer = []

    def ask():
        try:
            answer.append([file.rfilename for file in HfApi().model_info(name, timeout=HUB_SECONDS).siblings])
        except Exception as error:  # whatever goes wrong there, the run goes on without
            answer.append(error)

    asking = threading.Thread(target=ask, daemon=True)  # a name server that hangs knows no timeout of ours
    asking.start()
    asking.join(HUB_SECONDS)
    files = answer[0] if answer else TimeoutError(f"no answer within {HUB_SECONDS} s")
    if isinstance(files, RepositoryNotFoundError):
        return None, f"the hub has no {name}, or shows it only with a token (HF_TOKEN)"
    if isinstance(files, Exception):
        return None, f"the hub can't be reached ({type(files).__name__})"
    wanted = [file for file in files if MODEL.fullmatch(file) and file != "run.json"]
    if "config.json" not in wanted or not any(file.endswith(".safetensors") for file in wanted):
        return None, f"the hub's {name} has no safetensors, and pickles are refused, as they can run any code"
    folder = job.folder / "weights"
    folder.mkdir()
    cache = os.getenv("HF_HUB_CACHE") or os.path.join(os.environ["HF_HOME"], "hub")
    try:
        for file in wanted:
            found = hf_hub_download(name, file, cache_dir=cache, etag_timeout=HUB_SECONDS)
            shutil.copyfile(found, folder / file)
    except Exception as error:  # cut off in the middle
        shutil.rmtree(folder)
        return None, f"the hub did not give all of it ({type(error).__name__})"
    return folder, ""


def _keep(job, folder, key):
    """Put the hub's weights where the next run looks first; this one goes on without."""
    if not job.is_main:
        return
    try:
        pack(folder, job.folder / "keep.zip", MODEL)
        client, bucket = utils.get_storage_client()
        client.upload_file(str(job.folder / "keep.zip"), bucket, key)
        job.say(f"keeps them as {key} in the storage")
    except Exception as error:  # read-only keys, a full or absent storage: none of it matters to this training
        job.say(f"could not keep {key} in the storage: {error}")


def build(job, name, folder, classes, size):
    """The model, from the weights in this folder, or from its architecture alone."""
    from transformers import AutoConfig, AutoModelForImageClassification

    labels = {"id2label": dict(enumerate(classes)), "label2id": {name: place for place, name in enumerate(classes)}}
    if folder is None:
        family, sizes = CONFIGS[name]
        config = AutoConfig.for_model(family, **sizes, image_size=size, **labels)
        return AutoModelForImageClassification.from_config(config)
    try:
        model, told = AutoModelForImageClassification.from_pretrained(
            folder, **labels, ignore_mismatched_sizes=True, output_loading_info=True, **SAFE
        )
    except (ValueError, OSError) as error:
        raise utils.BadConfiguration(f"MODEL_NAME={name} can't be used to classify pictures: {error}") from None
    fresh = [*told["missing_keys"], *(key[0] for key in told["mismatched_keys"])]
    fresh = [key for key in fresh if key.startswith(f"{model.base_model_prefix}.")]  # a new head is as it should be
    if fresh:
        job.warn(f"{len(fresh)} tensors of {name} are not in its weights and start from chance, such as {fresh[0]}")
    return model


def must_resize(model, name, size):
    """Whether pictures of this size need interpolated places in this model. Raises BadConfiguration if none will do."""
    import torch

    takes = "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
    resized = takes and getattr(model.config, "image_size", size) != size
    with torch.no_grad():
        try:
            batch = {"pixel_values": torch.zeros(1, 3, size, size), "interpolate_pos_encoding": True}
            model.eval()(**(batch if resized else {"pixel_values": batch["pixel_values"]}))
        except (RuntimeError, ValueError) as error:
            raise utils.BadConfiguration(f"IMAGE_SIZE={size} does not fit {name}: {error}") from None
    return resized


def read_run(folder):
    """What a checkpoint says of the run it is from."""
    path = folder / "run.json"
    return json.loads(path.read_text()) if path.is_file() else None
