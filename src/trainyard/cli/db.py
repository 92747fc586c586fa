"""`trainyard db`: back the database up while it is in use, and put a backup in its place."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from trainyard.cli.console import out, size
from trainyard.db import backup as backups
from trainyard.settings import load_settings

_HELP = """Back the database up, and restore it. It holds jobs, events, metrics, users; the files are in the storage.

Example: trainyard db backup
"""
app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, help=_HELP)


@app.command()
def backup(
    path: Annotated[
        Path | None, typer.Argument(help="The file to write. Default: one named by the time, in the data folder.")
    ] = None,
) -> None:
    """Copy the database as it is now. The backend may go on meanwhile.

    Example: trainyard db backup /mnt/backups/monday.db
    """
    settings = load_settings()
    target = path or settings.data_dir / "backups" / time.strftime("trainyard-%Y%m%d-%H%M%S.db")
    made = backups.back_up(settings.database, target)
    out().print(f"{escape(str(made.path))}: {made.jobs:,} jobs, {size(made.bytes)}", soft_wrap=True)


@app.command()
def restore(path: Annotated[Path, typer.Argument(help="What `trainyard db backup` wrote.")]) -> None:
    """Put a backup in the database's place. The backend must be stopped; what is there now is kept beside it.

    Example: trainyard down && trainyard db restore /mnt/backups/monday.db && trainyard up
    """
    settings = load_settings()
    restored, kept = backups.restore(settings.database, path)
    out().print(f"Restored {restored.jobs:,} jobs, {size(restored.bytes)}.", soft_wrap=True)
    if kept is not None:
        out().print(f"What was there is kept as {escape(str(kept))}.", soft_wrap=True)
    out().print("`trainyard up` starts with it.")
