import cv2
import numpy as np
import pytest

from inkdigits.reading.normalize import (
    BOX,
    TYPICAL_STROKE,
    _darkness,
    _is_light_on_dark,
    _marks_of_digit,
    _only_mark,
    _paper,
    _smoothed,
    _strength,
    _strokes,
    _without_lines,
    find_ink,
    stroke_width,
    to_mnist_form,
)
from inkdigits.result import Box

# A 2 and a 5 as pen strokes: x and y from 0 to 1.
TWO = [[(0.1, 0.25), (0.3, 0.02), (0.6, 0.02), (0.7, 0.25), (0.55, 0.5), (0.0, 0.98), (0.75, 0.95)]]
FIVE = [
    [(0.1, 0.05), (0.05, 0.45), (0.4, 0.4), (0.65, 0.65), (0.5, 0.95), (0.0, 0.98)],
    [(0.2, 0.0), (0.7, 0.0)],
]


def write(picture, strokes, left, top, size, *, ink=50, thickness=6):
    """Write a digit of a given height into the picture and return the picture."""
    for stroke in strokes:
        points = np.rint((np.array(stroke) * size + (left, top)) * 16).astype(np.int32)
        cv2.polylines(picture, [points], False, ink, thickness, cv2.LINE_AA, shift=4)
    return picture


def sheet(height=120, width=140, level=225):
    """A blank sheet of paper."""
    return np.full((height, width), level, np.uint8)


def page(strokes=TWO, **pen):
    """A sheet with one digit in its middle, 70 pixels tall."""
    return write(sheet(), strokes, 45, 25, 70, **pen)


def lit(picture, light):
    """The picture under a light of 0 to 1 for each pixel, with the noise of a camera."""
    noise = np.random.default_rng(0).normal(0, 2, picture.shape)
    return np.clip(picture * light + noise, 0, 255).astype(np.uint8)


def slope(height=120, width=140):
    """Light that falls off from the left to the right."""
    return np.broadcast_to(np.linspace(1, 0.45, width), (height, width))


def shadow(height=120, width=140):
    """A hard shadow over the right and lower part."""
    y, x = np.mgrid[:height, :width]
    return np.where(x + 0.6 * y > 0.75 * width, 0.55, 1.0)


def read(picture):
    """The picture's digit in MNIST's form."""
    ink = find_ink(picture)
    assert ink is not None
    return to_mnist_form(ink)


def darkness_of(picture):
    """How much darker than its paper each pixel of a picture of dark ink is."""
    return _darkness(picture, _smoothed(picture))


def center_of_mass(image):
    """Row and column of an image's center of mass."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return (image * y).sum() / image.sum(), (image * x).sum() / image.sum()


def difference(one, other):
    """Mean absolute difference, as a share of the ink."""
    return np.abs(one.astype(float) - other).sum() / one.sum()


def overlap(box, other):
    """Intersection over union of two boxes."""
    x, y = max(box.x, other.x), max(box.y, other.y)
    right, bottom = (
        min(box.x + box.width, other.x + other.width),
        min(box.y + box.height, other.y + other.height),
    )
    common = max(0, right - x) * max(0, bottom - y)
    return common / (box.width * box.height + other.width * other.height - common)


PLAIN = find_ink(page())
assert PLAIN is not None


# ------------------------------------------------------------------------------------------- MNIST's form


def test_form_is_mnists():
    """The image is 28 x 28 uint8, black around and with full ink inside."""
    image = read(page())
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image[0].max() == 0
    assert image.max() == 255


@pytest.mark.parametrize("strokes", [TWO, FIVE, [[(0.5, 0.0), (0.4, 1.0)]], [[(0.0, 0.5), (1.0, 0.4)]]])
def test_longer_side_is_twenty(strokes):
    """The digit fills a 20 x 20 box along its longer side."""
    _, _, width, height = cv2.boundingRect(read(page(strokes)))
    assert max(width, height) == BOX


def test_aspect_is_kept():
    """A digit half as wide as tall is still so, within what the stroke width adds."""
    tall = [[(0.0, 0.0), (0.4, 0.0), (0.4, 1.0), (0.0, 1.0), (0.0, 0.0)]]
    _, _, width, height = cv2.boundingRect(read(page(tall, thickness=8)))
    assert width / height == pytest.approx(36 / 78, abs=0.06)


@pytest.mark.parametrize("strokes", [TWO, FIVE, [[(0.1, 0.1), (0.9, 0.1), (0.9, 1.0)]]])
def test_center_of_mass_is_in_the_middle(strokes):
    """The center of mass is at 14, 14 within half a pixel."""
    assert np.abs(np.subtract(center_of_mass(read(page(strokes))), 14)).max() <= 0.51


@pytest.mark.parametrize("invert", [False, True])
def test_mnist_image_is_left_alone(invert):
    """An image in MNIST's form comes out as it is, and so does its negative."""
    image = read(page(thickness=9))
    image[image == 0] = 0
    picture = 255 - image if invert else image
    np.testing.assert_array_equal(read(picture), image)


