"""Augmentation changes the hand, not the digit."""

import numpy as np
import pytest

from inkdigits.learning.augmentation import augment


@pytest.fixture(scope="module")
def images(mnist):
    """A few training images, more than one mosaic holds."""
    return mnist.train.images[:1000]


def test_same_seed_gives_the_same_images(images):
    """The generator decides all."""
    first, second = (augment(images, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, second)


def test_every_image_is_changed(images):
    """At the usual strength no image stays as it is."""
    changed = augment(images, np.random.default_rng(0)) != images
    assert changed.any(axis=(1, 2)).all()


def test_no_strength_changes_nothing(images):
    """Strength 0 gives the images back."""
    assert np.array_equal(augment(images, np.random.default_rng(0), strength=0), images)


def test_images_are_not_changed_in_place(images):
    """The training images are the same after an epoch as before."""
    before = images.copy()
    augment(images, np.random.default_rng(0))
    assert np.array_equal(images, before)


def test_no_ink_comes_from_a_neighbor(images):
    """Between images full of ink, an empty one stays empty, also at twice the strength."""
    full = np.full((9, 28, 28), 255, np.uint8)
    full[4] = 0
    assert augment(full, np.random.default_rng(0), strength=2)[4].max() == 0


def test_ink_stays_about_the_same(images):
    """Pens get thinner and fatter, but no digit vanishes."""
    share = augment(images, np.random.default_rng(0)).sum(axis=(1, 2)) / images.sum(axis=(1, 2))
    assert share.min() > 0.2
    assert share.max() < 3
    assert 0.9 < share.mean() < 1.4


def test_network_still_knows_the_digits(images, mnist):
    """A network trained on plain images still names most of the changed ones: they are the same digits."""
    from inkdigits import Classifier

    answers = Classifier().probabilities(augment(images, np.random.default_rng(0))).argmax(axis=1)
    assert (answers == mnist.train.labels[:1000]).mean() > 0.85


def test_nothing_gives_nothing():
    """No images, no change."""
    assert augment(np.empty((0, 28, 28), np.uint8), np.random.default_rng(0)).shape == (0, 28, 28)
