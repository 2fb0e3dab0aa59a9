"""From several readings of a strip to one."""

from dataclasses import replace

import pytest

from inkdigits.reading.strips import (
    AS_LINE,
    LEAST,
    LONGEST,
    STRIP,
    agreed,
    chance_of_number,
    is_strip,
    usual_confidence,
)
from inkdigits.result import Box, Number


def numbers_of(*texts, confidence):
    """A reading of numbers with this confidence each."""
    return [Number(text, 1, 1, confidence, False, Box(0, 0, 9, 9), ()) for text in texts]


@pytest.mark.parametrize(
    ("shape", "is_one"),
    [
        ((40, 200), True),
        ((STRIP - 1, 100), True),
        ((STRIP, 100), False),
        ((5, 100), False),
        ((40, 5), False),
        ((40, 40 * LONGEST + 1), False),
    ],
)
def test_a_strip_is_as_low_as_a_line(shape, is_one):
    """And as high and as wide as a digit, but no endless band."""
    assert is_strip(shape) == is_one


def test_sizes_vote_with_their_confidence():
    """Two that agree outweigh a surer one; the confidence is the mean of all that say so."""
    readings = [numbers_of("207", confidence=each) for each in (0.7, 0.9)]
    readings += [numbers_of("201", confidence=0.95), []]
    (number,) = agreed(readings, [], least=0.3)
    assert (number.text, number.doubtful) == ("207", False)
    assert number.confidence == pytest.approx((0.7 + 0.9) / 4)


def test_what_few_sizes_say_is_doubtful():
    """Sure by itself, but alone."""
    (number,) = agreed([numbers_of("207", confidence=0.95), *([[]] * 3)], [], least=0.3)
    assert number.doubtful


def test_the_strip_as_one_line_has_a_voice():
    """It decides between two sizes, and is all there is where no size shows anything."""
    readings = [numbers_of("207", confidence=0.8), numbers_of("201", confidence=0.7)]
    (number,) = agreed(readings, [numbers_of("201", confidence=0.8)], least=0.3)
    assert number.text == "201"
    assert number.confidence == pytest.approx((0.7 + 0.8) / (2 + AS_LINE))
    (number,) = agreed([[], []], [numbers_of("207", confidence=0.8)], least=0.3)
    assert (number.text, number.confidence) == ("207", pytest.approx(0.8 / (2 + AS_LINE)))


def test_boxes_are_those_the_finder_saw():
    """As one line the strip may be read more surely, but where its digits are is not seen there."""
    (seen,) = numbers_of("207", confidence=0.8)
    (unseen,) = numbers_of("207", confidence=0.9)
    unseen = replace(unseen, box=Box(5, 5, 5, 5), doubtful=True)
    (number,) = agreed([[seen], []], [[unseen]], least=0.3)
    assert (number.box, number.doubtful) == (seen.box, False)


def test_doubt_about_one_number_is_not_about_its_neighbors():
    """Each is as sure as the readings are of it."""
    first, second, third = (
        [*numbers_of("207", confidence=0.9), *numbers_of(text, confidence=each)]
        for text, each in (("5", 0.9), ("6", 0.5), ("8", 0.4))
    )
    numbers = agreed([first, second, third], [], least=0.3)
    assert [number.text for number in numbers] == ["207", "5"]
    assert [number.confidence for number in numbers] == pytest.approx([0.9, 0.3])


def test_usual_confidence_does_not_fall_with_more_numbers():
    """It is their mean."""
    assert usual_confidence(numbers_of("2", "0", "7", confidence=0.9)) == pytest.approx(0.9)
    assert usual_confidence([]) == 0


def test_no_reading_makes_no_number():
    """Not of any size, nor as one line."""
    assert agreed([[], []], [[]], least=0.3) == []


def test_numbers_are_no_surer_than_that_one_is_there():
    """The chance of it is a factor of the confidence."""
    readings = [numbers_of("207", "5", confidence=0.9)] * 2
    sure, unsure = (agreed(readings, [], least=0.8, chance=chance) for chance in (1.0, 0.5))
    assert [number.confidence for number in sure] == pytest.approx([0.9, 0.9])
    assert [number.confidence for number in unsure] == pytest.approx([0.45, 0.45])
    assert [number.doubtful for number in sure + unsure] == [False, False, True, True]


def test_a_number_is_likely_where_nothing_is_unlikely_or_something_is_read():
    """Each of both makes it likelier; where neither does, there is none."""
    neither, unlikely, read = (
        chance_of_number(0.9, [0, 0], [0]),
        chance_of_number(0.001, [0, 0], [0.4]),
        chance_of_number(0.9, [0.9, 0.8], [0.4]),
    )
    assert neither < LEAST < unlikely
    assert LEAST < read < chance_of_number(0.001, [0.9, 0.8], [0.4])
    assert chance_of_number(0.5, [0.3], [0.1]) < chance_of_number(0.5, [0.3], [0.9])
    assert 0 < chance_of_number(1, [0.0], [0.0]) < chance_of_number(0, [1.0], [1.0]) < 1
