"""Draw the steps of reading a page: docs/images/read-*.png.

The same for every page, from the command line: ``inkdigits read PAGE --explain FOLDER``.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from inkdigits.reading.explain import Pixels, explain
from inkdigits.reading.image import load_gray
from inkdigits.reading.reader import Reader

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "examples" / "pages" / "expenses.jpg"
WIDTH = 620  # pixels of each picture
GAP = 12  # pixels between two


def main() -> None:
    """Take the steps and save those that differ, two that belong together side by side."""
    steps = {step.name: step.picture for step in explain(Reader(), load_gray(PAGE))}
    finest = max((name for name in steps if name.startswith("heat")), key=lambda name: steps[name].size)
    for name, shown in {
        "heat": ("heat-2", finest),
        "boxes": ("found", "kept"),
        "lines": ("lines",),
    }.items():
        picture = Image.fromarray(side_by_side([steps[step] for step in shown]))
        few_colors = picture.quantize(128, Image.Quantize.FASTOCTREE)
        few_colors.save(ROOT / "docs" / "images" / f"read-{name}.png", optimize=True)


def side_by_side(pictures: list[Pixels]) -> Pixels:
    """Return RGB pictures in a row, all of them of the same width."""
    heights = [round(picture.shape[0] * WIDTH / picture.shape[1]) for picture in pictures]
    row = np.full((max(heights), len(pictures) * (WIDTH + GAP) - GAP, 3), 255, np.uint8)
    for place, (picture, height) in enumerate(zip(pictures, heights, strict=True)):
        left = place * (WIDTH + GAP)
        row[:height, left : left + WIDTH] = cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)
    return row


if __name__ == "__main__":
    main()
