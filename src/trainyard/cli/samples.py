"""Sample datasets: our own pictures of cats and dogs, and those that trainers make by themselves."""

from typing import Any

from trainyard.cli.client import Client, Refused
from trainyard.cli.stages import stage

BUILT_IN = "cats-dogs"
MAKING_SECONDS = 3600.0  # a trainer's sample needs the trainer's environment first


def samples_of(client: Client) -> dict[str, str]:
    """Each sample that a trainer makes, and which trainer that is."""
    trainers: list[dict[str, Any]] = client.get("/v1/trainers")["items"]
    return {name: one["framework"] for one in trainers if one["usable"] for name in one["manifest"]["samples"]}


def load_sample(client: Client, name: str) -> dict[str, Any]:
    """Have a sample in the store, and return it as a dataset. Harmless to repeat."""
    try:
        return client.get(f"/v1/datasets/{name}")
    except Refused as refusal:
        if refusal.status != 404:
            raise
    with stage(f"Loading the sample dataset {name}") as done:
        dataset = client.post(f"/v1/datasets/samples/{name}", timeout=MAKING_SECONDS)
        done(f"Sample dataset {name} is in the store")
    return dataset
