"""One digit -> the same digit by other hands.

Every epoch sees every training image once, each time changed at random: moved, turned, sized, slanted, bent,
and written with a thinner or fatter pen; some with another habit of writing (a 1 with a flag, a crossed 7),
some as a poor picture shows them. Whole epochs are changed at once (some microseconds an image), so a
processor trains rather than waits, and the same seed gives the same images.

The bending is the elastic distortion of P. Simard, D. Steinkraus and J. Platt, "Best practices for
convolutional neural networks applied to visual document analysis", ICDAR 2003.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SIDE = 28
MARGIN = 6  # empty pixels around each image of a mosaic, so that no ink comes in from a neighbor
TILE = SIDE + 2 * MARGIN
INK = 128  # gray level from which a pixel is ink
CHUNK = 800  # images a mosaic: OpenCV's remap takes at most 32,767 rows

MOVE = 2.0  # pixels, standard deviations are half of each of these
TURN = 15.0  # degrees
SIZE = 0.15  # share
SLANT = 0.25  # pixels sideways a pixel down
BEND = 1.6  # pixels
BEND_GRID = 5  # the field of displacements is drawn on a grid of so many points a side
THICKEN, THIN = 0.8, 0.5  # share of a pixel's worth of ink put on or taken off all round


def augment(
    images: Images,
    labels: Labels,
    rng: np.random.Generator,
    strength: float = 1.0,
    poor: float = 0.0,
    *,
    habits: bool = True,
) -> Images:
    """Change each image a little, as another hand would have written it.

    Args:
        images: uint8 of shape (N, 28, 28), ink light on black.
        labels: uint8 of shape (N,), what each image shows.
        rng: decides all.
        strength: 0 leaves the hands as they are, 1 is the usual amount, 2 twice that.
        poor: share of the images that also get a flaw of a poor picture, 0 to 1.
        habits: whether some digits are written as other schools teach them, if strength is not 0.

    Returns:
        uint8 of shape (N, 28, 28).

    Example:
        >>> images = np.zeros((3, 28, 28), np.uint8)
        >>> augment(images, np.array([1, 7, 0], np.uint8), np.random.default_rng(0)).shape
        (3, 28, 28)
    """
    images = images.copy()
    if strength and len(images):
        if habits:
            images = with_other_habits(images, labels, rng)
        parts = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
        images = np.concatenate(
            [_with_other_pen(_moved(part, rng, strength), rng, strength) for part in parts]
        )
    chosen = rng.permutation(len(images))[: round(poor * len(images))]
    for flaw, part in zip(FLAWS, np.array_split(chosen, len(FLAWS)), strict=True):
        if part.size:
            images[part] = flaw(images[part], rng)
    return images


def with_other_habits(images: Images, labels: Labels, rng: np.random.Generator) -> Images:
    """Write some digits as other schools teach them.

    MNIST's writers are American: a 1 is one line, a 7 two, a 9 ends straight. Elsewhere a 1 has a flag and
    sometimes a base, a 7 a bar, a 9 a hook, a 4 no stem above its bar, a 6 a flat top, a 0 a slash.

    Args:
        images: uint8 of shape (N, 28, 28), ink light on black.
        labels: of shape (N,), what each image shows.
        rng: decides all.

    Returns:
        uint8 of shape (N, 28, 28), centered by mass.
    """
    images = images.copy()
    chance = np.where(images.max(axis=(1, 2)) > INK, rng.random(len(images)), 1)  # no habit without ink
    for digit, (share, change) in HABITS.items():
        for i in np.flatnonzero((labels == digit) & (chance < share)):
            change(images[i], rng)
            images[i] = _recentered(images[i])
    return images


def _slash(image: Images, rng: np.random.Generator) -> None:
    """Draw a line through a 0, from the upper right to the lower left."""
    x, y = rng.normal(SIDE / 2, 0.5, 2)
    angle, half = np.deg2rad(rng.uniform(35, 65)), rng.uniform(5, 10)
    dx, dy = half * np.cos(angle), half * np.sin(angle)
    _draw(image, [(x + dx, y - dy), (x - dx, y + dy)], rng)


def _flag(image: Images, rng: np.random.Generator) -> None:
    """Draw the upstroke of a 1, from the top of its line down to the left; under some also a base."""
    rows = np.flatnonzero(image.max(axis=1) > INK)
    top, bottom = int(rows[0]), int(rows[-1])
    x, y = float(_ink(image[top : top + 2]).mean()), top + 0.5
    foot = float(_ink(image[bottom : bottom + 1]).mean())
    angle, length = np.deg2rad(rng.uniform(25, 70)), rng.uniform(0.15, 0.8) * max(8, rows.size)
    _draw(image, [(x, y), (x - length * np.cos(angle), y + length * np.sin(angle))], rng)
    if rng.random() < 0.25:
        (left, right), rise = rng.uniform(2, 5, 2), rng.normal(0, 0.5)
        _draw(image, [(foot - left, bottom - rise), (foot + right, bottom + rise)], rng)


def _open_stem(image: Images, rng: np.random.Generator) -> None:
    """Take the stem of an open 4 away above its bar; lean some of the arms left alone to the right."""
    rows = np.flatnonzero(image.max(axis=1) > INK)
    above_bar = rows[: round(rng.uniform(0.35, 0.5) * rows.size)]
    lean = rng.uniform(-0.4, 0.9)  # pixels sideways a pixel up
    stem = SIDE  # the first column of the stem, as soon as there is an arm on its left
    for up, row in enumerate(above_bar[::-1]):
        columns = np.flatnonzero(image[row] > INK // 4)
        gaps = np.flatnonzero(np.diff(columns) > 1)
        stem = int(columns[gaps[-1] + 1]) if gaps.size else stem
        image[row, stem - 1 :] = 0
        if stem < SIDE:  # a closed 4 would be torn
            image[row] = np.roll(image[row], round(max(0.0, lean) * up))


def _flat_top(image: Images, rng: np.random.Generator) -> None:
    """Draw a line from the top of a 6 to the right."""
    top = int(np.flatnonzero(image.max(axis=1) > INK)[0])
    x = float(_ink(image[top : top + 2]).mean())
    _draw(image, [(x - 1, top + 1), (x + rng.uniform(3, 8), top + 1 + rng.normal(0, 1))], rng)


def _bar(image: Images, rng: np.random.Generator) -> None:
    """Draw the bar through the stem of a 7, a little below its middle."""
    rows = np.flatnonzero(image.max(axis=1) > INK)
    row = int(rows[0] + rng.uniform(0.45, 0.65) * rows.size)
    columns = _ink(image[row : row + 1])
    if columns.size:
        x = float(columns[-1]) - 1  # the stem is the last ink from the left
        (left, right), rise = rng.uniform(2.5, 5.5, 2), rng.normal(0, 0.7)
        _draw(image, [(x - left, row + rise), (x + right, row - rise)], rng)


def _hook(image: Images, rng: np.random.Generator) -> None:
    """Draw the end of a 9 to the left, and mostly up again; some swing out below the loop, as a 3 does."""
    rows = np.flatnonzero(image.max(axis=1) > INK)
    top, bottom = int(rows[0]), int(rows[-1])
    swings = rng.random() < 0.5
    if swings:
        below_loop = round(top + rng.uniform(0.5, 0.65) * rows.size)
        swings = _ink(image[below_loop - 1 : below_loop + 1]).size > 0  # a 9 may be broken there
    if swings:
        bottom = below_loop
        image[bottom + 1 :] = 0
    end = _ink(image[bottom - 1 : bottom + 1])
    x = float(end[-1] if swings else end.mean())
    reach, rise, sag = rng.uniform(4, 13), rng.uniform(-1, 6), rng.uniform(0, 4)
    points = [(x, bottom - 1.0), (x - 0.3 * reach, bottom + sag), (x - reach, bottom - rise)]
    if swings:
        swing, depth = rng.uniform(2, 9), rng.uniform(6, 12)
        points = [(x - 1, bottom - 1.0), (x + swing, bottom + 1.3 * depth), (x - reach, bottom + depth)]
    t = np.linspace(0, 1, 8)[:, np.newaxis]
    bezier = (1 - t) ** 2 * points[0] + 2 * t * (1 - t) * points[1] + t**2 * points[2]
    _draw(image, [(float(u), float(v)) for u, v in bezier], rng)


# Of each digit: how many are changed, and how. Shares are well below a half: most hands are like MNIST's.
HABITS = {
    0: (0.04, _slash),
    1: (0.4, _flag),
    4: (0.3, _open_stem),
    6: (0.12, _flat_top),
    7: (0.35, _bar),
    9: (0.4, _hook),
}


def _ink(rows: Images) -> npt.NDArray[np.intp]:
    """Return the columns in which these rows have ink."""
    return np.flatnonzero(rows.max(axis=0) > INK)


def _draw(image: Images, points: list[tuple[float, float]], rng: np.random.Generator) -> None:
    """Draw a line through points (x, y), about as wide as MNIST's strokes are."""
    layer = np.zeros((4 * SIDE, 4 * SIDE), np.uint8)  # four times as fine, so that it gets gray edges
    fine = np.round(4 * np.array(points) + 2).astype(np.int32)
    cv2.polylines(layer, [fine], isClosed=False, color=255, thickness=round(rng.uniform(6, 12)))
    np.maximum(image, cv2.resize(layer, (SIDE, SIDE), interpolation=cv2.INTER_AREA), out=image)


