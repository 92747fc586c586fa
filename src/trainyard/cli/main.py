"""The command line: a table of verbs. Only the module of the verb that was called is imported."""

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from trainyard import __version__
from trainyard.errors import InvalidInput, TrainyardError

# verb → (module below trainyard.cli, what it does); each module has `app`, a Typer with one command or a group
VERBS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "Train a real model on sample pictures, from nothing."),
    "up": ("up", "Start the local services: S3, backend, MLflow."),
    "down": ("down", "Stop them; asks when jobs are running."),
    "status": ("status", "Services and active jobs."),
    "doctor": ("doctor", "Check this machine, and say what to do about what is wrong."),
    "train": ("train", "Train here, in this terminal."),
    "submit": ("submit", "Hand a training to the backend and return."),
    "resume": ("resume", "Go on from a job's checkpoint, as a new job."),
    "retry": ("retry", "Train the same again, with other parameters if you like."),
    "parity": ("parity", "Run a job again on several tiers, and show what differs."),
    "jobs": ("jobs", "List jobs, or show one."),
    "explain": ("explain", "Why a job failed, waits or was stopped, and what to do."),
    "logs": ("logs", "Show a job's log; -f follows it."),
    "cancel": ("cancel", "Ask a job to stop."),
    "predict": ("predict", "Show pictures to a job's checkpoint."),
    "datasets": ("datasets", "Add, list, show and remove datasets."),
    "weights": ("weights", "Add, list and remove pretrained weights."),
    "link": ("link", "A link that opens the web page signed in."),
    "users": ("users", "Add, list and disable users, and set passwords."),
    "tokens": ("tokens", "Add, list and revoke API tokens."),
    "db": ("db", "Back the database up while it is in use, and restore it."),
    "trainers": ("trainers", "What can be trained, and with which parameters."),
    "new-trainer": ("new_trainer", "Copy a trainer to start one of your own from."),
    "build": ("build", "Build a trainer's image (Kubernetes tiers)."),
    "check": ("check", "Check a trainer, in any language, against the contract."),
    "test": ("test", "Run every test that this machine can run."),
}


class LazyGroup(TyperGroup):
    """Knows every verb by the table above, and loads the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """For the list in --help: a name and a line, without importing what is behind them."""
        if cmd_name not in VERBS:
            return None
        return TyperCommand(cmd_name, help=VERBS[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, None, rest
        command = typer.main.get_command(import_module(f"trainyard.cli.{VERBS[name][0]}").app)
        command.name = name
        return name, command, rest


app = typer.Typer(
    name="trainyard",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"trainyard {__version__}")
        raise typer.Exit


@app.callback()
def root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False) -> None:
    """Train vision models: on this machine, in Kubernetes and in production as the same job.

    Example: trainyard demo
    """


def run() -> None:
    """The entry point: every error a user meets is a sentence, and a traceback only where one is asked for."""
    debug = os.environ.get("TRAINYARD_DEBUG") == "1"
    try:
        app(prog_name="trainyard")
    except TrainyardError as error:
        if debug:
            raise
        # imported here: rich takes longer than all the rest of a `--help`
        from trainyard.cli.console import print_error

        print_error(error)
        sys.exit(2 if isinstance(error, InvalidInput) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # the reader went away (`| head`); Python would complain once more while it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        if debug:
            raise
        sys.stderr.write(
            f"Error: trainyard itself failed: {type(error).__name__}: {error}\n"
            "  TRAINYARD_DEBUG=1 shows where; please report it with that output.\n"
        )
        sys.exit(1)


if __name__ == "__main__":
    run()
