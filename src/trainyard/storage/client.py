"""Makes the S3 client: lazily, because its library takes longer to import than the backend takes to start."""

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from trainyard.settings import Settings


@dataclass(slots=True, frozen=True)
class Address:
    """Where a bucket is and with which keys it opens. Its repr shows no secret."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str
    region: str

    @classmethod
    def from_settings(cls, settings: Settings) -> "Address":
        access_key, secret_key = settings.s3_keys
        region = "auto" if settings.storage_type == "r2" else "us-east-1"
        return cls(settings.s3_url, settings.s3_bucket, access_key, secret_key, region)

    def __repr__(self) -> str:
        return f"Address({self.endpoint}/{self.bucket})"


def make_client(address: Address, *, quick: bool = False) -> Any:
    """A thread-safe client. Making one is not: the caller holds a lock. `quick`: one short try, for health checks."""
    # botocore is most of boto3; imported here, it stays out of the backend's start (0.3 s) and of every CLI verb
    import botocore.config
    import botocore.session

    # the keys are ours: a profile, config file or endpoint in the user's AWS settings must not get in between
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    config = botocore.config.Config(
        connect_timeout=1 if quick else 3,
        read_timeout=2 if quick else 60,
        retries={"mode": "standard", "total_max_attempts": 1 if quick else 3},
        max_pool_connections=32,
        signature_version="s3v4",
        s3={"addressing_style": "path"},  # bucket names in host names need DNS that a local server has not
        # R2 and older servers refuse the checksums that botocore adds by default since 1.36
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # a proxy in the environment is meant for the internet, not for this machine; None: as the environment says
        proxies={} if _is_this_machine(address.endpoint) else None,
        ignore_configured_endpoint_urls=True,
        user_agent_extra="trainyard",
    )
    return session.create_client(
        "s3",
        endpoint_url=address.endpoint,
        aws_access_key_id=address.access_key,
        aws_secret_access_key=address.secret_key,
        region_name=address.region,
        config=config,
    )


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
