"""From Keras to ONNX, refused unless both give the same numbers; and the card beside it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import platform
import tempfile
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import onnx

from inkdigits.errors import ExportError
from inkdigits.learning.evaluation import (
    Evaluation,
    choose_doubt_threshold,
    evaluate_probabilities,
    fit_temperature,
)
from inkdigits.learning.mnist import Mnist
from inkdigits.learning.networks import to_input
from inkdigits.learning.recipe import Recipe
from inkdigits.reading.model import INPUT, MODEL_FILE, OUTPUT, Card, Network

TOLERANCE = 1e-5
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
        probabilities: of the validation images, (5000, 10) float32, by the exported network.
        evaluation: those against the labels.
    """

    onnx: bytes
    card: Card
    probabilities: npt.NDArray[np.float32]
    evaluation: Evaluation


def export_network(network: keras.Model, *, recipe: Recipe, seed: int, dataset: Mnist) -> Export:
    """Turn a trained network into ONNX with scaling and calibration inside, then compare and evaluate it.

    The temperature and the doubt threshold are chosen on the validation part.

    Args:
        network: from (N, 28, 28, 1) float32, 0 to 1, to (N, 10) softmax probabilities.
        recipe: how it was trained.
        seed: what it was trained with.
        dataset: what it was trained on.

    Returns:
        The exported network, its card and its evaluation. Nothing is written.

    Raises:
        ExportError: on 1,000 validation images the two differ by more than 1e-5.
    """
    images, labels = dataset.validation.images, dataset.validation.labels
    raw = network.predict(to_input(images), batch_size=500, verbose=0)
    temperature = fit_temperature(raw, labels)
    serving = _serving_network(network, temperature)
    model = _to_onnx(serving)
    exported = Network(model)
    expected = serving.predict(images[:COMPARED_IMAGES], batch_size=500, verbose=0)
    check_agreement(expected, exported.probabilities(images[:COMPARED_IMAGES]))

    probabilities, microseconds = exported.run_timed(images)
    evaluation = evaluate_probabilities(
        probabilities, labels, split="validation", microseconds_per_image=microseconds
    )
    threshold = choose_doubt_threshold(probabilities, labels)
    card = Card(
        name=recipe.name,
        recipe=recipe.to_dict(),
        parameters=network.count_params(),
        seed=seed,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        labels=tuple(range(10)),
        input=INPUT,
        output=OUTPUT,
        doubt_threshold=threshold,
        calibration={"method": "temperature", "temperature": temperature, "fitted_on": "validation"},
        data=dataset.sha256,
        versions=_versions(),
        evaluation={
            "split": "validation",
            "images": evaluation.images,
            "accuracy": evaluation.accuracy,
            "loss": evaluation.loss,
            "expected_calibration_error": evaluation.expected_calibration_error,
        },
        model_sha256=hashlib.sha256(model).hexdigest(),
    )
    return Export(model, card, probabilities, evaluation)


def check_agreement(expected: npt.NDArray[np.float32], received: npt.NDArray[np.float32]) -> None:
    """Refuse an export whose probabilities (N, 10) are not those of the trained network.

    Raises:
        ExportError: any two differ by more than 1e-5, or one is not a number.
    """
    difference = float(np.abs(expected - received).max())
    if not difference <= TOLERANCE:  # written so that NaN is refused too
        raise ExportError(
            f"The exported network differs from the trained one by {difference:.2e} on "
            f"{len(expected)} validation images; at most {TOLERANCE} is accepted. Nothing was exported. "
            "Other versions of tf2onnx and onnxruntime may help; please report this."
        )


def _serving_network(network: keras.Model, temperature: float) -> keras.Model:
    """Put uint8 scaling before the network and the temperature (arXiv 1706.04599) before its softmax."""
    return keras.Sequential(
        [
            keras.Input((28, 28), dtype="uint8", name="images"),
            keras.layers.Reshape((28, 28, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.Model(network.inputs, network.layers[-1].input),  # all but the softmax
            keras.layers.Rescaling(1 / temperature),
            keras.layers.Activation("softmax"),
        ]
    )


def _to_onnx(serving: keras.Model) -> bytes:
    serving(np.zeros((1, 28, 28), np.uint8))  # Keras exports only what has been called
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / MODEL_FILE
        # Keras's copy of a tf2onnx helper asks numpy for a name that numpy warns of.
        warnings.simplefilter("ignore", FutureWarning)
        serving.export(path, format="onnx", verbose=False)
        model = onnx.load(path)
    _rename(model.graph, model.graph.output[0].name, "probabilities")
    _rename(model.graph, model.graph.input[0].name, "images")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


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
