"""An S3 bucket over urllib: objects in and out, each request signed by AWS signature version 4."""

import datetime
import errno
import hashlib
import hmac
import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.sax.saxutils

from settings import choice, text

NAMES = {
    "minio": ("MINIO_ENDPOINT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "MINIO_BUCKET"),  # any S3 server
    "r2": ("R2_ENDPOINT", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "R2_BUCKET"),
}
MEANINGS = ("the storage's address, http://…", "its access key", "its secret key", "its bucket")
TRIES = 4


class Bucket:
    def __init__(self, endpoint, access_key, secret_key, bucket, region):
        self.url, self.access_key, self.secret_key = f"{endpoint.rstrip('/')}/{bucket}", access_key, secret_key
        self.region = region

    def put(self, key, body, kind="application/octet-stream"):
        """One request with its length: the server keeps all of it or nothing, so what can be seen is complete."""
        self._request("PUT", key, body=body, kind=kind).close()

    def delete(self, key):
        self._request("DELETE", key).close()

    def keys(self, prefix):
        """The keys that begin like this, a thousand at most."""
        query = urllib.parse.urlencode({"list-type": "2", "prefix": prefix}, quote_via=urllib.parse.quote)
        with self._request("GET", query=query.replace("%7E", "~").replace("/", "%2F")) as answer:
            found = re.findall(r"<Key>([^<]*)</Key>", answer.read().decode())
        return [xml.sax.saxutils.unescape(key) for key in found]

    def fetch(self, key, path):
        """An object into a file. Connections break: it tries again, from the start."""
        for tries_left in reversed(range(TRIES)):
            try:
                with self._request("GET", key) as answer, path.open("wb") as file:
                    while part := answer.read(65536):
                        file.write(part)
                    length = answer.headers["Content-Length"]
                    if length and file.tell() != int(length):  # a short answer is no error to urllib
                        raise ConnectionError(f"only {file.tell()} bytes of it came")
                return
            except (OSError, http.client.HTTPException) as error:
                if getattr(error, "errno", None) == errno.ENOSPC:
                    raise  # the disk's fault, not the network's
                code = getattr(error, "code", 500)
                if code == 404:
                    error = "it is not there; upload it, or check the id"
                if not tries_left or (400 <= code < 500 and code not in (408, 429)):
                    raise ConnectionError(f"the storage {self.url} does not give {key}: {error}") from None
                time.sleep(0.5 * (TRIES - tries_left))

    def _request(self, method, key="", query="", body=b"", kind="application/octet-stream"):
        where = urllib.parse.urlsplit(f"{self.url}/{urllib.parse.quote(key, safe='/-_.~')}".rstrip("/"))
        now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        signed = f"host:{where.netloc}\nx-amz-content-sha256:{digest}\nx-amz-date:{now}\n"
        names = "host;x-amz-content-sha256;x-amz-date"
        request = f"{method}\n{where.path}\n{query}\n{signed}\n{names}\n{digest}"
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self.secret_key}".encode()
        for part in (*scope.split("/"), text):
            key = hmac.digest(key, part.encode(), "sha256")
        credential = f"Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
        head = {"x-amz-date": now, "x-amz-content-sha256": digest, "Authorization": f"AWS4-HMAC-SHA256 {credential}"}
        if method == "PUT":
            head["Content-Type"] = kind
        url = where._replace(query=query).geturl()
        data = body if method == "PUT" else None
        return urllib.request.urlopen(urllib.request.Request(url, data, head, method=method), timeout=15)


def from_environment():
    """The bucket that STORAGE_TYPE and its four variables name."""
    kind = choice("STORAGE_TYPE", *NAMES)
    values = [text(name, meaning) for name, meaning in zip(NAMES[kind], MEANINGS, strict=True)]
    return Bucket(*values, "auto" if kind == "r2" else "us-east-1")
