"""What a network is worth: pure arithmetic on its probabilities and the labels.

Nothing here knows Keras, ONNX or pictures: (N, 10) probabilities and (N,) labels go in, numbers come out.
The answer to an image is the digit of its largest probability (the smaller digit if two are equal), and
its confidence is that probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inkdigits.errors import ArgumentError

DIGITS = 10
BINS = 15  # for the calibration error, as in Guo et al. 2017
CONFUSIONS = 10  # how many of the most frequent ones are listed
TEMPERATURES = (0.05, 20.0)  # the coldest and hottest a fit gives

# Keras keeps probabilities this far from 0 and 1 before it takes a logarithm (keras.config.epsilon).
_EPSILON = 1e-7
# A float32 softmax gives 0 for what is smaller than this; such a 0 is taken as this, to have a logarithm.
_TINY = float(np.finfo(np.float32).tiny)
_SUM_TOLERANCE = 1e-3  # rounding of ten float16 probabilities stays below
_Z95 = 1.959963984540054  # 97.5% of a standard normal distribution lie below

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Confusion(NamedTuple):
    """One way of being wrong: so many images of one digit were read as another."""

    label: int
    answer: int
    images: int


class CalibrationBin(NamedTuple):
    """Images of similar confidence: how many, how sure the network was, how often it was right (0 to 1)."""

    images: int
    confidence: float
    accuracy: float


class RiskCoverage(NamedTuple):
    """What answering only the surest gives, the surest alone first; three arrays of the same length.

    Attributes:
        threshold: an answer counts if its confidence is at least this, 0 to 1, falling.
        coverage: share of the images that are answered then, more than 0, rising to 1.
        risk: share of these answers that is wrong, 0 to 1.
    """

    threshold: Floats
    coverage: Floats
    risk: Floats


@dataclass(frozen=True, slots=True)
class Selection:
    """The answers that are not doubtful: how many there are and how good they are.

    Attributes:
        threshold: an answer counts if its confidence is at least this, 0 to 1.
        images: how many do.
        coverage: their share of all images, 0 to 1.
        accuracy: share of them that is right, 0 to 1; None if there are none.
        accuracy_interval: 95% Wilson interval of that share; None if there are none.
    """

    threshold: float
    images: int
    coverage: float
    accuracy: float | None
    accuracy_interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a network is worth on one set of images.

    Everything that counts right and wrong answers follows from the confusion matrix, so it can't disagree.

    Attributes:
        split: name of the set, such as "validation" or "test".
        confusion: 10 rows of 10 counts; row = label, column = answer.
        loss: mean cross-entropy, natural logarithm, 0 or more.
        brier_score: mean over images of the sum of ten squared differences between probabilities and
            truth (Brier 1950), 0 to 2.
        expected_calibration_error: see ``expected_calibration_error``, 0 to 1.
        microseconds_per_image: time an image as measured by the caller; None if it wasn't measured.

    Example:
        >>> evaluation = evaluate_probabilities([[0.91] + [0.01] * 9], [0], split="validation")
        >>> evaluation.accuracy, round(evaluation.loss, 4)
        (1.0, 0.0943)
        >>> Evaluation.from_dict(evaluation.to_dict()) == evaluation
        True
    """

    split: str
    confusion: tuple[tuple[int, ...], ...]
    loss: float
    brier_score: float
    expected_calibration_error: float
    microseconds_per_image: float | None

    def __post_init__(self) -> None:
        """Refuse a confusion matrix that is none, such as one from a damaged file."""
        counts = [count for row in self.confusion for count in row]
        if (
            [len(row) for row in self.confusion] != [DIGITS] * DIGITS
            or not all(isinstance(count, int) and count >= 0 for count in counts)
            or not any(counts)
        ):
            raise ArgumentError(
                "A confusion matrix has ten rows of ten whole numbers, 0 or more, not all of them 0. "
                f"Received: {self.confusion!r}"
            )

    @property
    def images(self) -> int:
        """Number of images."""
        return sum(map(sum, self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return self._right / self.images

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """95% Wilson interval of the accuracy, two numbers from 0 to 1."""
        return wilson_interval(self._right, self.images)

    @property
    def recall(self) -> tuple[float | None, ...]:
        """Share of each digit's images that got its name, 0 to 1; None for a digit without images."""
        return tuple(row[digit] / sum(row) if any(row) else None for digit, row in enumerate(self.confusion))

    @property
    def precision(self) -> tuple[float | None, ...]:
        """Share of each answer that was right, 0 to 1; None for a digit that was never the answer."""
        columns = zip(*self.confusion, strict=True)
        return tuple(
            column[digit] / sum(column) if any(column) else None for digit, column in enumerate(columns)
        )

    @property
    def frequent_confusions(self) -> tuple[Confusion, ...]:
        """The ten most frequent confusions (fewer if there are fewer), the most frequent first."""
        confusions = [
            Confusion(label, answer, images)
            for label, row in enumerate(self.confusion)
            for answer, images in enumerate(row)
            if label != answer and images
        ]
        # The sort is stable: equal counts stay in the order of their digits.
        return tuple(sorted(confusions, key=lambda confusion: -confusion.images)[:CONFUSIONS])

    @property
    def _right(self) -> int:
        return sum(row[digit] for digit, row in enumerate(self.confusion))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: every attribute and property under its own name."""
        return {
            "split": self.split,
            "images": self.images,
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.accuracy_interval),
            "loss": self.loss,
            "brier_score": self.brier_score,
            "expected_calibration_error": self.expected_calibration_error,
            "microseconds_per_image": self.microseconds_per_image,
            "recall": list(self.recall),
            "precision": list(self.precision),
            "frequent_confusions": [confusion._asdict() for confusion in self.frequent_confusions],
            "confusion": [list(row) for row in self.confusion],
        }

    def summary(self) -> dict[str, Any]:
        """Return what a card says of it, plain values for JSON."""
        return {
            "split": self.split,
            "images": self.images,
            "accuracy": self.accuracy,
            "loss": self.loss,
            "expected_calibration_error": self.expected_calibration_error,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make an evaluation from what ``to_dict`` returned."""
        return cls(
            split=values["split"],
            confusion=tuple(tuple(row) for row in values["confusion"]),
            loss=values["loss"],
            brier_score=values["brier_score"],
            expected_calibration_error=values["expected_calibration_error"],
            microseconds_per_image=values["microseconds_per_image"],
        )


@dataclass(frozen=True, slots=True)
class PartEvaluation:
    """What a part of the page reader is worth on synthetic pages or lines.

    Attributes:
        split: which digits these were made of.
        samples: how many pages or lines.
        figures: what was measured, by name.

    Example:
        >>> part = PartEvaluation("validation", 1000, {"exact": 0.9})
        >>> PartEvaluation.from_dict(part.to_dict()) == part
        True
    """

    split: str
    samples: int
    figures: Mapping[str, float]

    def report(self) -> str:
        """Return what people read after a training."""
        figures = ", ".join(f"{name} {value:.4f}" for name, value in self.figures.items())
        return f"On {self.samples:,} synthetic samples of {self.split} digits: {figures}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"split": self.split, "samples": self.samples, "figures": dict(self.figures)}

    def summary(self) -> dict[str, Any]:
        """Return what a card says of it: all there is."""
        return self.to_dict()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make an evaluation from what ``to_dict`` returned."""
        return cls(values["split"], values["samples"], dict(values["figures"]))


def evaluate_probabilities(
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    split: str,
    microseconds_per_image: float | None = None,
) -> Evaluation:
    """Compare a network's probabilities with the labels.

    Args:
        probabilities: (N, 10) floats, N at least 1, of the digits 0 to 9; each row adds up to 1.
        labels: (N,) whole numbers, 0 to 9.
        split: name of the set, for people.
        microseconds_per_image: time an image, if it was measured; more than 0.

    Raises:
        ArgumentError: the probabilities or labels are not as described, or the time isn't a time.

    Example:
        >>> sure_of_0 = [0.91] + [0.01] * 9
        >>> evaluation = evaluate_probabilities([sure_of_0, sure_of_0], [0, 6], split="test")
        >>> evaluation.accuracy, evaluation.frequent_confusions
        (0.5, (Confusion(label=6, answer=0, images=1),))
    """
    probabilities, labels = check_probabilities(probabilities, labels)
    if microseconds_per_image is not None and not 0 < microseconds_per_image < math.inf:
        raise ArgumentError(
            "microseconds_per_image must be a number above 0, or None if it wasn't measured. "
            f"Received: {microseconds_per_image!r}"
        )
    confidence, right = rate_answers(probabilities, labels)
    pairs = DIGITS * labels + probabilities.argmax(axis=1)
    counts = np.bincount(pairs, minlength=DIGITS * DIGITS).reshape(DIGITS, DIGITS)
    of_label = np.take_along_axis(probabilities, labels[:, None], axis=1)
    truth = np.eye(DIGITS)[labels]
    return Evaluation(
        split=split,
        confusion=tuple(tuple(row) for row in counts.tolist()),
        loss=float(-np.log(of_label.clip(_EPSILON, 1 - _EPSILON)).mean()),
        brier_score=float(((probabilities - truth) ** 2).sum(axis=1).mean()),
        expected_calibration_error=expected_calibration_error(calibration_bins(confidence, right)),
        microseconds_per_image=None if microseconds_per_image is None else float(microseconds_per_image),
    )


def check_probabilities(probabilities: ArrayLike, labels: ArrayLike) -> tuple[Floats, Integers]:
    """Return both as arrays of float64 and int64, if they are probabilities and labels of the same images.

    Args:
        probabilities: (N, 10) floats, N at least 1; no row's sum is further from 1 than 0.001.
        labels: (N,) whole numbers, 0 to 9.

    Raises:
        ArgumentError: they are not.
    """
    rows = _check_rows(probabilities)
    return rows, check_labels(labels, len(rows))


def check_labels(labels: ArrayLike, images: int) -> Integers:
    """Return the labels as an array of int64, if they are labels of so many images.

    Args:
        labels: (N,) whole numbers, 0 to 9.
        images: N, 1 or more.

    Raises:
        ArgumentError: they are not.
    """
    try:
        digits = np.asarray(labels)
    except ValueError as error:
        raise ArgumentError(f"Labels must be one list of whole numbers from 0 to 9: {error}") from error
    if digits.shape != (images,):
        raise ArgumentError(
            f"There must be one label an image. Received: labels of shape {digits.shape} "
            f"for {images} images. Accepted: ({images},)"
        )
    if digits.dtype.kind not in "iu":
        raise ArgumentError(f"Labels must be whole numbers from 0 to 9. Received: type {digits.dtype}")
    if digits.min() < 0 or digits.max() >= DIGITS:
        raise ArgumentError(
            "Labels must be whole numbers from 0 to 9. "
            f"Received: numbers from {digits.min()} to {digits.max()}"
        )
    return digits.astype(np.int64)


def _check_rows(probabilities: ArrayLike) -> Floats:
    try:
        rows = np.asarray(probabilities, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"Probabilities must be N rows of ten numbers: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != DIGITS:
        raise ArgumentError(
            f"Probabilities must be N rows of ten numbers. Received: shape {rows.shape}. Accepted: (N, 10)"
        )
    if len(rows) == 0:
        raise ArgumentError(
            "There are no images to evaluate. Received: 0 rows of probabilities. Accepted: 1 or more"
        )
    # Written so that NaN, which is neither, fails too.
    possible = (rows >= 0).all(axis=1) & (abs(rows.sum(axis=1) - 1) <= _SUM_TOLERANCE)
    if not possible.all():
        first = int(possible.argmin())
        raise ArgumentError(
            "Probabilities must be 0 or more and add up to 1 for each image. "
            f"Received: {rows[first].round(4).tolist()} for image {first}, a sum of {rows[first].sum():.4g}. "
            "If these are logits, take their softmax first"
        )
    return rows


def rate_answers(probabilities: Floats, labels: Integers) -> tuple[Floats, NDArray[np.bool_]]:
    """Return how sure the network is of each answer, (N,) from 0 to 1, and whether it is right, (N,) bool."""
    return probabilities.max(axis=1).clip(max=1.0), probabilities.argmax(axis=1) == labels


def wilson_interval(right: float, total: int) -> tuple[float, float]:
    """Return the 95% interval of a share, by Wilson's score method.

    Unlike the usual plus or minus two standard errors, it stays inside 0 to 1 and is honest near both ends.

    Args:
        right: how many of them, 0 to ``total``.
        total: of how many, 1 or more.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    Example:
        >>> low, high = wilson_interval(4931, 5000)
        >>> f"{low:.4f} to {high:.4f}"
        '0.9826 to 0.9891'
    """
    share = right / total
    center = share + _Z95**2 / (2 * total)
    half = _Z95 * math.sqrt(share * (1 - share) / total + (_Z95 / (2 * total)) ** 2)
    scale = 1 + _Z95**2 / total
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)


def calibration_bins(confidence: Floats, right: NDArray[np.bool_], bins: int = BINS) -> list[CalibrationBin]:
    """Sort the answers by confidence and cut them into bins of equal size.

    Bins of equal size, not width: nearly all answers of a good network have a confidence above 0.99, and
    bins of equal width would leave the others almost empty.

    Args:
        confidence: (N,) floats, 0 to 1, N at least 1.
        right: (N,) bools: whether each answer is right.
        bins: how many bins, 1 or more; a bin for each image if there are fewer images.

    Source: Nixon et al., "Measuring calibration in deep learning", 2019, arXiv 1904.01685.

    Example:
        >>> for each in calibration_bins(np.array([1.0, 0.5, 0.75]), np.array([True, False, True]), bins=2):
        ...     print(each)
        CalibrationBin(images=2, confidence=0.625, accuracy=0.5)
        CalibrationBin(images=1, confidence=1.0, accuracy=1.0)
    """
    # Answers of the same confidence share rights and wrongs, so that the order of images changes nothing.
    _, level, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    rightness = (np.bincount(level, weights=right) / counts)[np.sort(level)]
    parts = min(bins, len(confidence))
    return [
        CalibrationBin(len(sure), float(sure.mean()), float(was_right.mean()))
        for sure, was_right in zip(
            np.array_split(np.sort(confidence), parts), np.array_split(rightness, parts), strict=True
        )
    ]


def expected_calibration_error(bins: list[CalibrationBin]) -> float:
    """Return the average distance between confidence and accuracy over the bins, each weighted by its images.

    0 means that of the answers given with 90% confidence 90% are right, and so on. On few images it is too
    high rather than too low, since chance alone moves a bin's accuracy away from its confidence.

    Source: Guo et al., "On calibration of modern neural networks", 2017, arXiv 1706.04599.

    Example:
        >>> expected_calibration_error([CalibrationBin(3, 0.75, 0.5), CalibrationBin(1, 1.0, 1.0)])
        0.1875
    """
    images = sum(each.images for each in bins)
    return sum(each.images * abs(each.accuracy - each.confidence) for each in bins) / images


def documented_block(evaluation: Evaluation) -> str:
    """Return accuracy and loss in the documented form, then the plain cross-entropy in a line of its own.

    The documented "Loss" is 100 times the mean cross-entropy, with a percent sign. Training data have been
    seen, so only for the split "train" the words in brackets are left out; without a measured time, the
    time is.
    """
    seen = "" if evaluation.split == "train" else " (WHICH NEVER SEEN)"
    images, microseconds = evaluation.images, evaluation.microseconds_per_image
    time = "" if microseconds is None else f" - {images * microseconds / 1e6:.0f}s {microseconds:.0f}us/step"
    return "\n".join(
        [
            "=" * 50,
            f">> Evaluate on {evaluation.split} data:{seen}",
            f"{images}/{images} [{'=' * 30}]{time}",
            f"Accuracy: {100 * evaluation.accuracy:.4f}%",
            f"Loss: {100 * evaluation.loss:.4f}%",
            "=" * 50,
            f"Mean cross-entropy: {evaluation.loss:.6f} (the loss above is 100 times this)",
        ]
    )


def report(evaluation: Evaluation) -> str:
    """Return everything about an evaluation as text for a terminal, the documented block first."""
    low, high = evaluation.accuracy_interval
    lines = [
        documented_block(evaluation),
        f"Accuracy, 95% interval: {100 * low:.2f}% to {100 * high:.2f}%",
        f"Calibration error (ECE): {100 * evaluation.expected_calibration_error:.2f}%",
        f"Brier score: {evaluation.brier_score:.4f}",
        "",
        "Digit   Images    Recall  Precision",
    ]
    for digit, row in enumerate(evaluation.confusion):
        recall, precision = _percent(evaluation.recall[digit]), _percent(evaluation.precision[digit])
        lines.append(f"{digit:5}{sum(row):9,}{recall:>10}{precision:>11}")
    lines += ["", "Most frequent confusions:"]
    lines += [
        f"  {label} read as {answer}: {images}" for label, answer, images in evaluation.frequent_confusions
    ]
    if not evaluation.frequent_confusions:
        lines.append("  none, every image was read right")
    if evaluation.microseconds_per_image is not None:
        lines += ["", f"Time: {evaluation.microseconds_per_image:.0f} microseconds an image"]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}%"


def fit_temperature(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Find the temperature that makes the probabilities of a trained network as honest as one number can.

    Temperature scaling turns p into p^(1/T), scaled to add up to 1. It never changes an answer, only how
    sure of it the network is: less with T above 1, more with T below. The T returned has the smallest
    cross-entropy on the given images, which must be none the network was trained on.

    In 1/T the cross-entropy is convex, so its slope is zero in one place only, and halving finds it.

    If no label is less probable than another digit, ever colder is ever better, and the images can't say
    how sure to be: then the temperature is 1, which changes nothing.

    Args:
        probabilities: (N, 10) floats, N at least 1; each row adds up to 1.
        labels: (N,) whole numbers, 0 to 9.

    Returns:
        T, 0.05 to 20.

    Raises:
        ArgumentError: the probabilities or labels are not as described.

    Source: Guo et al., "On calibration of modern neural networks", 2017, arXiv 1706.04599.

    Example: nine tenths sure, but right in two of three cases
        >>> sure_of_0 = [0.91] + [0.01] * 9
        >>> temperature = fit_temperature([sure_of_0] * 3, [0, 0, 6])
        >>> round(float(apply_temperature([sure_of_0], temperature)[0, 0]), 4)
        0.6667
    """
    probabilities, labels = check_probabilities(probabilities, labels)
    of_label = np.take_along_axis(probabilities, labels[:, None], axis=1)
    if (of_label >= probabilities).all():
        return 1.0
    logarithms = _logarithms(probabilities)
    label_logarithms = _logarithms(of_label)

    def slope(sharpness: float) -> float:
        """Derivative of the mean cross-entropy by 1/T; it only ever grows with 1/T."""
        expected = (_soften(logarithms, sharpness) * logarithms).sum(axis=1, keepdims=True)
        return float((expected - label_logarithms).mean())

    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    for _ in range(60):  # as many halvings as a float64 can tell apart
        middle = (low + high) / 2
        if slope(middle) < 0:
            low = middle
        else:
            high = middle
    return 2 / (low + high)


def apply_temperature(probabilities: ArrayLike, temperature: float) -> Floats:
    """Return p^(1/T), scaled to add up to 1: the same answers, more or less sure of themselves.

    Args:
        probabilities: (N, 10) floats, N at least 1; each row adds up to 1.
        temperature: T, more than 0; 1 changes nothing.

    Returns:
        (N, 10) float64, each row adds up to 1.

    Raises:
        ArgumentError: the probabilities are not as described or the temperature is not above 0.

    Source: Guo et al., "On calibration of modern neural networks", 2017, arXiv 1706.04599.

    Example:
        >>> apply_temperature([[0.8, 0.2] + [0.0] * 8], 0.5)[0, :2].round(4).tolist()
        [0.9412, 0.0588]
    """
    if not 0 < temperature < math.inf:
        raise ArgumentError(f"The temperature must be a number above 0. Received: {temperature!r}")
    return _soften(_logarithms(_check_rows(probabilities)), 1 / temperature)


def _logarithms(probabilities: Floats) -> Floats:
    return np.log(np.maximum(probabilities, _TINY))


def _soften(logarithms: Floats, sharpness: float) -> Floats:
    """Return the softmax of so many times the logarithms; sharpness is 1/T."""
    powers: Floats = np.exp(sharpness * (logarithms - logarithms.max(axis=1, keepdims=True)))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def choose_doubt_threshold(
    probabilities: ArrayLike, labels: ArrayLike, precision: float = 0.999, mean_confidence: float = 0.0
) -> float:
    """Find the smallest confidence from which on at least this share of the answers is right.

    The threshold is always a confidence that occurs among the images, so one that was never seen, because
    it is lower than all of them, is doubtful too. If no threshold is enough, since even the surest answers
    are wrong too often, it is 1: then an answer is doubtful unless the network is completely sure.

    The share holds on the given images. On others it is a little lower, because the threshold was chosen
    on these, and a handful of mistakes in thousands of answers is mostly chance. Calibrated confidences know
    the same share from all answers, not from that handful: their mean is the share of right answers to
    expect. A ``mean_confidence`` asked for beside the share is a margin that doesn't hang on single mistakes.

    Args:
        probabilities: (N, 10) floats, N at least 1; each row adds up to 1. Calibrate them first if the
            answers will be.
        labels: (N,) whole numbers, 0 to 9.
        precision: the share wanted, more than 0 and at most 1.
        mean_confidence: what the confidences of these answers must be on average, 0 to 1; 0 asks nothing.

    Returns:
        The threshold, 0.1 to 1. Answers below it are doubtful.

    Raises:
        ArgumentError: the probabilities or labels are not as described, or a share is not possible.

    Source: Geifman and El-Yaniv, "Selective classification for deep neural networks", 2017,
    arXiv 1705.08500.

    Example: the wrong answer was given with a confidence of 0.55
        >>> answers = [[p] + [(1 - p) / 9] * 9 for p in (0.55, 0.64, 0.82)]
        >>> choose_doubt_threshold(answers, [6, 0, 0])
        0.64
        >>> choose_doubt_threshold(answers, [6, 0, 0], mean_confidence=0.8)
        0.82
    """
    probabilities, labels = check_probabilities(probabilities, labels)
    if not 0 < precision <= 1:
        raise ArgumentError(f"precision must be more than 0 and at most 1. Received: {precision!r}")
    if not 0 <= mean_confidence <= 1:
        raise ArgumentError(f"mean_confidence must be from 0 to 1. Received: {mean_confidence!r}")
    surest = surest_first(*rate_answers(probabilities, labels))
    enough = (surest.right / surest.answers >= precision) & (
        surest.confidence / surest.answers >= mean_confidence
    )
    return float(surest.threshold[enough][-1]) if enough.any() else 1.0


class Surest(NamedTuple):
    """How many answers have at least a threshold, how many are right, and the sum of their confidences."""

    threshold: Floats
    answers: Integers
    right: Integers
    confidence: Floats


def surest_first(confidence: Floats, right: NDArray[np.bool_]) -> Surest:
    """Count the answers from every confidence on, the highest first.

    Args:
        confidence: (N,) floats, N at least 1.
        right: (N,), which answers are right.

    Example:
        >>> surest_first(np.array([0.9, 0.8, 0.9]), np.array([True, True, False])).right.tolist()
        [1, 2]
    """
    order = np.argsort(-confidence)
    falling = confidence[order]
    # Equal confidences can't be told apart: a threshold takes all of them or none.
    last = np.flatnonzero(np.append(falling[1:] < falling[:-1], True))
    return Surest(falling[last], last + 1, right[order].cumsum()[last], falling.cumsum()[last])


def risk_coverage(probabilities: ArrayLike, labels: ArrayLike) -> RiskCoverage:
    """Measure what answering only the surest gives: how many images are answered, and how many wrongly.

    There is one point for every confidence that occurs, as a threshold can't part equal ones.

    Args:
        probabilities: (N, 10) floats, N at least 1; each row adds up to 1.
        labels: (N,) whole numbers, 0 to 9.

    Raises:
        ArgumentError: the probabilities or labels are not as described.

    Source: El-Yaniv and Wiener, "On the foundations of noise-free selective classification", Journal of
    Machine Learning Research 11, 2010.

    Example: the least sure of four answers is wrong
        >>> answers = [[p] + [(1 - p) / 9] * 9 for p in (0.55, 0.64, 0.82, 0.91)]
        >>> curve = risk_coverage(answers, [6, 0, 0, 0])
        >>> curve.coverage.tolist(), curve.risk.tolist()
        ([0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 0.0, 0.25])
    """
    probabilities, labels = check_probabilities(probabilities, labels)
    surest = surest_first(*rate_answers(probabilities, labels))
    return RiskCoverage(
        threshold=surest.threshold,
        coverage=surest.answers / len(labels),
        risk=(surest.answers - surest.right) / surest.answers,
    )


def selective_accuracy(probabilities: ArrayLike, labels: ArrayLike, threshold: float) -> Selection:
    """Measure the answers whose confidence is at least the threshold: how many they are and how good.

    Args:
        probabilities: (N, 10) floats, N at least 1; each row adds up to 1.
        labels: (N,) whole numbers, 0 to 9.
        threshold: smallest confidence that is not doubtful, 0 to 1.

    Raises:
        ArgumentError: the probabilities or labels are not as described, or the threshold is not possible.

    Example:
        >>> answers = [[p] + [(1 - p) / 9] * 9 for p in (0.55, 0.64, 0.82, 0.91)]
        >>> selection = selective_accuracy(answers, [6, 0, 0, 0], threshold=0.64)
        >>> selection.images, selection.coverage, selection.accuracy
        (3, 0.75, 1.0)
    """
    probabilities, labels = check_probabilities(probabilities, labels)
    if not 0 <= threshold <= 1:
        raise ArgumentError(f"The threshold must be a number from 0 to 1. Received: {threshold!r}")
    confidence, right = rate_answers(probabilities, labels)
    kept = right[confidence >= threshold]
    correct = int(kept.sum())
    return Selection(
        threshold=float(threshold),
        images=len(kept),
        coverage=len(kept) / len(right),
        accuracy=correct / len(kept) if len(kept) else None,
        accuracy_interval=wilson_interval(correct, len(kept)) if len(kept) else None,
    )


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Return how well a score tells two kinds apart: the area under the ROC curve.

    It is the chance that one of the first kind, drawn at random, scores higher than one of the second; equal
    scores count half (Mann and Whitney's statistic). 1 tells all apart, 0.5 is no better than chance.

    Args:
        positive: (N,) scores of what should score high, such as confidences for digits; N at least 1.
        negative: (M,) scores of what should score low; M at least 1.

    Raises:
        ArgumentError: one is not a list of finite numbers, or is empty.

    Source: Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic
    (ROC) curve", Radiology 143, 1982.

    Example:
        >>> auroc([0.9, 0.8, 0.3], [0.3, 0.1])  # of six pairs five are in order and one is a tie
        0.9166666666666666
    """
    high, low = _check_scores("positive", positive), np.sort(_check_scores("negative", negative))
    below = np.searchsorted(low, high, side="left") + np.searchsorted(low, high, side="right")
    return float(below.mean() / (2 * len(low)))


def _check_scores(name: str, scores: ArrayLike) -> Floats:
    try:
        values = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"The {name} scores must be one list of numbers: {error}") from error
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ArgumentError(
            f"The {name} scores must be finite numbers, at least one. "
            f"Received: shape {values.shape}, {np.isfinite(values).sum()} of them finite. Accepted: (N,)"
        )
    return values
