"""The code that jobs run on a cluster: bundles in the object store, at code/{hash}.zip, once for equal code."""

import re
import threading
from collections import OrderedDict

from trainyard.contract.keys import CODE_HASH_PATTERN, code_key
from trainyard.errors import InvalidInput, NotFound
from trainyard.executors.bundle import LARGEST_ARCHIVE, LARGEST_BUNDLE, Bundle
from trainyard.executors.bundle_archive import read_archive
from trainyard.storage.store import Store


class CodeStore:
    """Every call but `url` may ask the store, and blocks. For any thread; everything here may be repeated."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = _Recent()

    def put(self, bundle: Bundle) -> str:
        """Keep it, and give its hash. Nothing is sent where it is there already."""
        archive, key = bundle.archive(), code_key(bundle.hash)
        there = self._store.head(key)
        if there is None or there.size != len(archive):
            self._store.put_stream(key, [archive])
        self._known.keep(bundle)
        return bundle.hash

    def take_archive(self, code: str, archive: bytes) -> Bundle:
        """Keep what somebody sent, once it is sure that it is the bundle of that hash and harmless to unpack.

        Raises InvalidInput or TooLarge, and keeps nothing.
        """
        bundle = read_archive(archive)
        if bundle.hash != code:
            raise InvalidInput(
                f"The archive holds other code: the hash of its files is {bundle.hash}.",
                hint="Files were changed on the way, or the hash is of the archive and not of what is in it.",
                field="hash",
            )
        self.put(bundle)
        return bundle

    def get(self, code: str) -> Bundle:
        """The bundle of that hash. Raises NotFound; InvalidInput where the store holds something else in its place."""
        known = self._known.find(code)
        if known is not None:
            return known
        bundle = read_archive(self._read(code))
        if bundle.hash != code:
            raise InvalidInput(
                f"The store holds other code at {code_key(code)} than what was submitted.",
                hint="Somebody overwrote it. Delete that object, then submit the code again.",
                field="code",
            )
        self._known.keep(bundle)
        return bundle

    def url(self, code: str, seconds: int, s3_url: str) -> str:
        """Where a pod, which sees the server at that address, gets its archive for so long. Asks nobody; as secret as
        a key."""
        return self._store.presigned(code_key(code), seconds, s3_url)

    def _read(self, code: str) -> bytes:
        if re.fullmatch(CODE_HASH_PATTERN, code) is None:
            raise _gone(code)
        try:
            download = self._store.open_read(code_key(code))
        except NotFound:
            raise _gone(code) from None
        if download.object.size > LARGEST_ARCHIVE:
            download.close()
            raise _gone(code)
        return b"".join(download)


def _gone(code: str) -> NotFound:
    return NotFound(
        f"There is no code {code[:64]} in the store.",
        hint="`trainyard train --on k8s` sends it from the folder it lies in.",
        field="code",
    )


class _Recent:
    """The last few bundles, as large as one may be together: a submit, its launch and its page ask for the same."""

    def __init__(self) -> None:
        self._bundles: OrderedDict[str, Bundle] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def find(self, code: str) -> Bundle | None:
        with self._lock:
            if code in self._bundles:
                self._bundles.move_to_end(code)
            return self._bundles.get(code)

    def keep(self, bundle: Bundle) -> None:
        with self._lock:
            if bundle.hash not in self._bundles:
                self._bundles[bundle.hash] = bundle
                self._size += bundle.size
            self._bundles.move_to_end(bundle.hash)
            while self._size > LARGEST_BUNDLE:
                _, oldest = self._bundles.popitem(last=False)
                self._size -= oldest.size
