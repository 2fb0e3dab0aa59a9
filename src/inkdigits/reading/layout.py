"""Boxes of digits and signs -> lines -> numbers -> columns, in reading order.

Pure geometry: x, y, width and height in pixels of the upright picture go in, indices of boxes come out.
Nothing here knows what the digits are or touches the picture.

Distances are counted in heights or widths of the digits at hand, so a page may hold any size and several.
A slope is rise over run along the page's axes: positive where a line falls to the right.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

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
SLOPE_DIGITS = 300  # that are asked for the slope of a page: more take time and tell no more
SLOPE_REACH, SLOPE_PAIRS = 20, 32  # heights to the right of a digit, and digits there, that tell the slope
ROW_REACH = 1.5  # heights above and below a digit where its neighbors are looked for:
ROW_NEIGHBORS = 4  # so many on either side, as many a height higher and a height lower

# Gaps of a line make a heap of alike ones and, beyond it, wider ones. Lengths are in widths of a digit.
PLACES = np.arange(-0.4, 3.01, 0.1)  # of the heap
USUAL_PLACE, USUAL_SPREAD = 0.25, 0.2  # where half of all people have it,
WIDE_SPREAD = 1.3  # and how far apart the other half write: one standard deviation, from 0
APART_PLACE, APART_SPREAD = 2.2, 0.3  # where it is if digits are numbers of their own: median, of the log
CLOSE = 0.02  # share of such digits that make a number with a neighbor as close as is usual
HEAP_SPREADS = 0.16 + 0.17 * np.maximum(PLACES, 0)  # wide spacing is less even than narrow
LEFT_SPREAD = 0.4  # below the place: digits touch
BEYOND, BEYOND_SPREAD = 1.5, 0.9  # of wider gaps, beyond the heap's place: median, of the log
SHARES = np.array([1 / 3, 0.8, 0.98])  # of a page's gaps that are in the heap,
SHARE_CHANCES = np.array([0.08, 0.2, 0.72])  # and how often each is so
APART_PAGES = 0.02  # share of the pages whose digits are numbers of their own
APART_LINES, APART_ELSEWHERE = 0.95, 0.04  # share of the lines that are so, on such a page and on others
LINE_SPREAD, STRAY_LINES = 0.3, 0.08  # between heaps of a page's lines; share of lines unlike the others
SIGN_WITHIN = 0.95  # share of the gaps beside a sign that are within a number:
SIGN_PLACES, SIGN_SPREAD = np.clip(PLACES, 0.1, 0.6), 0.3  # narrower than the heap's, and some wider

SIGN_REACH = 1.5  # heights from a sign to the nearest digit of its line
SIGN_LEVEL, SIGN_OFF = 0.25, 0.7  # heights below the middle of a line: where signs are, and how far off it

LEAST_OVERLAP = 0.3  # of the narrower of two extents in one column
COLUMN_MARGIN = 0.2  # heights beside a number that belong to its column: a 1 is narrow
NEAREST = 2  # members of a column that the next line is compared with, as columns may lean


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
    runs = [(digits[run], slope) for run, slope in _join(exact[digits], page_slope)]
    members = [run.tolist() for run, _ in runs]
    for sign, place in _signs_on_lines(exact, np.flatnonzero(signs), runs):
        members[place].append(sign)
    across, down = _centers(exact).T
    lines = [
        Line(tuple(sorted(group, key=across.__getitem__)), slope)
        for group, (_, slope) in zip(members, runs, strict=True)
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
    step = max(1, -(-len(exact) // SLOPE_DIGITS))
    scores = -0.5 * max(1.0, SLOPE_DOUBT * len(exact) / step) * (slopes / USUAL_SLOPE) ** 2
    exact = exact[np.argsort(exact[:, 0] + exact[:, 2] / 2)]
    (x, y), heights = _centers(exact).T, exact[:, 3]
    ends = np.searchsorted(x, x + SLOPE_REACH * heights)
    for one in range(0, len(exact), step):
        end = ends[one]
        height = np.sqrt(heights[one] * heights[one + 1 : end])
        across, down = (x[one + 1 : end] - x[one]) / height, (y[one + 1 : end] - y[one]) / height
        beside = np.flatnonzero((across > 0.3) & (np.abs(down) < STEEPEST * across + 0.5))[:SLOPE_PAIRS]
        across, down = across[beside, np.newaxis], down[beside, np.newaxis]
        off = (down - slopes * across) / (1.5 * BASELINE_JITTER)
        scores += (np.exp(-0.5 * off**2) * (across.min(initial=SLOPE_REACH) / across) ** 2).sum(0)
    return float(slopes[scores.argmax()])


def _join(boxes: Floats, page_slope: float) -> list[tuple[list[int], float]]:
    """Join digits into lines, the best fit first; return the indices and the slope of each line."""
    runs = [_Run.of(index, box, page_slope) for index, box in enumerate(boxes.tolist())]
    near = _neighbors(boxes, page_slope)
    ages = [0] * len(boxes)  # a fit that was found at another age is out of date
    fits: list[tuple[float, int, int, int, int]] = []

    def compare(one: int, others: Iterable[int]) -> None:
        for other in others:
            cost = _cost(runs[one], runs[other])
            if cost < math.inf:
                heapq.heappush(fits, (cost, one, other, ages[one], ages[other]))

    for one, others in enumerate(near):
        compare(one, (other for other in others if other > one))
    while fits:
        _, one, other, *found_at = heapq.heappop(fits)
        if found_at != [ages[one], ages[other]]:
            continue
        runs[one] = runs[one].joined(runs[other], page_slope)
        ages[one], ages[other] = ages[one] + 1, -1
        for neighbor in near[other]:
            near[neighbor].remove(other)
            near[neighbor].add(one)
        near[one] = (near[one] | near[other]) - {one}
        compare(one, near[one])
    return [(run.digits, run.slope) for run, age in zip(runs, ages, strict=True) if age >= 0]


def _neighbors(boxes: Floats, slope: float) -> list[set[int]]:
    """Return for each digit those that it may stand next to on a line: the nearest along the slope."""
    across, down = _centers(boxes).T
    depth, heights = down - slope * across, boxes[:, 3]
    order = np.argsort(depth)
    starts, ends = (
        np.searchsorted(depth, depth + reach * heights, sorter=order) for reach in (-ROW_REACH, ROW_REACH)
    )
    near: list[set[int]] = [set() for _ in boxes]
    for one, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        others = order[start:end]
        ratio = heights[others] / heights[one]
        others = others[(others != one) & (ratio < TALLEST) & (ratio > 1 / TALLEST)]
        others = others[np.argsort(np.abs(across[others] - across[one]))]
        row = np.rint((depth[others] - depth[one]) / heights[one])
        on_right = across[others] > across[one]
        for side, height in itertools.product((on_right, ~on_right), (-1, 0, 1)):
            near[one].update(others[side & (row == height)][:ROW_NEIGHBORS].tolist())
    for one, beside in enumerate(near):
        for other in beside:
            near[other].add(one)
    return near


@dataclass(frozen=True, slots=True)
class _Run:
    """Digits on one baseline.

    Attributes:
        digits: their indices.
        sums: over the digits, which add up when two runs become one: 1, x, x squared, level, x times level,
            middle, bottom, height.
        left, right: its ends in pixels.
        first, last: the heights of the digits there.
        x, middle, bottom: means over the digits.
        slope: of the baseline.
    """

    digits: list[int]
    sums: tuple[float, ...]
    left: float
    right: float
    first: float
    last: float
    x: float
    middle: float
    bottom: float
    slope: float

    @classmethod
    def of(cls, index: int, box: Sequence[float], page_slope: float) -> _Run:
        """Return the run of one digit alone."""
        left, top, width, height = box
        x, middle, bottom = left + width / 2, top + height / 2, top + height
        level = (middle + bottom) / 2  # steadier than either: digits grow upward and both ways
        sums = (1.0, x, x * x, level, x * level, middle, bottom, height)
        return cls([index], sums, left, left + width, height, height, *_baseline(sums, page_slope))

    def joined(self, other: _Run, page_slope: float) -> _Run:
        """Return one run of two."""
        sums = tuple(one + another for one, another in zip(self.sums, other.sums, strict=True))
        left, first = (other.left, other.first) if other.left < self.left else (self.left, self.first)
        right, last = (other.right, other.last) if other.right > self.right else (self.right, self.last)
        digits = self.digits + other.digits
        return _Run(digits, sums, left, right, first, last, *_baseline(sums, page_slope))


def _baseline(sums: tuple[float, ...], page_slope: float) -> tuple[float, float, float, float]:
    """Return mean x, mean middle, mean bottom and slope of a run with these sums.

    The slope is found by ridge regression toward the page's (Hoerl and Kennard 1970).
    """
    count = sums[0]
    x, xx, y, xy, middle, bottom, height = (each / count for each in sums[1:])
    prior = (height * BASELINE_JITTER / SLOPE_WITHIN_PAGE) ** 2 / count
    return x, middle, bottom, (xy - x * y + prior * page_slope) / (xx - x * x + prior)


def _cost(one: _Run, other: _Run) -> float:
    """Return what joining two runs costs; infinite where they are not on one line."""
    before, after = (one, other) if other.x > one.x else (other, one)
    taller, lower = max(before.last, after.first), min(before.last, after.first)
    if taller >= TALLEST * lower:
        return math.inf
    height = math.sqrt(taller * lower)
    between = (before.right + after.left) / 2  # where the baselines, extended, are compared
    rise = after.slope * (between - after.x) - before.slope * (between - before.x)
    off = min(abs(after.middle - before.middle + rise), abs(after.bottom - before.bottom + rise)) / height
    if off >= FARTHEST_OFF:
        return math.inf
    # A neighbor a quarter of a height off is as good as a level one that is a height farther away.
    return max((after.left - before.right) / height, 0.0) + (off / 0.25) ** 2


def _signs_on_lines(
    boxes: Floats, signs: npt.NDArray[np.intp], runs: Sequence[tuple[npt.NDArray[np.intp], float]]
) -> Iterator[tuple[int, int]]:
    """Yield each sign that is on a line, with that line's place: the one with the nearest digit."""
    digits = np.concatenate([run for run, _ in runs])
    line_of = np.repeat(np.arange(len(runs)), [len(run) for run, _ in runs])
    centers, left, right = _centers(boxes), boxes[:, 0], boxes[:, 0] + boxes[:, 2]
    lines = [(*centers[run].mean(0), slope, np.median(boxes[run, 3])) for run, slope in runs]
    x, y, slope, height = np.array(lines)[line_of].T
    for sign in signs.tolist():
        across, down = centers[sign]
        off = np.abs(down - y - slope * (across - x) - SIGN_LEVEL * height) / height
        gap = np.maximum(np.maximum(left[digits] - right[sign], left[sign] - right[digits]), 0) / height
        away = np.where(off < SIGN_OFF, np.hypot(gap, off), np.inf)
        nearest = int(away.argmin())
        if away[nearest] < SIGN_REACH:
            yield sign, int(line_of[nearest])


