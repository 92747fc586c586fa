""".gitignore as git reads it, also where a folder is in no repository."""

from pathlib import Path

from pathspec import GitIgnoreSpec


class Ignored:
    """The rules of a folder, of those above it up to its repository, and of those below as they are entered."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rules: list[tuple[str, GitIgnoreSpec]] = []  # (the folder they stand in, rules)
        self._above: list[tuple[str, GitIgnoreSpec]] = []  # (the root's path below them, rules), nearest first
        for folder in _up_to_repository(root):
            rules = _read(folder)
            inside = f"{root.relative_to(folder).as_posix()}/"
            # a trainer that the repository ignores as a whole (somebody's private one) is still wanted here
            if rules is not None and not rules.check_file(inside).include:
                self._above.append((inside, rules))
        self.enter("")

    def enter(self, path: str) -> None:
        """Rules of a folder below hold for what is in it, and before those above."""
        rules = _read(self._root / path)
        if rules is not None:
            self._rules.append((f"{path}/" if path else "", rules))

    def is_ignored(self, path: str, is_folder: bool) -> bool:
        """The nearest rule that says anything decides."""
        name = f"{path}/" if is_folder else path
        for base, rules in reversed(self._rules):
            if name.startswith(base) and (said := rules.check_file(name.removeprefix(base)).include) is not None:
                return said
        for inside, rules in self._above:
            if (said := rules.check_file(inside + name).include) is not None:
                return said
        return False


def _up_to_repository(root: Path) -> list[Path]:
    """The folders above, nearest first; none where there is no repository around."""
    if (root / ".git").exists():
        return []
    above: list[Path] = []
    for folder in root.parents:
        above.append(folder)
        if (folder / ".git").exists():
            return above
    return []


def _read(folder: Path) -> GitIgnoreSpec | None:
    try:
        text = (folder / ".gitignore").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    return GitIgnoreSpec.from_lines(text.splitlines())
