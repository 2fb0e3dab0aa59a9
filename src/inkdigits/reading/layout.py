"""Boxes of digits and signs -> lines -> numbers -> columns, in reading order; a line -> its straight crop.

Pure geometry: x, y, width and height in pixels of the upright picture go in, indices of boxes come out.
Nothing here knows what the digits are, and only `cut` touches the picture.

Distances are counted in heights or widths of the digits at hand, so a page may hold any size and several.
A slope is rise over run along the page's axes: positive where a line falls to the right.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Gray = npt.NDArray[np.uint8]
Indices = tuple[int, ...]  # of boxes, digits and signs, from left to right

STEEPEST = math.tan(math.radians(18))  # lines slope by up to 15 degrees, and some of a page by a little more
USUAL_SLOPE = math.tan(math.radians(8))  # one standard deviation among pages
SLOPE_DOUBT = 0.1  # share of the digits that may be level along a steep slope by chance
SLOPE_WITHIN_PAGE = math.tan(math.radians(2.5))  # and among the lines of a page
BASELINE_JITTER = 0.12  # one standard deviation, in heights
FARTHEST_OFF = 0.5  # heights between two baselines that may be one
TALLEST = 2.2  # times a neighbor's height; a taller digit is a line of its own

# Gaps within numbers make a heap: its place and how far it spreads, in widths of a digit.
PLACES = np.arange(-0.3, 1.01, 0.05)  # wider gaps never are within a number
USUAL_PLACE, PLACE_SPREAD = 0.15, 0.3
SPREADS = 0.12 + 0.1 * np.maximum(PLACES, 0)  # wide spacing is less even than narrow
LEFT_SPREAD = 1.5  # times that below the place, for digits that touch
WITHIN_SHARE = 0.7  # of all gaps
USUAL_BEYOND, BEYOND_SPREAD = 1.7, 0.6  # gaps between numbers, beyond the place: median, of the log
PAGE_GAPS = 10  # gaps of its own that the rest of the page counts as much as for a line

SIGN_REACH = 1.5  # heights from a sign to the nearest digit of its line
SIGN_LEVEL, SIGN_OFF = 0.25, 0.7  # heights below the middle of a line: where signs are, and how far off it

LEAST_OVERLAP = 0.3  # of the narrower of two extents in one column
COLUMN_MARGIN = 0.2  # heights beside a number that belong to its column: a 1 is narrow
NEAREST = 2  # members of a column that the next line is compared with, as columns may lean

CROP_HEIGHT, DIGIT_HEIGHT = 48, 28  # pixels: a crop, and the usual digit in it
CROP_USE = 0.9  # of a crop's height at most, for digits that go up and down


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the indices of its boxes, digits and signs, from left to right, and its baseline's slope."""

    indices: Indices
    slope: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number stands.

    Attributes:
        indices: of its boxes, digits and signs, from left to right.
        line: 1 for the uppermost.
        column: 1 for the leftmost; numbers that stand below each other share it.
    """

    indices: Indices
    line: int
    column: int


def arrange(boxes: Boxes, is_sign: Flags | None = None) -> list[Place]:
    """Group boxes into numbers, in reading order.

    Args:
        boxes: float32 of shape (N, 4): x, y, width, height of digits and of the signs ``. , - / :``.
        is_sign: bool of shape (N,), which boxes are signs; None if all are digits.

    Returns:
        The numbers, by line and column. A sign inside or before a number is part of it; any other sign is
        left out.

    Example:
        >>> boxes = [(10, 10, 12, 20), (24, 11, 11, 20), (70, 10, 12, 20), (12, 50, 12, 20)]
        >>> for place in arrange(np.array(boxes, np.float32)):
        ...     print(place)
        Place(indices=(0, 1), line=1, column=1)
        Place(indices=(2,), line=1, column=2)
        Place(indices=(3,), line=2, column=1)
    """
    lines = find_lines(boxes, is_sign)
    numbers = find_numbers(boxes, lines, is_sign)
    columns = find_columns(boxes, numbers, slope=float(np.median([line.slope for line in lines] or [0.0])))
    return [
        Place(number, row, column)
        for row, (of_line, at) in enumerate(zip(numbers, columns, strict=True), 1)
        for number, column in zip(of_line, at, strict=True)
    ]


# ------------------------------------------------------------------------------------------------- lines


def find_lines(boxes: Boxes, is_sign: Flags | None = None) -> list[Line]:
    """Find the lines of a page.

    Every digit starts as a line of its own. The two lines that fit best, by the distance of their nearest
    ends and of their baselines there, become one, until none fit. Baselines are fitted by least squares and
    drawn toward the slope of the page, which few digits can't tell by themselves.

    Args:
        boxes: float32 of shape (N, 4): x, y, width, height.
        is_sign: bool of shape (N,), which boxes are signs; None if all are digits.

    Returns:
        The lines from the top of the page to its bottom. A sign belongs to the line it is on; one that is on
        none is left out.
    """
    exact = np.asarray(boxes, np.float64)
    signs = _flags(boxes, is_sign)
    digits = np.flatnonzero(~signs)
    if not digits.size:
        return []
    page_slope = find_slope(boxes[digits])
    groups = [digits[group] for group in _join(exact[digits], page_slope)]
    slopes = [_Runs(exact[group], page_slope).slope() for group in groups]
    members = [list(group) for group in groups]
    for sign in np.flatnonzero(signs):
        distances = [_sign_distance(exact[sign], exact[g], s) for g, s in zip(groups, slopes, strict=True)]
        nearest = int(np.argmin(distances))
        if distances[nearest] < SIGN_REACH:
            members[nearest].append(sign)
    across, down = _centers(exact).T
    lines = [
        Line(tuple(int(index) for index in sorted(group, key=across.__getitem__)), slope)
        for group, slope in zip(members, slopes, strict=True)
    ]
    depth = down - page_slope * across
    return sorted(lines, key=lambda line: float(depth[list(line.indices)].mean()))


def find_slope(boxes: Boxes) -> float:
    """Find the slope that the lines of a page share.

    It is the one along which most pairs of digits are level, nearest pairs first: a projection profile
    (Postl 1986, "Detection of linear oblique structures and skew scan in digitized documents") of pairs.

    Args:
        boxes: float32 of shape (N, 4), of digits.

    Returns:
        Rise over run, 0 where nothing tells.
    """
    exact = np.asarray(boxes, np.float64)
    slopes = np.linspace(-STEEPEST, STEEPEST, 73)
    scores = -0.5 * max(1.0, SLOPE_DOUBT * len(exact)) * (slopes / USUAL_SLOPE) ** 2
    centers, heights = _centers(exact), exact[:, 3]
    for center, height in zip(centers, heights, strict=True):
        across, down = ((centers - center) / np.sqrt(height * heights)[:, np.newaxis]).T
        to_the_right = (across > 0.3) & (across < 20) & (np.abs(down) < STEEPEST * across + 0.5)
        across, down = across[to_the_right, np.newaxis], down[to_the_right, np.newaxis]
        off = (down - slopes * across) / (1.5 * BASELINE_JITTER)
        scores += (np.exp(-0.5 * off**2) * (across.min(initial=20) / across) ** 2).sum(0)
    return float(slopes[scores.argmax()])


def _join(boxes: Floats, page_slope: float) -> list[list[int]]:
    """Join digits into lines, the best fit first; return the indices of each line's digits."""
    runs = _Runs(boxes, page_slope)
    groups = [[index] for index in range(len(boxes))]
    costs = np.array([runs.costs(index) for index in range(len(boxes))])
    while np.isfinite(costs.min()):
        one, other = divmod(int(costs.argmin()), len(boxes))
        runs.join(one, other)
        groups[one] += groups[other]
        groups[other] = []
        gone = np.array([not group for group in groups])
        costs[other] = costs[:, other] = np.inf
        costs[one] = costs[:, one] = np.where(gone, np.inf, runs.costs(one))
    return [group for group in groups if group]


