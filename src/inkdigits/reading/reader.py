"""A page -> the handwritten numbers on it, in reading order.

    page -> gray -> where digits are -> lines -> straight crops -> characters -> numbers -> Reading

The finder says where; what stands there is read by the line, because touching and broken digits are told
apart by their neighbors.
"""

from __future__ import annotations

import bisect
import contextlib
import functools
import itertools
import math
import os
import statistics
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from numbers import Real
from os import PathLike
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias, TypedDict, TypeVar, Unpack

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.errors import ArgumentError, MissingExtraError, ModelError, PictureError, is_whole
from inkdigits.interrupts import ctrl_c_later, hand_over
from inkdigits.reading.classifier import Classifier
from inkdigits.reading.crops import Crop, cut_upright, straighten, whole
from inkdigits.reading.finder import Finder, Marks, joined, resized
from inkdigits.reading.image import Decoded, check_rotation, load
from inkdigits.reading.layout import (
    Line,
    chances_within,
    find_columns,
    find_lines,
    part_lines,
)
from inkdigits.reading.lengths import check_length, group, read_again
from inkdigits.reading.lines import (
    LINE_HEIGHT,
    NAMES,
    SLICE,
    UNLIKELY,
    Character,
    LineReader,
    characters,
    indices_of,
    likelihood,
    span,
    spell,
)
from inkdigits.reading.model import PARTS, SIGNS
from inkdigits.reading.regions import check_region, parts_of
from inkdigits.reading.sources import (
    DEFAULT_MAX_PIXELS,
    Page,
    Picture,
    check_max_pixels,
    find_pages,
    load_values,
)
from inkdigits.reading.strips import (
    LEAST,
    PARTS_OF_LINE,
    SIZES,
    agreed,
    chance_of_number,
    confidence_of,
    is_blank,
    is_strip,
    usual_confidence,
)
from inkdigits.result import Box, Digit, Failure, Number, Reading

SHIPPED_READER = Path(__file__).parent.parent / "models"
DIGIT_HEIGHT = 17  # pixels, the usual digit in a line of 32: room for tall ones (docs/experiments.md)
# Of a line along itself: narrow digits, as two zeros in haste, need more of the network's slices.
STRETCH = 1.12
# In these, height and stretch, the lines of a strip are read: each is wrong about other digits.
FORMS = ((19, STRETCH), (DIGIT_HEIGHT, 1.0))
# Heights of a digit beyond the outermost mark that are read too: there stands what the finder passed over.
ROOM = 2.5
SAME = 0.5  # heights between a character and a mark that mean the same digit
WITHIN = 0.35  # widths to both sides of a mark's middle where its digit is looked for
SEEN_TWICE = 0.14  # times as likely for the line reader is enough for a digit that the finder saw, too
# Confidence below which a single digit among other numbers is taken for a letter or a blot (one that is all a
# page has was meant to be one), and a number of which the finder saw no digit.
LIKELY = 0.5
# And confidence a digit below which a number as a whole is rather none, as it is told in the end.
LIKELY_A_DIGIT = 0.35
# Share of the finder's digits that are letters, usually; and on a page, from which on something follows.
USUAL_LETTERS, FEW_LETTERS = 0.3, 0.2
GRAIN = 0.4  # of a number's height, up to which what is seen elsewhere tells nothing of it
# What makes one reason for doubt makes others, too, so their product is too low. Of it the power that is the
# confidence: less than the likeliest, so that 97 % of what has 0.9 are right (docs/experiments.md).
NOT_APART = 0.9
# The log-odds that what is read are digits, by the mean score of the finder (docs/experiments.md).
UNSURE, SURER = -1.0, 5.1
ON_DIGIT = 0.25  # of a digit's width, that a sign before or after it may reach over it
# Heights from the edge of the picture within which a number may be cut off; chance that it is not.
EDGE, WHOLE = 0.05, 0.82
MOST_HEIGHTS = 400  # of a digit, that a line is long
USUAL_WIDTH = 0.65  # of a digit, in heights
SIGN_SIZE = 0.3  # of a digit, where the finder saw no sign
EVEN = 0.5  # chance from which on a number that was cut to the length said goes on beside the cut
MOST_WORKERS = 64
AHEAD = 4  # pages a worker that may be finished before their turn

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
# Lines, the crop of each, what the line reader said, float32 (T, 16), and its characters.
Spelled: TypeAlias = tuple[list[Line], list[Crop], list[Floats], list[list[Character]]]
Item = TypeVar("Item")
Result = TypeVar("Result")


