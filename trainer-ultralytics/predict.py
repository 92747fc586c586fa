"""Show pictures to a checkpoint: see predictor.py for how it is asked and how it answers."""

import predictor
from train import load_ultralytics


def load(path):
    return load_ultralytics(path.parent).YOLO(path)


def predict(model, path, confidence):
    """The boxes of a detector, or the likeliest class of a classifier."""
    (result,) = model.predict(path, conf=confidence, verbose=False, save=False)
    if result.probs is not None:
        return predictor.likeliest(result.names, result.probs.data.tolist(), confidence)
    return [
        {
            "label": result.names[int(box.cls)],
            "confidence": round(float(box.conf), 4),
            "box": [round(float(side), 1) for side in box.xyxy[0]],
        }
        for box in result.boxes
        if round(float(box.conf), 4) >= confidence
    ]


if __name__ == "__main__":
    predictor.run(load, predict, confidence=0.25)
