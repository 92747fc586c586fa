"""Show pictures to a checkpoint: once, or with PREDICT_SERVE=1 a line of stdin at a time, the model loaded once."""

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import s3
from settings import BadConfiguration, number, text
from train import predict, read_row


def look(bucket, model, keys, confidence, folder):
    began, predictions = time.perf_counter(), []
    for key in keys:
        bucket.fetch(key, folder / "picture")
        likely = predict(model, read_row((folder / "picture").read_bytes(), model["image_size"]))
        ranked = sorted(zip(likely, model["classes"], strict=True), reverse=True)[:5]
        best, label = ranked[0]
        if best >= confidence:
            scores = {name: round(score, 4) for score, name in ranked}
            predictions.append({"input": key, "label": label, "confidence": round(best, 4), "scores": scores})
    return {"predictions": predictions, "count": len(predictions), "seconds": round(time.perf_counter() - began, 4)}


def serve(bucket, model, confidence, folder):
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = {}
        try:
            request = json.loads(line)
            asked = request.get("confidence")
            answer = look(bucket, model, request["input"], confidence if asked is None else asked, folder)
        except Exception as error:  # noqa: BLE001 - one bad question; the model is still good
            answer = {"error": {"type": type(error).__name__, "message": str(error)}}
        print(json.dumps({"id": request.get("id"), **answer}), flush=True)


def main(folder):
    serving = os.getenv("PREDICT_SERVE") == "1"
    checkpoint = text("CHECKPOINT", "the key of a checkpoint")
    inputs = "" if serving else text("INPUT", "the keys of pictures, with commas between")
    confidence, bucket = number("CONFIDENCE", 0, 0, 1), s3.from_environment()
    bucket.fetch(checkpoint, folder / "checkpoint.pt")
    model = json.loads((folder / "checkpoint.pt").read_bytes())
    if serving:
        serve(bucket, model, confidence, folder)
    else:
        keys = [key.strip() for key in inputs.split(",") if key.strip()]
        print(json.dumps(look(bucket, model, keys, confidence, folder)))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
    except (BadConfiguration, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(2 if isinstance(error, BadConfiguration) else 1)
