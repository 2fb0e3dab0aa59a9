"""What stands on pages beside numbers and is not to be read: words, print, strokes, stamps, a finger."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from inkdigits.learning.synthesis.ink import (
    UNREAD,
    Glyph,
    Hand,
    String,
    capital_glyph,
    some_hand,
    stroke_glyph,
    word_glyph,
)
from inkdigits.learning.synthesis.lettering import ALPHABETS, LATIN, LIKE_DIGITS, Font, fonts, ink_of
from inkdigits.learning.synthesis.paper import Purpose, choose, cover
from inkdigits.learning.synthesis.sheet import Point, Sheet, area_of
from inkdigits.learning.synthesis.strokes import BEFORE, STROKES

_TEXT = """
the and of to in is you that it he was for on are as with his they at be this have from or one had
by word but not what all were we when your can said there use an each which she do how their if will
up other about out many then them these so some her would make like him into time has look two more
write go see number Total Summe Betrag Datum Name Date Amount Price Tel Nr No Room Page Menge Anzahl
Stück Qty Sum Temp Puls Monday Dienstag Mai June Oktober Weight Höhe Größe size kg cm mm ml km min
max mg EUR USD Hello World Milk Eggs Bread Kasse Bank Pay Check Invoice Order Item Signature Address
Street City Phone Code Patient Dose Test Result Note Memo Rent Gas Water Bill Paid Due Balance Cash
Card Yes No Left Right Height Width pesos
"""
WORDS = tuple(_TEXT.split())
# What stands alone must not be taken for a digit by people either.
AMBIGUOUS = LIKE_DIGITS | set("ijJyбчЧэЭьцЦろるつしちらイウクノフヨレロワア了")  # noqa: RUF001
CODES = 0.15  # share of what stands beside numbers that is letters of a code, as on plates and parts
DRAWN_LETTERS = 0.5  # share of the single letters that are drawn instead of a font's
UNITS = (
    "kg",
    "cm",
    "m",
    "mm",
    "ml",
    "km",
    "mg",
    "min",
    "EUR",
    "Uhr",
    "h",
    "px",
    "W",
    "am",
    "pm",
    "th",
    "rd",
    "A",
    "x",
)


def some_word(rng: np.random.Generator, purpose: Purpose) -> Glyph:
    """Return a word in pen, of letters in some script."""
    while True:
        font = choose(fonts(purpose), rng)
        alphabet = ALPHABETS[font.script]
        if font.script == "latin" and rng.random() < 0.8:
            text = choose(WORDS, rng)
            text = text.upper() if rng.random() < 0.1 else text
        else:
            text = "".join(alphabet[i] for i in rng.integers(len(alphabet), size=int(rng.integers(1, 6))))
        if not set(text) <= AMBIGUOUS and (glyph := word_glyph(text, font)):
            return glyph


def some_text(rng: np.random.Generator, purpose: Purpose) -> Glyph:
    """Return a word in pen or print.

    Never a printed number: whether one is printed is seen on the page, not on a line of a neat hand.
    """
    while True:
        if rng.random() < 0.7:
            return some_word(rng, purpose)
        if glyph := word_glyph(choose(WORDS, rng), choose(fonts("printed"), rng)):
            return glyph


def some_stamp(rng: np.random.Generator) -> Glyph:
    """Return the imprint of an oval stamp with a small word in it; from afar it looks like a 0."""
    while True:
        word = ink_of(choose(WORDS, rng).upper(), choose(fonts("printed"), rng), 24)
        if min(word.shape) > 2:
            break
    height, width = word.shape
    tall = round(height * rng.uniform(1.6, 3.5))
    wide = round(max(1.25 * width, tall * rng.uniform(0.7, 1.5)))
    image = np.zeros((tall + 8, wide + 8), np.uint8)
    middle = (wide // 2 + 4, tall // 2 + 4)
    cv2.ellipse(image, middle, (wide // 2, tall // 2), 0, 0, 360, 255, int(rng.integers(2, 6)))
    top, left = middle[1] - height // 2, middle[0] - width // 2
    part = image[top : top + height, left : left + width]
    np.maximum(part, word, out=part)
    return Glyph(image, len(image), len(image) / rng.uniform(0.8, 1.5), UNREAD)


def some_letter(rng: np.random.Generator, purpose: Purpose) -> Glyph:
    """Return a single letter that nobody takes for a digit.

    Drawn letters are for training only: held-out ones are of fonts, which the network has not seen.
    """
    if purpose == "training" and rng.random() < DRAWN_LETTERS:
        return capital_glyph(rng)
    while True:
        font = choose(fonts(purpose), rng)
        letter = choose(ALPHABETS[font.script], rng)
        if letter not in AMBIGUOUS and (glyph := word_glyph(letter, font)):
            return glyph


def some_unit(rng: np.random.Generator, purpose: Purpose) -> Glyph:
    """Return what stands after a measured number."""
    latin = [font for font in fonts(purpose) if font.script == "latin"]
    return word_glyph(choose(UNITS, rng), choose(latin, rng)) or stroke_glyph("%", rng)


def print_text(
    sheet: Sheet,
    text: str,
    font: Font,
    height: float,
    start: Point,
    *,
    tone: float,
    angle: float,
    share: float = 1.0,
) -> None:
    """Print a line of text whose top left corner is at a point."""
    image = ink_of(text, font, max(8, min(64, round(height))))
    if not image.size:
        return
    zoom = height / max(8, min(64, round(height)))
    cosine, sine = np.cos(angle) * zoom, np.sin(angle) * zoom
    reach = int(np.hypot(*image.shape) * zoom) + 2
    low = np.floor(start - reach).astype(int)
    low, high = np.maximum(low, 0), np.minimum(low + 2 * reach + 1, (sheet.width, sheet.height))
    if (high <= low).any():
        return
    matrix = np.array([[cosine, -sine, start[0] - low[0]], [sine, cosine, start[1] - low[1]]])
    alpha = cv2.warpAffine(image, matrix, tuple((high - low).tolist()))
    alpha = cv2.convertScaleAbs(alpha, alpha=share)
    cover(sheet.picture[low[1] : high[1], low[0] : high[0]], np.asarray(alpha, np.uint8), tone)


def printed_text(rng: np.random.Generator) -> str:
    """Return a word, a label, a number, a date or a time of day, as forms and cameras print them."""
    kind = rng.random()
    some = rng.integers(0, 10, 14).astype(str).tolist()
    if kind < 0.5:
        return " ".join(choose(WORDS, rng) for _ in range(int(rng.integers(1, 4)))) + (
            ":" if rng.random() < 0.4 else ""
        )
    if kind < 0.65:
        return "".join(some[: int(rng.integers(1, 9))])
    if kind < 0.75:
        return "20{}{}-{}{}-{}{} {}{}:{}{}".format(*some)
    if kind < 0.85:
        return "{}{}.{}{}.20{}{}".format(*some)
    if kind < 0.92:
        return f"Nr. {''.join(some[:5])}"
    return "".join(choose(ALPHABETS["latin"].upper(), rng) for _ in range(int(rng.integers(1, 6))))


# ----------------------------------------------------------------------------------- one thing on a sheet


def add_clutter(sheet: Sheet, rng: np.random.Generator) -> None:
    """Put one thing somewhere on the sheet, where nothing is yet, or nothing if the place is taken.

    Some things are only on held-out pages, to measure what is read of things that no training page has.
    """
    choose(_THINGS if sheet.purpose == "training" else _THINGS + _HELD_OUT, rng)(sheet, rng)


def _somewhere(sheet: Sheet, rng: np.random.Generator) -> Point:
    return np.asarray(rng.uniform(0.02, 0.95, 2) * (sheet.width, sheet.height))


def _size(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _handwriting(sheet: Sheet, rng: np.random.Generator) -> None:
    """Write a few words or letters."""
    hand = some_hand(rng, sheet.kind.between(rng.uniform(0.5, 1)), sheet.purpose)
    height = _size(rng, 8, 0.35 * sheet.height)
    make = some_letter if height > 50 else some_word
    angle = sheet.angle + rng.normal(0, 0.08)
    start = _somewhere(sheet, rng)
    strings = []
    for _ in range(int(rng.integers(1, 4))):
        glyph = make(rng, sheet.purpose)
        corners, width = area_of([glyph], hand, height, start, angle)
        if not sheet.claim(corners):
            break
        strings.append(String([glyph], start[0], start[1], angle))
        start = start + (width + 0.4 * height) * np.array([np.cos(angle), np.sin(angle)])
    sheet.write(strings, hand, height, rng)


def _print(sheet: Sheet, rng: np.random.Generator) -> None:
    """Print a few lines, as on a form, a newspaper or a time stamp."""
    font = choose(fonts("printed"), rng)
    height = _size(rng, 8, 50)
    tone = sheet.kind.between(rng.uniform(0.4, 1.1))
    start = _somewhere(sheet, rng)
    for line in range(int(rng.integers(1, 5))):
        text = printed_text(rng)
        here = start + line * 1.3 * height * np.array([-np.sin(sheet.angle), np.cos(sheet.angle)])
        if not sheet.claim(_rectangle(here, 0.55 * height * len(text), height, sheet.angle)):
            return
        print_text(sheet, text, font, height, here, tone=tone, angle=sheet.angle)


def _axes(angle: float) -> tuple[Point, Point]:
    """Return the directions (x, y) along lines of this angle and down across them."""
    along = np.array([np.cos(angle), np.sin(angle)])
    return along, np.array([-along[1], along[0]])


def _rectangle(start: Point, width: float, height: float, angle: float) -> Point:
    along, down = _axes(angle)
    return np.array(
        [start, start + width * along, start + width * along + height * down, start + height * down]
    )


def _rule(sheet: Sheet, rng: np.random.Generator) -> None:
    """Draw a straight line much longer than a digit, through anything: a rule, a fold, a border, a cable."""
    angle = (
        sheet.angle
        + rng.integers(2) * np.pi / 2
        + (rng.normal(0, 0.05) if rng.random() < 0.7 else rng.uniform(0, 3))
    )
    reach = rng.uniform(0.25, 1.2) * sheet.height * np.array([np.cos(angle), np.sin(angle)])
    middle = _somewhere(sheet, rng)
    tone = sheet.kind.between(rng.uniform(0.25, 1))
    sheet.draw([[middle - reach, middle + reach]], tone, _size(rng, 1, 5), rng.uniform(0.4, 1))


def _symbol(sheet: Sheet, rng: np.random.Generator) -> None:
    """Draw a symbol: a tick, an arrow, a plus, a bracket."""
    hand = some_hand(rng, sheet.kind.between(rng.uniform(0.5, 1)), sheet.purpose)
    height = _size(rng, 10, 0.4 * sheet.height)
    name = choose([name for name in STROKES if name not in ".,:/?"], rng)
    glyph, start = stroke_glyph(name, rng), _somewhere(sheet, rng)
    angle = sheet.angle + rng.normal(0, 0.1)
    if sheet.claim(area_of([glyph], hand, height, start, angle)[0]):
        sheet.write([String([glyph], start[0], start[1], angle)], hand, height, rng)


def _scribble(sheet: Sheet, rng: np.random.Generator) -> None:
    """Scribble: a signature, a crossed-out word, a doodle."""
    size = _size(rng, 15, 0.5 * sheet.height)
    start = _somewhere(sheet, rng)
    if not sheet.claim(_rectangle(start, 2 * size, size, 0)):
        return
    count = int(rng.integers(6, 16))
    knots = rng.uniform(0, 1, (count, 2)) * (0.5, 1)
    knots[:, 0] += np.linspace(0, 1.5, count) if rng.random() < 0.7 else rng.uniform(0, 1.5)
    curve = cv2.resize(
        (start + size * knots).astype(np.float32), (2, 8 * count), interpolation=cv2.INTER_CUBIC
    )
    sheet.draw(
        [curve], sheet.kind.between(rng.uniform(0.4, 1)), _size(rng, 1, 0.12 * size + 1), rng.uniform(0.5, 1)
    )


def _stamp(sheet: Sheet, rng: np.random.Generator) -> None:
    """Stamp a framed word, faint and turned."""
    font, text = choose(fonts("printed"), rng), choose(WORDS, rng).upper()
    height = _size(rng, 10, 30)
    angle = sheet.angle + rng.normal(0, 0.25)
    start = _somewhere(sheet, rng)
    frame = _rectangle(start - 0.3 * height, (0.6 * len(text) + 0.8) * height, 1.6 * height, angle)
    if not sheet.claim(frame):
        return
    tone, share = sheet.kind.between(rng.uniform(0.4, 1)), rng.uniform(0.4, 0.9)
    print_text(sheet, text, font, height, start, tone=tone, angle=angle, share=share)
    if rng.random() < 0.5:
        sheet.draw([frame[[0, 1, 2, 3, 0]]], tone, rng.uniform(1, 3), share)
    else:
        turn = np.linspace(0, 2 * np.pi, 40)[:, np.newaxis]
        middle, half = frame.mean(axis=0), (frame[1] - frame[0]) / 2
        other = (frame[3] - frame[0]) * 0.9
        sheet.draw([middle + np.cos(turn) * half + np.sin(turn) * other], tone, rng.uniform(1, 3), share)


def _bubbles(sheet: Sheet, rng: np.random.Generator) -> None:
    """Print rows of small circles to choose from, as on answer sheets, one of each row filled in or none."""
    radius, rows, columns = _size(rng, 4, 20), int(rng.integers(1, 6)), int(rng.integers(3, 7))
    start, step = _somewhere(sheet, rng), radius * rng.uniform(2.4, 4)
    if not sheet.claim(_rectangle(start, (columns + 1) * step, (rows + 1) * step, sheet.angle)):
        return
    turn = np.linspace(0, 2 * np.pi, 24)[:, np.newaxis]
    circle = np.hstack([np.cos(turn), np.sin(turn)])
    tone, thickness = sheet.kind.between(rng.uniform(0.4, 1)), rng.uniform(1, 0.2 * radius + 1)
    along, down = _axes(sheet.angle)
    font, names = choose(fonts("printed"), rng), choose(("ABCDEF", "123456", ""), rng)
    for row in range(rows):
        filled = int(rng.integers(columns + 1))
        for column in range(columns):
            middle = start + (column + 1) * step * along + (row + 1) * step * down
            sheet.draw([middle + radius * circle], tone, thickness)
            if column == filled:
                sheet.draw([middle + 0.4 * radius * circle], tone, 0.8 * radius)
            elif names and radius > 6:
                corner = middle - radius * (0.4 * along + 0.5 * down)
                print_text(sheet, names[column], font, 1.3 * radius, corner, tone=tone, angle=sheet.angle)


def _thing(sheet: Sheet, rng: np.random.Generator) -> None:
    """Lay something plain onto the sheet's border: a finger, a pen, a phone, a cup."""
    size = np.array([sheet.width, sheet.height])
    middle = rng.uniform(0, 1, 2)
    middle[int(rng.integers(2))] = rng.integers(2)  # on the border
    middle = middle * size
    if rng.random() < 0.5:
        turn = np.linspace(0, 2 * np.pi, 24)[:, np.newaxis]
        axes = rng.normal(0, 0.15, (2, 2)) * size
        corners = middle + np.cos(turn) * axes[0] + np.sin(turn) * axes[1]
    else:  # a pen or a finger
        toward = size / 2 - middle
        toward = toward / np.hypot(*toward) * rng.uniform(0.2, 0.5) * sheet.height
        across = np.array([-toward[1], toward[0]]) * rng.uniform(0.06, 0.3)
        corners = np.array(
            [
                middle - across,
                middle + toward - across,
                middle + 1.1 * toward,
                middle + toward + across,
                middle + across,
            ]
        )
    if not sheet.claim(corners):
        return
    mask = np.zeros(sheet.picture.shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(corners).astype(np.int32)), 255, cv2.LINE_AA)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 2))
    cover(sheet.picture, np.asarray(soft, np.uint8), float(rng.uniform(0, 0.8)))


