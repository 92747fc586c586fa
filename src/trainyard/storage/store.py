"""The object store: datasets, checkpoints, samples and logs in one bucket of any S3-compatible server.

Every call blocks, is safe to make from any thread, and raises NotFound or StorageUnavailable.
"""

import itertools
import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from trainyard.errors import StorageUnavailable
from trainyard.settings import Settings
from trainyard.storage.client import Address, make_client
from trainyard.storage.words import error_code, plain_errors

log = logging.getLogger(__name__)

PART_BYTES = 16 * 1024 * 1024  # S3 takes 10,000 parts at most: enough for 156 GiB
READ_BYTES = 256 * 1024


@dataclass(slots=True, frozen=True)
class StoredObject:
    key: str
    size: int
    etag: str


class Download:
    """An open object: its size is known, its bytes come when iterated, once. Close it, or read it to the end."""

    def __init__(self, address: Address, found: StoredObject, body: Any) -> None:
        self.object = found
        self._address = address
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        try:
            with plain_errors(self._address, self.object.key):
                yield from self._body.iter_chunks(READ_BYTES)
        finally:
            self.close()

    def close(self) -> None:
        self._body.close()


class Store:
    """One bucket. Nothing is connected, or even imported, before the first call."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._clients: dict[tuple[bool, str], Any] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> "Store":
        return cls(Address.from_settings(settings))

    def _client(self, *, quick: bool = False, endpoint: str = "") -> Any:
        kind = (quick, endpoint or self.address.endpoint)
        with self._lock:
            if kind not in self._clients:
                with plain_errors(self.address):
                    self._clients[kind] = make_client(replace(self.address, endpoint=kind[1]), quick=quick)
            return self._clients[kind]

    # -- the bucket ------------------------------------------------------------------------------------------------

    def healthy(self) -> bool:
        """Whether the bucket answers to our keys, within 3 seconds."""
        try:
            with plain_errors(self.address):
                return self._bucket_exists(self._client(quick=True))
        except StorageUnavailable:
            return False

    def ensure_bucket(self) -> None:
        """Make the bucket where there is none. Idempotent."""
        client = self._client()
        with plain_errors(self.address):
            if self._bucket_exists(client):
                return
            try:
                client.create_bucket(Bucket=self.address.bucket)
            except client.exceptions.ClientError as error:
                if error_code(error) != "BucketAlreadyOwnedByYou":  # another backend was first
                    raise

    def _bucket_exists(self, client: Any) -> bool:
        try:
            client.head_bucket(Bucket=self.address.bucket)
        except client.exceptions.ClientError as error:
            if error_code(error) in ("404", "NoSuchBucket"):
                return False
            raise
        return True

    # -- writing ---------------------------------------------------------------------------------------------------

    def put_file(self, key: str, path: Path) -> StoredObject:
        """Upload a file. It becomes visible whole, at the end, or not at all."""
        with path.open("rb") as file:
            return self._put(key, _file_parts(file))

    def put_stream(self, key: str, chunks: Iterable[bytes]) -> StoredObject:
        """Upload what comes, holding one part in memory. Visible whole, at the end, or not at all."""
        return self._put(key, _even_parts(chunks))

    def _put(self, key: str, parts: Iterator[bytes]) -> StoredObject:
        first = next(parts, b"")
        second = next(parts, None)
        if second is not None:
            return self._put_parts(key, itertools.chain([first, second], parts))
        with plain_errors(self.address, key):
            answer = self._client().put_object(Bucket=self.address.bucket, Key=key, Body=first)
        return StoredObject(key, len(first), answer["ETag"].strip('"'))

    def _put_parts(self, key: str, parts: Iterator[bytes]) -> StoredObject:
        client, where = self._client(), {"Bucket": self.address.bucket, "Key": key}
        with plain_errors(self.address, key):
            where["UploadId"] = client.create_multipart_upload(**where)["UploadId"]
        size, sent = 0, list[dict[str, Any]]()
        try:
            for number, part in enumerate(parts, 1):
                with plain_errors(self.address, key):
                    answer = client.upload_part(**where, PartNumber=number, Body=part)
                sent.append({"PartNumber": number, "ETag": answer["ETag"]})
                size += len(part)
            with plain_errors(self.address, key):
                done = client.complete_multipart_upload(**where, MultipartUpload={"Parts": sent})
        except BaseException:  # also Ctrl+C: parts of an upload that nobody finishes fill the disk unseen
            self._abort(where)
            raise
        return StoredObject(key, size, done["ETag"].strip('"'))

    def _abort(self, upload: dict[str, str]) -> None:
        try:
            with plain_errors(self.address):
                self._client().abort_multipart_upload(**upload)
        except StorageUnavailable:
            # the first error counts for the caller; `drop_abandoned_uploads` gets this one later
            log.warning("could not abort the upload of %s", upload["Key"], exc_info=True)

    def drop_abandoned_uploads(self, prefix: str, older_than: timedelta = timedelta(days=1)) -> int:
        """Abort uploads that a killed process left open, and say how many. Younger ones may still be running."""
        limit, dropped = datetime.now(UTC) - older_than, 0
        with plain_errors(self.address):
            pages = self._client().get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.address.bucket, Prefix=prefix):
                for upload in page.get("Uploads", []):
                    if upload["Initiated"] < limit:
                        self._abort(
                            {"Bucket": self.address.bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
                        )
                        dropped += 1
        return dropped

    def delete(self, key: str) -> None:
        """Delete an object. Idempotent."""
        with plain_errors(self.address, key):
            self._client().delete_object(Bucket=self.address.bucket, Key=key)

    # -- reading ---------------------------------------------------------------------------------------------------

    def head(self, key: str) -> StoredObject | None:
        """Size and etag, or None where there is no such object."""
        client = self._client()
        with plain_errors(self.address, key):
            try:
                answer = client.head_object(Bucket=self.address.bucket, Key=key)
            except client.exceptions.ClientError as error:
                if error_code(error) in ("404", "NoSuchKey"):
                    return None
                raise
        return StoredObject(key, answer["ContentLength"], answer["ETag"].strip('"'))

    def open_read(self, key: str) -> Download:
        """Ask for an object now, so that NotFound comes before a response has begun, and read it later."""
        with plain_errors(self.address, key):
            answer = self._client().get_object(Bucket=self.address.bucket, Key=key)
        found = StoredObject(key, answer["ContentLength"], answer["ETag"].strip('"'))
        return Download(self.address, found, answer["Body"])

    def presigned(self, key: str, seconds: int, endpoint: str) -> str:
        """A URL that whoever has it may read this one object with, at the address where they see the server.
        Asks nobody: also for what is not there."""
        client = self._client(endpoint=endpoint)
        with plain_errors(self.address, key):
            asked = {"Bucket": self.address.bucket, "Key": key}
            return str(client.generate_presigned_url("get_object", Params=asked, ExpiresIn=seconds))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`; empty beyond the end."""
        client = self._client()
        if length <= 0:
            return b""
        with plain_errors(self.address, key):
            try:
                answer = client.get_object(
                    Bucket=self.address.bucket, Key=key, Range=f"bytes={start}-{start + length - 1}"
                )
                return bytes(answer["Body"].read())
            except client.exceptions.ClientError as error:
                if error_code(error) in ("InvalidRange", "416"):
                    return b""
                raise

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Every object whose key begins so, in the order of keys."""
        with plain_errors(self.address):
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.address.bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield StoredObject(item["Key"], item["Size"], item["ETag"].strip('"'))


def _file_parts(file: BinaryIO) -> Iterator[bytes]:
    while part := file.read(PART_BYTES):
        yield part


def _even_parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of one size: S3 refuses small ones before the last."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= PART_BYTES:
            yield bytes(buffer[:PART_BYTES])
            del buffer[:PART_BYTES]
    if buffer:
        yield bytes(buffer)
