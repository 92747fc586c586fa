"""What a classifier takes for what: its numbers, a file of them a class, and the confusion matrix as a picture."""

import json
import re

import torch
from PIL import Image, ImageDraw
from samples import PAPER, _font
from torch.nn.functional import cross_entropy

FEW = 20  # classes, up to which each one's accuracy is a metric


def measure(scores, labels):
    """val/loss, val/top1 and, of five classes or more, val/top5."""
    best = scores.topk(min(5, scores.shape[1])).indices == labels[:, None]
    top = {"val/top1": best[:, 0].float().mean()} | (
        {"val/top5": best.any(1).float().mean()} if best.shape[1] > 4 else {}
    )
    return {"val/loss": cross_entropy(scores, labels).item()} | {name: value.item() for name, value in top.items()}


def confusion(scores, labels):
    """How many pictures of each class (a row) were taken for each (a column)."""
    count = scores.shape[1]
    return torch.bincount(labels * count + scores.argmax(1), minlength=count**2).view(count, count)


def accuracies(matrix, classes):
    """val/accuracy/<class> of those that were shown, where there are few; MLflow takes not every letter."""
    shown, right = matrix.sum(1), matrix.diagonal()
    names = [re.sub(r"[^\w.\- ]", "_", name) for name in classes]
    some = range(len(classes)) if len(classes) <= FEW else []
    return {f"val/accuracy/{names[n]}": (right[n] / shown[n]).item() for n in some if shown[n]}


def write(folder, matrix, classes, epoch):
    """The two files that are shown with the run: classes.json and confusion.png."""
    shown, right = matrix.sum(1).tolist(), matrix.diagonal().tolist()
    each = {
        name: {"pictures": all, "right": good, "accuracy": good / all if all else None}
        for name, all, good in zip(classes, shown, right, strict=True)
    }
    wrong = [(matrix[t, f].item(), classes[t], classes[f]) for t, f in matrix.nonzero().tolist() if t != f]
    mistaken = [{"truth": t, "found": f, "pictures": n} for n, t, f in sorted(wrong, key=lambda one: -one[0])]
    text = json.dumps({"epoch": epoch, "classes": each, "mistaken": mistaken}, indent=1, ensure_ascii=False)
    (folder / "classes.json").write_text(text, encoding="utf-8")
    draw(matrix, classes, epoch).save(folder / "confusion.png")
    return [folder / "classes.json", folder / "confusion.png"]


def draw(matrix, classes, epoch):
    """Rows are what is true, columns what was found; blue where that is right, red where not, by the row's share."""
    count, shares = len(classes), (matrix / matrix.sum(1, keepdim=True).clamp(min=1)).tolist()
    cell = max(2, min(80, 1200 // count))
    font, every = _font(max(9, min(15, cell - 1))), -(-11 // cell)  # names that would overlap are left out
    names = [_shortened(name) for name in classes]
    margin = 60 + max(round(font.getlength(name)) for name in names)
    side = cell * count
    title = f"epoch {epoch}: {matrix.diagonal().sum().item()} of {matrix.sum().item()} right"
    legend = "rows: what it is, columns: what it was taken for"
    width = max(margin + side + 24, round(_font(12).getlength(legend)) + 24)
    sheet = Image.new("RGB", (width, margin + side + 24), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((12, 8), title, PAPER, _font(15))
    pen.text((12, 28), legend, "#666a73", _font(12))
    for row in range(count):
        for column in range(count):
            x, y, share = margin + column * cell, margin + row * cell, shares[row][column]
            if share:
                strong = (28, 100, 180) if row == column else (205, 55, 45)
                tint = 0.08 + 0.92 * share
                fill = tuple(round(255 - (255 - part) * tint) for part in strong)
                pen.rectangle([x, y, x + cell - 1, y + cell - 1], fill=fill)
                if cell >= 22:
                    text = str(matrix[row, column].item())
                    pen.text((x + cell / 2, y + cell / 2), text, "white" if tint > 0.5 else PAPER, font, anchor="mm")
    _label(sheet, names, every, cell, margin, font)
    return sheet


def _shortened(name):
    return name if len(name) <= 24 else f"{name[:12]}…{name[-11:]}"


def _label(sheet, names, every, cell, margin, font):
    pen, side = ImageDraw.Draw(sheet), cell * len(names)
    for at in range(len(names) + 1) if cell >= 6 else (0, len(names)):
        line = margin + at * cell
        colour = PAPER if at in (0, len(names)) else "#dddddd"
        pen.line([(margin, line), (margin + side, line)], colour)
        pen.line([(line, margin), (line, margin + side)], colour)
    for place in range(0, len(names), every):
        middle = margin + place * cell + cell / 2
        pen.text((margin - 6, middle), names[place], PAPER, font, anchor="rm")
        room = round(font.getlength(names[place])) + 2
        turned = Image.new("RGB", (room, cell * every), "white")  # a column's name is drawn as a row's, then turned
        ImageDraw.Draw(turned).text((0, cell / 2), names[place], PAPER, font, anchor="lm")
        turned = turned.rotate(90, expand=True)
        sheet.paste(turned, (margin + place * cell, margin - 6 - room))
