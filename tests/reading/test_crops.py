"""Straight crops of lines that slope, lean, or are of any size."""

import math

import cv2
import numpy as np
import pytest

from inkdigits.reading.crops import (
    CROP_HEIGHT,
    DIGIT_HEIGHT,
    STRAIGHTENED,
    cut,
    cut_upright,
    find_slant,
    straighten,
    whole,
)


def drawn(degrees, size=200):
    """A page with a line that falls by so many degrees, boxes of digits along it, and its slope."""
    slope = math.tan(math.radians(degrees))
    page, x = np.full((size, size), 255, np.uint8), np.arange(40.0, 160, 15)
    y = size / 2 + slope * (x - size / 2)
    center = [(16 * 40, round(16 * y[0])), (16 * 145, round(16 * y[-1]))]
    cv2.line(page, *center, 0, 3, cv2.LINE_AA, shift=4)
    return page, np.stack([x - 5, y - 14, np.full(8, 10), np.full(8, 28)], 1).astype(np.float32), slope


@pytest.mark.parametrize("degrees", [-15, 0, 7])
def test_crop_is_straight(degrees):
    """A sloping line lies level in the middle of its crop."""
    page, boxes, slope = drawn(degrees)
    straight = cut(page, straighten(boxes, slope))
    dark = np.array(
        [np.average(np.arange(CROP_HEIGHT), weights=255 - c) for c in straight.T[25:-25].astype(int)]
    )
    assert dark == pytest.approx(np.full(len(dark), (CROP_HEIGHT - 1) / 2), abs=0.7)


@pytest.mark.parametrize("height", [14, 56, 280])
def test_crop_has_one_digit_height_for_all_sizes(height):
    """The usual digit is 28 of 48 pixels tall, whatever it was, and lies in the middle."""
    boxes = np.array([(height * k, 0, height / 2, height) for k in range(3)], np.float32)
    crop = straighten(boxes, 0.0)
    top, bottom = (crop.matrix @ (0, y, 1) for y in (0, height))
    assert (top[1], bottom[1]) == pytest.approx((10, 10 + DIGIT_HEIGHT))


def test_stretched_crop_is_wider_and_as_high():
    """Along the line only, also where it slopes."""
    _, boxes, slope = drawn(10)
    usual, wider = straighten(boxes, slope), straighten(boxes, slope, stretch=1.5)
    assert wider.width == pytest.approx(1.5 * usual.width, abs=1)
    assert wider.corners == pytest.approx(usual.corners, abs=1)


def test_crop_holds_digits_that_go_up_and_down():
    """A wavy line is made smaller rather than cut."""
    boxes = np.array([(15.0 * k, 32.0 * (k % 2), 12, 28) for k in range(8)], np.float32)
    crop = straighten(boxes, 0.0)
    upper, lower = (crop.matrix @ (0, y, 1) for y in (0, 60))
    assert upper[1] >= 0
    assert lower[1] <= crop.height


def test_whole_picture_is_a_crop_with_room():
    """It is as high as the crop, and paper goes on to the left and right of it."""
    page = np.full((24, 50), 200, np.uint8)
    page[:, [0, -1]] = 0
    straight = cut(page, whole(page.shape, room=6))
    assert straight.shape == (CROP_HEIGHT, 112)
    assert np.flatnonzero(straight[24] < 120).tolist() == [6, 7, 104, 105]


@pytest.mark.parametrize(("at", "seen"), [(0.0, [0]), (0.5, [1]), (1.0, [2])])
def test_part_of_a_picture_is_a_crop_too(at, seen):
    """Three times as large, a third of it is seen: the highest, the middle or the lowest."""
    page = np.full((30, 50), 200, np.uint8)
    for third, gray in enumerate((10, 80, 150)):
        page[10 * third : 10 * third + 10] = gray
    crop = whole(page.shape, height=30, times=3, at=at)
    assert (crop.height, crop.width) == (30, 150)
    middle = cut(page, crop)[10:20]
    assert [third for third, gray in enumerate((10, 80, 150)) if np.median(middle) == gray] == seen


def test_crop_points_go_back_to_the_page():
    """The corners on the page are where the crop's corners come from."""
    _, boxes, slope = drawn(10)
    crop = straighten(boxes, slope)
    back = np.column_stack([crop.corners, np.ones(4)]) @ crop.matrix.T
    assert back == pytest.approx(np.array([(0, 0), (crop.width, 0), (crop.width, 48), (0, 48)]), abs=1e-9)


def test_crop_keeps_thin_strokes():
    """A line of one pixel on a page that is made ten times smaller turns gray and does not vanish."""
    page = np.full((600, 900), 255, np.uint8)
    page[:, 300:600:30] = 0
    straight = cut(page, straighten(np.array([(250, 160, 140, 280), (480, 160, 140, 280)], np.float32), 0.0))
    inside = straight[:, 12:38]
    assert inside.mean() == pytest.approx(255 * 29 / 30, abs=2)


def test_crop_goes_on_beyond_the_page():
    """A line at the very edge of a page has a crop of paper around it."""
    page = np.full((40, 60), 200, np.uint8)
    straight = cut(page, straighten(np.array([(0, 0, 20, 40), (40, 0, 20, 40)], np.float32), 0.0))
    assert straight.shape[0] == CROP_HEIGHT
    assert np.unique(straight).tolist() == [200]


def test_ink_does_not_go_on_beyond_the_page():
    """A rule that the page's edge cuts off ends there."""
    page = np.full((40, 60), 200, np.uint8)
    page[30:34] = 0
    boxes = np.array([(5, 5, 15, 20), (40, 5, 15, 20)], np.float32)
    straight = cut(page, straighten(boxes, 0.0, room=2))
    assert straight[:, straight.shape[1] // 2].min() == 0
    assert np.unique(straight[:, :20]).tolist() == [200]


# -------------------------------------------------------------------------------------------- slant


def leaning(slant, strokes=5):
    """A crop with strokes that lean to the right by so many pixels a pixel of height."""
    line = np.full((32, 40 * strokes + 40), 230, np.uint8)
    for k in range(strokes):
        x = 40 * (k + 1)
        cv2.line(line, (round(x - 12 * slant), 28), (round(x + 12 * slant), 4), 20, 2, cv2.LINE_AA)
    return line


@pytest.mark.parametrize("slant", [-0.4, 0.0, 0.5])
def test_slant_is_found(slant):
    """Of strokes that all lean alike."""
    assert find_slant(leaning(slant)) == pytest.approx(slant, abs=0.1)


def test_slant_is_found_in_chalk():
    """Light on dark is as dark on light."""
    assert find_slant(255 - leaning(0.5)) == pytest.approx(0.5, abs=0.1)


def test_blank_line_does_not_lean():
    """There is nothing to tell a slant by."""
    assert find_slant(np.full((32, 60), 200, np.uint8)) == 0


def test_leaning_strokes_are_cut_more_upright():
    """A share of their slant is undone: digits of upright hands lean, too."""
    page = leaning(0.5)
    _, line = cut_upright(page, whole(page.shape, height=32))
    assert find_slant(line) == pytest.approx(0.5 * (1 - STRAIGHTENED), abs=0.11)


def test_upright_crop_knows_where_it_was_cut():
    """Its middle stays, and what leaned over it comes from beside it."""
    page = leaning(0.5)
    crop, _ = cut_upright(page, whole(page.shape, height=32))
    middle, top = crop.to_page([(100, 16), (100, 0)])
    assert middle == pytest.approx((100, 16))
    assert top[0] == pytest.approx(100 + 0.5 * STRAIGHTENED * 16)
