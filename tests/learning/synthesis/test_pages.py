"""Synthetic pages and lines are what they say they are."""

import re

import numpy as np
import pytest

from inkdigits.learning.mnist import Split
from inkdigits.learning.synthesis import clutter, layouts
from inkdigits.learning.synthesis import pages as making
from inkdigits.learning.synthesis.ink import UNREAD, Stamp
from inkdigits.learning.synthesis.layouts import LAYOUTS
from inkdigits.learning.synthesis.pages import NAMES, SIGNS, make_line, make_page
from inkdigits.learning.synthesis.paper import Kind
from inkdigits.learning.synthesis.sheet import Sheet
from inkdigits.reading.finder import FRAME, resized

SEEDS = range(120)


@pytest.fixture(scope="module")
def pages(mnist):
    """Some training pages."""
    return [make_page(mnist.train, np.random.default_rng(seed), side=160) for seed in SEEDS]


@pytest.fixture(scope="module")
def lines(mnist):
    """Some training lines."""
    return [make_line(mnist.train, np.random.default_rng(seed)) for seed in range(200)]


def test_same_seed_gives_the_same_page(mnist):
    """The generator decides all."""
    for seed in range(5):
        first, second = (make_page(mnist.train, np.random.default_rng(seed)) for _ in range(2))
        for name in ("image", "boxes", "labels", "lines"):
            assert np.array_equal(getattr(first, name), getattr(second, name))


