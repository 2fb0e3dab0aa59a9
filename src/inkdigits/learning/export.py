"""From Keras to ONNX, refused unless both give the same numbers; and the card beside it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import math
import platform
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx

from inkdigits.errors import ExportError
from inkdigits.learning.evaluation import (
    Evaluation,
    PartEvaluation,
    choose_doubt_threshold,
    evaluate_probabilities,
    fit_temperature,
)
from inkdigits.learning.mnist import Mnist
from inkdigits.learning.networks import to_input
from inkdigits.learning.recipe import Recipe
from inkdigits.reading.model import MODEL_FILE, PARTS, Card, Network

TOLERANCE = 1e-5
# Of the answers that are not doubtful so many are right. To keep this promise on images that did not choose
# the threshold, the calibrated confidences must expect fewer mistakes still (docs/how-it-works.md).
PROMISED, EXPECTED = 0.999, 0.9993
COMPARED_IMAGES = 1_000
TRAINING_PACKAGES = (
    "keras",
    "tensorflow-cpu",
    "tensorflow",
    "torch",
    "jax",
    "tf2onnx",
    "onnx",
    "onnxruntime",
    "numpy",
)


@dataclass(frozen=True, slots=True)
class Export:
    """An exported network that gives the same numbers as the trained one.

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
    serving = _serving_network(network, temperature)
    model = _to_onnx(serving, "classifier", images[:1])
    exported = Network(model)
    expected = serving.predict(images[:COMPARED_IMAGES], batch_size=500, verbose=0)
    check_agreement(expected, exported.probabilities(images[:COMPARED_IMAGES]))

    probabilities, microseconds = exported.run_timed(images)
    evaluation = evaluate_probabilities(
        probabilities, labels, split="validation", microseconds_per_image=microseconds
    )
    threshold = choose_doubt_threshold(probabilities, labels, PROMISED, EXPECTED)
    card = _card(
        "classifier",
        model,
        recipe=recipe,
        parameters=network.count_params(),
        seed=seed,
        data=dataset.sha256,
        doubt_threshold=threshold,
        calibration={"method": "temperature", "temperature": temperature, "fitted_on": "validation"},
        evaluation={
            "split": "validation",
            "images": evaluation.images,
            "accuracy": evaluation.accuracy,
            "loss": evaluation.loss,
            "expected_calibration_error": evaluation.expected_calibration_error,
        },
    )
    return Export(model, card, evaluation)


def export_part(
    serving: keras.Model,
    part: str,
    *,
    example: npt.NDArray[np.uint8],
    recipe: Recipe,
    seed: int,
    data: Mapping[str, str],
    evaluation: PartEvaluation,
    doubt_threshold: float,
    calibration: Mapping[str, Any],
) -> Export:
    """Turn a part of the page reader into ONNX and compare it with the trained network.

    Args:
        serving: from the part's input with a last axis of 1, gray levels, to its output (`PARTS`).
        part: "finder" or "lines".
        example: what goes in, uint8, to compare both with.
        recipe: how it was trained.
        seed: what it was trained with.
        data: SHA-256 of the files of the data set.
        evaluation: figures for the card.
        doubt_threshold: for the card.
        calibration: for the card; what was done to the confidences.

    Returns:
        The exported network and its card. Nothing is written.

    Raises:
        ExportError: the two differ by more than 1e-4, relative to the largest output.
    """
    model = _to_onnx(_with_pixels(serving, part), part, example[:1])
    expected = serving.predict(example[..., np.newaxis], batch_size=50, verbose=0)
    scale = max(1.0, float(np.abs(expected).max()))
    check_agreement(expected / scale, Network(model, part).run(example) / scale, tolerance=1e-4)
    card = _card(
        part,
        model,
        recipe=recipe,
        parameters=serving.count_params(),
        seed=seed,
        data=data,
        doubt_threshold=doubt_threshold,
        calibration=dict(calibration),
        evaluation=evaluation.to_dict(),
    )
    return Export(model, card, evaluation)


def _card(part: str, model: bytes, *, recipe: Recipe, **entries: Any) -> Card:
    return Card(
        part=part,
        name=recipe.name,
        recipe=recipe.to_dict(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        labels=tuple(PARTS[part]["labels"]),
        input=PARTS[part]["input"],
        output=PARTS[part]["output"],
        versions=_versions(),
        model_sha256=hashlib.sha256(model).hexdigest(),
        **entries,
    )


def check_agreement(
    expected: npt.NDArray[np.float32], received: npt.NDArray[np.float32], tolerance: float = TOLERANCE
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
            "Other versions of tf2onnx and onnxruntime may help; please report this."
        )


def _serving_network(network: keras.Model, temperature: float) -> keras.Model:
    """Let a classifier take gray levels, and divide its logits by the temperature (arXiv 1706.04599).

    Both are folded into weights: steps of their own would cost as much time as a convolution.
    """
    weights = network.get_weights()
    weights[0] = weights[0] / 255  # of the first convolution
    weights[-2:] = [
        values / temperature for values in weights[-2:]
    ]  # of the last dense layer, and its biases
    folded = keras.models.clone_model(network)
    folded.set_weights(weights)
    return _with_pixels(folded, "classifier")


def _with_pixels(network: keras.Model, part: str) -> keras.Model:
    """Put a part's uint8 input, which has no axis for channels, before a network."""
    shape = PARTS[part]["input"]["shape"][1:]
    pixels = keras.Input([size if isinstance(size, int) else None for size in shape], dtype="uint8")
    return keras.Model(pixels, network(keras.ops.cast(keras.ops.expand_dims(pixels, -1), "float32")))


def _to_onnx(serving: keras.Model, part: str, example: npt.NDArray[np.uint8]) -> bytes:
    serving(example)  # Keras exports only what has been called
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / MODEL_FILE
        # Keras's copy of a tf2onnx helper asks numpy for a name that numpy warns of.
        warnings.simplefilter("ignore", FutureWarning)
        serving.export(path, format="onnx", verbose=False)
        model = onnx.load(path)
    for side, value in (("input", model.graph.input[0]), ("output", model.graph.output[0])):
        _rename(model.graph, value.name, PARTS[part][side]["name"])
        for dimension, size in zip(value.type.tensor_type.shape.dim, PARTS[part][side]["shape"], strict=True):
            if isinstance(size, str):
                dimension.dim_param = size
    _give_numbers_axes(model)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _give_numbers_axes(model: onnx.ModelProto) -> None:
    """Give a number that a tensor is scaled or shifted by as many axes as the tensor has.

    The values stay the same, but without them ONNX Runtime (1.32) takes 57 ms rather than 1 for a megapixel
    of shape (1, H, W, 1), whose last axis it goes along: a fifth of the finder's time.
    """
    values = onnx.shape_inference.infer_shapes(model).graph.value_info
    axes = {value.name: len(value.type.tensor_type.shape.dim) for value in values}
    numbers = {value.name: value for value in model.graph.initializer if math.prod(value.dims) == 1}
    for node in model.graph.node:
        if node.op_type not in ("Add", "Mul"):
            continue
        for name, other in (node.input, reversed(node.input)):
            if name in numbers and other in axes:
                numbers[name].dims[:] = [1] * axes[other]


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    """Rename a value of the graph wherever it stands."""
    for value in (*graph.input, *graph.output):
        value.name = new if value.name == old else value.name
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "inkdigits": importlib.metadata.version("inkdigits")}
    for package in TRAINING_PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions | {"backend": keras.backend.backend()}