def _centers(boxes: Floats) -> Floats:
    centers: Floats = boxes[:, :2] + boxes[:, 2:] / 2
    return centers


def _flags(boxes: Boxes, is_sign: Flags | None) -> Flags:
    return np.zeros(len(boxes), np.bool_) if is_sign is None else np.asarray(is_sign, np.bool_)


# ----------------------------------------------------------------------------------------------- numbers


def find_numbers(boxes: Boxes, lines: Sequence[Line], is_sign: Flags | None = None) -> list[list[Indices]]:
    """Part lines into numbers at wide gaps.

    What counts as wide is learned from the page. The gaps of a line make a heap of alike ones, and wider
    ones lie anywhere beyond. (Louloudis et al. 2009, "Text line and word segmentation of handwritten
    documents", model gaps by a mixture, too.) The wider ones part numbers, and either the heap lies within
    numbers or every digit is a number of its own. Evenness can't tell which, as both are even; only what is
    usual can: digits less than about three widths apart are one number.

    The lines of a page are mostly written alike, so each is judged in the light of the others, by Bayes' rule
    for a page that all its lines depend on (Pearl 1982, "Reverend Bayes on inference engines").

    Args:
        boxes: float32 of shape (N, 4): x, y, width, height.
        lines: of these boxes.
        is_sign: bool of shape (N,), which boxes are signs; None if all are digits.

    Returns:
        The numbers of each line, from left to right.
    """
    return part_lines(lines, chances_within(boxes, lines, is_sign), _flags(boxes, is_sign))