def _barcode(sheet: Sheet, rng: np.random.Generator) -> None:
    """Stick on a barcode, its number below it or not."""
    height = _size(rng, 12, 0.25 * sheet.height)
    module, digits = max(1.0, height / rng.uniform(15, 40)), "".join(rng.integers(0, 10, 12).astype(str))
    edges = np.cumsum(rng.integers(1, 5, 2 * int(rng.integers(10, 31)))) * module
    start, angle = _somewhere(sheet, rng), sheet.angle + rng.normal(0, 0.1)
    if not sheet.claim(_rectangle(start, edges[-1] + 8 * module, 1.5 * height, angle)):
        return
    along, down = _axes(angle)
    tone = sheet.kind.between(rng.uniform(0.6, 1))
    mask = np.zeros(sheet.picture.shape, np.uint8)
    for left, right in (edges + 2 * module).reshape(-1, 2):
        bar = _rectangle(start + left * along + 0.1 * height * down, right - left, height, angle)
        cv2.fillConvexPoly(mask, np.round(16 * bar).astype(np.int32), 255, cv2.LINE_AA, 4)
    cover(sheet.picture, mask, tone)
    if rng.random() < 0.5:
        font, below = choose(fonts("printed"), rng), start + 2 * module * along + 1.15 * height * down
        print_text(sheet, digits, font, 0.3 * height, below, tone=tone, angle=angle)


