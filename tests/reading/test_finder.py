"""Maps become marks, and what is found twice is kept once."""

import cv2
import numpy as np
import pytest

import inkdigits
from inkdigits.reading import finder
from inkdigits.reading.finder import Look, Marks, once, peaks


def maps_with(*spots: tuple[int, int, int, float], size: float = 12) -> np.ndarray:
    """Return maps of 16 x 16 spots with scores at (row, column, kind, score) and squares of this size."""
    maps = np.zeros((16, 16, 6), np.float32)
    maps[..., 4:] = np.log(size)
    for row, column, kind, score in spots:
        maps[row, column, kind] = score
    return maps


def marks_of(*boxes: tuple[float, float, float, float], scores=None, signs=None) -> Marks:
    """Return marks with falling scores unless said otherwise."""
    count = len(boxes)
    return Marks(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores or np.linspace(0.9, 0.5, count), np.float32),
        np.array(signs or [False] * count),
    )


def test_a_peak_is_a_box_around_its_spot():
    """The middle of spot (row 3, column 5) is 14, 22 in pixels."""
    marks = peaks(maps_with((3, 5, 0, 0.8)), 0.5)
    assert marks.boxes.tolist() == [pytest.approx([16, 8, 12, 12], abs=1e-4)]
    assert marks.scores.tolist() == [pytest.approx(0.8)]


def test_the_offset_moves_the_box():
    """A digit's middle lies between spots; the maps say where."""
    maps = maps_with((3, 5, 0, 0.8))
    maps[3, 5, 2:4] = 0.25, -0.5
    assert peaks(maps, 0.5).boxes[0, :2].tolist() == pytest.approx([17, 6], abs=1e-4)


def test_neighbors_of_a_peak_are_none():
    """Of spots side by side the surest one counts."""
    marks = peaks(maps_with((3, 5, 0, 0.8), (3, 6, 0, 0.7), (9, 9, 0, 0.6)), 0.5)
    assert sorted(marks.scores.tolist()) == pytest.approx([0.6, 0.8])


def test_what_is_less_sure_than_the_threshold_is_none():
    """The threshold itself still counts."""
    assert len(peaks(maps_with((3, 5, 0, 0.49), (9, 9, 0, 0.5)), 0.5)) == 1


def test_signs_are_told_from_digits():
    """Each kind has its own map."""
    marks = peaks(maps_with((3, 5, 0, 0.8), (3, 9, 1, 0.7)), 0.5)
    assert marks.is_sign.tolist() == [False, True]


def test_the_same_digit_found_twice_is_kept_once():
    """The surer one stays."""
    kept = once(marks_of((10, 10, 20, 30), (12, 11, 20, 30), (60, 10, 20, 30), scores=[0.6, 0.9, 0.5]))
    assert kept.scores.tolist() == pytest.approx([0.9, 0.5])


def test_touching_digits_stay_two():
    """An overlap of a third is what touching digits have."""
    assert len(once(marks_of((10, 10, 20, 30), (24, 10, 20, 30)))) == 2


def test_a_point_beside_a_digit_stays():
    """A sign inside a digit's box is another thing than the digit."""
    assert len(once(marks_of((10, 10, 20, 30), (24, 34, 5, 5), signs=[False, True]))) == 2


@pytest.mark.parametrize(
    ("shape", "scales"),
    [((60, 400), [1]), ((100, 100), [1, 0.5]), ((400, 300), [1, 0.5, 0.25]), ((1, 20_000), [1])],
)
def test_a_page_is_looked_at_until_it_is_small(shape, scales):
    """Each look is half as large as the one before."""
    assert list(finder._scales(shape, None)) == scales


def test_a_large_page_is_reduced_first():
    """48 megapixels become 5."""
    first = next(finder._scales((6000, 8000), 5_000_000))
    assert first**2 * 48e6 == pytest.approx(5e6)


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (17, 31)])
def test_pages_are_framed_to_what_the_network_takes(shape):
    """The page itself stays as it is; around it is the gray that it has most of."""
    page = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    framed = finder._framed(page)
    assert framed.shape[0] % 16 == framed.shape[1] % 16 == 0
    assert np.array_equal(framed[16 : 16 + shape[0], 16 : 16 + shape[1]], page)
    assert set(framed[:16].ravel()) == {int(np.median(page))}


