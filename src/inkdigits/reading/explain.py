"""The steps from a page to its numbers, as pictures.

The steps are those of `Reader.read`, taken once more and drawn: those before ``length``, and of a strip in
its own size alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.drawing import DOUBTFUL, FONT, SURE
from inkdigits.reading.crops import cut
from inkdigits.reading.finder import SPOT, Look, Marks, joined, once
from inkdigits.reading.lines import LINE_HEIGHT, Character
from inkdigits.reading.reader import Reader, spell_lines, spell_strip
from inkdigits.reading.strips import is_strip

if TYPE_CHECKING:
    from cv2.typing import MatLike

Pixels = npt.NDArray[np.uint8]

FEWEST = 900  # pixels of a picture's longer side, so that lines and letters have room
MOST = 2000  # and at most
ENLARGED = 2  # times that lines are shown
PALE = 0.45  # how much of the page is left under a heat map


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A picture of what the reader did.

    Attributes:
        name: of the step, fit for a file name.
        text: what is seen, in a sentence.
        picture: uint8 of shape (H, W), gray, or (H, W, 3), RGB.
    """

    name: str
    text: str
    picture: Pixels


def explain(
    reader: Reader, gray: Pixels, *, full_resolution: bool = False, names: Collection[str] | None = None
) -> Iterator[Step]:
    """Yield what the reader sees in a page and makes of it, step by step.

    Args:
        reader: which one.
        gray: the upright page, uint8 of shape (H, W).
        full_resolution: as for `Reader.read`.
        names: of the steps wanted; None for all.

    Example:
        >>> [step.name for step in explain(Reader(), np.full((100, 120), 255, np.uint8))]
        ['upright-gray', 'heat-1', 'heat-2', 'found', 'kept']
    """
    is_wanted = (lambda _: True) if names is None else names.__contains__
    if is_wanted("upright-gray"):
        yield Step("upright-gray", "The page, upright and gray.", gray)
    if names is not None and set(names) <= {"upright-gray"}:
        return  # the looks take as long as reading
    looks = list(reader.finder.looks(gray, full_resolution=full_resolution))
    for number, look in enumerate(looks, start=1):
        if is_wanted(name := f"heat-{number}"):
            text = f"Look {number}: where the middle of a digit (red) or of a sign (blue) may be."
            yield Step(name, text, _heat(look))
    found = joined([Marks.none(), *(look.marks for look in looks)])
    if is_wanted("found"):
        yield Step("found", f"All {len(found)} boxes that the looks found.", _boxes(gray, found))
    kept = once(found)
    if is_wanted("kept"):
        yield Step("kept", f"Still {len(kept)} when boxes on one another are kept once.", _boxes(gray, kept))
    if not is_wanted("lines"):
        return
    _, crops, _, texts = spell_lines(reader.lines, gray, kept)
    if not crops and is_strip(gray.shape):
        parts = spell_strip(reader.lines, gray)
        crops, texts = [crop for _, (crop,), *_ in parts], [text for *_, (text,) in parts]
    if crops:
        strips = [cut(gray, crop) for crop in crops]
        yield Step("lines", f"Lines, straight, with what is read: {len(strips)}.", _lines(strips, texts))


def _heat(look: Look) -> Pixels:
    """Lay the finder's scores over the page that it looked at."""
    height, width = look.page.shape
    digit, sign = (
        cv2.resize(
            np.ascontiguousarray(look.maps[..., kind]),
            None,
            fx=SPOT,
            fy=SPOT,
            interpolation=cv2.INTER_NEAREST,
        )[:height, :width, np.newaxis]
        for kind in (0, 1)
    )
    color = PALE * look.page[..., np.newaxis] + (1 - PALE) * 255
    color = (1 - digit) * color + digit * np.array(DOUBTFUL, np.float32)
    color = (1 - sign) * color + sign * np.array(SURE, np.float32)
    return _shown(np.rint(color).astype(np.uint8))


def _boxes(gray: Pixels, marks: Marks) -> Pixels:
    """Draw boxes over a page, the surer the thicker their lines."""
    canvas = _shown(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB))
    scale = canvas.shape[1] / gray.shape[1]
    for box, score, is_sign in zip(marks.boxes, marks.scores, marks.is_sign, strict=True):
        x, y, w, h = np.rint(scale * box).astype(int).tolist()
        thickness = 1 + int(score > 0.5) + int(score > 0.9)
        cv2.rectangle(canvas, (x, y), (x + w, y + h), SURE if is_sign else DOUBTFUL, thickness)
    return canvas


def _lines(strips: Sequence[Pixels], texts: Sequence[Sequence[Character]]) -> Pixels:
    """Put straight lines below each other, what was read under each."""
    height = LINE_HEIGHT * ENLARGED
    width = ENLARGED * max(strip.shape[1] for strip in strips)
    canvas = np.full((len(strips) * 2 * height, width, 3), 255, np.uint8)
    for row, (strip, text) in enumerate(zip(strips, texts, strict=True)):
        top = row * 2 * height
        large = cv2.resize(strip, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
        canvas[top : top + height, : large.shape[1]] = large[..., np.newaxis]
        for character in text:
            middle = round(ENLARGED * (character.start + character.end) / 2)
            (wide, tall), _ = cv2.getTextSize(character.value, FONT, 1, 2)
            place = (middle - wide // 2, top + height + tall + 12)
            cv2.putText(canvas, character.value, place, FONT, 1, SURE, 2, cv2.LINE_AA)
    return canvas


def _shown(picture: MatLike) -> Pixels:
    """Bring a picture to a size that is good to look at."""
    longest = max(picture.shape[:2])
    scale = max(1.0, FEWEST / longest) if longest < MOST else MOST / longest
    if scale == 1:
        return np.asarray(picture, np.uint8)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)
