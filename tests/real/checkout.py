"""A copy of this checkout as a clone of its very state would be: what git knows, and nothing that was made in it."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTED = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]


def copy_checkout(target: Path) -> Path:
    """Environments and stores made in a checkout weigh gigabytes; a copy of them would fill the disk."""
    listed = subprocess.run(LISTED, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():  # not deleted, or a submodule
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    return target
