"""Glyphs become ink of the size, the pen and the place asked for."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from inkdigits.learning.mnist import Split
from inkdigits.learning.synthesis import ink
from inkdigits.learning.synthesis.clutter import AMBIGUOUS
from inkdigits.learning.synthesis.ink import (
    NAMES,
    UNREAD,
    Hand,
    String,
    capital_glyph,
    number_glyphs,
    stroke_glyph,
    width_of,
    word_glyph,
    write,
)
from inkdigits.learning.synthesis.lettering import digit_fonts, fonts
from inkdigits.learning.synthesis.strokes import CAPITALS, SCHOOLED, STROKES

PLAIN = Hand(
    slant=0,
    aspect=1,
    pen=0.1,
    gap=0.2,
    unevenness=0,
    flag=0,
    base=False,
    crossed=False,
    serif=False,
    schooled=0.0,
    ways=(0.0,) * 10,
    font=None,
    bend=0,
    grain=0,
    fading=0,
    tucked=0,
    squeezed=False,
    tone=0,
)


@pytest.fixture
def rng():
    """A seeded generator."""
    return np.random.default_rng(0)


@pytest.fixture
def few(mnist):
    """A split so small that all its images can be gone through."""
    return Split(
        "train", *(part[:100] for part in (mnist.train.images, mnist.train.labels, mnist.train.indices))
    )


def written(text, mnist, hand=PLAIN, *, height=40.0, angle=0.0, seed=0):
    """The stamps of a number that begins at (100, 200)."""
    rng = np.random.default_rng(seed)
    glyphs = number_glyphs(text, mnist.train, hand, rng)
    return write([String(glyphs, 100, 200, angle)], hand, height, rng)


def test_labels_follow_the_text(mnist):
    """Every digit and every sign knows its name."""
    assert "".join(NAMES[stamp.label] for stamp in written("-12.5/3:4,0", mnist)) == "-12.5/3:4,0"


def test_glyphs_are_the_splits_own_images(few, rng):
    """Nothing else is written with, unless the hand has habits."""
    for glyph in number_glyphs("0123456789" * 3, few, PLAIN, rng):
        assert any(_holds(image, glyph.image) for image in few.images)


def test_a_hand_of_another_school_draws_some_of_its_digits(few, rng):
    """As often as the hand says; the others are the split's."""
    glyphs = number_glyphs("2" * 300, few, replace(PLAIN, schooled=0.7), rng)
    drawn = [glyph for glyph in glyphs if not any(_holds(image, glyph.image) for image in few.images)]
    assert len(drawn) / len(glyphs) == pytest.approx(0.7, abs=0.08)


@pytest.mark.parametrize(("digit", "ways"), SCHOOLED.items())
def test_digits_of_other_schools_are_of_a_digits_size_and_stroke(digit, ways, rng):
    """A pen follows each of them as it does MNIST's."""
    for way in ways:
        image = ink._drawn([np.array(stroke, float) for stroke in way], thickness=10)[0]
        tall = np.flatnonzero(image.max(axis=1) > ink.OUTLINE).size
        assert 0.9 * ink.UNIT <= tall <= 1.5 * ink.UNIT
    for _ in range(20):
        image = ink._schooled(digit, rng.random(), rng)
        wide = cv2.distanceTransform((image > 127).view(np.uint8), cv2.DIST_L2, 3)
        assert 0.9 <= wide.max() <= 6


def test_a_hand_writes_a_digit_in_one_way(mnist, rng, monkeypatch):
    """Whichever other school it learned in."""
    drawn = []

    def watched(way, _rng):
        drawn.append(way)
        return np.full((20, 20), 255, np.uint8), 20.0

    monkeypatch.setattr(ink, "_loosely_drawn", watched)
    ways = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.2, 0.4)
    number_glyphs("7797", mnist.train, replace(PLAIN, schooled=1.0, ways=ways), rng)
    assert drawn[0] == drawn[1] == drawn[3] == SCHOOLED[7][-1]
    assert drawn[2] == SCHOOLED[9][int(0.4 * len(SCHOOLED[9]))]