def _ring(sheet: Sheet, rng: np.random.Generator) -> None:
    """Leave the ring of a cup, paler in places; it crosses anything."""
    radius, middle = rng.uniform(0.1, 0.3) * sheet.height, _somewhere(sheet, rng)
    turn = np.linspace(0, 2 * np.pi, 60)[:, np.newaxis]
    rim = middle + radius * np.hstack([np.cos(turn), np.sin(turn)]) * rng.uniform(0.9, 1.1, 2)
    tone, thickness = sheet.kind.between(rng.uniform(0.2, 0.7)), max(1.0, radius * rng.uniform(0.03, 0.12))
    for first in range(0, 60, 10):
        sheet.draw([rim[first : first + 11]], tone, thickness, rng.uniform(0, 0.7))


def _crossed_out(sheet: Sheet, rng: np.random.Generator) -> None:
    """Write a word and cross it out, several times."""
    hand = some_hand(rng, sheet.kind.between(rng.uniform(0.5, 1)), sheet.purpose)
    height, start, angle = _size(rng, 10, 60), _somewhere(sheet, rng), sheet.angle + rng.normal(0, 0.08)
    glyph = some_word(rng, sheet.purpose)
    corners, _ = area_of([glyph], hand, height, start, angle)
    if not sheet.claim(corners):
        return
    sheet.write([String([glyph], start[0], start[1], angle)], hand, height, rng)
    left, right = corners[[0, 3]], corners[[1, 2]]
    for _ in range(int(rng.integers(2, 7))):
        ends = [side[0] + rng.uniform(0.2, 0.9) * (side[1] - side[0]) for side in (left, right)]
        sheet.draw([ends], hand.tone, hand.pen * height)


