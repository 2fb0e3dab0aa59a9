"""Who writes what where: the texts of numbers, and layouts that put them on a sheet.

A layout is a function that writes on a sheet. It gets the digits to write with, or None to write the same
sort of page with words only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from inkdigits.learning.mnist import Split
from inkdigits.learning.synthesis.clutter import (
    beside,
    decorate,
    print_text,
    printed_text,
    some_letter,
    some_word,
)
from inkdigits.learning.synthesis.ink import (
    UNREAD,
    Glyph,
    Hand,
    String,
    number_glyphs,
    some_hand,
    stroke_glyph,
    width_of,
)
from inkdigits.learning.synthesis.lettering import fonts
from inkdigits.learning.synthesis.paper import Kind, Purpose, choose
from inkdigits.learning.synthesis.sheet import Point, Sheet, area_of

MOST = 90  # digits a page
SINGLE = 0.3  # share of the sheets filled with one string that have one digit


def some_number(rng: np.random.Generator) -> str:
    """Return a number as people write them: digits with the signs inside and before it."""
    kind = rng.random()
    some = rng.integers(0, 10, 14)
    if rng.random() < 0.5:  # half of the first digits are 1, 2 or 3 (F. Benford, 1938)
        some[0] = int(10 ** rng.random())
    if rng.random() < 0.08:
        some[:] = some[0]
    digits = "".join(some.astype(str))
    if kind < 0.52:
        length = int(rng.integers(1, 9)) if rng.random() < 0.6 else int(rng.integers(1, 4))
        length = int(rng.integers(8, 15)) if rng.random() < 0.08 else length
        text = digits[:length]
        if length > 2 and rng.random() < 0.3:
            zeros = int(rng.integers(1, length))
            text = text[: length - zeros] + "0" * zeros
    elif kind < 0.72:
        text = digits[: int(rng.integers(1, 5))] + choose(".,", rng) + digits[5 : 6 + int(rng.integers(3))]
    elif kind < 0.84:
        groups = [
            digits[: int(rng.integers(1, 4))],
            "000" if rng.random() < 0.4 else digits[4:7],
            digits[7:10],
        ]
        text = choose(".,", rng).join(groups[: 2 if rng.random() < 0.8 else 3])
    elif kind < 0.9:
        sign = choose("/.-", rng)
        text = sign.join(
            (digits[: int(rng.integers(1, 3))], digits[2 : int(rng.integers(3, 5))], digits[4:6])
        )
        text = text if rng.random() < 0.6 else text.rsplit(sign, 1)[0] + sign + digits[6:10]
    elif kind < 0.95:
        text = digits[: int(rng.integers(1, 3))] + ":" + digits[2:4]
    else:
        text = digits[: int(rng.integers(1, 5))] + choose("-/-", rng) + digits[5 : 6 + int(rng.integers(4))]
    return "-" + text if rng.random() < 0.08 else text


def some_glyphs(digits: Split | None, hand: Hand, sheet: Sheet, rng: np.random.Generator) -> list[Glyph]:
    """Return a number, with something beside it at times; a word where there is nothing to read."""
    if digits is None:
        return [some_word(rng, sheet.purpose) if rng.random() < 0.8 else some_letter(rng, sheet.purpose)]
    glyphs = number_glyphs(some_number(rng), digits, hand, rng)
    return beside(glyphs, rng, sheet.purpose) if rng.random() < 0.15 else glyphs


def some_sum(
    digits: Split | None, hand: Hand, rng: np.random.Generator, purpose: Purpose
) -> tuple[list[list[Glyph]], float]:
    """Return a sum, and the extra space between its parts in shares of the height.

    Its parts are numbers, or letters where there is nothing to read, and between them what is done with them.
    A minus between numbers belongs to none of them: it has room on both sides, which a sign has not.
    """
    parts: list[list[Glyph]] = []
    signs = [choose("+-\u00d7÷", rng) for _ in range(int(rng.integers(1, 4)))]
    signs += ["="] * int(rng.integers(2))
    for name in signs:
        parts += [_some_term(digits, hand, rng, purpose), [stroke_glyph(name, rng)]]
    if signs[-1] != "=" or rng.random() < 0.6:
        parts.append(_some_term(digits, hand, rng, purpose))
    return parts, float(rng.uniform(0.45 if "-" in signs else 0.1, 1.1))


def _some_term(digits: Split | None, hand: Hand, rng: np.random.Generator, purpose: Purpose) -> list[Glyph]:
    if digits is None:
        return [some_letter(rng, purpose)]
    return number_glyphs(str(rng.integers(10 ** rng.integers(1, 4))), digits, hand, rng)


def shortened(glyphs: list[Glyph], most: int) -> list[Glyph]:
    """Return the first glyphs, but no sign at their end, where it would not be inside a number."""
    kept = glyphs[:most]
    while kept and 10 <= kept[-1].label < UNREAD:
        kept.pop()
    return kept or [glyph for glyph in glyphs if glyph.label < 10][:1]


def _some_size(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(max(low, high)))))


def some_pen(kind: Kind, rng: np.random.Generator, purpose: Purpose) -> Hand:
    """Return a hand whose ink stands out from the paper, mostly strongly."""
    strong = rng.random() < 0.7 or abs(kind.paper - kind.ink) < 0.4
    return some_hand(rng, kind.between(1.0 if strong else rng.uniform(0.5, 1)), purpose)


def _parting(hand: Hand) -> float:
    """Return what parts two numbers of a hand at least, in heights: clearly more than its digits."""
    return max(0.2, 1.4 * hand.gap)


# ------------------------------------------------------------------------------------------------ layouts


def _scatter(sheet: Sheet, digits: Split | None, rng: np.random.Generator) -> None:
    """Write numbers of several hands and sizes here and there, tiny beside huge ones at times."""
    hand = some_pen(sheet.kind, rng, sheet.purpose)
    largest = _some_size(14, 0.5 * sheet.height, rng)
    single, of_all_sizes = rng.random() < 0.3, rng.random() < 0.3
    for number in range(int(rng.integers(1, 10))):
        if rng.random() < 0.4:
            hand = some_pen(sheet.kind, rng, sheet.purpose)
        if of_all_sizes:  # a heading, and what stands below it
            height = largest if number == 0 else _some_size(11, largest, rng)
        else:
            height = max(11.0, largest * rng.uniform(0.4, 1))
        glyphs = some_glyphs(digits, hand, sheet, rng)
        _place(sheet, shortened(glyphs, 1) if single else glyphs, hand, height, rng)


def _fill(sheet: Sheet, digits: Split | None, rng: np.random.Generator) -> None:
    """Fill most of the sheet with one number or one digit."""
    hand = some_pen(sheet.kind, rng, sheet.purpose)
    glyphs = shortened(
        some_glyphs(digits, hand, sheet, rng), 1 if rng.random() < SINGLE else int(rng.integers(2, 7))
    )
    most = min(0.9 * sheet.height, 0.95 * sheet.width / max(0.3, width_of(glyphs, hand)))
    _place(sheet, glyphs, hand, max(11.0, most * rng.uniform(0.6, 1)), rng)


def _place(sheet: Sheet, glyphs: list[Glyph], hand: Hand, height: float, rng: np.random.Generator) -> None:
    """Write a string wherever there is room for it; after some tries, nowhere."""
    angle = float(sheet.angle + rng.normal(0, 0.03))
    width = width_of(glyphs, hand) * height
    for _ in range(6):
        right = rng.uniform(-sheet.width / 2, max(sheet.width / 2 - width, -sheet.width / 2 + 1))
        down = rng.uniform(min(height - sheet.height / 2, 0.3 * height), sheet.height / 2)
        start = sheet.at(right, down)
        area, _width = area_of(glyphs, hand, height, start, angle)
        if sheet.claim(area):
            sheet.write([String(glyphs, start[0], start[1], angle)], hand, height, rng)
            if rng.random() < 0.1:
                decorate(sheet, area, height, hand, rng)
            return


def _rows(sheet: Sheet, digits: Split | None, rng: np.random.Generator) -> None:
    """Write line under line, numbers only or among words, close or far apart."""
    hand = some_pen(sheet.kind, rng, sheet.purpose)
    height = _some_size(11, 0.3 * sheet.height, rng)
    step = height * rng.uniform(1.25, 2.6)
    space = height * (_parting(hand) + rng.uniform(0.4, 4))
    words = choose((0.0, 0.0, 0.0, 0.3, 0.7), rng)
    half = 0.5 * sheet.width * rng.uniform(0.6, 1)
    strings: list[String] = []
    down = -sheet.height / 2 + height * rng.uniform(1, 2)
    while down < sheet.height / 2 and sum(len(string.glyphs) for string in strings) < MOST:
        right = -half + abs(rng.normal(0, 0.5)) * height
        angle = float(sheet.angle + rng.normal(0, 0.015))
        while right < half:
            word = rng.random() < words
            glyphs = some_glyphs(None if word else digits, hand, sheet, rng)
            width = width_of(glyphs, hand) * height
            if right + width > half + height:
                break
            start = sheet.at(right, down)
            area, _ = area_of(glyphs, hand, height, start, angle)
            sheet.claim(area)
            strings.append(String(glyphs, start[0], start[1], angle))
            if rng.random() < 0.04:
                decorate(sheet, area, height, hand, rng)
            right += width + space * rng.uniform(0.7, 1.3)
        down += step * rng.uniform(0.95, 1.05)
        if rng.random() < 0.08:
            break
    sheet.write(strings, hand, height, rng)


def _sums(sheet: Sheet, digits: Split | None, rng: np.random.Generator) -> None:
    """Write a sum, or one under the other."""
    hand = some_pen(sheet.kind, rng, sheet.purpose)
    parts, space = some_sum(digits, hand, rng, sheet.purpose)
    wide = sum(width_of(glyphs, hand) + hand.gap + space for glyphs in parts)
    height = _some_size(11, min(0.95 * sheet.width / wide, 0.5 * sheet.height), rng)
    step, angle = height * rng.uniform(1.3, 3), float(sheet.angle + rng.normal(0, 0.02))
    left = rng.uniform(-sheet.width / 2, max(sheet.width / 2 - wide * height, 1 - sheet.width / 2))
    down = rng.uniform(min(height - sheet.height / 2, 0), sheet.height / 2)
    strings: list[String] = []
    while down < sheet.height / 2 and sum(len(string.glyphs) for string in strings) < MOST:
        right = left
        for glyphs in parts:
            start = sheet.at(right, down)
            area, width = area_of(glyphs, hand, height, start, angle)
            sheet.claim(area)
            strings.append(String(glyphs, start[0], start[1], angle))
            right += width + (hand.gap + space * rng.uniform(0.8, 1.2)) * height
        if rng.random() < 0.3:
            break
        parts, space = some_sum(digits, hand, rng, sheet.purpose)
        down += step
    sheet.write(strings, hand, height, rng)


@dataclass(frozen=True, slots=True)
class _Grid:
    """The cells of a table; lengths in pixels along the sheet's axes, from its middle."""

    left: float
    top: float
    wide: float
    tall: float
    columns: int
    rows: int

    def rules(self, sheet: Sheet, rng: np.random.Generator) -> list[list[Point]]:
        """Return the lines between the cells: all of them, only the level or only the upright ones."""
        right, bottom = self.left + self.columns * self.wide, self.top + self.rows * self.tall
        levels = [self.top + row * self.tall for row in range(self.rows + 1)]
        uprights = [self.left + column * self.wide for column in range(self.columns + 1)]
        level = [[sheet.at(self.left, y), sheet.at(right, y)] for y in levels]
        upright = [[sheet.at(x, self.top), sheet.at(x, bottom)] for x in uprights]
        chance = rng.random()
        return level + upright if chance < 0.7 else level if chance < 0.85 else upright


