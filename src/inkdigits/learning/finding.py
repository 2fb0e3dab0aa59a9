"""Teaching a network to find digits: from MNIST's digits on synthetic pages to a model folder."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from inkdigits.learning.evaluation import PartEvaluation
from inkdigits.learning.export import Export, compared_onnx, with_card
from inkdigits.learning.figures import draw_curves
from inkdigits.learning.mnist import Mnist, Split
from inkdigits.learning.recipe import MAX_EPOCHS, Recipe
from inkdigits.learning.synthesis.pages import Page, make_page
from inkdigits.learning.synthesis.paper import Purpose
from inkdigits.reading.finder import SPOT, Marks, once, peaks

SIDE = 256  # pixels of a page
VALIDATION_PAGES = 300  # to choose the epoch and the threshold
EVALUATION_PAGES = 500  # to measure what was chosen
THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class Finding:
    """The task of recipes whose part is "finder"; see `training.Task`."""

    metrics: Sequence[str] = ()

    def __init__(self, recipe: Recipe, seed: int, dataset: Mnist) -> None:
        cv2.setNumThreads(1)  # pages are small; the network needs the processor
        self._recipe, self._seed, self._dataset = recipe, seed, dataset
        self.samples = recipe.samples
        self.loss: Any = finder_loss
        self._left = Event()
        # Epochs count from 1 to MAX_EPOCHS, so no training page comes from the same random numbers.
        self._pages = _pages(dataset.validation, VALIDATION_PAGES, [0, 0], "held-out")
        self._validation = _arrays(self._pages)

    def prepare(self, epoch: int) -> tuple[Gray, npt.NDArray[np.float16]]:
        """Return an epoch's pages (N, 256, 256, 1) and their target maps (N, 64, 64, 7)."""
        pages = _pages(self._dataset.train, self.samples, [self._seed, epoch], "training", self._left)
        return _arrays(pages)

    def leave(self) -> None:
        """Let `prepare` end soon, with fewer pages than it should."""
        self._left.set()

    def validate(self, network: keras.Model) -> dict[str, float]:
        """Return the loss and the F1 of finding digits at a score of 0.4."""
        inputs, targets = self._validation
        logits = network.predict(inputs, batch_size=20, verbose=0)
        return {"loss": _mean_loss(targets, logits), "accuracy": _f1(self._pages, _scored(logits), 0.4)}

    def export(self, network: keras.Model) -> Export:
        """Choose the threshold, export, and evaluate on pages that chose nothing."""
        inputs, _ = self._validation
        maps = _scored(network.predict(inputs, batch_size=20, verbose=0))
        f1 = {threshold: _f1(self._pages, maps, threshold) for threshold in THRESHOLDS}
        threshold = max(THRESHOLDS, key=f1.__getitem__)
        pages = _pages(self._dataset.validation, EVALUATION_PAGES, [0, MAX_EPOCHS + 1], "held-out")
        inputs, targets = _arrays(pages)
        logits = network.predict(inputs, batch_size=20, verbose=0)
        maps = _scored(logits)
        evaluation = PartEvaluation(
            "validation",
            len(inputs),
            {"loss": _mean_loss(targets, logits), "digit_f1": _f1(pages, maps, threshold)},
        )
        return with_card(
            compared_onnx(network, "finder", inputs[:10, ..., 0], maps[:10]),
            evaluation,
            network=network,
            recipe=self._recipe,
            seed=self._seed,
            dataset=self._dataset,
            doubt_threshold=threshold,
        )

    def draw(
        self, folder: Path, _exported: Export, history: Sequence[dict[str, float]], chosen_epoch: int
    ) -> None:
        """Draw how the training went."""
        draw_curves(folder / "curves.png", history, chosen_epoch, score="F1")


def finder_loss(targets: Any, maps: Any) -> Any:
    """Compare a network's maps (N, h, w, 6) with targets (N, h, w, 7).

    Centers by the focal loss of CornerNet and CenterNet (H. Law and J. Deng, arXiv 1808.01244; arXiv
    1904.07850): a spot near a center is nearly one. Place and size by their absolute error, near centers.

    Returns:
        The loss of each page, (N,).
    """
    heat, where, weight = targets[..., :2], targets[..., 2:6], targets[..., 6:]
    sure, unsure = ops.log_sigmoid(maps[..., :2]), ops.log_sigmoid(-maps[..., :2])
    score = ops.sigmoid(maps[..., :2])
    is_center = ops.cast(heat > 0.99, "float32")
    focal = is_center * (1 - score) ** 2 * sure + (1 - is_center) * (1 - heat) ** 4 * score**2 * unsure
    # A page without digits counts as much as one with a few.
    centers = ops.maximum(ops.sum(is_center, axis=(1, 2, 3)), 4.0)
    error = weight * ops.abs(maps[..., 2:] - where)
    weights = ops.maximum(ops.sum(weight, axis=(1, 2, 3)), 4.0)
    return -ops.sum(focal, axis=(1, 2, 3)) / centers + 0.5 * ops.sum(error, axis=(1, 2, 3)) / weights