def test_mnist_image_in_a_larger_black_picture_is_nearly_unchanged():
    """A margin around an MNIST image changes next to nothing."""
    image = read(page(thickness=9))
    assert difference(image, read(np.pad(image, 30))) < 0.15


# --------------------------------------------------------------------------------- light, paper, polarity


def test_inverted_equals_plain():
    """Light ink on dark paper gives the same digit in the same place as dark ink on light paper."""
    inverted = find_ink(255 - page(ink=0))
    plain = find_ink(page(ink=0))
    assert inverted.box == plain.box
    assert difference(to_mnist_form(plain), to_mnist_form(inverted)) < 0.05


def test_fat_ink_in_a_tight_cut_is_ink():
    """Where ink covers more than half of a tightly cut picture, it is still told from the paper."""
    picture = write(sheet(72, 60), TWO, 8, 8, 56, thickness=17, ink=0)
    tight = picture[2:70, 1:57]
    assert np.count_nonzero(tight < 128) > 0.5 * tight.size
    assert not _is_light_on_dark(_smoothed(tight))
    assert _is_light_on_dark(_smoothed(255 - tight))


@pytest.mark.parametrize("light", [slope(), shadow()], ids=["slope", "hard shadow"])
def test_uneven_light_is_removed(light):
    """Under uneven light the digit is found in the same place and looks the same."""
    ink = find_ink(lit(page(), light))
    assert overlap(ink.box, PLAIN.box) > 0.9
    assert difference(to_mnist_form(PLAIN), to_mnist_form(ink)) < 0.15


def test_darkness_of_a_shadow_is_that_of_paper():
    """A wide shadow with a hard edge is paper; ink inside it is as dark as outside."""
    darkness = darkness_of(lit(page(), shadow()))
    assert np.median(darkness) < 0.05 * 255
    assert np.percentile(darkness, 98) / 255 == pytest.approx(1 - 50 / 225, abs=0.05)


def test_drawing_has_one_paper():
    """In a drawing the widest brush is as dark as it is, though it is wider than any closing square."""
    drawing = cv2.rectangle(sheet(), (40, 20), (100, 100), 50, -1)
    assert darkness_of(drawing)[60, 70] == round((1 - 50 / 225) * 255)
    assert darkness_of(drawing)[60, 20] == 0


def test_closing_square_follows_the_pen():
    """Fat strokes are filled, and for a finer pen the square is smaller: a blot too wide for it stays."""
    blot = (slice(85, 115), slice(5, 40))
    fine, fat = page(thickness=2), page(thickness=24)
    fine[blot] = fat[blot] = 100
    assert _paper(_smoothed(fine))[100, 22] == pytest.approx(100, abs=5)
    assert _paper(_smoothed(fat))[100, 22] > 200


