"""Show pictures to a checkpoint: see predictor.py for how it is asked and how it answers."""

import predictor
import torch
from data import look, transform
from model import make


def load(path):
    saved = torch.load(path, map_location="cpu", weights_only=True)  # runs no code that a file may hold
    model = make(saved["model_name"], len(saved["classes"]), saved["image_size"]).eval()
    model.load_state_dict(saved["state_dict"])
    return model, saved["classes"], transform(saved["image_size"], saved["mean"], saved["std"])


@torch.inference_mode()
def predict(loaded, path, confidence):
    model, classes, change = loaded
    likely = model(change(look(path))[None])[0].softmax(0)
    return predictor.likeliest(classes, likely.tolist(), confidence)


if __name__ == "__main__":
    predictor.run(load, predict)
