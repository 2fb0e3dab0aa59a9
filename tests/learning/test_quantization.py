"""A network of integers says what the network it was made from says, with a quarter of the bytes."""

import logging

import keras
import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from inkdigits.errors import ExportError
from inkdigits.learning.graph import to_onnx
from inkdigits.learning.quantization import quantized
from inkdigits.learning.synthesis.pages import make_page
from inkdigits.reading.model import Network
from inkdigits.reading.reader import SHIPPED_READER


@pytest.fixture(scope="module")
def pages(mnist):
    """Some pages, small ones."""
    made = [make_page(mnist.validation, np.random.default_rng(seed), side=96) for seed in range(16)]
    return np.stack([page.image for page in made])


@pytest.fixture(scope="module")
def float32():
    """The shipped finder as it was trained."""
    trained = keras.models.load_model(SHIPPED_READER / "finder" / "model.keras", compile=False)
    return to_onnx(trained, "finder")


@pytest.fixture(scope="module")
def integers(float32, pages):
    """The same in integers."""
    return quantized(float32, pages)


def _weights(model):
    """Return the weights of a graph's convolutions by their type."""
    graph = onnx.load_from_string(model).graph
    constants = {each.name: each for each in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    found = {TensorProto.FLOAT: [], TensorProto.INT8: []}
    for node in graph.node:
        if node.op_type == "Conv":
            name = node.input[1]
            weights = constants[name if name in constants else makers[name].input[0]]
            found[weights.data_type].append(numpy_helper.to_array(weights))
    return found


def test_all_convolutions_but_the_first_and_the_last_are_integers(integers):
    """Gray levels and scores keep all their digits."""
    weights = _weights(integers)
    assert len(weights[TensorProto.FLOAT]) == 2
    assert len(weights[TensorProto.INT8]) == 11
    assert [each.shape[1] for each in weights[TensorProto.FLOAT]] == [1, 32]


def test_weights_have_seven_bits(integers):
    """Two products of 255 and 64 fit the 16 bits in which some processors add them."""
    assert max(np.abs(each.astype(int)).max() for each in _weights(integers)[TensorProto.INT8]) == 64


def test_integers_say_what_float32_says(float32, integers, pages):
    """Scores differ by a hundredth on average where a digit is, and by less elsewhere."""
    expected, received = (Network(model, "finder").run(pages)[..., :2] for model in (float32, integers))
    likely = expected > 0.1
    assert np.abs(expected - received)[likely].mean() < 0.03
    assert np.abs(expected - received).mean() < 0.001


def test_integers_take_a_third_of_the_bytes(float32, integers):
    """The last convolution, what it adds up to and the scales are kept as they are."""
    assert len(integers) < len(float32) / 3


def test_no_room_for_temporary_files_is_said(float32, pages, monkeypatch, tmp_path):
    """What failed and what to do, in one line."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(ExportError, match=r"can't be turned into integers: .*Make room there"):
        quantized(float32, pages[:1])


def test_quantizing_leaves_the_log_as_it_was(float32, pages):
    """ONNX Runtime's hints about what is done here already are held back, and nothing else."""
    logging.getLogger().setLevel(logging.INFO)
    try:
        quantized(float32, pages[:1])
        assert logging.getLogger().level == logging.INFO
    finally:
        logging.getLogger().setLevel(logging.WARNING)