def _table(sheet: Sheet, digits: Split | None, rng: np.random.Generator) -> None:
    """Rule a table and fill its cells, loosely or over their borders."""
    hand = some_pen(sheet.kind, rng, sheet.purpose)
    height = _some_size(11, 0.25 * sheet.height, rng)
    wide, tall = height * rng.uniform(1.5, 6), height * rng.uniform(1.1, 2.6)
    hand = replace(hand, gap=min(hand.gap, 0.25 * wide / height))
    columns, rows = min(8, int(sheet.width / wide) + 1), min(24, int(sheet.height / tall) + 1)
    if rng.random() < 0.2:
        columns = min(columns, int(rng.integers(1, 4)))
    left, top = (rng.normal(0, 0.3, 2) - (columns / 2, rows / 2)) * (wide, tall)
    grid = _Grid(left, top, wide, tall, columns, rows)
    tone, share = sheet.kind.between(rng.uniform(0.35, 1)), rng.uniform(0.4, 1)
    if rng.random() < 0.8:  # without rules it is columns
        sheet.draw(grid.rules(sheet, rng), tone, max(1.0, height * rng.uniform(0.02, 0.1)), share)
    filled, aligned, between = rng.uniform(0.4, 1), rng.uniform(0, 1), _parting(hand) * height
    headed = rng.random() < 0.3
    if headed:
        font, size = choose(fonts("printed"), rng), min(0.6 * tall, 0.2 * wide)
        for column in range(columns):
            start = sheet.at(left + (column + 0.1) * wide, top + 0.2 * tall)
            print_text(sheet, printed_text(rng)[:6], font, size, start, tone=tone, angle=sheet.angle)
    strings: list[String] = []
    for cell in range(columns * headed, columns * rows):
        if rng.random() > filled or sum(len(string.glyphs) for string in strings) > MOST:
            continue
        glyphs = some_glyphs(digits, hand, sheet, rng)
        while len(glyphs) > 1 and width_of(glyphs, hand) * height + between > wide:
            glyphs = shortened(glyphs, len(glyphs) - 1)
        row, column = divmod(cell, columns)
        room = wide - width_of(glyphs, hand) * height - between
        x = left + column * wide + between / 2 + room * np.clip(aligned + rng.normal(0, 0.15), -0.1, 1.05)
        y = top + (row + 1) * tall - (tall - height) * np.clip(0.4 + rng.normal(0, 0.25), -0.15, 1)
        start = sheet.at(x, y)
        sheet.claim(area_of(glyphs, hand, height, start, sheet.angle)[0])
        strings.append(String(glyphs, start[0], start[1], float(sheet.angle + rng.normal(0, 0.02))))
    sheet.write(strings, hand, height, rng)


