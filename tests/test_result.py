"""Results are plain frozen values with one dictionary form."""

import dataclasses
import json

import pytest

from inkdigits.result import Box, Digit

SEVEN = Digit(7, 0.9, doubtful=False, probabilities=(0.0,) * 7 + (0.9, 0.05, 0.05), box=Box(1, 2, 3, 4))


def test_digit_survives_json():
    """A digit read back from its JSON is the same digit."""
    assert Digit.from_dict(json.loads(json.dumps(SEVEN.to_dict()))) == SEVEN


def test_blank_survives_json():
    """So is the answer to a picture without ink."""
    assert Digit.from_dict(json.loads(json.dumps(Digit.blank().to_dict()))) == Digit.blank()


def test_blank_has_no_value_and_no_box():
    """Without ink there is nothing to name and nowhere to point."""
    assert (Digit.blank().value, Digit.blank().box, Digit.blank().doubtful) == (None, None, True)


def test_box_is_x_y_width_height():
    """The list form is x, y, width, height."""
    assert SEVEN.to_dict()["box"] == [1, 2, 3, 4]


def test_results_are_frozen():
    """A result can't be changed after the fact."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        SEVEN.value = 1