def test_same_seed_gives_the_same_line(mnist):
    """The generator decides lines too."""
    for seed in range(20):
        first, second = (make_line(mnist.train, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(first.image, second.image)
        assert first.text == second.text


def test_page_is_a_gray_square(pages):
    """The side is the one asked for, and there is something to see."""
    for page in pages:
        assert page.image.shape == (160, 160)
        assert page.image.dtype == np.uint8
    assert np.mean([page.image.std() > 3 for page in pages]) > 0.9


def test_every_box_has_a_label_and_a_line(pages):
    """The three arrays go together, whatever their number."""
    for page in pages:
        assert page.boxes.shape == (len(page.labels), 4)
        assert page.lines.shape == page.labels.shape
        assert (page.boxes.dtype, page.labels.dtype, page.lines.dtype) == (np.float32, np.uint8, np.int32)


def test_labels_are_digits_and_signs(pages):
    """Every digit and every sign occurs, and nothing else."""
    assert set(np.concatenate([page.labels for page in pages]).tolist()) == set(range(len(NAMES)))


def test_boxes_lie_in_the_page(pages):
    """No box is empty or goes beyond an edge."""
    for page in pages:
        x, y, width, height = page.boxes.T
        assert (np.minimum(x, y) >= 0).all()
        assert (np.minimum(width, height) >= 1).all()
        assert (np.maximum(x + width, y + height) <= 160).all()


@pytest.mark.parametrize("layout", set(LAYOUTS), ids=lambda layout: layout.__name__)
def test_boxes_hold_ink_up_to_their_sides(mnist, layout):
    """On blank white paper, every box has ink along each of its four sides."""
    boxes = []
    for seed in range(12):
        sheet = Sheet(np.ones((256, 256), np.float32), Kind(1.0, 0.0, clean=True), 0.0, "training")
        layout(sheet, mnist.train, np.random.default_rng(seed))
        for x, y, width, height in sheet.boxes:
            ink = 1 - sheet.picture[y : y + height, x : x + width]
            boxes.append(min(ink[0].max(), ink[-1].max(), ink[:, 0].max(), ink[:, -1].max()))
    assert np.mean(np.array(boxes) > 0.05) > 0.95


def test_signs_stand_before_a_digit_of_their_line(pages):
    """A sign at the end of a number is not to be read."""
    for page in pages:
        for number in set(page.lines.tolist()):
            assert page.labels[page.lines == number][-1] < 10


def test_numbers_are_cut_out_of_pages_whole(mnist):
    """What is left of a page is one string with its boxes; all around it is even."""
    made = 0
    for seed in range(40):
        page = make_page(mnist.train, np.random.default_rng(seed), side=160)
        if not len(page.boxes):
            continue
        string = making._corners(page.boxes[page.lines == page.lines[0]])
        cut = making._cut_out(page, string + np.array([[-2], [3]]))
        assert len(cut.boxes) >= 1
        inside = np.zeros(page.image.shape, bool)
        x, y = cut.boxes[:, :2].min(axis=0).astype(int)
        right, bottom = (cut.boxes[:, :2] + cut.boxes[:, 2:]).max(axis=0).astype(int)
        inside[y:bottom, x:right] = True
        assert np.array_equal(cut.image[inside], page.image[inside])
        made += len(np.unique(cut.image[~inside])) < len(np.unique(page.image[~inside]))
    assert made > 20


@pytest.mark.parametrize("height", [60, 90])
def test_what_is_cut_out_may_be_shown_as_a_strip(mnist, height):
    """As high as asked for, in the corner that a finder's frame leaves, with its boxes; the rest is even."""
    made = 0
    for seed in range(40):
        page = make_page(mnist.train, np.random.default_rng(seed), side=256)
        corners = np.array([[30.0, 70.0], [150.0, 130.0]])
        strip = making._cut_out(page, corners, height)
        part = resized(page.image[70:130, 30:150], height / 60)
        shown = strip.image[FRAME : FRAME + height, FRAME : FRAME + part.shape[1]]
        assert np.array_equal(shown, part)
        assert len(np.unique(strip.image[FRAME + height :])) == 1
        there = making._cut_out(page, corners)
        assert np.array_equal(strip.labels, there.labels)
        assert np.allclose(strip.boxes[:, 2:], there.boxes[:, 2:] * height / 60)
        assert np.allclose(strip.boxes[:, :2], (there.boxes[:, :2] - (30, 70)) * height / 60 + FRAME)
        made += len(strip.boxes) > 0
    assert made > 5


def test_what_is_too_long_for_a_strip_gets_smaller(mnist):
    """All of it is on the page, with the frame around it."""
    page = make_page(mnist.train, np.random.default_rng(3), side=256)
    strip = making._cut_out(page, np.array([[0.0, 100.0], [256.0, 140.0]]), 90)
    assert len(np.unique(strip.image[FRAME + 35 :])) == len(np.unique(strip.image[:, 256 - FRAME :])) == 1


def test_parts_of_pages_without_numbers_are_cut_out_too(mnist, monkeypatch):
    """Fields left empty, and words cut out, tell a finder what no number is."""
    monkeypatch.setattr(making, "EMPTY_PAGES", 1.0)
    even = {}
    for share in (0.0, 1.0):
        monkeypatch.setattr(making, "CUT_OUT", share)
        pages = [make_page(mnist.train, np.random.default_rng(seed), side=192) for seed in range(20)]
        assert not any(len(page.boxes) for page in pages)
        even[share] = np.mean([(page.image == np.median(page.image)).mean() for page in pages])
    assert even[1.0] > even[0.0] + 0.3


@pytest.mark.parametrize(("share", "is_alone"), [(1.0, True), (0.0, False)])
def test_drawings_have_nothing_beside_them(mnist, monkeypatch, share, is_alone):
    """What is drawn on a screen stands there alone on plain ground, as on the page of the service."""
    besides, plain = [], []

    def paper(shape, *_, **options):
        plain.append(options["plain"] == 1)
        return np.ones(shape, np.float32)

    for name, value in (("DRAWINGS", share), ("CUT_OUT", 1.0), ("FRAMED", 1.0), ("some_paper", paper)):
        monkeypatch.setattr(making, name, value)
    for name in ("add_clutter", "_frame"):
        monkeypatch.setattr(making, name, lambda *_: besides.append(True))
    monkeypatch.setattr(making, "some_kind", lambda _: Kind(1.0, 0.0, clean=True))
    for seed in range(10):
        make_page(mnist.train, np.random.default_rng(seed), side=160)
    assert (all(plain), bool(besides)) == (is_alone, not is_alone)


def test_some_numbers_are_cut_out_faint(mnist, monkeypatch):
    """The ink of numbers that are shown enlarged, of few pixels, stands out less."""
    monkeypatch.setattr(making, "CUT_OUT", 1.0)
    monkeypatch.setattr(making, "some_kind", lambda _: Kind(0.9, 0.1, clean=False))
    contrast = {}
    for share in (0.0, 1.0):
        monkeypatch.setattr(making, "FEW_PIXELS", share)
        pages = [make_page(mnist.validation, np.random.default_rng([4, seed]), 192) for seed in range(80)]
        inks = [
            page.image[y : y + height, x : x + width]
            for page in pages
            for x, y, width, height in np.ceil(page.boxes).astype(int)
        ]
        contrast[share] = np.mean([np.std(ink) for ink in inks])
    assert contrast[1.0] < 0.8 * contrast[0.0]


def test_a_frame_lies_around_its_string():
    """Inside what is cut out or at its edge; it crosses hardly any of the string."""
    inside = 0.0
    string = np.array([[80.0, 90.0], [120.0, 110.0]])
    for seed in range(50):
        sheet = Sheet(np.ones((200, 200), np.float32), Kind(1.0, 0.0, clean=True), 0.0, "training")
        making._frame(sheet, string, string + np.array([[-20], [20]]), np.random.default_rng(seed))
        rows, columns = np.nonzero(sheet.picture < 0.9)
        if rows.size:
            assert 50 < columns.min() <= columns.max() < 150
            assert 60 < rows.min() <= rows.max() < 140
            inside += (sheet.picture[92:108, 82:118] < 0.9).mean()
    assert inside < 50 * 0.02


def test_some_pages_have_no_digits(pages):
    """Nor do most."""
    empty = np.mean([not len(page.labels) for page in pages])
    assert 0.02 < empty < 0.3


def test_digits_come_in_many_sizes(pages):
    """From a dozen pixels to about half of the page."""
    tall = np.concatenate([page.boxes[page.labels < 10, 3] for page in pages])
    assert tall.min() < 14
    assert tall.max() > 70


def test_only_the_given_digits_are_written(mnist):
    """Where every digit of a split is a bar, all that is written on pages is narrow."""
    images = np.zeros((10, 28, 28), np.uint8)
    images[:, 4:24, 12:15] = 255
    bars = Split("train", images, np.arange(10, dtype=np.uint8), np.arange(10))
    widths = []
    for digits in (bars, mnist.validation):
        shapes = []
        for seed in range(30):
            page = make_page(digits, np.random.default_rng(seed), side=160)
            upright = np.isin(page.labels, (0, 2, 3))
            shapes.append(page.boxes[upright, 2] / page.boxes[upright, 3])
        widths.append(np.median(np.concatenate(shapes)))
    assert widths[0] < 0.6 < widths[1]


@pytest.mark.parametrize("purpose", ["training", "held-out"])
def test_pages_and_lines_have_only_the_fonts_of_their_purpose(mnist, monkeypatch, purpose):
    """Held-out fonts are seen where they are asked for, and nowhere else."""
    roles = set()
    fonts = clutter.fonts

    def watched(role):
        roles.add(role)
        return fonts(role)

    monkeypatch.setattr(clutter, "fonts", watched)
    monkeypatch.setattr(layouts, "fonts", watched)
    for seed in range(15):
        make_page(mnist.validation, np.random.default_rng(seed), side=128, purpose=purpose)
        make_line(mnist.validation, np.random.default_rng(seed), purpose=purpose)
    assert roles == {purpose, "printed"}


def test_line_has_the_height_asked_for_and_fits_the_width(mnist):
    """Whatever the text, the picture is no wider than allowed."""
    for seed in range(40):
        line = make_line(mnist.train, np.random.default_rng(seed), height=32, max_width=150)
        assert line.image.shape[0] == 32
        assert line.image.shape[1] <= 150
        assert line.image.dtype == np.uint8


@pytest.mark.parametrize(("contrast", "noise", "legible"), [(60, 5, True), (8, 0, False), (60, 60, False)])
def test_what_stands_out_from_its_paper_is_legible(contrast, noise, legible):
    """By more than a few gray levels, and by more than the paper differs from itself."""
    rng = np.random.default_rng(0)
    image = 150 + noise * rng.standard_normal((48, 60))
    image[10:40, 20:26] -= contrast
    stamp = Stamp(np.full((30, 6), 255, np.uint8), 20, 10, 1, 0)
    assert making._is_legible(image.clip(0, 255).astype(np.uint8), [stamp]) == legible


def test_what_is_not_to_be_read_need_not_be_legible():
    """Nor what lies beyond the picture."""
    image = np.full((48, 60), 150, np.uint8)
    stamps = [Stamp(np.full((30, 6), 255, np.uint8), x, 10, label, 0) for x, label in ((20, UNREAD), (90, 1))]
    assert making._is_legible(image, stamps)


def test_line_that_nobody_reads_is_drawn_anew(mnist, monkeypatch):
    """But not for ever."""
    made = []
    some_line = making._some_line
    monkeypatch.setattr(
        making, "_some_line", lambda *all, **named: made.append(0) or some_line(*all, **named)
    )
    monkeypatch.setattr(making, "_is_legible", lambda *_: len(made) == 2)
    make_line(mnist.train, np.random.default_rng(0))
    assert len(made) == 2
    make_line(mnist.train, np.random.default_rng(0))
    assert len(made) == 2 + making.LINES_TRIED


def test_text_is_numbers(lines):
    """It has digits, and signs only inside or before numbers."""
    sign = f"[{re.escape(SIGNS)}]"
    for line in lines:
        assert re.fullmatch(rf"(-?\d+({sign}-?\d+)*)*", line.text), line.text


def test_pictures_end_only_within_the_margins():
    """What is cut off is even, and no more than the room beside the number and a bit above and below it."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        image = rng.integers(0, 255, (48, 200), np.uint8)
        ended = image.copy()
        making._end_picture(ended, np.array([50.0, 20.0]), rng)
        assert np.array_equal(ended[8:-8, 50:-20], image[8:-8, 50:-20])


def test_some_lines_have_no_text(lines):
    """Nor do most."""
    assert 0.05 < np.mean([not line.text for line in lines]) < 0.25  # of 200 lines


def test_some_lines_are_faint(mnist, monkeypatch):
    """The ink of lines of few pixels stands out less."""
    monkeypatch.setattr(making, "some_kind", lambda _: Kind(0.9, 0.1, clean=False))
    contrast = {}
    for share in (0.0, 1.0):
        monkeypatch.setattr(making, "LINES_OF_FEW", share)
        lines = [make_line(mnist.validation, np.random.default_rng([4, seed])) for seed in range(60)]
        contrast[share] = np.mean([np.std(line.image) for line in lines])
    assert contrast[1.0] < 0.9 * contrast[0.0]


def test_longer_texts_make_wider_lines(lines):
    """What the text says is in the picture."""
    lengths, widths = zip(
        *[(len(line.text), line.image.shape[1]) for line in lines if line.text], strict=True
    )
    assert np.corrcoef(lengths, widths)[0, 1] > 0.5