def test_pale_ink_becomes_full_ink():
    """Ink barely darker than its paper becomes as strong as black ink."""
    assert _strength(darkness_of(page(ink=200))).max() == 255
    assert difference(read(page()), read(page(ink=200))) < 0.05


def test_pale_stroke_beside_a_strong_one_is_drawn():
    """A stroke of a third of the ink beside one of full ink is not lost."""
    picture = write(sheet(level=255), [FIVE[0]], 45, 25, 70, ink=0)
    pale = write(picture.copy(), [FIVE[1]], 45, 25, 70, ink=160)
    full = write(picture, [FIVE[1]], 45, 25, 70, ink=0)
    assert difference(read(full), read(pale)) < 0.15


# ------------------------------------------------------------------------------- lines, frames and specks


@pytest.mark.parametrize("tilt", [0, 4])
def test_ruled_lines_are_dropped(tilt):
    """On ruled paper, level or tilted, the digit is found as on blank paper."""
    paper = sheet()
    for y in range(4, 120, 22):
        cv2.line(paper, (0, y), (140, y + tilt), 170, 1, cv2.LINE_AA)
    ink = find_ink(write(paper, TWO, 45, 25, 70))
    assert overlap(ink.box, PLAIN.box) > 0.9
    assert difference(to_mnist_form(PLAIN), to_mnist_form(ink)) < 0.2


def test_squares_are_dropped():
    """On squared paper the digit is found as on blank paper."""
    paper = sheet()
    paper[6::16] = 180
    paper[:, 9::16] = 180
    ink = find_ink(write(paper, TWO, 45, 25, 70))
    assert overlap(ink.box, PLAIN.box) > 0.9
    assert difference(to_mnist_form(PLAIN), to_mnist_form(ink)) < 0.3


def test_stroke_stays_where_it_crosses_a_line():
    """Dropping a line leaves no gap in the stroke that crosses it."""
    strength = np.zeros((60, 60), np.uint8)
    strength[10:50, 28:33] = 255
    strength[30] = 255
    expected = strength.copy()
    expected[30, :27] = expected[30, 34:] = 0
    cleaned = _without_lines(strength)
    np.testing.assert_array_equal(cleaned[:, :26], 0)
    np.testing.assert_array_equal(cleaned[10:50, 28:33], 255)


def test_bar_that_ends_inside_is_not_a_line():
    """A bar of the digit that doesn't reach both edges stays."""
    strength = np.zeros((60, 60), np.uint8)
    strength[30, 5:55] = 255
    np.testing.assert_array_equal(_without_lines(strength), strength)


def test_frame_at_the_edges_is_dropped():
    """A dark frame around the picture is not ink."""
    picture = cv2.rectangle(page(), (0, 0), (139, 119), 40, 3)
    assert find_ink(picture).box == PLAIN.box


def test_frame_without_writing_has_no_ink():
    """A frame alone is not ink."""
    assert find_ink(cv2.rectangle(lit(sheet(), 1), (0, 0), (139, 119), 40, 3)) is None


def test_speck_alone_has_no_ink():
    """A mark shorter than a twentieth of the picture is a speck, not a digit."""
    assert find_ink(cv2.line(sheet(), (60, 60), (64, 60), 50)) is None


def test_specks_are_dropped():
    """Dust far from the digit and beside it changes neither box nor image."""
    picture = page()
    for x, y in [(10, 10), (130, 15), (120, 110), (35, 60), (110, 60)]:
        cv2.circle(picture, (x, y), 1, 50, -1)
    assert find_ink(picture).box == PLAIN.box
    assert difference(read(page()), read(picture)) < 0.02


def test_neighbor_cut_by_the_edge_is_dropped():
    """A piece of another digit that the picture's edge cuts is not part of this one."""
    picture = write(page(), TWO, 110, 25, 70)
    assert find_ink(picture).box == PLAIN.box