def _recentered(image: Images) -> Images:
    """Move an image by whole pixels so that its center of mass lies in the middle."""
    moments = cv2.moments(image)
    x, y = (round(SIDE / 2 - moments[key] / moments["m00"]) for key in ("m10", "m01"))
    return np.roll(image, (y, x), axis=(0, 1))


def _moved(images: Images, rng: np.random.Generator, strength: float) -> Images:
    """Move, turn, size, slant and bend: where in the original does each pixel come from?"""
    count = len(images)
    normal = (rng.standard_normal((8, count)).clip(-2, 2) * strength / 2).astype(np.float32)
    angle, slant = np.deg2rad(TURN * normal[0]), SLANT * normal[1]
    width, height = np.exp(SIZE * (normal[2] + normal[3])), np.exp(SIZE * (normal[2] - normal[3]))
    cosine, sine = np.cos(angle), np.sin(angle)
    # Rows of the matrix that leads back from a new pixel to the old one.
    matrix = np.array(
        [[cosine / width, (sine + slant) / width], [-sine / height, (cosine - slant * sine) / height]],
        np.float32,
    ).transpose(2, 0, 1)
    pixels = np.mgrid[0:SIDE, 0:SIDE][::-1].reshape(2, -1).astype(np.float32) - (SIDE - 1) / 2  # x, y
    origins = (matrix @ pixels).reshape(count, 2, SIDE, SIDE) + (SIDE - 1) / 2
    origins += MOVE * normal[4:6].T[:, :, np.newaxis, np.newaxis]
    origins += _bending(count, rng, strength)
    np.clip(origins, -MARGIN + 1, SIDE + MARGIN - 2, out=origins)  # stay in the image's own tile
    rows = np.arange(count, dtype=np.float32)[:, np.newaxis, np.newaxis] * TILE
    x, y = origins[:, 0] + MARGIN, origins[:, 1] + MARGIN + rows
    moved = cv2.remap(_mosaic(images), x.reshape(-1, SIDE), y.reshape(-1, SIDE), cv2.INTER_LINEAR)
    return np.asarray(moved, np.uint8).reshape(count, SIDE, SIDE)


