"""Lines become arrays, and answers are compared with their texts."""

import numpy as np
import pytest

from inkdigits.learning import linereading
from inkdigits.learning.linereading import LONGEST, WIDTH, Answers
from inkdigits.reading.lines import NAMES


def test_lines_and_texts_belong_together(mnist):
    """Every line has the form the network takes, and a text that is padded with 0."""
    lines, texts = linereading._lines(mnist.train, 20, [0], "training")
    assert lines.shape == (20, 32, WIDTH, 1)
    assert lines.dtype == np.uint8
    assert texts.shape == (20, LONGEST)
    for text in texts:
        count = int((text > 0).sum())
        assert (text[:count] > 0).all()
        assert (text < len(NAMES)).all()


def test_same_seed_gives_the_same_lines(mnist):
    """The generator decides all, line by line."""
    first, second = (linereading._lines(mnist.train, 5, [3, 1], "training") for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_a_line_is_right_when_all_of_it_is():
    """One wrong, missing or extra character makes it wrong."""
    names = len(NAMES)
    logits = np.zeros((3, 6, names), np.float32)
    for line, slices in enumerate(([0, 5, 5, 0, 2, 0], [0, 5, 0, 5, 2, 0], [0, 5, 0, 0, 0, 0])):
        logits[line, range(6), slices] = 1
    texts = np.array([[5, 2, 0]] * 3)
    assert linereading._exact(logits, texts).tolist() == [True, False, False]


def _line(sureness):
    """Return logits of a line on which 5 is read, as sure as that."""
    logits = np.zeros((4, len(NAMES)), np.float32)
    logits[:, 0] = 20
    logits[1] = np.log((1 - sureness) / (len(NAMES) - 1))
    logits[1, 5] = np.log(sureness)
    return logits


def test_temperature_lowers_confidence_that_is_too_high():
    """Where half of the lines read at 0.9 are wrong, 0.9 becomes about a half."""
    answers = Answers.of(np.stack([_line(0.9)] * 10), np.array([[5, 0]] * 5 + [[6, 0]] * 5))
    temperature = linereading.fit_temperature(answers)
    assert temperature > 1.2
    assert answers.confidence(temperature).mean() == pytest.approx(0.5, abs=0.1)


def test_a_line_without_an_answer_has_no_confidence():
    """Only what is read can be sure; but reading nothing can be right."""
    nothing = np.zeros((2, 4, len(NAMES)), np.float32)
    nothing[..., 0] = 20
    answers = Answers.of(nothing, np.array([[5, 0], [0, 0]]))
    assert len(answers.read) == len(answers.right) == len(answers.confidence(1.0)) == 0
    assert answers.exact == 0.5


def test_doubt_threshold_keeps_its_promise():
    """Above it 97 % are right, and it is no higher than it must be."""
    confidence = np.linspace(0.99, 0.5, 100, dtype=np.float32)
    right = np.ones(100, np.bool_)
    right[[40, 60, 80, 81, 82, 83]] = False
    threshold = linereading._doubt_threshold(confidence, right)
    assert threshold == confidence[79]


def test_nothing_is_sure_where_all_is_wrong():
    """The threshold is then above every confidence."""
    assert linereading._doubt_threshold(np.array([0.9]), np.array([False])) == 1