class _Runs:
    """Runs of digits on one baseline each, kept as sums, which add up when two runs become one."""

    def __init__(self, boxes: Floats, page_slope: float) -> None:
        x, y, width, self.heights = boxes.T
        center, middle, bottom = x + width / 2, y + self.heights / 2, y + self.heights
        level = (middle + bottom) / 2  # steadier than either: digits grow upward and both ways
        sums = [np.ones(len(x)), center, center**2, level, center * level, middle, bottom, self.heights]
        self.sums = np.stack(sums)
        self.left, self.right = x.copy(), x + width
        self.first, self.last = np.arange(len(x)), np.arange(len(x))  # the digits at the ends
        self.page_slope = page_slope

    def join(self, one: int, other: int) -> None:
        """Make one run of two; the second is to be forgotten."""
        self.sums[:, one] += self.sums[:, other]
        if self.left[other] < self.left[one]:
            self.left[one], self.first[one] = self.left[other], self.first[other]
        if self.right[other] > self.right[one]:
            self.right[one], self.last[one] = self.right[other], self.last[other]

    def slope(self) -> float:
        """Return the slope of all runs as one."""
        return float(self._slopes(self.sums.sum(1)))

    def costs(self, run: int) -> Floats:
        """Return what joining a run with each other one costs; infinite where they are not on one line."""
        count, x, _, _, _, middle, bottom, _ = self.sums
        x, middle, bottom, slopes = x / count, middle / count, bottom / count, self._slopes(self.sums)
        on_right = x > x[run]  # where the other one is
        near = self.heights[np.where(on_right, self.first, self.last)]
        own = self.heights[np.where(on_right, self.last[run], self.first[run])]
        height = np.sqrt(near * own)
        start = np.where(on_right, self.right[run], self.right)
        end = np.where(on_right, self.left, self.left[run])
        between = (start + end) / 2  # where the baselines, extended, are compared
        rise = slopes * (between - x) - slopes[run] * (between - x[run])
        off = np.minimum(np.abs(middle - middle[run] + rise), np.abs(bottom - bottom[run] + rise)) / height
        fits = (off < FARTHEST_OFF) & (np.maximum(near, own) < TALLEST * np.minimum(near, own))
        fits[run] = False
        # A neighbor a quarter of a height off is as good as a level one that is a height farther away.
        return np.where(fits, np.maximum((end - start) / height, 0) + (off / 0.25) ** 2, np.inf)

    def _slopes(self, sums: Floats) -> Floats:
        """Fit a slope by ridge regression toward the page's (Hoerl and Kennard 1970)."""
        count, x, xx, y, xy, _, _, height = sums
        prior = (height / count * BASELINE_JITTER / SLOPE_WITHIN_PAGE) ** 2
        slopes: Floats = (xy - x * y / count + prior * self.page_slope) / (xx - x * x / count + prior)
        return slopes


