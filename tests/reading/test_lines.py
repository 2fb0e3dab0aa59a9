"""Answers of slices become characters."""

import numpy as np
import pytest

from inkdigits.reading.lines import NAMES, SLICE, best_path, characters, padded


def answers(text: str) -> np.ndarray:
    """Return sure answers, one slice for each character of the text; a space is nothing new."""
    return np.eye(len(NAMES), dtype=np.float32)[[NAMES.index(character) for character in text]]


@pytest.mark.parametrize(
    ("slices", "text"),
    [("   ", ""), ("777", "7"), ("7 7", "77"), (" 1122 ", "12"), ("3.14", "3.14"), ("-9", "-9")],
)
def test_repeated_answers_are_one_character(slices, text):
    """Only nothing new in between makes them two."""
    assert "".join(character.value for character in characters(answers(slices))) == text


def test_a_character_knows_where_it_stands():
    """In pixels of the line, from its first slice to after its last."""
    (seven,) = characters(answers("  777 "))
    assert (seven.start, seven.end) == (2 * SLICE, 5 * SLICE)


def test_the_clearest_slice_gives_the_probabilities():
    """Not the first one, where the network only begins to be sure."""
    slices = np.full((2, len(NAMES)), 0.01, np.float32)
    slices[0, NAMES.index("4")], slices[1, NAMES.index("4")] = 0.5, 0.85
    (four,) = characters(slices)
    assert four.probabilities[NAMES.index("4")] == pytest.approx(0.85)


def test_logits_are_decoded_as_well():
    """Only the order of the answers counts."""
    assert best_path(10 * answers(" 42") - 5) == best_path(answers(" 42"))


def test_a_short_line_goes_on_as_paper():
    """What is added is the gray the line has most of."""
    line = np.full((32, 10), 200, np.uint8)
    line[10:20, 4:6] = 0
    longer = padded(line, 16)
    assert longer.shape == (32, 16)
    assert np.array_equal(longer[:, :10], line)
    assert (longer[:, 10:] == 200).all()


def test_a_long_line_is_left_alone():
    """Nothing is cut off."""
    assert padded(np.zeros((32, 50), np.uint8), 20).shape == (32, 50)
