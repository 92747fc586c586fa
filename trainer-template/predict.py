"""Predict with a checkpoint: CHECKPOINT and INPUT (one or several storage keys, with commas) → one JSON line."""

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import utils
from PIL import Image
from train import predict


def main(folder):
    utils.check_required_env(CHECKPOINT="the key of a checkpoint", INPUT="the keys of pictures, with commas between")
    confidence = utils.get_env_float("CONFIDENCE", 0.0, 0, 1)
    with np.load(utils.download_checkpoint(os.environ["CHECKPOINT"].strip(), folder / "checkpoint")) as saved:
        model = dict(saved)
    size, predictions = int(len(model["weights"]) ** 0.5), []
    for key in filter(None, map(str.strip, os.environ["INPUT"].split(","))):
        picture = Image.open(utils.download_checkpoint(key, folder / "picture")).convert("L").resize((size, size))
        likely = predict(model, np.asarray(picture, float).reshape(1, -1) / 255)[0]
        best = int(likely.argmax())
        if likely[best] >= confidence:
            label = str(model["classes"][best])
            predictions.append({"input": key, "label": label, "confidence": round(float(likely[best]), 4)})
    print(json.dumps({"predictions": predictions, "count": len(predictions)}))


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
    except utils.BadConfiguration as error:
        print(error, file=sys.stderr)
        sys.exit(2)
