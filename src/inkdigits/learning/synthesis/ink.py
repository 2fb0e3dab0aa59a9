"""Strings of glyphs in one hand: MNIST digits, signs, symbols and words -> stamps of ink with their places.

    text -> glyphs (small pictures with a baseline) -> one strip, each glyph sized, slanted and turned
    strip -> distance to the strokes' outlines -> strokes of the hand's pen -> stamps on the page

A pen has one width whatever the writer of the MNIST digit had: the outlines move by the same distance all
round, and where a stroke would vanish its middle line stays, so thin and fat pens exist at every size.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.learning.augmentation import HABITS
from inkdigits.learning.mnist import Split
from inkdigits.learning.synthesis.lettering import Font, digit_fonts, ink_of
from inkdigits.learning.synthesis.paper import Purpose, choose
from inkdigits.learning.synthesis.strokes import CAPITALS, OTHERWISE, SCHOOLED, STROKES, Stroke
from inkdigits.reading.model import SIGNS

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

NAMES = "0123456789" + SIGNS  # a label is a position in it
UNREAD = 255  # the label of ink that is not to be read

UNIT = 20  # pixels a digit is tall in an MNIST image
OUTLINE = 100  # gray level of a stroke's outline in it
STROKE = 2.4  # pixels a stroke is wide in it, roughly
LETTERED = 0.15  # share of the hands that write a font's digits
BEND = 1.0  # pixels of it, of the most bending hand
ROOM = 3  # pixels of it all round that bending may take
BEND_GRID = 5  # points a side of the grid on which the bending is drawn
FINEST, COARSEST = 28, 160  # pixels a digit is tall at least and at most while its strokes are drawn
WORD_HEIGHT = 36  # pixels, of a font
WORD_UNIT = 25  # pixels a capital is tall at that height, roughly

# Of a thin line, drawn where the distance to the outlines has a ridge: how far the ridge rises above its
# surroundings, in the width that these are smoothed by, and how fast the line ends beside it.
RIDGE, ASIDE = 0.35, 2.0
# Pixels of the strip to both sides of its middle that a line is drawn wide at least, and how pale that of a
# thinner pen becomes at most instead.
THINNEST, PALEST = 1.0, 0.6
PENS, USUAL_PENS = (0.02, 0.2), (0.05, 0.2)  # the thinnest and the fattest pen
THIN = 0.5  # share of the pens that may be thinner than usual
SELDOM = 0.4  # share of the points and commas that are written otherwise
SCHOOLS = 0.6  # share of the hands that learned in other schools than MNIST's
DRAWN = 0.3, 1.0  # share of the digits of such a hand that are drawn so
WIDER = 0.3  # how much wider or narrower quick zeros are (standard deviation of its logarithm)
LOOSE = 0.4, 1.2  # pixels of `UNIT` by which a point of these misses its place (standard deviation)
CORNERED = 0.25  # share of these whose corners are left, as a quick hand and a mouse leave them
TUCKED = 0.5  # share of the hands that put points and commas under what hangs over the foot of a digit
SQUEEZED = 0.35  # share of the hands that write points and commas into the gap that is there without them
LARGE_FIRST = 0.12  # share of the numbers whose first character is larger than the others


@dataclass(frozen=True, slots=True)
class Hand:
    """How somebody writes, and with which pen. Lengths are shares of the digits' height.

    Attributes:
        slant: sideways a unit up.
        aspect: how wide digits are, 1 as in MNIST.
        pen: width of the strokes.
        gap: between one digit's ink and the next's; below 0 they touch or overlap.
        unevenness: of gaps, sizes and the baseline.
        flag: length of the upstroke of a 1, or 0.
        base: whether a 1 stands on a line.
        crossed: whether a 7 has a bar through its stem.
        serif: whether a 7 begins with a short downstroke.
        schooled: share of its digits that are written as other schools than MNIST's teach them.
        ways: in which way of each of the ten digits (10,), 0 is the first and nearly 1 the last.
        font: whose digits it writes instead of MNIST's, or None.
        bend: how far its digits are bent out of shape, in pixels of `UNIT` (standard deviation).
        grain: 0 is even ink, 1 a pencil's or chalk's, full of holes.
        fading: 0 is steady, 1 almost runs dry in places.
        tucked: how far a point or comma moves under what hangs over the foot of the digit before it, 0 to 1.
        squeezed: whether points and commas take no room of their own.
        tone: gray level of full ink from 0 (black) to 1.
    """

    slant: float
    aspect: float
    pen: float
    gap: float
    unevenness: float
    flag: float
    base: bool
    crossed: bool
    serif: bool
    schooled: float
    ways: tuple[float, ...]
    font: Font | None
    bend: float
    grain: float
    fading: float
    tucked: float
    squeezed: bool
    tone: float


@dataclass(frozen=True, slots=True, eq=False)
class Glyph:
    """One digit, sign, symbol or word, light on black.

    Attributes:
        image: uint8, cut to the ink.
        foot: the row of the baseline in it; it may lie outside.
        unit: how many of its pixels a digit is tall.
        label: position in `NAMES`, or `UNREAD`.
    """

    image: Gray
    foot: float
    unit: float
    label: int


@dataclass(frozen=True, slots=True, eq=False)
class String:
    """Glyphs to be written one after the other.

    Attributes:
        glyphs: in writing order.
        x, y: where on the page the baseline begins, in pixels.
        angle: of the baseline in radians, positive is downhill.
        gaps: extra space before each glyph, in shares of the height.
    """

    glyphs: Sequence[Glyph]
    x: float
    y: float
    angle: float
    gaps: Sequence[float] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """The ink of one glyph on the page.

    Attributes:
        alpha: uint8 (h, w), cut to the ink: 255 covers the paper, 0 leaves it.
        x, y: of its first pixel on the page.
        label: position in `NAMES`, or `UNREAD`.
        string: which string it belongs to, counted from 0.
    """

    alpha: Gray
    x: int
    y: int
    label: int
    string: int


def some_hand(rng: np.random.Generator, tone: float, purpose: Purpose) -> Hand:
    """Return a hand with a pen: mostly a usual one, sometimes a wild one."""
    kind = rng.random()
    pencil = kind < 0.35
    return Hand(
        slant=float(np.clip(rng.normal(0.1, 0.24), -0.45, 0.8)),
        aspect=float(np.exp(rng.normal(0, 0.18))),
        pen=float(np.exp(rng.uniform(*np.log(PENS if rng.random() < THIN else USUAL_PENS)))),
        gap=float(_some_gap(rng)),
        unevenness=float(rng.gamma(2, 0.5)),
        flag=float(rng.uniform(0.15, 1.05)) if rng.random() < 0.55 else 0.0,
        base=bool(rng.random() < 0.12),
        crossed=bool(rng.random() < 0.35),
        serif=bool(rng.random() < 0.2),
        schooled=float(rng.uniform(*DRAWN)) if rng.random() < SCHOOLS else 0.0,
        ways=tuple(rng.random(10).tolist()),
        font=choose(digit_fonts(purpose), rng) if rng.random() < LETTERED else None,
        bend=float(rng.uniform(0, BEND)),
        grain=float(rng.uniform(0.2, 1)) if pencil else float(rng.uniform(0, 0.15)),
        fading=float(rng.uniform(0, 1)) if rng.random() < 0.35 else 0.0,
        tucked=float(rng.uniform(0.4, 1)) if rng.random() < TUCKED else 0.0,
        squeezed=bool(rng.random() < SQUEEZED),
        tone=tone,
    )


def _some_gap(rng: np.random.Generator) -> float:
    kind = rng.random()
    if kind < 0.42:
        return rng.normal(0.02, 0.08)  # touching, overlapping, barely apart
    return rng.uniform(0.1, 0.4) if kind < 0.76 else rng.uniform(0.4, 1.6)


# ------------------------------------------------------------------------------------------------ glyphs


def number_glyphs(text: str, digits: Split, hand: Hand, rng: np.random.Generator) -> list[Glyph]:
    """Return glyphs for digits and signs, all to be read."""
    by_digit = _positions(digits)
    glyphs = []
    for name in text:
        if name in SIGNS:
            glyphs.append(stroke_glyph(name, rng, label=NAMES.index(name)))
            continue
        digit = int(name)
        if hand.font:
            glyphs.append(_cut(_bent(_lettered(hand.font)[digit], hand, rng), UNIT, digit))
            continue
        chosen = by_digit[digit]
        image = digits.images[chosen[rng.integers(len(chosen))]]
        glyphs.append(_cut(_bent(_with_habits(image, digit, hand, rng), hand, rng), UNIT, digit))
    if text.endswith("00") and rng.random() < 0.4:
        glyphs = _with_quick_zeros(glyphs, rng)
    if len(text) > 2 and rng.random() < LARGE_FIRST:
        size = rng.uniform(1.1, 1.5)
        glyphs[0] = replace(glyphs[0], unit=glyphs[0].unit / size)
    return glyphs


@functools.lru_cache(maxsize=4)
def _positions(digits: Split) -> tuple[npt.NDArray[np.int64], ...]:
    """Return where each of the ten digits is in a split."""
    return tuple(np.flatnonzero(digits.labels == digit) for digit in range(10))


@functools.cache
def _lettered(font: Font) -> tuple[Gray, ...]:
    """Return a font's ten digits as MNIST would have them: `UNIT` tall, in strokes wide enough."""
    finer = 4
    room = ROOM * finer
    inks = [ink_of(str(digit), font, 2 * finer * UNIT) for digit in range(10)]
    zoom = finer * UNIT / float(np.median([len(ink) for ink in inks]))
    images = []
    for ink in inks:
        size = max(1, round(ink.shape[1] * zoom)), max(1, round(len(ink) * zoom))
        large = cv2.copyMakeBorder(cv2.resize(ink, size), room, room, room, room, cv2.BORDER_CONSTANT)
        solid = (large > 127).view(np.uint8)
        wide = 4 * cv2.distanceTransform(solid, cv2.DIST_L2, 5)[solid > 0].mean()
        if (missing := round(STROKE * finer - wide)) > 1:
            large = cv2.dilate(large, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (missing, missing)))
        small = large.shape[1] // finer, large.shape[0] // finer
        images.append(np.asarray(cv2.resize(large, small, interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(images)


def _bent(image: Gray, hand: Hand, rng: np.random.Generator) -> Gray:
    """Bend a digit, as nobody writes it twice alike; see `learning.augmentation`."""
    if not hand.bend:
        return image
    places = _places(image.shape[0] + 2 * ROOM, image.shape[1] + 2 * ROOM)
    bending = rng.standard_normal((BEND_GRID, BEND_GRID, 2), np.float32) * np.float32(hand.bend)
    x, y = cv2.split(places + cv2.resize(bending, places.shape[1::-1], interpolation=cv2.INTER_CUBIC))
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR), np.uint8)


@functools.lru_cache(maxsize=512)
def _places(rows: int, columns: int) -> Floats:
    """Return x and y of each pixel of a picture with room all round, in the picture without."""
    y, x = np.indices((rows, columns), np.float32) - ROOM
    return np.dstack([x, y])


def stroke_glyph(name: str, rng: np.random.Generator, label: int = UNREAD) -> Glyph:
    """Draw a sign or a symbol of `STROKES`, a little different each time."""
    size = np.exp(rng.normal(0, 0.15, 2)) * (np.exp(rng.uniform(-0.5, 0.6)) if name in "-=~/" else 1, 1)
    ways = OTHERWISE.get(name)
    way = choose(ways, rng) if ways and rng.random() < SELDOM else STROKES[name]
    strokes = [np.array(stroke) * size + rng.normal(0, 0.4, (len(stroke), 2)) for stroke in way]
    thickness = int(rng.integers(9, 16) if name in ".:," else rng.integers(8, 13))
    image, top = _drawn(strokes, thickness=thickness)
    return _cut(image, UNIT, label, UNIT * size[1] - top)


def _drawn(strokes: Sequence[npt.NDArray[np.float64]], *, thickness: int) -> tuple[Gray, float]:
    """Draw strokes (N, 2) so many quarters of a pixel thick; return the picture and its first row's y."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0) - 3, points.max(axis=0) + 3
    width, height = np.ceil(high - low).astype(int)
    fine = np.zeros((4 * height, 4 * width), np.uint8)
    for stroke in strokes:
        corners = np.round(4 * (stroke - low)).astype(np.int32)
        cv2.polylines(fine, [corners], isClosed=False, color=255, thickness=thickness)
    image = cv2.resize(fine, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8), float(low[1])


def word_glyph(text: str, font: Font) -> Glyph | None:
    """Write a word; None where the font has no ink for it."""
    image, foot = _word(text, font)
    return Glyph(image, foot, WORD_UNIT, UNREAD) if min(image.shape) > 2 else None


@functools.lru_cache(maxsize=8192)
def _word(text: str, font: Font) -> tuple[Gray, float]:
    image = ink_of(text, font, WORD_HEIGHT)
    deep = any(letter in "gjpqy,;" for letter in text)  # letters that go below the baseline
    return image, len(image) * (0.75 if deep else 1.0)


def _cut(image: Gray, unit: float, label: int, foot: float | None = None) -> Glyph:
    x, y, width, height = cv2.boundingRect(cv2.threshold(image, OUTLINE // 2, 1, cv2.THRESH_BINARY)[1])
    cut = image[y : y + height, x : x + width]
    return Glyph(cut, height if foot is None else foot - y, unit, label)


def _with_habits(image: Gray, digit: int, hand: Hand, rng: np.random.Generator) -> Gray:
    """Write some digits as much of the world does, and MNIST's American writers do not."""
    if rng.random() < hand.schooled:
        return _schooled(digit, hand.ways[digit], rng)
    if digit == 1 and (hand.flag or hand.base):
        return _flagged(image, hand, rng)
    if digit == 7 and (hand.crossed or hand.serif):
        return _crossed(image, hand, rng)
    if digit == 5 and hand.schooled:
        return _swept(image, rng)
    if digit in (4, 6, 9) and hand.schooled:
        image = image.copy()
        HABITS[digit][1](image, rng)
    return image


def _with_quick_zeros(glyphs: list[Glyph], rng: np.random.Generator) -> list[Glyph]:
    """Write the zeros at a number's end smaller than what is before them, perhaps raised or in one stroke.

    Whoever writes them in a hurry draws them wide, up to lying ones, or narrow.
    """
    zeros = list(itertools.takewhile(lambda glyph: glyph.label == 0, reversed(glyphs)))
    size = rng.uniform(0.5, 0.95)
    lift = rng.uniform(0, 1 / size - 1) if rng.random() < 0.5 else 0.0  # in units of the smaller zeros
    linked, wide = rng.random() < 0.5, np.exp(rng.normal(0.1, WIDER))
    quick = []
    for number, zero in enumerate(zeros):
        shape = max(2, round(zero.image.shape[1] * wide)), len(zero.image)
        image = np.asarray(cv2.resize(zero.image, shape), np.uint8)
        image = _linked(image, rng) if linked and number else image
        quick.append(Glyph(image, zero.foot + lift * zero.unit, zero.unit / size, zero.label))
    return [*glyphs[: -len(zeros)], *reversed(quick)]


def _linked(image: Gray, rng: np.random.Generator) -> Gray:
    """Draw the stroke that goes from a zero's head on to the next."""
    reach = int(rng.integers(3, 8))
    longer = np.pad(image, ((1, 1), (0, reach)))
    row = rng.uniform(1.5, 0.3 * len(image) + 1.5)
    _draw_line(longer, (0.65 * image.shape[1], row), (longer.shape[1], row + rng.normal(0, 1.5)), 2.2)
    return longer[1:-1]


def _flagged(image: Gray, hand: Hand, rng: np.random.Generator) -> Gray:
    image = np.pad(image, ((0, 0), (12, 4)))
    rows = np.flatnonzero(image.max(axis=1) > OUTLINE)
    thickness = image.sum() / 255 / max(1, rows.size)
    top, bottom = (float(np.flatnonzero(image[row] > OUTLINE).mean()) for row in (rows[0], rows[-1]))
    if hand.flag:
        length = UNIT * hand.flag * rng.uniform(0.8, 1.2)
        angle = np.deg2rad(np.clip(rng.normal(36 + 33 * hand.flag, 10), 15, 75))
        stem = np.arctan2(rows.size, top - bottom)  # a flag along the stem would vanish in it
        angle = max(np.deg2rad(10), min(angle, stem - np.deg2rad(rng.uniform(15, 35))))
        across, down = min(length * np.cos(angle), 20), length * np.sin(angle)
        # Often it begins level, and bends up.
        bend = choose((0.0, 0.0, 1.0), rng) * rng.uniform(0.2, 0.7) * down
        way = [(0, 0), (0.5 * across, 0.5 * down + bend), (across, down)]
        points = [(top - x, rows[0] + 0.5 + y) for x, y in way]
        for start, end in itertools.pairwise(points):
            _draw_line(image, start, end, thickness)
    if hand.base:
        left, right = rng.uniform(2.5, 8, 2)
        _draw_line(image, (bottom - left, rows[-1]), (bottom + right, rows[-1]), thickness)
    return image


def _crossed(image: Gray, hand: Hand, rng: np.random.Generator) -> Gray:
    image = image.copy()
    rows = np.flatnonzero(image.max(axis=1) > OUTLINE)
    if hand.crossed:
        row = int(rows[0] + rng.uniform(0.42, 0.62) * rows.size)
        columns = np.flatnonzero(image[row] > OUTLINE)
        if columns.size:
            x, (left, right), rise = columns[-1] - 1.0, rng.uniform(3, 6, 2), rng.normal(0, 0.8)
            _draw_line(image, (x - left, row + rise), (x + right, row - rise), 2.4)
    if hand.serif:
        part = image[rows[0] : rows[0] + rows.size // 3]
        columns = np.flatnonzero(part.max(axis=0) > OUTLINE)
        x = float(columns[0])
        y = float(rows[0] + part[:, columns[0]].argmax())
        _draw_line(image, (x + 0.5, y), (x + rng.normal(0, 0.7), y + rng.uniform(2.5, 6)), 2.2)
    return image


def _schooled(digit: int, way: float, rng: np.random.Generator) -> Gray:
    """Draw a digit in a way of `SCHOOLED`, from the first, 0, to the last, nearly 1."""
    ways = SCHOOLED[digit]
    return _loosely_drawn(ways[int(way * len(ways))], rng)[0]


def capital_glyph(rng: np.random.Generator) -> Glyph:
    """Draw a letter of `CAPITALS`."""
    image, foot = _loosely_drawn(choose(CAPITALS[choose(list(CAPITALS), rng)], rng), rng)
    return _cut(image, UNIT, UNREAD, foot)


def _loosely_drawn(way: Sequence[Stroke], rng: np.random.Generator) -> tuple[Gray, float]:
    """Draw strokes as in ink, a little different each time; return the picture and its baseline's row."""
    size, loose = np.exp(rng.normal(0, 0.17, 2)), rng.uniform(*LOOSE)
    rounds = 0 if rng.random() < CORNERED else 2
    strokes = []
    for points in way:
        stroke = np.array(points) * size + rng.normal(0, loose, (len(points), 2))
        for _ in range(rounds):  # rounds corners (G. Chaikin, 1974)
            near, far = 0.75 * stroke[:-1] + 0.25 * stroke[1:], 0.25 * stroke[:-1] + 0.75 * stroke[1:]
            between = np.stack([near, far], axis=1).reshape(-1, 2)
            stroke = np.concatenate([stroke[:1], between, stroke[-1:]])
        strokes.append(stroke)
    image, top = _drawn(strokes, thickness=int(rng.integers(8, 12)))
    return image, UNIT * size[1] - top


def _swept(image: Gray, rng: np.random.Generator) -> Gray:
    """Sweep the bar of a 5 up to the right, as those do who write it in one stroke."""
    rows = np.flatnonzero(image.max(axis=1) > OUTLINE)
    stem = np.flatnonzero(image[rows[0] : rows[0] + rows.size // 2].max(axis=0) > OUTLINE)[0]
    image = image.copy()
    image[: rows[0] + round(rng.uniform(0.15, 0.3) * rows.size), stem + 4 :] = 0
    image = np.pad(image, ((6, 0), (0, 8)))
    x, y = stem + 2.0, rows[0] + 6 + rng.uniform(0.05, 0.2) * rows.size
    _draw_line(image, (x, y), (x + rng.uniform(6, 18), y - rng.uniform(0, 7)), 2.3)
    return image


def _draw_line(image: Gray, start: tuple[float, float], end: tuple[float, float], thickness: float) -> None:
    height, width = image.shape
    fine = np.zeros((4 * height, 4 * width), np.uint8)
    a, b = ((round(4 * x + 2), round(4 * y + 2)) for x, y in (start, end))
    cv2.line(fine, a, b, 255, max(4, round(4 * thickness)))
    np.maximum(image, cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), out=image)


# ------------------------------------------------------------------------------------- glyphs to stamps


def width_of(glyphs: Sequence[Glyph], hand: Hand, gaps: Iterable[float] = ()) -> float:
    """Return how long a string gets, in shares of the digits' height."""
    widths = sum(glyph.image.shape[1] / glyph.unit * hand.aspect for glyph in glyphs)
    return float(widths + sum(_gap(hand, *pair) for pair in itertools.pairwise(glyphs)) + sum(gaps))


def _gap(hand: Hand, glyph: Glyph, following: Glyph, shift: float = 0.0) -> float:
    """Return the gap between two glyphs, ``shift`` more than usual.

    Signs stand close even where digits stand far apart, and where these are close, touch them or reach a
    little below, or take no room of their own; no digit is written over more than a part of the one before.
    """
    if 10 <= glyph.label < UNREAD or 10 <= following.label < UNREAD:
        close = min(max(hand.gap + shift, -0.08), 0.3 + 3 * max(shift, 0.0))
        if hand.squeezed and (width := _narrow_sign(glyph, following)):
            close = min(close, max((hand.gap + shift - hand.aspect * width) / 2, -0.03))
        if hand.tucked and glyph.label < 10 and NAMES[following.label] in ".,":
            return max(close, 0.03) - hand.tucked * hand.aspect * _overhang(glyph)
        return close
    gap = hand.gap + shift
    narrower = min(glyph.image.shape[1] / glyph.unit, following.image.shape[1] / following.unit)
    return float(max(gap, -0.35 * hand.aspect * narrower))


def _narrow_sign(glyph: Glyph, following: Glyph) -> float:
    """Return how wide a point or comma is that is one of these, in heights; 0 where none is."""
    signs = (each for each in (glyph, following) if each.label < UNREAD and NAMES[each.label] in ".,")
    return max((sign.image.shape[1] / sign.unit for sign in signs), default=0.0)


def _overhang(glyph: Glyph) -> float:
    """Return how far a digit reaches to the right over its foot, in heights: a 7 far, a 2 not at all."""
    ink = glyph.image > OUTLINE
    low = np.flatnonzero(ink[-max(1, round(len(ink) / 3)) :].any(axis=0))
    return float((ink.shape[1] - 1 - low[-1]) / glyph.unit) if low.size else 0.0


def write(strings: Sequence[String], hand: Hand, height: float, rng: np.random.Generator) -> list[Stamp]:
    """Write strings in one hand and one size.

    Args:
        strings: what, and where.
        hand: whose.
        height: of a digit, in pixels.
        rng: decides what is uneven.

    Returns:
        The stamps of all glyphs; they may lie outside the page.
    """
    # Small digits are drawn on a finer grid than the page's, large ones on a coarser.
    fine = int(np.ceil(FINEST / height)) if height < FINEST else 1 / int(np.ceil(height / COARSEST))
    slots = [
        slot
        for number, string in enumerate(strings)
        for slot in _slots(number, string, hand, height=height, fine=fine, rng=rng)
    ]
    if not slots:
        return []
    ends = np.cumsum([slot.columns for slot in slots])
    starts = np.concatenate([[0], ends[:-1]])
    strip = np.zeros((max(slot.rows for slot in slots), ends[-1]), np.uint8)
    for slot, start in zip(slots, starts.tolist(), strict=True):
        size = slot.columns, slot.rows
        strip[: slot.rows, start : start + slot.columns] = cv2.warpAffine(slot.glyph.image, slot.matrix, size)
    strip = _with_pen(strip, starts, half=hand.pen * height * fine / 2, scale=height * fine / UNIT, fine=fine)
    stamps = []
    for slot, start in zip(slots, starts.tolist(), strict=True):
        alpha = strip[:, round(start / fine) : round((start + slot.columns) / fine)]
        solid = cv2.threshold(alpha, 0.4 * float(alpha.max()), 255, cv2.THRESH_BINARY)[1]
        x, y, columns, rows = cv2.boundingRect(solid)
        if columns:
            cut = alpha[y : y + rows, x : x + columns]
            stamps.append(Stamp(cut, slot.x + x, slot.y + y, slot.glyph.label, slot.string))
    return stamps


@dataclass(frozen=True, slots=True, eq=False)
class _Slot:
    """A glyph's part of the strip: how it gets there, and where it lies on the page."""

    glyph: Glyph
    string: int
    matrix: npt.NDArray[np.float64]  # (2, 3), from the glyph's pixels to the slot's
    columns: int
    rows: int
    x: int
    y: int


def _slots(
    number: int, string: String, hand: Hand, *, height: float, fine: float, rng: np.random.Generator
) -> Iterable[_Slot]:
    """Return the slots of a string's glyphs.

    Args:
        number: the string's.
        string: what to write.
        hand: whose.
        height: of a digit, in pixels of the page.
        fine: pixels of the strip a pixel of the page.
        rng: decides what is uneven.
    """
    scale = height * fine
    cosine, sine = math.cos(string.angle), math.sin(string.angle)
    uneven = rng.standard_normal((len(string.glyphs), 4)).clip(-2.5, 2.5)
    uneven *= np.array([0.06, 0.05, 0.04, 0.03]) * hand.unevenness
    extra = string.gaps or [0.0] * len(string.glyphs)
    grid = max(1, round(1 / fine))  # pixels of the page a pixel of the strip
    pad = 3 + hand.pen * scale / 2
    cursor = 0.0  # along the baseline
    for i, (glyph, (shift, size, rise, turn)) in enumerate(zip(string.glyphs, uneven.tolist(), strict=True)):
        rows, columns = glyph.image.shape
        tall = scale / glyph.unit * math.exp(size)
        wide = tall * hand.aspect
        lean = turn + hand.slant - _own_slant(glyph)
        # The glyph's x goes along the baseline, turned a little; its y goes down from it, against the slant.
        xx, xy = (cosine - turn * sine) * wide, (sine + turn * cosine) * wide
        yx, yy = (-sine - lean * cosine) * tall, (cosine - lean * sine) * tall
        cursor += (extra[i] + (_gap(hand, string.glyphs[i - 1], glyph, shift) if i else 0.0)) * scale
        x = string.x * fine + cursor * cosine - rise * scale * sine - yx * glyph.foot
        y = string.y * fine + cursor * sine + rise * scale * cosine - yy * glyph.foot
        left, right = (
            x + min(0, columns * xx) + min(0, rows * yx),
            x + max(0, columns * xx) + max(0, rows * yx),
        )
        top, bottom = (
            y + min(0, columns * xy) + min(0, rows * yy),
            y + max(0, columns * xy) + max(0, rows * yy),
        )
        left, top = (
            math.floor((low - pad) / fine / grid) * grid for low in (left, top)
        )  # pixels of the page
        right, bottom = (math.ceil((high + pad) / fine / grid) * grid for high in (right, bottom))
        matrix = np.array([[xx, yx, x - left * fine], [xy, yy, y - top * fine]])
        yield _Slot(
            glyph, number, matrix, round((right - left) * fine), round((bottom - top) * fine), left, top
        )
        cursor += columns * wide


def _own_slant(glyph: Glyph) -> float:
    """Return half the slant a digit was written with, to be taken off before the hand's is put on."""
    if glyph.label > 9:
        return 0.0
    moments = cv2.moments(glyph.image)
    own = -0.5 * moments["mu11"] / max(moments["mu02"], 1e-6)
    return float(min(max(own, -0.4), 0.4))


def _with_pen(strip: Gray, starts: npt.NDArray[np.int64], *, half: float, scale: float, fine: float) -> Gray:
    """Draw strokes that reach ``half`` pixels to both sides of their middle, in the page's size.

    Args:
        strip: glyphs as enlarged, side by side.
        starts: each glyph's first column.
        half: half the pen's width in pixels of the strip.
        scale: how much was enlarged, which tells how much to smooth.
        fine: pixels of the strip a pixel of the page.
    """
    smooth = cv2.GaussianBlur(strip, (0, 0), max(0.5, 0.4 * scale))
    # Where strokes run close together, only what is clearly lighter than they are is paper between them.
    nearby = np.ones((2 * round(1.3 * scale) + 1,) * 2, np.uint8)
    outline = np.maximum(cv2.dilate(smooth, nearby) // 2, OUTLINE * 3 // 4)
    ink = (smooth > outline).view(np.uint8)
    inside = cv2.GaussianBlur(cv2.distanceTransform(ink, cv2.DIST_L2, 5), (3, 3), 0)
    drawn = inside - cv2.distanceTransform(1 - ink, cv2.DIST_L2, 3)
    # Across a stroke the distance rises and falls evenly, so its mean is half of what it is in the middle.
    sums = np.add.reduceat(inside.sum(axis=0), starts)
    areas = np.add.reduceat(ink.sum(axis=0, dtype=np.float32), starts)
    reach = (2 * sums / np.maximum(areas, 1) - 0.5).astype(np.float32)
    growth = np.float32(half) - reach
    growth *= np.where(
        growth < 0, np.float32(1.5), np.float32(1)
    )  # a blot of a fat pen is a line of a thin one
    drawn += np.repeat(growth, np.diff(starts, append=strip.shape[1]))
    if half < reach.max():  # some strokes might vanish
        # The distance is a roof: smoothed it is as high on its even sides, and lower along its ridge.
        smoothing = max(0.7, 0.5 * scale)
        ridge = (inside - cv2.GaussianBlur(inside, (0, 0), smoothing)) / np.float32(RIDGE * smoothing)
        line = np.float32(max(half, THINNEST)) - np.maximum(1 - ridge, 0) * np.float32(ASIDE * smoothing)
        np.maximum(drawn, np.where(ink > 0, line, np.float32(-1)), out=drawn)
    size = round(strip.shape[1] / fine), round(strip.shape[0] / fine)
    if fine < 1:
        drawn = cv2.GaussianBlur(cv2.resize(drawn, size), (0, 0), 0.6 / fine) / np.float32(fine)
    alpha = cv2.convertScaleAbs(np.maximum(drawn + np.float32(0.5), 0), alpha=255)
    if fine > 1:
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    elif fine == 1:
        alpha = cv2.GaussianBlur(alpha, (3, 3), 0.6)
    # A camera shows a line that is thinner than its pixels as a paler one.
    return np.asarray(cv2.convertScaleAbs(alpha, alpha=float(np.clip(half / THINNEST, PALEST, 1))), np.uint8)
