"""A known number of digits decides how characters are grouped, and what is read."""

import numpy as np
import pytest

from inkdigits.errors import ArgumentError
from inkdigits.reading.lengths import check_length, group, read_again
from inkdigits.reading.lines import NAMES, characters


def boxes(*lefts: float) -> np.ndarray:
    """Return digits of 12 x 20 pixels that begin here."""
    return np.array([(left, 0, 12, 20) for left in lefts], np.float32)


def grouped(numbers, places, length, signs=()) -> list[list[int]]:
    """Return how characters at these places are grouped."""
    is_digit = np.array([index not in signs for index in range(len(places))])
    return group(numbers, boxes(*places), is_digit, length)


def answers(text: str) -> np.ndarray:
    """Return answers, one slice for each character of a text; a space is nothing new."""
    return np.eye(len(NAMES), dtype=np.float32)[[NAMES.index(character) for character in text]]


def test_numbers_that_fit_stay_as_they_are():
    """Whatever their gaps."""
    assert grouped([[0, 1], [2, 3]], (0, 14, 28, 42), (2, 2)) == [[0, 1], [2, 3]]


def test_parts_of_a_number_are_joined():
    """Digits in boxes, of which the gaps look like those between numbers."""
    assert grouped([[0], [1, 2], [3]], (0, 30, 52, 84), (4, 4)) == [[0, 1, 2, 3]]


def test_two_numbers_in_one_are_parted_at_the_widest_gap():
    """Two postcodes side by side."""
    assert grouped([[0, 1, 2, 3, 4]], (0, 14, 36, 50, 64), (2, 3)) == [[0, 1], [2, 3, 4]]


def test_far_numbers_are_not_joined():
    """A number that is too short stays one: it is read again."""
    assert grouped([[0, 1], [2, 3, 4]], (0, 14, 200, 214, 228), (3, 3)) == [[0, 1], [2, 3, 4]]


def test_signs_do_not_count():
    """A comma is part of a number, no digit."""
    assert grouped([[0, 1, 2]], (0, 14, 28), (2, 2), signs={1}) == [[0, 1, 2]]


def test_number_is_read_again_with_its_digits():
    """The likeliest of all readings that have as many; the others stay."""
    line = answers(" 11 222 5 ")
    line[4, NAMES.index("2")], line[4, NAMES.index("7")] = 0.6, 0.4
    read = characters(line)
    assert [character.value for character in read] == ["1", "2", "5"]
    first, _ = read_again(line, read, [[0, 1], [2]], (3, 3))
    assert "".join(character.value for character in first) == "172"
    assert read_again(line, read, [[0, 1], [2]], (1, 2)) == [read[:2], read[2:]]


def test_characters_read_again_know_where_they_stand():
    """In pixels of the line, also after another number."""
    line = answers(" 1   45 ")
    line[5, NAMES.index("4")], line[5, 0] = 0.5, 0.4
    read = characters(line)
    again = read_again(line, read, [[0], [1, 2]], (1, 1))
    assert again[0] == read[:1]
    assert [(character.value, character.start) for character in again[1]] == [("5", read[2].start)]


def test_number_without_room_stays():
    """Five digits do not fit into three slices."""
    line = answers("1 2")
    read = characters(line)
    assert read_again(line, read, [[0, 1]], (5, 5)) == [read]


@pytest.mark.parametrize("length", [0, -1, (0, 4), (6, 4), (1, 31), 31, "5", 5.0, (1, 2, 3)])
def test_other_lengths_are_refused(length):
    """The accepted ones are named."""
    with pytest.raises(ArgumentError, match="from 1 to 30"):
        check_length(length)
