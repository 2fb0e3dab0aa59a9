"""Teaching a network to read a line: from MNIST's digits on synthetic lines to a model folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt

from inkdigits.files import replacing
from inkdigits.learning.evaluation import PartEvaluation
from inkdigits.learning.export import export_part
from inkdigits.learning.mnist import Mnist, Split
from inkdigits.learning.recipe import Recipe
from inkdigits.learning.synthesis.pages import NAMES, make_line
from inkdigits.learning.synthesis.paper import Purpose
from inkdigits.reading.lines import LINE_HEIGHT, best_path, padded
from inkdigits.reading.model import write_model_folder

WIDTH = 224  # pixels; shorter lines are continued with their paper
LONGEST = 18  # characters a line
VALIDATION_LINES = 1_000

Gray = npt.NDArray[np.uint8]


class LineReading:
    """The task of recipes whose part is "lines"; see `training.Task`."""

    metrics: Sequence[str] = ()

    def __init__(self, recipe: Recipe, seed: int, dataset: Mnist) -> None:
        cv2.setNumThreads(1)  # lines are small; the network needs the processor
        self._recipe, self._seed, self._dataset = recipe, seed, dataset
        self.samples = recipe.samples
        self.loss: Any = keras.losses.CTC()
        # Epochs count from 1, so no training line comes from the same random numbers.
        self._validation = _lines(dataset.validation, VALIDATION_LINES, [0, 0], "held-out")

    def prepare(self, epoch: int) -> tuple[Gray, npt.NDArray[np.int32]]:
        """Return an epoch's lines (N, 32, 224, 1) and their characters (N, 18), 0 where there is none."""
        return _lines(self._dataset.train, self.samples, [self._seed, epoch], "training")

    def validate(self, network: keras.Model) -> dict[str, float]:
        """Return the loss and the share of lines read without a mistake."""
        lines, texts = self._validation
        logits = network.predict(lines, batch_size=100, verbose=0)
        loss = float(keras.ops.convert_to_numpy(self.loss(texts, logits)))
        return {"loss": loss, "accuracy": float(_exact(logits, texts).mean())}

    def finish(
        self,
        folder: Path,
        network: keras.Model,
        history: list[dict[str, float]],
        chosen_epoch: int,
        log: Callable[[str], None],
    ) -> PartEvaluation:
        """Export, evaluate on validation lines, and write the model folder."""
        log("Exporting and checking that the exported network gives the same numbers ...")
        lines, _ = self._validation
        outputs = keras.layers.Softmax()(network.output)
        serving = keras.Model(network.input, outputs)
        row = history[chosen_epoch - 1]
        evaluation = PartEvaluation(
            "validation", len(lines), {"loss": row["validation_loss"], "exact": row["validation_accuracy"]}
        )
        exported = export_part(
            serving,
            "lines",
            example=lines[:50, ..., 0],
            recipe=self._recipe,
            seed=self._seed,
            data=self._dataset.sha256,
            evaluation=evaluation,
        )
        with replacing(folder / "evaluation.json") as path:
            path.write_text(json.dumps(evaluation.to_dict(), indent=2) + "\n")
        write_model_folder(folder, *exported)
        return evaluation


def _lines(
    digits: Split, count: int, seed: list[int], purpose: Purpose
) -> tuple[Gray, npt.NDArray[np.int32]]:
    lines = np.zeros((count, LINE_HEIGHT, WIDTH, 1), np.uint8)
    texts = np.zeros((count, LONGEST), np.int32)
    for number in range(count):
        rng = np.random.default_rng([*seed, number])
        line = make_line(digits, rng, LINE_HEIGHT, WIDTH, purpose=purpose)
        lines[number, :, :, 0] = padded(line.image, WIDTH)
        characters = [NAMES.index(character) + 1 for character in line.text[:LONGEST]]
        texts[number, : len(characters)] = characters
    return lines, texts


def _exact(logits: npt.NDArray[np.float32], texts: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Tell which lines are read without a mistake."""
    read = [[character for character, *_ in best_path(each)] for each in logits]
    return np.array([one == [c for c in text if c] for one, text in zip(read, texts.tolist(), strict=True)])
