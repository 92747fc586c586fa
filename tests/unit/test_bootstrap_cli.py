"""The table of verbs: nothing is loaded that was not called, and errors are sentences."""

import subprocess
import sys

from trainyard.cli.main import VERBS

CLI = [sys.executable, "-P", "-m", "trainyard.cli.main"]


def cli(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*CLI, *arguments], capture_output=True, text=True, timeout=60)


def test_help_lists_every_verb() -> None:
    shown = cli("--help")
    assert shown.returncode == 0
    for verb, (_, text) in VERBS.items():
        assert verb in shown.stdout
        assert text.split(":")[0][:40] in shown.stdout


def test_help_imports_neither_rich_nor_pydantic_nor_http() -> None:
    code = (
        "import sys; from trainyard.cli.main import app\n"
        "try: app(['--help'], prog_name='trainyard')\n"
        "except SystemExit: pass\n"
        "print([name for name in ('rich.console', 'pydantic', 'httpx2', 'psutil') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60)
    assert shown.stdout.splitlines()[-1] == "[]"


def test_every_verb_has_help_with_an_example() -> None:
    grouped = {"datasets": ["add", "list", "show", "remove"]}
    for verb in VERBS:
        for words in [[verb, sub] for sub in grouped.get(verb, [])] or [[verb]]:
            shown = cli(*words, "--help")
            assert shown.returncode == 0, f"{words}: {shown.stderr}"
            assert "Example" in shown.stdout, words


def test_an_unknown_verb_is_a_usage_error() -> None:
    answer = cli("frobnicate")
    assert answer.returncode == 2
    assert "frobnicate" in answer.stderr


def test_a_bad_setting_is_a_sentence_naming_the_variable() -> None:
    answer = subprocess.run(
        [*CLI, "status"], capture_output=True, text=True, timeout=60, env={"TRAINYARD_PORT": "eight", "PATH": ""}
    )
    assert answer.returncode == 2
    assert "TRAINYARD_PORT" in answer.stderr
    assert "Traceback" not in answer.stderr
