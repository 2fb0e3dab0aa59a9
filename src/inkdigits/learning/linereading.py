"""Teaching a network to read a line: from MNIST's digits on synthetic lines to a model folder."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Self

import cv2
import keras
import numpy as np
import numpy.typing as npt

from inkdigits.learning.evaluation import PartEvaluation, surest_first
from inkdigits.learning.export import Export, compared_onnx, with_card
from inkdigits.learning.figures import draw_curves
from inkdigits.learning.mnist import Mnist, Split
from inkdigits.learning.quantization import quantized
from inkdigits.learning.recipe import MAX_EPOCHS, Recipe
from inkdigits.learning.synthesis.pages import NAMES, make_line
from inkdigits.learning.synthesis.paper import Purpose
from inkdigits.reading.lines import LINE_HEIGHT, SLICE, best_path, decode, likelihood, padded
from inkdigits.reading.model import Network

WIDTH = 224  # pixels; shorter lines are continued with their paper
STEP = 32  # pixels; a batch is a multiple of it wide
NOTHING = 20.0  # logits by which nothing is likelier than a character beyond a line's end
LONGEST = 18  # characters a line
VALIDATION_LINES = 1_000  # to choose the epoch
CALIBRATION_LINES = 4_000  # to choose the temperature and the doubt threshold
EVALUATION_LINES = 2_000  # to measure what was chosen
EXAMPLE_LINES, COMPARED_LINES = 300, 50  # to take ranges from, to compare both networks on
TEMPERATURES = np.geomspace(0.4, 2.5, 24)
PROMISED = 0.97  # of the lines that are sure, and of those not doubtful, the share without a mistake
SURE = 0.9  # confidence at which people stop looking twice

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class LineReading:
    """The task of recipes whose part is "lines"; see `training.Task`."""

    metrics: Sequence[str] = ()

    def __init__(self, recipe: Recipe, seed: int, dataset: Mnist) -> None:
        cv2.setNumThreads(1)  # lines are small; the network needs the processor
        self._recipe, self._seed, self._dataset = recipe, seed, dataset
        self.samples = recipe.samples
        self.loss: Any = keras.losses.CTC()
        self._left = Event()
        # Epochs count from 1 to MAX_EPOCHS, so no training line comes from the same random numbers.
        self._validation = _lines(dataset.validation, VALIDATION_LINES, [0, 0], "held-out")

    def prepare(self, epoch: int) -> tuple[Batches, None]:
        """Return an epoch's lines and their characters."""
        made = _lines(self._dataset.train, self.samples, [self._seed, epoch], "training", self._left)
        return Batches(*made, self._recipe.batch_size, np.random.default_rng([self._seed, epoch])), None

    def leave(self) -> None:
        """Let `prepare` end soon, with fewer lines than it should."""
        self._left.set()

    def validate(self, network: keras.Model) -> dict[str, float]:
        """Return the loss and the share of lines read without a mistake."""
        lines, texts, widths = self._validation
        logits = _predict(lambda some: network.predict(some, batch_size=100, verbose=0), lines, widths)
        loss = float(keras.ops.convert_to_numpy(self.loss(texts, logits)))
        return {"loss": loss, "accuracy": float(_exact(logits, texts).mean())}

    def export(self, network: keras.Model) -> Export:
        """Export, calibrate, choose the doubt threshold, and evaluate on lines that chose nothing."""
        lines, texts, widths = _lines(
            self._dataset.validation, CALIBRATION_LINES, [0, MAX_EPOCHS + 2], "held-out"
        )
        examples = lines[:EXAMPLE_LINES, ..., 0]
        compared = examples[:COMPARED_LINES]
        trained = network.predict(compared[..., np.newaxis], verbose=0)

        def exported_at(temperature: float) -> bytes:
            expected = _softmax(trained, temperature)
            model = compared_onnx(network, "lines", compared, expected, temperature=temperature)
            return quantized(model, examples)

        exported = Network(exported_at(1.0), "lines")
        answers = Answers.of(_predict(_logits_of(exported), lines, widths), texts)
        temperature = fit_temperature(answers)
        threshold = _doubt_threshold(answers.confidence(temperature), answers.right)
        lines, texts, widths = _lines(
            self._dataset.validation, EVALUATION_LINES, [0, MAX_EPOCHS + 1], "held-out"
        )
        logits = _predict(_logits_of(exported), lines, widths)
        answers = Answers.of(logits, texts)
        confidence = answers.confidence(temperature)
        sure = confidence >= SURE
        evaluation = PartEvaluation(
            "validation",
            len(lines),
            {
                "loss": float(keras.ops.convert_to_numpy(self.loss(texts, logits))),
                "exact": answers.exact,
                "sure": float(sure.mean()),
                "exact_if_sure": float(answers.right[sure].mean()) if sure.any() else 0.0,
                "not_doubtful": float((confidence >= threshold).mean()),
            },
        )
        return with_card(
            exported_at(temperature),
            evaluation,
            network=network,
            recipe=self._recipe,
            seed=self._seed,
            dataset=self._dataset,
            doubt_threshold=threshold,
            temperature=temperature,
        )

    def draw(
        self, folder: Path, _exported: Export, history: Sequence[dict[str, float]], chosen_epoch: int
    ) -> None:
        """Draw how the training went."""
        draw_curves(folder / "curves.png", history, chosen_epoch)


