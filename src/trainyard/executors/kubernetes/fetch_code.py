"""Runs in the init container of a pod whose code came through S3, in the trainer's image: standard library only.

CODE_URL names the archive, CODE_SHA256 what it must be; argv[1] is the folder it goes to.
"""

import hashlib
import http.client
import io
import os
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

TRIES = 5


def fetch(url: str) -> bytes:
    """Tries again while the store is away; a URL that is refused stays refused."""
    for attempt in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - the backend made it
                return answer.read()
        except (OSError, ValueError, http.client.HTTPException) as error:
            refused = isinstance(error, ValueError) or (isinstance(error, urllib.error.HTTPError) and error.code < 500)
            # the error's own text would name the URL, which is as good as a key
            what = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
            if refused or attempt == TRIES:
                sys.exit(f"The code could not be fetched from the store: {what}.")
            time.sleep(2 ** (attempt - 1))
    return b""


def unpack(archive: bytes, folder: str) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for entry in opened.infolist():
            Path(opened.extract(entry, folder)).chmod(entry.external_attr >> 16 & 0o777)


def main() -> None:
    archive = fetch(os.environ["CODE_URL"])
    if hashlib.sha256(archive).hexdigest() != os.environ["CODE_SHA256"]:
        sys.exit("The code in the store is not the code that was submitted.")
    unpack(archive, sys.argv[1])


if __name__ == "__main__":
    main()
