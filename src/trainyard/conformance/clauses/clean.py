"""What it leaves behind, looked at after every run: files, processes, secrets."""

from collections.abc import Callable

from trainyard.conformance.evidence import Evidence, Seen
from trainyard.conformance.verdict import Clause, Fail, Pass, Result

FILES = "remove temporary files; a trainer never touches what is not its own"


def _nothing(
    what: str, left: Callable[[Evidence], tuple[str, ...]], expected: str, do: str
) -> Callable[[Seen], Result]:
    def judge(seen: Seen) -> Result:
        for run in seen.values():
            # what a run that had to be killed left is not its own fault
            found = left(run) if run.code is not None else ()
            if found:
                more = f" and {len(found) - 1} more" if len(found) > 1 else ""
                return Fail(f"{next(iter(found))}{more} {what} (in {run.scenario})", expected, do)
        return Pass(f"looked at after {len(seen)} runs")

    return judge


_files = _nothing(
    "is left",
    lambda run: run.left_files,
    "nothing new in its own folder, all of its home and its temporary folder; nothing of this job beside them",
    "Write below TMPDIR only, into one folder, and remove it at every end: failures and cancels, too.",
)
_processes = _nothing(
    "still runs", lambda run: run.left_processes, "no process of it is left", "End and wait for what it started."
)
_secrets = _nothing(
    "stands in its output",
    lambda run: run.leaked,
    "no key and no token in what it prints",
    "Print settings by name from a list, never the whole environment or a request's headers.",
)

CLAUSES = (
    Clause("clean.files", "leaves no files behind", FILES, ("whole", "stop-training"), _files, callbacks=False),
    Clause("clean.processes", "leaves no process behind", FILES, ("whole",), _processes, callbacks=False),
    Clause("clean.secrets", "prints no secret", "no secrets in logs or errors", ("whole",), _secrets, callbacks=False),
)
