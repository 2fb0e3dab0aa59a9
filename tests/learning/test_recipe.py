"""Recipes are frozen, named and refuse what no training can use."""

import dataclasses
import json
import re

import numpy as np
import pytest

from inkdigits.errors import ArgumentError
from inkdigits.learning.recipe import RECIPES, Recipe, check_seed, find_recipe


def test_classic_is_plain():
    """The documented exercise trains on the images as they are."""
    assert find_recipe("classic").augmentation == 0


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_survives_json(name):
    """A recipe on a card can be read back."""
    assert Recipe(**json.loads(json.dumps(find_recipe(name).to_dict()))) == find_recipe(name)


@pytest.mark.parametrize(
    ("name", "value"), [("warmup", 7), ("finish", 1.5), ("learning_rate", -1), ("augmentation", float("nan"))]
)
def test_values_out_of_range_are_refused(name, value):
    """Rates and shares have limits too."""
    with pytest.raises(ArgumentError, match=f"{name} must be from 0 to"):
        dataclasses.replace(find_recipe("classic"), **{name: value})


@pytest.mark.parametrize("name", ["clasic", None, []])
def test_unknown_recipe_names_the_known_ones(name):
    """The error lists what is accepted."""
    with pytest.raises(ArgumentError, match=re.escape(f"{name!r}. Accepted: {', '.join(RECIPES)}")):
        find_recipe(name)


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


def test_numpys_whole_numbers_are_seeds():
    """As they come from `np.arange`."""
    assert type(check_seed(np.int64(3))) is int


def test_network_is_one_of_its_part():
    """A finder names no digits."""
    with pytest.raises(ArgumentError, match=r"one of classic, quick, .* Received: network='finder'"):
        dataclasses.replace(RECIPES["classic"], network="finder")


def test_unknown_precision_is_refused():
    """The error names both."""
    with pytest.raises(ArgumentError, match=r"float32, bfloat16.*precision='float8'"):
        dataclasses.replace(find_recipe("best"), precision="float8")
