"""Readings of a strip, a number cut out of a page -> the one that most confidence speaks for, or none.

In another size or form other pixels make a digit, and the networks make other mistakes. That the finder sees
nothing says little about a strip: it is there for its number.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from inkdigits.reading.finder import SMALLEST_DIGIT
from inkdigits.result import Number

# Pixels; a picture that is lower is a line cut out of a page,
STRIP, LONGEST = 96, 40  # and heights, that it is wide at most
SIZES = (64, 80, 92)  # pixels of height at which a strip is read, too
# A strip is also read as one line, all of it and parts, as a number may be small in its field: so many times
# as large as all of it, and which part, from 0, the highest, to 1, the lowest.
PARTS_OF_LINE = ((1.0, 0.5), (1.4, 0.15), (1.4, 0.5), (1.4, 0.85))
AS_LINE = 0.4  # share of a reading that each of these counts as, where it says something else or nothing
# The log-odds that a number is there, fitted on synthetic strips (docs/experiments.md): by the logarithm of
# how likely nothing is for the line reader, by the mean confidence of the readings, of those as one line, and
# the same for all.
BY_NOTHING, BY_READING, BY_LINE, ALWAYS = -0.4, 3.46, 3.51, -2.0
FAINT = 1e-4  # a chance of nothing that is hardly told from 0
LEAST = 0.6  # chance of a number from which on it is read
# A field in which every reading is less sure, and the finder of every digit, was left blank: the line reader
# reads something into any paper, if that is long enough or it is told that so many digits are there.
HARDLY, HARDLY_SEEN = 0.1, 0.6


def is_strip(shape: tuple[int, ...]) -> bool:
    """Tell whether a picture (H, W) is as low as a line cut out of a page, and as high as a digit.

    Example:
        >>> is_strip((40, 200)), is_strip((400, 200))
        (True, False)
    """
    return SMALLEST_DIGIT <= shape[0] < STRIP and SMALLEST_DIGIT <= shape[1] <= LONGEST * shape[0]


def chance_of_number(nothing: float, confidences: Sequence[float], as_line: Sequence[float]) -> float:
    """Return how likely a strip has a number on it, and not only words or a blot.

    Args:
        nothing: how likely it is for the line reader that nothing is there, 0 to 1.
        confidences: of the numbers read in each size on average, 0 to 1; 0 where there is none.
        as_line: of those in each part read as one line.

    Example:
        >>> chance_of_number(0.001, [0.9], [0.9]) > 0.9 > 0.2 > chance_of_number(0.9, [0.0], [0.0])
        True
    """
    odds = BY_NOTHING * math.log(nothing + FAINT) + BY_READING * statistics.fmean(confidences)
    odds += BY_LINE * statistics.fmean(as_line) + ALWAYS
    return 1 / (1 + math.exp(-odds))


def is_blank(confidence: float, score: float) -> bool:
    """Tell whether a strip for a number was left blank.

    Args:
        confidence: of its readings in the surest size, without a known number of digits, 0 to 1.
        score: of the surest digit that the finder sees in any size, 0 to 1.

    Example:
        >>> is_blank(0.01, 0.5), is_blank(0.4, 0.0), is_blank(0.0, 0.9)
        (True, False, False)
    """
    return confidence < HARDLY and score < HARDLY_SEEN


def confidence_of(numbers: Sequence[Number]) -> float:
    """Return how likely all numbers of a reading are right; 0 where there is none."""
    return math.prod(number.confidence for number in numbers) if numbers else 0.0


def usual_confidence(numbers: Sequence[Number]) -> float:
    """Return how likely a number of a reading is right on average; 0 where there is none."""
    return statistics.fmean(number.confidence for number in numbers) if numbers else 0.0


def agreed(
    readings: Sequence[list[Number]], as_line: Sequence[list[Number]], least: float, chance: float = 1.0
) -> list[Number]:
    """Return of several readings of a strip the one whose text most confidence speaks for.

    Args:
        readings: one of each size and form, by the lines that the finder saw there.
        as_line: others, of the strip and of parts of it as one line.
        least: confidence below which a number is doubtful.
        chance: that there is a number.

    Returns:
        Its numbers, each as sure as the readings are of it on average, times that chance. Their boxes and the
        doubt in each digit are of the surest reading that the finder has a part in: as one line, the strip is
        read without it.
    """
    every = [*readings, *as_line]
    texts = [" ".join(number.text for number in numbers) for numbers in every]
    sure = [confidence_of(numbers) for numbers in every]
    votes: dict[str, float] = {}
    for text, confidence in zip(texts, sure, strict=True):
        votes[text] = votes.get(text, 0.0) + confidence
    text = max(votes, key=lambda text: votes[text])
    said = [i for i in range(len(every)) if texts[i] == text]
    seen = every[max(said, key=lambda i: (i < len(readings), sure[i]))]
    alike = [numbers for numbers in every if len(numbers) == len(seen)]
    said_of_each = [
        [numbers[place].confidence for numbers in alike if numbers[place].text == number.text]
        for place, number in enumerate(seen)
    ]
    count = len(readings) + AS_LINE * len(as_line)
    confidences = [chance * min(max(each), sum(each) / count) for each in said_of_each]
    return [
        replace(number, confidence=confidence, doubtful=number.doubtful or confidence < least)
        for number, confidence in zip(seen, confidences, strict=True)
    ]
