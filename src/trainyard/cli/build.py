"""`trainyard build`: a trainer's image. It belongs to the Kubernetes tiers, which this version does not have."""

from typing import Annotated

import typer

from trainyard.errors import NotAvailable

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def build(
    framework: Annotated[str, typer.Argument(help="Whose image: ultralytics, sklearn …")],
    tag: Annotated[str | None, typer.Option("--tag", help="The image's name.")] = None,
    push: Annotated[bool, typer.Option("--push", help="Push it when it is built.")] = False,
) -> None:
    """Build a trainer's image. Local training needs none.

    Example: trainyard build ultralytics
    """
    raise NotAvailable(
        f"This version builds no images, so {tag or framework} was neither built{' nor pushed' if push else ''}.",
        hint="Local training needs none: `trainyard train`. By hand: docker build trainer-… (each has a Dockerfile).",
    )
