"""How other hands are read: a private collection, not distributed.

    INKDIGITS_REAL=FOLDER python benchmarks/real.py [MODEL...]           single digits, by classifiers
    INKDIGITS_REAL=FOLDER python benchmarks/real.py --reader [READER]    pages and numbers, by a page reader

Without a name the shipped model or reader is measured. What was measured before and is not now is kept.

FOLDER holds singles.csv (file, label, kind) with its pictures, and npz/ with small bitmaps (arrays images,
labels), each given to the reader as a picture: enlarged four times bicubically, with a margin of a quarter of
its width in its background. For the page reader it holds labels.json (lines, tags and source of each photo),
and orand_car_a/labels.csv and meza/labels.csv (file, digits, perhaps value with its signs) of pictures with
one number each. Nothing of it is trained on or copied.
"""

import argparse
import csv
import json
import os
import re
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from measurement import describe_machine, merge_results

import inkdigits
from inkdigits.learning.evaluation import calibration_bins, expected_calibration_error
from inkdigits.reading.reader import SHIPPED_READER, Reader
from inkdigits.result import Reading

STRINGS = ("orand_car_a", "meza")  # folders of pictures with one number each
SURE = 0.9  # confidence


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


# Pages and numbers. A reading is known by its file's path below FOLDER.


def read_all(reader: Reader, folder: Path, files: Iterable[str]) -> tuple[dict[str, Reading], list[float]]:
    """Read pictures; return the readings and the seconds each took."""
    readings, seconds = {}, []
    for file in files:
        start = time.perf_counter()
        readings[file] = reader.read(folder / file)
        seconds.append(time.perf_counter() - start)
    return readings, seconds


def read_pages(reader: Reader, folder: Path) -> dict[str, Any]:
    pages = json.loads((folder / "labels.json").read_text())
    readings, seconds = read_all(reader, folder, pages)
    texts = {file: reading.text for file, reading in readings.items()}
    rights = [
        right
        for file, page in pages.items()
        if "scattered" not in page["tags"]
        for right in sure_rights(" ".join(page["lines"]).split(), readings[file])
    ]
    read = sum(len(readings[file].numbers) for file, page in pages.items() if "scattered" not in page["tags"])
    return score_pages(pages, texts) | {
        "sure": {"numbers": len(rights), "coverage": len(rights) / read, "exact": statistics.fmean(rights)},
        "median_seconds": statistics.median(seconds),
    }


def sure_rights(truth: Iterable[str], reading: Reading, *, exact: bool = False) -> list[bool]:
    """Tell of the numbers read with confidence which are right, in their digits or exactly, each once."""
    left, rights = Counter(truth), []
    for number in sorted(reading.numbers, key=lambda number: -number.confidence):
        text = number.text if exact else digits_of(number.text)
        right = left[text] > 0
        left[text] -= right
        if number.confidence >= SURE:
            rights.append(right)
    return rights


