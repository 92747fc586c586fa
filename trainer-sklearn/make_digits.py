"""Write scikit-learn's own 1,797 handwritten digits as a dataset: python make_digits.py OUTPUT.zip

The same bytes each time: fixed dates and order, every fifth picture of a class validates.
"""

import io
import sys
import zipfile
from collections import Counter

from PIL import Image
from sklearn.datasets import load_digits


def main(output):
    digits, seen = load_digits(), Counter()
    with zipfile.ZipFile(output, "w") as bundle:
        for pixels, digit in zip(digits.images, digits.target, strict=True):
            split = "val" if seen[digit] % 5 == 4 else "train"
            picture = io.BytesIO()
            Image.fromarray((pixels * 255 / 16).round().astype("uint8")).save(picture, "PNG")
            entry = zipfile.ZipInfo(f"{split}/{digit}/{seen[digit]:03}.png", (2026, 1, 1, 0, 0, 0))
            bundle.writestr(entry, picture.getvalue())
            seen[digit] += 1
    print(f"{output}: {seen.total()} pictures of the digits 0 to 9")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python make_digits.py OUTPUT.zip")
    main(sys.argv[1])
