"""The options that several verbs share, written the same way for all: what to train, and how to show it."""

from typing import Annotated

import typer

from trainyard.contract.vocabulary import Task

Framework = Annotated[
    str | None, typer.Option("--framework", "-f", help="Trainer: the x of a folder trainer-x. Default: ultralytics.")
]
Model = Annotated[str | None, typer.Option("--model", "-m", help="A model of that trainer. Default: the trainer's.")]
Epochs = Annotated[int | None, typer.Option("--epochs", "-e", help="How often to go through the data.")]
Dataset = Annotated[
    str | None, typer.Option("--dataset", "-d", help="A dataset's id, or a sample's. Default: the trainer's sample.")
]
Assignments = Annotated[
    list[str] | None, typer.Option("--set", "-s", metavar="NAME=VALUE", help="A parameter; may be given repeatedly.")
]
TaskName = Annotated[Task | None, typer.Option("--task", help="Default: what fits the dataset.")]
Name = Annotated[str, typer.Option("--name", help="What to call the job in lists.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be given repeatedly.")]
Gpus = Annotated[int | None, typer.Option("--gpus", min=0, help="How many GPUs. Default: one, if there is one.")]
Cpu = Annotated[str | None, typer.Option("--cpu", help="CPUs on a cluster: 2, 500m. Default: the trainer's.")]
Memory = Annotated[
    str | None, typer.Option("--memory", help="Memory on a cluster, also its limit: 4Gi. Default: the trainer's.")
]
Replicas = Annotated[int | None, typer.Option("--replicas", min=1, help="Pods that train together. Default: one.")]
Queue = Annotated[str | None, typer.Option("--queue", help="Kueue's LocalQueue. Default: a setting.")]
KeepEpochs = Annotated[
    int, typer.Option("--keep-epochs", min=0, help="Keep a checkpoint of each of the newest so many epochs.")
]
Tier = Annotated[str | None, typer.Option("--on", help="Tier: local, k8s or image.")]
Image = Annotated[str | None, typer.Option("--image", help="Image to run in, on k8s and image. Default: a setting.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would travel and the manifests; send nothing.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Stay and show it until it has ended.")]
AsJson = Annotated[bool, typer.Option("--json", help="The job as one JSON document.")]