def test_a_part_of_a_digit_gives_way():
    """The loop of an 8, found a little surer in a finer look, does not replace the 8."""
    kept = once(marks_of((0, 0, 60, 80), (20, 10, 20, 20), scores=[0.80, 0.85]))
    assert kept.boxes[:, 2].tolist() == [60]


def test_a_much_surer_small_digit_stays():
    """A large box of which the finder is hardly sure does not replace a digit."""
    kept = once(marks_of((0, 0, 60, 80), (20, 10, 20, 20), scores=[0.35, 0.85]))
    assert kept.boxes[:, 2].tolist() == [20]


@pytest.mark.parametrize(("side", "score"), [(62, 0.5), (40, 0.61)])
def test_a_digit_in_a_faint_large_box_is_none_of_its_parts(side, score):
    """All of a page, say, taken for one in the coarsest look: it is too large for a part, or too sure."""
    kept = once(marks_of((0, 0, 100, 100), (20, 20, side, side), scores=[0.48, score]))
    assert kept.boxes[:, 2].tolist() == [side]


def test_what_gives_way_itself_has_no_parts():
    """A digit within a faint box stays, where the faint box goes for another digit in it."""
    boxes = marks_of((10, 10, 50, 60), (100, 20, 15, 20), (0, 0, 120, 80), scores=[0.90, 0.55, 0.40])
    assert once(boxes).boxes[:, 0].tolist() == [10, 100]


@pytest.mark.parametrize(("sides", "looks"), [((200, 200, 200), 3), ((200, 200, 16), 5), ((200, 200), 5)])
def test_finer_looks_are_left_out_where_all_is_large(mnist, sides, looks):
    """Three digits that the coarsest looks show well tell enough; a small one or too few of them do not."""
    page = np.full((800, 1200), 255, np.uint8)
    for place, side in enumerate(sides):
        image = cv2.resize(mnist.validation.images[place], (side, side), interpolation=cv2.INTER_CUBIC)
        page[300 : 300 + side, 200 + 250 * place : 200 + 250 * place + side] -= image
    found = list(inkdigits.Reader().finder.looks(page))
    assert len(found) == looks
    assert [look.page.shape[0] for look in found] == [50 * 2**number for number in range(looks)]
    everything = inkdigits.Reader().finder.looks(page, full_resolution=True)
    assert len(list(everything)) == 5


@pytest.mark.parametrize(
    ("heights", "scores", "enough"),
    [
        ((30, 30, 30), (0.9, 0.8, 0.8), True),
        ((30, 30, 20), (0.9, 0.8, 0.8), False),
        ((30, 30), (0.9, 0.8), False),
        ((30, 30, 30, 30), (0.5, 0.5, 0.4, 0.4), False),  # blots of tiny writing, perhaps
        ((30, 30, 30, 20), (0.9, 0.8, 0.8, 0.4), False),  # a small digit, perhaps
    ],
)
def test_unsure_marks_do_not_tell_enough(heights, scores, enough):
    """One of three large digits has to be sure, and none may be small."""
    boxes = [(40.0 * place, 0.0, 0.6 * height, float(height)) for place, height in enumerate(heights)]
    look = Look(np.zeros((64, 64), np.uint8), maps_with(), marks_of(*boxes, scores=list(scores)))
    assert finder._tells_enough(look, 1.0) == enough
    assert not finder._tells_enough(look, 0.5)


@pytest.mark.parametrize(
    ("kind", "score", "size", "hints"), [(0, 0.2, 8, 3), (0, 0.04, 8, 0), (1, 0.2, 8, 0), (0, 0.2, 30, 0)]
)
def test_faint_spots_are_hints_of_small_digits(kind, score, size, hints):
    """Each far less sure than a digit; not of signs, and not of more large digits."""
    maps = maps_with(*[(row, 8, kind, score) for row in (2, 6, 10)], size=size)
    look = Look(np.zeros((64, 64), np.uint8), maps, Marks.none())
    assert len(finder._hints(look)) == hints