_Thing = Callable[[Sheet, np.random.Generator], None]
_THINGS: tuple[_Thing, ...] = (
    *(_handwriting, _handwriting, _print, _print, _rule, _rule, _rule),
    *(_symbol, _scribble, _stamp, _bubbles, _thing),
)
_HELD_OUT: tuple[_Thing, ...] = (_barcode, _ring, _crossed_out)


# ---------------------------------------------------------------------------------------- around a number


def decorate(sheet: Sheet, area: Point, height: float, hand: Hand, rng: np.random.Generator) -> None:
    """Underline, strike out, circle or box a string that takes this area, with the hand's own pen.

    Args:
        sheet: to draw on.
        area: corners (4, 2): top left, top right, bottom right, bottom left.
        height: of its digits in pixels.
        hand: whose pen it is.
        rng: decides all.
    """
    top, bottom = (area[0], area[1]), (area[3], area[2])
    kind = rng.random()
    shake = rng.normal(0, 0.06 * height, (2, 2))
    share = rng.uniform(0.6, 1)
    width = max(0.6, hand.pen * height * rng.uniform(0.5, 1))
    if kind < 0.4:
        curves = [np.array(bottom) + shake]
        if rng.random() < 0.3:
            curves.append(curves[0] + 0.15 * height)
    elif kind < 0.5:
        middle = 0.5 * (np.array(top) + np.array(bottom))
        curves = [middle + 0.1 * height + 2 * shake]
    elif kind < 0.75:
        turn = np.linspace(rng.uniform(0, 1), 2 * np.pi + rng.uniform(0.5, 1.5), 40)[:, np.newaxis]
        center, right, down = area.mean(axis=0), (area[1] - area[0]) / 2, (area[3] - area[0]) / 2
        grown = rng.uniform(1.1, 1.35) * np.linspace(1, rng.uniform(0.95, 1.1), 40)[:, np.newaxis]
        curves = [
            center
            + grown
            * (np.cos(turn) * (right + 0.2 * height * right / np.hypot(*right)) + np.sin(turn) * 1.15 * down)
        ]
    else:
        curves = [area[[0, 1, 2, 3, 0]] + rng.normal(0, 0.04 * height, (5, 2))]
    sheet.draw(curves, hand.tone, width, share)


