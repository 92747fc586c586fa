"""One epoch: the pass that learns and the one that validates, on one device or shared by several processes."""

import math
import time

import torch
import torch.distributed as dist
from data import chance
from torch.nn.functional import cross_entropy
from torchvision.transforms import v2


def rate_at(s, done):
    """The learning rate after so many epochs: a straight rise, then half a cosine down to a hundredth."""
    if done < s["warmup_epochs"]:
        return s["learning_rate"] * (0.01 + 0.99 * done / s["warmup_epochs"])
    if s["schedule"] == "constant":
        return s["learning_rate"]
    share = (done - s["warmup_epochs"]) / max(1e-9, s["epochs"] - s["warmup_epochs"])
    return s["learning_rate"] * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)


def mixer(s, count):
    """Blends the pictures of a batch, and their labels, or nothing; all its chance is torch's."""
    kinds = [
        kind(alpha=s[name], num_classes=count) for name, kind in (("mixup", v2.MixUp), ("cutmix", v2.CutMix)) if s[name]
    ]
    return v2.RandomChoice(kinds) if kinds else None


def learn(job, s, net, heads, optimizer, scaler, mix, batches, device, epoch):
    """One epoch: train/loss and, unless pictures are blended and have no one label, train/top1; lr and images/s."""
    torch.manual_seed(chance(s["seed"], epoch, batches.batch_sampler.rank))  # for dropout and blending
    batches.batch_sampler.epoch = epoch
    net.train(not s["freeze"])  # frozen batch norms stay as they are
    for head in heads if s["freeze"] else ():
        head.train()
    steps, seen, began = len(batches), torch.zeros(3, dtype=torch.float64, device=device), time.perf_counter()
    for step, (_, x, y) in enumerate(batches, 1):
        job.check()
        rate = rate_at(s, epoch - 1 + (step - 1) / steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = to_device(x, device), y.to(device, non_blocking=True)
        x, target = mix(x, y) if mix else (x, y)
        with torch.autocast(device.type, dtype=precision(s, device), enabled=precision(s, device) is not None):
            scores = net(x)
            loss = cross_entropy(scores.float(), target, label_smoothing=s["label_smoothing"])
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        seen += torch.stack(
            [loss.detach() * len(x), (scores.argmax(1) == y).sum(), torch.tensor(len(x), device=device)]
        )
        done = (epoch - 1 + step / steps) / s["epochs"]
        at = {"epoch": epoch, "epochs": s["epochs"], "step": (epoch - 1) * steps + step, "progress": done}
        job.phase = {"phase": "training", **at}
    if dist.is_initialized():
        dist.all_reduce(seen)
    loss, right, count = seen.tolist()
    top = {} if mix else {"train/top1": right / count}
    return {"train/loss": loss / count, **top, "lr": rate, "images/s": count / (time.perf_counter() - began)}


@torch.no_grad()
def look_at(job, s, model, batches, classes, device):
    """The scores of all validation pictures, a row each; every process sees its part and gets the whole."""
    job.phase = job.phase | {"phase": "validating"}
    model.eval()
    scores = torch.zeros(len(batches.dataset), len(classes), device=device)
    if dist.is_initialized():
        for buffer in model.buffers():  # batch norms are each process's own while it learns
            dist.broadcast(buffer, 0)
    for places, x, _ in batches:
        job.check()
        with torch.autocast(device.type, dtype=precision(s, device), enabled=precision(s, device) is not None):
            scores[places] = model(to_device(x, device)).float()
    if dist.is_initialized():
        dist.all_reduce(scores)
    return scores.cpu()


def precision(s, device):
    """The type to compute in where a GPU has a faster one; None: as it is."""
    if device.type != "cuda" or s["amp"] == "false":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def to_device(x, device):
    order = torch.channels_last if device.type == "cuda" else torch.contiguous_format
    return x.to(device, non_blocking=True, memory_format=order)
