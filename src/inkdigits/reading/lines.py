"""A straight line of writing -> its characters, by a network and connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.reading.model import PARTS, Card, open_model

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

LINE_HEIGHT: int = PARTS["lines"]["input"]["shape"][1]  # pixels the network takes
BATCH, BATCH_WIDTH = 16, 16_384  # lines and pixels of their widths read at once, for the memory's sake
SLICE = 2  # pixels of the width for each of its answers
NAMES: tuple[str, ...] = tuple(PARTS["lines"]["labels"])  # the first is "nothing new"


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


class LineReader:
    """Reads straight lines. Make it once, use it often; safe to call from several threads at once.

    Args:
        folder: a model folder of the part "lines".
        threads: processor cores one call may use, 1 to 64.

    Raises:
        ArgumentError: ``threads`` is out of range.
        ModelError: the folder can't be used; the message says why.
    """

    def __init__(self, folder: str | PathLike[str], *, threads: int = 1) -> None:
        self._model = open_model(Path(folder), "lines", threads=threads)

    @property
    def card(self) -> Card:
        """What the model folder says of its network."""
        return self._model.card

    def read(self, lines: list[Gray]) -> list[list[Character]]:
        """Read lines, each uint8 of shape (32, any width), dark on light or light on dark.

        Lines of about the same width are read together: padding costs as much as reading.
        """
        answers: list[list[Character]] = [[] for _ in lines]
        for batch in _batches([line.shape[1] for line in lines]):
            width = -(-max(lines[i].shape[1] for i in batch) // 4) * 4
            probabilities = self._model.network.run(np.stack([padded(lines[i], width) for i in batch]))
            for i, each in zip(batch, probabilities, strict=True):
                answers[i] = characters(each)
        return answers


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
    paper = float(np.median(line)) if line.size else 255.0
    continued = cv2.copyMakeBorder(line, 0, 0, 0, missing, cv2.BORDER_CONSTANT, value=paper)
    return np.asarray(continued, np.uint8)


def characters(probabilities: Floats) -> list[Character]:
    """Return the characters of one line's answers (T, 16)."""
    found = []
    for character, start, end in best_path(probabilities):
        clearest = start + int(probabilities[start:end, character].argmax())
        found.append(
            Character(
                NAMES[character],
                SLICE * float(start),
                SLICE * float(end),
                tuple(probabilities[clearest].tolist()),
            )
        )
    return found


def best_path(answers: Floats) -> list[tuple[int, int, int]]:
    """Decode answers (T, C), probabilities or logits: the likeliest of each slice, repeated ones as one.

    Returns:
        Of each character its number, not 0, its first slice and the one after its last.

    Example: nothing, 3, 3, nothing, 3
        >>> best_path(np.eye(4)[[0, 3, 3, 0, 3]])
        [(3, 1, 3), (3, 4, 5)]
    """
    best = answers.argmax(axis=1)
    starts = np.flatnonzero(np.diff(best, prepend=-1))
    ends = [*starts[1:].tolist(), len(best)]
    return [
        (int(best[start]), start, end)
        for start, end in zip(starts.tolist(), ends, strict=True)
        if best[start]
    ]
