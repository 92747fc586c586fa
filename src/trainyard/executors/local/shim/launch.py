"""Starting the trainer: a cold start by fork and exec. A warm start forks too and calls `become_trainer` itself."""

from __future__ import annotations

import os
import signal

from trainyard.executors.local.shim.kernel import die_with_parent


class NotStarted(Exception):
    """The program could not be started: it is missing, or may not be run."""


def trainer_environment(variables: dict[str, str], program: str, tmp: str) -> dict[str, str]:
    """What the trainer sees: our environment without the platform's settings, and its own Python first on PATH."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRAINYARD_")}
    env.pop("VIRTUAL_ENV", None)
    env["PATH"] = os.path.dirname(program) + os.pathsep + env.get("PATH", os.defpath)
    env["TMPDIR"] = tmp
    return env | variables | _past_proxies(env)


def _past_proxies(env: dict[str, str]) -> dict[str, str]:
    """A proxy is for the internet: the platform's own addresses are on this machine."""
    proxied = any(name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in env)
    given = env.get("no_proxy") or env.get("NO_PROXY") or ""
    if not proxied or given.strip() == "*":
        return {}
    both = ",".join(filter(None, (given, "127.0.0.1,localhost,::1")))
    return {"no_proxy": both, "NO_PROXY": both}  # libraries differ in which one they look at


def start_child(argv: list[str], cwd: str, env: dict[str, str], stdio: tuple[int, int, int], terminal: bool) -> int:
    """Start the program and return its pid. Raises NotStarted. Fork and exec by hand: `subprocess` costs 11 ms."""
    parent = os.getpid()
    hears, tells = os.pipe()  # closed by a successful exec
    pid = os.fork()
    if pid == 0:
        try:
            become_trainer(parent, cwd, stdio, terminal)
            os.execvpe(argv[0], argv, env)  # noqa: S606 - no shell is wanted
        except BaseException as error:  # noqa: BLE001 - whatever it was, this process must end here
            os.write(tells, str(error).encode()[:4096])
        finally:
            os._exit(127)
    os.close(tells)
    with os.fdopen(hears, "rb") as pipe:
        problem = pipe.read()
    if problem:
        os.waitpid(pid, 0)
        raise NotStarted(problem.decode(errors="replace"))
    return pid


def become_trainer(parent: int, cwd: str, stdio: tuple[int, int, int], terminal: bool) -> None:
    """In a forked child: a session of its own, its own input and output, default signals, and dead if we die."""
    os.setsid()
    die_with_parent(parent)
    if terminal:
        import fcntl  # only where there is a terminal
        import termios

        fcntl.ioctl(stdio[0], termios.TIOCSCTTY, 0)
    for target, source in enumerate(stdio):
        os.dup2(source, target)
    signal.set_wakeup_fd(-1)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGCHLD", "SIGWINCH", "SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.chdir(cwd)
