"""A sheet while it is being written on: the picture so far, what of it is taken, and where the digits are."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.learning.synthesis.ink import UNREAD, Glyph, Hand, Stamp, String, width_of, write
from inkdigits.learning.synthesis.paper import Floats, Gray, Kind, Purpose, cover, draw_curves

COARSE = 4  # pixels a cell of the map of what is taken
# A digit or sign is left out unless this share of it lies on the sheet, and its ink differs from what is
# below it by this share of what it differs from blank paper.
VISIBLE, CONTRAST = 0.6, 0.4
Point = npt.NDArray[np.float64]


class Sheet:
    """A sheet of paper or a screen.

    Attributes:
        picture: float32 (H, W), gray levels.
        kind: its tones.
        angle: of its rules and lines, radians.
        purpose: which fonts and patterns it may have.
        boxes, labels, lines: of every digit and sign to be read so far.
        finest: height of the smallest digit so far, in pixels.
    """

    def __init__(self, picture: Floats, kind: Kind, angle: float, purpose: Purpose) -> None:
        self.picture = picture
        self.kind = kind
        self.angle = angle
        self.purpose = purpose
        self.height, self.width = picture.shape
        self.boxes: list[tuple[int, int, int, int]] = []
        self.labels: list[int] = []
        self.lines: list[int] = []
        self.finest = 48.0
        self._strings = 0
        self._taken = np.zeros((self.height // COARSE + 1, self.width // COARSE + 1), np.uint8)

    def at(self, right: float, down: float) -> Point:
        """Return the point so many pixels right of and below the middle, along the sheet's own axes."""
        along = np.array([np.cos(self.angle), np.sin(self.angle)])
        return (
            np.array([self.width, self.height]) / 2 + right * along + down * np.array([-along[1], along[0]])
        )

    def claim(self, corners: Point) -> bool:
        """Take an area, convex with these corners (N, 2), unless part of it is taken."""
        mask = np.zeros_like(self._taken)
        cv2.fillConvexPoly(mask, np.round(corners / COARSE).astype(np.int32), 1)
        if cv2.countNonZero(cv2.bitwise_and(mask, self._taken)):
            return False
        np.maximum(self._taken, mask, out=self._taken)
        return True

    def write(self, strings: Sequence[String], hand: Hand, height: float, rng: np.random.Generator) -> None:
        """Write strings in one hand and remember where what is to be read is."""
        self.lay(write(strings, hand, height, rng), hand, height, rng)
        self._strings += len(strings)

    def lay(self, stamps: Sequence[Stamp], hand: Hand, height: float, rng: np.random.Generator) -> None:
        """Put stamps of one hand on the sheet and remember where what is to be read is."""
        if not stamps:
            return
        layer = np.zeros(self.picture.shape, np.uint8)
        for stamp in stamps:
            box = self._box(stamp)
            if box is None or (stamp.label != UNREAD and not self._legible(stamp, box, hand.tone)):
                continue
            _paste(layer, stamp, box)
            if stamp.label == UNREAD:
                continue
            self.boxes.append(_inked(stamp, box))
            self.labels.append(stamp.label)
            self.lines.append(self._strings + stamp.string)
            self.finest = min(self.finest, height)
        cover(self.picture, _uneven(layer, hand, height, rng), hand.tone)

    def draw(
        self, curves: Sequence[npt.ArrayLike], tone: float, thickness: float = 1, share: float = 1.0
    ) -> None:
        """Draw curves, each (points, 2) of x and y in pixels."""
        points = [np.asarray(curve, np.float64) for curve in curves]
        draw_curves(self.picture, points, tone, max(1, round(thickness)), share)

    def _box(self, stamp: Stamp) -> tuple[int, int, int, int] | None:
        """Return the box of a stamp's part on the sheet, if there is any."""
        rows, columns = stamp.alpha.shape
        left, top = max(0, stamp.x), max(0, stamp.y)
        right, bottom = min(self.width, stamp.x + columns), min(self.height, stamp.y + rows)
        if right <= left or bottom <= top:
            return None
        return left, top, right - left, bottom - top

    def _legible(self, stamp: Stamp, box: tuple[int, int, int, int], tone: float) -> bool:
        """Tell whether enough of a stamp is on the sheet, and its ink will stand out there."""
        x, y, width, height = box
        if width * height < VISIBLE * stamp.alpha.size:
            return False
        ground = cv2.mean(self.picture[y : y + height, x : x + width])[0]
        return abs(ground - tone) > CONTRAST * abs(self.kind.paper - tone)


def area_of(
    glyphs: Sequence[Glyph],
    hand: Hand,
    height: float,
    start: Point,
    angle: float,
    *,
    gaps: Sequence[float] = (),
) -> tuple[Point, float]:
    """Return the corners (4, 2) of the area a string takes, with some room around it, and its width."""
    width = width_of(glyphs, hand, gaps) * height
    along = np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-along[1], along[0]])
    room, beside = 0.25 * height, max(0.25, 0.7 * hand.gap) * height
    left, right = start - beside * along, start + (width + beside) * along
    return np.array(
        [left - 1.2 * height * down, right - 1.2 * height * down, right + room * down, left + room * down]
    ), width


def _paste(layer: Gray, stamp: Stamp, box: tuple[int, int, int, int]) -> None:
    """Put the part of a stamp that lies in a box onto a layer."""
    x, y, width, height = box
    part = layer[y : y + height, x : x + width]
    left, top = x - stamp.x, y - stamp.y
    np.maximum(part, stamp.alpha[top : top + height, left : left + width], out=part)


def _inked(stamp: Stamp, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return the box of the ink that a stamp has in a box; cut by an edge, it may end early."""
    x, y, width, height = box
    part = stamp.alpha[y - stamp.y :, x - stamp.x :][:height, :width]
    solid = cv2.threshold(part, 0.4 * float(part.max()), 255, cv2.THRESH_BINARY)[1]
    right, down, columns, rows = cv2.boundingRect(solid)
    return x + right, y + down, columns, rows


def _uneven(layer: Gray, hand: Hand, height: float, rng: np.random.Generator) -> Gray:
    """Let the pen leave grain and run dry."""
    if hand.grain > 0.05:
        noise = rng.integers(0, 256, layer.shape, np.uint8)
        if height > 24:
            noise = cv2.blur(noise, (2, 2))
        layer = np.asarray(
            cv2.multiply(layer, cv2.convertScaleAbs(noise, alpha=-0.8 * hand.grain, beta=255), scale=1 / 255)
        )
    if hand.fading:
        rows, columns = (2 + int(side / (1.5 * height + 4)) for side in layer.shape)
        coarse = rng.beta(1, 1.5, (rows, columns)).astype(np.float32) * np.float32(0.65 * hand.fading)
        kept = cv2.resize(255 * (1 - coarse), layer.shape[::-1])
        layer = np.asarray(cv2.multiply(layer, kept.astype(np.uint8), scale=1 / 255))
    return layer
