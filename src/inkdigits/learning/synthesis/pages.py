"""MNIST digits -> synthetic pages and lines, with a box or the text of everything that is to be read.

    a kind of picture -> paper -> layout: who writes which numbers where -> clutter -> light -> camera -> Page

Pages teach a network to find digits, lines to read them. Both are made of the same parts, on the fly: none
is seen twice, and only the generator decides, so the same seed gives the same pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.learning.mnist import Split
from inkdigits.learning.synthesis.clutter import (
    add_clutter,
    beside,
    decorate,
    some_letter,
    some_stamp,
    some_text,
    some_word,
)
from inkdigits.learning.synthesis.ink import (
    NAMES,
    UNREAD,
    Glyph,
    Hand,
    Stamp,
    String,
    number_glyphs,
    stroke_glyph,
    width_of,
    write,
)
from inkdigits.learning.synthesis.layouts import (
    DRAWN_LAYOUTS,
    LAYOUTS,
    shortened,
    some_glyphs,
    some_number,
    some_pen,
    some_sum,
)
from inkdigits.learning.synthesis.paper import (
    PLAIN,
    Kind,
    Purpose,
    choose,
    lay_on_desk,
    lit,
    photographed,
    some_kind,
    some_paper,
)
from inkdigits.learning.synthesis.sheet import VISIBLE, Point, Sheet, area_of
from inkdigits.learning.synthesis.strokes import BEFORE
from inkdigits.reading.finder import FRAME, resized
from inkdigits.reading.model import SIGNS

__all__ = ["NAMES", "SIGNS", "Line", "Page", "make_line", "make_page"]

NUMBER = re.compile(rf"-?\d+(?:[{re.escape(SIGNS)}]-?\d+)*")
EMPTY_PAGES, EMPTY_LINES = 0.2, 0.15  # shares that are to have nothing to read
DRAWINGS = 0.5  # share of the clean pages that have nothing but what is written on them, as on a screen
CUT_OUT = 0.3  # share of the pages that are all but a number cut out of them, as people do
# Share of the numbers cut out that have as much room around them as a field of a form leaves; of all that is
# cut out, the share shown as a reader shows strips, and between which heights in pixels.
ROOMY, STRIPS, STRIP_HEIGHTS = 0.4, 0.75, (56, 96)
# Shares of the numbers cut out, and of the lines, that are faint and enlarged, as cells of a sheet are.
FEW_PIXELS, LINES_OF_FEW = 0.4, 0.18
# Share of the lines that are drawn larger than they are read, up to so many times, and then reduced.
REDUCED, FINER = 0.75, 2.8
LOWEST = 0.45  # of a line's height, that the digits of a long number are tall at least
# A line is drawn anew, up to so often, on which nobody reads anything: gray levels between ink and paper, and
# times as many as the paper around it differs by; pixels around each digit that count.
LINES_TRIED, LEAST_CONTRAST, LEAST_OF_NOISE, AROUND = 4, 12, 1.2, 3
DECORATED = 0.05  # share of the lines that are underlined, struck out, circled or boxed
FRAMED = 0.35  # share of the numbers cut out that have the cell around them, of which sides are missing
Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A picture of a page and what is to be read on it.

    Attributes:
        image: uint8 (H, W), gray.
        boxes: float32 (N, 4), x, y, width and height of each digit's and sign's ink, in pixels.
        labels: uint8 (N,), positions in `NAMES`: 0 to 9 are digits, from 10 on come `SIGNS`.
        lines: int32 (N,), which string each belongs to.
    """

    image: npt.NDArray[np.uint8]
    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    lines: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A picture of a line, as cut out of a page.

    Attributes:
        image: uint8 (height, width), gray.
        text: its digits, and the signs inside or before its numbers; empty where there is no digit.
    """

    image: npt.NDArray[np.uint8]
    text: str


def make_page(
    digits: Split, rng: np.random.Generator, side: int = 256, *, purpose: Purpose = "training"
) -> Page:
    """Make a page of handwritten numbers among much else.

    Args:
        digits: where the digits come from.
        rng: decides all.
        side: pixels, of the square page.
        purpose: "held-out" for handwriting fonts that no training page has, and some papers.

    Returns:
        The page. About one in five has nothing to read.

    Example:
        >>> images = np.zeros((10, 28, 28), np.uint8)
        >>> images[:, 4:24, 12:16] = 255
        >>> split = Split("train", images, np.arange(10, dtype=np.uint8), np.arange(10))
        >>> page = make_page(split, np.random.default_rng(0), side=192)
        >>> page.image.shape, page.boxes.shape[1]
        ((192, 192), 4)
    """
    kind = some_kind(rng)
    cut_out = rng.random() < CUT_OUT
    few_pixels = cut_out and not kind.clean and rng.random() < FEW_PIXELS
    if few_pixels:
        kind = _fainter(kind, rng)
    angle = float(rng.normal(0, 0.03) if rng.random() < 0.75 else rng.uniform(-0.26, 0.26))
    drawing = kind.clean and rng.random() < DRAWINGS
    plain = 1.0 if drawing else PLAIN
    paper = some_paper((side, side), kind, angle + rng.normal(0, 0.01), rng, purpose=purpose, plain=plain)
    if not kind.clean and rng.random() < 0.25:
        lay_on_desk(paper, kind, rng)
    sheet = Sheet(paper, kind, angle, purpose)
    source = None if rng.random() < EMPTY_PAGES else digits
    if source or rng.random() < 0.7:
        choose(DRAWN_LAYOUTS if drawing else LAYOUTS, rng)(sheet, source, rng)
    if not drawing:
        # A page without numbers is as full as one with them, of what could be taken for some.
        for _ in range(min(6, int(rng.geometric(0.38)) - 1) + (0 if source else int(rng.integers(1, 8)))):
            add_clutter(sheet, rng)
    labels, lines = np.array(sheet.labels, np.uint8), np.array(sheet.lines, np.int32)
    inside = _inside_numbers(labels, lines)
    boxes = np.array(sheet.boxes, np.float32).reshape(-1, 4)
    part = None
    if cut_out and inside.any():
        string = _corners(boxes[inside & (lines == rng.choice(lines[inside]))])
        room = rng.uniform(0.2, 1.6, (2, 2)) if rng.random() < ROOMY else rng.gamma(1.5, 0.25, (2, 2))
        part = string + (string[1, 1] - string[0, 1]) * room * [[-1], [1]]
        if not drawing and rng.random() < FRAMED:
            _frame(sheet, string, part, rng)
    elif cut_out:
        size = rng.uniform((40, 20), (0.9 * side, 80))
        start = rng.uniform(0, 1, 2) * (side - size)
        part = np.array([start, start + size])
    picture = sheet.picture if kind.clean else lit(sheet.picture, rng)
    image = photographed(picture, sheet.finest, kind, rng, few_pixels=few_pixels)
    page = Page(image, boxes[inside], labels[inside], lines[inside])
    if part is None:
        return page
    return _cut_out(page, part, rng.uniform(*STRIP_HEIGHTS) if rng.random() < STRIPS else None)


def _fainter(kind: Kind, rng: np.random.Generator) -> Kind:
    """Return a kind of picture whose ink stands out less."""
    return replace(kind, ink=kind.between(rng.uniform(0.5, 1)))


def _corners(boxes: Boxes) -> Point:
    """Return the first and the last corner (2, 2) of what boxes (N, 4) lie in."""
    return np.array([boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)], np.float64)


def _frame(sheet: Sheet, string: Point, part: Point, rng: np.random.Generator) -> None:
    """Draw some sides of the cell that a string was cut out of, mostly between the string and the cut."""
    (left, top), (right, bottom) = part + (string - part) * rng.uniform(-0.2, 1.05, (2, 2))
    slope = np.tan(sheet.angle + rng.normal(0, 0.01)) * (part[1] - part[0]) / 2
    sides = [
        [(left, top - slope[0]), (right, top + slope[0])],
        [(left, bottom - slope[0]), (right, bottom + slope[0])],
        [(left + slope[1], top), (left - slope[1], bottom)],
        [(right + slope[1], top), (right - slope[1], bottom)],
    ]
    tone, share = sheet.kind.between(rng.uniform(0.3, 1)), rng.uniform(0.4, 1)
    sheet.draw([side for side in sides if rng.random() < 0.7], tone, choose((1, 1, 2), rng), share)


def _cut_out(page: Page, corners: Point, strip_height: float | None = None) -> Page:
    """Leave what is between these corners (2, 2); the rest becomes even, as beyond a picture.

    With a height, it is so high and framed as `reading.finder` frames a strip, or as high as fits the page.
    """
    start, end = np.round(corners).clip(0, page.image.shape[::-1])
    (left, top), (right, bottom) = start.astype(int), end.astype(int)
    part = page.image[top:bottom, left:right]
    image, scale, place = np.full_like(page.image, np.median(part)), 1.0, start
    if strip_height is not None:
        scale = min(strip_height / len(part), (len(image) - 2 * FRAME) / max(part.shape))
        part, place = resized(part, scale), np.array([FRAME, FRAME], np.float64)
    x, y = place.astype(int)
    image[y : y + part.shape[0], x : x + part.shape[1]] = part
    low = np.maximum(page.boxes[:, :2], start)
    size = np.minimum(page.boxes[:, :2] + page.boxes[:, 2:], end) - low
    seen = (size > 0).all(axis=1) & (size.prod(axis=1) >= VISIBLE * page.boxes[:, 2:].prod(axis=1))
    seen &= _inside_numbers(np.where(seen, page.labels, UNREAD), page.lines)
    boxes = np.concatenate([(low - start) * scale + place, size * scale], axis=1)[seen].astype(np.float32)
    return Page(image, boxes, page.labels[seen], page.lines[seen])


def _inside_numbers(labels: npt.NDArray[np.uint8], lines: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Tell digits, and signs with a digit after them, from signs whose digit is beyond the page's edge."""
    inside = labels < 10
    for i in range(len(labels) - 2, -1, -1):
        inside[i] |= labels[i] != UNREAD and inside[i + 1] and lines[i] == lines[i + 1]
    return inside


