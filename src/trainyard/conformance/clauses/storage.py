"""What it leaves in the storage: checkpoints, announced when they are complete, samples; resets and a full disk."""

import re
import statistics
from collections.abc import Mapping
from typing import Any

from trainyard.conformance.evidence import Evidence, Seen
from trainyard.conformance.verdict import Clause, Fail, NotApplicable, NotJudged, Pass, Result

KEYS = "checkpoints/job-{id}/best.pt, checkpoints/job-{id}/last.pt, with KEEP_EPOCHS also epoch-{n}.pt"
ANNOUNCED = "A checkpoint is announced only after its upload is complete."
SAMPLES = "samples/job-{id}/epoch-{n}/{k}.jpg"
SAMPLE_LIMIT = 200_000
LEARNT = ("loss", "acc", "map", "f1", "precision", "recall", "iou", "auc", "error")  # in names of what tells learning
Metrics = Mapping[str, Any]  # NaN and infinities are texts


def _finished(run: Evidence) -> NotJudged | None:
    return None if run.code == 0 else NotJudged(f"the run did not succeed: {run.end}")


def _best(seen: Seen) -> Result:
    run = seen["whole"]
    if not (size := run.stored.get(run.key("best.pt"))):
        return _finished(run) or Fail("there is no best.pt", f"an object {run.key('best.pt')}", "Upload it there.")
    told = (run.done or {}).get("checkpoint")
    if told in (run.key("best.pt"), run.key("last.pt")):
        return Pass(f"{size:,} bytes, and done names {str(told).rpartition('/')[2]}")
    return _finished(run) or Fail(
        f"done names the checkpoint {told}", f"{run.key('best.pt')}", "Put the key of best.pt into done's `checkpoint`."
    )


def _last(seen: Seen) -> Result:
    run = seen["whole"]
    if size := run.stored.get(run.key("last.pt")):
        return Pass(f"{size:,} bytes")
    return _finished(run) or Fail(
        "there is no last.pt", f"an object {run.key('last.pt')}", "Upload one each epoch: a run is resumed from it."
    )


def _announced(seen: Seen) -> Result:
    run = seen["whole"]
    early = [one for one in run.announced if one.key.endswith(("best.pt", "last.pt")) and not one.stored]
    stored = [key for key in run.stored if key.startswith(run.key(""))]
    told = {one.key for one in run.announced}
    unsaid = [key for key in stored if key not in told]
    if early:
        return Fail(
            f"when {early[0].key} was announced, the storage did not have it",
            "the event comes after the upload is complete",
            "Send the event `checkpoint` once the storage has confirmed the upload.",
        )
    if unsaid:
        return _finished(run) or Fail(
            f"{unsaid[0]} was never announced",
            "an event `checkpoint` for each",
            "Send it with data.key after the upload.",
        )
    return Pass(f"{len(run.announced)} events, each for a complete object") if told else NotJudged("it left none")


def _kept(seen: Seen) -> Result:
    run = seen["whole"]
    numbers = [re.fullmatch(r"epoch-(\d+)\.pt", key.removeprefix(run.key(""))) for key in run.stored]
    kept = sorted(int(number[1]) for number in numbers if number)
    if not kept:
        return NotApplicable("it keeps no epoch-{n}.pt: going on from any epoch is not offered")
    newest = list(range(max(1, run.epochs - 1), run.epochs + 1))
    if kept == newest:
        return Pass(f"of {run.epochs} epochs those of {' and '.join(map(str, kept))}")
    return _finished(run) or Fail(
        f"with KEEP_EPOCHS=2 the epochs {kept} are there",
        f"the newest two: {newest}",
        "After an upload of epoch-{n}.pt delete those beyond the newest KEEP_EPOCHS.",
    )


def _resumed(seen: Seen) -> Result:
    run, before = seen["resume"], seen["interrupt"]
    if run.unable:
        return NotJudged(run.unable)
    do = "Load the object that RESUME_FROM names before the first epoch, and go on from it."
    if not run.asked_for(before.key("last.pt")):
        return Fail("it never read the object that RESUME_FROM names", "it goes on from it", do)
    parent = {call.body["epoch"]: call.body["metrics"] for call in before.epoch_calls()}
    if 1 not in parent:
        return NotJudged("no epoch told its metrics")
    first = next((call.body for call in run.epoch_calls()), None)
    if first is None:
        return Fail(f"it read the checkpoint and told no epoch; {run.end}", "it goes on from it", do)
    saved = _saved_epoch(before)
    epoch, newest = first["epoch"], max(*parent, saved)
    if epoch > 1:  # a run that did not look into the checkpoint cannot know this number
        if saved <= epoch <= newest + 1:
            return Pass(f"last.pt was of epoch {saved}, it went on with epoch {epoch}")
        return Fail(f"last.pt was of epoch {saved}, it went on with epoch {epoch}", f"epoch {saved + 1}", do)
    way = _way_gone(parent[1], parent.get(saved, parent[max(parent)]), first["metrics"])
    if way is None:
        return NotJudged(f"it began with epoch 1, and no loss or score moved in the {saved} epochs before")
    if way > 0.5:
        return Pass(f"a fresh schedule, whose first epoch is where epoch {saved} was")
    return Fail("its first epoch is like that of a fresh run", f"it goes on from what {saved} epochs have learnt", do)


