"""A page -> where its handwritten digits are, at any size.

The network knows digits of 8 to 80 pixels, so the page is looked at in several reductions: from the coarsest
on, each twice as large as the one before, as long as a finer one may show what that one did not. What two of
them found is kept once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.reading.image import median_gray
from inkdigits.reading.model import PARTS, Part

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SPOT = 4  # pixels of the page for each of the network's answers
FRAME = 16  # pixels of even gray around a page, so that a digit at its edge looks like any other
MULTIPLE = 16  # pixels; the network halves a page four times
PIXELS = 5_000_000  # a larger page is reduced to this first
# Pixels the network takes at once, of the width too, and rows and columns around them that may tell it more.
BAND, WIDEST, AROUND = 3_000_000, 8_192, 128
SMALLEST_DIGIT = 8  # pixels; the network knows none smaller
SMALLEST_PAGE = 48  # pixels of the shorter side; no reduction goes below
# Heights of digits in pixels at which one reduction leaves them to a coarser one.
HANDED_ON = 70
# Pixels, digits, score: so many of them, none smaller and one surer, make finer looks needless.
LARGE, FEWEST, SURE = 24, 3, 0.6
# Scores from this one on are hints of smaller digits. So many places with the highest, squares of so many
# pixels of the finer page, are looked at before all of it is.
HINT, PROBES, PROBE = 0.05, 6, 96
OVERLAP = 0.5  # of the smaller box; more is the same digit found twice
# Of a digit's area: a smaller box on it is one of its parts, unless that is so many times as sure.
FRAGMENT, MUCH_SURER = 0.25, 1.2
COMPARED = 64  # boxes with all others at once, for the memory's sake


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What was found on a page.

    Attributes:
        boxes: float32 (N, 4), x, y, width and height in pixels of the page.
        scores: float32 (N,), how sure the finder is, 0 to 1.
        is_sign: bool (N,), a point, comma, dash, slash or colon of a number rather than a digit.
    """

    boxes: Floats
    scores: Floats
    is_sign: npt.NDArray[np.bool_]

    @classmethod
    def none(cls) -> Marks:
        """Return what an empty page has."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.bool_))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.scores)

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Marks:
        """Return some of them."""
        return Marks(self.boxes[chosen], self.scores[chosen], self.is_sign[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One look at a page.

    Attributes:
        page: uint8 (H, W), the page as it was looked at, reduced.
        maps: float32 (h, w, 6), what the network said, as its card describes.
        marks: what was found, in pixels of the page as it was given.
    """

    page: Gray
    maps: Floats
    marks: Marks