def score_pages(pages: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Score what was read of pages against their labels; signs don't count here.

    Returns:
        digit_f1 and number_f1: F1 of the page's digits, and of its numbers, in any order, averaged over the
        pages of a source and then over the sources. Numbers that are scattered have no agreed grouping.
        empty_ok: the share of pages without digits of which none was read.
    """
    digit_f1, number_f1, empty = defaultdict(list), defaultdict(list), []
    for file, page in pages.items():
        truth = " ".join(page["lines"]).split()
        read = [digits for part in texts[file].split() if (digits := digits_of(part))]
        if not truth:
            empty.append(not read)
            continue
        source = page["source"]["repo"]
        digit_f1[source].append(f1("".join(truth), "".join(read)))
        if "scattered" not in page["tags"]:
            number_f1[source].append(f1(truth, read))
    return {
        "digit_f1": statistics.fmean(map(statistics.fmean, digit_f1.values())),
        "number_f1": statistics.fmean(map(statistics.fmean, number_f1.values())),
        "empty_ok": statistics.fmean(empty),
        "pictures": len(pages),
        "sources": len(digit_f1),
        "empty": len(empty),
    }


def f1(truth: Iterable[str], read: Iterable[str]) -> float:
    """Return the F1 of two bags of things."""
    there, found = Counter(truth), Counter(read)
    return 2 * (there & found).total() / max(1, there.total() + found.total())


def read_strings(reader: Reader, folder: Path, name: str) -> dict[str, Any]:
    with (folder / name / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    readings, seconds = read_all(reader, folder, [row["file"] for row in rows])
    sure = [
        digits_of(reading.text) == row["digits"]
        for row, reading in zip(rows, readings.values(), strict=True)
        if len(reading.numbers) == 1 and reading.numbers[0].confidence >= SURE
    ]
    return score_strings(rows, {file: reading.text for file, reading in readings.items()}) | {
        "sure": {"coverage": len(sure) / len(rows), "exact": statistics.fmean(sure) if sure else None},
        "median_seconds": statistics.median(seconds),
    }


def score_strings(rows: Sequence[Mapping[str, str]], texts: Mapping[str, str]) -> dict[str, Any]:
    """Score what was read of pictures of one number each.

    Returns:
        exact: the share of pictures whose digits are all right.
        with_signs: of those with a point, comma or minus, the share with that right too; point and comma are
        one. Left out where no picture has any.
        mistakes: how many pictures are wrong in which way, see `mistake`.
    """
    marked = [row for row in rows if re.search("[.,-]", row.get("value") or "")]
    figures = {
        "exact": statistics.fmean(digits_of(texts[row["file"]]) == row["digits"] for row in rows),
        "pictures": len(rows),
        "mistakes": Counter(
            mistake(row["digits"], read)
            for row in rows
            if (read := digits_of(texts[row["file"]])) != row["digits"]
        ),
    }
    if marked:
        right = [with_signs(texts[row["file"]]) == with_signs(row["value"]) for row in marked]
        figures |= {"with_signs": statistics.fmean(right), "marked": len(marked)}
    return figures


def mistake(truth: str, read: str) -> str:
    """Return what is wrong with the digits read: "nothing read", one of three ways, or "several".

    Example:
        >>> [mistake("1200", read) for read in ("", "200", "1700", "12000", "2001")]
        ['nothing read', 'left out', 'taken for another', 'too many', 'several']
    """
    if not read:
        return "nothing read"
    ways = set()
    for way, start, end, first, last in SequenceMatcher(None, truth, read, autojunk=False).get_opcodes():
        even = way == "replace" and end - start == last - first
        ways.add("several" if way == "replace" and not even else way)
    ways.discard("equal")
    names = {"delete": "left out", "replace": "taken for another", "insert": "too many"}
    return names.get(ways.pop(), "several") if len(ways) == 1 else "several"


def digits_of(text: str) -> str:
    return re.sub(r"\D", "", text)


def with_signs(text: str) -> str:
    return re.sub("[^0-9.-]", "", text.replace(",", "."))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL", help="model folders of classifiers")
    parser.add_argument(
        "--reader", nargs="?", type=Path, const=SHIPPED_READER, help="measure a page reader: its folder"
    )
    options = parser.parse_args()
    if "INKDIGITS_REAL" not in os.environ:
        sys.exit("Set INKDIGITS_REAL to the folder of the collection; see the top of benchmarks/real.py.")
    folder = Path(os.environ["INKDIGITS_REAL"])
    print(describe_machine())
    if options.reader:
        measure_reader(options.reader, folder)
    for model in options.models or ([] if options.reader else [None]):
        measure_classifier(model, folder)


def measure_classifier(model: Path | None, folder: Path) -> None:
    classifier = inkdigits.Classifier(model)
    figures = {"singles": read_singles(classifier, folder)}
    for path in sorted((folder / "npz").glob("*.npz")):
        figures[path.stem] = read_bitmaps(classifier, path)
    print(f"{classifier.card.name}: {figures}")
    merge_results("real", {classifier.card.name: figures}, within="models")


def measure_reader(path: Path, folder: Path) -> None:
    reader = Reader(path)
    figures: dict[str, Any] = {"photos": read_pages(reader, folder)}
    for name in STRINGS:
        figures[name] = read_strings(reader, folder, name)
    for part in (reader.finder, reader.lines):
        figures[part.card.part] = {
            "name": part.card.name,
            "parameters": part.card.parameters,
            "evaluation": dict(part.card.evaluation),
        }
    print(json.dumps(figures, indent=1))
    merge_results("real", {"pages": figures})


if __name__ == "__main__":
    main()
