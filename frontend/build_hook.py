"""Puts the built page into the wheel, so that nobody needs node to run it."""

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """In a checkout (version `editable`) `./trainyard` builds the page itself, and says so when it can't."""
        if version != "editable":
            _run(Path(self.root) / "frontend" / "run.py").build()


def _run(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("page_run", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
