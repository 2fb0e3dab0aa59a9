"""A line of digits on a page -> its straight crop, for the line reader.

A crop is level whatever the line's slope is, of one height whatever the digits' size is, and its strokes lean
less than they do on the page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.reading.image import median_gray

Boxes = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Gray = npt.NDArray[np.uint8]

CROP_HEIGHT, DIGIT_HEIGHT = 48, 28  # pixels: a crop, and the usual digit in it
CROP_USE = 0.9  # of a crop's height at most, for digits that go up and down

SLANTS = np.arange(-8, 9) / 10  # pixels to the right a pixel of height
MUCH = 0.4  # how clearly much slant has to show: a 7 leans, however upright its writer writes,
STRAIGHTENED = 0.6  # and only a share of the slant is undone (docs/experiments.md)
FAINT = 0.25  # of the darkest ink; what is fainter tells no slant


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A straight crop of a line or a number.

    Attributes:
        matrix: float64 of shape (2, 3), from (x, y, 1) of the page to x, y of the crop; both count from the
            corner of a picture, where the first pixel's center is (0.5, 0.5), as boxes do.
        width, height: of the crop, in pixels.
    """

    matrix: Floats
    width: int
    height: int

    @property
    def corners(self) -> Floats:
        """The crop's corners on the page, clockwise from the upper left: float64 of shape (4, 2)."""
        corners = np.array([(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)])
        return self.to_page(corners)

    def to_page(self, points: npt.ArrayLike) -> Floats:
        """Return where points of the crop, of shape (N, 2), are on the page."""
        from_corner = np.asarray(points, np.float64) - self.matrix[:, 2]
        page: Floats = from_corner @ np.linalg.inv(self.matrix[:, :2]).T
        return page

    def sheared(self, slant: float) -> Crop:
        """Return the crop in which strokes that lean so much stand upright; its middle stays."""
        shear = np.array([(1, slant), (0, 1)])
        matrix = shear @ self.matrix
        matrix[0, 2] -= slant * self.height / 2
        return Crop(matrix, self.width, self.height)


def straighten(
    digits: Boxes,
    slope: float,
    *,
    height: int = CROP_HEIGHT,
    digit_height: int = DIGIT_HEIGHT,
    room: float = 0.5,
    stretch: float = 1.0,
) -> Crop:
    """Find the straight crop of a line or a number, for a reader of lines.

    Args:
        digits: float32 of shape (N, 4), at least one: x, y, width, height, without signs.
        slope: of the line.
        height: of the crop, in pixels.
        digit_height: what the median digit's height becomes, in pixels; less where digits of a line go up
            and down so much that some would be cut.
        room: at either end, in heights of the median digit.
        stretch: how much wider than on the page the crop shows what it shows, 1 for not at all.

    Returns:
        A crop that is turned by the slope.

    Example:
        >>> crop = straighten(np.array([(100, 50, 20, 56), (130, 50, 20, 56)], np.float32), slope=0.0)
        >>> crop.width, crop.height, crop.corners[0]
        (53, 48, array([72., 30.]))
    """
    exact = np.asarray(digits, np.float64)
    turn = np.array([(1, slope), (-slope, 1)]) / math.hypot(1, slope)
    across, down = turn @ (exact[:, :2] + exact[:, 2:] / 2).T
    half_width, half_height = exact[:, 2:].T / 2
    top, bottom = (down - half_height).min(), (down + half_height).max()
    usual = float(np.median(exact[:, 3]))
    scale = min(digit_height / usual, CROP_USE * height / (bottom - top))
    left, right = (across - half_width).min() - room * usual, (across + half_width).max() + room * usual
    along = scale * stretch
    shift = np.array([-left * along, height / 2 - (top + bottom) / 2 * scale])
    matrix = np.array([(along,), (scale,)]) * turn
    return Crop(np.column_stack([matrix, shift]), max(1, round((right - left) * along)), height)


