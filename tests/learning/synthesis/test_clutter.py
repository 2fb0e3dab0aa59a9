"""What is not to be read is there, and has no boxes."""

import numpy as np
import pytest

from inkdigits.learning.synthesis import clutter
from inkdigits.learning.synthesis.clutter import (
    AMBIGUOUS,
    add_clutter,
    beside,
    decorate,
    printed_text,
    some_letter,
    some_word,
)
from inkdigits.learning.synthesis.ink import NAMES, SIGNS, UNIT, UNREAD, number_glyphs, some_hand
from inkdigits.learning.synthesis.paper import Kind
from inkdigits.learning.synthesis.sheet import Sheet
from inkdigits.learning.synthesis.strokes import BEFORE


@pytest.fixture
def rng():
    """A seeded generator."""
    return np.random.default_rng(0)


def blank():
    """A white sheet."""
    return Sheet(np.ones((200, 200), np.float32), Kind(1.0, 0.0, clean=True), 0.0, "training")


@pytest.mark.parametrize("thing", set(clutter._THINGS + clutter._HELD_OUT), ids=lambda thing: thing.__name__)
def test_every_thing_leaves_ink_and_no_box(thing):
    """It is seen, and not to be read."""
    seen = 0
    for seed in range(20):
        sheet = blank()
        thing(sheet, np.random.default_rng(seed))
        assert not sheet.boxes
        seen += sheet.picture.min() < 0.9
    assert seen > 10


def test_things_do_not_cover_what_is_taken():
    """Where the whole sheet is taken, only rules may cross it."""
    for seed in range(40):
        sheet = blank()
        sheet.claim(np.array([(0, 0), (200, 0), (200, 200), (0, 200)], float))
        add_clutter(sheet, np.random.default_rng(seed))
        assert (sheet.picture < 0.9).mean() < 0.1


@pytest.mark.parametrize("purpose", ["training", "held-out"])
def test_some_things_are_held_out(monkeypatch, purpose):
    """They measure what is read of things that no training page has."""
    drawn = []
    monkeypatch.setattr(clutter, "_HELD_OUT", (lambda *_: drawn.append("held-out"),))
    sheet = Sheet(np.ones((200, 200), np.float32), Kind(1.0, 0.0, clean=True), 0.0, purpose)
    for seed in range(40):
        add_clutter(sheet, np.random.default_rng(seed))
    assert bool(drawn) == (purpose == "held-out")


def test_letters_alone_are_unlike_digits(monkeypatch):
    """No l for a 1, no O for a 0."""
    written = []
    word_glyph = clutter.word_glyph
    monkeypatch.setattr(
        clutter, "word_glyph", lambda text, font: written.append(text) or word_glyph(text, font)
    )
    for seed in range(200):
        some_letter(np.random.default_rng(seed), "training")
        some_word(np.random.default_rng(seed), "held-out")
    assert not any(set(text) <= AMBIGUOUS for text in written)


def test_drawn_letters_are_for_training_only():
    """What is held out stays of hands that no training page has."""
    drawn = {letter.unit == UNIT for letter in _letters("training")}
    assert drawn == {True, False}
    assert not any(letter.unit == UNIT for letter in _letters("held-out"))


def _letters(purpose):
    """Some letters, alone and of codes; the drawn ones have the size of digits."""
    generators = [np.random.default_rng(seed) for seed in range(40)]
    alone = [some_letter(rng, purpose) for rng in generators]
    return alone + [letter for rng in generators for letter in clutter._code(rng, purpose)]


def test_a_code_has_one_to_three_letters():
    """As on plates and parts."""
    codes = [clutter._code(np.random.default_rng(seed), "held-out") for seed in range(60)]
    assert {len(code) for code in codes} == {1, 2, 3}


def test_no_code_stands_before_a_sign(mnist, monkeypatch):
    """In "AB-12" the dash belongs to no number, so it can't be one to read."""
    monkeypatch.setattr(clutter, "CODES", 1.0)
    first = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        hand = some_hand(rng, 0.0, "training")
        first.add(beside(number_glyphs("-5", mnist.train, hand, rng), rng, "training")[0].label)
        first.add(beside(number_glyphs("5", mnist.train, hand, rng), rng, "training")[0].label)
    assert first == {NAMES.index("-"), 5, UNREAD}


def test_words_are_of_many_kinds():
    """Hardly any two are alike."""
    words = {some_word(np.random.default_rng(seed), "training").image.tobytes() for seed in range(50)}
    assert len(words) > 40


def test_print_has_digits_too():
    """So that a network learns not to read them."""
    texts = [printed_text(np.random.default_rng(seed)) for seed in range(100)]
    assert 0.2 < np.mean([any(letter.isdigit() for letter in text) for text in texts]) < 0.8


def test_what_stands_beside_a_number_is_not_read(mnist):
    """The number itself stays as it is."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        glyphs = number_glyphs("-12.5", mnist.train, some_hand(rng, 0.0, "training"), rng)
        more = beside(glyphs, rng, "training")
        assert len(more) > len(glyphs)
        assert "".join(NAMES[glyph.label] for glyph in more if glyph.label != UNREAD) == "-12.5"


def test_decorations_are_drawn_with_the_hands_pen(rng):
    """Lines and circles near the area, in the tone of the ink."""
    area = np.array([(50, 80), (150, 80), (150, 120), (50, 120)], float)
    for _ in range(20):
        sheet = blank()
        decorate(sheet, area, 30, some_hand(rng, 0.0, "training"), rng)
        rows, columns = np.nonzero(sheet.picture < 0.9)
        assert rows.size
        assert rows.min() > 50
        assert rows.max() < 150
        assert columns.min() > 20


def test_signs_are_never_clutter():
    """A sign that nobody reads would teach a network to overlook signs."""
    assert not set(SIGNS) & set(BEFORE)
