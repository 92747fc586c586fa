"""A trainer for tests, without our code: it trains for as long as it is told, or misbehaves as `mode` says."""

import ctypes
import hashlib
import hmac
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ENV = os.environ
JOB, TRACE, MODE = ENV["JOB_ID"], ENV["TRACE_ID"], ENV.get("PARAM_MODE", "train")
EPOCHS, EPOCH_SECONDS = int(ENV["EPOCHS"]), float(ENV.get("PARAM_EPOCH_SECONDS", "0.05"))
GATE, PATIENCE = ENV.get("PARAM_GATE", ""), float(ENV.get("PARAM_PATIENCE", "120"))
seq, stopped, numbering = 0, False, threading.Lock()


def say(text: str) -> None:
    print(f"[TRACE:{TRACE}] {text}", flush=True)


def post(kind: str, **body: object) -> dict[str, object]:
    """One call, repeated until the backend takes it: it may be away for a while."""
    global seq
    with numbering:
        seq += 1
        data = json.dumps({"attempt": int(ENV["ATTEMPT"]), "seq": seq, **body}).encode()
    url = f"{ENV['BACKEND_BASE_URL']}/v1/jobs/{JOB}/{kind}"
    headers = {"Authorization": f"Bearer {ENV['CALLBACK_TOKEN']}", "Content-Type": "application/json"}
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500:
                say(f"refused: {error.code} {error.read().decode()[:200]}")
                return {}
        except OSError:
            pass
        if time.monotonic() > end:
            say("gave up")
            return {}
        time.sleep(0.05)


def storage(method: str, key: str, body: bytes = b"") -> bytes:
    """One signed request to the store."""
    host, path = ENV["MINIO_ENDPOINT"].partition("://")[2], f"/{ENV['MINIO_BUCKET']}/{key}"
    stamp, digest = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), hashlib.sha256(body).hexdigest()
    heads = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
    names = ";".join(heads)
    asked = "\n".join([method, path, "", *(f"{name}:{value}" for name, value in heads.items()), "", names, digest])
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    secret = f"AWS4{ENV['MINIO_SECRET_KEY']}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    signature = hmac.digest(secret, text.encode(), "sha256").hex()
    who = f"Credential={ENV['MINIO_ACCESS_KEY']}/{scope}, SignedHeaders={names}, Signature={signature}"
    heads["Authorization"] = f"AWS4-HMAC-SHA256 {who}"
    given = body if method == "PUT" else None
    with urllib.request.urlopen(urllib.request.Request(f"http://{host}{path}", given, heads, method=method)) as answer:
        return answer.read()


def keep(epoch: int) -> None:
    """Checkpoints and one sample picture of this epoch; best is always the one before the last."""
    saved = json.dumps({"epoch": epoch, "epochs": EPOCHS}).encode()
    kinds = ["last"] + (["best"] if epoch == max(1, EPOCHS - 1) else [])
    kinds += [f"epoch-{epoch}"] if int(ENV.get("KEEP_EPOCHS", "0")) else []
    for kind in kinds:
        key = f"checkpoints/job-{JOB}/{kind}.pt"
        storage("PUT", key, saved)
        post("event", type="checkpoint", data={"key": key, "kind": kind, "epoch": epoch, "bytes": len(saved)})
    plain, drawn = (f"samples/job-{JOB}/epoch-{number}/0.jpg" for number in (0, epoch))
    for key in (plain, drawn):
        storage("PUT", key, b"\xff\xd8\xff a picture, " + key.encode())
    told = {"epoch": epoch, "index": 0, "key": drawn, "plain": plain, "truth": [{"label": "cat"}]}
    post("event", type="sample", data=told | {"found": [{"label": "dog", "confidence": 0.5, "box": [1, 2, 3, 4]}]})


def finish(status: str, code: int, **more: object) -> None:
    global seq
    body = {"status": status, **more}
    if MODE in ("no-done", "receipt-only"):
        seq += 1
    else:
        post("done", **body)
    if MODE != "no-done":
        say("DONE " + json.dumps({"attempt": int(ENV["ATTEMPT"]), "seq": seq, **body}))
    os._exit(code)  # workers and threads are left alone, as a crash would


def on_term(_number: int, _frame: object) -> None:
    global stopped
    stopped = True


def work() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(3600)


def beat() -> None:
    while True:
        time.sleep(float(ENV["HEARTBEAT_SECONDS"]))
        post("heartbeat", phase="training")