def _holds(image, cut):
    """Tell whether an image has a cut somewhere in it."""
    if np.greater(cut.shape, image.shape).any():
        return False
    windows = np.lib.stride_tricks.sliding_window_view(image, cut.shape)
    return bool((windows == cut).all(axis=(2, 3)).any())


@pytest.mark.parametrize("purpose", ["training", "held-out"])
def test_a_font_has_ten_digits_as_mnist_would_have_them(purpose):
    """Twenty pixels tall, in strokes that a pen can follow, each with its own ink."""
    for font in digit_fonts(purpose):
        images = ink._lettered(font)
        tall = [np.flatnonzero(image.max(axis=1) > ink.OUTLINE).size for image in images]
        assert np.median(tall) == pytest.approx(ink.UNIT, abs=2.5), font.family
        assert len({image.tobytes() for image in images}) == 10
        widths = [
            cv2.distanceTransform((image > 127).view(np.uint8), cv2.DIST_L2, 3).max() for image in images
        ]
        assert np.median(widths) >= 0.9, font.family


def test_a_hand_with_a_font_writes_its_digits(mnist):
    """The same shape each time, unless it bends."""
    font = digit_fonts("training")[0]
    for bend, shapes in ((0, 1), (0.8, 20)):
        hand = replace(PLAIN, font=font, bend=bend)
        glyphs = number_glyphs("2" * 20, mnist.train, hand, np.random.default_rng(0))
        assert len({glyph.image.tobytes() for glyph in glyphs}) == shapes
        assert {glyph.label for glyph in glyphs} == {2}


def test_bending_keeps_most_of_a_digit(mnist, rng):
    """Its ink and its size stay about the same; where it is may change."""
    bending = replace(PLAIN, bend=1.0)
    for digit in range(10):
        image = mnist.train.images[np.flatnonzero(mnist.train.labels == digit)[0]]
        bent = ink._bent(image, bending, rng)
        assert float(bent.sum()) == pytest.approx(float(image.sum()), rel=0.4)
        assert not np.array_equal(bent[3:-3, 3:-3], image)


@pytest.mark.parametrize("height", [12, 30, 60, 150])
def test_digits_are_as_tall_as_asked_for(mnist, height):
    """At every size, the small ones drawn finer and the large ones coarser."""
    tall = [stamp.alpha.shape[0] for stamp in written("8068068690", mnist, height=height)]
    assert np.median(tall) == pytest.approx(height, rel=0.12)


@pytest.mark.parametrize("height", [20, 40, 120])
@pytest.mark.parametrize("pen", [0.05, 0.1, 0.18])
def test_strokes_are_as_wide_as_the_pen(mnist, height, pen):
    """Measured on 1s: area over length."""
    hand = replace(PLAIN, pen=pen)
    stamps = [stamp for seed in range(20) for stamp in written("1", mnist, hand, height=height, seed=seed)]
    widths = [stamp.alpha.sum() / 255 / np.hypot(*stamp.alpha.shape) for stamp in stamps]
    assert np.median(widths) == pytest.approx(pen * height, rel=0.35, abs=0.6)


@pytest.mark.parametrize("height", [20, 60, 100, 200])
@pytest.mark.parametrize("pen", [0.02, 0.045])
def test_thin_pens_leave_strokes_whole(mnist, height, pen):
    """A ballpoint's line doesn't fall to pieces where the writer of the MNIST digit pressed less."""
    whole = []
    for seed in range(40):
        for stamp in written("0236789", mnist, replace(PLAIN, pen=pen, gap=0.5), height=height, seed=seed):
            line = (stamp.alpha > 0.28 * stamp.alpha.max()).view(np.uint8)
            sizes = cv2.connectedComponentsWithStats(line)[2][1:, cv2.CC_STAT_AREA]
            whole.append(sizes.max() > 0.95 * sizes.sum())
    assert np.mean(whole) > 0.93