def _sign_distance(sign: Floats, digits: Floats, slope: float) -> float:
    """Return how many heights a sign is from the nearest digit of a line; infinitely many off the line."""
    (x, y), centers = _centers(sign[np.newaxis])[0], _centers(digits)
    height = float(np.median(digits[:, 3]))
    level = centers[:, 1].mean() + slope * (x - centers[:, 0].mean()) + SIGN_LEVEL * height
    off = abs(float(y - level)) / height
    gaps = np.maximum(digits[:, 0] - sign[0] - sign[2], sign[0] - digits[:, 0] - digits[:, 2])
    return math.hypot(max(float(gaps.min()) / height, 0.0), off) if off < SIGN_OFF else math.inf


def _centers(boxes: Floats) -> Floats:
    centers: Floats = boxes[:, :2] + boxes[:, 2:] / 2
    return centers


def _flags(boxes: Boxes, is_sign: Flags | None) -> Flags:
    return np.zeros(len(boxes), np.bool_) if is_sign is None else np.asarray(is_sign, np.bool_)


# ----------------------------------------------------------------------------------------------- numbers


def find_numbers(boxes: Boxes, lines: Sequence[Line], is_sign: Flags | None = None) -> list[list[Indices]]:
    """Part lines into numbers at wide gaps.

    What counts as wide is learned from the page. Gaps within numbers are alike: a narrow heap, the leftmost.
    Gaps between numbers lie anywhere beyond. Each line's heap is put where it explains the line's gaps best,
    and the page's as far as the line has few. So evenly spaced digits are one number unless they are farther
    apart than digits of a number ever are, or the page has narrower gaps as well. (Louloudis et al. 2009,
    "Text line and word segmentation of handwritten documents", model gaps by a mixture, too.)

    Args:
        boxes: float32 of shape (N, 4): x, y, width, height.
        lines: of these boxes.
        is_sign: bool of shape (N,), which boxes are signs; None if all are digits.

    Returns:
        The numbers of each line, from left to right.
    """
    exact, signs = np.asarray(boxes, np.float64), _flags(boxes, is_sign)
    widths = [_typical_width(exact[[index for index in line.indices if not signs[index]]]) for line in lines]
    gaps = [_gaps(exact, line.indices, signs, width) for line, width in zip(lines, widths, strict=True)]
    between_digits = [
        of_line[~_beside_sign(line.indices, signs)] for line, of_line in zip(lines, gaps, strict=True)
    ]
    evidence = [_evidence(of_line) for of_line in between_digits]
    page = np.sum(evidence, axis=0) * min(1.0, PAGE_GAPS / max(1, sum(map(len, between_digits))))
    return [
        _part(line.indices, signs, is_wide=of_line > _limit(own + page))
        for line, of_line, own in zip(lines, gaps, evidence, strict=True)
    ]


