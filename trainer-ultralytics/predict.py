"""Predict with a checkpoint: CHECKPOINT and INPUT (storage keys, with commas between) → one JSON object, last line."""

import json
import os
import sys
import tempfile
from pathlib import Path

import utils
from train import load_ultralytics


def found_in(key, result):
    """The boxes of a detector, or the likeliest class of a classifier."""
    if result.probs is not None:
        label, confidence = result.names[result.probs.top1], round(float(result.probs.top1conf), 4)
        return [{"input": key, "label": label, "confidence": confidence}]
    return [
        {
            "input": key,
            "label": result.names[int(box.cls)],
            "confidence": round(float(box.conf), 4),
            "box": [round(float(side), 1) for side in box.xyxy[0]],  # left, top, right, bottom in pixels
        }
        for box in result.boxes
    ]


def main(folder):
    utils.check_required_env(CHECKPOINT="the key of a checkpoint", INPUT="the keys of pictures, with commas between")
    confidence = utils.get_env_float("CONFIDENCE", 0.25, 0, 1)
    checkpoint = utils.download_checkpoint(os.environ["CHECKPOINT"].strip(), folder / "model.pt")
    model, predictions = load_ultralytics(folder).YOLO(checkpoint), []
    for key in filter(None, map(str.strip, os.environ["INPUT"].split(","))):
        picture = utils.download_checkpoint(key, folder / f"picture{Path(key).suffix or '.jpg'}")
        for result in model.predict(picture, conf=confidence, verbose=False, save=False):
            predictions += [one for one in found_in(key, result) if one["confidence"] >= confidence]
    print(json.dumps({"predictions": predictions, "count": len(predictions)}))


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
    except utils.BadConfiguration as error:
        print(error, file=sys.stderr)
        sys.exit(2)
