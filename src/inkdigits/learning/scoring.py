"""How good is a model folder? On a part of MNIST, or on a folder of one's own pictures.

Runs the exported network, so it needs no Keras and measures what is used in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from inkdigits.errors import ArgumentError, DataError, MissingExtraError, PictureError, RunError
from inkdigits.learning import mnist
from inkdigits.learning.evaluation import Evaluation, evaluate_probabilities, report
from inkdigits.learning.figures import CELLS, draw_mistakes
from inkdigits.reading.classifier import Classifier
from inkdigits.reading.image import load_gray
from inkdigits.reading.model import open_model
from inkdigits.reading.sources import find_pictures
from inkdigits.result import Digit

SPLITS = ("validation", "test")
DIGIT_NAMES = tuple(str(digit) for digit in range(10))


def evaluate(
    model: str | PathLike[str],
    *,
    split: str = "validation",
    data: str | PathLike[str] | None = None,
    log: Callable[[str], None] | None = None,
) -> Evaluation:
    """Evaluate a model on the images of MNIST it never saw.

    Args:
        model: a run folder or a model folder.
        split: "validation" (5,000 images) or "test" (10,000 images, for a finished model only).
        data: a folder or file with MNIST; None looks for it.
        log: receives sentences about what is being done.

    Returns:
        Accuracy with its interval, loss, calibration and confusions.

    Raises:
        ArgumentError: there is no such split, or ``data`` is a folder for `evaluate_pictures`.
        ModelError: the folder can't be used.
        DataError: MNIST can't be found or verified.

    Example:
        >>> evaluate("runs/classic", split="test").accuracy  # doctest: +SKIP
        0.9898
    """
    if split not in SPLITS:
        raise ArgumentError(f"split must be one of {', '.join(SPLITS)}. Received: {split!r}")
    if data is not None and is_labeled_folder(Path(data)):
        raise ArgumentError(
            f"{data} is a folder of pictures, not MNIST: evaluate_pictures(model, folder) evaluates on it."
        )
    network = open_model(Path(model), "classifier").network
    try:
        part = getattr(mnist.load(data, log=log), split)
    except DataError as error:
        if data is None:
            raise
        raise DataError(f"{error}\nA folder of your own pictures needs subfolders named 0 to 9.") from error
    probabilities, microseconds = network.run_timed(part.images)
    return evaluate_probabilities(
        probabilities, part.labels, split=split, microseconds_per_image=microseconds
    )


@dataclass(frozen=True, slots=True)
class PictureMistake:
    """A picture read wrong: where it is, the digit its folder names, and the answer."""

    source: str
    label: int
    digit: Digit

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: source, label, and those of the digit."""
        return {"source": self.source, "label": self.label, **self.digit.to_dict()}


@dataclass(frozen=True, slots=True)
class PictureEvaluation:
    """How a model does on pictures sorted by their digit.

    Attributes:
        evaluation: of the pictures in which ink was found.
        mistakes: those read wrong, the surest answer first.
        blank: sources of the pictures in which no ink was found.
        failed: source and reason of the files that could not be used.
    """

    evaluation: Evaluation
    mistakes: tuple[PictureMistake, ...]
    blank: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: those of the evaluation, then mistakes, blank and failed ones."""
        return self.evaluation.to_dict() | {
            "mistakes": [mistake.to_dict() for mistake in self.mistakes],
            "blank": list(self.blank),
            "failed": [{"source": source, "error": error} for source, error in self.failed],
        }

    def report(self) -> str:
        """Return the evaluation for people, with the mistakes and failures by name."""
        lines = [report(self.evaluation)]
        if self.mistakes:
            lines += ["", "Read wrong, the surest first:"]
        for mistake in self.mistakes[:20]:
            confidence = f"{100 * mistake.digit.confidence:.1f} %"
            lines.append(
                f"  {mistake.source}  is a {mistake.label}, read as {mistake.digit.value} ({confidence})"
            )
        if len(self.mistakes) > 20:
            lines.append(f"  and {len(self.mistakes) - 20} more")
        if self.blank:
            lines += ["", "No ink was found in these, which are not counted above:"]
            lines += [f"  {source}" for source in self.blank]
        if self.failed:
            lines += ["", "Could not be used:"]
            lines += [f"  {source}  {error}" for source, error in self.failed]
        return "\n".join(lines)


def is_labeled_folder(folder: Path) -> bool:
    """Say whether a folder has subfolders named by digits.

    Raises:
        DataError: it can't be looked into.
    """
    try:
        return any((folder / name).is_dir() for name in DIGIT_NAMES)
    except OSError as error:
        raise DataError(f"{folder} can't be looked into: {error.strerror or error}.") from error


def evaluate_pictures(model: str | PathLike[str], folder: str | PathLike[str]) -> PictureEvaluation:
    """Evaluate a model on one's own pictures, sorted into subfolders ``0`` to ``9``.

    Args:
        model: a run folder or a model folder.
        folder: holds the subfolders; a missing one is a digit without pictures.

    Returns:
        The evaluation, the mistakes and the files that could not be used.

    Raises:
        ModelError: the model folder can't be used.
        DataError: the folder holds no picture that can be opened.

    Example:
        >>> evaluate_pictures("runs/classic", "my-pictures").evaluation.accuracy  # doctest: +SKIP
        0.97
    """
    classifier = Classifier(model)
    if not Path(folder).is_dir():
        raise DataError(
            f"{folder} is no folder. Pictures are scored from a folder with subfolders named 0 to 9, each "
            "with pictures of that digit."
        )
    answers: list[PictureMistake] = []
    failed: list[tuple[str, str]] = []
    for label, name in enumerate(DIGIT_NAMES):
        subfolder = Path(folder) / name
        if not subfolder.is_dir():
            continue
        for path in find_pictures(subfolder):
            try:
                answers.append(PictureMistake(str(path), label, classifier.classify(path)))
            except (PictureError, MissingExtraError) as error:
                failed.append((str(path), str(error)))
    read = [answer for answer in answers if answer.digit.value is not None]
    if not read:
        reasons = "".join(f"\n  {source}: {error}" for source, error in failed[:5])
        raise DataError(f"{folder} has no usable picture with ink in subfolders named 0 to 9.{reasons}")
    evaluation = evaluate_probabilities(
        np.array([answer.digit.probabilities for answer in read]),
        np.array([answer.label for answer in read]),
        split=Path(folder).resolve().name,
    )
    mistakes = [answer for answer in read if answer.digit.value != answer.label]
    mistakes.sort(key=lambda mistake: -mistake.digit.confidence)
    blank = [answer.source for answer in answers if answer.digit.value is None]
    return PictureEvaluation(evaluation, tuple(mistakes), tuple(blank), tuple(failed))


def draw_picture_mistakes(pictures: PictureEvaluation, path: Path) -> None:
    """Draw the worst mistakes with label, answer and confidence into a PNG file.

    Raises:
        RunError: the file can't be written.
    """
    worst = pictures.mistakes[:CELLS]
    try:
        path.parent.mkdir(exist_ok=True)
        draw_mistakes(
            path,
            [load_gray(mistake.source) for mistake in worst],
            [mistake.label for mistake in worst],
            np.array([mistake.digit.probabilities for mistake in worst]),
            counts=(len(pictures.mistakes), pictures.evaluation.images),
        )
    except OSError as error:
        raise RunError(f"The figure {path} can't be written: {error.strerror or error}.") from error