def test_strokes_of_a_broken_digit_belong_together():
    """A 5 whose bar doesn't touch its body is one digit."""
    apart = [[(0.09, 0.2), *FIVE[0][1:]], FIVE[1]]
    box = find_ink(page(apart)).box
    assert (box.y, box.height) == (find_ink(page(FIVE)).box.y, find_ink(page(FIVE)).box.height)


def test_only_mark_is_the_one_that_would_be_chosen():
    """Of a picture with one mark, the quick way cuts out what choosing among marks does."""
    clear = (page() < 128).view(np.uint8)
    quick, *place = _only_mark(clear)
    chosen, *chosen_place = _marks_of_digit(clear)
    np.testing.assert_array_equal(quick, chosen)
    assert place == chosen_place


@pytest.mark.parametrize("other", [(slice(10, 20), slice(10, 12)), (slice(0, 12), slice(60, 64))])
def test_only_mark_is_alone_and_clear_of_the_edges(other):
    """Beside a second mark, or cut by the edge, a mark is not the only one of the picture."""
    clear = np.zeros((100, 100), np.uint8)
    clear[11:80, 60:64] = 1
    assert _only_mark(clear) is not None
    clear[other] = 1
    assert _only_mark(clear) is None


def test_stroke_far_away_does_not_belong():
    """The stronger of two marks far apart is the digit."""
    strength = np.zeros((100, 200), np.uint8)
    strength[30:70, 20:26] = 255
    strength[40:60, 150:153] = 255
    strokes, x, y = _strokes(strength)
    assert (x, y, strokes.shape) == (20, 30, (40, 6))


# ------------------------------------------------------------------------------------ place, size, stroke


@pytest.mark.parametrize(("left", "top"), [(3, 3), (108, 3), (3, 88), (108, 88)])
def test_digit_in_a_corner_is_found(left, top):
    """A small digit in a corner is found where it is."""
    ink = find_ink(write(sheet(), TWO, left, top, 28, thickness=3))
    assert overlap(ink.box, Box(left - 2, top - 2, 25, 32)) > 0.75


def test_small_digit_in_a_large_photo_is_found():
    """In a photo of two megapixels a digit of 100 pixels is found, with all its detail."""
    picture = lit(write(sheet(1200, 1600), TWO, 1300, 200, 100, thickness=8), slope(1200, 1600))
    ink = find_ink(picture)
    assert overlap(ink.box, Box(1296, 198, 83, 104)) > 0.85
    assert max(ink.strength.shape) > 90
    assert difference(read(page()), to_mnist_form(ink)) < 0.25