def part_lines(lines: Sequence[Line], chances: Sequence[Floats], signs: Flags) -> list[list[Indices]]:
    """Part lines where a gap is rather not within a number; see `find_numbers` and `chances_within`."""
    return [
        _part(line.indices, signs, is_wide=within < 0.5) for line, within in zip(lines, chances, strict=True)
    ]


def chances_within(
    boxes: Boxes, lines: Sequence[Line], is_sign: Flags | None = None, telling: Flags | None = None
) -> list[Floats]:
    """Return of each line how likely each of its gaps is within a number; see `find_numbers`.

    Args:
        boxes: float32 of shape (N, 4): x, y, width, height.
        lines: of these boxes.
        is_sign: bool of shape (N,), which boxes are signs; None if all are digits.
        telling: bool of shape (lines,), which lines tell how others are written, and are no dirt; None for
            all.

    Returns:
        Of each line float64 of shape (indices - 1,), 0 to 1, from left to right.
    """
    if not lines:
        return []
    exact, signs = np.asarray(boxes, np.float64), _flags(boxes, is_sign)
    gaps = [_gaps(exact, line.indices, signs) for line in lines]
    beside = [_beside_sign(line.indices, signs) for line in lines]
    evidence = [_evidence(of_line[~by]) for of_line, by in zip(gaps, beside, strict=True)]
    beliefs = _beliefs(np.stack(evidence), np.ones(len(lines), np.bool_) if telling is None else telling)
    return [
        _chance_within(of_line, by, belief) for of_line, by, belief in zip(gaps, beside, beliefs, strict=True)
    ]


