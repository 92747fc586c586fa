"""Which ports are free, and who holds the others."""

import contextlib
import socket
import sys

import psutil

from trainyard.errors import ServiceFailed


def is_free(port: int) -> bool:
    """Whether this machine's loopback would let us listen there."""
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed ones that linger do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """The process that listens there, in words."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
                return _describe(connection.pid)
    return "a process that this user may not see"


def _describe(pid: int | None) -> str:
    with contextlib.suppress(psutil.Error):
        if pid is not None:
            process = psutil.Process(pid)
            command = " ".join(process.cmdline()[:4])[:120]
            return f"{process.name()}, pid {pid} ({command})" if command else f"{process.name()}, pid {pid}"
    return "a process that this user may not see"


def require_free(title: str, port: int, variable: str, what: str = "") -> None:
    """Raise ServiceFailed naming who holds the port and which setting moves us elsewhere."""
    if not is_free(port):
        raise ServiceFailed(
            f"{title} needs port {port}{what}, which is taken by {holder(port)}.",
            hint=f"Stop that process, or choose another port: {variable}=… in the environment or in .env.",
            field=variable,
        )
