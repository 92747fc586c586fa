"""`python -m tests.real.testkube VERB`: root on Linux is all it needs; README.md beside this says more."""

import argparse
import os
import sys
from pathlib import Path

from tests.real.platform_images import prepare as prepare_platform
from tests.real.testkube.images import BASE, make_base_image, prepare
from tests.real.testkube.parts import down, is_up, load, up
from tests.real.testkube.places import BIN, INSIDE, KUBECONFIG, is_given, is_inside, kubectl, what_is_missing


def main() -> None:
    asked = _parser().parse_args()
    command = list(getattr(asked, "command", []))
    if asked.verb == "within":
        _within(command)
    if asked.verb == "ready" and (is_given() or what_is_missing()):
        return
    if os.geteuid() != 0:
        raise SystemExit("testkube needs root: it makes a network and containers")
    match asked.verb:
        case "up":
            up()
            print(KUBECONFIG)
        case "ready":
            up()
            prepare()
            prepare_platform()
        case "down":
            down()
        case "status":
            sys.exit(0 if is_up() else 1)
        case "base-image":
            make_base_image()
        case "load":
            load(Path(asked.archive))
        case "run":
            _run_inside(command)
        case _:
            sys.exit(kubectl(*command).returncode)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="testkube", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help="install what is missing, start the cluster, print its kubeconfig's path")
    verbs.add_parser("down", help="stop it and forget its objects")
    verbs.add_parser("status", help="exit code 0 where it takes pods")
    verbs.add_parser("base-image", help=f"make {BASE} for buildah")
    verbs.add_parser("load", help="import an image's docker-archive or oci-archive").add_argument("archive")
    verbs.add_parser("ready", help="up, and every image that the tests use; nothing where they use another cluster")
    for name, said in (
        ("run", "run a command inside its network, with its KUBECONFIG and kubectl"),
        ("within", "run a command where the tests' cluster is reached: as `run`, or here where it is another one"),
        ("kubectl", "kubectl on this cluster"),
    ):
        verbs.add_parser(name, help=said).add_argument("command", nargs=argparse.REMAINDER)
    return parser


def _within(command: list[str]) -> None:
    """Takes this process's place: signals reach the command, and its exit code is ours."""
    if is_given() or what_is_missing():
        os.execvp(command[0], command)
    _run_inside(command)


def _run_inside(command: list[str]) -> None:
    enter = [] if is_inside() else INSIDE
    own = {"KUBECONFIG": str(KUBECONFIG), "PATH": f"{BIN}:{os.environ['PATH']}"}
    os.execvpe((enter + command)[0], [*enter, *command], os.environ | own)


main()
