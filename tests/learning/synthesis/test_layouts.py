"""Layouts write numbers as people do."""

import itertools
import re

import numpy as np
import pytest

from inkdigits.learning.synthesis import layouts
from inkdigits.learning.synthesis.ink import SIGNS, UNREAD, number_glyphs, some_hand, stroke_glyph
from inkdigits.learning.synthesis.layouts import LAYOUTS, shortened, some_number, some_pen
from inkdigits.learning.synthesis.paper import Kind
from inkdigits.learning.synthesis.sheet import Sheet


def blank(angle=0.0, kind=Kind(1.0, 0.0, clean=True)):  # noqa: B008 (it is frozen)
    """A blank sheet."""
    return Sheet(np.full((200, 200), kind.paper, np.float32), kind, angle, "training")


def test_numbers_are_well_formed():
    """Digits, with signs before and inside only, one at a time."""
    texts = [some_number(np.random.default_rng(seed)) for seed in range(1000)]
    for text in texts:
        assert re.fullmatch(rf"-?\d+([{re.escape(SIGNS)}]\d+)*", text), text
    assert {len(re.sub(r"\D", "", text)) for text in texts} >= set(range(1, 14))
    for sign in SIGNS:
        assert any(sign in text for text in texts)


def sums(mnist, seeds=100):
    """The parts of some sums, as labels, each with the space between them."""
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        hand = some_hand(rng, 0.0, "training")
        parts, space = layouts.some_sum(mnist.train, hand, rng, "training")
        yield [[glyph.label for glyph in part] for part in parts], space


def test_what_stands_between_the_numbers_of_a_sum_is_not_read(mnist):
    """Not even a minus: numbers and signs take turns, and the first is a number."""
    for parts, _ in sums(mnist):
        assert all(0 <= label < 10 for part in parts[::2] for label in part)
        assert parts[1::2] == [[UNREAD]] * (len(parts) // 2)


def test_a_minus_has_room_on_both_sides(mnist, monkeypatch):
    """By which it is told from one that belongs to a number."""
    drawn = []
    monkeypatch.setattr(
        layouts, "stroke_glyph", lambda name, rng: drawn.append(name) or stroke_glyph(name, rng)
    )
    spaces = {True: [], False: []}
    for _, space in sums(mnist):
        spaces["-" in drawn].append(space)
        drawn.clear()
    assert min(spaces[True]) >= 0.45 > min(spaces[False])


def test_each_number_of_a_sum_is_a_string(mnist):
    """So that no page says that 8 + 3 is 83."""
    rng = np.random.default_rng(0)
    sheet = blank()
    layouts._sums(sheet, mnist.train, rng)
    boxes, lines = np.array(sheet.boxes), np.array(sheet.lines)
    assert len(set(lines)) > 1
    for string in set(lines):
        start, end = boxes[lines == string, 0].min(), boxes[lines == string, 0].max()
        between = (boxes[:, 0] > start) & (boxes[:, 0] < end)
        level = abs(boxes[:, 1] - boxes[lines == string, 1].mean()) < boxes[:, 3].max() / 2
        assert (lines[between & level] == string).all()


@pytest.mark.parametrize("layout", set(LAYOUTS), ids=lambda layout: layout.__name__)
def test_every_layout_writes_digits(layout, mnist):
    """On most sheets, straight or sloping."""
    written = []
    for seed in range(12):
        sheet = blank(angle=(-0.25, 0.0, 0.25)[seed % 3])
        layout(sheet, mnist.train, np.random.default_rng(seed))
        written.append(len(sheet.boxes))
    assert np.mean(np.array(written) > 0) > 0.7


@pytest.mark.parametrize("layout", set(LAYOUTS), ids=lambda layout: layout.__name__)
def test_without_digits_there_is_writing_and_nothing_to_read(layout):
    """The same sort of page, with words."""
    seen = 0
    for seed in range(12):
        sheet = blank()
        layout(sheet, None, np.random.default_rng(seed))
        assert not sheet.boxes
        seen += sheet.picture.min() < 0.5
    assert seen > 6


def test_an_empty_cell_parts_two_numbers(mnist):
    """Digits of one number stand in neighboring cells; hardly one, put askew, is far from the next."""
    away = []
    for seed in range(16):
        sheet = blank()
        layouts._comb(sheet, mnist.train, np.random.default_rng(seed))
        boxes, lines = np.array(sheet.boxes), np.array(sheet.lines)
        middles = boxes[:, 0] + boxes[:, 2] / 2
        for line in np.flatnonzero(np.bincount(lines) > 1):
            gaps = np.diff(middles[lines == line])
            away += (gaps / np.median(gaps)).tolist()
    assert len(away) > 100
    assert np.mean(np.array(away) > 1.6) < 0.01


@pytest.mark.parametrize("layout", [layouts._rows, layouts._table], ids=lambda layout: layout.__name__)
def test_numbers_are_further_apart_than_their_digits(layout, mnist, monkeypatch):
    """However widely a hand writes, or nobody could tell which digits are one number."""
    monkeypatch.setattr(layouts, "some_number", lambda _: "88")
    monkeypatch.setattr(layouts, "beside", lambda glyphs, *_: glyphs)
    seen = 0
    for seed in range(40):
        sheet = blank()
        layout(sheet, mnist.train, np.random.default_rng(seed))
        boxes, lines = np.array(sheet.boxes).reshape(-1, 4), np.array(sheet.lines, int)
        wholes = [boxes[lines == line] for line in np.flatnonzero(np.bincount(lines) == 2)]
        within = [second[0] - first[0] - first[2] for first, second in wholes]
        for (_, last), (first, _) in itertools.pairwise(wholes):
            if abs(first[1] - last[1]) < 0.3 * last[3] and first[0] > last[0]:  # the next in a row
                assert first[0] - last[0] - last[2] > np.median(within)
                seen += 1
    assert seen > 50


def test_shortened_numbers_end_with_a_digit(mnist):
    """A sign is kept only inside a number."""
    rng = np.random.default_rng(0)
    glyphs = number_glyphs("-12.5", mnist.train, some_hand(rng, 0.0, "training"), rng)
    labels = [[glyph.label for glyph in shortened(glyphs, most)] for most in range(1, 6)]
    assert labels == [[1], [12, 1], [12, 1, 2], [12, 1, 2], [12, 1, 2, 10, 5]]


def test_pens_stand_out_from_the_paper():
    """At least by half of what the strongest ink does, wholly where that is little."""
    for kind in (Kind(0.9, 0.1, clean=False), Kind(0.1, 0.9, clean=False), Kind(0.6, 0.4, clean=False)):
        tones = [some_pen(kind, np.random.default_rng(seed), "training").tone for seed in range(50)]
        least = min(abs(tone - kind.paper) for tone in tones)
        assert least >= (0.5 if abs(kind.paper - kind.ink) > 0.4 else 1) * abs(kind.paper - kind.ink) - 1e-9
