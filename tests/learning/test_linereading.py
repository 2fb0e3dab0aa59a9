"""Lines become arrays, and answers are compared with their texts."""

import numpy as np
import pytest

from inkdigits.learning import linereading
from inkdigits.learning.linereading import LONGEST, STEP, WIDTH, Answers, Batches
from inkdigits.learning.networks import build_network
from inkdigits.reading.lines import NAMES


def test_lines_and_texts_belong_together(mnist):
    """Every line has the form the network takes, and a text that is padded with 0."""
    lines, texts, widths = linereading._lines(mnist.train, 20, [0], "training")
    assert lines.shape == (20, 32, WIDTH, 1)
    assert lines.dtype == np.uint8
    assert texts.shape == (20, LONGEST)
    for text in texts:
        count = int((text > 0).sum())
        assert (text[:count] > 0).all()
        assert (text < len(NAMES)).all()
    for line, width in zip(lines, widths, strict=True):
        assert (line[:, width:] == np.rint(np.median(line[:, :width]))).all()


def batches_of(widths, size=4):
    """Batches of lines of these widths, each line with its number as gray level and as only character."""
    numbers = np.arange(len(widths))
    lines = np.broadcast_to(numbers.astype(np.uint8)[:, None, None, None], (len(widths), 32, WIDTH, 1))
    texts = np.zeros((len(widths), LONGEST), np.int32)
    texts[:, 0] = numbers
    return Batches(lines, texts, np.array(widths), size, np.random.default_rng(0))


def test_batches_hold_every_line_once():
    """Together with its characters."""
    batches = batches_of(np.random.default_rng(0).integers(20, WIDTH + 1, 50))
    seen = []
    for lines, texts in (batches[i] for i in range(len(batches))):
        assert (lines[:, 0, 0, 0] == texts[:, 0]).all()
        seen += texts[:, 0].tolist()
    assert sorted(seen) == list(range(50))


def test_batches_are_as_wide_as_their_widest_line():
    """In whole steps, in any order."""
    widths = np.random.default_rng(0).integers(20, WIDTH + 1, 50)
    batches = batches_of(widths)
    shapes = [lines.shape[2] for lines, _ in (batches[i] for i in range(len(batches)))]
    for i, shape in enumerate(shapes):
        widest = widths[batches[i][1][:, 0]].max()
        assert widest <= shape < widest + STEP
    assert shapes != sorted(shapes)


def test_nothing_is_read_beyond_a_line(mnist):
    """Lines are shown to the network little wider than they are, and have no character beyond."""
    lines, _, widths = linereading._lines(mnist.train, 20, [0], "training")
    network = build_network("lines")
    logits = linereading._predict(lambda some: network.predict(some, verbose=0), lines, widths)
    assert logits.shape == (20, WIDTH // 2, 16)
    for line, width, each in zip(lines, widths.tolist(), logits, strict=True):
        shown = min(WIDTH, -(-width // STEP) * STEP)
        assert (each[shown // 2 :].argmax(axis=1) == 0).all()
        alone = network.predict(line[np.newaxis, :, :shown], verbose=0)[0]
        assert np.allclose(each[: shown // 2], alone, atol=1e-3)


@pytest.mark.parametrize("count", [1, 4, 5, 8])
def test_few_lines_make_few_batches(count):
    """One batch, two, the last one not full."""
    batches = batches_of([50] * count)
    assert sum(len(batches[i][1]) for i in range(len(batches))) == count


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


def test_temperature_rises_until_sure_lines_are_right_as_promised():
    """What is calibrated on the whole need not be where people rely on it."""
    honest = [(0.95, 5)] * 94 + [(0.95, 6)] * 6 + [(0.999, 5)] * 99 + [(0.999, 6)]
    logits = np.stack([_line(confidence) for confidence, _ in honest])
    answers = Answers.of(logits, np.array([[digit, 0] for _, digit in honest]))
    temperature = linereading.fit_temperature(answers)
    sure = answers.confidence(temperature) >= linereading.SURE
    assert sure.sum() == 100


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


def test_equal_confidences_are_doubted_together():
    """A threshold can't part them: where one of two is wrong, neither is promised."""
    assert linereading._doubt_threshold(np.array([1.0, 0.9, 0.9]), np.array([True, True, False])) == 1
    assert linereading._doubt_threshold(np.array([0.9, 0.9]), np.array([True, False])) == 1


def test_nothing_is_sure_where_all_is_wrong():
    """The threshold is then above every confidence."""
    assert linereading._doubt_threshold(np.array([0.9]), np.array([False])) == 1