def _mean_loss(targets: npt.NDArray[np.float16], maps: Floats) -> float:
    return float(np.mean(ops.convert_to_numpy(finder_loss(targets.astype(np.float32), maps))))


def _f1(pages: Sequence[Page], maps: Floats, threshold: float) -> float:
    """Return the F1 of finding the digits of pages."""
    hits = found = there = 0
    for page, each in zip(pages, maps, strict=True):
        marks = once(peaks(each, threshold))
        digits = page.boxes[page.labels < 10]
        hits += matches(digits, marks)
        found += int((~marks.is_sign).sum())
        there += len(digits)
    return 2 * hits / max(1, found + there)


def matches(digits: Floats, marks: Marks) -> int:
    """Count the digits (N, 4) that a mark lies on: half of both together is shared; each mark counts once."""
    boxes = marks.boxes[~marks.is_sign]
    if not (len(digits) and len(boxes)):
        return 0
    start = np.maximum(digits[:, np.newaxis, :2], boxes[:, :2])
    end = np.minimum((digits[:, :2] + digits[:, 2:])[:, np.newaxis], boxes[:, :2] + boxes[:, 2:])
    shared = (end - start).clip(0).prod(axis=2)
    union = digits[:, 2:].prod(axis=1)[:, np.newaxis] + boxes[:, 2:].prod(axis=1) - shared
    overlap = shared / union
    count = 0
    for mark in range(len(boxes)):  # the surest first
        best = int(overlap[:, mark].argmax())
        if overlap[best, mark] >= 0.5:
            count += 1
            overlap[best] = 0
    return count


def _pages(
    digits: Split, count: int, seed: list[int], purpose: Purpose, left: Event | None = None
) -> list[Page]:
    numbers = itertools.takewhile(lambda _: not (left and left.is_set()), range(count))
    return [
        make_page(digits, np.random.default_rng([*seed, number]), SIDE, purpose=purpose) for number in numbers
    ]


def _arrays(pages: list[Page]) -> tuple[Gray, npt.NDArray[np.float16]]:
    inputs = np.stack([page.image for page in pages])[..., np.newaxis]
    return inputs, np.stack([_target(page) for page in pages])


def _target(page: Page) -> npt.NDArray[np.float16]:
    """Return what a network should say of a page: maps of centers, places, sizes, and where these count."""
    rows, columns = (size // SPOT for size in page.image.shape)
    target = np.zeros((rows, columns, 7), np.float32)
    y, x = np.mgrid[:rows, :columns] + 0.5  # middles of the spots
    for (left, top, width, height), label in zip(page.boxes.tolist(), page.labels.tolist(), strict=True):
        kind = 0 if label < 10 else 1
        center_x, center_y = (left + width / 2) / SPOT, (top + height / 2) / SPOT
        column, row = min(int(center_x), columns - 1), min(int(center_y), rows - 1)
        spread_x, spread_y = (max(0.5, 0.18 * size / SPOT) for size in (width, height))
        reach_x, reach_y = int(3 * spread_x) + 1, int(3 * spread_y) + 1
        near = (
            slice(max(0, row - reach_y), row + reach_y + 1),
            slice(max(0, column - reach_x), column + reach_x + 1),
        )
        away_x, away_y = center_x - x[near], center_y - y[near]
        heat = np.exp(-(away_x**2) / (2 * spread_x**2) - away_y**2 / (2 * spread_y**2))
        closer = heat > np.maximum(target[near][..., 6], 0.3)  # another digit may be closer to the spot
        target[near][..., kind] = np.maximum(target[near][..., kind], np.minimum(heat, 0.95))
        target[row, column, kind] = 1
        target[near][closer, 2], target[near][closer, 3] = away_x[closer], away_y[closer]
        target[near][closer, 4:6] = np.log(max(width, 1)), np.log(max(height, 1))
        target[near][closer, 6] = heat[closer]
    return target.astype(np.float16)


def _scored(logits: Floats) -> Floats:
    """Turn the logits of centers into scores."""
    scores = ops.convert_to_numpy(ops.sigmoid(logits[..., :2]))
    return np.concatenate([scores, logits[..., 2:]], axis=-1)
