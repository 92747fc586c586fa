"""What a validation pass found in a few of its pictures → sample pictures, without looking at them a second time."""

import samples

SURE = 0.25  # validation counts far less likely boxes too; nobody wants to see those


class Shown:
    """Listens to a validator: it hands each batch with what was found in it to update_metrics."""

    def __init__(self, validator, pictures):
        self.validator, self.files, self.listener = validator, pictures, validator.update_metrics
        self.chosen, self.place, self.found = set(samples.choose(len(pictures))), 0, []
        validator.update_metrics = self.update_metrics

    def begin(self):
        self.place, self.found = 0, []

    def update_metrics(self, preds, batch):
        look = self.boxes if "im_file" in batch else self.classes
        for row in range(len(batch["img"])):
            if self.place in self.chosen:
                self.found.append(look(preds, batch, row))
            self.place += 1
        self.listener(preds, batch)

    def send(self, epoch):
        samples.send(epoch, self.found)

    def classes(self, preds, batch, row):
        names, likely = self.validator.names, preds[row]
        best = int(likely.argmax())
        found = [{"label": names[best], "confidence": float(likely[best])}]
        return self.files[self.place][0], [{"label": names[int(batch["cls"][row])]}], found

    def boxes(self, preds, batch, row):
        from ultralytics.utils.ops import scale_boxes

        names, true, one = self.validator.names, self.validator._prepare_batch(row, batch), preds[row]

        def in_the_file(boxes):  # from the batch's scaled and padded picture back to the file's own pixels
            return scale_boxes(true["imgsz"], boxes.clone(), true["ori_shape"], true["ratio_pad"]).tolist()

        truth = zip(true["cls"].tolist(), in_the_file(true["bboxes"]), strict=True)
        found = zip(one["cls"].tolist(), one["conf"].tolist(), in_the_file(one["bboxes"]), strict=True)
        return (
            true["im_file"],
            [{"label": names[int(number)], "box": box} for number, box in truth],
            [{"label": names[int(n)], "confidence": sure, "box": box} for n, sure, box in found if sure >= SURE],
        )