def test_baseline_begins_where_asked_for(mnist):
    """The first digit stands on the point given."""
    first, *_ = written("0000", mnist)
    assert first.x == pytest.approx(100, abs=4)
    assert first.y + first.alpha.shape[0] == pytest.approx(200, abs=4)


def test_baseline_slopes(mnist):
    """A positive angle goes downhill."""
    feet = [stamp.y + stamp.alpha.shape[0] for stamp in written("00000000", mnist, angle=0.2)]
    starts = [stamp.x for stamp in written("00000000", mnist, angle=0.2)]
    slope = np.polyfit(starts, feet, 1)[0]
    assert slope == pytest.approx(np.tan(0.2), abs=0.05)


def test_slant_leans_to_the_right(mnist):
    """A slanted 1 is wider, and its head is right of its foot."""
    for stamp in written("111", mnist, replace(PLAIN, slant=0.6)):
        head, foot = (np.average(range(stamp.alpha.shape[1]), weights=stamp.alpha[i]) for i in (1, -2))
        assert head > foot


def test_width_is_known_before_writing(mnist, rng):
    """It is what the ink takes, roughly: MNIST's own slant is taken off while writing."""
    glyphs = number_glyphs("20835", mnist.train, PLAIN, rng)
    stamps = write([String(glyphs, 0, 0, 0.0)], PLAIN, 50, rng)
    right = max(stamp.x + stamp.alpha.shape[1] for stamp in stamps)
    assert right == pytest.approx(50 * width_of(glyphs, PLAIN), rel=0.1)


def test_digits_never_hide_digits(mnist, rng):
    """However close a hand writes, each next one shows."""
    hand = replace(PLAIN, gap=-1.0)
    stamps = write([String(number_glyphs("1111", mnist.train, hand, rng), 0, 0, 0.0)], hand, 50, rng)
    starts = [stamp.x for stamp in stamps]
    assert sorted(set(starts)) == starts


def test_signs_stand_close_in_a_wide_hand(mnist, rng):
    """A decimal point is near its digits even where these are far apart."""
    hand = replace(PLAIN, gap=1.5)
    wide = width_of(number_glyphs("33", mnist.train, hand, rng), hand)
    assert width_of(number_glyphs("3.3", mnist.train, hand, rng), hand) < wide


def test_a_comma_stands_under_a_seven_in_hands_that_tuck_it_there(mnist):
    """Nearer to the foot of the 7 than to its head, and not in its ink; a 2 has nothing to put one under."""
    away = {}
    for text in ("7,", "2,"):
        for tucked in (0, 1):
            gaps = []
            for seed in range(20):
                digit, comma = written(text, mnist, replace(PLAIN, tucked=tucked), seed=seed)
                gaps.append(comma.x - digit.x - digit.alpha.shape[1])
            away[text, tucked] = np.mean(gaps)
    assert away["7,", 1] < away["7,", 0] - 6
    assert away["2,", 1] > away["2,", 0] - 3


def test_points_take_no_room_in_hands_that_squeeze_them_in(mnist):
    """The digits around one stand as far apart as without it; and never nearer than in other hands."""
    first, point, last = number_glyphs("3.3", mnist.train, PLAIN, np.random.default_rng(0))

    def between(gap, squeezed):
        hand = replace(PLAIN, gap=gap, squeezed=squeezed)
        return width_of([first, point, last], hand) - width_of([first], hand) - width_of([last], hand)

    assert between(0.28, squeezed=True) == pytest.approx(0.28)
    assert between(0.28, squeezed=False) > 0.5
    assert between(1.5, squeezed=True) == between(1.5, squeezed=False)


def test_signs_touch_digits_in_a_close_hand(mnist):
    """A decimal point may reach a little below its digit, but never out of sight."""
    close, apart = (
        width_of(number_glyphs("3.", mnist.train, PLAIN, np.random.default_rng(0)), replace(PLAIN, gap=gap))
        for gap in (-1.0, 0.0)
    )
    assert close - apart == pytest.approx(-0.08)


