"""A timm model by its name, and what it begins with: the team's weights, else the hub's, else nothing."""

import contextlib
import difflib
import os
import threading
import urllib.error
import urllib.request
from pathlib import Path

import timm
import torch
import utils
from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE
from safetensors.torch import save_file

ENDINGS = ("safetensors", "pth", "pt", "bin")
PATIENCE = 5  # seconds for the hub to answer


def check_name(name):
    """Stop where timm has no such model, naming those that are spelled alike."""
    architecture, _, tag = name.partition(".")
    known, tags = timm.list_models(), timm.list_pretrained(f"{architecture}.*")
    if architecture not in known:
        near = difflib.get_close_matches(name, known, 5, 0.5) or timm.list_models(f"*{architecture}*")[:5]
        hint = f"did you mean {', '.join(near)}?" if near else "timm.list_models() lists them"
        raise utils.BadConfiguration(f"MODEL_NAME={name} is not valid: timm has no such model; {hint}")
    if tag and name not in tags:
        raise utils.BadConfiguration(
            f"MODEL_NAME={name} is not valid: timm knows it as {', '.join(tags) or architecture}"
        )


def make(name, classes, size, drop_rate=0.0, weights=None):
    """The bare model with so many classes, or one with these weights: with their own head, where its size fits."""
    known = timm.get_pretrained_cfg(name)
    options = {"drop_rate": drop_rate or None, "img_size": size if known.fixed_input_size else None}
    if weights is None:
        with _said_of(name, size):
            return timm.create_model(name, num_classes=classes, **options)
    head = head_size(known, weights)
    source = {"state_dict": weights, "num_classes": head, "label_offset": 0}
    model = timm.create_model(name, True, pretrained_cfg_overlay=source, num_classes=head, **options)
    model.pretrained_cfg["state_dict"] = None  # or they would stay in memory twice
    if head != classes:
        model.reset_classifier(classes)
    return model


def head_size(known, weights):
    """How many classes these weights were trained for."""
    layer = known.classifier[0] if isinstance(known.classifier, tuple) else known.classifier
    return len(weights[f"{layer}.weight"]) if f"{layer}.weight" in weights else known.num_classes


@contextlib.contextmanager
def _said_of(name, size):
    try:
        yield
    except (RuntimeError, AssertionError, ValueError, TypeError, ArithmeticError) as error:
        usual = timm.get_pretrained_cfg(name).input_size[-1]
        raise utils.BadConfiguration(f"IMAGE_SIZE={size} does not fit {name} (made for {usual}): {error}") from None


def check_size(model, name, size):
    """Show it an empty picture: not every model takes every size."""
    with _said_of(name, size), torch.no_grad():
        model.eval()(torch.zeros(1, 3, size, size))


def resume(key, state, name, classes, size, drop_rate):
    """The model with all the weights of a checkpoint."""
    model = make(name, classes, size, drop_rate)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        text = f"RESUME_FROM={key} does not fit {name} at IMAGE_SIZE={size}: {str(error)[:500]}"
        raise utils.BadConfiguration(text) from None
    return model


def freeze(model):
    """Leave all layers but the head as they are; the head's layers are returned."""
    heads = model.get_classifier()
    heads = heads if isinstance(heads, tuple) else (heads,)
    model.requires_grad_(False)
    for head in heads:
        head.requires_grad_(True)
    return heads


def start(job, name, classes, size, drop_rate, pretrained, frozen):
    """The model of a run that resumes nothing, and what it begins with."""
    key, weights = (from_storage(job, name) or from_hub(job, name)) if pretrained else (None, None)
    if frozen and weights is None:
        job.warn("PARAM_FREEZE=true without pretrained weights: the head alone learns, upon layers that know nothing")
    if not pretrained:
        job.say(f"{name} starts from scratch, as PARAM_PRETRAINED=false asks")
        return make(name, classes, size, drop_rate)
    if weights is None:
        job.warn(
            f"{name} starts from scratch: its pretrained weights are neither in the storage, as "
            f"weights/{name}.safetensors (or .pth, .pt, .bin), nor to be had from the hub. It learns, but needs far "
            "more epochs and pictures. Put them there, or say PARAM_PRETRAINED=false"
        )
        return make(name, classes, size, drop_rate)
    head = head_size(timm.get_pretrained_cfg(name), weights)
    try:
        model = make(name, classes, size, drop_rate, weights)
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"{key} is not for {name}, put others there: {str(error)[:500]}") from None
    dropped = f"; their head for {head} classes is dropped, one for {classes} learns anew" if head != classes else ""
    job.say(f"starts from {key}{dropped}")
    return model


def from_storage(job, name):
    """What the team put there, or an earlier run's find: (where, weights), or nothing."""
    for ending in ENDINGS:
        key, path = f"weights/{name}.{ending}", job.folder / f"weights.{ending}"
        try:
            utils.download_checkpoint(key, path)
        except FileNotFoundError:
            continue
        try:
            weights = timm.models.load_state_dict(str(path))  # runs no code that a file may hold
        except Exception as error:  # whatever is wrong with the file
            raise ValueError(f"{key} can't be read as a model's weights, put it there anew: {error}") from None
        path.unlink()
        return f"{key} in the storage", weights
    job.say(f"the storage has no weights/{name}.safetensors, .pth, .pt or .bin: asks the hub for them")
    return None


def from_hub(job, name):
    """The hub's weights for this model, kept in the storage for the next run: (where, weights), or nothing twice."""
    known = timm.get_pretrained_cfg(name)
    if not known.has_weights:
        job.say(f"timm knows of no pretrained weights for {name}")
    elif HF_HUB_OFFLINE:
        job.say("HF_HUB_OFFLINE is set: the hub is not asked")
    elif not answers(ENDPOINT):
        job.say(f"the hub, {ENDPOINT}, does not answer within {PATIENCE} s")
    else:
        try:
            weights = download(known)
            keep(job, name, weights)
            return "the hub's weights", weights
        except Exception as error:  # a file that is not there, a connection that breaks: it can do without
            job.say(f"the hub does not give the weights of {name}: {type(error).__name__}: {str(error)[:300]}")
    return None, None


def answers(url):
    """Whether anything answers there in time: in a thread, because looking up a name can't be cut short."""
    heard = []

    def ask():
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE).close()
            heard.append(url)
        except urllib.error.HTTPError:
            heard.append(url)  # it answers, if only with an error
        except OSError:
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return bool(heard)


def download(known):
    if not known.hf_hub_id:
        return torch.hub.load_state_dict_from_url(known.url, map_location="cpu", progress=False, weights_only=True)
    place = os.getenv("HF_HUB_CACHE") or Path(os.environ["HF_HOME"]) / "hub"
    file = {"filename": known.hf_hub_filename} if known.hf_hub_filename else {}
    return timm.models.load_state_dict_from_hf(known.hf_hub_id, cache_dir=place, **file)


def keep(job, name, weights):
    """Put them where the next run looks first; this one goes on without."""
    try:
        path = job.folder / f"{name}.safetensors"
        save_file({key: tensor.contiguous() for key, tensor in weights.items()}, path)
        client, bucket = utils.get_storage_client()
        client.upload_file(str(path), bucket, f"weights/{path.name}")
        path.unlink()
        job.say(f"keeps them as weights/{path.name} in the storage")
    except Exception as error:  # read-only keys, a full or absent storage: none of it matters to this training
        job.say(f"could not keep weights/{name}.safetensors in the storage: {error}")
