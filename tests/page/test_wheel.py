"""The package brings the page: whoever installs it needs no node."""

import subprocess
import zipfile
from pathlib import Path

from tests.real.checkout import ROOT, copy_checkout
from trainyard.uv import find_uv


def test_a_wheel_holds_the_built_page(tmp_path: Path) -> None:
    source = copy_checkout(tmp_path / "source")
    uv = find_uv(ROOT / ".trainyard")
    assert uv is not None
    argv = [uv, "build", "--wheel", "--quiet", "--out-dir", str(tmp_path), str(source)]
    subprocess.run(argv, check=True, timeout=280)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "trainyard/page/index.html" in names
    assert any(name.startswith("trainyard/page/assets/JobsPage-") for name in names)
    assert not [name for name in names if "node_modules" in name or name.endswith(".tsx")]
