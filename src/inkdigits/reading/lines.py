"""A straight line of writing -> its characters, by a network and connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.reading.image import median_gray
from inkdigits.reading.model import PARTS, Part

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

LINE_HEIGHT: int = PARTS["lines"]["input"]["shape"][1]  # pixels the network takes
BATCH, BATCH_WIDTH = 16, 4_096  # lines and pixels of their widths read at once, for the memory's sake
PIECE, BESIDE = 8_192, 64  # pixels of a line read at once, and beside them what may tell more
SLICE = 2  # pixels of the width for each of its answers
BEAMS, UNLIKELY = 8, 1e-3  # texts followed at once; a character below this chance begins none
HOPELESS = 1e-4  # of the likeliest text; what is less likely than that share of it is followed no more
NAMES: tuple[str, ...] = tuple(PARTS["lines"]["labels"])  # the first is "nothing new"
AFTER_A_DIGIT = [NAMES.index(sign) for sign in "/:"]  # no line begins so: it is a slanted 1, or dirt


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a line.

    Attributes:
        value: "0" to "9", or one of ``.,-/:``.
        start: where the network noticed it first, in pixels of the line from the left.
        end: where it noticed it last.
        probabilities: of the sixteen answers at its clearest slice, adding up to 1.
    """

    value: str
    start: float
    end: float
    probabilities: tuple[float, ...]

    def moved(self, pixels: float) -> Character:
        """Return the same character farther to the right."""
        return Character(self.value, self.start + pixels, self.end + pixels, self.probabilities)


