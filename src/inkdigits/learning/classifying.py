"""Teaching a network to name the digit in an image: from MNIST to a classifier's model folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from inkdigits.learning.augmentation import augment
from inkdigits.learning.evaluation import apply_temperature
from inkdigits.learning.export import Export, export_classifier
from inkdigits.learning.figures import draw_figures
from inkdigits.learning.mnist import Mnist
from inkdigits.learning.networks import CLASSES, to_input
from inkdigits.learning.nondigits import nondigits
from inkdigits.learning.recipe import Recipe
from inkdigits.reading.model import Network

# Share of the augmentation left in the last epochs, after Z. He et al., "Data augmentation revisited", arXiv
# 1909.09148, who refine on images as they are; some of it keeps a network from learning them by heart.
FINISHING = 0.4
# Weight of a teacher's answers beside the labels, after G. Hinton, O. Vinyals and J. Dean, "Distilling the
# knowledge in a neural network", arXiv 1503.02531. They say how like another digit an image is.
TAUGHT = 0.5
NO_DIGIT = CLASSES  # the label of an image that shows none
Floats = npt.NDArray[np.float32]


class Classifying:
    """The task of recipes whose part is "classifier"; see `training.Task`.

    Args:
        recipe: what decides on the images.
        seed: of their changes.
        dataset: where they are from.
        teacher: a classifier's network whose answers to the same images count beside their labels.
    """

    loss = "categorical_crossentropy"
    metrics: Sequence[str] = ("accuracy",)

    def __init__(self, recipe: Recipe, seed: int, dataset: Mnist, teacher: Network | None = None) -> None:
        self._recipe, self._seed, self._dataset, self._teacher = recipe, seed, dataset, teacher
        self._others = round(recipe.nondigits * len(dataset.train))
        self.samples = len(dataset.train) + self._others

    def prepare(self, epoch: int) -> tuple[Floats, Floats]:
        """Return an epoch's images (N, 28, 28, 1) and the probabilities (N, 10) they are to get."""
        part, rng = self._dataset.train, np.random.default_rng([self._seed, epoch])
        images, labels = part.images, part.labels
        if self._others:
            images = np.concatenate([images, nondigits(self._others, images, rng)])
            labels = np.concatenate([labels, np.full(self._others, NO_DIGIT, np.uint8)])
        order = rng.permutation(len(images))
        images, labels = images[order], labels[order]
        finishing = epoch > round((1 - self._recipe.finish) * self._recipe.epochs)
        strength, poor = self._recipe.augmentation, self._recipe.poor
        if finishing:
            strength, poor = FINISHING * strength, 0.0
        if strength or poor:
            images = augment(images, labels, rng, strength, poor, habits=not finishing)
        targets = _targets(labels)
        if self._teacher:
            digits = labels != NO_DIGIT
            answers = self._teacher.probabilities(images[digits])
            targets[digits] = (1 - TAUGHT) * targets[digits] + TAUGHT * answers
        return to_input(images), targets

    def leave(self) -> None:
        """Nothing: an epoch's images are prepared in seconds."""

    def validate(self, network: keras.Model) -> dict[str, float]:
        """Return loss and accuracy on the validation part."""
        part = self._dataset.validation
        values: dict[str, float] = network.evaluate(
            to_input(part.images), _targets(part.labels), batch_size=500, verbose=0, return_dict=True
        )
        return values

    def export(self, network: keras.Model) -> Export:
        """Export, calibrate and evaluate on the validation part."""
        return export_classifier(network, recipe=self._recipe, seed=self._seed, dataset=self._dataset)

    def draw(
        self, folder: Path, exported: Export, history: Sequence[dict[str, float]], chosen_epoch: int
    ) -> None:
        """Draw what a learner wants to see of a training."""
        train, validation = self._dataset.train, self._dataset.validation
        probabilities = Network(exported.onnx).probabilities(validation.images)
        draw_figures(
            folder,
            history=history,
            chosen_epoch=chosen_epoch,
            images=validation.images,
            labels=validation.labels,
            probabilities=probabilities,
            uncalibrated=apply_temperature(probabilities, 1 / exported.card.calibration["temperature"]),
            threshold=exported.card.doubt_threshold,
            peek_images=train.images,
            peek_labels=train.labels,
        )


def _targets(labels: npt.NDArray[np.uint8]) -> Floats:
    """Return the probabilities (N, 10) a network should give: all on the label, or all ten equal if none."""
    certain = np.eye(CLASSES, dtype=np.float32)
    return np.concatenate([certain, np.full((1, CLASSES), 1 / CLASSES, np.float32)])[labels]