def whole(
    shape: tuple[int, ...],
    *,
    height: int = CROP_HEIGHT,
    room: int = 0,
    stretch: float = 1.0,
    times: float = 1.0,
    at: float = 0.5,
) -> Crop:
    """Return the crop that shows all of a picture of one line, or its whole width and a part of its height.

    Args:
        shape: of the picture, (H, W).
        height: of the crop, in pixels.
        room: at either end, in pixels of the crop.
        stretch: as of `straighten`.
        times: as large as all of it would be, 1 and more.
        at: which part is shown then, from 0, the highest, to 1, the lowest.

    Example:
        >>> whole((24, 50), room=6).width
        112
    """
    scale = times * height / shape[0]
    along = scale * stretch
    matrix = np.array([(along, 0, room), (0, scale, -at * (times - 1) * height)])
    return Crop(matrix, round(along * shape[1]) + 2 * room, height)


def cut(gray: Gray, crop: Crop) -> Gray:
    """Cut a crop out of a page: uint8 of shape (H, W) to uint8 of shape (crop.height, crop.width).

    Beyond the page's edges goes on the gray that the part inside has most of. Where the crop is smaller than
    what it shows, the page is averaged first, so no thin stroke falls between pixels.
    """
    low = np.clip(np.floor(crop.corners.min(0)).astype(int) - 2, 0, np.array(gray.shape[::-1]) - 1)
    high = np.ceil(crop.corners.max(0)).astype(int) + 2
    part = gray[low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)]
    scale = min(1.0, float(np.hypot(*crop.matrix[:, 0])))
    size = np.maximum(1, np.rint(np.array(part.shape[::-1]) * scale)).astype(int)
    shrunk = cv2.resize(part, size.tolist(), interpolation=cv2.INTER_AREA)
    # From pixel centers of the shrunk part to corners of the page, to the crop, to its pixel centers.
    matrix = crop.matrix[:, :2] * (np.array(part.shape[::-1]) / size)
    shift = crop.matrix[:, :2] @ low + crop.matrix[:, 2] + matrix @ (0.5, 0.5) - 0.5
    affine = np.column_stack([matrix, shift])
    straight = cv2.warpAffine(
        shrunk,
        affine,
        (crop.width, crop.height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=median_gray(np.asarray(shrunk, np.uint8)),
    )
    return straight.astype(np.uint8, copy=False)


def cut_upright(gray: Gray, crop: Crop) -> tuple[Crop, Gray]:
    """Cut a crop out of a page as `cut`, its strokes more upright; return the crop that does so, too."""
    line = cut(gray, crop)
    slant = STRAIGHTENED * find_slant(line)
    if not slant:
        return crop, line
    crop = crop.sheared(slant)
    return crop, cut(gray, crop)


def find_slant(line: Gray) -> float:
    """Return how much the strokes of a line lean to the right, in pixels a pixel of height, -0.8 to 0.8.

    Upright strokes pile up in few columns: of all slants the one whose columns are the most uneven when it is
    undone, as A. Vinciarelli and J. Luettin, "A new normalization technique for cursive handwritten words",
    Pattern Recognition Letters 22 (2001), look for it. Small ones are likelier.

    Args:
        line: uint8 of shape (H, W).

    Example:
        >>> stroke = cv2.line(np.full((32, 60), 255, np.uint8), (20, 28), (32, 4), 0, 2)
        >>> find_slant(stroke)
        0.5
    """
    ink = cv2.absdiff(line, np.full_like(line, median_gray(line)))
    rows, columns = np.nonzero(ink > FAINT * ink.max())
    if not len(rows):
        return 0.0
    depths, heights = ink[rows, columns].astype(np.float64), rows - (len(line) - 1) / 2

    def unevenness(slant: float) -> float:
        moved = columns + slant * heights
        moved -= moved.min()
        left = moved.astype(np.intp)
        share = moved - left  # of a pixel's ink that falls on the next column
        across = np.bincount(left + 1, share * depths)
        across[:-1] += np.bincount(left, (1 - share) * depths)
        return float((across**2).sum())

    uneven = np.array([unevenness(slant) for slant in SLANTS])
    likelihoods = uneven / uneven[SLANTS == 0] - MUCH * SLANTS**2
    return float(SLANTS[likelihoods.argmax()])
