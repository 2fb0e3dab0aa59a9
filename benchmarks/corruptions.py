"""The fifteen corruptions of MNIST-C, made anew: the digit stays the same, the picture gets worse.

N. Mu and J. Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision", arXiv:1906.02337 (2019), damage
MNIST's 10,000 test images in fifteen ways, each at one fixed severity. The kinds, their order and their
severities here are those of the paper and of its published program, github.com/google-research/mnist-c
(corruptions.py, Apache License 2.0). The code is written anew, for whole arrays at once, with NumPy and
OpenCV alone. Figures measured with it are therefore for corruptions like MNIST-C's, not for the published
files: the random draws are others, and some pixels differ where the original leans on other libraries.

Every function takes images as uint8 of shape (N, 28, 28), ink light on black, and a random generator, and
returns new images of the same kind. The same state of the generator gives the same images.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Corruption = Callable[[Images, np.random.Generator], Images]

SIDE = 28
WHITE = np.float32(255)


# Noise


def shot_noise(images: Images, rng: np.random.Generator) -> Images:
    """Count few photons: a white pixel is worth three of them on average, and three or more are white.

    Source: MNIST-C's shot_noise at severity 5.
    """
    photons = rng.poisson(images * (3 / WHITE))
    return (np.minimum(photons, 3) * 85).astype(np.uint8)


def impulse_noise(images: Images, rng: np.random.Generator) -> Images:
    """Turn 17 % of the pixels black or white ("salt and pepper").

    Source: MNIST-C's impulse_noise at severity 4.
    """
    draws = rng.random(images.shape, np.float32)
    return np.where(draws < 0.17, np.where(draws < 0.17 / 2, 0, 255), images).astype(np.uint8)


# Blur


def glass_blur(images: Images, rng: np.random.Generator) -> Images:
    """Look through frosted glass: blur, let pixels change places with neighbors twice, blur again.

    Source: MNIST-C's glass_blur at severity 1. As there, the blur (0.7 pixels) runs up and down only: the
    original's filter takes the columns of a gray image for color channels.
    """
    blur = _blur_matrix(0.7)
    # A pixel a row and an image a column: all images exchange the same pixel at the same time.
    pixels = (blur @ images).astype(np.uint8).reshape(len(images), SIDE * SIDE).T.copy()
    every = np.arange(len(images))
    # Half of the time nothing is drawn; else the pixel itself, its left, upper or upper left neighbor.
    partners = np.array([0, 0, 0, 0, 0, -1, -SIDE, -SIDE - 1])
    for _ in range(2):
        for row in range(SIDE - 1, 1, -1):
            for column in range(SIDE - 1, 1, -1):
                here = row * SIDE + column
                there = here + partners[rng.integers(len(partners), size=len(images))]
                kept = pixels[here].copy()
                pixels[here] = pixels[there, every]
                pixels[there, every] = kept
    return _to_uint8(blur @ pixels.T.reshape(images.shape))


def motion_blur(images: Images, rng: np.random.Generator) -> Images:
    """Move the camera: each pixel trails off to one side, in a direction up to 45 degrees from level.

    Source: MNIST-C's motion_blur at severity 1, which is ImageMagick's of radius 10 and sigma 3: half a bell
    curve along a line of whole pixels, edge pixels repeated beyond the edge.
    """
    steps = np.arange(21)
    weights = np.exp(-(steps**2) / (2 * 3**2))
    weights /= weights.sum()
    angles = np.deg2rad(rng.uniform(-45, 45, len(images)))[:, np.newaxis]
    right, down = np.ceil(steps * np.cos(angles) - 0.5), np.ceil(steps * np.sin(angles) - 0.5)
    every, side = np.arange(len(images))[:, np.newaxis, np.newaxis], np.arange(SIDE)
    blurred = np.zeros(images.shape, np.float32)
    for step, weight in zip(steps, weights.astype(np.float32), strict=True):
        columns = (side + right[:, step, np.newaxis]).clip(0, SIDE - 1).astype(np.intp)
        rows = (side + down[:, step, np.newaxis]).clip(0, SIDE - 1).astype(np.intp)
        blurred += weight * images[every, rows[:, :, np.newaxis], columns[:, np.newaxis, :]]
    return _to_uint8(blurred)


# Geometry


def shear(images: Images, rng: np.random.Generator) -> Images:
    """Slant by 0.4 radians to the left or right.

    Source: MNIST-C's shear at severity 2. As in the scikit-image of its time, digits also become 9 % taller.
    """
    slants = [np.array([[1, -np.sin(angle)], [0, np.cos(angle)]]) for angle in (-0.4, 0.4)]
    return _warped(images, [_about_center(slant) for slant in slants], rng)


def scale(images: Images, rng: np.random.Generator) -> Images:
    """Shrink to 70 %.

    Source: MNIST-C's scale at severity 3.
    """
    return _warped(images, [_about_center(np.eye(2) / 0.7)], rng)


def rotate(images: Images, rng: np.random.Generator) -> Images:
    """Turn by 0.4 radians (23 degrees) one way or the other.

    Source: MNIST-C's rotate at severity 2.
    """
    turns = [
        np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) for angle in (-0.4, 0.4)
    ]
    return _warped(images, [_about_center(turn) for turn in turns], rng)


def translate(images: Images, rng: np.random.Generator) -> Images:
    """Move by three pixels along both axes, into one of the four corners.

    Source: MNIST-C's translate at severity 3.
    """
    moves = [np.array([[1, 0, right], [0, 1, down]]) for right in (-3, 3) for down in (-3, 3)]
    return _warped(images, moves, rng)


# Light and weather


def brightness(images: Images, rng: np.random.Generator) -> Images:  # noqa: ARG001 - nothing is left to chance
    """Brighten everything by half of white.

    Source: MNIST-C's brightness at severity 5.
    """
    return _to_uint8(images + WHITE / 2)


def stripe(images: Images, rng: np.random.Generator) -> Images:  # noqa: ARG001 - nothing is left to chance
    """Show the left and the right quarter as a negative.

    Source: MNIST-C's stripe, which has one severity.
    """
    striped = 255 - images
    striped[:, :, 7:21] = images[:, :, 7:21]
    return striped


def fog(images: Images, rng: np.random.Generator) -> Images:
    """Lay clouds over the image, three times as strong as its ink, and dim both to the old maximum.

    Source: MNIST-C's fog at severity 5: a corner of a 256 x 256 plasma fractal whose details are weaker
    by 1.4 squared with each halving of their size.
    """
    foggy = np.empty_like(images)
    for start in range(0, len(images), 20):  # so many fractals as fit into the processor's cache
        part = images[start : start + 20]
        clouds = _plasma(len(part), decay=1.4, rng=rng)[:, :SIDE, :SIDE]
        brightest = part.max(axis=(1, 2), keepdims=True) / WHITE
        foggy[start : start + 20] = _to_uint8((part + 3 * WHITE * clouds) * brightest / (brightest + 3))
    return foggy


def spatter(images: Images, rng: np.random.Generator) -> Images:
    """Splash dark gray mud on the image.

    Source: MNIST-C's spatter at severity 4: blots where smooth noise exceeds its mean, with softened edges.
    """
    blur = _blur_matrix(1)
    noise = rng.standard_normal(images.shape, np.float32) * np.float32(0.3) + np.float32(0.65)
    blots = (blur @ noise @ blur.T > 0.65).astype(np.float32)
    blur = _blur_matrix(1.5)
    mud = blur @ blots @ blur.T
    mud[mud < 0.8] = 0
    return _to_uint8(images * (1 - mud) + 63 * mud)


# Lines


def dotted_line(images: Images, rng: np.random.Generator) -> Images:
    """Cross the image with a straight line of dots and gaps, each two pixels wide.

    Source: MNIST-C's dotted_line, which has one severity.
    """
    left, right = rng.integers(27, size=(2, len(images)))
    line = _line(np.zeros(len(images)), left, np.full(len(images), 27), right)
    line[:, :, np.arange(SIDE) // 2 % 2 == 0] = 0
    return _to_uint8(images + WHITE * line)


def zigzag(images: Images, rng: np.random.Generator) -> Images:
    """Cross the image with a zigzag of seven strokes, two pixels up and down from a slightly tilted line.

    Source: MNIST-C's zigzag, which has one severity.
    """
    height = rng.integers(27, size=len(images))
    tilt = np.arctan(rng.integers(-5, 5, size=len(images)) / 23)
    length = 23 / np.cos(tilt)
    along = [0, 2, 6, 10, 14, 18, 22, length]
    across = [0, 2, -2, 2, -2, 2, -2, -1 / (length - 20)]
    x = [2 + a * np.cos(tilt) - b * np.sin(tilt) for a, b in zip(along, across, strict=True)]
    y = [height + a * np.sin(tilt) + b * np.cos(tilt) for a, b in zip(along, across, strict=True)]
    ink = np.zeros(images.shape, np.float32)
    for stroke in range(7):
        ink += _line(x[stroke], y[stroke], x[stroke + 1], y[stroke + 1])
    return _to_uint8(images + WHITE * ink)


# Edges


def canny_edges(images: Images, rng: np.random.Generator) -> Images:  # noqa: ARG001 - nothing is left to chance
    """Leave only the outlines, one pixel wide and white.

    Source: MNIST-C's canny_edges, which has one severity: scikit-image's, with a blur of one pixel and
    thresholds of 0.1 and 0.2 on the Sobel gradient. OpenCV's, used here, rounds the direction in which an
    edge is thinned to eighths of a circle; one pixel in a hundred differs.
    """
    fine = 16  # OpenCV wants whole numbers: keep some of a gray level's fraction
    blur = _blur_matrix(1)
    edges = []
    for smooth in blur @ images @ blur.T * np.float32(fine):
        right, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
        low, high = 0.1 * 255 * fine, 0.2 * 255 * fine
        edges.append(
            cv2.Canny(np.int16(np.round(right)), np.int16(np.round(down)), low, high, L2gradient=True)
        )
    return np.array(edges, np.uint8).reshape(images.shape)


CORRUPTIONS: dict[str, Corruption] = {
    corruption.__name__: corruption
    for corruption in (
        shot_noise,
        impulse_noise,
        glass_blur,
        motion_blur,
        shear,
        scale,
        rotate,
        brightness,
        translate,
        stripe,
        fog,
        spatter,
        dotted_line,
        zigzag,
        canny_edges,
    )
}


def corrupt(name: str, images: Images, seed: int = 0) -> Images:
    """Corrupt images with draws that depend on the seed and the corruption alone, whatever is run before.

    Args:
        name: one of `CORRUPTIONS`.
        images: uint8 of shape (N, 28, 28), ink light on black.
        seed: 0 or more.

    Returns:
        New images, uint8 of shape (N, 28, 28).

    Example:
        >>> corrupt("brightness", np.zeros((1, 28, 28), np.uint8)).max()
        np.uint8(128)
    """
    return CORRUPTIONS[name](images, np.random.default_rng([seed, list(CORRUPTIONS).index(name)]))


# The tools


def _to_uint8(values: npt.NDArray[np.floating]) -> Images:
    return np.round(values).clip(0, 255).astype(np.uint8)


def _blur_matrix(sigma: float) -> Floats:
    """Return the matrix (28, 28) that blurs columns from the left and, transposed, rows from the right.

    A bell curve cut off at four sigma, edge pixels repeated beyond the edge.
    """
    radius = int(4 * sigma + 0.5)
    steps = np.arange(-radius, radius + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    matrix = np.zeros((SIDE, SIDE), np.float32)
    side = np.arange(SIDE)[:, np.newaxis]
    np.add.at(matrix, (side, (side + steps).clip(0, SIDE - 1)), weights / weights.sum())
    return matrix


def _about_center(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Complete a matrix (2, 2) of coordinates x, y to one (2, 3) that leaves the image's center in place."""
    center = np.full(2, (SIDE - 1) / 2)
    return np.column_stack([matrix, center - matrix @ center])


