"""Lines become arrays, and answers are compared with their texts."""

import numpy as np

from inkdigits.learning import linereading
from inkdigits.learning.linereading import LONGEST, WIDTH
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