def _bending(count: int, rng: np.random.Generator, strength: float) -> Floats:
    """Return smooth displacements (N, 2, 28, 28) in pixels."""
    coarse = rng.standard_normal((count * 2, BEND_GRID * BEND_GRID)).astype(np.float32)
    return (coarse @ _SPREAD).reshape(count, 2, SIDE, SIDE) * (BEND * strength / 2)


def _spread() -> Floats:
    """Return the matrix (grid points, pixels) of bicubic enlargement from the bending grid to an image."""
    points = np.eye(BEND_GRID * BEND_GRID, dtype=np.float32).reshape(-1, BEND_GRID, BEND_GRID)
    enlarged = [cv2.resize(point, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for point in points]
    return np.array(enlarged, np.float32).reshape(len(points), -1)


_SPREAD = _spread()


def _with_other_pen(images: Images, rng: np.random.Generator, strength: float) -> Images:
    """Put on or take off part of a pixel of ink all round each stroke."""
    mosaic = _mosaic(images)
    amount = rng.uniform(-THIN, THICKEN, len(images)).astype(np.float32) * np.float32(min(1.0, strength))
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    fat, thin = (_tiles(operation(mosaic, cross), len(images)) for operation in (cv2.dilate, cv2.erode))
    share = np.abs(amount)[:, np.newaxis, np.newaxis]
    other = np.where(amount[:, np.newaxis, np.newaxis] > 0, fat, thin)
    changed: Images = np.round((1 - share) * images + share * other).astype(np.uint8)
    return changed


def _mosaic(images: Images) -> Images:
    """Stack images with their margins into one tall picture, so that one call changes all."""
    padded = np.pad(images, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))
    mosaic: Images = padded.reshape(-1, TILE)
    return mosaic


