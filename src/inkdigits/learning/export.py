"""From Keras to ONNX, refused unless both give the same numbers; and the card beside it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import platform
from dataclasses import dataclass
from datetime import UTC, datetime

import keras
import numpy as np
import numpy.typing as npt

from inkdigits.errors import ExportError
from inkdigits.learning.evaluation import (
    Evaluation,
    PartEvaluation,
    apply_temperature,
    choose_doubt_threshold,
    evaluate_probabilities,
    fit_temperature,
)
from inkdigits.learning.graph import to_onnx
from inkdigits.learning.mnist import Mnist
from inkdigits.learning.networks import to_input
from inkdigits.learning.recipe import Recipe
from inkdigits.reading.model import PARTS, Card, Network

TOLERANCE = 1e-5
# Of the answers that are not doubtful so many are right. To keep this promise on images that did not choose
# the threshold, the calibrated confidences must expect fewer mistakes still (docs/how-it-works.md).
PROMISED, EXPECTED = 0.999, 0.9994
COMPARED_IMAGES = 1_000
TRAINING_PACKAGES = (
    "keras",
    "tensorflow-cpu",
    "tensorflow",
    "torch",
    "jax",
    "onnx",
    "onnxruntime",
    "numpy",
)


@dataclass(frozen=True, slots=True)
class Export:
    """An exported network, and what is to be said of it.

    Attributes:
        onnx: the bytes of ``model.onnx``.
        card: what ``card.json`` will say.
        evaluation: on the validation part.
    """

    onnx: bytes
    card: Card
    evaluation: Evaluation | PartEvaluation


def export_classifier(network: keras.Model, *, recipe: Recipe, seed: int, dataset: Mnist) -> Export:
    """Turn a trained classifier into ONNX with scaling and calibration inside, then compare and evaluate it.

    The temperature and the doubt threshold are chosen on the validation part.

    Args:
        network: from (N, 28, 28, 1) float32, 0 to 1, to (N, 10) softmax probabilities.
        recipe: how it was trained.
        seed: what it was trained with.
        dataset: what it was trained on.

    Returns:
        The exported network and its card. Nothing is written.

    Raises:
        ExportError: on 1,000 validation images the two differ by more than 1e-5.
    """
    images, labels = dataset.validation.images, dataset.validation.labels
    raw = network.predict(to_input(images), batch_size=500, verbose=0)
    temperature = fit_temperature(raw, labels)
    model = to_onnx(network, "classifier", temperature=temperature)
    exported = Network(model)
    expected = apply_temperature(raw[:COMPARED_IMAGES], temperature)
    check_agreement(expected, exported.probabilities(images[:COMPARED_IMAGES]))

    probabilities, microseconds = exported.run_timed(images)
    evaluation = evaluate_probabilities(
        probabilities, labels, split="validation", microseconds_per_image=microseconds
    )
    threshold = choose_doubt_threshold(probabilities, labels, PROMISED, EXPECTED)
    return with_card(
        model,
        evaluation,
        network=network,
        recipe=recipe,
        seed=seed,
        dataset=dataset,
        doubt_threshold=threshold,
        temperature=temperature,
    )


def compared_onnx(
    network: keras.Model,
    part: str,
    examples: npt.NDArray[np.uint8],
    expected: npt.NDArray[np.float32],
    *,
    temperature: float = 1.0,
) -> bytes:
    """Turn a part of the page reader into ONNX and compare it with the trained network.

    Args:
        network: a finder or a line reader, as in ``networks.py``.
        part: "finder" or "lines".
        examples: what goes in, uint8, to compare both with.
        expected: what should come out for them, by the trained network.
        temperature: the logits are divided by it.

    Returns:
        The bytes of ``model.onnx``.

    Raises:
        ExportError: the two differ by more than 1e-4, relative to the largest output.
    """
    model = to_onnx(network, part, temperature=temperature)
    scale = max(1.0, float(np.abs(expected).max()))
    check_agreement(expected / scale, Network(model, part).run(examples) / scale, tolerance=1e-4)
    return model


def with_card(
    model: bytes,
    evaluation: Evaluation | PartEvaluation,
    *,
    network: keras.Model,
    recipe: Recipe,
    seed: int,
    dataset: Mnist,
    doubt_threshold: float,
    temperature: float | None = None,
) -> Export:
    """Put a card beside an exported network.

    Args:
        model: the bytes of its ``model.onnx``.
        evaluation: on the validation part.
        network: what was exported.
        recipe: how it was trained.
        seed: what it was trained with.
        dataset: what it was trained on.
        doubt_threshold: for the card.
        temperature: its logits are divided by it; None where nothing was calibrated.

    Returns:
        The exported network and its card. Nothing is written.
    """
    form = PARTS[recipe.part]
    calibration = {"method": "temperature", "temperature": temperature, "fitted_on": "validation"}
    card = Card(
        part=recipe.part,
        name=recipe.name,
        recipe=recipe.to_dict(),
        parameters=network.count_params(),
        seed=seed,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        labels=tuple(form["labels"]),
        input=form["input"],
        output=form["output"],
        doubt_threshold=doubt_threshold,
        calibration={"method": "none"} if temperature is None else calibration,
        data=dataset.sha256,
        versions=_versions(),
        evaluation=evaluation.summary(),
        model_sha256=hashlib.sha256(model).hexdigest(),
    )
    return Export(model, card, evaluation)


def check_agreement(
    expected: npt.NDArray[np.floating], received: npt.NDArray[np.float32], tolerance: float = TOLERANCE
) -> None:
    """Refuse an export whose outputs are not those of the trained network.

    Raises:
        ExportError: any two differ by more than the tolerance, or one is not a number.
    """
    difference = float(np.abs(expected - received).max())
    if not difference <= tolerance:  # written so that NaN is refused too
        raise ExportError(
            f"The exported network differs from the trained one by {difference:.2e} on "
            f"{len(expected)} examples of validation; at most {tolerance} is accepted. Nothing was exported. "
            "Another version of onnxruntime may help; please report this."
        )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "inkdigits": importlib.metadata.version("inkdigits")}
    for package in TRAINING_PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions | {"backend": keras.backend.backend()}
