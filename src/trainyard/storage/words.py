"""What the S3 server or the network answered, in words for people. No key and no secret gets into them."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from trainyard.errors import NotFound, StorageUnavailable, TrainyardError
from trainyard.storage.client import Address

_BAD_KEYS = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden", "Unauthorized", "401", "403"}
_NO_OBJECT = {"NoSuchKey", "NotFound", "404"}
_FULL = {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "EntityTooLarge", "507"}


@contextmanager
def plain_errors(address: Address, key: str = "") -> Generator[None]:
    """Turns what botocore raises inside into NotFound or StorageUnavailable."""
    # imported late for the reason given in client.py; whoever comes here has a client, so it is loaded already
    import botocore.exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        answer: Any = error.response
        raise _refused(address, key, answer) from error
    except (aws.ParamValidationError, ValueError) as error:
        # found wrong before anything is sent: an endpoint without http://, a bucket name with a space
        raise StorageUnavailable(
            f"The S3 settings are not usable: {error}.", hint="Check TRAINYARD_S3_ENDPOINT and TRAINYARD_S3_BUCKET."
        ) from error
    except aws.BotoCoreError as error:
        raise StorageUnavailable(
            f"The S3 server at {address.endpoint} does not answer ({type(error).__name__}).",
            hint="`trainyard status` shows whether it runs; TRAINYARD_S3_ENDPOINT says where it is looked for.",
        ) from error


def error_code(error: Any) -> str:
    """The S3 code of a botocore ClientError; for answers without a body it is the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _refused(address: Address, key: str, response: dict[str, Any]) -> TrainyardError:
    code = str(response.get("Error", {}).get("Code", ""))
    server = f"The S3 server at {address.endpoint}"
    if code in _NO_OBJECT:
        return NotFound(f"There is no {key or 'such object'} in the bucket {address.bucket}.")
    if code == "NoSuchBucket":
        return StorageUnavailable(
            f"{server} has no bucket named {address.bucket}.", hint="`trainyard up` makes it; so does any S3 tool."
        )
    if code in _BAD_KEYS:
        return StorageUnavailable(
            f"{server} refuses the keys for the bucket {address.bucket} ({code}).",
            hint="Check TRAINYARD_S3_ACCESS_KEY and TRAINYARD_S3_SECRET_KEY.",
        )
    if code == "RequestTimeTooSkewed":
        return StorageUnavailable(
            f"{server} refuses requests because this machine's clock is off.", hint="Set the clock, then try again."
        )
    if code in _FULL:
        return StorageUnavailable(f"{server} has no room left ({code}).", hint="Free space there, then try again.")
    said = str(response.get("Error", {}).get("Message", ""))[:300]
    return StorageUnavailable(f"{server} answered {code or 'an error'}: {said}", hint="Try again.")
