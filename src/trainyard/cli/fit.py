"""Tables that fit: on a narrow terminal the least important columns go first; a pipe gets them all."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainyard.cli.console import table

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A title (> before it: numbers), its cells, and when to leave it out: the highest goes first, 0 never."""

    title: str
    cells: Sequence[Text | str]
    dispensable: int = 0

    @property
    def width(self) -> int:
        cells = [cell if isinstance(cell, Text) else Text(cell) for cell in self.cells]
        return max([len(self.title.removeprefix(">")), *(cell.cell_len for cell in cells)]) + GAP


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns that go beside each other in `width`."""
    kept = list(columns)
    while sum(column.width for column in kept) - GAP > width:
        least = max(kept, key=lambda column: column.dispensable)
        if least.dispensable == 0:
            break
        kept.remove(least)
    return kept


def print_table(console: Console, columns: Sequence[Column]) -> None:
    kept = fitting(columns, console.width) if console.is_terminal else list(columns)
    made: Table = table(*(column.title for column in kept))
    for row in zip(*(column.cells for column in kept), strict=True):
        made.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    if not console.is_terminal:  # it has no width that would count
        console = Console(file=console.file, width=sum(column.width for column in kept), highlight=False)
    console.print(made)
