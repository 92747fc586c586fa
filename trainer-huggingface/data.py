"""Pictures in class folders → what a transformers model takes; said plainly where a dataset differs."""

import json
import random

from pictures import open_picture

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
VAL_NAMES = ("val", "valid", "validation")
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def _class_folders(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")


def _find(folder, classes):
    found = [(path, label) for label, name in enumerate(classes) for path in sorted((folder / name).rglob("*"))]
    return [(path, label) for path, label in found if path.suffix.lower() in PICTURES and path.name[0] != "."]


def read_dataset(root, seed):
    """(path, label) pairs to learn from, the same to validate with, class names. Without val a seeded fifth."""
    inside = _class_folders(root)
    if len(inside) == 1 and inside != ["train"]:
        root = root / inside[0]  # the zip of one folder
        inside = _class_folders(root)
    if any(root.rglob("data.yaml")) or {"labels", "annotations"} & set(inside):
        raise ValueError(
            "this is a detection dataset (pictures with boxes); trainer-huggingface classifies whole pictures: "
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
    held_out = next((root / name for name in VAL_NAMES if source != root and (root / name).is_dir()), None)
    if held_out:
        val, unknown = _find(held_out, classes), set(_class_folders(held_out)) - set(classes)
        if unknown or not val:
            raise ValueError(
                f"{held_out.name}/ should hold pictures of the classes in train/; unknown there: {sorted(unknown)}"
            )
        return pictures, val, classes
    random.Random(seed).shuffle(pictures)
    fifth = max(1, len(pictures) // 5)
    return sorted(pictures[fifth:]), sorted(pictures[:fifth]), classes


def look(path):
    """A picture as people see it: turned as its camera says, in colour."""
    try:
        return open_picture(path)
    except (OSError, SyntaxError, ValueError) as error:  # SyntaxError: what Pillow makes of a broken PNG
        raise ValueError(f"{path.parent.name}/{path.name} can't be read as a picture: {error}") from None


def write_processor(folder, size, mean, std):
    """How pictures were made ready, beside the model, as transformers itself reads it."""
    words = {"image_processor_type": "ViTImageProcessor", "size": {"height": size, "width": size}}
    words |= {"do_resize": True, "resample": 2, "do_rescale": True, "rescale_factor": 1 / 255}
    words |= {"do_normalize": True, "image_mean": mean, "image_std": std}
    (folder / "preprocessor_config.json").write_text(json.dumps(words, indent=2))


def read_processor(folder):
    """(size or None, mean, std) of the pictures that a model folder was trained on."""
    path = folder / "preprocessor_config.json" if folder else None
    words = json.loads(path.read_text()) if path and path.is_file() else {}
    size = words.get("size")
    size = size.get("height") or size.get("shortest_edge") if isinstance(size, dict) else size
    return size, words.get("image_mean") or IMAGENET[0], words.get("image_std") or IMAGENET[1]


def make_transform(size, mean, std, augment="none"):
    """A picture → the model's tensor: the whole of it as a square, or changed by chance where augment says so."""
    from torchvision import transforms

    bilinear = transforms.InterpolationMode.BILINEAR
    steps = [transforms.Resize((size, size), bilinear)]
    if augment != "none":
        steps = [transforms.RandomResizedCrop(size, (0.6, 1.0), interpolation=bilinear)]
        steps += [transforms.RandomHorizontalFlip()]
    if augment == "strong":
        steps += [transforms.TrivialAugmentWide(interpolation=bilinear)]
    steps += [transforms.ToTensor(), transforms.Normalize(mean, std)]
    return transforms.Compose(steps + ([transforms.RandomErasing(0.25)] if augment == "strong" else []))


class Pictures:
    """What the Trainer's loaders ask for pictures, one by one."""

    def __init__(self, pictures, transform):
        self.pictures, self.transform = pictures, transform

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, place):
        path, label = self.pictures[place]
        return self.transform(look(path)), label


def make_collate(resized):
    """Pictures → a batch. resized: their size isn't the model's own, so its places in a picture are interpolated."""
    import torch

    def collate(rows):
        pixels, labels = zip(*rows, strict=True)
        batch = {"pixel_values": torch.stack(pixels), "labels": torch.tensor(labels)}
        return batch | ({"interpolate_pos_encoding": True} if resized else {})

    return collate
