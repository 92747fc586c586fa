"""Finding the job somebody means: its id, a beginning or an end of it, or `last`."""

import re
from typing import Any

from trainyard.cli.client import Client
from trainyard.contract.keys import JOB_ID_PATTERN
from trainyard.errors import InvalidInput, NotFound


def find_job(client: Client, text: str) -> dict[str, Any]:
    """The one job meant. Raises NotFound, or InvalidInput where several could be."""
    if re.fullmatch(JOB_ID_PATTERN, text):
        return client.get(f"/v1/jobs/{text}")
    if text == "last":
        newest = client.get("/v1/jobs", limit=1)["items"]
        if not newest:
            raise NotFound("There are no jobs yet.", hint="`trainyard demo` makes the first one.")
        return newest[0]
    page = client.get("/v1/jobs", search=text, limit=200)["items"]
    meant = [job for job in page if job["id"].startswith(text) or job["id"].endswith(text)]
    if not meant:
        raise NotFound(f"No job's id begins or ends with {text!r}.", hint="`trainyard jobs` lists them.")
    if len(meant) > 1:
        shown = ", ".join(job["id"] for job in meant[:5]) + (" …" if len(meant) > 5 else "")
        raise InvalidInput(f"{text!r} may mean {len(meant)} jobs: {shown}.", hint="Give more of the id.", field="JOB")
    return meant[0]
