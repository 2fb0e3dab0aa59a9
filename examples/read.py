"""Read an example page and draw the reading on it: docs/images/page.png.

The same for every page, from the command line: ``inkdigits read examples/pages --draw drawn``.
"""

from pathlib import Path

from PIL import Image

from inkdigits.reading.image import load_rgb
from inkdigits.reading.reader import Reader

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "examples" / "pages" / "expenses.jpg"


def main() -> None:
    """Read the page, draw what was read."""
    reading = Reader().read(PAGE)
    drawn = reading.draw(load_rgb(PAGE))
    few_colors = Image.fromarray(drawn).quantize(256, Image.Quantize.MAXCOVERAGE)  # half the bytes
    few_colors.save(ROOT / "docs" / "images" / "page.png", optimize=True)


if __name__ == "__main__":
    main()
