"""The supervisor as a process of its own: what `trainyard up --detach` starts."""

import logging
import sys

from trainyard.errors import TrainyardError
from trainyard.settings import load_settings
from trainyard.stack.keeper import Report
from trainyard.stack.supervisor import Supervisor, only_supervisor

log = logging.getLogger("trainyard.stack")


def _write(report: Report) -> None:
    log.log(logging.INFO if report.good else logging.WARNING, "%s: %s %s", report.service, report.text, report.hint)


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = load_settings()
    with only_supervisor(settings.data_dir) as ours:
        if not ours:
            log.info("another supervisor is at work here")
            return 0
        try:
            Supervisor(settings, _write, rebuild="--build" in sys.argv).run()
        except TrainyardError as error:
            log.error("%s", error)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