class Options(TypedDict, total=False):
    """What a reader may be told about pages, by keyword.

    Attributes:
        min_confidence: a number below it is doubtful, 0 to 1; None for the card's threshold.
        full_resolution: look for digits on all pixels, also of a page of more than 5 megapixels, and where
            larger ones were found already.
        rotate: degrees to turn the picture clockwise by, after what the camera noted: 0, 90, 180 or 270.
        regions: parts of the page by name, of which alone is read, in this order: each a box in pixels of the
            upright page, or a text "X,Y,W,H" in pixels or percent, such as "60%,10%,30%,5%".
        length: how many digits every number has, or the fewest and the most. Numbers are grouped and read so
            as to have them; one that can't is doubtful.
        max_pixels: larger pictures are refused before they are decoded.
    """

    min_confidence: float | None
    full_resolution: bool
    rotate: int
    regions: Mapping[str, str | Box] | None
    length: int | tuple[int, int] | None
    max_pixels: int


@dataclass(frozen=True, slots=True, eq=False)
class _Ink:
    """The characters of a page: what each is, where, how sure.

    Attributes:
        characters: as the line reader gave them.
        boxes: float32 (N, 4), of each, in pixels of the page.
        is_sign: bool (N,), which are signs.
        scores: float32 (N,), how sure the finder is of the same kind of thing there; 0 where it saw none.
        lines: of each line with digits, the indices of its characters from left to right, and its slope.
        answers: of each of these lines, float32 (T, 16), what the line reader said.
        rows: which of the lines that the marks make each of these is.
        numbers: of each of these lines, the indices of the characters of each number.
        within: of each of these lines, how likely each gap between its characters is within a number.
        unnamed: float32 (M, 4), boxes where the finder saw a digit that the line reader passed over.
        unnamed_signs: float32 (K, 4), and where it saw a sign.
        seen: how many digits the finder saw.
    """

    characters: list[Character]
    boxes: Floats
    is_sign: npt.NDArray[np.bool_]
    scores: Floats
    lines: list[Line]
    answers: list[Floats]
    rows: list[int]
    numbers: list[list[list[int]]]
    within: list[npt.NDArray[np.float64]]
    unnamed: Floats
    unnamed_signs: Floats
    seen: int

    def before_resizing(self, scale: float) -> _Ink:
        """Return it in the pixels that a page had before it was made so many times as large."""
        return replace(
            self,
            boxes=self.boxes / scale,
            unnamed=self.unnamed / scale,
            unnamed_signs=self.unnamed_signs / scale,
        )


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
        # Path.is_dir raises where a name is too long.
        if missing := [part for part in PARTS if not os.path.isdir(parts / part)]:  # noqa: PTH112
            raise ModelError(
                f"{parts} is no reader folder: it lacks the folders {', '.join(missing)}. A reader folder "
                f"holds three model folders: {', '.join(PARTS)}. `make models` makes one; to exchange a "
                "part only, copy the folder that comes with inkdigits."
            )
        self.finder = Finder(parts / "finder", threads=threads)
        self.lines = LineReader(parts / "lines", threads=threads)
        self.classifier = Classifier(parts / "classifier", threads=threads)

    def classify(self, picture: Picture, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Digit:
        """Name the one digit in a picture; see `Classifier.classify`."""
        return self.classifier.classify(picture, max_pixels=max_pixels)

    def read(self, picture: Picture, *, source: str | None = None, **options: Unpack[Options]) -> Reading:
        """Read the handwritten numbers on a page.

        Args:
            picture: a path, bytes, a binary file, a PIL image, an array (H, W), (H, W, 3) or (H, W, 4), or a
                page of a document; of a document itself the first page is read.
            source: the name of the picture in the result; None for its path, if it is one.
            **options: any of `Options`.

        Returns:
            The numbers in reading order. A page without digits gives a reading without numbers.

        Raises:
            ArgumentError: the picture or an option is not of an accepted kind.
            PictureError: the picture can't be opened or decoded, is too large, also for the memory there is,
                or has nothing of a region.
            MissingExtraError: HEIC needs the extra ``heic``, PDF the extra ``pdf``.
        """
        _check(options)
        if source is None and isinstance(picture, str | PathLike):
            source = str(picture)
        page = (
            picture if isinstance(picture, Page) else Page(source, 1, functools.partial(load_values, picture))
        )
        with _lack_of_memory_told():
            return self._read(page if source is None else replace(page, source=source), options)[0]

    def read_many(
        self,
        pictures: Iterable[Picture],
        *,
        workers: int = 1,
        on_page: Callable[[Reading, Decoded], None] | None = None,
        **options: Unpack[Options],
    ) -> Iterator[Reading | Failure]:
        """Read all pages of many pictures and documents, one after the other.

        Pages are opened, read and given back one at a time, or a few where there are several workers, so
        there may be any number of them. What can't be read is a `Failure` in its place and stops nothing.

        Args:
            pictures: anything that `read` takes. A PDF or TIFF document gives all its pages.
            workers: how many pages are read at once, 1 to 64, each by a thread.
            on_page: called by the worker with each reading and the picture, as long as that is in memory.
            **options: any of `Options`.

        Yields:
            A reading or a failure for each page, in the order of the pictures.

        Raises:
            ArgumentError: ``workers`` or an option is not accepted, or one picture is given, which is told
                before anything is read.

        Example:
            >>> white = np.full((60, 80), 255, np.uint8)
            >>> [len(reading.numbers) for reading in Reader().read_many([white, white])]
            [0, 0]
        """
        _check(options)
        if not is_whole(workers) or not 1 <= workers <= MOST_WORKERS:
            raise ArgumentError(f"workers must be from 1 to {MOST_WORKERS}. Received: {workers!r}")
        if _is_one(pictures):
            raise ArgumentError(
                "read_many takes several pictures, such as a list of them; of one, [picture]. "
                f"Received: {type(pictures).__name__}"
            )
        limit = options.get("max_pixels", DEFAULT_MAX_PIXELS)

        def read_page(page: Page) -> Reading | Failure:
            try:
                with _lack_of_memory_told():
                    reading, decoded = self._read(page, options)
                    if on_page:
                        on_page(reading, decoded)
            except (PictureError, MissingExtraError, ArgumentError) as error:  # options have been checked
                return Failure(page.source, page.number, str(error))
            return reading

        pages = (page for picture in pictures for page in find_pages(picture, max_pixels=limit))
        return _in_order(read_page, pages, workers)

    def _read(self, page: Page, options: Options) -> tuple[Reading, Decoded]:
        """Decode a page and read it, or the regions of it that are asked for."""
        limit = options.get("max_pixels", DEFAULT_MAX_PIXELS)
        decoded = load(page, rotate=options.get("rotate", 0), max_pixels=limit)
        gray = decoded.gray()
        height, width = gray.shape
        numbers: list[Number] = []
        for name, box, part in parts_of(gray, options.get("regions")):
            lines = numbers[-1].line if numbers else 0
            numbers += (
                replace(number, region=name, line=lines + number.line)
                for number in self._read_part(part, box, options)
            )
        return Reading(page.source, page.number, width, height, tuple(numbers)), decoded

    def _read_part(self, gray: Gray, frame: Box, options: Options) -> list[Number]:
        """Read a part of a page, which has this frame."""
        least = options.get("min_confidence")
        least = self.lines.card.doubt_threshold if least is None else least
        length = check_length(options.get("length"))
        if is_strip(gray.shape):
            return self._read_strip(gray, frame, least, length)
        marks = self.finder.find(gray, full_resolution=options.get("full_resolution", False))
        ink = self._read_lines(gray, marks, length)
        return _numbers(ink, _found(ink) if length else _likely_on_page(ink, frame), least, length, frame)

    def _read_strip(
        self, gray: Gray, frame: Box, least: float, length: tuple[int, int] | None
    ) -> list[Number]:
        """Read a strip in several sizes and forms, and along parts of it, whatever the finder sees."""
        sure, usual, readings, score = [], [], [], 0.0
        for size in sorted({len(gray), *SIZES}):
            scale = size / len(gray)
            page = resized(gray, scale)
            marks = self.finder.find(page)
            score, free = max(score, *marks.scores[~marks.is_sign], 0.0), []
            for digit_height, stretch in FORMS:
                spelled = spell_lines(
                    self.lines,
                    page,
                    marks,
                    digit_height=digit_height,
                    stretch=stretch,
                    apart=length is not None,
                )
                placed = _place(spelled, marks)
                ink = placed.before_resizing(scale)
                numbers = _numbers(ink, _likely(ink, _found(ink)), least, None, frame)
                free.append(numbers)
                if length:
                    ink = _fitting(placed, spelled, marks, length).before_resizing(scale)
                    numbers = _numbers(ink, _found(ink), least, length, frame)
                readings.append(numbers)
            sure.append(statistics.fmean(map(confidence_of, free)))
            usual.append(statistics.fmean(map(usual_confidence, free)))
        parts, none = spell_strip(self.lines, gray), Marks.none()
        inks = [_place(part, none) for part in parts]
        as_line = [_numbers(ink, _found(ink), least, None, frame) for ink in inks]
        if is_blank(max(*sure, *map(confidence_of, as_line)), score):
            return []
        if length is None:
            (_, _, (answers,), _), *_ = parts
            chance = chance_of_number(likelihood(answers, []), usual, list(map(usual_confidence, as_line)))
            return agreed(readings, as_line, least, chance) if chance >= LEAST else []
        inks = [_fitting(ink, part, none, length) for ink, part in zip(inks, parts, strict=True)]
        return agreed(readings, [_numbers(ink, _found(ink), least, length, frame) for ink in inks], least)

    def _read_lines(self, gray: Gray, marks: Marks, length: tuple[int, int] | None) -> _Ink:
        """Read along the lines that the marks make."""
        spelled = spell_lines(self.lines, gray, marks, apart=length is not None)
        placed = _place(spelled, marks)
        return _fitting(placed, spelled, marks, length) if length else placed


def spell_lines(
    line_reader: LineReader,
    gray: Gray,
    marks: Marks,
    *,
    digit_height: int = DIGIT_HEIGHT,
    stretch: float = STRETCH,
    apart: bool = False,
) -> Spelled:
    """Read along the lines that the marks on a page (H, W) make; the height and stretch are `straighten`'s.

    Where lines are ``apart``, none has digits of another. That is for numbers of a known length: without
    one, a number whose digits went to two lines is read in both, with doubt, and would be two without.

    Returns:
        The lines, the crop of each, what the line reader said, float32 (T, 16), and its characters.
    """
    lines, straight = straight_lines(marks, digit_height=digit_height, stretch=stretch)
    crops, answers = _read_upright(line_reader, gray, straight)
    if apart:
        answers = [_without_others(*each, marks) for each in zip(answers, crops, lines, strict=True)]
    texts = [
        _completed(characters(answer), answer, crop, marks[np.array(line.indices, np.intp)])
        for answer, crop, line in zip(answers, crops, lines, strict=True)
    ]
    return lines, crops, answers, texts


def _read_upright(
    line_reader: LineReader, gray: Gray, crops: Iterable[Crop]
) -> tuple[list[Crop], list[Floats]]:
    """Cut crops out of a page, their strokes upright, and read them; return the crops and what was said."""
    upright = [cut_upright(gray, crop) for crop in crops]
    answers = [
        answer[: math.ceil(crop.width / SLICE)]  # without what it was padded with
        for (crop, _), answer in zip(upright, line_reader.read([image for _, image in upright]), strict=True)
    ]
    return [crop for crop, _ in upright], answers


def _without_others(answers: Floats, crop: Crop, line: Line, marks: Marks) -> Floats:
    """Leave out what stands beyond the outermost marks of a line where another line has a digit.

    The room beside a line is for what the finder passed over; what it gave to another line is read there.
    """
    own, others = list(line.indices), ~marks.is_sign
    others[own] = False
    across, down = (_centers(marks) @ crop.matrix[:, :2].T + crop.matrix[:, 2]).T
    half = marks.boxes[:, 2] / 2 * crop.matrix[0, 0]
    others &= (down > 0) & (down < crop.height)
    before = (across + half)[others & (across < across[own].min())]
    after = (across - half)[others & (across > across[own].max())]
    # Never into the line's own digits.
    start = min(before.max(initial=-np.inf), (across - half)[own].min())
    end = max(after.min(initial=np.inf), (across + half)[own].max())
    middles = SLICE * (np.arange(len(answers)) + 0.5)
    nothing = np.eye(1, answers.shape[1], dtype=np.float32)
    return np.where(((middles < start) | (middles > end))[:, np.newaxis], nothing, answers)


def spell_strip(line_reader: LineReader, gray: Gray) -> list[Spelled]:
    """Read all of a strip (H, W) as one line, then parts of it; return of each what `spell_lines` does."""
    room = DIGIT_HEIGHT // 2
    levels = [
        whole(gray.shape, height=LINE_HEIGHT, room=room, stretch=STRETCH, times=times, at=at)
        for times, at in PARTS_OF_LINE
    ]
    read = zip(*_read_upright(line_reader, gray, levels), strict=True)
    return [([Line((), 0.0)], [crop], [answers], [characters(answers)]) for crop, answers in read]


def straight_lines(
    marks: Marks, *, digit_height: int = DIGIT_HEIGHT, stretch: float = STRETCH
) -> tuple[list[Line], list[Crop]]:
    """Return the lines that the marks on a page make, and the crop of each for the line reader."""
    lines = [part for line in find_lines(marks.boxes, marks.is_sign) for part in _bounded(line, marks)]
    crops = []
    for line in lines:
        digits = marks.boxes[[i for i in line.indices if not marks.is_sign[i]]]
        crops.append(
            straighten(
                digits,
                line.slope,
                height=LINE_HEIGHT,
                digit_height=digit_height,
                room=ROOM,
                stretch=stretch,
            )
        )
    return lines, crops


def _bounded(line: Line, marks: Marks) -> Iterator[Line]:
    """Yield a line; its parts where it is longer than any that was written, as of noise, for time's sake."""
    boxes = marks.boxes[list(line.indices)]
    across = (boxes[:, 0] - boxes[:, 0].min()) / np.median(boxes[:, 3])
    for part in np.unique(across // MOST_HEIGHTS):
        chosen = np.flatnonzero(across // MOST_HEIGHTS == part)
        if not marks.is_sign[np.array(line.indices)[chosen]].all():
            yield Line(tuple(line.indices[i] for i in chosen), line.slope)


def _fitting(ink: _Ink, spelled: Spelled, marks: Marks, length: tuple[int, int]) -> _Ink:
    """Group and read placed characters again, so that numbers have so many digits."""
    lines, crops, answers, texts = spelled
    texts = list(texts)
    if not ink.lines and lines:  # no digit is likely, but there is a number
        row = max(range(len(lines)), key=lambda row: len(lines[row].indices))
        texts[row] = characters(answers[row], digits=length)
        ink = _place((lines, crops, answers, texts), marks)
    parts = []  # of each line's numbers, where they begin and end among its characters
    for row, line, numbers in zip(ink.rows, ink.lines, ink.numbers, strict=True):
        fitting = group(numbers, ink.boxes, ~ink.is_sign, length)
        within = [[index - line.indices[0] for index in number] for number in fitting]
        again = read_again(answers[row], texts[row], within, length)
        text: list[Character] = []
        places, done = [], 0
        for number, new in zip(within, again, strict=True):
            text += texts[row][done : number[0]]  # signs that are no part of a number
            start, done = len(text), number[-1] + 1
            text += new
            # Nor are those behind its last digit.
            places.append(
                (start, start + 1 + max(i for i, each in enumerate(new) if each.value not in SIGNS))
            )
        texts[row] = text + texts[row][done:]
        parts.append(places)
    ink = _place((lines, crops, answers, texts), marks)
    parted = [
        [list(line.indices[start:end]) for start, end in of_line]
        for line, of_line in zip(ink.lines, parts, strict=True)
    ]
    return replace(ink, numbers=parted)


def _place(spelled: Spelled, marks: Marks) -> _Ink:
    """Find where on the page the characters of each line are, and which of them make numbers."""
    lines, crops, answers, texts = spelled
    characters: list[Character] = []
    boxes, scores, unnamed = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)], [Marks.none()]
    found, rows = [], []
    for row, (text, line, crop) in enumerate(zip(texts, lines, crops, strict=True)):
        places, seen, passed_over = _places(text, crop, marks[np.array(line.indices, np.intp)])
        unnamed.append(passed_over)
        if all(character.value in SIGNS for character in text):  # signs alone are no number
            continue
        found.append(Line(tuple(range(len(characters), len(characters) + len(text))), line.slope))
        rows.append(row)
        characters += text
        boxes.append(places)
        scores.append(seen)
    where, passed_over = np.concatenate(boxes), joined(unnamed)
    is_sign = np.array([character.value in SIGNS for character in characters], np.bool_)
    telling = np.array([_is_likely(texts[row], answers[row]) for row in rows], np.bool_)
    within = chances_within(where, found, is_sign, telling)
    numbers = [[list(number) for number in line] for line in part_lines(found, within, is_sign)]
    return _Ink(
        characters,
        where,
        is_sign,
        np.concatenate(scores),
        found,
        [answers[row] for row in rows],
        rows,
        numbers,
        within,
        passed_over.boxes[~passed_over.is_sign],
        passed_over.boxes[passed_over.is_sign],
        int((~marks.is_sign).sum()),
    )


def _is_likely(text: Sequence[Character], answers: Floats) -> bool:
    """Tell whether a line's text is likely, character by character, and not read from dirt."""
    names = indices_of(text)
    return likelihood(answers, names) >= LIKELY_A_DIGIT ** len(names)


def _completed(text: list[Character], answers: Floats, crop: Crop, marks: Marks) -> list[Character]:
    """Add the digits that the line reader passed over but the finder saw, where both make them likely.

    The line reader leaves out what it can't name. Two networks seldom see the same thing where there is none,
    so a digit that one of them sees may be less likely for the other. Where the line reader sees no digit at
    all, it is left at that: what the finder takes for one is mostly a letter.
    """
    if all(character.value in SIGNS for character in text):
        return text
    names = indices_of(text)
    middles = [(character.start + character.end) / 2 for character in text]
    nothing = [-1, *np.flatnonzero(answers[:, 0] > 1 - UNLIKELY).tolist(), len(answers)]
    across = (_centers(marks) @ crop.matrix[:, :2].T + crop.matrix[:, 2])[:, 0]
    reach = WITHIN * marks.boxes[:, 2] * np.hypot(*crop.matrix[:, 0])
    passed_over = ~marks.is_sign
    passed_over[list(_marks_of(text, crop, marks).values())] = False
    for mark in sorted(np.flatnonzero(passed_over), key=lambda mark: -marks.scores[mark]):
        start, end = (
            round(float(x) / SLICE) for x in (across[mark] - reach[mark], across[mark] + reach[mark])
        )
        there = answers[max(start, 0) : end + 1, 1:11]
        if not there.size:
            continue
        # What is beyond slices with nothing is as likely with the digit as without it.
        first = nothing[max(0, bisect.bisect_left(nothing, start) - 1)]
        last = nothing[min(len(nothing) - 1, bisect.bisect(nothing, end))]
        part, place = answers[first + 1 : last], bisect.bisect(middles, float(across[mark]))
        low, high = (bisect.bisect(middles, SLICE * edge) for edge in (first, last))
        digit = 1 + int(there.max(axis=0).argmax())
        longer = [*names[low:place], digit, *names[place:high]]
        if likelihood(part, longer) > SEEN_TWICE * likelihood(part, names[low:high]):
            names.insert(place, digit)
            middles.insert(place, float(across[mark]))
    return spell(answers, names) if len(names) > len(text) else text


def _marks_of(text: Sequence[Character], crop: Crop, marks: Marks) -> dict[int, int]:
    """Give characters of a line the nearest free mark of their kind, the nearest pair first."""
    is_sign = np.array([character.value in SIGNS for character in text], np.bool_)
    middles = [((character.start + character.end) / 2, crop.height / 2) for character in text]
    points = crop.to_page(np.reshape(middles, (-1, 2)))
    # Along the line only: how high a character stands, the line reader can't say.
    direction = crop.matrix[0, :2] / np.hypot(*crop.matrix[0, :2])
    away = np.abs((points[:, np.newaxis] - _centers(marks)) @ direction)
    away[(is_sign[:, np.newaxis] != marks.is_sign) | (away >= SAME * _usual_size(marks, crop)[1])] = np.inf
    mark_of: dict[int, int] = {}
    while away.size and np.isfinite(away.min()):
        character, mark = divmod(int(away.argmin()), away.shape[1])
        mark_of[character] = mark
        away[character], away[:, mark] = np.inf, np.inf
    return mark_of


def _places(text: Sequence[Character], crop: Crop, marks: Marks) -> tuple[Floats, Floats, Marks]:
    """Find where on the page the characters of a line are.

    Returns:
        The boxes (N, 4), one of the usual size where there is no mark; the scores (N,) of their marks, 0
        where there is none; and the marks that no character was given.
    """
    mark_of = _marks_of(text, crop, marks)
    is_sign = np.array([character.value in SIGNS for character in text], np.bool_)
    middles = [((character.start + character.end) / 2, crop.height / 2) for character in text]
    points, usual = crop.to_page(np.reshape(middles, (-1, 2))), _usual_size(marks, crop)
    sizes = np.where(is_sign[:, np.newaxis], SIGN_SIZE * usual, usual)
    boxes = np.concatenate([points - sizes / 2, sizes], axis=1).astype(np.float32)
    scores = np.zeros(len(text), np.float32)
    for character, mark in mark_of.items():
        boxes[character], scores[character] = marks.boxes[mark], marks.scores[mark]
    return boxes, scores, marks[np.setdiff1d(np.arange(len(marks)), list(mark_of.values()))]


def _centers(marks: Marks) -> Floats:
    return np.asarray(marks.boxes[:, :2] + marks.boxes[:, 2:] / 2, np.float32)


def _usual_size(marks: Marks, crop: Crop) -> Floats:
    """Return the width and height (2,) of a usual digit of a line in pixels of the page."""
    sizes = marks.boxes[~marks.is_sign, 2:]
    if not len(sizes):  # a strip
        sizes = np.array([(USUAL_WIDTH, 1)]) * DIGIT_HEIGHT / np.hypot(*crop.matrix[:, 1])
    return np.asarray(np.median(sizes, axis=0), np.float32)


@dataclass(frozen=True, slots=True)
class _Found:
    """What may be a number.

    Attributes:
        row: which of the lines with digits it is on.
        number: the indices of its characters.
        confidence: how likely it is right.
    """

    row: int
    number: list[int]
    confidence: float

    def times(self, chance: float) -> _Found:
        """Return it less likely."""
        return replace(self, confidence=self.confidence * chance)


def _found(ink: _Ink) -> list[_Found]:
    """Return all that may be a number."""
    return [
        _Found(row, number, _confidence(ink, row, number))
        for row, line in enumerate(ink.numbers)
        for number in line
    ]


def _numbers(
    ink: _Ink, found: Sequence[_Found], least: float, length: tuple[int, int] | None, frame: Box
) -> list[Number]:
    """Return what was found as numbers with their places, lines and columns."""
    lines = [list(line) for _, line in itertools.groupby(found, key=lambda each: each.row)]
    slope = float(np.median([line.slope for line in ink.lines])) if ink.lines else 0.0
    columns = find_columns(ink.boxes, [[tuple(each.number) for each in line] for line in lines], slope)
    numbers = [
        _number(ink, each.number, (row, column), least, frame, confidence=each.confidence)
        for row, (line, places) in enumerate(zip(lines, columns, strict=True), start=1)
        for each, column in zip(line, places, strict=True)
    ]
    if length is None:
        return numbers
    fewest, most = length
    return [
        replace(
            number,
            doubtful=number.doubtful
            or not fewest <= len(number.digits) <= most
            or max(_chances_beside(ink, each.row, each.number, numbers_only=True), default=0) > EVEN,
        )
        for each, number in zip(found, numbers, strict=True)
    ]


def _likely_on_page(ink: _Ink, frame: Box) -> list[_Found]:
    """Return what is a number and not a letter or a blot, as likely as all about it is right."""
    found = [each.times(_chance_of_digits(ink, each.number)) for each in _found(ink)]
    likely = [each.times(_chance_of_whole(ink, each.number, frame)) for each in _likely(ink, found)]
    return [
        replace(each, confidence=each.confidence**NOT_APART)
        for each in likely
        if each.confidence >= LIKELY_A_DIGIT ** _digits(ink, each.number)
    ]


def _likely(ink: _Ink, found: Sequence[_Found]) -> list[_Found]:
    """Leave out what is no number, and tell of the others how likely their digits belong together."""
    least = _likely_on(ink, found)
    kept = [
        each
        for each in found
        if each.confidence >= least
        and (
            each.confidence >= LIKELY
            or ((len(found) == 1 or _digits(ink, each.number) > 1) and ink.scores[each.number].any())
        )
    ]
    return [each.times(_chance_of_group(ink, each.row, each.number)) for each in kept]


def _chance_of_digits(ink: _Ink, number: Sequence[int]) -> float:
    """Return how likely what the finder saw of a number are digits, and not letters, print or blots."""
    scores = ink.scores[[index for index in number if not ink.is_sign[index]]]
    return float(1 / (1 + np.exp(-SURER * scores.mean() - UNSURE)))


def _chance_of_whole(ink: _Ink, number: Sequence[int], frame: Box) -> float:
    """Return how likely a number is not cut off by the edge of the picture, or of a region."""
    boxes = ink.boxes[number]
    start, end = _extent(boxes)
    room = min(*start, frame.width - end[0], frame.height - end[1])
    return 1.0 if room > EDGE * statistics.median(boxes[:, 3].tolist()) else WHOLE


def _likely_on(ink: _Ink, found: Sequence[_Found]) -> float:
    """Return the confidence from which on something is a number on this page, 0 on most.

    Where the line reader passes over much of what the finder saw, the page is one of letters, and what it
    does name is a letter, too, more often than the networks learned. By Bayes' rule, as M. Saerens et al.,
    "Adjusting the outputs of a classifier to new a priori probabilities", Neural Computation 14 (2002).
    What is named with doubt counts as a letter in part; what is far smaller than the surest number, as grain
    of the paper is, as none.
    """
    if not found:
        return 0.0
    surest = max(found, key=lambda each: each.confidence)
    unnamed = np.count_nonzero(ink.unnamed[:, 3] > GRAIN * np.median(ink.boxes[surest.number, 3]))
    if unnamed < FEW_LETTERS * (ink.seen + 1):
        return 0.0
    digits = np.array([_digits(ink, each.number) for each in found])
    doubts = np.array([1 - each.confidence for each in found])
    letters = (unnamed + digits @ doubts) / (unnamed + digits.sum() + 1)
    odds = letters / (1 - letters) * (1 - USUAL_LETTERS) / USUAL_LETTERS
    return float(odds / (1 + odds))


def _digits(ink: _Ink, number: Sequence[int]) -> int:
    """Return how many digits a number has."""
    return int((~ink.is_sign[list(number)]).sum())


def _confidence(ink: _Ink, row: int, number: Sequence[int]) -> float:
    """Return how likely a number is among all that its part of the line could say."""
    answers, indices = ink.answers[row], ink.lines[row].indices
    line = [ink.characters[index] for index in indices]
    part = answers[span(line, number[0] - indices[0], number[-1] - indices[0], len(answers))]
    return min(1.0, likelihood(part, indices_of(ink.characters[index] for index in number)))


def _chance_of_group(ink: _Ink, row: int, number: Sequence[int]) -> float:
    """Return how likely a number's characters belong together, and none beside them to it, by the gaps."""
    within, first = ink.within[row], ink.lines[row].indices[0]
    inside = within[number[0] - first : number[-1] - first]
    return float(np.prod(inside) * np.prod(1 - np.array(_chances_beside(ink, row, number))))


def _chances_beside(ink: _Ink, row: int, number: Sequence[int], *, numbers_only: bool = False) -> list[float]:
    """Return how likely each gap between a number and what stands beside it is within one number.

    Where only numbers count, a sign beside it that is part of none is as good as nothing.
    """
    within, first = ink.within[row], ink.lines[row].indices[0]
    counting = set(itertools.chain(*ink.numbers[row]) if numbers_only else ink.lines[row].indices)
    gaps = (number[0] - 1, number[0] - first - 1), (number[-1] + 1, number[-1] - first)
    return [float(within[gap]) for beside, gap in gaps if beside in counting]


def _number(
    ink: _Ink,
    indices: Sequence[int],
    place: tuple[int, int],
    least: float,
    frame: Box,
    *,
    confidence: float,
) -> Number:
    boxes = ink.boxes[list(indices)]
    starts, ends, (start, end) = boxes[:, :2], boxes[:, :2] + boxes[:, 2:], _extent(boxes)
    *places, around = _boxes(np.vstack([starts, start]), np.vstack([ends, end]), frame)
    digits, text = [], ""
    for index, box in zip(indices, places, strict=True):
        character = ink.characters[index]
        text += character.value
        if character.value not in SIGNS:
            digits.append(_digit(character, box, least, agreed=bool(ink.scores[index] > 0)))
    doubtful = confidence < least or any(digit.doubtful for digit in digits) or _has_unnamed(ink, indices)
    return Number(text, *place, confidence, doubtful, around, tuple(digits))


def _has_unnamed(ink: _Ink, number: Sequence[int]) -> bool:
    """Tell whether the line reader passed over a digit in or right beside a number, or a sign inside it.

    Where it names a sign, another mark is part of that, as the points of a colon are.
    """
    boxes = ink.boxes[list(number)]
    start, end = _extent(boxes)
    beside = np.array([statistics.median(boxes[:, 2].tolist()), 0])
    if _any_between(ink.unnamed, start - beside, end + beside):
        return True
    digits = [None if ink.is_sign[index] else ink.boxes[index] for index in number]
    return any(
        _any_between(
            ink.unnamed_signs,
            np.array([left[0] + (1 - ON_DIGIT) * left[2], start[1]]),
            np.array([right[0] + ON_DIGIT * right[2], end[1]]),
        )
        for left, right in itertools.pairwise(digits)
        if left is not None and right is not None
    )


def _any_between(boxes: Floats, start: Floats, end: Floats) -> bool:
    """Tell whether the middle of any box (N, 4) lies between two corners."""
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    return bool(((middles > start) & (middles < end)).all(axis=1).any())


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


def _extent(boxes: Floats) -> tuple[Floats, Floats]:
    """Return where boxes (N, 4) begin and end together, (x, y) each."""
    return boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)


