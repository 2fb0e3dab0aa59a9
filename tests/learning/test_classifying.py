"""What a classifier learns from in an epoch."""

from dataclasses import replace

import numpy as np
import pytest

from inkdigits.learning.classifying import Classifying
from inkdigits.learning.recipe import find_recipe
from inkdigits.reading.classifier import SHIPPED_MODEL
from inkdigits.reading.model import open_model


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


@pytest.fixture(scope="module")
def taught(mnist):
    """Images, targets of labels alone, targets with a teacher, and the teacher's answers."""
    few = replace(mnist.train, images=mnist.train.images[:400], labels=mnist.train.labels[:400])
    recipe, teacher = replace(find_recipe("compact"), nondigits=0.1), open_model(SHIPPED_MODEL).network
    images, alone = Classifying(recipe, 0, replace(mnist, train=few)).prepare(1)
    again, both = Classifying(recipe, 0, replace(mnist, train=few), teacher).prepare(1)
    assert np.array_equal(images, again)
    answers = teacher.probabilities(np.round(255 * images[..., 0]).astype(np.uint8))
    return alone, both, answers


def test_a_teachers_answers_count_as_much_as_labels(taught):
    """Of the same changed images."""
    alone, both, answers = taught
    digits = alone.max(axis=1) == 1
    assert np.allclose(both[digits], (alone[digits] + answers[digits]) / 2, atol=1e-6)


def test_a_teacher_says_nothing_of_what_is_no_digit(taught):
    """There all ten digits stay equally likely."""
    alone, both, _ = taught
    nothing = alone.max(axis=1) < 1
    assert nothing.sum() == 40
    assert np.array_equal(both[nothing], alone[nothing])
