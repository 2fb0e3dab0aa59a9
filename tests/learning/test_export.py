"""An exported network gives the same numbers as the trained one, or is refused."""

import hashlib
import json

import keras
import numpy as np
import onnx
import pytest

from inkdigits.errors import ExportError
from inkdigits.learning.evaluation import apply_temperature
from inkdigits.learning.export import check_agreement, compared_onnx
from inkdigits.learning.networks import build_network, to_input
from inkdigits.reading.model import open_model


def test_exported_numbers_are_the_trained_ones(run, mnist):
    """On 1,000 validation images Keras, calibrated by the card's temperature, and ONNX agree to 1e-5."""
    images = mnist.validation.images[:1000]
    trained = keras.models.load_model(run.path / "model.keras").predict(to_input(images), verbose=0)
    model = open_model(run.path)
    calibrated = apply_temperature(trained, model.card.calibration["temperature"])
    assert np.abs(calibrated - model.network.probabilities(images)).max() <= 1e-5


@pytest.mark.parametrize("wrong", [2e-5, np.nan])
def test_disagreement_is_refused(wrong):
    """One probability that differs by more than 1e-5, or is no number, is enough."""
    expected = np.full((5, 10), 0.1, np.float32)
    received = expected.copy()
    received[2, 3] += wrong
    with pytest.raises(ExportError, match="differs from the trained one"):
        check_agreement(expected, received)


def test_a_part_that_says_something_else_is_refused():
    """It is compared with what the trained network says."""
    network = build_network("finder")
    pages = np.random.default_rng(0).integers(0, 256, (2, 48, 48), np.uint8)
    expected = network.predict(pages[..., np.newaxis], verbose=0)  # logits where scores are due
    with pytest.raises(ExportError, match="differs from the trained one"):
        compared_onnx(network, "finder", pages, expected)


def test_graph_takes_uint8_and_any_number_of_images(run):
    """The interface is images uint8 (N, 28, 28) -> probabilities float32 (N, 10)."""
    graph = onnx.load(run.path / "model.onnx").graph
    described = [
        (
            value.name,
            onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type),
            [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim],
        )
        for value in (*graph.input, *graph.output)
    ]
    assert described == [("images", "UINT8", ["N", 28, 28]), ("probabilities", "FLOAT", ["N", 10])]


def test_card_tells_where_the_network_comes_from(run, mnist):
    """Seed, data, versions, figures and the model's own sum are on the card."""
    card = json.loads((run.path / "card.json").read_text())
    assert (card["name"], card["parameters"], card["seed"]) == ("classic", 35274, 3)
    assert card["data"] == mnist.sha256
    assert card["evaluation"]["accuracy"] == run.evaluation.accuracy
    assert {"python", "keras", "onnxruntime", "inkdigits"} <= card["versions"].keys()
    assert card["model_sha256"] == hashlib.sha256((run.path / "model.onnx").read_bytes()).hexdigest()


def test_doubt_threshold_keeps_its_promise_on_validation(run, mnist):
    """At least 99.9 % of the validation answers that are not doubtful are right."""
    model = open_model(run.path)
    probabilities = model.network.probabilities(mnist.validation.images)
    sure = probabilities.max(axis=1) >= model.card.doubt_threshold
    right = probabilities.argmax(axis=1) == mnist.validation.labels
    assert right[sure].mean() >= 0.999
