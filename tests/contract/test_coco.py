"""trainer-ultralytics takes what the backend makes of COCO datasets."""

import importlib.util
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.contract.running import ROOT
from tests.unit.coco_made import described, picture, roboflow, zipped
from trainyard.datasets.inspect import take_in

LINE = "0 0.250000 0.500000 0.300000 0.200000\n"


def single(root: str = "") -> dict[str, Any]:
    names = [f"{number}.jpg" for number in range(5)]
    pictures = {f"{root}images/{name}": picture(100, 50) for name in names}
    return {f"{root}annotations.json": described(*names), f"{root}aaa.yaml": "names: [another]", **pictures}


@pytest.fixture(scope="module")
def data() -> ModuleType:
    spec = importlib.util.spec_from_file_location("trainer_ultralytics_data", ROOT / "trainer-ultralytics" / "data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pictures_of(split: str) -> list[Path]:
    """As ultralytics reads a split: a folder, or a list whose ./ is the list's own folder."""
    place = Path(split)
    if place.is_dir():
        return sorted(place.rglob("*.jpg"))
    lines = place.read_text(encoding="utf-8").strip().splitlines()
    return [Path(line.replace("./", f"{place.parent}/", 1)) for line in lines]


@pytest.mark.parametrize("layout", ["roboflow", "single", "pets/", "train/", "images/"])
def test_a_converted_dataset_is_prepared_and_its_labels_are_where_they_are_looked_for(
    data: ModuleType, tmp_path: Path, layout: str
) -> None:
    files = roboflow() if layout == "roboflow" else single() if layout == "single" else single(layout)
    path = zipped(tmp_path / "a.zip", files)
    take_in(path, 10**9)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "dataset")
    (tmp_path / "run").mkdir()
    made = yaml.safe_load(data.prepare("detect", tmp_path / "dataset", tmp_path / "run", 0).read_text())
    assert made["names"] == ["cat", "dog"]
    counts = {"train": 2, "val": 1} if layout == "roboflow" else {"train": 4, "val": 1}
    for split, count in counts.items():
        (place,) = made[split]
        pictures = pictures_of(place)
        assert len(pictures) == count
        for one in pictures:
            label = str(one.with_suffix(".txt"))
            assert one.is_file()
            assert Path("/labels/".join(label.rsplit("/images/", 1))).read_text() == LINE