def misbehave() -> None:
    global EPOCH_SECONDS
    match MODE:
        case "crash":
            raise RuntimeError("the probe was told to crash")
        case "oom":
            raise MemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 7.79 GiB in all")
        case "import":
            import a_module_that_is_not_there  # noqa: F401
        case "silent":
            time.sleep(3600)
        case "nan":  # as our trainers tell it: in its metrics, in `done` and in the log
            post("heartbeat", phase="training", epoch=1, epochs=EPOCHS, metrics={"train/loss": "NaN"})
            why = {"type": "FloatingPointError", "message": "after epoch 1 train/loss is nan", "traceback": ""}
            finish("failed", 1, error=why)
        case "config":
            print("LEARNING_RATE must be smaller than 1")
            sys.exit(2)
        case "ignore-term":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        case "hold-gil":  # the heartbeat's thread can't run, while one that needs no Python computes
            threading.Thread(target=beat, daemon=True).start()
            threading.Thread(target=hashlib.pbkdf2_hmac, args=("sha256", b"", b"", 1 << 30), daemon=True).start()
            time.sleep(0.1)
            ctypes.PyDLL(None).sleep(int(EPOCH_SECONDS))
            EPOCH_SECONDS = 0.1
        case "workers":
            for _ in range(4):
                multiprocessing.Process(target=work).start()
        case "escape":
            subprocess.Popen(
                [sys.executable, "-c", "import os,time\nif os.fork(): os._exit(0)\nos.setsid()\ntime.sleep(3600)"]
            ).wait()
        case "flood":
            for _ in range(100):
                sys.stdout.write(("x" * 99 + "\n") * 10_000)
            say("the flood is over")
        case "garbage" | "garbage-crash":
            sys.stdout.buffer.write(os.urandom(1 << 16) + b"\r50%\r100%\n" + b"z" * (10 << 20) + b"\n")
            if MODE == "garbage-crash":
                sys.stdout.buffer.write(b"\0 last \xff\xfe\xed\xa0\x80 words\0\n")
                sys.stdout.flush()
                os._exit(1)
        case "announce":  # checkpoints and samples that make no sense, or are not its own
            own = f"checkpoints/job-{JOB}/last.pt"
            for key, epoch in ((own, -3), (own, "seven"), (own, True), (5, 1), ({}, 1), ("datasets/x.zip", 1)):
                post("event", type="checkpoint", data={"key": key, "epoch": epoch})
            post("event", type="checkpoint", data={})
            good = {"epoch": 1, "index": 0, "key": "datasets/cats-dogs-classes.zip", "truth": [], "found": []}
            wrong = [{"epoch": 0}, {"epoch": "1"}, {"index": -1}, {"index": "../../x"}, {"truth": "cat"}, {"plain": 5}]
            wrong += [{"found": [{"label": "cat"}]}, {"found": [{"label": "x", "confidence": "NaN"}]}]
            wrong += [{"truth": [{"label": "cat", "box": [1, 2]}]}, {"epoch": 10**30}]
            for change in ({}, *wrong):
                post("event", type="sample", data=good | change)
        case _:
            pass


def main() -> None:
    signal.signal(signal.SIGTERM, on_term)
    say(f"probe starts, mode {MODE}, pid {os.getpid()}")
    if MODE == "late":
        time.sleep(EPOCH_SECONDS)
    if MODE != "silent":
        post("event", type="running", message="running")
    while GATE and not Path(GATE).exists() and not stopped:
        time.sleep(0.01)
    misbehave()
    begin = 0
    if ENV.get("RESUME_FROM"):
        saved = json.loads(storage("GET", ENV["RESUME_FROM"]))
        begin = saved["epoch"] if saved["epoch"] < EPOCHS else 0
        say(f"resumes {ENV['RESUME_FROM']} after epoch {begin} of {EPOCHS}")
    for epoch in range(begin + 1, EPOCHS + 1):
        end = time.monotonic() + EPOCH_SECONDS
        while time.monotonic() < end and not stopped:
            if MODE == "busy-silent":
                sum(range(10_000))
            else:
                time.sleep(min(0.02, EPOCH_SECONDS))
        if stopped:
            say("stopping")
            finish("cancelled", 143)
        if MODE != "busy-silent":
            metrics = {"train/loss": 1 / epoch, "val/accuracy": 1 - 1 / (epoch + 1)}
            answer = post(
                "heartbeat", phase="training", epoch=epoch, epochs=EPOCHS, progress=epoch / EPOCHS, metrics=metrics
            )
            if answer.get("cancel"):
                say("asked to stop")
                finish("cancelled", 143)
        if MODE == "keep":
            keep(epoch)
        say(f"epoch {epoch} of {EPOCHS}")
        if epoch == int(ENV.get("PARAM_STOP_AFTER", "0")):
            break
        if epoch == int(ENV.get("PARAM_CRASH_AFTER", "0")):
            raise RuntimeError(f"the probe was told to crash after epoch {epoch}")
    finish("succeeded", 0, metrics={"val/accuracy": 1 - 1 / (EPOCHS + 1)})


if __name__ == "__main__":
    main()
