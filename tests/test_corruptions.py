"""The corruptions damage images the way they should, and the digit stays readable."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from inkdigits import Classifier

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
NAMES = [
    "shot_noise",
    "impulse_noise",
    "glass_blur",
    "motion_blur",
    "shear",
    "scale",
    "rotate",
    "brightness",
    "translate",
    "stripe",
    "fog",
    "spatter",
    "dotted_line",
    "zigzag",
    "canny_edges",
]
WITHOUT_CHANCE = {"scale", "brightness", "stripe", "canny_edges"}


@pytest.fixture(scope="module")
def corruptions():
    """The module with the fifteen corruptions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("corruptions")
    sys.modules.pop("corruptions", None)


@pytest.fixture(scope="module")
def digits(mnist):
    """200 test images with their labels."""
    return mnist.test.images[:200], mnist.test.labels[:200]


def test_the_fifteen_of_mnist_c(corruptions):
    """All of MNIST-C's corruptions are there, in its order."""
    assert list(corruptions.CORRUPTIONS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_images_stay_images(corruptions, digits, name):
    """Shape and dtype are kept, every image is changed, and the input is left as it was."""
    images = digits[0].copy()
    corrupted = corruptions.corrupt(name, images)
    assert corrupted.dtype == np.uint8
    assert corrupted.shape == images.shape
    assert np.array_equal(images, digits[0])
    assert (corrupted != images).any(axis=(1, 2)).mean() > 0.9  # a short line may lie on ink or outside


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_images(corruptions, digits, name):
    """The seed decides all, and another seed gives others, where chance has a part."""
    images = digits[0][:20]
    first = corruptions.corrupt(name, images, seed=1)
    assert np.array_equal(first, corruptions.corrupt(name, images, seed=1))
    assert np.array_equal(first, corruptions.corrupt(name, images, seed=2)) == (name in WITHOUT_CHANCE)


@pytest.mark.parametrize("name", NAMES)
def test_no_images_no_images(corruptions, name):
    """An empty array is no special case."""
    assert corruptions.corrupt(name, np.zeros((0, 28, 28), np.uint8)).shape == (0, 28, 28)


@pytest.mark.parametrize("name", NAMES)
def test_digits_stay_recognizable(corruptions, digits, name):
    """The shipped network still names most of them."""
    images, labels = digits
    answers = Classifier().probabilities(corruptions.corrupt(name, images)).argmax(axis=1)
    assert np.mean(answers == labels) > 0.6


def test_each_image_is_corrupted_by_itself(corruptions, digits):
    """Where chance has no part, an image alone looks as it does among others."""
    images = digits[0][:5]
    for name in WITHOUT_CHANCE:
        assert np.array_equal(corruptions.corrupt(name, images)[3:4], corruptions.corrupt(name, images[3:4]))


def test_translation_moves_ink_three_pixels_both_ways(corruptions):
    """Ink in the middle goes to one of four places, and all four occur."""
    images = np.zeros((40, 28, 28), np.uint8)
    images[:, 14, 14] = 255
    places = {
        tuple(map(int, place)) for place in np.argwhere(corruptions.corrupt("translate", images))[:, 1:]
    }
    assert places == {(11, 11), (11, 17), (17, 11), (17, 17)}


def test_impulse_noise_hits_one_pixel_in_six(corruptions):
    """17 % of the pixels become black or white, as many the one as the other."""
    noisy = corruptions.corrupt("impulse_noise", np.full((100, 28, 28), 100, np.uint8))
    assert np.mean(noisy == 0) == pytest.approx(0.085, abs=0.005)
    assert np.mean(noisy == 255) == pytest.approx(0.085, abs=0.005)


def test_shot_noise_keeps_the_mean_of_gray(corruptions):
    """Three photons make white: dark gray keeps its mean and gets four values only."""
    noisy = corruptions.corrupt("shot_noise", np.full((100, 28, 28), 25, np.uint8))
    assert set(np.unique(noisy)) == {0, 85, 170, 255}
    assert noisy.mean() == pytest.approx(25, abs=0.5)


def test_blurs_keep_ink(corruptions, digits):
    """Blur spreads ink and loses none."""
    images = digits[0]
    for name in ("glass_blur", "motion_blur"):
        assert corruptions.corrupt(name, images).mean() == pytest.approx(images.mean(), rel=0.02)