def _comb(sheet: Sheet, digits: Split | None, rng: np.random.Generator) -> None:
    """Draw rows of boxes or combs, one for each digit, and fill them."""
    hand = some_pen(sheet.kind, rng, sheet.purpose)
    height = _some_size(11, 0.35 * sheet.height, rng)
    cell, tall = height * rng.uniform(1.0, 1.7), height * rng.uniform(1.1, 1.8)
    tone, share = sheet.kind.between(rng.uniform(0.3, 1)), rng.uniform(0.4, 1)
    thickness = max(1.0, height * rng.uniform(0.02, 0.12))
    apart = 0.06 * cell if rng.random() < 0.4 else 0.0
    comb = rng.random() < 0.3
    strings: list[String] = []
    down = -sheet.height / 2 + rng.uniform(0.2, 1) * tall
    while down + tall < sheet.height / 2 and len(strings) < 6:
        columns = max(1, min(int(rng.integers(1, 13)), int(0.95 * sheet.width / cell)))
        left = rng.uniform(-sheet.width / 2, max(1 - sheet.width / 2, sheet.width / 2 - columns * cell))
        cells = [_cell(sheet, left + i * cell + apart, down, cell - 2 * apart, tall) for i in range(columns)]
        sheet.draw([corners[[3, 4, 1, 2]] if comb else corners for corners in cells], tone, thickness, share)
        sheet.claim(_cell(sheet, left, down, columns * cell, tall)[:4])
        cursor = left
        numbers: list[tuple[float, list[Glyph], list[float]]] = [(cursor, [], [])]
        for column in range(columns):
            if rng.random() < 0.12:  # an empty cell parts two numbers
                cursor = left + (column + 1) * cell
                numbers.append((cursor, [], []))
                continue
            if digits is None:
                glyph = some_letter(rng, sheet.purpose)
            else:
                glyph = number_glyphs(str(rng.integers(10)), digits, hand, rng)[0]
            wide = width_of([glyph], hand) * height
            x = left + column * cell + (cell - wide) * np.clip(0.5 + rng.normal(0, 0.15), -0.1, 1.1)
            numbers[-1][1].append(glyph)
            numbers[-1][2].append((x - cursor) / height)
            cursor = x + wide + hand.gap * height
        foot = down + tall - (tall - height) * np.clip(0.5 + rng.normal(0, 0.2), -0.1, 1.1)
        for begin, glyphs, gaps in numbers:
            if glyphs:
                start = sheet.at(begin, foot)
                strings.append(String(glyphs, start[0], start[1], sheet.angle, gaps))
        down += tall * rng.uniform(1.05, 2.5)
    sheet.write(strings, hand, height, rng)


