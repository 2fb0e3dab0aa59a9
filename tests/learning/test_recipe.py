"""Recipes are frozen, named and refuse what no training can use."""

import dataclasses
import json

import pytest

from inkdigits.errors import ArgumentError
from inkdigits.learning.recipe import RECIPES, check_seed, find_recipe


def test_classic_is_plain(mnist):
    """The documented exercise has a recipe, and it says all there is in plain values."""
    assert json.loads(json.dumps(find_recipe("classic").to_dict()))["network"] == "classic"


def test_unknown_recipe_names_the_known_ones():
    """The error lists what is accepted."""
    with pytest.raises(ArgumentError, match=f"'clasic'. Accepted: {', '.join(RECIPES)}"):
        find_recipe("clasic")


@pytest.mark.parametrize(
    ("name", "value"), [("epochs", 0), ("epochs", 10**9), ("batch_size", -1), ("epochs", 1.5)]
)
def test_absurd_values_are_refused(name, value):
    """Epochs and batch size have limits, named with what was received."""
    with pytest.raises(ArgumentError, match=f"{name} must be a whole number from 1 .*{name}={value}"):
        dataclasses.replace(find_recipe("classic"), **{name: value})


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, True])
def test_seed_out_of_range_is_refused(seed):
    """A seed is a whole number of 32 bits."""
    with pytest.raises(ArgumentError, match="seed must be"):
        check_seed(seed)
