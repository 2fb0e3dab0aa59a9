"""The documented network is the documented one, row by row."""

import itertools

import keras
import numpy as np
import pytest

from inkdigits.errors import ArgumentError
from inkdigits.learning import networks, recipe
from inkdigits.learning.networks import build_network, classic, compact, summary, supported

DOCUMENTED = """\
conv2d          (None, 28, 28, 16)    416      5x5, same
activation      (None, 28, 28, 16)    0        ReLU
max_pooling2d   (None, 5, 5, 16)      0        5x5
conv2d          (None, 1, 1, 32)      12832    5x5, valid
activation      (None, 1, 1, 32)      0        ReLU
dropout         (None, 1, 1, 32)      0
flatten         (None, 32)            0
dense           (None, 512)           16896
activation      (None, 512)           0        ReLU
dropout         (None, 512)           0
dense           (None, 10)            5130
activation      (None, 10)            0        softmax"""


@pytest.mark.parametrize("row", range(12))
def test_classic_has_the_documented_row(row):
    """Kind, output shape, parameters and detail of each layer are the documented ones."""
    assert summary(classic()).splitlines()[row] == DOCUMENTED.splitlines()[row]


def test_classic_has_nothing_more():
    """After the twelve rows comes the total of 35,274 parameters."""
    assert summary(classic()).splitlines()[12:] == ["35,274 parameters"]


@pytest.mark.parametrize("network", ["quick", "compact", "best"])
def test_columns_of_the_table_are_straight(network):
    """Also where a layer's kind is a long word."""
    rows = summary(build_network(network)).splitlines()[:-1]
    assert len({row.index("(None") for row in rows}) == 1


def test_compact_stays_within_the_documented_budget():
    """It has no more parameters than the documented network."""
    assert compact().count_params() <= classic().count_params()


@pytest.mark.parametrize("name", ["classic", "quick", "compact", "best"])
def test_network_gives_probabilities(name):
    """Each output row adds up to 1."""
    probabilities = np.asarray(build_network(name)(np.zeros((2, 28, 28, 1), np.float32)))
    assert probabilities.sum(axis=1) == pytest.approx([1, 1], abs=1e-6)


def test_unknown_network_names_the_known_ones():
    """The error lists what is accepted."""
    with pytest.raises(
        ArgumentError, match=r"'lenet'\. Accepted: classic, quick, compact, best, finder, lines"
    ):
        build_network("lenet")


def test_every_network_is_of_some_part():
    """Recipes know all of them."""
    assert sorted(itertools.chain(*recipe.NETWORKS.values())) == sorted(networks._NETWORKS)


def test_channels_come_last_whatever_kerass_settings_say():
    """And the settings stay."""
    keras.config.set_image_data_format("channels_first")
    try:
        assert build_network("classic").count_params() == 35_274
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_image_data_format("channels_last")


def test_bfloat16_is_for_what_layers_compute():
    """Weights and outputs stay float32; and the next network is an ordinary one again."""
    network = build_network("best", "bfloat16")
    convolution = network.layers[0]
    assert (convolution.compute_dtype, convolution.kernel.dtype) == ("bfloat16", "float32")
    assert network.layers[-1].compute_dtype == "float32"  # so the probabilities are exact
    assert build_network("best").layers[0].compute_dtype == "float32"


@pytest.mark.parametrize(
    ("flags", "precision"), [("fma avx2", "float32"), ("avx512f avx512_bf16", "bfloat16"), (None, "float32")]
)
def test_bfloat16_is_used_where_the_processor_has_it(monkeypatch, tmp_path, flags, precision):
    """A processor that would have to imitate it, or isn't known, computes in float32."""
    listed = tmp_path / "cpuinfo"
    if flags:
        listed.write_text(f"flags\t\t: fpu {flags}\n")
    monkeypatch.setattr("inkdigits.learning.networks.Path", lambda _: listed)
    assert supported.__wrapped__("bfloat16") == precision
