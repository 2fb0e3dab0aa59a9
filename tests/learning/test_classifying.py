"""What a classifier learns from in an epoch."""

from dataclasses import replace

import numpy as np
import pytest

from inkdigits.learning.classifying import Classifying
from inkdigits.learning.recipe import find_recipe


@pytest.fixture(scope="module")
def changes(mnist):
    """How far the images of each epoch are from the one they are made of, in gray levels a pixel."""
    seven = mnist.train.images[np.argmax(mnist.train.labels == 7)]
    sevens = replace(
        mnist.train, images=np.repeat(seven[np.newaxis], 200, axis=0), labels=np.full(200, 7, np.uint8)
    )
    recipe = replace(find_recipe("best"), epochs=4, finish=0.5, nondigits=0)
    task = Classifying(recipe, 0, replace(mnist, train=sevens))
    return [np.abs(255 * task.prepare(epoch)[0][..., 0] - seven).mean() for epoch in (1, 2, 3, 4)]


def test_last_epochs_show_images_nearly_as_they_are(changes):
    """In the finish, of whatever length, an image is changed far less."""
    assert max(changes[2:]) < 0.6 * min(changes[:2])


def test_last_epochs_still_change_images(changes):
    """Some augmentation is left."""
    assert min(changes[2:]) > 3