def _typical_width(digits: Floats) -> float:
    """Return how wide a line's digits are, other than 1s."""
    height = float(np.median(digits[:, 3]))
    return float(np.clip(np.percentile(digits[:, 2], 75), 0.4 * height, height))


def _beside_sign(indices: Sequence[int], signs: Flags) -> Flags:
    """Tell of the gaps in a line which have a sign on either side."""
    is_sign = signs[list(indices)]
    beside: Flags = is_sign[1:] | is_sign[:-1]
    return beside


def _gaps(boxes: Floats, indices: Sequence[int], signs: Flags, width: float) -> Floats:
    """Return the gaps in a line, in typical widths.

    Between digits a gap is the mean of how far their edges and their centers are apart: edges alone mistake
    the room around a narrow 1 for a gap, centers alone a wide digit. A sign has edges only.
    """
    x, _, wide, _ = boxes[list(indices)].T
    between_edges = x[1:] - x[:-1] - wide[:-1]
    between_centers = np.diff(x + wide / 2) - width
    gaps: Floats = np.where(
        _beside_sign(indices, signs), between_edges, (between_edges + between_centers) / 2
    )
    gaps /= width
    return gaps


def _within(beyond: Floats, spreads: Floats) -> Floats:
    """Return the density of gaps within numbers, by how far they are beyond the heap's place."""
    off = np.where(beyond < 0, beyond / LEFT_SPREAD, beyond) / spreads
    density: Floats = WITHIN_SHARE * np.exp(-0.5 * off**2) / spreads
    return density


def _between(beyond: Floats) -> Floats:
    """Return the density of gaps between numbers, by how far they are beyond the heap's place."""
    beyond = np.maximum(beyond, 1e-3)
    off = np.log(beyond / USUAL_BEYOND) / BEYOND_SPREAD
    density: Floats = (1 - WITHIN_SHARE) * np.exp(-0.5 * off**2) / (beyond * BEYOND_SPREAD)
    return density


def _evidence(gaps: Floats) -> Floats:
    """Return the log likelihood of gaps for each place of the heap."""
    beyond = gaps - PLACES[:, np.newaxis]
    evidence: Floats = np.log(_within(beyond, SPREADS[:, np.newaxis]) + _between(beyond) + 1e-4).sum(1)
    return evidence


def _limit(evidence: Floats) -> float:
    """Return the gap, in typical widths, from which on two digits belong to two numbers."""
    best = int((evidence - 0.5 * ((PLACES - USUAL_PLACE) / PLACE_SPREAD) ** 2).argmax())
    beyond = np.linspace(0, 2, 201)
    is_between = _between(beyond) > _within(beyond, SPREADS[best])
    return float(PLACES[best] + beyond[is_between.argmax()])


def _part(indices: Sequence[int], signs: Flags, *, is_wide: Flags) -> list[Indices]:
    """Part a line at its wide gaps, and drop the signs that are not inside or before a number."""
    numbers = []
    for part in np.split(np.array(indices), np.flatnonzero(is_wide) + 1):
        digits = np.flatnonzero(~signs[part])
        if digits.size:
            numbers.append(tuple(part[max(digits[0] - 1, 0) : digits[-1] + 1].tolist()))
    return numbers


# ----------------------------------------------------------------------------------------------- columns


def find_columns(boxes: Boxes, numbers: Sequence[Sequence[Indices]], slope: float = 0.0) -> list[list[int]]:
    """Find which numbers of different lines stand below each other.

    Lines are aligned one after the other with the columns so far, in the order that each has, so that the
    extents of numbers and columns overlap the most (Needleman and Wunsch 1970 align proteins so). A number
    that lines up with no column, or with one between two others only, opens one.

    Args:
        boxes: float32 of shape (N, 4): x, y, width, height.
        numbers: of each line, from left to right.
        slope: of the page. Columns are upright or, on a page that was turned, at right angles to the lines:
            whichever gives fewer.

    Returns:
        The column of each number, 1 for the leftmost, rising within every line.
    """
    upright, turned = (_columns(_extents(boxes, numbers, tilt)) for tilt in (0.0, slope))
    columns = min(upright, turned, key=len)
    at = {member: column for column, members in enumerate(columns, 1) for member in members}
    return [[at[row, place] for place in range(len(line))] for row, line in enumerate(numbers)]


def _extents(boxes: Boxes, numbers: Sequence[Sequence[Indices]], tilt: float) -> list[Floats]:
    """Return left and right of each line's numbers, float64 of shape (numbers, 2), as if turned upright."""
    x, y, width, height = np.asarray(boxes, np.float64).reshape(-1, 4).T
    left = x + tilt * (y + height / 2) - COLUMN_MARGIN * height
    right = left + width + 2 * COLUMN_MARGIN * height
    return [
        np.array([(left[list(number)].min(), right[list(number)].max()) for number in line]).reshape(-1, 2)
        for line in numbers
    ]


