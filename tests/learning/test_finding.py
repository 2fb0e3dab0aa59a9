"""Pages become targets, and targets become the same boxes again."""

import numpy as np
import pytest

from inkdigits.learning import finding
from inkdigits.learning.finding import finder_loss, matches
from inkdigits.learning.synthesis.pages import Page, make_page
from inkdigits.reading.finder import Marks, peaks


def page_with(boxes, labels) -> Page:
    """Return a page of 128 x 128 with these boxes."""
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    image = np.zeros((128, 128), np.uint8)
    return Page(image, boxes, np.array(labels, np.uint8), np.zeros(len(boxes), np.int32))


BOXES = [(10, 20, 18, 30), (30, 22, 9, 28), (60, 90, 40, 35), (45, 44, 5, 5)]


def test_targets_give_the_boxes_back():
    """What a perfect network would say decodes to where the digits are, signs told from digits."""
    target = finding._target(page_with(BOXES, [3, 1, 8, 10])).astype(np.float32)
    marks = peaks(target[..., :6], 0.99)
    order = [next(i for i, b in enumerate(marks.boxes) if np.abs(b - box).max() < 0.3) for box in BOXES]
    assert sorted(order) == [0, 1, 2, 3]
    assert marks.is_sign[order].tolist() == [False, False, False, True]


def test_a_perfect_answer_loses_next_to_nothing():
    """The loss of the right maps is far below that of empty ones."""
    target = finding._target(page_with(BOXES, [3, 1, 8, 10])).astype(np.float32)[np.newaxis]
    right = target[..., :6].copy()
    right[..., :2] = np.where(target[..., :2] > 0.99, 12, -12 + 8 * target[..., :2])
    empty = np.zeros_like(right)
    empty[..., :2] = -4.6
    assert float(finder_loss(target, right)[0]) < 0.05 * float(finder_loss(target, empty)[0])


def test_a_false_digit_costs():
    """Saying a digit where none is raises the loss."""
    target = finding._target(page_with(BOXES, [3, 1, 8, 10])).astype(np.float32)[np.newaxis]
    maps = np.zeros((1, 32, 32, 6), np.float32)
    maps[..., :2] = -8
    before = float(finder_loss(target, maps)[0])
    maps[0, 30, 2, 0] = 4
    assert float(finder_loss(target, maps)[0]) > before + 0.1


def test_an_empty_page_has_an_empty_target():
    """No center, and nothing that place and size are compared with."""
    target = finding._target(page_with([], []))
    assert not target[..., :2].any()
    assert not target[..., 6].any()


@pytest.mark.parametrize(
    ("box", "count"), [((10, 20, 18, 30), 1), ((14, 22, 18, 30), 1), ((25, 20, 18, 30), 0)]
)
def test_a_mark_matches_where_half_is_shared(box, count):
    """Half of both boxes together."""
    marks = Marks(np.array([box], np.float32), np.array([0.9], np.float32), np.array([False]))
    assert matches(np.array(BOXES[:1], np.float32), marks) == count


def test_a_digit_is_matched_once():
    """Two marks on one digit are one hit."""
    box = np.array(BOXES[:1] * 2, np.float32)
    marks = Marks(box, np.array([0.9, 0.8], np.float32), np.array([False, False]))
    assert matches(box[:1], marks) == 1


def test_digits_of_real_pages_survive_the_target(mnist):
    """On synthetic pages nearly every digit of more than a few pixels can be read from the target."""
    hits = there = 0
    for number in range(12):
        page = make_page(mnist.train, np.random.default_rng(number), 256)
        marks = peaks(finding._target(page).astype(np.float32)[..., :6], 0.99)
        digits = page.boxes[page.labels < 10]
        hits, there = hits + matches(digits, marks), there + len(digits)
    assert hits >= 0.97 * there
