"""Which files are pictures, by name: looking inside each is not part of the first look at a dataset."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)
