"""What the end of a run's log says of its end: the receipt, the last lines, the last traceback."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from trainyard.contract.callbacks import Done
from trainyard.contract.keys import receipt_mark
from trainyard.executors.base import RunId
from trainyard.logs.files import last_traceback, tail

_TAIL_LINES, _TAIL_BYTES = 40, 8_192
_SEARCHED_BYTES = 512 * 1024  # a receipt with the longest traceback and 500 metrics fits


@dataclass(frozen=True, slots=True)
class LastWords:
    receipt: Done | None
    tail: str
    traceback: str


def last_words(run: RunId, log: Path) -> LastWords:
    """Reads the end of the log, never all of it. Where there is none, nothing was said."""
    end = tail(log, lines=10**9, max_bytes=_SEARCHED_BYTES)
    return LastWords(find_receipt(run, end), tail(log, _TAIL_LINES, _TAIL_BYTES), last_traceback(end))


def find_receipt(run: RunId, text: str) -> Done | None:
    """The last DONE line of this very attempt. What isn't a receipt is passed over: anybody can print anything."""
    mark = receipt_mark(run.trace_id)
    at = text.rfind(mark)
    while at >= 0:
        line = text[at + len(mark) :].partition("\n")[0]
        try:
            receipt = Done.model_validate_json(line)
            if receipt.attempt == run.attempt:
                return receipt
        except ValidationError:
            pass
        at = text.rfind(mark, 0, at)
    return None