def beside(glyphs: list[Glyph], rng: np.random.Generator, purpose: Purpose) -> list[Glyph]:
    """Put what is not read beside a number: a currency sign, a unit, a bracket, a dash, letters of a code."""
    if rng.random() < CODES:
        letters = _code(rng, purpose)
        before = glyphs[0].label < 10 and rng.random() < 0.75  # in "AB-12" the sign is none of the number's
        return [*letters, *glyphs] if before else [*glyphs, *letters]
    chance = rng.random()
    if chance < 0.35:
        fillers = int(rng.integers(2, 4)) if rng.random() < 0.2 else 1  # ###123
        name = choose("#*" if fillers > 1 else BEFORE, rng)
        return [*(stroke_glyph(name, rng) for _ in range(fillers)), *glyphs]
    if chance < 0.65:
        return [*glyphs, some_unit(rng, purpose)]
    if chance < 0.75:
        return [stroke_glyph("(", rng), *glyphs, stroke_glyph(")", rng)]
    ending = choose(
        ("-", "=", ".-", ",-", "-", "=", ".", "~", "*", "%", "°", ")", "##", "--", "***", "---"), rng
    )
    return [*glyphs, *(stroke_glyph(name, rng) for name in ending)]


def _code(rng: np.random.Generator, purpose: Purpose) -> list[Glyph]:
    """Return the letters of a code, one to three, in the same alphabet."""
    count = int(rng.integers(1, 4))
    if purpose == "training" and rng.random() < DRAWN_LETTERS:
        return [capital_glyph(rng) for _ in range(count)]
    font = choose([font for font in fonts(purpose) if font.script == "latin"], rng)
    letters = [letter for letter in LATIN.upper() if letter not in AMBIGUOUS]
    return [glyph for _ in range(count) if (glyph := word_glyph(choose(letters, rng), font))]
