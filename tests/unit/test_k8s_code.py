"""Code gets into a pod: as a ConfigMap's files, or beyond its limit through S3 and the init container; row 45."""

import base64
import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.k8s_made import CANARY, built, settings, spec, trainer
from trainyard.errors import InvalidInput
from trainyard.executors.base import LaunchFailed
from trainyard.executors.bundle import Bundle, File
from trainyard.executors.kubernetes.code import by_config_map, by_store, fits_config_map
from trainyard.executors.kubernetes.program import read_program

KEY = re.compile(r"(?!\.\.)[-._a-zA-Z0-9]{1,253}")
PATHS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=300)


def mounted(config_map: dict[str, Any], volume: dict[str, Any]) -> dict[str, tuple[bytes, int]]:
    """The folder that a kubelet makes of them."""
    kept = {key: text.encode() for key, text in config_map.get("data", {}).items()}
    kept |= {key: base64.b64decode(text) for key, text in config_map.get("binaryData", {}).items()}
    mode = volume["configMap"]["defaultMode"]
    return {item["path"]: (kept[item["key"]], item.get("mode", mode)) for item in volume["configMap"]["items"]}


@given(st.dictionaries(PATHS, st.tuples(st.binary(max_size=20) | st.text(max_size=20), st.booleans()), max_size=6))
def test_a_configmap_brings_every_file_over_whatever_its_name_and_bytes(files: dict[str, tuple[Any, bool]]) -> None:
    made = tuple(
        File(path, data.encode("utf-8", "replace") if isinstance(data, str) else data, executable)
        for path, (data, executable) in files.items()
    )
    shipped = by_config_map(Bundle(made, ()), "training-code-x")
    keys = [*shipped.config_map.get("data", {}), *shipped.config_map.get("binaryData", {})]
    assert len(set(keys)) == len(keys) == len(files)
    assert all(KEY.fullmatch(key) for key in keys)
    assert mounted(shipped.config_map, shipped.volume) == {
        file.path: (file.data, 0o555 if file.executable else 0o444) for file in made
    }
    assert not shipped.fetch


def test_top_level_files_keep_their_names_as_keys() -> None:
    """`kubectl describe` shows the code as it was written."""
    files = (File("train.py", b"a", False), File("sub/b.py", b"b", False), File("Ã.py", b"c", False))
    data = by_config_map(Bundle(files, ()), "x").config_map["data"]
    assert sorted(data) == sorted(["train.py", *(key for key in data if key.startswith("."))])
    assert any(key.endswith(".sub.b.py") for key in data)


@pytest.mark.parametrize("data", [b"\x00", b"a\x1b[31m", b"a\x0cb", b"\xff"])
def test_bytes_that_are_no_plain_text_travel_as_bytes(data: bytes) -> None:
    assert set(by_config_map(Bundle((File("a", data, False),), ()), "x").config_map) == {"binaryData"}


def test_f45_the_limit_is_kept_to_the_byte() -> None:
    name = "train.py"
    room = (1 << 20) - 2 * len(name)
    assert fits_config_map(Bundle((File(name, b"a" * room, False),), ()))
    assert not fits_config_map(Bundle((File(name, b"a" * (room + 1), False),), ()))
    assert not fits_config_map(Bundle((File(name, b"a" * 1_048_577, False),), ()))
    many = tuple(File(f"{n:04}/{'d' * 200}.txt", b"", False) for n in range(3000))
    assert not fits_config_map(Bundle(many, ()))  # their paths would make the Job too large


def test_f45_code_over_the_limit_goes_through_the_store(tmp_path: Path) -> None:
    folder = trainer(tmp_path)
    (folder / "train.py").write_bytes(b"#" * 1_048_577)
    program = read_program(settings(tmp_path), spec())
    assert program.archive == program.bundle.archive()
    made = built(settings(tmp_path), spec(), url="http://s/code.zip")
    assert [each["kind"] for each in made.owned] == ["Secret"]
    pod = made.job["spec"]["template"]["spec"]
    (fetcher,), (container,) = pod["initContainers"], pod["containers"]
    assert fetcher["image"] == container["image"]
    assert fetcher["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi"}
    assert {"name": "code", "mountPath": "/code"} in fetcher["volumeMounts"]
    assert {"name": "code", "mountPath": "/code", "readOnly": True} in container["volumeMounts"]
    assert {"name": "code", "emptyDir": {}} in pod["volumes"]
    assert made.owned[0]["stringData"]["CODE_URL"] == "http://s/code.zip"
    assert "CODE_URL" in [each["name"] for each in fetcher["env"]]
    assert "CODE_URL" not in [each["name"] for each in container["env"]]
    assert len(str(made.job)) < 20_000


