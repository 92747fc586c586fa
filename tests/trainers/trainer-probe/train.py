"""A trainer for tests, without our code: it trains for as long as it is told, or misbehaves as `mode` says."""

import ctypes
import hashlib
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
        case "import":
            import a_module_that_is_not_there  # noqa: F401
        case "silent":
            time.sleep(3600)
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
    for epoch in range(1, EPOCHS + 1):
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
        say(f"epoch {epoch} of {EPOCHS}")
    finish("succeeded", 0, metrics={"val/accuracy": 1 - 1 / (EPOCHS + 1)})


if __name__ == "__main__":
    main()