def _lines(
    digits: Split, count: int, seed: list[int], purpose: Purpose, left: Event | None = None
) -> tuple[Gray, npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return lines (N, 32, 224, 1), their characters (N, 18), 0 where there is none, and widths (N,)."""
    lines = np.zeros((count, LINE_HEIGHT, WIDTH, 1), np.uint8)
    texts = np.zeros((count, LONGEST), np.int32)
    widths = np.zeros(count, np.int64)
    for number in itertools.takewhile(lambda _: not (left and left.is_set()), range(count)):
        rng = np.random.default_rng([*seed, number])
        line = make_line(digits, rng, LINE_HEIGHT, WIDTH, purpose=purpose)
        lines[number, :, :, 0] = padded(line.image, WIDTH)
        widths[number] = line.image.shape[1]
        characters = [NAMES.index(character) + 1 for character in line.text[:LONGEST]]
        texts[number, : len(characters)] = characters
    return lines, texts, widths


def _logits_of(exported: Network) -> Callable[[Gray], Floats]:
    """Return what turns lines (N, 32, W, 1) into an exported network's logits (N, W/2, 16)."""
    return lambda lines: np.log(
        np.concatenate(
            [exported.run(lines[start : start + 100, ..., 0]) for start in range(0, len(lines), 100)]
        ).clip(1e-30)
    )


def _predict(read: Callable[[Gray], Floats], lines: Gray, widths: npt.NDArray[np.int64]) -> Floats:
    """Return logits (N, 112, 16) of lines, read as a reader does: not continued far, and nothing beyond."""
    logits = np.full((len(lines), WIDTH // SLICE, len(NAMES) + 1), -NOTHING, np.float32)
    logits[..., 0] = 0
    steps = -(-widths // STEP)
    for step in np.unique(steps):
        chosen = np.flatnonzero(steps == step)
        width = min(WIDTH, int(step) * STEP)
        logits[chosen, : width // SLICE] = read(lines[chosen, :, :width])
    return logits


class Batches:
    """An epoch in batches of lines of similar width, each as wide as its widest: a quarter less to compute.

    Args:
        lines: uint8 (N, 32, W, 1).
        texts: int32 (N, 18), their characters, 0 where there is none.
        widths: of each line without what it is continued with.
        size: lines a batch.
        rng: decides the order of the batches.
    """

    def __init__(
        self,
        lines: Gray,
        texts: npt.NDArray[np.int32],
        widths: npt.NDArray[np.int64],
        size: int,
        rng: np.random.Generator,
    ) -> None:
        self._lines, self._texts = lines, texts
        by_width = np.argsort(widths, kind="stable")
        batches = [by_width[start : start + size] for start in range(0, len(lines), size)]
        self._chosen = [batches[i] for i in rng.permutation(len(batches))]
        # Few different widths, because TensorFlow prepares for each.
        self._widths = [-(-int(widths[chosen].max()) // STEP) * STEP for chosen in self._chosen]

    def __len__(self) -> int:
        """Return how many batches there are."""
        return len(self._chosen)

    def __getitem__(self, number: int) -> tuple[Gray, npt.NDArray[np.int32]]:
        """Return a batch's lines and their characters."""
        chosen = self._chosen[number]
        return self._lines[chosen, :, : self._widths[number]], self._texts[chosen]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a network reads on lines; those on which it reads nothing have no confidence and are left out.

    Attributes:
        logits: float32 (N, slices, 16).
        read: of each, the characters.
        right: bool (N,), whether these are all there is.
        exact: the share of right answers among all lines, nothing read included.
    """

    logits: Floats
    read: list[tuple[int, ...]]
    right: npt.NDArray[np.bool_]
    exact: float

    @classmethod
    def of(cls, logits: Floats, texts: npt.NDArray[np.int32]) -> Self:
        """Decode logits of lines, and compare with their texts (N, 18), 0 where there is no character."""
        read = [decode(probabilities) for probabilities in _softmax(logits)]
        right = _are_right(read, texts)
        something = np.array([len(one) > 0 for one in read], np.bool_)
        return cls(logits[something], [one for one in read if one], right[something], float(right.mean()))

    def confidence(self, temperature: float) -> Floats:
        """Return how likely each answer is (N,), at this temperature of the network."""
        softened = _softmax(self.logits, temperature)
        return np.array([likelihood(*each) for each in zip(softened, self.read, strict=True)], np.float32)


def fit_temperature(answers: Answers) -> float:
    """Find the temperature at which the confidence of a line is the chance that all of it is right.

    After C. Guo et al., "On calibration of modern neural networks", arXiv 1706.04599, but of whole lines,
    because that is what people rely on: at this temperature what came out is the likeliest. If the lines that
    are sure at it are not right as often as promised, it rises until they are.
    """

    def surprise(temperature: float) -> float:
        confidence = answers.confidence(temperature)
        chance = np.where(answers.right, confidence, 1 - confidence).clip(1e-6)
        return -float(np.log(chance).mean()) if len(chance) else 0.0

    likeliest = int(np.argmin([surprise(temperature) for temperature in TEMPERATURES]))
    for temperature in TEMPERATURES[likeliest:].tolist():
        sure = answers.right[answers.confidence(temperature) >= SURE]
        if not sure.size or sure.mean() >= PROMISED:
            break
    return float(temperature)


def _softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    scaled = np.exp((logits - logits.max(axis=2, keepdims=True)) / temperature)
    return np.asarray(scaled / scaled.sum(axis=2, keepdims=True))


def _doubt_threshold(confidence: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Return the lowest confidence above which the promised share of lines is right; 1 if there is none."""
    if not confidence.size:
        return 1.0
    surest = surest_first(confidence.astype(np.float64), right)
    enough = surest.right / surest.answers >= PROMISED
    return float(surest.threshold[enough][-1]) if enough.any() else 1.0


def _exact(logits: Floats, texts: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Tell which lines are read without a mistake along the best path, which is quick and nearly as good."""
    return _are_right([tuple(character for character, *_ in best_path(each)) for each in logits], texts)


def _are_right(read: Sequence[tuple[int, ...]], texts: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Tell which answers are the texts (N, 18), in which 0 is no character."""
    return np.array([one == tuple(text[text > 0]) for one, text in zip(read, texts, strict=True)])
