"""Predict with a checkpoint: CHECKPOINT and INPUT (storage keys, with commas between) → one JSON object, last line."""

import json
import os
import sys
import tempfile
from pathlib import Path

import joblib
import utils
from data import read_picture


def main(folder):
    utils.check_required_env(CHECKPOINT="the key of a checkpoint", INPUT="the keys of pictures, with commas between")
    confidence = utils.get_env_float("CONFIDENCE", 0.0, 0, 1)
    saved = joblib.load(utils.download_checkpoint(os.environ["CHECKPOINT"].strip(), folder / "checkpoint"))
    predictions = []
    for key in filter(None, map(str.strip, os.environ["INPUT"].split(","))):
        row = read_picture(utils.download_checkpoint(key, folder / "picture"), saved["image_size"])
        likely = saved["model"].predict_proba([row])[0]
        best = int(likely.argmax())
        if likely[best] >= confidence:
            label = saved["classes"][best]
            predictions.append({"input": key, "label": label, "confidence": round(float(likely[best]), 4)})
    print(json.dumps({"predictions": predictions, "count": len(predictions)}))


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
    except utils.BadConfiguration as error:
        print(error, file=sys.stderr)
        sys.exit(2)
