"""Each layer means in ONNX what it means in Keras."""

import keras
import numpy as np
import onnx
import pytest
from keras import layers

from inkdigits.errors import ExportError
from inkdigits.learning.graph import to_onnx
from inkdigits.learning.networks import build_network
from inkdigits.learning.synthesis.pages import make_line
from inkdigits.reading.lines import padded
from inkdigits.reading.model import Network, open_model
from inkdigits.reading.reader import SHIPPED_READER


@pytest.fixture
def rng():
    """Give the same random numbers, and networks, to each test."""
    keras.utils.set_random_seed(7)
    return np.random.default_rng(7)


def _unsettled(network, rng):
    """Give all weights, statistics of normalization too, values that no layer starts with."""
    shaken = [weights + rng.normal(0, 0.05, weights.shape) for weights in network.get_weights()]
    network.set_weights([weights.astype(np.float32) for weights in shaken])
    return network


def _classifier(*inner):
    """Return a classifier with these layers."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *inner,
            layers.Flatten(),
            layers.Dense(10),
            layers.Activation("softmax"),
        ]
    )


def _difference(network, rng, **options):
    images = rng.integers(0, 256, (3, 28, 28), dtype=np.uint8)
    expected = network.predict(images[..., np.newaxis] / np.float32(255), verbose=0)
    return np.abs(Network(to_onnx(network, "classifier", **options)).run(images) - expected).max()


@pytest.mark.parametrize("name", ["classic", "quick", "compact", "best"])
def test_classifiers_give_the_same_probabilities(name, rng):
    """Gray levels are brought to 0 to 1 inside."""
    assert _difference(_unsettled(build_network(name), rng), rng) < 1e-5


def test_finder_gives_scores_and_places(rng):
    """Scores are the sigmoid of the first two maps; the other four are as they are."""
    network = _unsettled(build_network("finder"), rng)
    pages = rng.integers(0, 256, (2, 48, 80), dtype=np.uint8)
    expected = network.predict(pages[..., np.newaxis], verbose=0)
    expected[..., :2] = 1 / (1 + np.exp(-expected[..., :2]))
    received = Network(to_onnx(network, "finder"), "finder").run(pages)
    assert np.abs(received - expected).max() < 1e-5 * np.abs(expected).max()


def test_line_reader_gives_calibrated_probabilities(rng):
    """The logits are divided by the temperature before the softmax."""
    network = _unsettled(build_network("lines"), rng)
    lines = rng.integers(0, 256, (2, 32, 60), dtype=np.uint8)
    expected = np.exp(network.predict(lines[..., np.newaxis], verbose=0) / 4)
    expected /= expected.sum(axis=2, keepdims=True)
    received = Network(to_onnx(network, "lines", temperature=4), "lines").run(lines)
    assert np.abs(received - expected).max() < 1e-5


@pytest.mark.parametrize(
    "inner",
    [
        [layers.Conv2D(4, 4, padding="same", use_bias=False)],
        [layers.Conv2D(4, 3, padding="same", dilation_rate=(3, 2))],
        [layers.Conv2D(4, 5, padding="same", strides=3)],
        [layers.Conv2D(4, 3, strides=2, activation="tanh"), layers.Conv2D(6, 3, groups=2)],
        [layers.MaxPooling2D(3, strides=2, padding="same")],
        [layers.MaxPooling2D(5)],
        [layers.BatchNormalization()],
        [layers.Rescaling(2, offset=-0.7), layers.Activation("relu")],
        [
            layers.Rescaling(2, offset=-0.7),
            layers.Rescaling(-3, offset=0.2),
            layers.Conv2D(2, 3, padding="same"),
        ],
        [layers.UpSampling2D((2, 3))],
        [layers.Flatten(), layers.Rescaling(2, offset=1)],
        [
            layers.MaxPooling2D((28, 1)),
            layers.Reshape((-1, 1)),
            layers.Conv1D(3, 5, strides=2, padding="same"),
        ],
        [layers.Dense(3)],
        [layers.Dense(3, activation="sigmoid"), layers.Dropout(0.5), layers.Flatten(), layers.Dense(8)],
    ],
    ids=lambda inner: "_".join(layer.name for layer in inner),
)
def test_a_learner_s_layers_are_written_as_keras_computes_them(inner, rng):
    """Windows of even size, steps of three, values scaled before anything else: whatever the shape."""
    assert _difference(_unsettled(_classifier(*inner), rng), rng) < 1e-5


def test_the_temperature_divides_the_logits_alone(rng):
    """At a temperature of 4, probabilities are their fourth root, made to add up to 1."""
    network = _unsettled(_classifier(layers.Conv2D(4, 3), layers.Activation("relu")), rng)
    images = rng.integers(0, 256, (3, 28, 28), dtype=np.uint8)
    plain, softened = (
        Network(to_onnx(network, "classifier", temperature=temperature)).run(images) for temperature in (1, 4)
    )
    expected = plain**0.25 / (plain**0.25).sum(axis=1, keepdims=True)
    assert np.abs(softened - expected).max() < 1e-5


def test_the_trained_network_stays_as_it_is():
    """What is divided by the temperature is a copy."""
    network = build_network("compact")
    before = network.get_weights()
    to_onnx(network, "classifier", temperature=3)
    assert all((old == new).all() for old, new in zip(before, network.get_weights(), strict=True))


def test_a_loaded_network_is_written_as_the_one_that_was_saved(tmp_path):
    """Keras connects the layers of a network it loads several times over."""
    network = build_network("compact")
    network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert to_onnx(loaded, "classifier") == to_onnx(network, "classifier")


def test_a_dilated_convolution_is_one_node():
    """TensorFlow makes forty of it, which take longer to load and to run."""
    graph = onnx.load(SHIPPED_READER / "finder" / "model.onnx").graph
    dilations = [
        tuple(attribute.ints)
        for node in graph.node
        for attribute in node.attribute
        if attribute.name == "dilations" and max(attribute.ints) > 1
    ]
    assert dilations == [(2, 2), (4, 4)]


def _shipped(part):
    """Return a shipped network, and what its weights make in float32."""
    folder = SHIPPED_READER / part
    model = open_model(folder)
    network = keras.models.load_model(folder / "model.keras", compile=False)
    return model.network, to_onnx(network, part, temperature=model.card.calibration.get("temperature", 1.0))


@pytest.mark.parametrize("part", ["classifier", "finder"])
def test_shipped_graphs_are_what_the_shipped_weights_make(part):
    """The weights to go on training with and the network that reads are the same."""
    written = _shipped(part)[1]
    assert onnx.load_from_string(written) == onnx.load(SHIPPED_READER / part / "model.onnx")


def test_the_shipped_line_reader_is_what_the_shipped_weights_make(mnist):
    """Before its weights had seven bits; it is as sure of what is on a line."""
    shipped, written = _shipped("lines")
    float32 = Network(written, "lines")
    for seed in range(40):
        line = make_line(mnist.validation, np.random.default_rng(seed), 32, 224).image
        image = padded(line, -(-line.shape[1] // 4) * 4)[np.newaxis]
        assert np.abs(shipped.run(image) - float32.run(image)).mean() < 0.02


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (
            [layers.GaussianNoise(0.1)],
            "its kind. Received: GaussianNoise. Accepted: Activation, Add, .*Dense",
        ),
        ([layers.Activation("gelu")], "its activation. Received: gelu. Accepted: relu"),
        ([layers.BatchNormalization(center=False)], "its center. Received: False. Accepted: True"),
        ([layers.UpSampling2D(interpolation="bilinear")], "Received: bilinear. Accepted: nearest"),
        ([layers.GlobalMaxPooling2D(keepdims=True)], "its keepdims"),
        ([layers.Reshape((784, 1)), layers.Conv1D(2, 3, padding="causal")], "its shape"),
        (
            [layers.Reshape((14, 56, 1))],
            r"\(None, 28, 28, 1\) to \(None, 14, 56, 1\). Accepted: \(N, 1, W, C\)",
        ),
    ],
    ids=lambda value: "_".join(layer.name for layer in value) if isinstance(value, list) else "",
)
def test_what_is_not_written_here_is_named(inner, message):
    """The message says what can be used instead."""
    with pytest.raises(ExportError, match=message):
        to_onnx(_classifier(*inner), "classifier")


def test_logits_come_from_a_layer_that_can_be_divided():
    """Half of a normalization's statistics is no half of what it gives."""
    network = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10), layers.BatchNormalization()]
    )
    with pytest.raises(
        ExportError, match=r"last layer with weights. Received: BatchNormalization. Accepted: Conv1D"
    ):
        to_onnx(network, "classifier", temperature=2)
