"""The token of one attempt of one job: it lets its trainer call back, and nothing else."""

import time
from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from trainyard.errors import Unauthorized
from trainyard.jobs.presence import Presence

ALGORITHM = "HS256"
AUDIENCE = "callback"
LEEWAY_SECONDS = 300.0  # clocks of pods and machines may differ by so much
RETURN_SECONDS = 600.0
REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class Claims:
    job_id: str
    attempt: int
    expires_at: float


class Tokens:
    """Signs and checks. One key for all backends of an installation."""

    def __init__(self, key: str, lifetime_seconds: float, presence: Presence | None = None) -> None:
        self._key = OctKey.import_key(key)
        self._lifetime = lifetime_seconds
        self._presence = presence
        self._checked: dict[str, Claims] = {}  # signatures proven already; expiry is still looked at each time

    def sign(self, job_id: str, attempt: int, now: float | None = None) -> str:
        at = time.time() if now is None else now
        claims = {
            "job_id": job_id,
            "attempt": attempt,
            "aud": AUDIENCE,
            "iat": int(at),
            "exp": int(at + self._lifetime),
        }
        return jwt.encode({"alg": ALGORITHM}, claims, self._key)

    def check(self, token: str, now: float | None = None) -> Claims:
        """Raises Unauthorized: not ours, altered, for something else, or expired."""
        claims = self._checked.get(token)
        if claims is None:
            claims = self._verify(token)
            if len(self._checked) >= REMEMBERED:
                self._checked.clear()
            self._checked[token] = claims
        at = time.time() if now is None else now
        if claims.expires_at + LEEWAY_SECONDS < at and not self._nobody_renewed(claims, at):
            raise Unauthorized("The callback token has expired.")
        return claims

    def _nobody_renewed(self, claims: Claims, now: float) -> bool:
        """It ran out while no backend was there to renew it: its trainer gets a moment to come back."""
        if self._presence is None or now - self._presence.since > RETURN_SECONDS:
            return False
        return self._presence.was_away(claims.expires_at - self._lifetime / 3)

    def renewal(self, claims: Claims, now: float | None = None) -> str | None:
        """A fresh token once a third of the lifetime is left."""
        left = claims.expires_at - (time.time() if now is None else now)
        return self.sign(claims.job_id, claims.attempt, now) if left < self._lifetime / 3 else None

    def _verify(self, token: str) -> Claims:
        try:
            found = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            raise Unauthorized("The callback token is not valid here.") from None
        match found:
            case {"aud": "callback", "job_id": str(job_id), "attempt": int(attempt), "exp": int() | float() as expires}:
                return Claims(job_id, attempt, float(expires))
            case _:
                raise Unauthorized("The token is not a callback token.")
