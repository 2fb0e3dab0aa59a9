"""Draw 64 synthetic pages with their boxes, and 96 synthetic lines with their texts, to look at.

python benchmarks/contact_sheet.py [--seed 0] [--side 192] [--held-out] [--out runs/contact]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from inkdigits.learning.linereading import LINE_HEIGHT, WIDTH
from inkdigits.learning.mnist import Split, load
from inkdigits.learning.synthesis.pages import NAMES, make_line, make_page
from inkdigits.learning.synthesis.paper import Purpose

DIGIT, SIGN, TEXT = (0, 160, 0), (255, 90, 0), (0, 0, 220)  # green, blue and red, in OpenCV's order


def draw_pages(digits: Split, seed: int, side: int, purpose: Purpose, columns: int = 8) -> np.ndarray:
    tiles = []
    for number in range(columns * columns):
        page = make_page(digits, np.random.default_rng((seed, number)), side, purpose=purpose)
        picture = cv2.resize(cv2.cvtColor(page.image, cv2.COLOR_GRAY2BGR), None, fx=2, fy=2)
        for (x, y, width, height), label in zip(
            (2 * page.boxes).astype(int).tolist(), page.labels, strict=True
        ):
            color = DIGIT if label < 10 else SIGN
            cv2.rectangle(picture, (x, y), (x + width, y + height), color, 1)
            cv2.putText(picture, NAMES[label], (x, y - 1), cv2.FONT_HERSHEY_PLAIN, 0.8, TEXT, 1, cv2.LINE_AA)
        tiles.append(cv2.copyMakeBorder(picture, 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=(128, 128, 128)))
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def draw_lines(digits: Split, seed: int, purpose: Purpose, columns: int = 4, rows: int = 24) -> np.ndarray:
    width, height = WIDTH + 6, LINE_HEIGHT + 18
    sheet = np.full((rows * height, columns * width, 3), 128, np.uint8)
    for number in range(columns * rows):
        line = make_line(digits, np.random.default_rng((seed, number)), LINE_HEIGHT, WIDTH, purpose=purpose)
        row, column = divmod(number, columns)
        top, left = row * height, column * width
        picture = cv2.cvtColor(line.image, cv2.COLOR_GRAY2BGR)
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        at = left + 2, top + height - 4
        cv2.putText(sheet, line.text, at, cv2.FONT_HERSHEY_PLAIN, 1, (255, 255, 255), 1, cv2.LINE_AA)
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=192, help="pixels of a page")
    parser.add_argument(
        "--held-out", action="store_true", help="validation digits, held-out fonts and papers"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/contact"))
    options = parser.parse_args()
    mnist = load()
    digits = mnist.validation if options.held_out else mnist.train
    purpose: Purpose = "held-out" if options.held_out else "training"
    options.out.mkdir(parents=True, exist_ok=True)
    for name, picture in (
        ("pages", draw_pages(digits, options.seed, options.side, purpose)),
        ("lines", draw_lines(digits, options.seed, purpose)),
    ):
        path = options.out / f"{name}.png"
        cv2.imwrite(str(path), picture)
        print(path)


if __name__ == "__main__":
    main()
