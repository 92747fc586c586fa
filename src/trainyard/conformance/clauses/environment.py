"""Its settings: from variables only, each named when it is missing or wrong."""

from collections.abc import Callable

from trainyard.conformance.evidence import Seen
from trainyard.conformance.services import MISSING
from trainyard.conformance.verdict import Clause, Fail, Pass, Result
from trainyard.contract.keys import dataset_key

NAMES_IT = "0 success, 2 bad configuration (one line naming the variable), anything else a failure."


def _alone(seen: Seen) -> Result:
    run = seen["dataset-missing"]
    if run.asked_for(dataset_key(MISSING)) or run.code == 0:
        return Pass("it came as far as its dataset, strangers around it")
    return Fail(
        f"with three unknown variables, and others' settings in its home, it never asked for its dataset; {run.end}",
        "it reads the contract's variables, and nothing else changes what it does",
        "Leave unknown variables alone; read no .env, .aws or other file of the home folder for what a variable says.",
    )


def _names(scenario: str, variable: str) -> Callable[[Seen], Result]:
    def judge(seen: Seen) -> Result:
        run = seen[scenario]
        named = variable in run.output or variable in run.words
        if run.code == 2 and named:
            return Pass(f"it named {variable} and exited with 2")
        return Fail(
            f"exit code {run.code}, {variable} was {'' if named else 'not '}named",
            f"exit code 2, and a line that names {variable}",
            f"Check {variable} before anything else, print what is wrong with it, and exit with 2.",
        )

    return judge


CLAUSES = (
    Clause(
        "environment.alone",
        "needs its variables only, and others don't disturb it",
        "In: environment variables only.",
        ("dataset-missing",),
        _alone,
        callbacks=False,
    ),
    Clause(
        "environment.dataset-id",
        "names a missing DATASET_ID and exits with 2",
        NAMES_IT,
        ("no-dataset-id",),
        _names("no-dataset-id", "DATASET_ID"),
        callbacks=False,
    ),
    Clause(
        "environment.storage-key",
        "names a missing MINIO_SECRET_KEY and exits with 2",
        NAMES_IT,
        ("no-storage-key",),
        _names("no-storage-key", "MINIO_SECRET_KEY"),
        callbacks=False,
    ),
    Clause(
        "environment.bad-number",
        "names EPOCHS when it is no number, and exits with 2",
        NAMES_IT,
        ("bad-number",),
        _names("bad-number", "EPOCHS"),
        callbacks=False,
    ),
)
