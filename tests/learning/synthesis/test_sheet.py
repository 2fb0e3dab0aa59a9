"""A sheet knows what is where."""

from dataclasses import replace

import numpy as np
import pytest

from inkdigits.learning.synthesis.ink import UNREAD, Stamp, some_hand
from inkdigits.learning.synthesis.paper import Kind
from inkdigits.learning.synthesis.sheet import Sheet


@pytest.fixture
def sheet():
    """A blank white sheet."""
    return Sheet(np.ones((100, 120), np.float32), Kind(1.0, 0.0, clean=True), 0.0, "training")


def block(x, y, label=3):
    """A solid stamp of 20 x 30 pixels."""
    return Stamp(np.full((30, 20), 255, np.uint8), x, y, label, 0)


def lay(sheet, *stamps):
    """Lay stamps with an even pen."""
    rng = np.random.default_rng(0)
    sheet.lay(stamps, replace(some_hand(rng, tone=0.0, purpose="training"), grain=0, fading=0), 30, rng)


def test_ink_is_where_its_box_is(sheet):
    """And nowhere else."""
    lay(sheet, block(10, 20))
    assert sheet.boxes == [(10, 20, 20, 30)]
    assert sheet.labels == [3]
    assert np.array_equal(np.argwhere(sheet.picture < 0.5).min(axis=0), (20, 10))
    assert (sheet.picture < 0.5).sum() == 600


def test_box_ends_at_the_edge(sheet):
    """Only the visible part counts."""
    lay(sheet, block(-5, 20))
    assert sheet.boxes == [(0, 20, 15, 30)]


def test_what_is_mostly_beyond_the_edge_is_left_out(sheet):
    """A sliver of a digit can't be read."""
    lay(sheet, block(-14, 20), block(200, 20))
    assert not sheet.boxes
    assert sheet.picture.min() == 1


def test_what_would_not_be_seen_is_left_out(sheet):
    """Black ink on a black desk has no box."""
    sheet.picture[:, 60:] = 0.1
    lay(sheet, block(10, 20), block(80, 20))
    assert len(sheet.boxes) == 1


def test_unread_ink_has_no_box(sheet):
    """It is there all the same, even a sliver of it."""
    lay(sheet, block(-14, 20, UNREAD))
    assert not sheet.boxes
    assert sheet.picture.min() < 0.1


def test_areas_are_taken_once(sheet):
    """What overlaps a taken area is refused, what lies beside it is not."""
    square = np.array([(10, 10), (50, 10), (50, 50), (10, 50)], float)
    assert sheet.claim(square)
    assert not sheet.claim(square + 20)
    assert sheet.claim(square + np.array([60, 0]))


def test_points_are_counted_from_the_middle(sheet):
    """Along the sheet's own axes."""
    assert sheet.at(0, 0) == pytest.approx([60, 50])
    sheet.angle = np.pi / 2
    assert sheet.at(10, 0) == pytest.approx([60, 60])
