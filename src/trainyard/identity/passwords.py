"""Argon2, two at a time in threads of their own: each takes 64 MiB and a tenth of a second on purpose."""

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from trainyard.errors import InvalidInput, TooManyTries

AT_ONCE = 2
MOST_WAITING = 40
SHORTEST, MOST_BYTES = 10, 200
T = TypeVar("T")


def check(password: str, field: str = "password") -> None:
    """Raises InvalidInput where it is no password to begin with."""
    if len(password) < SHORTEST:
        raise InvalidInput(f"A password has at least {SHORTEST} characters.", field=field)
    if len(password.encode()) > MOST_BYTES:
        raise InvalidInput(f"A password has at most {MOST_BYTES} bytes.", field=field)


class Passwords:
    """Never on the event loop, and never so many at once that they take the memory."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, "argon2")
        self._places = threading.BoundedSemaphore(MOST_WAITING)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    async def hash(self, password: str) -> str:
        return await self._run(lambda: _argon2().hash(password))

    async def matches(self, stored: str | None, password: str) -> bool:
        """False where there is none: after the same time, so that nobody learns which names there are."""

        def verify() -> bool:
            nobody = _nobody()  # made at the first call, whoever that is for
            right = _argon2().verify(password, stored or nobody)
            return right and stored is not None

        return await self._run(verify)

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise TooManyTries("Too many people are signing in at this moment.", retry_after=5)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._places.release()


@cache
def _argon2():
    from pwdlib import PasswordHash  # heavy: only those who sign in with a password need it

    return PasswordHash.recommended()


@cache
def _nobody() -> str:
    return _argon2().hash(secrets.token_urlsafe(16))
