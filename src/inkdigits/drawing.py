"""Boxes and readings drawn over a picture, legible on any background.

Lines have a light rim around a dark core, and text stands on a plate of its own, so both show on white paper,
on a blackboard and on anything between. Doubt shows in the shape, dashes and a question mark, and in the
color: blue and vermilion differ for every kind of color vision (Okabe and Ito, "Color universal design",
2008).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.errors import ArgumentError
from inkdigits.reading.image import load_rgb

if TYPE_CHECKING:
    from cv2.typing import MatLike

Rectangle = tuple[int, int, int, int]  # left, top, right, bottom in pixels
Rectangles = npt.NDArray[np.intp]

SURE, DOUBTFUL, RIM = (0, 84, 148), (176, 62, 0), (255, 255, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX
CAPITAL = 21  # pixels: the height of the font's digits at scale 1
TEXT_SHARE = 0.4  # of the usual box's height
PAD = 0.3  # of the text's height, around it
# Times as bad as hiding the box of another: hiding a text, and what the text is of.
HIDDEN_TEXT = HIDDEN_OWN = 4
SMALLEST_TEXT, LARGEST_TEXT = 9, 0.12  # pixels; share of the picture's shorter side


class Mark(NamedTuple):
    """A box (x, y, width, height in pixels), what was read in it, and whether that is doubtful."""

    box: Sequence[int]
    text: str
    doubtful: bool


def draw_marks(
    picture: npt.NDArray[Any], marks: Sequence[Mark], *, size: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    """Draw marks over a picture.

    Lines and letters grow with the picture and with the boxes. A text stands where it hides the least: above
    its box, below it, or beside it.

    Args:
        picture: uint8 of shape (H, W), gray, (H, W, 3), RGB, or (H, W, 4), RGBA, which is laid on white or
            black as it was to be read.
        marks: what to draw.
        size: width and height that the picture must have, in pixels.

    Returns:
        A new picture, uint8 RGB of shape (H, W, 3).

    Raises:
        ArgumentError: the picture has another form or another size.
    """
    canvas = _to_rgb(picture, size)
    if not marks:
        return canvas
    height, width = canvas.shape[:2]
    text_height = min(
        max(SMALLEST_TEXT, TEXT_SHARE * float(np.median([mark.box[3] for mark in marks]))),
        max(SMALLEST_TEXT, LARGEST_TEXT * min(width, height)),
    )
    line = _line(text_height)
    boxes = np.array([_around(mark, 3 * line) for mark in marks])
    plates = np.zeros((0, 4), np.intp)
    for mark in marks:
        _draw_box(
            canvas, _around(mark, 2 * line), DOUBTFUL if mark.doubtful else SURE, line, dashed=mark.doubtful
        )
    for mark in marks:  # after all boxes, so that no line crosses a text
        plate = _plate(mark, text_height, boxes, plates, canvas.shape)
        _draw_text(canvas, _label(mark), plate, DOUBTFUL if mark.doubtful else SURE)
        plates = np.concatenate([plates, [plate]])
    return canvas


def _to_rgb(picture: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim not in {2, 3} or picture.shape[2:] not in {(), (3,), (4,)}:
        raise ArgumentError(
            "The picture to draw on must be uint8 of shape (H, W), (H, W, 3) or (H, W, 4). "
            f"Received: {picture.dtype} of shape {picture.shape}."
        )
    width, height = size
    if picture.shape[:2] != (height, width):
        raise ArgumentError(
            f"The reading is of a picture of {width} x {height} pixels, not of "
            f"{picture.shape[1]} x {picture.shape[0]}. Give the picture that was read, turned upright."
        )
    return load_rgb(picture, max_pixels=width * height)


def _around(mark: Mark, margin: int) -> Rectangle:
    x, y, width, height = mark.box
    return x - margin, y - margin, x + width + margin, y + height + margin


def _draw_box(
    canvas: MatLike, box: Rectangle, color: tuple[int, int, int], line: int, *, dashed: bool
) -> None:
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    sides = list(itertools.pairwise(corners))
    pieces = [piece for side in sides for piece in _dashes(*side, 6 * line)] if dashed else sides
    rim = line + 2 * max(1, line // 2)
    for thickness, tone in ((rim, RIM), (line, color)):
        for start, end in pieces:
            cv2.line(canvas, start, end, tone, thickness)


def _dashes(
    start: tuple[int, int], end: tuple[int, int], length: int
) -> Iterable[tuple[tuple[int, int], tuple[int, int]]]:
    """Cut a side into dashes with gaps as long, one at either end."""
    side = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    count = 2 * max(1, side // (2 * length)) + 1
    points = np.rint(np.linspace(start, end, count + 1)).astype(int).tolist()
    return [(tuple(points[index]), tuple(points[index + 1])) for index in range(0, count, 2)]


def _line(text_height: float) -> int:
    return max(1, round(text_height / 10))


def _label(mark: Mark) -> str:
    return mark.text + ("?" if mark.doubtful else "")


def _plate(
    mark: Mark, text_height: float, boxes: Rectangles, texts: Rectangles, shape: tuple[int, ...]
) -> Rectangle:
    """Return where the text's plate hides the least of boxes and other texts, each of shape (N, 4)."""
    height, width = shape[:2]
    scale = text_height / CAPITAL
    (text_width, _), _ = cv2.getTextSize(_label(mark), FONT, scale, _stroke(scale))
    w, h = text_width + 2 * PAD * text_height, (1 + 2 * PAD) * text_height
    fit = min(1.0, width / w, height / h)
    w, h = int(fit * w), int(fit * h)
    left, top, right, bottom = _around(mark, 3 * _line(text_height))
    middle = (top + bottom - h) // 2
    places = [(left, top - h), (left, bottom), (right, middle), (left - w, middle)]
    places += [(right - w, top - h), (right - w, bottom)]
    plates = []
    for x, y in places:
        x0, y0 = min(max(x, 0), width - w), min(max(y, 0), height - h)
        plates.append((x0, y0, x0 + w, y0 + h))
    where, own = np.array(plates), np.array([_around(mark, 0)])
    hidden = _overlap(where, boxes) + HIDDEN_TEXT * _overlap(where, texts) + HIDDEN_OWN * _overlap(where, own)
    return plates[int(hidden.argmin())]


def _overlap(ones: Rectangles, others: Rectangles) -> Rectangles:
    """Return for each of the ones how many pixels it has in common with all others."""
    end = np.minimum(ones[:, np.newaxis, 2:], others[:, 2:])
    start = np.maximum(ones[:, np.newaxis, :2], others[:, :2])
    common: Rectangles = (end - start).clip(0).prod(axis=2).sum(axis=1)
    return common


def _draw_text(canvas: MatLike, text: str, plate: Rectangle, color: tuple[int, int, int]) -> None:
    left, top, right, bottom = plate
    cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), color, cv2.FILLED)
    cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), RIM, 1)
    text_height = (bottom - top) / (1 + 2 * PAD)
    scale = text_height / CAPITAL
    baseline = round(top + text_height * (1 + PAD))
    start = (round(left + PAD * text_height), baseline)
    cv2.putText(canvas, text, start, FONT, scale, RIM, _stroke(scale), cv2.LINE_AA)


def _stroke(scale: float) -> int:
    return max(1, round(2 * scale))