# -------------------------------------------------------------------------------- lines


def make_line(
    digits: Split,
    rng: np.random.Generator,
    height: int = 48,
    max_width: int = 320,
    *,
    purpose: Purpose = "training",
) -> Line:
    """Make a line as it is cut out of a page: roughly straight, with a bit of what is around it.

    Args:
        digits: where the digits come from.
        rng: decides all.
        height: of the picture in pixels; a digit takes 42 to 90 % of it.
        max_width: of the picture in pixels.
        purpose: "held-out" for handwriting fonts that no training line has, and some papers.

    Returns:
        The line. About one in seven has no digit.

    Example:
        >>> images = np.zeros((10, 28, 28), np.uint8)
        >>> images[:, 4:24, 12:16] = 255
        >>> split = Split("train", images, np.arange(10, dtype=np.uint8), np.arange(10))
        >>> line = make_line(split, np.random.default_rng(0))
        >>> line.image.shape[0]
        48
    """
    for _ in range(LINES_TRIED):
        # A reader reduces what it cuts out, with its grain, its noise and its rules.
        finer = float(np.exp(rng.uniform(0, np.log(FINER)))) if rng.random() < REDUCED else 1.0
        fine = round(finer * height)
        line, is_legible = _some_line(
            digits, rng, fine, max_width * fine // height, height=height, purpose=purpose
        )
        if is_legible:
            break
    return line