class Finder(Part):
    """Finds digits on a page."""

    part = "finder"

    def find(self, gray: Gray, *, threshold: float | None = None, full_resolution: bool = False) -> Marks:
        """Find the digits of a page.

        Args:
            gray: uint8 of shape (H, W).
            threshold: the smallest score kept, 0 to 1; None for the card's.
            full_resolution: take every look, and do not reduce a page of more than 5 megapixels first.

        Returns:
            Digits and signs, the surest first.

        Example:
            >>> marks = Finder("models/finder").find(np.full((200, 300), 255, np.uint8))  # doctest: +SKIP
            >>> len(marks)  # doctest: +SKIP
            0
        """
        looks = self.looks(gray, threshold=threshold, full_resolution=full_resolution)
        return once(joined([Marks.none(), *(look.marks for look in looks)]))

    def looks(
        self, gray: Gray, *, threshold: float | None = None, full_resolution: bool = False
    ) -> Iterator[Look]:
        """Look at a page in one reduction after the other, the coarsest first; the arguments are `find`'s.

        Where all that a look saw is large, and a finer one shows no smaller digits where there are hints of
        them, the finer one is left out: it would cost four times as much.
        """
        least = self.card.doubt_threshold if threshold is None else threshold
        if min(gray.shape) < SMALLEST_DIGIT:
            return
        scales = list(_scales(gray.shape, None if full_resolution else PIXELS))
        finest = resized(gray, scales[0])  # a large page is reduced once, and the small one further
        page = resized(finest, scales[-1] / scales[0])
        for scale in reversed(scales):
            look = self._look(gray.shape, page, least, is_last=scale == scales[-1])
            yield look
            if scale == scales[0]:
                return
            page = resized(finest, 2 * scale / scales[0])
            enough = not full_resolution and _tells_enough(look, scale)
            if enough and not self._shows_digits(page, _hints(look), least):
                return

    def _maps(self, page: Gray) -> Floats:
        """Run the network over a framed page, a large one in parts: it takes 60 bytes of memory a pixel."""
        height, width = page.shape
        most = BAND // min(width, WIDEST) // MULTIPLE * MULTIPLE
        maps = np.empty((height // SPOT, width // SPOT, len(PARTS["finder"]["labels"])), np.float32)
        for rows, spots_down, own_rows in _bands(height, most):
            for columns, spots_across, own_columns in _bands(width, WIDEST):
                seen = self._model.network.run(page[np.newaxis, rows, columns])[0]
                maps[spots_down, spots_across] = seen[own_rows, own_columns]
        return maps

    def _look(self, shape: tuple[int, ...], page: Gray, least: float, *, is_last: bool) -> Look:
        """Look at a page that had this shape before it was reduced."""
        maps = self._maps(_framed(page))
        first, (rows, columns) = FRAME // SPOT, (-(-side // SPOT) for side in page.shape)
        maps = maps[first : first + rows, first : first + columns]
        marks = peaks(maps, least)
        # Rounded sizes: a page of 1,237 pixels has no half.
        across, down = page.shape[1] / shape[1], page.shape[0] / shape[0]
        boxes = (marks.boxes / (across, down, across, down)).astype(np.float32)
        kept = (marks.boxes[:, 3] <= HANDED_ON) | is_last
        return Look(page, maps, Marks(boxes, marks.scores, marks.is_sign)[kept])

    def _shows_digits(self, page: Gray, hints: Marks, least: float) -> bool:
        """Look at a page where a look at half its size had hints, and tell whether one of them is a digit.

        Below a heading there may be writing that is too small to be seen in a look, yet not unnoticed; but
        squared paper and grain are not either. Seen from nearer, the two are told apart.
        """
        framed = _framed(page)
        last = np.array(framed.shape)[::-1] - PROBE
        corners: list[npt.NDArray[np.intp]] = []
        for box in hints.boxes[np.argsort(-hints.scores, kind="stable")]:
            middle = 2 * (box[:2] + box[2:] / 2) + FRAME
            corner = (middle - PROBE / 2).astype(np.intp).clip(0, last)
            if all(np.abs(corner - other).max() >= PROBE / 2 for other in corners):
                corners.append(corner)
            if len(corners) == PROBES:
                break
        if not corners:
            return False
        places = np.array([framed[y : y + PROBE, x : x + PROBE] for x, y in corners])
        return any(len(_small(peaks(maps, least), 2 * LARGE)) for maps in self._model.network.run(places))


def _bands(side: int, most: int) -> Iterator[tuple[slice, slice, slice]]:
    """Yield rows or columns to look at together, which spots they are for, and which of theirs count."""
    step = max(AROUND, most)
    for start in range(0, side, step):
        end = min(start + step, side)
        first, last = max(0, start - AROUND), min(side, end + AROUND)
        spots = slice(start // SPOT, end // SPOT)
        yield slice(first, last), spots, slice((start - first) // SPOT, (end - first) // SPOT)


def _tells_enough(look: Look, scale: float) -> bool:
    """Tell whether a look at this scale saw digits, and none so small that there may be smaller ones."""
    digits = look.marks[~look.marks.is_sign]
    if len(digits) < FEWEST or digits.boxes[:, 3].min() * scale < LARGE:
        return False
    # In tiny writing, a coarse look may take blots of it for digits, but it is sure of none.
    return bool(digits.scores.max() > SURE)


def _hints(look: Look) -> Marks:
    """Return the spots of a look that may be digits too small for it, in pixels of its page."""
    return _small(peaks(look.maps, HINT), LARGE)


def _small(marks: Marks, height: float) -> Marks:
    """Return the digits less tall than this."""
    return marks[~marks.is_sign & (marks.boxes[:, 3] < height)]


def _scales(shape: tuple[int, ...], pixels: int | None) -> Iterator[float]:
    """Yield by how much the page is reduced for each look, the finest first."""
    height, width = shape
    scale = 1.0 if pixels is None else min(1.0, (pixels / (height * width)) ** 0.5)
    yield scale
    while scale * min(height, width) >= 2 * SMALLEST_PAGE:
        scale /= 2
        yield scale


def resized(gray: Gray, scale: float) -> Gray:
    """Return a page (H, W) so many times as large."""
    if scale == 1:
        return gray
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(gray, size, interpolation=way), np.uint8)


def _framed(page: Gray) -> Gray:
    """Put a frame of the gray it has most of around a page, up to a size the network takes."""
    height, width = page.shape
    below, right = FRAME + -height % MULTIPLE, FRAME + -width % MULTIPLE
    paper = median_gray(page)
    framed = cv2.copyMakeBorder(page, FRAME, below, FRAME, right, cv2.BORDER_CONSTANT, value=paper)
    return np.asarray(framed, np.uint8)


def peaks(maps: Floats, threshold: float) -> Marks:
    """Return the marks a network's maps show: spots surer than the eight around them.

    Args:
        maps: float32 (h, w, 6), as the card of a finder describes them.
        threshold: the smallest score kept, 0 to 1.

    Example:
        >>> maps = np.zeros((8, 8, 6), np.float32)
        >>> maps[4, 3] = 0.9, 0, 0, 0, np.log(10), np.log(20)
        >>> peaks(maps, 0.5).boxes.round(1).tolist()
        [[9.0, 8.0, 10.0, 20.0]]
    """
    found = []
    for kind in (0, 1):
        scores = np.ascontiguousarray(maps[..., kind])
        rows, columns = np.nonzero((scores >= threshold) & (scores == cv2.dilate(scores, np.ones((3, 3)))))
        values = maps[rows, columns]
        centers = SPOT * (np.stack([columns, rows], axis=1) + 0.5 + values[:, 2:4])
        sizes = np.exp(values[:, 4:6].clip(0, 8))
        boxes = np.concatenate([centers - sizes / 2, sizes], axis=1).astype(np.float32)
        found.append(Marks(boxes, scores[rows, columns], np.full(len(rows), kind == 1)))
    return joined(found)


def joined(marks: list[Marks]) -> Marks:
    """Return several collections of marks as one."""
    return Marks(
        np.concatenate([each.boxes for each in marks]),
        np.concatenate([each.scores for each in marks]),
        np.concatenate([each.is_sign for each in marks]),
    )


def once(marks: Marks) -> Marks:
    """Keep the surest of the marks that lie on one another, the surest first.

    Two lie on one another if they share more than half of the smaller one. A box far smaller than the digit
    it lies on is one of its parts, as the loop of an 8 is in a finer look, and gives way unless it is much
    surer. A sign and a digit are the same only if they are of about the same size: a point may stand close to
    a digit.
    """
    marks = marks[np.argsort(-marks.scores, kind="stable")]
    start, size = marks.boxes[:, :2], marks.boxes[:, 2:]
    end, area = start + size, size.prod(axis=1)

    def covered_by(some: slice) -> npt.NDArray[np.bool_]:
        width, height = (
            np.minimum(high[some, np.newaxis], high) - np.maximum(low[some, np.newaxis], low)
            for low, high in zip(start.T, end.T, strict=True)
        )
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        own, own_kind = area[some, np.newaxis], marks.is_sign[some, np.newaxis]
        alike = (marks.is_sign == own_kind) | (shared > OVERLAP * np.maximum(own, area))
        covered: npt.NDArray[np.bool_] = alike & (shared > OVERLAP * np.minimum(own, area))
        return covered

    covered = [
        np.flatnonzero(row)
        for first in range(0, len(marks), COMPARED)
        for row in covered_by(slice(first, first + COMPARED))
    ]
    alive = np.ones(len(marks), np.bool_)
    for i, others in enumerate(covered):
        is_part = (area[others] < FRAGMENT * area[i]) & (marks.scores[others] < MUCH_SURER * marks.scores[i])
        if not (marks.is_sign[i] or (others[~is_part] < i).any()):  # nor one that gives way itself
            alive[others[is_part]] = False
    for i, others in enumerate(covered):
        if alive[i]:
            alive[others[others > i]] = False
    return marks[alive]
