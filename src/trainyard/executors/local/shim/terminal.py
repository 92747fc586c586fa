"""The user's terminal on one side, the trainer's own on the other: debuggers, input() and Ctrl+C just work."""

from __future__ import annotations

import fcntl
import os
import termios
import tty

from trainyard.executors.local.shim.log import JobLog
from trainyard.executors.local.shim.relay import Relay, Screen

_CHUNK = 65_536
_CTRL_C = b"\x03"
_LFLAG = 3


class Terminal(Relay):
    """Everything typed goes to the trainer's pty, everything it prints goes to the screen and into the log."""

    terminal = True

    def __init__(self, log: JobLog) -> None:
        super().__init__(log)
        self._screen = Screen()
        self._before = termios.tcgetattr(0)
        self._master, self._slave = os.openpty()
        termios.tcsetattr(self._slave, termios.TCSANOW, self._before)
        self.resize()
        os.set_blocking(self._master, False)
        self._typed = bytearray()
        self._listens = True
        self._open = True
        self._held = b""

    def stdio(self) -> tuple[int, int, int]:
        return self._slave, self._slave, self._slave

    def started(self) -> None:
        os.close(self._slave)  # now the pty ends with the last process that uses it
        tty.setraw(0, termios.TCSADRAIN)

    def waits_for(self) -> tuple[list[int], list[int]]:
        inputs = [0] if self._listens else []
        if self._open and not self._screen.is_full:
            inputs.append(self._master)
        outputs = [self._screen.fd] if self._screen.waiting else []
        if self._typed and self._open:
            outputs.append(self._master)
        return inputs, outputs

    def pump(self, ready: list[int], writable: list[int]) -> int:
        interrupts = self._take_typing() if 0 in ready else 0
        self._pass_typing()
        self._screen.flush()
        if self._master in ready:
            self._take_output()
        return interrupts

    def _take_typing(self) -> int:
        try:
            typed = os.read(0, _CHUNK)
        except OSError:
            typed = b""
        if not typed:  # the window was closed
            self._listens = False
            return 0
        self._typed += typed
        return typed.count(_CTRL_C) if self._ctrl_c_interrupts() else 0

    def _ctrl_c_interrupts(self) -> bool:
        """False while the trainer reads single keys itself, as IPython does: then Ctrl+C is a key like any other."""
        try:
            return bool(termios.tcgetattr(self._master)[_LFLAG] & termios.ISIG)
        except termios.error:
            return True

    def _pass_typing(self) -> None:
        try:
            while self._typed and self._open:
                del self._typed[: os.write(self._master, self._typed[:1024])]
        except BlockingIOError:
            pass
        except OSError:
            self._typed.clear()

    def _take_output(self) -> bool:
        try:
            output = os.read(self._master, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:  # EIO: nobody has the other end open
            output = b""
        if not output:
            self._open = False
            return False
        plain = self._as_lines(output)
        self._log.write(plain)
        self._screen.put(output if self._screen.is_terminal else plain)
        return True

    def _as_lines(self, output: bytes) -> bytes:
        """The log gets `\\n` where a terminal wants `\\r\\n`; a `\\r` at the end waits for what follows it."""
        output = self._held + output
        self._held = b"\r" if output.endswith(b"\r") else b""
        return output[: len(output) - len(self._held)].replace(b"\r\n", b"\n")

    def resize(self) -> None:
        try:
            size = fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8)
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)
        except OSError:
            pass

    def show(self, text: str) -> None:
        end = "\r\n" if self._screen.is_terminal else "\n"
        self._screen.put(f"{end}{text}{end}".encode())

    def finish(self) -> None:
        try:
            while self._open and self._take_output():
                pass
            self._screen.drain()
        finally:
            try:
                termios.tcsetattr(0, termios.TCSADRAIN, self._before)
            except termios.error:
                pass  # the window was closed: nobody is left to mind
