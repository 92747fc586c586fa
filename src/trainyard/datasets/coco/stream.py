"""Reads a json of hundreds of MiB out of a zip, one value at a time.

Python's parser makes up to 25 bytes of one, so that a file of half a GiB could take twelve. Here a value of at most
MAX_VALUE is parsed (200 MiB at worst), handed out and forgotten; of the text only the part around it is in memory.
"""

import io
import json
import re
from collections.abc import Generator
from typing import Any, NoReturn

from trainyard.datasets.archive import BROKEN, Archive, refuse

CHUNK = 1024 * 1024
MAX_VALUE = 8 * 1024 * 1024  # one picture, one annotation with its outline, or all of `info`
MAYBE_CUT = 16  # a word, a number or an escape that the end of a chunk cut is no longer than this
MAYBE_MORE = 2  # a number that seems to end before a last "." or "e-" may go on
_SPACE = re.compile(r"[ \t\n\r]*")


class _NoNumberError(Exception):
    """NaN or Infinity, which Python's parser would take."""


def _no_number(word: str) -> NoReturn:
    raise _NoNumberError(word)


class JsonObject:
    """A json file that holds one object. Take its members in turn, and each one's value with `items` or `value`."""

    def __init__(self, archive: Archive, name: str) -> None:
        self._name = name
        self._file = io.TextIOWrapper(archive.zip.open(archive.files[name]), encoding="utf-8-sig", newline="")
        self._decoder = json.JSONDecoder(parse_constant=_no_number)
        self._text, self._at, self._ended = "", 0, False

    def members(self) -> Generator[str]:
        """The names. The caller takes each one's value before it asks for the next."""
        seen: set[str] = set()
        if self._next("{") and self._peek() == "}":
            self._at += 1
        else:
            while True:
                key = self.value("a name")
                if not isinstance(key, str) or key in seen:
                    shown = repr(key)[:60]
                    raise refuse(f"{self._name} has {shown} twice, or as a name.", "Export it again.")
                seen.add(key)
                self._next(":")
                yield key
                if self._next(",}") == "}":
                    break
        if self._peek():
            raise refuse(f"{self._name} goes on after its end.", "It was written to twice: export it again.")

    def items(self, key: str) -> Generator[Any]:
        """The entries of a list, each parsed when it is asked for."""
        if self._peek() != "[":
            raise refuse(f"{self._name}: {key} is not a list.", "Export it again as COCO (detection).")
        self._at += 1
        if self._peek() == "]":
            self._at += 1
            return
        number = 0
        while True:
            yield self.value(f"{key}[{number}]")
            number += 1
            if self._next(",]") == "]":
                return

    def value(self, what: str) -> Any:
        self._peek()
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except _NoNumberError as error:
                raise refuse(f"{self._name}: {what} holds {error}, which is no number.", "Export it again.") from None
            except RecursionError:
                raise refuse(f"{self._name}: {what} is nested too deeply.", "Export it again.") from None
            except json.JSONDecodeError as error:
                cut = error.pos >= len(self._text) - MAYBE_CUT or error.msg.startswith("Unterminated")
                if not cut or not self._more(what):
                    self._not_json(what, error.msg)
                continue
            except ValueError as error:  # a number of thousands of digits
                self._not_json(what, str(error))
            if len(self._text) - end <= MAYBE_MORE and self._more(what):
                continue
            self._at = end
            return found

    def _not_json(self, what: str, reason: str) -> NoReturn:
        raise refuse(f"{self._name} is not JSON that can be read: at {what}, {reason}.", "Export it again.")

    def _next(self, wanted: str) -> str:
        found = self._peek()
        if not found or found not in wanted:
            expected = " or ".join(wanted)
            if not found:
                raise refuse(f"{self._name} ends early: {expected} is missing.", "It was cut off: export it again.")
            raise refuse(f"{self._name} is not JSON that can be read: {found!r} where {expected} belongs.")
        self._at += 1
        return found

    def _peek(self) -> str:
        """The next character that is not space, "" at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more("space"):
                return ""

    def _more(self, what: str) -> bool:
        """Read on. False at the end of the file."""
        if self._ended:
            return False
        if len(self._text) - self._at > MAX_VALUE:
            raise refuse(f"{self._name}: {what} takes more than {MAX_VALUE:,} characters.", "Leave it out.")
        try:
            chunk = self._file.read(CHUNK)
        except UnicodeDecodeError as error:
            raise refuse(f"{self._name} is not text in UTF-8 ({error.reason}).", "Save it as UTF-8.") from error
        except (*BROKEN, RuntimeError) as error:
            raise refuse(f"{self._name} can't be unpacked: {error}.", "Make the zip again.") from error
        if not chunk:
            self._ended = True
            return False
        self._text, self._at = self._text[self._at :] + chunk, 0
        return True
