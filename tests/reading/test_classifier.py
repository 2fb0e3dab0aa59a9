"""From a picture to a digit."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

import inkdigits
from inkdigits.errors import ArgumentError
from inkdigits.reading.image import load_gray
from inkdigits.reading.normalize import find_ink, to_mnist_form

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "pictures").iterdir())


@pytest.fixture(scope="module")
def classifier():
    """The classifier with the shipped model."""
    return inkdigits.Classifier()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_pictures_are_read(classifier, path):
    """Ballpoint, marker, chalk, canvas, a small digit in a corner and a dark screen: each is read right."""
    assert classifier.classify(path).value == int(path.name[0])


def test_validation_images_are_read_as_pictures(classifier, mnist):
    """MNIST's own images, given as pictures, are named nearly as well as in their own form."""
    images, labels = mnist.validation.images[:500], mnist.validation.labels[:500]
    direct = (classifier.probabilities(images).argmax(axis=1) == labels).mean()
    as_pictures = np.mean(
        [classifier.classify(image).value == label for image, label in zip(images, labels, strict=True)]
    )
    assert as_pictures >= direct - 0.01


def test_doubtful_digit_is_looked_at_again(classifier, mnist):
    """The geometric mean of what the network says of it in its place and a pixel to each side."""
    images = mnist.validation.images[:500]
    picture = images[classifier.probabilities(images).max(axis=1).argmin()]
    image = to_mnist_form(find_ink(load_gray(picture)))
    sides = [np.roll(image, step, axis) for step in (-1, 1) for axis in (0, 1)]
    answers = classifier.probabilities(np.array([image, *sides]))
    assert answers[0].max() < classifier.card.doubt_threshold
    assert np.ptp(answers, axis=0).max() > 0.1  # one look would say something else
    expected = np.exp(np.log(answers).mean(axis=0))
    assert classifier.classify(picture).probabilities == pytest.approx(expected / expected.sum(), rel=1e-4)


def test_sure_answer_is_the_first_look(classifier):
    """Who is sure doesn't look again."""
    image = to_mnist_form(find_ink(load_gray(EXAMPLES[0])))
    expected = classifier.probabilities(image[np.newaxis])[0]
    assert classifier.classify(EXAMPLES[0]).probabilities == pytest.approx(expected, rel=1e-4)


def test_box_is_where_the_ink_is(classifier):
    """The box is in pixels of the picture, to within the ink's soft edge."""
    picture = np.full((200, 300), 240, np.uint8)
    picture[60:140, 200:212] = 20
    assert classifier.classify(picture).box.to_list() == pytest.approx([200, 60, 12, 80], abs=2)


def test_blank_paper_has_no_digit(classifier):
    """Where there is no ink there is no guess."""
    assert classifier.classify(np.full((64, 64), 200, np.uint8)) == inkdigits.Digit.blank()


def test_confidence_is_the_highest_probability(classifier):
    """Confidence, value and probabilities say the same."""
    digit = classifier.classify(EXAMPLES[0])
    assert digit.confidence == max(digit.probabilities) == digit.probabilities[digit.value]
    assert sum(digit.probabilities) == pytest.approx(1, abs=1e-5)


def test_digit_below_the_threshold_is_doubtful(classifier):
    """A shape that is no digit is doubtful; doubt never changes the best guess."""
    picture = np.full((100, 100), 255, np.uint8)
    cv2.line(picture, (25, 25), (75, 75), 0, 6)
    cv2.line(picture, (75, 25), (25, 75), 0, 6)
    digit = classifier.classify(picture)
    assert digit.confidence < classifier.card.doubt_threshold
    assert digit.doubtful
    assert digit.value is not None


@pytest.mark.parametrize("shape", [(3, 28, 28), (3, 784), (3, 784, 1)])
def test_every_mnist_form_is_accepted(classifier, mnist, shape):
    """Square, flat and documented form give the same probabilities."""
    images = mnist.validation.images[:3]
    assert np.array_equal(classifier.probabilities(images.reshape(shape)), classifier.probabilities(images))


@pytest.mark.parametrize(
    "images", [np.zeros((28, 28), np.uint8), np.zeros((1, 28, 28)), np.zeros((1, 32, 32), np.uint8)]
)
def test_other_forms_are_refused(classifier, images):
    """A wrong shape or dtype is named and pointed to classify()."""
    with pytest.raises(ArgumentError, match=r"MNIST's form.*use classify\(\)"):
        classifier.probabilities(images)


def test_threads_get_the_same_answers(classifier):
    """Eight threads at once read what one reads."""
    alone = [classifier.classify(path) for path in EXAMPLES]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(classifier.classify, EXAMPLES * 20)) == alone * 20


def test_reading_needs_nothing_of_learning():
    """Classifying imports no Keras, TensorFlow, matplotlib or anything else of the extra 'train'."""
    code = (
        "import sys, inkdigits\n"
        f"inkdigits.classify({str(EXAMPLES[0])!r})\n"
        "print(*{name.split('.')[0] for name in sys.modules})\n"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not set(loaded.split()) & {
        "keras",
        "tensorflow",
        "matplotlib",
        "rich",
        "onnx",
        "platformdirs",
    }