def _boxes(starts: Floats, ends: Floats, frame: Box) -> list[Box]:
    """Return the smallest boxes of whole pixels around what counts from a frame, (N, 2) each, inside it."""
    size = np.array([frame.width, frame.height])
    # What lies beyond the frame, as a digit that is known to be there may, gets a pixel at its edge.
    first = np.floor(starts).clip(0, size - 1).astype(int)
    last = np.ceil(ends).clip(first + 1, size).astype(int)
    return [
        Box(frame.x + left, frame.y + top, right - left, bottom - top)
        for (left, top), (right, bottom) in zip(first.tolist(), last.tolist(), strict=True)
    ]


@functools.cache
def _shipped_reader() -> Reader:
    return Reader()


def _is_one(pictures: object) -> bool:
    """Tell whether this is one picture where several are expected, or nothing to go through at all."""
    if isinstance(pictures, np.ndarray):
        return pictures.ndim < 3 or (pictures.ndim == 3 and pictures.shape[2] in {3, 4})
    is_file = isinstance(pictures, str | bytes | bytearray | memoryview) or hasattr(pictures, "read")
    return is_file or not isinstance(pictures, Iterable)


def _check(options: Options) -> None:
    """Refuse what is no option, or has a value that is not accepted, before anything is read."""
    if unknown := options.keys() - Options.__annotations__.keys():
        accepted = ", ".join(Options.__annotations__)
        raise ArgumentError(f"There is no option {', '.join(sorted(unknown))}. Accepted: {accepted}")
    least = options.get("min_confidence")
    is_number = isinstance(least, Real) and not isinstance(least, bool)
    if least is not None and not (is_number and 0 <= least <= 1):
        raise ArgumentError(f"min_confidence must be from 0 to 1. Received: {least!r}")
    check_length(options.get("length"))
    check_rotation(options.get("rotate", 0))
    check_max_pixels(options.get("max_pixels", DEFAULT_MAX_PIXELS))
    regions = options.get("regions")
    if not isinstance(regions, Mapping | None):
        raise ArgumentError(f"regions must be a dictionary of names and places. Received: {regions!r}")
    for region in (regions or {}).values():
        check_region(region)