def _typical_width(digits: Floats) -> float:
    """Return how wide a line's digits are, other than 1s."""
    height = float(np.median(digits[:, 3]))
    return float(np.clip(np.percentile(digits[:, 2], 75), 0.5 * height, height))


def _beside_sign(indices: Sequence[int], signs: Flags) -> Flags:
    """Tell of the gaps in a line which have a sign on either side."""
    is_sign = signs[list(indices)]
    beside: Flags = is_sign[1:] | is_sign[:-1]
    return beside


def _gaps(boxes: Floats, indices: Sequence[int], signs: Flags) -> Floats:
    """Return the gaps in a line, in typical widths.

    Between digits a gap is the mean of how far their edges and their centers are apart: edges alone mistake
    the room around a narrow 1 for a gap, centers alone a wide digit. A sign has edges only.
    """
    width = _typical_width(boxes[[index for index in indices if not signs[index]]])
    x, _, wide, _ = boxes[list(indices)].T
    between_edges = x[1:] - x[:-1] - wide[:-1]
    between_centers = np.diff(x + wide / 2) - width
    gaps: Floats = np.where(
        _beside_sign(indices, signs), between_edges, (between_edges + between_centers) / 2
    )
    gaps /= width
    return gaps


def _densities(gaps: Floats) -> tuple[Floats, Floats]:
    """Return the densities of gaps in the heap and beyond it, (gaps, places), for each place of the heap."""
    off = gaps[:, np.newaxis] - PLACES
    spread = np.where(off < 0, LEFT_SPREAD, HEAP_SPREADS)
    in_heap = _normal(off, spread) * 2 * spread / (LEFT_SPREAD + HEAP_SPREADS)
    return in_heap, _lognormal(off, BEYOND, BEYOND_SPREAD) + 1e-4  # no gap is impossible


def _evidence(gaps: Floats) -> Floats:
    """Return the log likelihood of a line's gaps, (shares, places)."""
    in_heap, beyond = _densities(gaps)
    shares = SHARES[:, np.newaxis, np.newaxis]
    evidence: Floats = np.log(shares * in_heap + (1 - shares) * beyond).sum(1)
    return evidence


