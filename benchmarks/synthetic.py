"""How the page reader reads synthetic pages, of digits and handwriting that no part of it was trained on.

    python benchmarks/synthetic.py [READER] [--pages 2800]

Of these pages all is known: the text of every number, signs included, and where each digit is. They aren't
those that chose an epoch, a temperature or a threshold. Also draws the first that have a few numbers, with
their readings: docs/images/gallery.jpg.
"""

import argparse
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from measurement import write_results
from real import digits_of, sure_rights

from inkdigits.learning.mnist import Split, load
from inkdigits.learning.synthesis.pages import NAMES, NUMBER, Page, make_page
from inkdigits.reading.reader import SHIPPED_READER, Reader
from inkdigits.result import Reading

SEED, PAGES, SIDE = 2026, 2_800, 320
SAME = 0.25  # intersection over union of two boxes that are of one digit
GALLERY = Path(__file__).parents[1] / "docs" / "images" / "gallery.jpg"
A_FEW, COLUMNS, ROWS = 4, 4, 3  # numbers of a page in the gallery; pages of it


def page_of(digits: Split, number: int) -> Page:
    return make_page(digits, np.random.default_rng((SEED, number)), SIDE, purpose="held-out")


def numbers_on(page: Page) -> list[str]:
    """Return the texts of all numbers of a page."""
    strings = (
        "".join(NAMES[label] for label in page.labels[page.lines == line]) for line in np.unique(page.lines)
    )
    return [number for string in strings for number in NUMBER.findall(string)]


def shared(truth: Sequence[str], read: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return how much is in both, in the first and in the second."""
    there, found = Counter(truth), Counter(read)
    return np.array([(there & found).total(), there.total(), found.total()])


def overlaps(boxes: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return intersection over union of all pairs, (N, M)."""
    start = np.maximum(boxes[:, np.newaxis, :2], others[:, :2])
    end = np.minimum(boxes[:, np.newaxis, :2] + boxes[:, np.newaxis, 2:], others[:, :2] + others[:, 2:])
    both = (end - start).clip(0).prod(axis=2)
    return both / (boxes[:, 2:].prod(axis=1)[:, np.newaxis] + others[:, 2:].prod(axis=1) - both)


def causes(page: Page, reading: Reading) -> Counter[str]:
    """Tell of each string of digits on a page whether it is read right, or what is wrong first of all."""
    digits = [(digit, place) for place, number in enumerate(reading.numbers) for digit in number.digits]
    boxes = np.array([digit.box.to_list() for digit, _ in digits], np.float32).reshape(-1, 4)
    ours = np.flatnonzero(page.labels < 10)
    overlap = overlaps(page.boxes[ours], boxes)
    read_as: dict[int, int] = {}  # of a digit on the page, which one that was read
    while overlap.size and overlap.max() >= SAME:
        one, other = divmod(int(overlap.argmax()), overlap.shape[1])
        read_as[int(ours[one])] = other
        overlap[one], overlap[:, other] = 0, 0
    found: Counter[str] = Counter()
    for line in np.unique(page.lines[ours]):
        own = ours[page.lines[ours] == line]
        there = NUMBER.findall("".join(NAMES[label] for label in page.labels[page.lines == line]))
        matched = [read_as.get(digit) for digit in own.tolist()]
        if None in matched:
            cause = "a digit not found"
        elif any(digits[i][0].value != value for i, value in zip(matched, page.labels[own], strict=True)):
            cause = "a digit taken for another"
        else:
            cause = _cause(
                there, set(matched), [place for _, place in digits], set(read_as.values()), reading
            )
        found[cause] += 1
    return found


def _cause(there: list[str], own: set[int], places: list[int], known: set[int], reading: Reading) -> str:
    """Tell what is wrong with a string whose digits are all read right: these, of numbers at their places."""
    numbers = {places[digit] for digit in own}
    theirs = {digit for digit, place in enumerate(places) if place in numbers} - own
    if theirs:
        return "joined to another number" if theirs & known else "something else read as its digit"
    if len(numbers) > len(there):
        return "cut up"
    return "right" if sorted(reading.numbers[place].text for place in numbers) == sorted(there) else "a sign"


def tile(page: Page, reading: Reading) -> npt.NDArray[np.uint8]:
    """Return a page with its reading drawn on it, framed."""
    drawn = cv2.cvtColor(reading.draw(page.image), cv2.COLOR_RGB2BGR)
    return np.asarray(
        cv2.copyMakeBorder(drawn, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=(255, 255, 255)), np.uint8
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader", nargs="?", type=Path, default=SHIPPED_READER, help="a reader folder")
    parser.add_argument("--pages", type=int, default=PAGES)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reader, digits = Reader(options.reader), load().validation
    numbers, ones = np.zeros(3, np.int64), np.zeros(3, np.int64)
    rights: list[bool] = []
    empty: list[bool] = []
    ways: Counter[str] = Counter()
    tiles = []
    for place in range(options.pages):
        page = page_of(digits, place)
        reading, truth = reader.read(page.image), numbers_on(page)
        read = [number.text for number in reading.numbers]
        numbers += shared(truth, read)
        ones += shared(digits_of("".join(truth)), digits_of("".join(read)))
        rights += sure_rights(truth, reading, exact=True)
        ways += causes(page, reading)
        if not truth:
            empty.append(not read)
        if len(truth) >= A_FEW and len(tiles) < COLUMNS * ROWS:
            tiles.append(tile(page, reading))
    figures = {
        "pages": options.pages,
        "numbers": int(numbers[1]),
        "number_f1": float(2 * numbers[0] / numbers[1:].sum()),
        "digit_f1": float(2 * ones[0] / ones[1:].sum()),
        "empty": len(empty),
        "empty_ok": statistics.fmean(empty),
        "sure": {
            "numbers": len(rights),
            "coverage": len(rights) / int(numbers[2]),
            "right": statistics.fmean(rights) if rights else None,
        },
        "strings": ways,
    }
    print(figures)
    if options.reader == SHIPPED_READER and options.pages == PAGES:
        rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
        cv2.imwrite(str(GALLERY), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])
        write_results("synthetic", figures)


if __name__ == "__main__":
    main()
