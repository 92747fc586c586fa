"""Manifests as YAML for people: long texts as blocks, as they were written."""

import re
from typing import Any

import yaml

from trainyard.executors.kubernetes.manifest import Object

# texts that other readers than Python's take for numbers or truth: a trace id such as 12e45
_AMBIGUOUS = re.compile(r"[-+]?[0-9.][0-9_.]*(?:e[-+]?[0-9]+)?|0[xob][0-9a-f]+|y|n", re.IGNORECASE)
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")  # which YAML's readers don't agree on, unless they are escaped


class _Dumper(yaml.SafeDumper):
    """No anchors: an object that stands in two places is written in both."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    if _AMBIGUOUS.fullmatch(text):
        style = "'"
    elif _LINE_ENDS.search(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(objects: list[Object]) -> str:
    """One document each, in their order; read again they are the same objects."""
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, explicit_start=True)