class LineReader(Part):
    """Reads straight lines."""

    part = "lines"

    def read(self, lines: list[Gray]) -> list[Floats]:
        """Read lines, each uint8 of shape (32, any width), dark on light or light on dark.

        Lines of about the same width are read together: padding costs as much as reading.

        Returns:
            The answers of each line, float32 (T, 16), for `characters`.
        """
        pieces = [(i, *piece) for i, line in enumerate(lines) for piece in _pieces(line.shape[1])]
        parts: list[list[Floats]] = [[] for _ in lines]
        read: dict[int, Floats] = {}
        for batch in _batches([seen.stop - seen.start for _, seen, _ in pieces]):
            cuts = [lines[pieces[j][0]][:, pieces[j][1]] for j in batch]
            width = -(-max(each.shape[1] for each in cuts) // 4) * 4
            probabilities = self._model.network.run(np.stack([padded(each, width) for each in cuts]))
            read |= zip(batch, probabilities, strict=True)
        for j, (i, _, own) in enumerate(pieces):
            parts[i].append(read[j][own])
        return [np.concatenate(each) if each else np.zeros((0, len(NAMES)), np.float32) for each in parts]


def _pieces(width: int) -> Iterator[tuple[slice, slice]]:
    """Yield which columns of a line to read together, and which answers to these count."""
    for start in range(0, width, PIECE):
        first, last = max(0, start - BESIDE), min(width, start + PIECE + BESIDE)
        end = None if start + PIECE >= width else (start + PIECE - first) // SLICE
        yield slice(first, last), slice((start - first) // SLICE, end)


def _batches(widths: list[int]) -> Iterator[list[int]]:
    """Yield the numbers of lines to read together: of similar width, and few where they are long."""
    batch: list[int] = []
    for i in sorted(range(len(widths)), key=lambda i: widths[i]):
        if batch and (len(batch) == BATCH or widths[i] * (len(batch) + 1) > BATCH_WIDTH):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def padded(line: Gray, width: int) -> Gray:
    """Continue a line to this width with the gray it has most of."""
    missing = max(0, width - line.shape[1])
    if not missing:
        return line
    continued = cv2.copyMakeBorder(line, 0, 0, 0, missing, cv2.BORDER_CONSTANT, value=median_gray(line))
    return np.asarray(continued, np.uint8)


def characters(answers: Floats, *, digits: tuple[int, int] | None = None) -> list[Character]:
    """Return the characters of answers (T, 16), which are probabilities.

    Args:
        answers: of a line, or of some neighboring slices of it.
        digits: how many of the characters must be digits, at least and at most; None for any number.

    Returns:
        From left to right; none where there are too few slices for the digits asked for.
    """
    if digits is None:
        text, path = decode(answers), best_path(answers)
        if tuple(character for character, *_ in path) != text:  # otherwise no path to it is likelier
            path = align(answers, text)
    else:
        path = best_path_with(answers, *digits)
    return _characters(answers, path)


def indices_of(text: Iterable[Character]) -> list[int]:
    """Return the positions of characters in `NAMES`, as `spell` and `likelihood` take them."""
    return [NAMES.index(character.value) for character in text]


def spell(answers: Floats, text: Sequence[int]) -> list[Character]:
    """Return the characters of a text, numbers above 0, where answers (T, 16) most likely have them."""
    return _characters(answers, align(answers, text))


def _characters(answers: Floats, path: Sequence[tuple[int, int, int]]) -> list[Character]:
    found = []
    for character, start, end in path:
        clearest = start + int(answers[start:end, character].argmax())
        found.append(
            Character(
                NAMES[character], SLICE * float(start), SLICE * float(end), tuple(answers[clearest].tolist())
            )
        )
    return found


def span(line: Sequence[Character], first: int, last: int, slices: int) -> slice:
    """Return which slices of a line's answers belong to some of its characters: halfway to their neighbors.

    Args:
        line: its characters, from left to right.
        first: position of the first of them.
        last: position of the last of them.
        slices: of the line.
    """
    start = (line[first - 1].end + line[first].start) / 2 if first else 0.0
    end = (line[last].end + line[last + 1].start) / 2 if last + 1 < len(line) else SLICE * slices
    return slice(round(start / SLICE), round(end / SLICE))


def best_path(answers: Floats) -> list[tuple[int, int, int]]:
    """Decode answers (T, C), probabilities or logits: the likeliest of each slice, repeated ones as one.

    Returns:
        Of each character its number, not 0, its first slice and the one after its last.

    Example: nothing, 3, 3, nothing, 3
        >>> best_path(np.eye(4)[[0, 3, 3, 0, 3]])
        [(3, 1, 3), (3, 4, 5)]
    """
    return _runs(answers.argmax(axis=1))


def decode(answers: Floats) -> tuple[int, ...]:
    """Return the likeliest text of answers (T, 16), probabilities: many paths may lead to one text.

    Prefix beam search (A. Graves et al., ICML 2006; A. Hannun et al., arXiv 1408.2873). A slash or a colon
    is no beginning.

    Returns:
        The numbers of its characters, none of them 0.

    Example: each slice is rather empty, but that all of them are is less likely than one 3 somewhere
        >>> answers = np.zeros((3, 16))
        >>> answers[:, [0, 4]] = 0.6, 0.4
        >>> best_path(answers), decode(answers)
        ([], (4,))
    """
    # Of each text so far, the probability of all paths to it that end with nothing, and with its last.
    texts: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
    settled: tuple[int, ...] = ()
    for row in answers.astype(np.float64).tolist():
        if row[0] > 1 - UNLIKELY:  # nothing is here: what comes doesn't depend on what was before
            settled += max(texts, key=lambda text: sum(texts[text]))
            texts = {(): (1.0, 0.0)}
            continue
        likely = [label for label, chance in enumerate(row) if chance > UNLIKELY and label]
        longer: dict[tuple[int, ...], tuple[float, float]] = {}
        for text, (empty, full) in texts.items():
            last = text[-1] if text else 0
            before, same = longer.get(text, (0.0, 0.0))
            longer[text] = before + (empty + full) * row[0], same + (full * row[last] if text else 0.0)
            for label in likely:
                if label in AFTER_A_DIGIT and not (settled or text):
                    continue
                # The same character again needs nothing in between, or it is the same one still.
                chance = (empty if label == last else empty + full) * row[label]
                before, same = longer.get((*text, label), (0.0, 0.0))
                longer[*text, label] = before, same + chance
        chances = {text: sum(both) for text, both in longer.items()}
        kept = sorted(chances, key=chances.__getitem__, reverse=True)[:BEAMS]
        least = HOPELESS * chances[kept[0]]
        texts = {text: longer[text] for text in kept if chances[text] >= least}
    return settled + max(texts, key=lambda text: sum(texts[text]))


def likelihood(answers: Floats, text: Sequence[int]) -> float:
    """Return how likely a text is by answers (T, 16), probabilities: the sum over all paths that give it.

    The forward algorithm of connectionist temporal classification (A. Graves et al., ICML 2006). Where
    nothing follows nothing, in two slices of three, no path has anything else; as in `decode`.

    Args:
        answers: of a line or a part of it.
        text: numbers of characters, none of them 0.

    Example:
        >>> answers = np.zeros((3, 16))
        >>> answers[:, [0, 4]] = 0.6, 0.4
        >>> round(likelihood(answers, [4]), 3), round(likelihood(answers, []), 3)
        (0.688, 0.216)
    """
    labels, jump = _with_gaps(text)
    empty = answers[:, 0] > 1 - UNLIKELY
    still = np.concatenate([[False], empty[1:] & empty[:-1]])  # nothing after nothing: most of a line
    chances = answers[~still].astype(np.float64)[:, labels]
    chance = np.zeros(len(labels) + 2)  # two more in front, from which nothing comes
    chance[2:4] = chances[0, :2]
    for row in chances[1:]:
        chance[2:] = (chance[2:] + chance[1:-1] + jump * chance[:-2]) * row
    every = chance[-1] + (chance[-2] if len(labels) > 1 else 0.0)
    return float(every * answers[still, 0].prod(dtype=np.float64))


def align(answers: Floats, text: Sequence[int]) -> list[tuple[int, int, int]]:
    """Find where in answers (T, 16), probabilities, each character of a text stands most likely.

    Returns:
        As `best_path`; empty where the text is.

    Example:
        >>> align(np.eye(16)[[0, 3, 3, 0, 3]], [3, 3])
        [(3, 1, 3), (3, 4, 5)]
    """
    if not text:
        return []
    labels, jump = _with_gaps(text)
    logs = np.log(np.maximum(answers, 1e-9)).astype(np.float64)[:, labels]
    score = np.full(len(labels), -np.inf)
    score[:2] = logs[0, :2]
    back = []
    for log in logs[1:]:
        choices = np.full((3, len(labels)), -np.inf)
        choices[0] = score
        choices[1, 1:] = score[:-1]
        choices[2, 2:] = np.where(jump[2:], score[:-2], -np.inf)
        back.append(choices.argmax(axis=0))
        score = choices.max(axis=0) + log
    place = len(labels) - 1 - int(score[-2] > score[-1])
    path = [place]
    for steps in reversed(back):
        place -= int(steps[place])
        path.append(place)
    places = np.array(path[::-1])
    return [(text[place // 2], start, end) for place, start, end in _runs(places) if place % 2]


def _with_gaps(text: Sequence[int]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Return a text with nothing before, between and after its characters, and where that may be left out."""
    labels = np.zeros(2 * len(text) + 1, np.intp)
    labels[1::2] = text
    jump = np.zeros(len(labels), np.bool_)
    jump[2:] = (labels[2:] != 0) & (labels[2:] != labels[:-2])
    return labels, jump


def best_path_with(answers: Floats, fewest: int, most: int) -> list[tuple[int, int, int]]:
    """Decode answers (T, 16), probabilities: the likeliest path that has a given number of digits.

    A dynamic program over slices (Viterbi 1967): for each number of digits so far and each last answer it
    keeps the likeliest path there. Signs don't count.

    Returns:
        As `best_path`; empty where no path has so many digits.

    Example: two slices are surely a 3, and a third one may be
        >>> answers = np.full((5, 16), 0.001)
        >>> answers[[0, 1, 2, 3, 4], [4, 4, 0, 0, 4]] = 1, 1, 1, 0.6, 0.4
        >>> answers[4, 0] = 0.6
        >>> best_path(answers), best_path_with(answers, 2, 2)
        ([(4, 0, 2)], [(4, 0, 2), (4, 4, 5)])
    """
    if not len(answers):
        return []
    logs = np.log(np.maximum(answers, 1e-9)).astype(np.float64)
    labels = np.arange(answers.shape[1])
    first = NAMES.index("0")
    is_digit = (labels >= first) & (labels < first + 10)
    score = np.full((most + 1, len(labels)), -np.inf)  # by digits so far and last answer
    score[0, ~is_digit] = logs[0, ~is_digit]
    score[0, AFTER_A_DIGIT] = -np.inf
    score[1, is_digit] = logs[0, is_digit]
    back = []  # for each slice, the answer before
    for log in logs[1:]:
        best = score.argmax(axis=1)
        others = score.copy()
        others[np.arange(most + 1), best] = -np.inf
        second = others.argmax(axis=1)
        # A new character comes after any other answer, nothing after any at all.
        before = np.where(best[:, np.newaxis] == labels, second[:, np.newaxis], best[:, np.newaxis])
        before[:, 0] = best
        new = np.take_along_axis(score, before, axis=1)
        before[1:, is_digit], new[1:, is_digit] = before[:-1, is_digit], new[:-1, is_digit]
        new[0, is_digit] = new[0, AFTER_A_DIGIT] = -np.inf
        stays = score >= new
        back.append(np.where(stays, labels, before))
        score = np.where(stays, score, new) + log
    within = score[fewest:]
    if not np.isfinite(within.max()):
        return []
    count, label = divmod(int(within.argmax()), len(labels))
    count += fewest
    path = [label]
    for before in reversed(back):
        previous = int(before[count, label])
        count -= int(is_digit[label] and previous != label)
        label = previous
        path.append(label)
    return _runs(np.array(path[::-1]))


def _runs(path: npt.NDArray[np.intp]) -> list[tuple[int, int, int]]:
    """Return the characters of a path, repeated answers as one."""
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    ends = [*starts[1:].tolist(), len(path)]
    return [
        (int(path[start]), start, end)
        for start, end in zip(starts.tolist(), ends, strict=True)
        if path[start]
    ]
