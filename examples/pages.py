"""Draw the example pages: what people write down, and a photo of it.

``python examples/pages.py`` writes examples/pages/, with what stands on each page in pages.json. Digits are
MNIST's validation digits, words are in fonts that no network was trained on; pens and print are those of
`inkdigits.learning.synthesis`. All that is random is the same each time.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.learning.mnist import Split, load
from inkdigits.learning.synthesis.clutter import print_text
from inkdigits.learning.synthesis.ink import Glyph, Hand, String, number_glyphs, width_of, word_glyph
from inkdigits.learning.synthesis.lettering import Font, fonts
from inkdigits.learning.synthesis.paper import Kind, clouds
from inkdigits.learning.synthesis.sheet import Sheet

FOLDER = Path(__file__).parent / "pages"
Array = npt.NDArray[np.float32]
Color = tuple[int, int, int]  # blue, green, red
Point = tuple[float, float]  # x, y in pixels


def hand(
    *, pen: float, slant: float = 0.1, gap: float = 0.1, grain: float = 0.05, fading: float = 0.2
) -> Hand:
    """Return somebody's hand; see `Hand` for the shares of a digit's height."""
    habits = {"flag": 0.0, "base": False, "crossed": False, "serif": False, "schooled": False}
    return Hand(
        slant,
        0.95,
        pen,
        gap,
        unevenness=0.7,
        font=None,
        bend=0.0,
        grain=grain,
        fading=fading,
        tone=0.0,
        **habits,
    )


def font(name: str) -> Font:
    """Return the printed font, or the held-out handwriting, of this name."""
    return next(
        each for role in ("printed", "held-out") for each in fonts(role) if each.file.startswith(name)
    )


@dataclass
class Paper:
    """A sheet that is printed on and then written on, line by line; it lies straight until its photo.

    Attributes:
        size: width and height in pixels.
        hand, words: how somebody writes numbers and words.
        digits: where the digits come from.
        rng: decides which, and all that is uneven.
        lines: the numbers written so far.
    """

    size: tuple[int, int]
    hand: Hand
    words: Font
    digits: Split
    rng: np.random.Generator
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        white = Kind(paper=1.0, ink=0.0, clean=True)
        self._printed, self._written = (
            Sheet(np.ones(self.size[::-1], np.float32), white, 0.0, "held-out") for _ in range(2)
        )

    def rule(self, *lines: Sequence[Point], tone: float = 0.5, thickness: float = 2) -> None:
        """Print straight lines."""
        self._printed.draw(lines, tone, thickness)

    def print(self, text: str, x: float, y: float, height: float) -> None:
        """Print a text whose upper left corner is here."""
        start = np.array([x, y])
        print_text(self._printed, text, font("roboto-latin"), height, start, tone=0.2, angle=0.0)

    def word(self, text: str, x: float, y: float, height: float) -> None:
        """Write a word on a baseline that begins here."""
        glyph = word_glyph(text, self.words)
        if glyph:
            self._write([glyph], x, y, height)

    def numbers(self, texts: Sequence[str], ends: Sequence[float], y: float, height: float) -> None:
        """Write a line of numbers, each so that it ends at its x."""
        for text, end in zip(texts, ends, strict=True):
            glyphs = number_glyphs(text, self.digits, self.hand, self.rng)
            self._write(glyphs, end - width_of(glyphs, self.hand) * height, y, height)
        self.lines.append(" ".join(texts))

    def comb(self, text: str, x: float, y: float, cell: float) -> None:
        """Print a row of boxes whose upper left corner is here, and write a digit into each."""
        edges = [x + cell * place for place in range(len(text) + 1)]
        bottom, height = y + 1.3 * cell, 0.85 * cell
        self.rule(*([(edge, y), (edge, bottom)] for edge in edges))
        self.rule(*([(edges[0], level), (edges[-1], level)] for level in (y, bottom)))
        for digit, left in zip(text, edges, strict=False):
            glyphs = number_glyphs(digit, self.digits, self.hand, self.rng)
            room = cell - width_of(glyphs, self.hand) * height
            self._write(glyphs, left + room * self.rng.uniform(0.35, 0.65), bottom - 0.2 * cell, height)
        self.lines.append(text)

    def underline(self, start: Point, end: Point, height: float) -> None:
        """Draw a line by hand."""
        self._written.draw([[start, end]], 0.0, 0.8 * self.hand.pen * height, 1 - 0.5 * self.hand.grain)

    def _write(self, glyphs: Sequence[Glyph], x: float, y: float, height: float) -> None:
        angle, rise = self.rng.normal(0, (0.008, 0.02 * height))
        self._written.write([String(glyphs, x, y + rise, angle)], self.hand, height, self.rng)

    def colored(self, paper: Color, ink: Color) -> Array:
        """Return the sheet in color, (H, W, 3) from 0 to 255."""
        ground = self._printed.picture[..., np.newaxis] * np.float32(paper)
        share = self._written.picture[..., np.newaxis]
        return np.asarray(share * ground + (1 - share) * np.float32(ink), np.float32)


def photographed(
    sheet: Array,
    corners: Sequence[Point],
    size: tuple[int, int],
    *,
    desk: Color,
    shade: float,
    rng: np.random.Generator,
) -> Array:
    """Take a photo of a sheet that lies on a desk.

    Args:
        sheet: (H, W, 3) from 0 to 255.
        corners: where its corners are in the photo, clockwise from the upper left.
        size: width and height of the photo in pixels.
        desk: color of what is beside the sheet.
        shade: how much darker the photo's lower right is, 0 to 1; from 0.3 on a shadow lies on its right.
        rng: decides the paper's clouds and the camera's noise.
    """
    width, height = size
    ends = np.float32([(0, 0), (sheet.shape[1], 0), (sheet.shape[1], sheet.shape[0]), (0, sheet.shape[0])])
    view = cv2.getPerspectiveTransform(ends, np.float32(corners))
    seen = cv2.warpPerspective(sheet, view, size)
    share = cv2.warpPerspective(np.ones(sheet.shape[:2], np.float32), view, size)[..., np.newaxis]
    wood = np.float32(desk) + 6 * clouds((height, width), 9, rng)[..., np.newaxis]
    cast = 1 - 0.5 * cv2.GaussianBlur(share, (0, 0), 9)[..., np.newaxis]  # the sheet's own shadow
    photo = share * seen + (1 - share) * wood * cast
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    light = 1 - 0.5 * shade * (x + y) / 2 + 0.02 * clouds((height, width), 4, rng)
    if shade >= 0.3:
        light *= 1 - shade / (1 + np.exp((0.78 - x - 0.25 * y) / 0.02))
    photo = cv2.GaussianBlur(photo * light[..., np.newaxis], (0, 0), 0.7)
    return np.asarray(photo + rng.normal(0, 2.2, photo.shape), np.float32)


# ------------------------------------------------------------------------------------------------- pages


def log_book(digits: Split, rng: np.random.Generator) -> tuple[Array, list[str]]:
    """A printed table, filled in with a ballpoint: day, time, temperature, meter."""
    paper = Paper((880, 800), hand(pen=0.1), font("patrick"), digits, rng)
    edges = (60, 180, 360, 570, 820)
    tops = [110 + 60 * row for row in range(11)]
    paper.rule(*([(edges[0], top), (edges[-1], top)] for top in tops))
    paper.rule(*([(edge, tops[0]), (edge, tops[-1])] for edge in edges))
    paper.print("Heating log", edges[0], 48, 36)
    for heading, left in zip(("Day", "Time", "Outside", "Meter"), edges, strict=False):
        paper.print(heading, left + 14, tops[0] + 18, 26)
    meter = 40_617
    for day, bottom in enumerate(tops[2:], start=1):
        meter += int(rng.integers(80, 400))
        time, outside = f"{rng.integers(6, 9)}:{rng.integers(10, 60)}", f"{rng.normal(2, 5):.1f}"
        paper.numbers(
            [str(day), time, outside, str(meter)], [edge - 24 for edge in edges[1:]], bottom - 12, 36
        )
    sheet = paper.colored((236, 243, 246), (130, 60, 34))
    corners = [(12, 18), (892, 6), (896, 806), (6, 812)]
    return photographed(sheet, corners, (900, 820), desk=(150, 165, 175), shade=0.15, rng=rng), paper.lines


def meter_card(digits: Split, rng: np.random.Generator) -> tuple[Array, list[str]]:
    """A printed card with combs of boxes, filled in with a black felt pen."""
    paper = Paper((920, 560), hand(pen=0.12, gap=0.2, fading=0), font("patrick"), digits, rng)
    paper.print("METER READING CARD", 50, 40, 34)
    paper.print("Please write one digit into each box.", 50, 92, 22)
    for label, length, top in (("Customer", 9, 150), ("Meter", 7, 280), ("Reading", 6, 410)):
        paper.print(label, 50, top + 22, 30)
        paper.comb("".join(rng.integers(0, 10, length).astype(str).tolist()), 240, top, 68)
    sheet = paper.colored((205, 238, 246), (48, 42, 40))
    corners = [(52, 66), (952, 40), (970, 588), (44, 622)]
    return photographed(sheet, corners, (1010, 670), desk=(62, 84, 112), shade=0.3, rng=rng), paper.lines


def expenses(digits: Split, rng: np.random.Generator) -> tuple[Array, list[str]]:
    """Words and amounts in pencil on squared paper, in the shadow of whoever takes the photo."""
    paper = Paper((700, 900), hand(pen=0.085, slant=0.18, grain=0.5), font("the-girl"), digits, rng)
    for step in range(24, 900, 28):
        paper.rule([(0, step), (700, step)], [(step, 0), (step, 900)], tone=0.72, thickness=1)
    paper.word("Expenses", 80, 100, 46)
    items = ("Bread", "Milk", "Paper", "Water", "Phone", "Bank", "Gas", "Refund")
    cents = [int(each) for each in rng.integers(120, 9_999, len(items))]
    cents[-1] = -cents[-1]
    for item, amount, y in zip(items, cents, range(192, 900, 70), strict=False):
        paper.word(item, 80, y, 40)
        paper.numbers([f"{amount / 100:.2f}"], [610], y, 40)
    paper.underline((380, 712), (632, 708), 40)
    paper.word("Sum", 80, 780, 40)
    paper.numbers([f"{sum(cents) / 100:.2f}"], [610], 780, 40)
    sheet = paper.colored((232, 240, 240), (82, 76, 74))
    corners = [(92, 60), (772, 108), (716, 990), (28, 940)]
    return photographed(sheet, corners, (840, 1060), desk=(52, 66, 84), shade=0.4, rng=rng), paper.lines


def blackboard(digits: Split, rng: np.random.Generator) -> tuple[Array, list[str]]:
    """Scores in chalk on a green board that fills the picture."""
    paper = Paper(
        (1000, 640), hand(pen=0.11, gap=0.18, grain=0.7, fading=0.3), font("rock-salt"), digits, rng
    )
    for column, name in enumerate(("Anna", "Ben", "Kim")):
        paper.word(name, 130 + 300 * column, 120, 52)
    paper.underline((90, 160), (930, 152), 64)
    for row in range(5):
        scores = [str(score) for score in rng.integers(3, 160, 3)]
        paper.numbers(scores, [260 + 300 * column for column in range(3)], 240 + 84 * row, 58)
    board = paper.colored((66, 84, 50), (206, 218, 214))
    corners = [(-30, -30), (1040, -8), (1030, 680), (-24, 650)]
    return photographed(board, corners, (1000, 640), desk=(66, 84, 50), shade=0.2, rng=rng), paper.lines


# Seeds whose digits people can read; no reader was asked.
PAGES = {
    "log-book": (log_book, 10),
    "meter-card": (meter_card, 4),
    "expenses": (expenses, 14),
    "blackboard": (blackboard, 1),
}


def main() -> None:
    """Write all four pages and what stands on them."""
    FOLDER.mkdir(exist_ok=True)
    digits = load().validation
    texts = {}
    for name, (draw, seed) in PAGES.items():
        photo, texts[f"{name}.jpg"] = draw(digits, np.random.default_rng(seed))
        quality = [cv2.IMWRITE_JPEG_QUALITY, 85]
        cv2.imwrite(str(FOLDER / f"{name}.jpg"), np.clip(np.round(photo), 0, 255).astype(np.uint8), quality)
    (FOLDER / "pages.json").write_text(json.dumps(texts, indent=1) + "\n")


if __name__ == "__main__":
    main()
