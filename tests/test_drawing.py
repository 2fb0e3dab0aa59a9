"""Drawings are looked at with a few numbers: where there is which color."""

import numpy as np
import pytest

from inkdigits.drawing import DOUBTFUL, RIM, SURE, Mark, _dashes, _plate, draw_marks
from inkdigits.errors import ArgumentError
from inkdigits.reading.image import load_rgb

SIZE = (400, 300)
NONE = np.zeros((0, 4), np.intp)
SURE_MARK = Mark((100, 120, 90, 40), "26.2", doubtful=False)
DOUBTFUL_MARK = Mark((100, 120, 90, 40), "26.2", doubtful=True)


def paper(tone=255):
    """An even RGB picture."""
    return np.full((300, 400, 3), tone, np.uint8)


def pixels_of(picture, color):
    """Where the picture has exactly this color."""
    return (picture == np.array(color)).all(axis=-1)


@pytest.mark.parametrize("tone", [0, 90, 160, 255])
def test_drawing_shows_on_any_tone(tone):
    """Both the dark core and the light rim are there, so one of them stands out."""
    drawn = draw_marks(paper(tone), [SURE_MARK], size=SIZE)
    assert pixels_of(drawn, SURE).sum() > 500
    below = pixels_of(drawn, RIM)[160:168, 105:185]
    assert below.any(axis=0).all()


def test_text_stands_on_a_plate_beside_the_box():
    """What was written stays visible: nothing is drawn inside its box."""
    drawn = draw_marks(paper(120), [SURE_MARK], size=SIZE)
    assert (drawn[120:160, 100:190] == 120).all()


def test_doubt_shows_in_color_and_shape():
    """A doubtful number has another color, and its box has gaps."""
    sure, doubtful = (draw_marks(paper(), [mark], size=SIZE) for mark in (SURE_MARK, DOUBTFUL_MARK))
    assert pixels_of(doubtful, DOUBTFUL).any()
    assert not pixels_of(doubtful, SURE).any()
    side = slice(105, 185)
    below = slice(159, 166)
    assert pixels_of(sure, SURE)[below, side].any(axis=0).all()
    dashes = pixels_of(doubtful, DOUBTFUL)[below, side].any(axis=0)
    assert 0.2 < dashes.mean() < 0.9


def test_doubtful_text_has_a_question_mark():
    """Its plate is wider by one sign."""
    (left, _, right, _), (first, _, last, _) = (
        _plate(mark, 20, NONE, NONE, (300, 400)) for mark in (SURE_MARK, DOUBTFUL_MARK)
    )
    assert last - first > right - left


def test_dashes_begin_and_end_at_the_corners():
    """Every corner of a dashed box is drawn."""
    dashes = list(_dashes((0, 0), (70, 0), 10))
    assert dashes == [((0, 0), (10, 0)), ((20, 0), (30, 0)), ((40, 0), (50, 0)), ((60, 0), (70, 0))]


def test_drawing_grows_with_the_digits():
    """Large digits in a large picture have large letters beside them."""
    small = draw_marks(paper(), [SURE_MARK], size=SIZE)
    large = np.full((1200, 1600, 3), 255, np.uint8)
    large = draw_marks(large, [Mark((400, 480, 360, 160), "26.2", doubtful=False)], size=(1600, 1200))
    assert pixels_of(large, SURE).sum() > 8 * pixels_of(small, SURE).sum()


def test_text_avoids_other_boxes():
    """Where another number is right above, the text goes elsewhere."""
    above = Mark((100, 70, 90, 40), "1", doubtful=False)
    drawn = draw_marks(paper(120), [SURE_MARK, above], size=SIZE)
    assert (drawn[72:108, 102:188] == 120).all()


def test_text_rather_hides_another_box_than_its_own():
    """At the edge, where there is a little room beside it, and none above, below and on the left."""
    own = Mark((300, 120, 70, 40), "12345", doubtful=False)
    others = [Mark((x, y, 110, 44), "1", doubtful=False) for x, y in ((285, 64), (285, 170), (180, 118))]
    drawn = draw_marks(paper(120), [own, *others], size=SIZE)
    assert (drawn[124:156, 304:366] == 120).all()


def test_texts_avoid_each_other():
    """The second of two long texts over narrow boxes leaves the first as it is."""
    first, second = (Mark((x, 120, 20, 40), "12345678", doubtful=x > 150) for x in (140, 180))
    alone, together = (draw_marks(paper(), marks, size=SIZE) for marks in ([first], [first, second]))
    assert pixels_of(together, SURE).sum() == pixels_of(alone, SURE).sum()


@pytest.mark.parametrize("box", [(0, 0, 400, 300), (395, 290, 30, 30), (-5, -5, 8, 8)])
def test_boxes_at_the_edge_are_drawn(box):
    """The text stays inside the picture."""
    assert (draw_marks(paper(90), [Mark(box, "1234567", doubtful=True)], size=SIZE) != 90).any()


def test_tiny_picture_is_drawn_on():
    """Even where no text fits."""
    assert draw_marks(
        np.zeros((3, 4), np.uint8), [Mark((0, 0, 4, 3), "123", doubtful=True)], size=(4, 3)
    ).any()


def test_no_marks_leave_the_picture_as_it_is():
    """An empty reading draws nothing, and the answer is a copy."""
    picture = paper(77)
    drawn = draw_marks(picture, [], size=SIZE)
    assert (drawn == picture).all()
    assert not np.shares_memory(drawn, picture)


@pytest.mark.parametrize(
    ("channels", "value", "color"),
    [((), 9, (9, 9, 9)), ((3,), (1, 2, 3), (1, 2, 3)), ((4,), (1, 2, 3, 0), (255, 255, 255))],
)
def test_gray_and_transparent_pictures_become_rgb(channels, value, color):
    """Gray is repeated, and what is transparent is white."""
    picture = np.broadcast_to(np.uint8(value), (300, 400, *channels))
    assert draw_marks(picture, [], size=SIZE)[5, 5].tolist() == list(color)


def test_light_ink_on_nothing_is_drawn_on_black():
    """As it was read."""
    picture = np.full((300, 400, 4), (250, 250, 250, 0), np.uint8)
    picture[100:200, 100:110, 3] = 255
    drawn = draw_marks(picture, [], size=SIZE)
    assert (drawn == load_rgb(picture)).all()
    assert not drawn[5, 5].any()


@pytest.mark.parametrize(
    "picture", [np.zeros((300, 400)), np.zeros((300, 400, 2), np.uint8), np.zeros(5, np.uint8), None]
)
def test_other_arrays_are_refused(picture):
    """The message says what is accepted."""
    with pytest.raises(ArgumentError, match="uint8 of shape"):
        draw_marks(picture, [], size=SIZE)


def test_picture_of_another_size_is_refused():
    """A reading of an upright picture can't be drawn on one that lies on its side."""
    with pytest.raises(ArgumentError, match="400 x 300 pixels, not of 300 x 400"):
        draw_marks(np.zeros((400, 300), np.uint8), [], size=SIZE)
