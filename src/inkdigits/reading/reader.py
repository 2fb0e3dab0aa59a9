"""A page -> the handwritten numbers on it, in reading order.

    page -> gray -> where digits are -> lines -> straight crops -> characters -> numbers -> Reading

The finder says where; what stands there is read by the line, because touching and broken digits are told
apart by their neighbors.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inkdigits.reading.classifier import Classifier
from inkdigits.reading.finder import Finder, Marks
from inkdigits.reading.image import DEFAULT_MAX_PIXELS, Picture, load_gray
from inkdigits.reading.layout import Crop, Line, cut, find_columns, find_lines, find_numbers, straighten
from inkdigits.reading.lines import LINE_HEIGHT, NAMES, Character, LineReader
from inkdigits.reading.model import SIGNS
from inkdigits.result import Box, Digit, Number, Reading

SHIPPED_READER = Path(__file__).parent.parent / "models"
DIGIT_HEIGHT = 20  # pixels, the usual digit in a line of 32: MNIST's own size
SAME = 0.5  # heights between a character and a mark that mean the same digit

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Ink:
    """The characters of a page, in no order: what each is, where, how sure.

    Attributes:
        characters: as the line reader gave them.
        boxes: float32 (N, 4), of each, in pixels of the page.
        agreed: bool (N,), the finder saw something there too.
        lines: of each line, the indices of its characters from left to right, and its slope.
    """

    characters: list[Character]
    boxes: Floats
    agreed: npt.NDArray[np.bool_]
    lines: list[Line]


class Reader:
    """Reads pages and digits. Make it once, use it often; safe to call from several threads at once.

    Args:
        folder: a reader folder, with a model folder for each part: ``finder``, ``lines`` and ``classifier``;
            None for the one that comes with inkdigits.
        threads: processor cores one call may use, 1 to 64.

    Raises:
        ArgumentError: ``threads`` is out of range.
        ModelError: the folder can't be used; the message says why.
    """

    def __init__(self, folder: str | PathLike[str] | None = None, *, threads: int = 1) -> None:
        parts = SHIPPED_READER if folder is None else Path(folder)
        self.finder = Finder(parts / "finder", threads=threads)
        self.lines = LineReader(parts / "lines", threads=threads)
        self.classifier = Classifier(parts / "classifier", threads=threads)

    def classify(self, picture: Picture, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Digit:
        """Name the one digit in a picture; see `Classifier.classify`."""
        return self.classifier.classify(picture, max_pixels=max_pixels)

    def read(
        self,
        picture: Picture,
        *,
        source: str | None = None,
        min_confidence: float | None = None,
        full_resolution: bool = False,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> Reading:
        """Read the handwritten numbers on a page.

        Args:
            picture: a path, bytes, a binary file, a PIL image or an array (H, W), (H, W, 3) or (H, W, 4).
            source: the name of the picture in the result; None for its path, if it is one.
            min_confidence: a number below it is doubtful, 0 to 1; None for the card's threshold.
            full_resolution: look for digits on all pixels of a page of more than 5 megapixels.
            max_pixels: larger pictures are refused before they are decoded.

        Returns:
            The numbers in reading order. A page without digits gives a reading without numbers.

        Raises:
            ArgumentError: the picture or a limit is not of an accepted kind.
            PictureError: the picture can't be opened, decoded or is too large.
        """
        gray = load_gray(picture, max_pixels=max_pixels)
        if source is None and isinstance(picture, str | PathLike):
            source = str(picture)
        ink = self._read_lines(gray, self.finder.find(gray, full_resolution=full_resolution))
        least = self.lines.card.doubt_threshold if min_confidence is None else min_confidence
        height, width = gray.shape
        return Reading(source, 1, width, height, tuple(_numbers(ink, least)))

    def _read_lines(self, gray: Gray, marks: Marks) -> _Ink:
        """Read along the lines that the marks make."""
        lines = find_lines(marks.boxes, marks.is_sign)
        crops = []
        for line in lines:
            digits = marks.boxes[[i for i in line.indices if not marks.is_sign[i]]]
            crops.append(straighten(digits, line.slope, height=LINE_HEIGHT, digit_height=DIGIT_HEIGHT))
        read = self.lines.read([cut(gray, crop) for crop in crops])
        characters: list[Character] = []
        boxes: list[Floats] = []
        agreed: list[bool] = []
        found = []
        for line, crop, answer in zip(lines, crops, read, strict=True):
            start = len(characters)
            for character in answer:
                box, seen = _box_of(character, crop, marks.boxes[list(line.indices)])
                characters.append(character)
                boxes.append(box)
                agreed.append(seen)
            found.append(Line(tuple(range(start, len(characters))), line.slope))
        return _Ink(
            characters,
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(agreed, np.bool_),
            [line for line in found if line.indices],
        )


def _box_of(character: Character, crop: Crop, marks: Floats) -> tuple[Floats, bool]:
    """Return the box of the mark a character stands on, or one of the usual size where there is none."""
    middle = crop.to_page([((character.start + character.end) / 2, crop.height / 2)])[0]
    centers = marks[:, :2] + marks[:, 2:] / 2
    usual = np.median(marks[:, 2:], axis=0)
    # Along the line only: how high a character stands, the line reader can't say.
    direction = crop.matrix[0, :2] / np.hypot(*crop.matrix[0, :2])
    away = np.abs((centers - middle) @ direction)
    nearest = int(away.argmin())
    if away[nearest] < SAME * usual[1]:
        return marks[nearest], True
    size = usual * (0.3 if character.value in SIGNS else 1)
    return np.concatenate([middle - size / 2, size]).astype(np.float32), False


def _numbers(ink: _Ink, least: float) -> list[Number]:
    is_sign = np.array([character.value in SIGNS for character in ink.characters], np.bool_)
    groups = find_numbers(ink.boxes, ink.lines, is_sign)
    lines = [[kept for group in line if (kept := _without_loose_signs(group, is_sign))] for line in groups]
    lines = [line for line in lines if line]
    slope = float(np.median([line.slope for line in ink.lines])) if ink.lines else 0.0
    columns = find_columns(ink.boxes, lines, slope)
    return [
        _number(ink, group, row, column + 1, least)
        for row, (line, places) in enumerate(zip(lines, columns, strict=True), start=1)
        for group, column in zip(line, places, strict=True)
    ]


def _without_loose_signs(group: Sequence[int], is_sign: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """Leave out signs behind the last digit; a group without digits is no number."""
    digits = [position for position, index in enumerate(group) if not is_sign[index]]
    return tuple(group[: digits[-1] + 1]) if digits else ()


def _number(ink: _Ink, group: Sequence[int], line: int, column: int, least: float) -> Number:
    digits, text, confidence, doubtful = [], "", 1.0, False
    for index in group:
        character = ink.characters[index]
        text += character.value
        confidence *= character.probabilities[NAMES.index(character.value)]
        if character.value not in SIGNS:
            digits.append(_digit(character, ink.boxes[index], least))
            doubtful |= digits[-1].doubtful or not ink.agreed[index]
    confidence = min(1.0, confidence)
    return Number(
        text,
        line,
        column,
        confidence,
        doubtful or confidence < least,
        _around(ink.boxes[list(group)]),
        tuple(digits),
    )


def _digit(character: Character, box: Floats, least: float) -> Digit:
    """Return a digit with the probabilities of the ten digits, made to add up to 1."""
    first = NAMES.index("0")
    ten = np.array(character.probabilities[first : first + 10])
    confidence = character.probabilities[NAMES.index(character.value)]
    return Digit(
        value=int(character.value),
        confidence=confidence,
        doubtful=confidence < least,
        probabilities=tuple((ten / ten.sum()).tolist()),
        box=_around(box[np.newaxis]),
    )


def _around(boxes: Floats) -> Box:
    left, top = (math.floor(value) for value in boxes[:, :2].min(axis=0))
    right, bottom = (math.ceil(value) for value in (boxes[:, :2] + boxes[:, 2:]).max(axis=0))
    return Box(left, top, right - left, bottom - top)


@functools.cache
def _shipped_reader() -> Reader:
    return Reader()


def read(
    picture: Picture,
    *,
    source: str | None = None,
    min_confidence: float | None = None,
    full_resolution: bool = False,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Reading:
    """Read the handwritten numbers on a page with the models that come with inkdigits.

    See `Reader.read`, which takes the same arguments and raises the same errors; the models are loaded at the
    first call and kept.

    Example:
        >>> read(np.full((200, 300), 255, np.uint8)).text  # blank paper
        ''
    """
    return _shipped_reader().read(
        picture,
        source=source,
        min_confidence=min_confidence,
        full_resolution=full_resolution,
        max_pixels=max_pixels,
    )
