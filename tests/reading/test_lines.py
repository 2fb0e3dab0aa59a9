"""Answers of slices become characters."""

import itertools

import numpy as np
import pytest

from inkdigits import Reader
from inkdigits.reading import lines
from inkdigits.reading.lines import (
    NAMES,
    SLICE,
    align,
    best_path,
    best_path_with,
    characters,
    decode,
    likelihood,
    padded,
)


def answers(text: str) -> np.ndarray:
    """Return sure answers, one slice for each character of the text; a space is nothing new."""
    return np.eye(len(NAMES), dtype=np.float32)[[NAMES.index(character) for character in text]]


@pytest.mark.parametrize(
    ("slices", "text"),
    [("   ", ""), ("777", "7"), ("7 7", "77"), (" 1122 ", "12"), ("3.14", "3.14"), ("-9", "-9")],
)
def test_repeated_answers_are_one_character(slices, text):
    """Only nothing new in between makes them two."""
    assert "".join(character.value for character in characters(answers(slices))) == text


def test_a_character_knows_where_it_stands():
    """In pixels of the line, from its first slice to after its last."""
    (seven,) = characters(answers("  777 "))
    assert (seven.start, seven.end) == (2 * SLICE, 5 * SLICE)


def test_the_clearest_slice_gives_the_probabilities():
    """Not the first one, where the network only begins to be sure."""
    slices = np.full((2, len(NAMES)), 0.01, np.float32)
    slices[0, NAMES.index("4")], slices[1, NAMES.index("4")] = 0.5, 0.85
    (four,) = characters(slices)
    assert four.probabilities[NAMES.index("4")] == pytest.approx(0.85)


def test_logits_are_decoded_as_well():
    """Only the order of the answers counts."""
    assert best_path(10 * answers(" 42") - 5) == best_path(answers(" 42"))


@pytest.mark.parametrize(
    ("count", "text"), [((1, 1), "2"), ((2, 2), "12"), ((3, 3), "112"), ((1, 4), "12"), ((5, 5), "")]
)
def test_likeliest_path_with_so_many_digits(count, text):
    """Fewer leave out the less sure one, more part a long one; what has no room is nothing."""
    slices = answers("1112 ")
    slices[:3, NAMES.index("1")], slices[:3, 0] = 0.6, 0.4
    read = characters(slices[:4], digits=count)
    assert "".join(character.value for character in read) == text


def test_path_with_a_free_number_of_digits_is_the_best_path():
    """Of random answers, where one path is as good as another but for the numbers and how they begin."""
    rng = np.random.default_rng(7)
    for _ in range(20):
        slices = rng.dirichlet(np.full(len(NAMES), 0.1), 12).astype(np.float32)
        slices[:, [NAMES.index(sign) for sign in "/:"]] = 0
        assert best_path_with(slices, 0, 12) == best_path(slices)


def test_signs_are_no_digits():
    """They come for nothing."""
    assert "".join(c.value for c in characters(answers("-3.14"), digits=(3, 3))) == "-3.14"


@pytest.mark.parametrize("digits", [None, (2, 2)])
@pytest.mark.parametrize("sign", "/:")
def test_no_line_begins_with_a_slash_or_a_colon(sign, digits):
    """What looks more like one than like a 1 is a 1; after a digit it is what it looks like."""
    slices = answers(f"{sign} 4{sign} ")
    slices[[0, 3]] *= 0.6
    slices[[0, 3], NAMES.index("1")] = 0.4
    text = "".join(character.value for character in characters(slices, digits=digits))
    assert text == f"14{sign}"


@pytest.fixture(scope="module")
def unsure():
    """Return five slices that could be many texts of two characters, and the probability of each text."""
    answers = np.zeros((5, len(NAMES)))
    answers[:, :3] = np.random.default_rng(1).dirichlet(np.ones(3), 5)
    texts = {}
    for path in itertools.product(range(3), repeat=5):
        text = tuple(label for label, _ in itertools.groupby(path) if label)
        texts[text] = texts.get(text, 0.0) + np.prod(answers[range(5), path])
    return answers, texts


def test_likelihood_of_a_text_is_that_of_all_its_paths(unsure):
    """Counted one by one; and all texts together are certain."""
    answers, texts = unsure
    for text, chance in texts.items():
        assert likelihood(answers, text) == pytest.approx(chance)
    assert sum(texts.values()) == pytest.approx(1)


def test_empty_slices_make_a_text_less_likely_by_their_own_chance():
    """However many follow each other, between characters, before and after them."""
    rng = np.random.default_rng(3)
    something = rng.dirichlet(np.full(16, 0.3), 6)
    nothing = np.zeros((40, 16))
    nothing[:, [0, 5]] = 0.9995, 0.0005
    spread = np.concatenate([nothing, something[:3], nothing, something[3:], nothing])
    once = nothing[:1]
    close = np.concatenate([once, something[:3], once, something[3:], once])
    for text in ([], [2], [3, 3], [1, 5, 2]):
        expected = likelihood(close, text) * 0.9995**117
        assert likelihood(spread, text) == pytest.approx(expected, rel=1e-6)


def test_the_likeliest_text_is_found(unsure):
    """The one that most of all paths lead to."""
    answers, texts = unsure
    assert decode(answers) == max(texts, key=texts.get)


@pytest.mark.parametrize("text", [(1,), (1, 1), (1, 2, 1), (2, 2, 2)])
def test_a_text_is_found_where_it_stands_most_likely(unsure, text):
    """Of all its paths the likeliest one, also where the network would say something else."""
    answers, _ = unsure
    paths = itertools.product(range(3), repeat=5)
    likeliest = max(
        (path for path in paths if tuple(k for k, _ in itertools.groupby(path) if k) == text),
        key=lambda path: np.prod(answers[range(5), path]),
    )
    assert align(answers, text) == best_path(np.eye(3)[list(likeliest)])


def test_nothing_stands_nowhere():
    """A text without characters has no places."""
    assert align(np.full((3, 16), 1 / 16), ()) == []


def test_a_short_line_goes_on_as_paper():
    """What is added is the gray the line has most of."""
    line = np.full((32, 10), 200, np.uint8)
    line[10:20, 4:6] = 0
    longer = padded(line, 16)
    assert longer.shape == (32, 16)
    assert np.array_equal(longer[:, :10], line)
    assert (longer[:, 10:] == 200).all()


def test_a_long_line_is_left_alone():
    """Nothing is cut off."""
    assert padded(np.zeros((32, 50), np.uint8), 20).shape == (32, 50)


def test_a_line_too_long_for_once_is_read_in_pieces(mnist, monkeypatch):
    """With the answers that it gets in one piece."""
    line = np.full((32, 402), 230, np.uint8)
    for place, image in enumerate(mnist.validation.images[:13]):
        line[2:30, 5 + 30 * place :][:28, :28] -= image // 2
    reader = Reader().lines
    (at_once,) = reader.read([line])
    monkeypatch.setattr(lines, "PIECE", 100)
    monkeypatch.setattr(lines, "BATCH", 1)  # how far a line is continued depends on what is read with it
    in_pieces, nothing = reader.read([line, line[:, :0]])
    assert in_pieces.shape == at_once.shape
    assert np.allclose(in_pieces, at_once, atol=1e-4)
    assert nothing.shape == (0, 16)
