"""`trainyard new-trainer`: a trainer of one's own that works at once, to be changed from there."""

from typing import Annotated

import typer
from rich.markup import escape

from trainyard.cli.console import err
from trainyard.cli.trainer_copy import copy_trainer
from trainyard.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("new-trainer")
def new_trainer(
    name: Annotated[str, typer.Argument(help="The x of its folder trainer-x: small letters, digits and hyphens.")],
    source: Annotated[
        str, typer.Option("--from", "-f", help="Which trainer to copy: template, sklearn, ultralytics …")
    ] = "template",
) -> None:
    """Copy a trainer into a new folder beside the others. It can be trained at once; nothing registers it.

    Example: trainyard new-trainer mine
    """
    made = copy_trainer(load_settings(), source, name)
    print(made.folder)
    say = err().print
    say(f"[green]✓[/] It is a copy of trainer-{source} and works as it is. Next:")
    say(f"  edit {escape(str(made.folder / made.entrypoint))}")
    say(f"  trainyard train --framework {name}")
    say(f"  trainyard check {escape(str(made.folder))}")
    if made.license not in ("", "Apache-2.0"):
        say(f"[yellow]![/] What it was copied from is under {escape(made.license)}: so is this.")
