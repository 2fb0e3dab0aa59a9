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

from inkdigits.errors import ArgumentError
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
SIGN_SIZE = 0.3  # of a digit, where the finder saw no sign

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Ink:
    """The characters of a page: what each is, where, how sure.

    Attributes:
        characters: as the line reader gave them.
        boxes: float32 (N, 4), of each, in pixels of the page.
        agreed: bool (N,), the finder saw the same kind of thing there.
        lines: of each line, the indices of its characters from left to right, and its slope.
        unnamed: float32 (M, 4), boxes where the finder saw a digit that the line reader passed over.
    """

    characters: list[Character]
    boxes: Floats
    agreed: npt.NDArray[np.bool_]
    lines: list[Line]
    unnamed: Floats


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
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise ArgumentError(f"min_confidence must be from 0 to 1. Received: {min_confidence!r}")
        gray = load_gray(picture, max_pixels=max_pixels)
        if source is None and isinstance(picture, str | PathLike):
            source = str(picture)
        ink = self._read_lines(gray, self.finder.find(gray, full_resolution=full_resolution))
        least = self.lines.card.doubt_threshold if min_confidence is None else min_confidence
        height, width = gray.shape
        return Reading(source, 1, width, height, tuple(_numbers(ink, least, (width, height))))

    def _read_lines(self, gray: Gray, marks: Marks) -> _Ink:
        """Read along the lines that the marks make."""
        lines = find_lines(marks.boxes, marks.is_sign)
        crops = []
        for line in lines:
            digits = marks.boxes[[i for i in line.indices if not marks.is_sign[i]]]
            crops.append(straighten(digits, line.slope, height=LINE_HEIGHT, digit_height=DIGIT_HEIGHT))
        read = self.lines.read([cut(gray, crop) for crop in crops])
        characters: list[Character] = []
        boxes, agreed, unnamed, found = [np.zeros((0, 4), np.float32)], [], [np.zeros((0, 4), np.float32)], []
        for line, crop, answer in zip(lines, crops, read, strict=True):
            places, seen, passed_over = _places(answer, crop, marks[np.array(line.indices)])
            unnamed.append(passed_over)
            if all(character.value in SIGNS for character in answer):  # signs alone are no number
                continue
            found.append(Line(tuple(range(len(characters), len(characters) + len(answer))), line.slope))
            characters += answer
            boxes.append(places)
            agreed += seen
        return _Ink(
            characters, np.concatenate(boxes), np.array(agreed, np.bool_), found, np.concatenate(unnamed)
        )


def _places(answer: Sequence[Character], crop: Crop, marks: Marks) -> tuple[Floats, list[bool], Floats]:
    """Give each character of a line the nearest free mark of its kind, the nearest pair first.

    Returns:
        The boxes (N, 4), one of the usual size where there is no mark; which have one; and the boxes (M, 4)
        of the digits that no character was given.
    """
    is_sign = np.array([character.value in SIGNS for character in answer], np.bool_)
    middles = [((character.start + character.end) / 2, crop.height / 2) for character in answer]
    points = crop.to_page(np.reshape(middles, (-1, 2)))
    centers = marks.boxes[:, :2] + marks.boxes[:, 2:] / 2
    usual = np.median(marks.boxes[~marks.is_sign, 2:], axis=0)
    # Along the line only: how high a character stands, the line reader can't say.
    direction = crop.matrix[0, :2] / np.hypot(*crop.matrix[0, :2])
    away = np.abs((points[:, np.newaxis] - centers) @ direction)
    away[(is_sign[:, np.newaxis] != marks.is_sign) | (away >= SAME * usual[1])] = np.inf
    mark_of: dict[int, int] = {}
    while away.size and np.isfinite(away.min()):
        character, mark = divmod(int(away.argmin()), away.shape[1])
        mark_of[character] = mark
        away[character], away[:, mark] = np.inf, np.inf
    sizes = np.where(is_sign[:, np.newaxis], SIGN_SIZE * usual, usual)
    boxes = np.concatenate([points - sizes / 2, sizes], axis=1).astype(np.float32)
    for character, mark in mark_of.items():
        boxes[character] = marks.boxes[mark]
    free = ~marks.is_sign
    free[list(mark_of.values())] = False
    return boxes, [character in mark_of for character in range(len(answer))], marks.boxes[free]


def _numbers(ink: _Ink, least: float, page: tuple[int, int]) -> list[Number]:
    is_sign = np.array([character.value in SIGNS for character in ink.characters], np.bool_)
    lines = [line for line in find_numbers(ink.boxes, ink.lines, is_sign) if line]
    slope = float(np.median([line.slope for line in ink.lines])) if ink.lines else 0.0
    columns = find_columns(ink.boxes, lines, slope)
    return [
        _number(ink, group, (row, column), least, page)
        for row, (line, places) in enumerate(zip(lines, columns, strict=True), start=1)
        for group, column in zip(line, places, strict=True)
    ]


def _number(
    ink: _Ink, group: Sequence[int], place: tuple[int, int], least: float, page: tuple[int, int]
) -> Number:
    digits, text, confidence = [], "", 1.0
    for index in group:
        character = ink.characters[index]
        text += character.value
        confidence *= character.probabilities[NAMES.index(character.value)]
        if character.value not in SIGNS:
            digits.append(
                _digit(character, _around(ink.boxes[[index]], page), least, agreed=bool(ink.agreed[index]))
            )
    boxes = ink.boxes[list(group)]
    doubtful = confidence < least or any(digit.doubtful for digit in digits) or _has_unnamed(ink, boxes)
    return Number(text, *place, min(1.0, confidence), doubtful, _around(boxes, page), tuple(digits))


def _has_unnamed(ink: _Ink, boxes: Floats) -> bool:
    """Tell whether the finder saw a digit in or right beside a number that the line reader passed over."""
    start, end = boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    beside = np.array([np.median(boxes[:, 2]), 0])
    centers = ink.unnamed[:, :2] + ink.unnamed[:, 2:] / 2
    return bool(((centers > start - beside) & (centers < end + beside)).all(axis=1).any())


def _digit(character: Character, box: Box, least: float, *, agreed: bool) -> Digit:
    """Return a digit with the probabilities of the ten digits, made to add up to 1."""
    first = NAMES.index("0")
    ten = np.array(character.probabilities[first : first + 10])
    ten /= ten.sum()
    confidence = float(ten[int(character.value)])
    return Digit(
        value=int(character.value),
        confidence=confidence,
        doubtful=confidence < least or not agreed,
        probabilities=tuple(ten.tolist()),
        box=box,
    )


def _around(boxes: Floats, page: tuple[int, int]) -> Box:
    """Return the smallest box of whole pixels around boxes, inside a page of this width and height."""
    left, top = (max(0, math.floor(value)) for value in boxes[:, :2].min(axis=0))
    end = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    right, bottom = (min(size, math.ceil(value)) for size, value in zip(page, end, strict=True))
    return Box(left, top, max(0, right - left), max(0, bottom - top))


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
