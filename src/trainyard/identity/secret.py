"""Random secrets that people and browsers hold, and the hash of them that we hold."""

import hashlib
import secrets


def fresh() -> str:
    """256 random bits, as text for a cookie, a header or a link."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """SHA-256: of 256 random bits nobody finds the origin, however fast the hash is."""
    return hashlib.sha256(secret.encode()).hexdigest()
