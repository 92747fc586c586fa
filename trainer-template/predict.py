"""Show pictures to a checkpoint: see predictor.py for how it is asked and how it answers."""

import data
import numpy as np
import predictor
import train


def load(path):
    with np.load(path) as saved:
        return dict(saved)


def predict(model, path, confidence):
    row = data.read_picture(path, int(len(model["weights"]) ** 0.5))
    return predictor.likeliest(list(model["classes"]), train.predict(model, row[None])[0], confidence)


if __name__ == "__main__":
    predictor.run(load, predict)