def test_hints_that_a_nearer_look_shows_nothing_at_make_no_finer_one(mnist, monkeypatch):
    """With every spot of an even page a hint, three large digits still tell enough."""
    monkeypatch.setattr(finder, "HINT", 0.0)
    page = np.full((800, 1200), 255, np.uint8)
    for place, image in enumerate(mnist.validation.images[:3]):
        large = cv2.resize(image, (200, 200), interpolation=cv2.INTER_CUBIC)
        page[300:500, 200 + 250 * place : 400 + 250 * place] -= large
    assert len(list(inkdigits.Reader().finder.looks(page))) == 3


def test_a_hint_is_looked_at_in_the_corner_of_a_page(mnist):
    """The square around it would be half outside."""
    page = np.full((200, 300), 255, np.uint8)
    page[-28:, -28:] -= mnist.validation.images[0]
    hint = marks_of((136.0, 86.0, 14.0, 14.0))  # of a look at half the size
    look = inkdigits.Reader().finder
    assert look._shows_digits(page, hint, look.card.doubt_threshold)
    assert not look._shows_digits(page, marks_of((0.0, 0.0, 14.0, 14.0)), look.card.doubt_threshold)


def test_numbers_below_a_large_heading_are_found(mnist):
    """The look that sees the heading sees four digits, all large, and of the others hints at most."""
    page = np.full((700, 900), 255, np.uint8)
    places = [(40 + 160 * column, 40, 150) for column in range(4)]
    places += [(80 + 200 * column, 320 + 90 * row, 34) for row in range(4) for column in range(4)]
    for image, (x, y, side) in zip(mnist.validation.images, places, strict=False):
        page[y : y + side, x : x + side] -= cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    marks = inkdigits.Reader().finder.find(page)
    middles = marks.boxes[:, :2] + marks.boxes[:, 2:] / 2
    found = sum(
        bool((np.abs(middles - (x + side / 2, y + side / 2)).max(axis=1) < side / 4).any())
        for x, y, side in places
    )
    assert found > 0.9 * len(places)


def test_marks_of_a_reduced_page_are_in_its_own_pixels(mnist):
    """Of 6 megapixels and odd sides: a large digit, seen in a coarse look, and a small one in the finest."""
    page = np.full((2001, 3003), 255, np.uint8)
    places = [(2600, 1500, 240), (300, 400, 44)]
    for image, (x, y, side) in zip(mnist.validation.images, places, strict=False):
        page[y : y + side, x : x + side] -= cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    marks = inkdigits.Reader().finder.find(page)
    middles = marks.boxes[:, :2] + marks.boxes[:, 2:] / 2
    assert sorted(map(tuple, middles.tolist())) == [
        pytest.approx((x + side / 2, y + side / 2), abs=side / 8) for x, y, side in sorted(places)
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_bands_see_what_the_whole_page_shows(mnist, monkeypatch, turned):
    """A digit on the border of two bands, of rows or columns, is found as if there were none."""
    page = np.full((800, 320), 255, np.uint8)
    for place, image in enumerate(mnist.validation.images[:50]):
        page[14 + 15 * place : 42 + 15 * place, 20 + 70 * (place % 4) :][:28, :28] -= image
    page = page.T.copy() if turned else page
    look = inkdigits.Reader().finder
    at_once = look.find(page)
    monkeypatch.setattr(finder, "BAND", 320 * 256)
    monkeypatch.setattr(finder, "WIDEST", 352)
    assert [rows.stop - rows.start for rows, *_ in finder._bands(832, 224)] == [352, 480, 480, 288]
    in_bands = look.find(page)
    assert len(at_once) > (10 if turned else 40)
    by_place = [marks.boxes[np.lexsort(marks.boxes[:, :2].round().T)] for marks in (in_bands, at_once)]
    assert np.allclose(*by_place, atol=0.5)
