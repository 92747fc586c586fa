"""Threads apart from those that the rest of the API runs in, for work that anybody's files can make slow."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from trainyard.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """So many threads, and so many calls that run or wait."""

    def __init__(self, name: str, threads: int, places: int) -> None:
        self._threads = ThreadPoolExecutor(threads, name)
        self._places = threading.Semaphore(places)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises what the function does, and Unavailable where too many wait or the backend ends."""
        if not self._places.acquire(blocking=False):
            raise Unavailable("Too many pictures are waited for already.", hint="Try again in some seconds.")
        try:
            work = self._threads.submit(function, *args, **kwargs)
        except BaseException:
            self._places.release()
            raise
        work.add_done_callback(lambda _work: self._places.release())  # also where nobody waits for it any more
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            raise Unavailable("The backend is shutting down.", hint="Try again in a moment.") from None

    def close(self) -> None:
        """Blocks until what is under way has ended; what waits is dropped. Idempotent."""
        self._threads.shutdown(cancel_futures=True)
