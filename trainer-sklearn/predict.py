"""Show pictures to a checkpoint: see predictor.py for how it is asked and how it answers."""

import joblib
import predictor
from data import read_picture


def predict(saved, path, confidence):
    likely = saved["model"].predict_proba([read_picture(path, saved["image_size"])])[0]
    return predictor.likeliest(saved["classes"], likely, confidence)


if __name__ == "__main__":
    predictor.run(joblib.load, predict)