@contextlib.contextmanager
def _lack_of_memory_told() -> Iterator[None]:
    """Say of a page that it needs more memory than there is: others may need less."""
    try:
        yield
    except Exception as error:
        by_opencv = isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem
        by_network = type(error).__module__.startswith("onnxruntime") and "alloc" in str(error)
        if not (isinstance(error, MemoryError) or by_opencv or by_network):
            raise
        raise PictureError(
            "There is not enough memory to read this page. Read fewer at once (--workers), or a smaller "
            "picture of it."
        ) from error


def _in_order(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Yield the results of work in the order of the items, which are taken as workers get free."""
    if workers == 1:
        yield from map(work, items)
        return
    waiting: deque[SimpleQueue[Future[Result]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(hand_over(pool, work, item))
                while waiting and (len(waiting) > AHEAD * workers or not waiting[0].empty()):
                    yield waiting.popleft().get().result()
            while waiting:
                yield waiting.popleft().get().result()
        finally:
            with ctrl_c_later():
                pool.shutdown(wait=False, cancel_futures=True)


def read(picture: Picture, *, source: str | None = None, **options: Unpack[Options]) -> Reading:
    """Read the handwritten numbers on a page with the models that come with inkdigits.

    See `Reader.read`, which takes the same arguments and raises the same errors; the models are loaded at the
    first call and kept.

    Example:
        >>> read(np.full((200, 300), 255, np.uint8)).text  # blank paper
        ''
    """
    return _shipped_reader().read(picture, source=source, **options)