def _warped(images: Images, ways: Sequence[npt.NDArray], rng: np.random.Generator) -> Images:
    """Warp each image in one of several ways, drawn with even odds.

    A way is the matrix (2, 3) that leads from a new pixel's x, y back to where it was; outside is black.
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = [
        cv2.warpAffine(image, np.float64(ways[way]), (SIDE, SIDE), flags=flags)
        for image, way in zip(images, rng.integers(len(ways), size=len(images)), strict=True)
    ]
    return np.array(warped, np.uint8).reshape(images.shape)


def _line(x0: npt.ArrayLike, y0: npt.ArrayLike, x1: npt.ArrayLike, y1: npt.ArrayLike) -> Floats:
    """Return the ink, 0 to 1, of N straight lines from (x0, y0) to (x1, y1), all of shape (N,) and x0 < x1.

    The ink fades with the distance straight up or down: to nothing at one and a half pixels.
    """
    x0, y0, x1, y1 = (np.asarray(values, np.float32)[:, np.newaxis] for values in (x0, y0, x1, y1))
    side = np.arange(SIDE, dtype=np.float32)
    heights = y0 + (y1 - y0) / (x1 - x0) * (side - x0)
    distances = np.abs(side[:, np.newaxis] - heights[:, np.newaxis])
    ink = 1 + np.log(1 - np.minimum(distances, 2) / np.float32(2.3))
    ink *= ((side >= np.floor(x0)) & (side < np.ceil(x1)))[:, np.newaxis]
    return ink.clip(0, 1)


def _plasma(count: int, decay: float, rng: np.random.Generator, side: int = 256) -> Floats:
    """Return fractal clouds (count, side, side) from 0 to 1, alike at all sizes and repeating at the edges.

    The diamond-square algorithm (A. Fournier, D. Fussell and L. Carpenter, "Computer rendering of stochastic
    models", Communications of the ACM 25, 1982): ever finer grids, each new point the mean of its four
    neighbors and a chance deviation, which shrinks by ``decay`` squared from one grid to the next.
    """
    clouds = np.zeros((count, side, side), np.float32)
    step, deviation = side, np.float32(100**2)

    def deviated(sums: Floats) -> Floats:
        return sums / 4 + deviation * (2 * rng.random(sums.shape, np.float32) - 1)

    while step >= 2:
        half = step // 2
        corners = clouds[:, ::step, ::step]
        pairs = corners + np.roll(corners, -1, axis=1)
        clouds[:, half::step, half::step] = deviated(pairs + np.roll(pairs, -1, axis=2))
        middles = clouds[:, half::step, half::step]
        above_and_below = middles + np.roll(middles, 1, axis=1)
        left_and_right = corners + np.roll(corners, -1, axis=2)
        clouds[:, ::step, half::step] = deviated(above_and_below + left_and_right)
        above_and_below = corners + np.roll(corners, -1, axis=1)
        left_and_right = middles + np.roll(middles, 1, axis=2)
        clouds[:, half::step, ::step] = deviated(above_and_below + left_and_right)
        step, deviation = half, deviation / np.float32(decay**2)
    clouds -= clouds.min(axis=(1, 2), keepdims=True)
    return clouds / clouds.max(axis=(1, 2), keepdims=True)