def _some_line(
    digits: Split, rng: np.random.Generator, fine: int, max_width: int, *, height: int, purpose: Purpose
) -> tuple[Line, bool]:
    """Make a line on a picture ``fine`` pixels high, reduce it, and tell whether people can read it."""
    kind = some_kind(rng)
    few_pixels = not kind.clean and rng.random() < LINES_OF_FEW
    if few_pixels:
        kind = _fainter(kind, rng)
    hand = some_pen(kind, rng, purpose)
    tall = fine * float(np.clip(rng.normal(0.58, 0.09), 0.42, 0.9))
    glyphs, gaps = _line_glyphs(None if rng.random() < EMPTY_LINES else digits, hand, rng, purpose)
    # Whoever cuts a line leaves room for digits that the finder passed over.
    margins = tall * (rng.gamma(1.5, 0.22, 2) - 0.05 if rng.random() < 0.5 else rng.uniform(0.2, 2.5, 2))
    angle = float(rng.normal(0, 0.02))
    while True:
        # What is too long first gets less around it, then smaller.
        most = max(0.5 * tall, max_width - tall * width_of(glyphs, hand, gaps) / 0.95)
        if margins.sum() > most:
            margins *= most / margins.sum()
        tall = min(
            tall, max(LOWEST * fine, 0.95 * (max_width - margins.sum()) / width_of(glyphs, hand, gaps))
        )
        stamps = write([String(glyphs, 0.0, 0.0, angle, gaps)], hand, tall, rng)
        left = min(stamp.x for stamp in stamps)
        right = max(stamp.x + stamp.alpha.shape[1] for stamp in stamps)
        if right - left + margins.sum() <= max_width or len(glyphs) == 1:
            break
        glyphs = shortened(glyphs, len(glyphs) - 1)
        gaps = gaps[: len(glyphs)]
    width = int(np.clip(right - left + margins.sum(), 0.6 * fine, max_width))
    paper = some_paper((fine, width), kind, angle, rng, purpose=purpose, plain=0.45)
    sheet = Sheet(paper, kind, angle, purpose)
    top = min(stamp.y for stamp in stamps)
    bottom = max(stamp.y + stamp.alpha.shape[0] for stamp in stamps)
    shift = round(margins[0]) - left
    drop = round((fine - bottom - top) / 2 + fine * float(np.clip(rng.normal(0, 0.07), -0.18, 0.18)))
    _surround(sheet, digits, tall, drop, rng)
    moved = [replace(stamp, x=stamp.x + shift, y=stamp.y + drop) for stamp in stamps]
    sheet.lay(moved, hand, tall, rng)
    if rng.random() < DECORATED:
        start = np.array([shift, drop], np.float64)
        decorate(sheet, area_of(glyphs, hand, tall, start, angle, gaps=gaps)[0], tall, hand, rng)
    text = "".join(NUMBER.findall("".join(NAMES[label] for label in sheet.labels)))
    picture = sheet.picture if kind.clean else lit(sheet.picture, rng, strength=0.4)
    image = photographed(picture, tall, kind, rng, few_pixels=few_pixels)
    is_legible = _is_legible(image, moved)
    if fine > height:
        size = width * height // fine, height
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    if rng.random() < 0.35:
        _end_picture(image, margins * height / fine, rng)
    return Line(image, text), is_legible


