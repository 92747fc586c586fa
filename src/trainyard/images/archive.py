"""One image under several names in a docker-archive: buildah writes one name only."""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

_MANIFEST = "manifest.json"


def add_names(archive: Path, names: Sequence[str]) -> None:
    """Appends the list of names anew: whoever unpacks a tar takes the last of two files with one name."""
    with tarfile.open(archive) as packed:
        member = packed.extractfile(_MANIFEST)
        assert member is not None, f"{archive} is no docker-archive"
        (image,) = json.load(member)
    image["RepoTags"] = list(dict.fromkeys([*image["RepoTags"], *names]))
    text = json.dumps([image]).encode()
    entry = tarfile.TarInfo(_MANIFEST)
    entry.size, entry.mode = len(text), 0o444
    with tarfile.open(archive, "a:") as packed:
        packed.addfile(entry, io.BytesIO(text))
