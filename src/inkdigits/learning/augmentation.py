"""One digit -> the same digit by other hands.

Every epoch sees every training image once, each time changed at random: moved, turned, sized, slanted, bent,
and written with a thinner or fatter pen. Whole epochs are changed at once (some microseconds an image), so a
processor trains rather than waits, and the same seed gives the same images.

The bending is the elastic distortion of P. Simard, D. Steinkraus and J. Platt, "Best practices for
convolutional neural networks applied to visual document analysis", ICDAR 2003.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SIDE = 28
MARGIN = 6  # empty pixels around each image of a mosaic, so that no ink comes in from a neighbor
TILE = SIDE + 2 * MARGIN
CHUNK = 800  # images a mosaic: OpenCV's remap takes at most 32,767 rows

MOVE = 2.0  # pixels, standard deviations are half of each of these
TURN = 15.0  # degrees
SIZE = 0.15  # share
SLANT = 0.25  # pixels sideways a pixel down
BEND = 1.6  # pixels
BEND_GRID = 5  # the field of displacements is drawn on a grid of so many points a side
THICKEN, THIN = 0.8, 0.5  # share of a pixel's worth of ink put on or taken off all round


def augment(images: Images, rng: np.random.Generator, strength: float = 1.0) -> Images:
    """Change each image a little, as another hand would have written it.

    Args:
        images: uint8 of shape (N, 28, 28), ink light on black.
        rng: decides all.
        strength: 0 leaves the images as they are, 1 is the usual amount, 2 twice that.

    Returns:
        uint8 of shape (N, 28, 28).

    Example:
        >>> images = np.zeros((3, 28, 28), np.uint8)
        >>> augment(images, np.random.default_rng(0)).shape
        (3, 28, 28)
    """
    if not len(images):
        return images.copy()
    parts = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    return np.concatenate([_with_other_pen(_moved(part, rng, strength), rng, strength) for part in parts])


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