@functools.cache
def _page_model() -> tuple[Floats, Floats]:
    """Return how likely a page is, (states,), and how likely a line is on each, (states, states of the line).

    The states are the places of a heap between digits that are numbers of their own, then the places of one
    within numbers.
    """
    wide = np.where(PLACES > 0, 2 * _normal(PLACES, WIDE_SPREAD), 0)
    within = _chances(_normal(PLACES - USUAL_PLACE, USUAL_SPREAD) + wide)
    apart = _chances(_lognormal(PLACES, APART_PLACE, APART_SPREAD))
    off = PLACES - PLACES[:, np.newaxis]
    alike, wider = _chances(_normal(off, LINE_SPREAD)), _chances(_lognormal(off, BEYOND, BEYOND_SPREAD))
    like_page = (1 - STRAY_LINES) * alike
    on_apart = [
        APART_LINES * (like_page + STRAY_LINES * apart),
        (1 - APART_LINES) * np.broadcast_to(within, off.shape),
    ]
    on_others = [APART_ELSEWHERE * wider, (1 - APART_ELSEWHERE) * (like_page + STRAY_LINES * within)]
    page = np.concatenate([APART_PAGES * apart, (1 - APART_PAGES) * within])
    return page, np.block([on_apart, on_others])


def _beliefs(evidence: Floats, telling: Flags) -> Floats:
    """Return how likely each state of each line is, told by itself and by all telling lines.

    Args:
        evidence: of shape (lines, shares, places).
        telling: of shape (lines,).

    Returns:
        Of shape (lines, shares, 2, places), adding up to 1 for each line; of the two, the first is that the
        heap is between digits that are numbers of their own. The share is one for all lines of a page.
    """
    page, line_on_page = _page_model()
    likelihood = np.exp(evidence - evidence.max((1, 2), keepdims=True))
    likelihood = np.concatenate([likelihood, likelihood], axis=2)  # gaps alone don't tell which
    of_lines = np.log(likelihood @ line_on_page.T + 1e-300)
    told = of_lines * telling[:, np.newaxis, np.newaxis]
    others = np.log(SHARE_CHANCES[:, np.newaxis] * page) + told.sum(0) - told
    beliefs = likelihood * (np.exp(others - others.max((1, 2), keepdims=True)) @ line_on_page)
    beliefs /= beliefs.sum((1, 2), keepdims=True)
    return np.asarray(beliefs.reshape(*evidence.shape[:2], 2, -1))


def _chance_within(gaps: Floats, beside_sign: Flags, belief: Floats) -> Floats:
    """Return for each gap of a line how likely it is within a number."""
    in_heap, beyond = _densities(gaps)
    shares = SHARES[:, np.newaxis, np.newaxis]
    in_heap, wider = shares * in_heap, (1 - shares) * beyond
    close = CLOSE * _normal(gaps - USUAL_PLACE, USUAL_SPREAD)[:, np.newaxis]
    within = np.stack([close / (close + in_heap + wider), in_heap / (in_heap + wider)])
    between_digits = np.einsum("asgp,sap->g", within, belief)
    by_sign = SIGN_WITHIN * _normal(np.maximum(gaps[:, np.newaxis] - SIGN_PLACES, 0), SIGN_SPREAD)
    by_sign /= by_sign + (1 - SIGN_WITHIN) * beyond
    return np.asarray(np.where(beside_sign, by_sign @ belief.sum((0, 1)), between_digits))


def _normal(off: Floats, spread: float | Floats) -> Floats:
    density: Floats = np.exp(-0.5 * (off / spread) ** 2) / (spread * math.sqrt(2 * math.pi))
    return density


def _lognormal(x: Floats, median: float, spread: float) -> Floats:
    x = np.maximum(x, 1e-3)
    return _normal(np.log(x / median), spread) / x


def _chances(density: Floats) -> Floats:
    """Return the chance of each place, given a density; none is 0."""
    density = density + 1e-6
    chances: Floats = density / density.sum(-1, keepdims=True)
    return chances


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
