"""How single digits of other hands are read: a private collection, not distributed.

    INKDIGITS_REAL=FOLDER python benchmarks/real.py [MODEL...]

FOLDER holds singles.csv (file, label, kind) with its pictures, and npz/ with small bitmaps
(arrays images, labels), each given to the reader as a picture: enlarged four times bicubically, with a margin
of a quarter of its width in its background. Nothing of it is trained on or copied.
"""

import csv
import os
import sys
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from measurement import describe_machine, write_results

import inkdigits
from inkdigits.learning.evaluation import calibration_bins, expected_calibration_error


def read_singles(classifier: inkdigits.Classifier, folder: Path) -> dict[str, object]:
    rights: dict[str, list[bool]] = defaultdict(list)
    confidences, doubtful = [], []
    with (folder / "singles.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            digit = classifier.classify(folder / row["file"])
            rights[row["kind"]].append(str(digit.value) == row["label"])
            rights["all"].append(rights[row["kind"]][-1])
            confidences.append(digit.confidence)
            doubtful.append(digit.doubtful)
    right, sure = np.array(rights["all"]), ~np.array(doubtful)
    return {
        "accuracy": {kind: float(np.mean(values)) for kind, values in rights.items()},
        "pictures": {kind: len(values) for kind, values in rights.items()},
        "expected_calibration_error": expected_calibration_error(
            calibration_bins(np.array(confidences), right)
        ),
        "not_doubtful": {"coverage": float(sure.mean()), "accuracy": float(right[sure].mean())},
    }


def as_picture(bitmap: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Enlarge a bitmap four times and put a margin of its background around it."""
    large = cv2.resize(bitmap, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    edge = np.concatenate([bitmap[0], bitmap[-1], bitmap[:, 0], bitmap[:, -1]])
    margin = large.shape[1] // 4
    background = float(np.median(edge))
    return cv2.copyMakeBorder(large, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=background)


def read_bitmaps(classifier: inkdigits.Classifier, path: Path) -> dict[str, object]:
    with np.load(path) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    scale = 255 / images.max()  # collections of 0/1 or 0..16 become 0..255
    bitmaps = np.round(images * scale).astype(np.uint8)
    right = [
        classifier.classify(as_picture(bitmap)).value == label
        for bitmap, label in zip(bitmaps, labels, strict=True)
    ]
    return {"accuracy": float(np.mean(right)), "pictures": len(right)}


def main() -> None:
    if "INKDIGITS_REAL" not in os.environ:
        sys.exit("Set INKDIGITS_REAL to the folder of the collection; see the top of benchmarks/real.py.")
    folder = Path(os.environ["INKDIGITS_REAL"])
    print(describe_machine())
    models = {}
    for model in sys.argv[1:] or [None]:
        classifier = inkdigits.Classifier(model)
        readings = {"singles": read_singles(classifier, folder)}
        for path in sorted((folder / "npz").glob("*.npz")):
            readings[path.stem] = read_bitmaps(classifier, path)
        models[classifier.card.name] = readings
        print(f"{classifier.card.name}: {readings}")
    write_results("real", {"models": models})


if __name__ == "__main__":
    main()
