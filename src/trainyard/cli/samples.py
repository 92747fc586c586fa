"""Sample datasets: our own pictures of cats and dogs, and those that trainers make by themselves."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from trainyard.cli.client import Client
from trainyard.cli.stages import stage
from trainyard.errors import NotFound, TrainyardError
from trainyard.settings import Settings

BUILT_IN = {"detect": "cats-dogs", "classify": "cats-dogs-classes"}  # the same pictures, with boxes or in folders
MAKING_SECONDS = 3600.0  # a trainer's sample needs the trainer's environment first


def samples_of(client: Client) -> dict[str, str | None]:
    """Each sample, and the trainer that makes it; None: drawn by the backend."""
    return {sample["id"]: sample["trainer"] for sample in client.get("/v1/samples")["items"]}


def load_sample(settings: Settings, client: Client, name: str) -> dict[str, Any]:
    """Have a sample in the store, and return it as a dataset. Harmless to repeat."""
    known = samples_of(client)
    if name not in known:
        raise NotFound(f"There is no sample {name!r}.", hint=f"There are: {', '.join(known)}.")
    if any(dataset["id"] == name for dataset in client.get("/v1/datasets")["items"]):
        return client.get(f"/v1/datasets/{name}")
    with stage(f"Loading the sample dataset {name}") as told:
        if known[name] is not None:
            _tell_progress(settings, name, told.update)
        dataset = client.post(f"/v1/samples/{name}", timeout=MAKING_SECONDS)
        told.done(f"Sample dataset {name} is in the store")
    return dataset


def _tell_progress(settings: Settings, sample: str, say: Callable[[str], None]) -> None:
    """Until this process ends: the environment that a sample needs takes minutes to make, and says how far it is."""

    def listen() -> None:
        with suppress(TrainyardError), Client(settings) as client:
            for event in client.events(lambda _: None, project_id="default"):
                if event["type"] == "preparing" and event["data"].get("dataset_id") == sample:
                    say(event["message"])

    threading.Thread(target=listen, daemon=True).start()
