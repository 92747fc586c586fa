"""`python -I -S main.py RUN_FOLDER [--tty]`: run what plan.json says, once, and write exit.json when all of it is gone.

The trainer's variables come through the environment and are never written anywhere. Ends with 75 where this attempt
was started before, with 74 where the disk is full, else as the trainer did.
"""

import os
import sys

if __name__ == "__main__":
    # this Python knows nothing of us; behind the standard library, so that nothing beside us can hide it
    sys.path.append(os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 4)))
    from trainyard.executors.local.shim.run import main

    status = main(sys.argv[1], "--tty" in sys.argv[2:])
    os._exit(status)  # the interpreter's own tidying up would only delay the news
