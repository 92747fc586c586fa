"""`python -m trainyard.api.openapi`: this API's description as JSON, without starting anything."""

import json
import sys

from trainyard.api.app import create_app
from trainyard.settings import load_settings


def description() -> str:
    """The same text for the same code: keys keep the order of the routes."""
    return json.dumps(create_app(load_settings()).openapi(), ensure_ascii=False, indent=1)


if __name__ == "__main__":
    sys.stdout.write(description() + "\n")
