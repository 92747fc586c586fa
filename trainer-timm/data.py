"""Pictures in class folders → batches of tensors; said plainly where a dataset is one for another trainer."""

import os
import tempfile

import numpy as np
import torch
from pictures import open_picture
from torch.utils.data import DataLoader, Dataset

# torchvision makes this folder when it is imported, though nothing is compiled here: one that is there anyway
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", tempfile.gettempdir())
from torchvision.transforms import v2

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
VAL_NAMES = ("val", "valid", "validation")
BICUBIC = v2.InterpolationMode.BICUBIC


def _class_folders(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")


def _find(folder, classes):
    found = [(path, label) for label, name in enumerate(classes) for path in sorted((folder / name).rglob("*"))]
    return [(path, label) for path, label in found if path.suffix.lower() in PICTURES and path.name[0] != "."]


def read_dataset(root, seed):
    """(file, label) pairs to learn from, the same to validate with, class names. Without val a seeded fifth."""
    inside = _class_folders(root)
    if len(inside) == 1 and inside != ["train"]:
        root = root / inside[0]  # the zip of one folder
        inside = _class_folders(root)
    if any(root.rglob("data.yaml")) or "labels" in inside:
        raise ValueError(
            "this is a detection dataset (pictures with boxes); trainer-timm classifies whole pictures: "
            "give it train/<class>/*.jpg and val/<class>/*.jpg, or use trainer-ultralytics for this one"
        )
    source = root / "train" if "train" in inside else root
    classes = _class_folders(source)
    pictures = _find(source, classes)
    if len({label for _, label in pictures}) < 2:
        raise ValueError(
            f"no two classes with pictures were found, only the folders {classes or 'none'}: "
            "the dataset should hold train/<class>/*.jpg and val/<class>/*.jpg"
        )
    held = next((root / name for name in VAL_NAMES if (root / name).is_dir()), None)
    if source != root and held:
        val = _find(held, classes)
        unknown = set(_class_folders(held)) - set(classes)
        if unknown or not val:
            raise ValueError(
                f"{held.name}/ should hold pictures of the classes in train/; unknown there: {sorted(unknown)}"
            )
        return pictures, val, classes
    order = np.random.default_rng(seed).permutation(len(pictures))
    held, kept = np.split(order, [max(1, len(order) // 5)])
    return [pictures[place] for place in kept], [pictures[place] for place in held], classes


def look(path):
    """A picture as people see it: turned as its camera says, in colour."""
    try:
        return open_picture(path)
    except (OSError, SyntaxError, ValueError) as error:  # SyntaxError: what Pillow makes of a broken PNG
        raise ValueError(f"{path.parent.name}/{path.name} can't be read as a picture: {error}") from None


def transform(size, mean, std, augment="none"):
    """A picture → the model's tensor: the whole of it as a square, or changed by chance where augment says so."""
    steps = [v2.Resize((size, size), BICUBIC)]
    if augment != "none":
        steps = [v2.RandomResizedCrop(size, (0.6, 1), interpolation=BICUBIC), v2.RandomHorizontalFlip()]
    if augment == "rand":
        steps += [v2.RandAugment(num_ops=2, magnitude=9)]
    return v2.Compose([*steps, v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)])


class Pictures(Dataset):
    """Asked for (epoch, place): the chance in a picture follows from these and the seed, whichever process loads it."""

    def __init__(self, pictures, change, seed):
        self.pictures, self.change, self.seed = pictures, change, seed

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, asked):
        epoch, place = asked
        path, label = self.pictures[place]
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(chance(self.seed, epoch, place))
            return place, self.change(look(path)), label


class TrainBatches:
    """Each epoch's batches in its own order. Several processes share each: as many pictures for one as for another."""

    def __init__(self, total, batch_size, seed, rank, world):
        self.total, self.seed, self.rank, self.world = total, seed, rank, world
        self.batch, self.epoch = max(1, batch_size // world) * world, 0

    def __len__(self):
        whole, left = divmod(-(-self.total // self.world) * self.world, self.batch)
        return whole + (left > self.world or not whole)  # batch norm learns nothing from a single picture

    def __iter__(self):
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.total)
        order = np.resize(order, -(-self.total // self.world) * self.world)  # the first ones again, to share evenly
        for batch in range(len(self)):
            places = order[batch * self.batch : (batch + 1) * self.batch]
            yield [(self.epoch, int(place)) for place in places[self.rank :: self.world]]


def val_batches(total, batch_size, rank, world):
    places = range(rank, total, world)
    return [[(0, place) for place in places[at : at + batch_size]] for at in range(0, len(places), batch_size)]


def chance(*numbers):
    """A seed that follows from these numbers alone."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def loader(pictures, batches, workers, device):
    """Batches of (places, tensors, labels), loaded by so many processes. They end with this one, however it ends."""
    return DataLoader(
        pictures,
        batch_sampler=batches,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        persistent_workers=workers > 0,
        generator=torch.Generator(),  # or what it draws for its workers would be missing in the model's dropout
    )
