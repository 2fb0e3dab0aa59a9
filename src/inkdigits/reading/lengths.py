"""Numbers whose number of digits is known: the characters of a line are grouped and read again to fit."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inkdigits.errors import ArgumentError
from inkdigits.reading.lines import SLICE, Character, characters, span
from inkdigits.reading.model import SIGNS

Floats = npt.NDArray[np.float32]
Groups = list[list[int]]

LONGEST = 30  # digits
AMISS = 1.0  # what a digit too many or too few costs
JOIN = 1.0  # what leaving out a gap between numbers costs, for each of its heights
LEAST_PART = 0.25  # what a gap between numbers costs at least where none was seen
PART = 1.0  # and where digits touch


def check_length(length: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the fewest and most digits of a number; None for any.

    Raises:
        ArgumentError: these are no numbers of digits.

    Example:
        >>> check_length(5), check_length((3, 4))
        ((5, 5), (3, 4))
    """
    if length is None:
        return None
    try:
        fewest, most = map(operator.index, length if isinstance(length, Sequence) else (length, length))
        is_accepted = 1 <= fewest <= most <= LONGEST and length is not True
    except (TypeError, ValueError):
        is_accepted = False
    if not is_accepted:
        raise ArgumentError(
            f"length must be a number of digits from 1 to {LONGEST}, or the fewest and the most. "
            f"Received: {length!r}"
        )
    return fewest, most


def group(numbers: Groups, boxes: Floats, is_digit: npt.NDArray[np.bool_], length: tuple[int, int]) -> Groups:
    """Group the characters of a line so that numbers have the right number of digits, or nearly so.

    A dynamic program over the places where a number may end. A digit too many or too few costs 1, as much as
    joining two numbers over a gap of a digit's height; parting one costs less the wider the gap.

    Args:
        numbers: of the line, from left to right: the indices of their characters.
        boxes: float32 (N, 4), of characters: x, y, width, height.
        is_digit: bool (N,).
        length: the fewest and the most digits of a number.

    Returns:
        The same characters in numbers; these may still have too many or too few digits.

    Example: a postcode in five boxes, which looks like two numbers
        >>> boxes = np.array([(x, 0, 12, 20) for x in (0, 20, 40, 66, 86)], np.float32)
        >>> group([[0, 1, 2], [3, 4]], boxes, np.ones(5, bool), (5, 5))
        [[0, 1, 2, 3, 4]]
    """
    fewest, most = length
    order = [index for number in numbers for index in number]
    x, _, width, height = boxes[order].T
    gaps = (x[1:] - x[:-1] - width[:-1]) / np.median(height)
    ends = set(np.cumsum([len(number) for number in numbers]).tolist())
    digits = np.concatenate([[0], np.cumsum(is_digit[order])])
    best, start_of = (
        [0.0],
        [0],
    )  # of the characters up to each place: the lowest cost, and the last number's start
    for end in range(1, len(order) + 1):
        costs = []
        joined = 0.0
        for start in range(end - 1, -1, -1):
            if start + 1 < end and start + 1 in ends:
                joined += JOIN * max(0.0, float(gaps[start]))
            count = int(digits[end] - digits[start])
            costs.append(best[start] + joined + AMISS * max(fewest - count, count - most, 0))
        cheapest = int(np.argmin(costs))
        parted = 0.0 if end in ends else max(LEAST_PART, PART - float(gaps[end - 1]))
        best.append(costs[cheapest] + parted)
        start_of.append(end - 1 - cheapest)
    groups: Groups = []
    end = len(order)
    while end:
        groups.append(order[start_of[end] : end])
        end = start_of[end]
    return groups[::-1]


def read_again(
    answers: Floats, line: Sequence[Character], numbers: Groups, length: tuple[int, int]
) -> list[list[Character]]:
    """Return the characters of each number, read again where it has too many or too few digits.

    Args:
        answers: float32 (T, 16), of the line.
        line: the characters that were read, from left to right.
        numbers: which of them make each number, from left to right.
        length: the fewest and the most digits of a number.

    Returns:
        The characters of each number; as they were where the line has no room for so many digits.
    """
    found = []
    for number in numbers:
        own = [line[index] for index in number]
        if not length[0] <= sum(character.value not in SIGNS for character in own) <= length[1]:
            room = span(line, number[0], number[-1], len(answers))
            part = characters(answers[room], digits=length)
            own = [character.moved(room.start * SLICE) for character in part] or own
        found.append(own)
    return found