def test_box_is_in_pixels_of_the_picture():
    """Enlarging a picture enlarges the box with it."""
    large = cv2.resize(page(), None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    box = find_ink(large).box
    expected = Box(*(8 * value for value in PLAIN.box.to_list()))
    assert overlap(box, expected) > 0.9


@pytest.mark.parametrize("thickness", [1, 2, 12, 16])
def test_thin_and_fat_strokes_give_similar_ink(thickness):
    """From a fine pen to a marker, the ink mass stays within a quarter."""
    mass = read(page()).sum(dtype=float)
    assert read(page(thickness=thickness)).sum(dtype=float) == pytest.approx(mass, rel=0.25)


@pytest.mark.parametrize("thickness", [1, 3, 9])
def test_stroke_gets_mnists_width(thickness):
    """Strokes of any pen come out with MNIST's typical width."""
    assert stroke_width(read(page(thickness=thickness)) / np.float32(255)) == pytest.approx(
        TYPICAL_STROKE, abs=0.3
    )


def test_tiny_drawing_becomes_smooth():
    """A digit of 12 pixels drawn one pixel wide becomes one whole stroke of MNIST's width."""
    image = read(write(sheet(20, 20, 255), TWO, 5, 4, 12, thickness=1, ink=0))
    assert cv2.connectedComponents((image > 128).astype(np.uint8))[0] == 2
    assert stroke_width(image / np.float32(255)) == pytest.approx(TYPICAL_STROKE, abs=0.3)


def test_stroke_width_counts_area_over_outline():
    """A disk's width is its radius, a long bar's width is the bar's."""
    bar = np.zeros((200, 12), np.float32)
    bar[2:-2, 4:8] = 1
    assert stroke_width(bar) == pytest.approx(4, rel=0.05)
    assert stroke_width(np.zeros((9, 9), np.float32)) == 0


# ----------------------------------------------------------------------------------------------- no ink


def test_paper_has_no_strokes():
    """Where dropping the rules leaves nothing, there are no strokes."""
    assert _strokes(np.zeros((20, 30), np.uint8)) is None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_has_no_ink(level):
    """A picture of one level has no ink."""
    assert find_ink(sheet(level=level)) is None


def test_nothing_stands_out_of_noise():
    """The darkest pixels of noise are too near the others to be ink."""
    noise = np.random.default_rng(0).normal(50, 12, (120, 140)).clip(0, 255).astype(np.uint8)
    assert _strength(noise) is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("deviation", [2, 8, 20])
def test_noise_has_no_ink(seed, deviation):
    """Paper with a camera's noise has no ink."""
    noise = np.random.default_rng(seed).normal(200, deviation, (120, 140))
    assert find_ink(np.clip(noise, 0, 255).astype(np.uint8)) is None


def test_compressed_paper_has_no_ink():
    """The blocks that strong JPEG compression leaves on paper are not ink."""
    noise = np.random.default_rng(1).normal(200, 6, (120, 140)).clip(0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 30])
    assert find_ink(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)) is None


def test_gradient_has_no_ink():
    """Light that falls off has no ink, smooth or noisy."""
    assert find_ink((sheet() * slope()).astype(np.uint8)) is None
    assert find_ink(lit(sheet(), slope())) is None


def test_soft_shadow_has_no_ink():
    """The soft shadow of a hand on paper is not ink."""
    soft = cv2.GaussianBlur(shadow(), (0, 0), 12)
    assert find_ink(lit(sheet(), soft)) is None


def test_blot_has_no_ink():
    """A round blot is not a digit's stroke."""
    assert find_ink(cv2.circle(sheet(), (70, 60), 20, 50, -1)) is None


def test_ruled_paper_without_writing_has_no_ink():
    """Ruled lines alone are not ink."""
    paper = sheet()
    paper[6::16] = 170
    assert find_ink(paper) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 2), (2, 300), (3, 3), (3, 4000)])
def test_tiny_pictures_have_no_ink(shape):
    """Pictures too small to show a digit, or too narrow, give None."""
    assert find_ink(np.zeros(shape, np.uint8)) is None
    assert find_ink(np.random.default_rng(0).integers(0, 2, shape, np.uint8) * 255) is None or min(shape) > 2


@pytest.mark.parametrize("seed", range(30))
def test_no_picture_crashes(seed):
    """Random pictures of random shapes give None or a proper image."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, rng.integers(1, 40, 2), np.uint8)
    picture[: rng.integers(1, 40), : rng.integers(1, 40)] = rng.integers(0, 256)
    ink = find_ink(picture)
    if ink is not None:
        assert to_mnist_form(ink).max() > 0
        assert 0 <= ink.box.x <= ink.box.x + ink.box.width <= picture.shape[1]
        assert 0 <= ink.box.y <= ink.box.y + ink.box.height <= picture.shape[0]


def test_box_in_a_very_long_picture_is_inside_it():
    """Such a picture is not made smaller alike in both directions."""
    picture = np.full((9, 2909), 255, np.uint8)
    cv2.line(picture, (624, 5), (2218, 4), 0, 1)
    box = find_ink(picture).box
    assert 600 < box.x < box.x + box.width < 2250
    assert 0 <= box.y < box.y + box.height <= 9