def _saved_epoch(run: Evidence) -> int:
    """Of which epoch its last.pt is, as it was announced."""
    told = [
        call.body["data"] for call in run.events("checkpoint") if call.body["data"].get("key") == run.key("last.pt")
    ]
    return max((int(data.get("epoch") or 0) for data in told), default=0)


def _way_gone(fresh: Metrics, saved: Metrics, now: Metrics) -> float | None:
    """How far along from a first epoch (0) to where the checkpoint was (1): the median of all losses and scores that
    moved. None: none did. Rates, speeds and times say nothing about what was learnt."""
    ways: list[float] = []
    for name in fresh.keys() & saved.keys() & now.keys():
        three = fresh[name], saved[name], now[name]
        if not any(word in name.lower() for word in LEARNT) or not all(isinstance(one, int | float) for one in three):
            continue
        moved = saved[name] - fresh[name]
        if abs(moved) > 0.01 * max(abs(fresh[name]), abs(saved[name])):
            ways.append((now[name] - fresh[name]) / moved)
    return statistics.median(ways) if ways else None


def _reset(seen: Seen) -> Result:
    run = seen["storage-reset"]
    if not run.cut:
        return NotJudged(f"no upload came that could be reset: {run.end}")
    usual = seen["whole"]
    lacking = [name for name in ("best.pt", "last.pt") if usual.key(name) in usual.stored]
    lacking = [name for name in lacking if not run.stored.get(run.key(name))]
    if not lacking and run.status == "succeeded":  # its code is another clause's: it got a signal after `done`
        return Pass(f"{run.cut} uploads were reset in the middle and came again")
    return Fail(
        f"after {run.cut} resets {' and '.join(lacking) or 'no checkpoint'} is missing; {run.end}",
        "an upload that breaks is tried again, to its end",
        "Try an upload again with growing pauses; never take a broken one for done.",
    )


def _disk_full(seen: Seen) -> Result:
    run = seen["disk-full"]
    if run.unable:
        return NotApplicable(run.unable)
    if run.status == "succeeded" or (run.code == 0 and run.done is None):
        return NotApplicable("it needed no more than 1 MiB of its temporary folder")
    words = ("disk", "space", "enospc")
    said = str(run.fault.get("message") or "") if run.done else run.output
    if run.code is not None and any(word in said.lower() for word in words):
        return Pass(f"it failed: {' '.join(said.split())[:90]}")
    return Fail(
        f"{run.end}; it said: {' '.join(said.split())[:120] or 'nothing'}",
        "it fails and says that the disk is full",
        "Catch ENOSPC and name the disk in done's error.",
    )


def _samples(seen: Seen) -> Result:
    run = seen["whole"]
    keys = {key: re.fullmatch(r"epoch-(\d+)/(\d+)\.jpg", key.removeprefix(run.sample_prefix)) for key in run.samples}
    told = [str(call.body["data"].get("key")) for call in run.events("sample")]
    if not keys and not told:
        return NotApplicable("it sends no sample pictures")
    wrong = [f"{key} is no samples/job-{{id}}/epoch-{{n}}/{{k}}.jpg" for key, found in keys.items() if not found]
    wrong += [f"{key} was told, and is not in the storage" for key in told if key not in keys]
    wrong += [f"{key} is no JPEG" for key, head in run.samples.items() if head != b"\xff\xd8\xff"]
    wrong += [f"{key} has {run.stored[key]:,} bytes" for key in keys if run.stored[key] > SAMPLE_LIMIT]
    pictures: dict[int, set[int]] = {}
    for found in keys.values():
        if found and int(found[1]):
            pictures.setdefault(int(found[1]), set()).add(int(found[2]))
    if len({frozenset(shown) for shown in pictures.values()}) > 1:
        wrong.append(f"other pictures in other epochs: {pictures}")
    if not wrong and told:
        return Pass(f"{len(told)} events, {len(keys)} pictures")
    return Fail(
        wrong[0] if wrong else "pictures in the storage, but no event `sample` told of them",
        "the same validation pictures each epoch, JPEGs below 200 kB, each told by an event `sample` with its key",
        "Choose SAMPLE_COUNT pictures once; after each epoch upload them, then send the events.",
    )


CLAUSES = (
    Clause("storage.best", "leaves best.pt at its key", KEYS, ("whole",), _best),
    Clause("storage.last", "leaves last.pt at its key", KEYS, ("whole",), _last),
    Clause("storage.announced", "announces what is complete", ANNOUNCED, ("whole",), _announced),
    Clause("storage.keep", "keeps the newest epochs", KEYS, ("whole",), _kept),
    Clause(
        "storage.resume",
        "goes on from RESUME_FROM",
        "RESUME_FROM (a checkpoint key)",
        ("interrupt", "resume"),
        _resumed,
    ),
    Clause("storage.reset", "repeats a broken upload", ANNOUNCED, ("whole", "storage-reset"), _reset),
    Clause("storage.disk-full", "says that the disk is full", "anything else a failure", ("disk-full",), _disk_full),
    Clause("storage.samples", "shows the same pictures", SAMPLES, ("whole",), _samples),
)