@pytest.mark.parametrize(
    ("digit", "habit"),
    [("1", {"flag": 0.6}), ("1", {"base": True}), ("7", {"crossed": True}), ("7", {"serif": True})],
)
def test_habits_add_strokes(mnist, digit, habit):
    """A flag, a base, a bar and a serif are more ink."""
    plain, other = (
        sum(
            glyph.image.sum()
            for glyph in number_glyphs(
                digit * 20, mnist.train, replace(PLAIN, **chosen), np.random.default_rng(1)
            )
        )
        for chosen in ({}, habit)
    )
    assert other != plain


def test_some_flags_begin_level(mnist):
    """They hang below the straight way from their end to the head of the 1."""
    hand, hanging = replace(PLAIN, flag=1.0), []
    for seed in range(60):
        (glyph,) = number_glyphs("1", mnist.train, hand, np.random.default_rng(seed))
        drawn = glyph.image > ink.OUTLINE
        head = int(np.flatnonzero(drawn[drawn.any(axis=1).argmax()]).mean())
        start, middle, end = (int(drawn[:, column].argmax()) for column in (1, head // 2, head))
        hanging.append(middle - (start + end) / 2)
    assert 0.2 < np.mean(np.array(hanging) > 1) < 0.6


def test_zeros_written_quickly_are_no_larger_than_other_digits(mnist, rng):
    """They are smaller, never below the baseline, and still zeros."""
    for _ in range(30):
        glyphs = number_glyphs("5000", mnist.train, PLAIN, rng)
        quick = ink._with_quick_zeros(glyphs, rng)
        assert [glyph.label for glyph in quick] == [5, 0, 0, 0]
        assert quick[0] is glyphs[0]
        for before, after in zip(glyphs[1:], quick[1:], strict=True):
            assert after.unit > before.unit
            assert after.foot >= before.foot


def test_quick_zeros_may_be_linked(mnist, rng):
    """The stroke to the next zero makes a zero's picture wider, and touches it."""
    zero = number_glyphs("0", mnist.train, PLAIN, rng)[0].image
    linked = ink._linked(zero, rng)
    assert linked.shape[0] == zero.shape[0]
    assert linked.shape[1] > zero.shape[1]
    assert linked[:, zero.shape[1] - 1].max() > 100


@pytest.mark.parametrize(("letter", "ways"), CAPITALS.items())
def test_capitals_are_of_a_digits_size(letter, ways):
    """As tall as the digits beside them; and nobody takes one for a digit."""
    assert letter not in AMBIGUOUS
    for way in ways:
        points = np.concatenate([np.array(stroke, float) for stroke in way])
        assert 0.9 * ink.UNIT <= np.ptp(points[:, 1]) <= 1.2 * ink.UNIT


def test_a_capital_stands_on_the_baseline(rng):
    """And is not to be read."""
    for _ in range(40):
        glyph = capital_glyph(rng)
        assert glyph.label == UNREAD
        assert glyph.foot == pytest.approx(len(glyph.image), abs=6)


@pytest.mark.parametrize("name", STROKES)
def test_every_symbol_can_be_drawn(name, rng):
    """It has ink, and is not to be read unless it is said so."""
    glyph = stroke_glyph(name, rng)
    assert glyph.image.max() > 200
    assert glyph.label == UNREAD


def test_points_are_also_raised():
    """Most stand on the baseline, some as high as the middle of a digit."""
    points = [stroke_glyph(".", np.random.default_rng(seed)) for seed in range(200)]
    heights = np.array([(point.foot - len(point.image)) / point.unit for point in points])
    assert 0.05 < (heights > 0.25).mean() < 0.25
    assert np.median(heights) < 0.1


def test_words_are_not_to_be_read():
    """A word is one glyph."""
    assert word_glyph("Total", fonts("printed")[0]).label == UNREAD


def test_nothing_comes_of_nothing(rng):
    """No strings, no stamps."""
    assert write([], PLAIN, 20, rng) == []
