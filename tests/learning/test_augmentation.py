"""Augmentation changes the hand, not the digit."""

import numpy as np
import pytest

from inkdigits.learning import augmentation
from inkdigits.learning.augmentation import HABITS, augment, with_other_habits


@pytest.fixture(scope="module")
def images(mnist):
    """A few training images, more than one mosaic holds."""
    return mnist.train.images[:1000]


@pytest.fixture(scope="module")
def labels(mnist):
    """What they show."""
    return mnist.train.labels[:1000]


def test_same_seed_gives_the_same_images(images, labels):
    """The generator decides all."""
    first, second = (augment(images, labels, np.random.default_rng(7), poor=0.5) for _ in range(2))
    assert np.array_equal(first, second)


def test_every_image_is_changed(images, labels):
    """At the usual strength no image stays as it is."""
    changed = augment(images, labels, np.random.default_rng(0)) != images
    assert changed.any(axis=(1, 2)).all()


def test_no_strength_changes_nothing(images, labels):
    """Strength 0 gives the images back."""
    assert np.array_equal(augment(images, labels, np.random.default_rng(0), strength=0), images)


def test_habits_can_be_left_out(images, labels):
    """Without habits, hardly any strength changes hardly anything; with them, digits get new strokes."""
    largest = [
        np.abs(augment(images, labels, np.random.default_rng(0), 1e-6, habits=habits) - images.astype(int))
        for habits in (False, True)
    ]
    assert largest[0].max() <= 1
    assert largest[1].max() > 200


def test_images_are_not_changed_in_place(images, labels):
    """The training images are the same after an epoch as before."""
    before = images.copy()
    augment(images, labels, np.random.default_rng(0), poor=1)
    assert np.array_equal(images, before)


def test_no_ink_comes_from_a_neighbor():
    """Between images full of ink, an empty one stays empty, also at twice the strength."""
    full = np.full((9, 28, 28), 255, np.uint8)
    full[4] = 0
    threes = np.full(9, 3, np.uint8)
    assert augment(full, threes, np.random.default_rng(0), strength=2)[4].max() == 0


def test_ink_stays_about_the_same(images, labels):
    """Pens get thinner and fatter, but no digit vanishes."""
    share = augment(images, labels, np.random.default_rng(0)).sum(axis=(1, 2)) / images.sum(axis=(1, 2))
    assert share.min() > 0.2
    assert share.max() < 5  # a 1 with flag and base
    assert 0.9 < share.mean() < 1.4


def test_network_still_knows_the_digits(images, labels):
    """A network trained on plain images still names most of the changed ones: they are the same digits."""
    from inkdigits import Classifier

    answers = Classifier().probabilities(augment(images, labels, np.random.default_rng(0))).argmax(axis=1)
    assert (answers == labels).mean() > 0.85


@pytest.mark.parametrize("digit", [0, 1, 6, 7])
def test_some_digits_get_another_stroke(images, labels, digit):
    """A share of each of these is changed, and what is changed has more ink than before."""
    before = images[labels == digit]
    after = with_other_habits(before, np.full(len(before), digit), np.random.default_rng(0))
    changed = (after != before).any(axis=(1, 2))
    assert changed.mean() == pytest.approx(HABITS[digit][0], abs=0.15)
    assert (after[changed].sum(axis=(1, 2)) > before[changed].sum(axis=(1, 2))).mean() > 0.9


def test_some_fours_lose_the_upper_stem(images, labels):
    """Ink is taken away from a share of them."""
    fours = images[labels == 4]
    after = with_other_habits(fours, np.full(len(fours), 4), np.random.default_rng(0))
    changed = (after != fours).any(axis=(1, 2))
    assert 0.1 < changed.mean() < 0.4
    assert (after[changed].sum(axis=(1, 2)) < fours[changed].sum(axis=(1, 2))).all()


def test_some_nines_end_to_the_left(images, labels):
    """Where a share of them had paper, left of and below the loop, there is ink."""
    nines = images[labels == 9]
    after = with_other_habits(nines, np.full(len(nines), 9), np.random.default_rng(0))
    changed = (after != nines).any(axis=(1, 2))
    assert changed.mean() == pytest.approx(HABITS[9][0], abs=0.15)
    corner = np.s_[changed, 18:, :12]
    assert after[corner].sum() > 2 * nines[corner].sum()


def test_changed_digits_are_centered_by_mass(images, labels):
    """Each comes back to the middle, give or take half a pixel."""
    ones = images[labels == 1]
    after = with_other_habits(ones, np.ones(len(ones)), np.random.default_rng(0))
    changed = after[(after != ones).any(axis=(1, 2))].astype(float)
    for axis in (1, 2):
        profile = changed.sum(axis=axis)
        centers = (profile @ np.arange(28)) / profile.sum(axis=1) + 0.5
        assert np.abs(centers - 14).max() < 1.05


def test_other_digits_keep_their_form(images, labels):
    """3s are written the same way everywhere."""
    others = images[labels == 3]
    kept = with_other_habits(others, np.full(len(others), 3), np.random.default_rng(0))
    assert np.array_equal(kept, others)


def test_empty_images_stand_any_habit():
    """An image without ink, whatever its label says, stays empty."""
    empty = np.zeros((100, 28, 28), np.uint8)
    for digit in HABITS:
        same = with_other_habits(empty, np.full(100, digit), np.random.default_rng(0))
        assert not same.any()


def test_so_many_images_get_a_flaw(images, labels):
    """The share of poor pictures is what was asked for."""
    poor = augment(images, labels, np.random.default_rng(0), strength=0, poor=0.3)
    assert 0.25 < (poor != images).any(axis=(1, 2)).mean() <= 0.3


@pytest.mark.parametrize("flaw", augmentation.FLAWS, ids=lambda flaw: flaw.__name__.strip("_"))
def test_flaw_leaves_the_digit_readable(images, labels, flaw):
    """A flaw changes images, and a network trained on plain ones still names most digits."""
    from inkdigits import Classifier

    flawed = flaw(images, np.random.default_rng(0))
    assert flawed.dtype == np.uint8
    assert (flawed != images).any(axis=(1, 2)).mean() > 0.5
    assert (Classifier().probabilities(flawed).argmax(axis=1) == labels).mean() > 0.6


def test_nothing_gives_nothing():
    """No images, no change."""
    nothing = np.empty((0, 28, 28), np.uint8)
    assert augment(nothing, np.empty(0, np.uint8), np.random.default_rng(0), poor=1).shape == (0, 28, 28)
