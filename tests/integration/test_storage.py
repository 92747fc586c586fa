"""The store against a real S3 server."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.real.s3server import S3Server, free_ports
from trainyard.errors import NotFound, StorageUnavailable
from trainyard.settings import Settings
from trainyard.storage.client import make_client
from trainyard.storage.store import PART_BYTES, Store


@pytest.fixture
def settings(s3_server: S3Server, tmp_path: Path) -> Settings:
    return s3_server.settings(tmp_path)


@pytest.fixture
def store(settings: Settings) -> Store:
    made = Store.from_settings(settings)
    made.ensure_bucket()
    return made


def open_uploads(store: Store) -> list[str]:
    answer = make_client(store.address).list_multipart_uploads(Bucket=store.address.bucket)
    return [upload["Key"] for upload in answer.get("Uploads", [])]


def test_what_is_put_comes_back_whole_in_ranges_and_in_lists(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 1000)
    put = store.put_file("datasets/a.zip", path)
    download = store.open_read("datasets/a.zip")
    assert download.object == put == store.head("datasets/a.zip")
    assert b"".join(download) == path.read_bytes()
    assert store.get_range("datasets/a.zip", 5, 10) == b"5678901234"
    assert store.get_range("datasets/a.zip", 9_995, 100) == b"56789"
    assert store.get_range("datasets/a.zip", 10_000, 100) == b""
    store.put_stream("datasets/b.zip", [])
    store.put_stream("other/c", [b"x"])
    assert [(found.key, found.size) for found in store.list("datasets/")] == [
        ("datasets/a.zip", 10_000),
        ("datasets/b.zip", 0),
    ]


def test_a_stream_larger_than_a_part_arrives_byte_for_byte(store: Store) -> None:
    chunks = [os.urandom(1_000_003) for _ in range(2 * PART_BYTES // 1_000_003 + 3)]
    put = store.put_stream("big", iter(chunks))
    assert put.size == sum(map(len, chunks)) > 2 * PART_BYTES
    digest = hashlib.sha256()
    for piece in store.open_read("big"):
        digest.update(piece)
    assert digest.digest() == hashlib.sha256(b"".join(chunks)).digest()


def test_a_stream_that_breaks_off_leaves_no_object_and_no_open_upload(store: Store) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(PART_BYTES * 2)
        yield bytes(PART_BYTES)
        raise ConnectionResetError("the client went away")

    with pytest.raises(ConnectionResetError):
        store.put_stream("broken", broken())
    assert store.head("broken") is None
    assert open_uploads(store) == []


def test_a_process_killed_mid_upload_leaves_nothing_visible_and_its_parts_can_be_dropped(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    store.put_stream("cut", [b"what was there before"])
    script = textwrap.dedent(f"""
        import time
        from trainyard.settings import Settings
        from trainyard.storage.store import PART_BYTES, Store
        def slow():
            yield bytes(PART_BYTES * 3)
            print("sent", flush=True)
            time.sleep(60)
        settings = Settings(_env_file=None, s3_endpoint={settings.s3_url!r}, s3_bucket={settings.s3_bucket!r},
            data_dir={str(tmp_path)!r}, s3_access_key={settings.s3_keys[0]!r}, s3_secret_key={settings.s3_keys[1]!r})
        Store.from_settings(settings).put_stream("cut", slow())
    """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"sent\n"
        process.send_signal(signal.SIGKILL)
    assert b"".join(store.open_read("cut")) == b"what was there before"
    assert open_uploads(store) == ["cut"]
    assert store.drop_abandoned_uploads("", timedelta(hours=1)) == 0  # young: it might still be running
    assert store.drop_abandoned_uploads("", timedelta(seconds=-60)) == 1
    assert open_uploads(store) == []


def test_a_missing_object_is_none_to_head_not_found_to_read_and_no_error_to_delete(store: Store) -> None:
    assert store.head("nothing") is None
    store.delete("nothing")
    with pytest.raises(NotFound, match="no nothing in the bucket"):
        store.open_read("nothing")
    with pytest.raises(NotFound):
        store.get_range("nothing", 0, 10)


def test_delete_removes(store: Store) -> None:
    store.put_stream("gone", [b"x"])
    store.delete("gone")
    assert store.head("gone") is None


def test_ensure_bucket_may_be_repeated(store: Store) -> None:
    store.ensure_bucket()
    assert store.healthy()


def test_a_missing_bucket_is_unhealthy_and_named(s3_server: S3Server, tmp_path: Path) -> None:
    store = Store.from_settings(s3_server.settings(tmp_path, s3_bucket="never-made"))
    assert not store.healthy()
    with pytest.raises(StorageUnavailable, match="no bucket named never-made"):
        store.open_read("x")


def test_wrong_keys_are_named_but_not_shown(s3_server: S3Server, tmp_path: Path) -> None:
    store = Store.from_settings(s3_server.settings(tmp_path, s3_secret_key="canary-secret"))
    assert not store.healthy()
    with pytest.raises(StorageUnavailable, match="refuses the keys") as caught:
        store.ensure_bucket()
    assert "TRAINYARD_S3_SECRET_KEY" in str(caught.value)
    for text in (str(caught.value), repr(store.address)):
        assert "canary-secret" not in text
        assert s3_server.access_key not in text


def test_a_server_that_is_away_is_said_quickly(s3_server: S3Server, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    store = Store.from_settings(s3_server.settings(tmp_path, s3_endpoint=f"http://127.0.0.1:{port}"))
    began = time.monotonic()
    assert not store.healthy()
    assert time.monotonic() - began < 5
    with pytest.raises(StorageUnavailable, match="does not answer"):
        store.head("x")


def test_a_server_that_never_answers_is_unhealthy_within_its_deadline(s3_server: S3Server, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts in the kernel, never reads
        store = Store.from_settings(
            s3_server.settings(tmp_path, s3_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        )
        began = time.monotonic()
        assert not store.healthy()
        assert time.monotonic() - began < 5


def test_an_endpoint_that_is_no_address_is_said(s3_server: S3Server, tmp_path: Path) -> None:
    store = Store.from_settings(s3_server.settings(tmp_path, s3_endpoint="not a url"))
    with pytest.raises(StorageUnavailable, match=r"not usable.*Check TRAINYARD_S3_ENDPOINT"):
        store.head("x")


def test_the_users_own_aws_settings_and_proxies_do_not_get_in_between(
    store: Store, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "a-profile-that-is-not-there")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody-else")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert Store(store.address).healthy()


def test_the_s3_library_is_not_imported_before_it_is_used() -> None:
    script = "import sys, trainyard.storage.store; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
