"""`python -m trainyard.api`: the backend as a process."""

import sys

import uvicorn

from trainyard.api.app import create_app
from trainyard.api.logs import configure
from trainyard.errors import InvalidSetting, TrainyardError
from trainyard.settings import Settings, load_settings

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def check_exposure(settings: Settings) -> None:
    """Submitting a job is running code: beyond this machine only with a token that somebody chose to set."""
    if settings.host in LOOPBACK:
        return
    if settings.token is None or len(settings.token.get_secret_value()) < 16:
        raise InvalidSetting(
            f"The backend will not listen on {settings.host} without a token of at least 16 characters.",
            hint="Set TRAINYARD_TOKEN, or leave TRAINYARD_HOST at 127.0.0.1.",
            field="TRAINYARD_TOKEN",
        )


def main() -> int:
    try:
        settings = load_settings()
        configure(settings.log_level)
        check_exposure(settings)
        uvicorn.run(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,  # open event streams would hold a shutdown for ever
        )
    except TrainyardError as error:
        print(f"trainyard backend: {error}", file=sys.stderr)  # noqa: T201 - its last words go to the terminal
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