# -- the init container's program, run as it runs there ---------------------------------------------------------------


class _Store(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked += 1  # type: ignore[attr-defined]
        status, body = self.server.answers.pop(0)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def store() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Store) as server:
        server.asked, server.answers = 0, []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def fetch(store: Any, archive: bytes, folder: Path, scheme: str = "http:") -> "subprocess.CompletedProcess[str]":
    shipped = by_store(archive)
    url = f"{scheme}//127.0.0.1:{store.server_port}/code.zip?X-Amz-Signature={CANARY}"
    command = [sys.executable, "-I", *shipped.fetch[1:-1], str(folder)]
    env = {"PATH": os.defpath, "CODE_URL": url, **shipped.variables}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


FILES = (File("train.py", "print('é')".encode(), False), File("sub/모델.sh", b"\xff\x00", True))


def test_the_init_container_unpacks_what_was_submitted(store: Any, tmp_path: Path) -> None:
    archive = Bundle(FILES, ()).archive()
    store.answers = [(503, b"busy"), (200, archive)]
    done = fetch(store, archive, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert store.asked == 2
    for file in FILES:
        assert (tmp_path / file.path).read_bytes() == file.data
        assert os.access(tmp_path / file.path, os.X_OK) == file.executable


@pytest.mark.parametrize(
    ("answer", "words"),
    [((403, b"denied"), "could not be fetched from the store: HTTP 403"), ((200, b"another"), "is not the code that")],
)
def test_the_init_container_says_why_it_fails_without_its_url(
    store: Any, tmp_path: Path, answer: tuple[int, bytes], words: str
) -> None:
    store.answers = [answer]
    done = fetch(store, Bundle(FILES, ()).archive(), tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert CANARY not in done.stderr
    assert (store.asked, list(tmp_path.iterdir())) == (1, [])


def test_an_address_that_is_none_is_not_shown_either(store: Any, tmp_path: Path) -> None:
    done = fetch(store, b"", tmp_path, scheme="")
    assert done.returncode == 1
    assert "could not be fetched from the store" in done.stderr
    assert CANARY not in done.stderr


# -- what is run ------------------------------------------------------------------------------------------------------


def test_a_trainer_in_another_language_runs_its_own_command_in_code(tmp_path: Path) -> None:
    folder = trainer(tmp_path, 'command = ["./build/trainer", "--train"]\n')
    with pytest.raises(InvalidInput, match=r"build/trainer is to be run, but is not in its folder"):
        read_program(settings(tmp_path), spec())
    (folder / "build").mkdir()
    (folder / "build/trainer").write_bytes(b"\x7fELF")
    assert read_program(settings(tmp_path), spec()).command == ["/code/build/trainer", "--train"]


def test_another_script_of_the_folder_takes_the_whole_folder_along(tmp_path: Path) -> None:
    folder = trainer(tmp_path)
    (folder / "sub").mkdir()
    (folder / "sub/other.py").write_text("")
    program = read_program(settings(tmp_path), spec(script=folder / "sub/other.py"))
    assert program.command == ["python", "/code/sub/other.py"]
    assert [file.path for file in program.bundle.files] == ["sub/other.py", "train.py", "trainer.toml"]


def test_a_script_from_elsewhere_runs_alone(tmp_path: Path) -> None:
    trainer(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    script = tmp_path / "elsewhere" / "mine.py"
    script.write_text("")
    (script.parent / "letter.txt").write_text("private")
    program = read_program(settings(tmp_path), spec(script=script))
    assert program.command == ["python", "/code/mine.py"]
    assert [file.path for file in program.bundle.files] == ["mine.py"]


def test_a_trainer_or_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaunchFailed, match="There is no trainer x"):
        read_program(settings(tmp_path), spec())
    trainer(tmp_path)
    with pytest.raises(InvalidInput, match=r"no script .*gone\.py"):
        read_program(settings(tmp_path), spec(script=tmp_path / "gone.py"))


def test_the_archives_hash_is_what_the_pod_checks() -> None:
    assert by_store(b"zip").variables == {"CODE_SHA256": hashlib.sha256(b"zip").hexdigest()}
