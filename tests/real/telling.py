"""A quick trainer for tests that tells what it finds around it; a test edits its own copy, as a user would."""

import shutil
from pathlib import Path

from tests.real.backend import TESTS

SURROUNDINGS = TESTS.parent / "trainer-template" / "surroundings.py"
TRAIN = '''"""As many epochs as asked for; losses that follow from the seed."""

import json
import os
import random
import time
import urllib.request

import surroundings

calls = 0


def call(kind, **body):
    global calls
    calls += 1
    body = {"attempt": int(os.environ["ATTEMPT"]), "seq": calls, **body}
    url = f"{os.environ['BACKEND_BASE_URL']}/v1/jobs/{os.environ['JOB_ID']}/{kind}"
    head = {"Authorization": f"Bearer {os.environ['CALLBACK_TOKEN']}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), head)) as answer:
        return body, json.load(answer)


call("event", type="running")
call("event", type="environment", data=surroundings.collect())
status, epochs, rate = "succeeded", int(os.environ["EPOCHS"]), float(os.environ["LEARNING_RATE"])
for epoch in range(1, epochs + 1):
    loss = random.Random(f"{os.environ['SEED']} {epoch}").random() * (1 + rate)
    metrics = {"val/loss": loss, "images/s": time.time()}
    _, answer = call("heartbeat", phase="training", epoch=epoch, epochs=epochs, metrics=metrics)
    call("event", type="validation", data={"epoch": epoch})
    if answer["cancel"]:
        status = "cancelled"
        break
done, _ = call("done", status=status)
print(f"[TRACE:{os.environ['TRACE_ID']}] DONE {json.dumps(done)}", flush=True)
raise SystemExit(143 if status == "cancelled" else 0)
'''
MANIFEST = """framework = "{name}"
title = "Telling"
description = "Tells what it finds around it."
license = "Apache-2.0"

[tasks.classify]
models = ["none"]
default_model = "none"
best_metric = "val/loss"
"""
PARAMETERS = {"epochs": ("int", "2"), "seed": ("int", "1"), "learning_rate": ("float", "0.1")}


def telling_trainer(trainers: Path, name: str) -> Path:
    """The folder of a new one. It needs no packages, so it runs wherever there is Python."""
    folder = trainers / f"trainer-{name}"
    folder.mkdir(parents=True)
    shutil.copy(SURROUNDINGS, folder)
    (folder / "train.py").write_text(TRAIN)
    rows = [
        f'[params.{one}]\ntype = "{kind}"\ndefault = {default}\ncore = true\nhelp = "."\n'
        for one, (kind, default) in PARAMETERS.items()
    ]
    (folder / "trainer.toml").write_text("\n".join([MANIFEST.format(name=name), *rows]))
    return folder


def change(file: Path, old: str, new: str) -> None:
    """An edit."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file.name} holds {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new))