def _columns(extents: list[Floats]) -> list[list[tuple[int, int]]]:
    """Return the members of each column, from left to right, as line and place in it."""
    columns: list[list[tuple[int, int]]] = []
    for row, line in enumerate(extents):
        sides = np.array(
            [np.mean([extents[r][k] for r, k in members[-NEAREST:]], axis=0) for members in columns]
        )
        sides = sides.reshape(-1, 2)
        pairs = [(-1, -1), *_align(sides, line), (len(columns), len(line))]
        merged = []
        for (column, place), (next_column, next_place) in itertools.pairwise(pairs):
            if place >= 0:
                merged.append([*columns[column], (row, place)])
            fresh = [[(row, k)] for k in range(place + 1, next_place)]
            old = columns[column + 1 : next_column]
            # A wide number may have moved a column's middle past the next one's; the order stays.
            middles = [
                *np.maximum.accumulate(line[place + 1 : next_place].sum(axis=1)),
                *np.maximum.accumulate(sides[column + 1 : next_column].sum(axis=1)),
            ]
            merged += [(fresh + old)[i] for i in np.argsort(middles, kind="stable")]
        columns = merged
    return columns


def _align(columns: Floats, line: Floats) -> list[tuple[int, int]]:
    """Return which column and number belong together, in order, for the greatest overlap in all."""
    overlap = np.minimum(columns[:, np.newaxis, 1], line[:, 1]) - np.maximum(
        columns[:, np.newaxis, 0], line[:, 0]
    )
    narrow, wide = (f(np.diff(columns), np.diff(line).T) for f in (np.minimum, np.maximum))
    score = np.where(overlap > LEAST_OVERLAP * narrow, overlap / wide, -np.inf)
    best: Floats = np.zeros((len(columns) + 1, len(line) + 1))
    for c, k in np.ndindex(score.shape):
        best[c + 1, k + 1] = max(best[c, k + 1], best[c + 1, k], best[c, k] + score[c, k])
    pairs = []
    c, k = score.shape
    while c and k:
        if best[c, k] == best[c - 1, k]:
            c -= 1
        elif best[c, k] == best[c, k - 1]:
            k -= 1
        else:
            c, k = c - 1, k - 1
            pairs.append((c, k))
    return pairs[::-1]


# ------------------------------------------------------------------------------------------------- crops


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


def straighten(
    digits: Boxes,
    slope: float,
    *,
    height: int = CROP_HEIGHT,
    digit_height: int = DIGIT_HEIGHT,
    room: float = 0.5,
) -> Crop:
    """Find the straight crop of a line or a number, for a reader of lines.

    Args:
        digits: float32 of shape (N, 4), at least one: x, y, width, height, without signs.
        slope: of the line.
        height: of the crop, in pixels.
        digit_height: what the median digit's height becomes, in pixels; less where digits of a line go up
            and down so much that some would be cut.
        room: at either end, in heights of the median digit.

    Returns:
        A crop that is turned by the slope.

    Example:
        >>> crop = straighten(np.array([(100, 50, 20, 56), (130, 50, 20, 56)], np.float32), slope=0.0)
        >>> crop.width, crop.height, crop.corners[0]
        (53, 48, array([72., 30.]))
    """
    exact = np.asarray(digits, np.float64)
    turn = np.array([(1, slope), (-slope, 1)]) / math.hypot(1, slope)
    across, down = turn @ _centers(exact).T
    half_width, half_height = exact[:, 2:].T / 2
    top, bottom = (down - half_height).min(), (down + half_height).max()
    usual = float(np.median(exact[:, 3]))
    scale = min(digit_height / usual, CROP_USE * height / (bottom - top))
    left, right = (across - half_width).min() - room * usual, (across + half_width).max() + room * usual
    shift = np.array([-left * scale, height / 2 - (top + bottom) / 2 * scale])
    return Crop(np.column_stack([scale * turn, shift]), max(1, round((right - left) * scale)), height)


def cut(gray: Gray, crop: Crop) -> Gray:
    """Cut a crop out of a page: uint8 of shape (H, W) to uint8 of shape (crop.height, crop.width).

    Beyond the page's edges its outermost pixels go on. Where the crop is smaller than what it shows, the page
    is averaged first, so no thin stroke falls between pixels.
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
        shrunk, affine, (crop.width, crop.height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return straight.astype(np.uint8, copy=False)
