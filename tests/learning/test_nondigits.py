"""What is no digit looks like none."""

import numpy as np
import pytest

from inkdigits.learning import nondigits as module
from inkdigits.learning.nondigits import nondigits

KINDS = (module.pairs, module.lines, module.scribbles, module.shapes, module.noise)


@pytest.fixture(scope="module")
def digits(mnist):
    """A few training images."""
    return mnist.train.images[:500]


def test_same_seed_gives_the_same_images(digits):
    """The generator decides all."""
    first, second = (nondigits(100, digits, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("count", [0, 1, 10, 333])
def test_there_are_as_many_as_asked_for(digits, count):
    """Whatever the number, the form is MNIST's."""
    images = nondigits(count, digits, np.random.default_rng(0))
    assert images.shape == (count, 28, 28)
    assert images.dtype == np.uint8


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_images_of_a_kind_differ(digits, kind):
    """No kind gives one image again and again."""
    images = kind(20, digits, np.random.default_rng(0))
    assert len({image.tobytes() for image in images}) > 10


def test_pairs_show_two_digits(digits):
    """A pair is wider than high and fits MNIST's box."""
    images = module.pairs(50, digits, np.random.default_rng(0))
    columns, rows = ((images > 0).any(axis=axis).sum(axis=1) for axis in (1, 2))
    assert columns.max() <= 20
    assert (columns > rows).mean() > 0.5


def test_pairs_of_thin_digits_stay_pairs(digits):
    """Two 1s are neither cut off nor laid over each other."""
    one = np.zeros((1, 28, 28), np.uint8)
    one[0, 4:24, 13:15] = 255
    for image in module.pairs(100, one, np.random.default_rng(0)):
        assert np.flatnonzero(image.any(axis=1)).tolist() == list(range(4, 24))
        assert image.any(axis=0).sum() > 2


def test_single_lines_are_never_upright(digits):
    """What could be a 1 is not called something else."""
    for image in module.lines(200, digits, np.random.default_rng(0)):
        columns, rows = np.ptp(np.flatnonzero(image.any(axis=0))), np.ptp(np.flatnonzero(image.any(axis=1)))
        thin = image.astype(bool).sum() < 6 * max(columns, rows)
        assert not (thin and rows > 14 and columns < 4)


def test_digits_are_not_changed(digits):
    """The training images are the same afterward."""
    before = digits.copy()
    nondigits(100, digits, np.random.default_rng(0))
    assert np.array_equal(digits, before)
