"""Show pictures to a checkpoint: see predictor.py for how it is asked and how it answers."""

import data
import predictor
import weights


def load(path):
    folder = weights.unpack(path, path.with_name("model"), "CHECKPOINT")
    weights.prepare(path.parent)
    transformers = weights.load_transformers()
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = transformers.AutoModelForImageClassification.from_pretrained(folder, **weights.SAFE).eval().to(device)
    size, mean, std = data.read_processor(folder)
    resized = weights.must_resize(model, "CHECKPOINT", size)
    return model, data.make_transform(size, mean, std), data.make_collate(resized), device


def predict(loaded, path, confidence):
    import torch

    model, transform, collate, device = loaded
    batch = collate([(transform(data.look(path)), 0)])
    with torch.inference_mode():
        scores = model(**batch | {"pixel_values": batch["pixel_values"].to(device), "labels": None}).logits[0]
    classes = [model.config.id2label[place] for place in range(len(scores))]
    return predictor.likeliest(classes, scores.softmax(dim=0).tolist(), confidence)


if __name__ == "__main__":
    predictor.run(load, predict)