def _tiles(mosaic: cv2.typing.MatLike, count: int) -> Images:
    tiles: Images = np.asarray(mosaic, np.uint8).reshape(count, TILE, TILE)
    return tiles[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


# ------------------------------------------------------------------------------------------ poor pictures


def _noisy(images: Images, rng: np.random.Generator) -> Images:
    """Add the noise of a dark picture."""
    deviation = rng.uniform(5, 70, (len(images), 1, 1)).astype(np.float32)
    return _as_gray(images + deviation * rng.standard_normal(images.shape, np.float32))


def _on_cloudy_paper(images: Images, rng: np.random.Generator) -> Images:
    """Lay pale ink on paper that is not empty: shadows, stains, what shines through from the back."""
    corners = rng.uniform(0, 1, (len(images), BEND_GRID * BEND_GRID)).astype(np.float32)
    clouds = (corners @ _SPREAD).reshape(images.shape) * rng.uniform(0, 160, (len(images), 1, 1))
    contrast = rng.uniform(0.5, 1, (len(images), 1, 1))
    return _as_gray(clouds + (255 - clouds) * contrast * (images / 255))


def _blurred(images: Images, rng: np.random.Generator) -> Images:
    """Blur, and bring the ink back to its strength, as a scan of a small print does."""
    blurred = _tiles(cv2.GaussianBlur(_mosaic(images), (0, 0), rng.uniform(0.6, 1.4)), len(images))
    return _as_gray(blurred * rng.uniform(0.8, 1.8, (len(images), 1, 1)))


def _broken(images: Images, rng: np.random.Generator) -> Images:
    """Take ink away in spots, as a dry pen and a hard threshold do."""
    corners = rng.standard_normal((len(images), 10, 10)).astype(np.float32)
    spots = np.array([cv2.resize(each, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for each in corners])
    rarity = rng.uniform(1, 2, (len(images), 1, 1))
    return _as_gray(images * (1 - 3 * np.maximum(0, spots.reshape(images.shape) - rarity)).clip(0, 1))


def _cut(images: Images, rng: np.random.Generator) -> Images:
    """Cut off up to three pixels of the digit on one side; sometimes leave a rim there."""
    cut = images.copy()
    for image in cut:
        edge = np.rot90(image, int(rng.integers(4)))
        depth = int(rng.integers(1, 8))
        edge[:depth] = 0 if rng.random() < 0.6 else rng.integers(100, 256)
    return cut


def _with_foreign_ink(images: Images, rng: np.random.Generator) -> Images:
    """Draw thin lines through and beside the digit: rules, cells, strokes of a neighbor."""
    marked = images.copy()
    for image in marked:
        for _number in range(int(rng.integers(1, 3))):
            (x, y), angle = rng.uniform(2, 26, 2), rng.choice([0, np.pi / 2]) + rng.normal(0, 0.15)
            reach = rng.uniform(3, 40)
            dx, dy = reach * np.cos(angle), reach * np.sin(angle)
            start, end = ((round(16 * (x + sign * dx)), round(16 * (y + sign * dy))) for sign in (-1, 1))
            cv2.line(image, start, end, int(rng.integers(80, 256)), 1, cv2.LINE_AA, 4)
    return marked


def _outlined(images: Images, _: np.random.Generator) -> Images:
    """Leave only the outline of the strokes, as of hollow digits and of what a sharpening camera makes."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return _tiles(cv2.morphologyEx(_mosaic(images), cv2.MORPH_GRADIENT, cross), len(images))


def _partly_inverted(images: Images, rng: np.random.Generator) -> Images:
    """Invert what lies beyond a straight edge: the end of a sheet, a dark table, a printed bar."""
    angle = rng.uniform(0, 2 * np.pi, (len(images), 1, 1))
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    beyond = np.cos(angle) * x + np.sin(angle) * y > rng.uniform(-4, 12, (len(images), 1, 1))
    return np.where(beyond, 255 - images, images)


FLAWS = (
    _noisy,
    _on_cloudy_paper,
    _blurred,
    _broken,
    _cut,
    _with_foreign_ink,
    _outlined,
    _partly_inverted,
)


def _as_gray(values: npt.NDArray[np.floating]) -> Images:
    gray: Images = np.round(values).clip(0, 255).astype(np.uint8)
    return gray