def _cell(sheet: Sheet, left: float, top: float, wide: float, tall: float) -> Point:
    """Return the corners (5, 2) of a cell, from its bottom left one round and back to it."""
    right, bottom = left + wide, top + tall
    corners = (left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)
    return np.array([sheet.at(x, y) for x, y in corners])


def _form(sheet: Sheet, digits: Split | None, rng: np.random.Generator) -> None:
    """Print labels with lines to write on, and fill them in."""
    hand = some_pen(sheet.kind, rng, sheet.purpose)
    height = _some_size(12, 0.2 * sheet.height, rng)
    step = height * rng.uniform(1.3, 2.6)
    font = choose(fonts("printed"), rng)
    size = max(7.0, height * rng.uniform(0.4, 1.1))
    tone = sheet.kind.between(rng.uniform(0.5, 1.1))
    ruled, above = rng.random() < 0.7, rng.random() < 0.3
    strings, lines = [], []
    down, left = (
        -sheet.height / 2 + step * rng.uniform(0.6, 1.5),
        -sheet.width / 2 + rng.uniform(0, 0.2) * sheet.width,
    )
    while down < sheet.height / 2:
        text = printed_text(rng)[: int(rng.integers(2, 14))]
        label = 0.55 * size * len(text)
        rise = 1.1 * height + 1.1 * size if above else 0.9 * size
        print_text(sheet, text, font, size, sheet.at(left, down - rise), tone=tone, angle=sheet.angle)
        x = left + (0 if above else label + rng.uniform(0.2, 1) * height)
        end = sheet.at(min(x + height * rng.uniform(3, 9), sheet.width / 2), down)
        start = sheet.at(x, down)
        if ruled:
            lines.append([start, end])
        if rng.random() < 0.85:
            glyphs = some_glyphs(digits, hand, sheet, rng)
            begin = sheet.at(x + rng.uniform(0, 0.5) * height, down - height * rng.normal(0.06, 0.07))
            strings.append(String(glyphs, begin[0], begin[1], float(sheet.angle + rng.normal(0, 0.02))))
            sheet.claim(area_of(glyphs, hand, height, begin, sheet.angle)[0])
        down += step + size * above
    if lines:
        sheet.draw(
            lines, sheet.kind.between(rng.uniform(0.3, 1)), choose((1, 1, 2), rng), rng.uniform(0.4, 1)
        )
    sheet.write(strings, hand, height, rng)


_Layout = Callable[[Sheet, Split | None, np.random.Generator], None]
LAYOUTS: tuple[_Layout, ...] = (  # as often as they are named
    *(_scatter, _scatter, _scatter, _fill, _rows, _rows, _rows),
    *(_table, _table, _comb, _form, _sums),
)
DRAWN_LAYOUTS: tuple[_Layout, ...] = (_fill, _fill, _scatter, _rows)