def _is_legible(image: npt.NDArray[np.uint8], stamps: Sequence[Stamp]) -> bool:
    """Tell whether most of what is to be read stands out from the paper right around it."""
    contrasts, noises = [], []
    for stamp in stamps:
        alpha = cv2.copyMakeBorder(stamp.alpha, AROUND, AROUND, AROUND, AROUND, cv2.BORDER_CONSTANT)
        x, y = stamp.x - AROUND, stamp.y - AROUND
        seen = image[max(0, y) : y + len(alpha), max(0, x) : x + alpha.shape[1]]
        alpha = alpha[max(0, -y) :, max(0, -x) :][: len(seen), : seen.shape[1]]
        if stamp.label == UNREAD or not alpha.size:  # beyond the picture
            continue
        ink, paper = seen[alpha > alpha.max() // 2], seen[alpha < 20]
        if ink.size and paper.size:
            contrasts.append(abs(float(ink.mean()) - float(paper.mean())))
            noises.append(float(paper.std()))
    if not contrasts:
        return True
    contrast, noise = np.median(contrasts), np.median(noises)
    return bool(contrast >= max(LEAST_CONTRAST, LEAST_OF_NOISE * noise))


def _end_picture(
    image: npt.NDArray[np.uint8], margins: npt.NDArray[np.float64], rng: np.random.Generator
) -> None:
    """Let the picture that a line is cut out of end beside it, above it or below it; see `layout.cut`."""
    height, width = image.shape
    room = np.array([*margins, height / 6, height / 6]).clip(1)
    left, right, top, bottom = np.where(rng.random(4) < 0.5, room * rng.uniform(0, 1, 4), 0).astype(int)
    part = image[top : height - bottom, left : width - right].copy()
    image[:] = np.median(part)
    image[top : height - bottom, left : width - right] = part


def _line_glyphs(
    digits: Split | None, hand: Hand, rng: np.random.Generator, purpose: Purpose
) -> tuple[list[Glyph], list[float]]:
    """Return what stands on a line, and the extra space before each glyph in shares of the height."""
    if digits is None:
        if rng.random() < 0.2:
            return [some_stamp(rng)], [0.0]
        glyphs = [
            some_text(rng, purpose) if rng.random() < 0.7 else some_letter(rng, purpose)
            for _ in range(int(rng.integers(0, 4)))
        ]
        glyphs += [stroke_glyph(choose(BEFORE + "-=~.,()", rng), rng) for _ in range(int(rng.integers(1, 3)))]
        return glyphs, [0.4] * len(glyphs)
    glyphs = number_glyphs(some_number(rng), digits, hand, rng)
    gaps = [0.0] * len(glyphs)
    chance = rng.random()
    if chance < 0.3:
        glyphs = beside(glyphs, rng, purpose)
        gaps = [0.0, *([0.1] * (len(glyphs) - 1))]
    elif chance < 0.42:
        word = some_text(rng, purpose)
        space = float(rng.uniform(0.3, 1.5))
        if rng.random() < 0.5:
            glyphs, gaps = [word, *glyphs], [0.0, space, *gaps[1:]]
        else:
            glyphs, gaps = [*glyphs, word], [*gaps, space]
    elif chance < 0.54:
        for _ in range(int(rng.integers(1, 3))):
            more = number_glyphs(some_number(rng).strip("-")[:5].rstrip(SIGNS), digits, hand, rng)
            gaps += [float(rng.uniform(0.6, 1.5)), *([0.0] * (len(more) - 1))]
            glyphs = glyphs + more
    elif chance < 0.6:
        parts, space = some_sum(digits, hand, rng, purpose)
        glyphs = [glyph for part in parts for glyph in part]
        gaps = [0.0 if i else space * rng.uniform(0.8, 1.2) for part in parts for i in range(len(part))]
        gaps[0] = 0.0
    return glyphs, gaps


def _surround(sheet: Sheet, digits: Split, tall: float, foot: float, rng: np.random.Generator) -> None:
    """Add what a cut brings along: rules, borders of a cell, ink of the lines above and below."""
    tone, share = sheet.kind.between(rng.uniform(0.3, 1)), rng.uniform(0.4, 1)
    thickness = choose((1, 1, 1, 2, 2, 3), rng)
    levels, uprights = [], []
    if rng.random() < 0.3:  # a rule under the line, or through its feet
        levels.append(foot + tall * rng.normal(0.08, 0.1))
        if rng.random() < 0.4:
            levels.append(foot - tall * rng.uniform(1, 1.5))
    if rng.random() < 0.3:  # a cell
        levels += [rng.uniform(0, 0.15) * sheet.height, rng.uniform(0.85, 1) * sheet.height]
        uprights += [rng.uniform(0, 0.5) * tall, sheet.width - rng.uniform(0, 0.4) * tall]
        levels, uprights = ([at for at in lines if rng.random() < 0.7] for lines in (levels, uprights))
    elif rng.random() < 0.18:
        uprights.append(choose((rng.uniform(0, 0.2) * tall, sheet.width - rng.uniform(0, 0.2) * tall), rng))
    slope = np.tan(sheet.angle)
    lines = [[(0, y - slope * sheet.width / 2), (sheet.width, y + slope * sheet.width / 2)] for y in levels]
    lines += [
        [(x + slope * sheet.height / 2, 0), (x - slope * sheet.height / 2, sheet.height)] for x in uprights
    ]
    if lines:
        sheet.draw(lines, tone, thickness, share)
    for away in (-1, 1):
        if rng.random() < 0.2:  # the feet of the line above, the heads of the line below
            hand = some_pen(sheet.kind, rng, sheet.purpose)
            glyphs = some_glyphs(None if rng.random() < 0.4 else digits, hand, sheet, rng)
            unread = [replace(glyph, label=UNREAD) for glyph in glyphs]
            seen = tall * rng.uniform(0.05, 0.3)
            y = seen if away < 0 else sheet.height + tall - seen
            sheet.write([String(unread, rng.uniform(-0.3, 0.8) * sheet.width, y, 0.0)], hand, tall, rng)
    if rng.random() < 0.2:  # what stands before or after, cut through
        hand = some_pen(sheet.kind, rng, sheet.purpose)
        glyph = some_word(rng, sheet.purpose)
        wide, seen = width_of([glyph], hand) * tall, tall * rng.uniform(0.05, 0.3)
        x = seen - wide if rng.random() < 0.5 else sheet.width - seen
        sheet.write([String([glyph], x, foot, 0.0)], hand, tall, rng)
