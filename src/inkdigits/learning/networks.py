"""The networks, each readable as a list of layers.

A classifier takes float32 images of shape (N, 28, 28, 1) with values 0 to 1 and ends in a softmax over the
ten digits. Scaling from uint8 and calibration are folded into the exported weights (``graph.py``).
The parts that read pages take gray levels 0 to 255 and scale them themselves: as floats, pages would take
four times the memory.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from keras import Input, KerasTensor, Model, Sequential, config, initializers, layers, ops

from inkdigits.errors import ArgumentError
from inkdigits.reading.lines import LINE_HEIGHT, NAMES

IMAGE_SHAPE = (28, 28, 1)
CLASSES = 10
# Of statistics of normalization, where a batch says little of all: it has few pages, or lines of one length.
STEADY = 0.99


def start_backend() -> None:
    """Let Keras's backend start now instead of at the first layer; it takes a moment and may print."""
    ops.zeros(())


def to_input(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Turn images (N, 28, 28) uint8 into what networks take: (N, 28, 28, 1) float32, 0 to 1."""
    return (images[..., np.newaxis] / np.float32(255)).astype(np.float32, copy=False)


def classic() -> Sequential:
    """Build the documented network: 35,274 parameters in twelve layers.

    Large 5x5 windows and an early 5x5 pooling make it small and quick: after the second convolution the
    whole image is 32 numbers.

    Example:
        >>> classic().count_params()
        35274
    """
    return Sequential(
        [
            Input(IMAGE_SHAPE),
            layers.Conv2D(16, 5, padding="same"),
            layers.Activation("relu"),
            layers.MaxPooling2D(5),
            layers.Conv2D(32, 5),
            layers.Activation("relu"),
            # Only 32 numbers are left: dropping any costs more than it teaches (docs/experiments.md).
            layers.Dropout(0.0),
            layers.Flatten(),
            layers.Dense(512),
            layers.Activation("relu"),
            layers.Dropout(0.5),
            layers.Dense(CLASSES),
            layers.Activation("softmax"),
        ],
        name="classic",
    )


def quick() -> Sequential:
    """Build the network that gets past 99 % in the least time: 39,810 parameters.

    After a window with stride 2 and a pooling, the costly 3x3 windows work at 7x7.

    Example:
        >>> quick().count_params()
        39810
    """
    return Sequential(
        [
            Input(IMAGE_SHAPE),
            *_convolution(24, 5, strides=2),
            layers.MaxPooling2D(2),
            *_convolution(48, 3),
            *_convolution(64, 3),
            layers.GlobalMaxPooling2D(),
            layers.Dense(CLASSES),
            layers.Activation("softmax"),
        ],
        name="quick",
    )


def compact() -> Sequential:
    """Build a network with fewer parameters than the documented one and half its mistakes: 34,842.

    Nearly all of them are in 3x3 windows at 6x6 and below, where they cost little time: a 5x5 window with
    stride 2 leaves the large image at once, and one layer later the maximum of each 2x2 halves it again.
    Windows that stay inside what they look at make it smaller still: MNIST's digits have a margin, at whose
    edge there is nothing to compute. The largest answer anywhere in the image replaces dense layers, which
    saves parameters; batch normalization (Ioffe & Szegedy, arXiv 1502.03167) lets it learn fast.

    Example:
        >>> compact().count_params()
        34842
    """
    return Sequential(
        [
            Input(IMAGE_SHAPE),
            *_convolution(16, 5, strides=2, padding="valid"),
            *_convolution(32, 3),
            layers.MaxPooling2D(2),
            *_convolution(40, 3, padding="valid"),
            *_convolution(48, 3, padding="valid"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(CLASSES),
            layers.Activation("softmax"),
        ],
        name="compact",
    )


def best() -> Sequential:
    """Build a network that looks at the whole image twice before it makes it smaller: 428,258 parameters.

    3x3 windows throughout, two layers at the full size, two at half of it and three at a quarter, as
    K. Simonyan and A. Zisserman stack them in "Very deep convolutional networks", arXiv 1409.1556. Three of
    them stay inside what they look at, as in `compact`: that takes half the time and costs nothing.

    Example:
        >>> best().count_params()
        428258
    """
    return Sequential(
        [
            Input(IMAGE_SHAPE),
            *_convolution(24, 3),
            *_convolution(24, 3),
            layers.MaxPooling2D(2),
            *_convolution(64, 3, padding="valid"),
            *_convolution(64, 3),
            layers.MaxPooling2D(2),
            *_convolution(128, 3),
            *_convolution(128, 3, padding="valid"),
            *_convolution(128, 3, padding="valid"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(CLASSES, dtype="float32"),
            layers.Activation("softmax", dtype="float32"),
        ],
        name="best",
    )


def finder() -> Model:
    """Build the network that finds digits on a page: 347,926 parameters, fully convolutional.

    Down to a sixteenth of the page, where a window sees a whole number with what surrounds it (a 1 is told
    from a ruled line by its neighbors), and back up to a quarter, where touching digits are still apart.
    Centers as points, after X. Zhou, D. Wang and P. Krähenbühl, "Objects as points", arXiv 1904.07850.

    From pages (N, H, W, 1), gray levels 0 to 255, H and W multiples of 16, to (N, H/4, W/4, 6): of each spot
    logits of a digit's and of a sign's center, how far it is from the spot's middle (x, y, in spots), and the
    logarithm of its width and height (in pixels).

    Example:
        >>> finder().count_params()
        347926
    """
    convolution = functools.partial(_convolution, momentum=STEADY)
    page = Input((None, None, 1))
    quarter = _apply(
        [
            layers.Rescaling(1 / 127.5, offset=-1),
            *convolution(16, 5, strides=2),
            *convolution(32, 3, strides=2),
        ],
        page,
    )
    eighth = _apply([*convolution(64, 3, strides=2), *convolution(64, 3)], quarter)
    sixteenth = _apply(
        [*convolution(96, 3, strides=2), *convolution(96, 3, dilation=2), *convolution(96, 3, dilation=4)],
        eighth,
    )
    eighth = layers.Add()([eighth, _apply([*convolution(64, 1), layers.UpSampling2D(2)], sixteenth)])
    eighth = _apply(convolution(64, 3), eighth)
    quarter = layers.Add()([quarter, _apply([*convolution(32, 1), layers.UpSampling2D(2)], eighth)])
    quarter = _apply([*convolution(32, 3), *convolution(32, 3)], quarter)
    # A center is rare: starting from 1 in 100 keeps the first steps calm (arXiv 1708.02002).
    rare = initializers.Constant([-4.6, -4.6, 0, 0, 3, 3])
    return Model(page, layers.Conv2D(6, 1, bias_initializer=rare, dtype="float32")(quarter), name="finder")


def lines() -> Model:
    """Build the network that reads a line: convolutions over its height, then along it.

    From lines (N, 32, W, 1), gray levels 0 to 255, W a multiple of 4, to logits (N, W/2, 16): for every two
    pixels of the width nothing new or one of fifteen characters, to be trained with connectionist temporal
    classification (A. Graves et al., ICML 2006), so that no one needs to say where each character stands.

    Example:
        >>> lines().count_params()
        757832
    """
    convolution = functools.partial(_convolution, momentum=STEADY)
    line = Input((LINE_HEIGHT, None, 1))
    features = _apply(
        [
            layers.Rescaling(1 / 127.5, offset=-1),
            *convolution(24, 3),
            layers.MaxPooling2D(2),
            *convolution(32, 3),
            *convolution(32, 3),
            layers.MaxPooling2D((2, 1)),
            *convolution(64, 3),
            *convolution(64, 3),
            layers.MaxPooling2D((2, 1)),
            *convolution(96, 3),
        ],
        line,
    )
    features = layers.Add()([features, _apply(convolution(96, 3), features)])
    features = _apply(
        [
            layers.Conv2D(128, (4, 1), use_bias=False),  # the whole height at once
            layers.BatchNormalization(momentum=STEADY),
            layers.Activation("relu"),
            layers.Reshape((-1, 128)),
        ],
        features,
    )
    for dilation in (1, 2, 4, 1, 2, 4):
        ahead = layers.Conv1D(128, 5, padding="same", dilation_rate=dilation, use_bias=False)(features)
        ahead = layers.Activation("relu")(layers.BatchNormalization(momentum=STEADY)(ahead))
        features = layers.Add()([features, ahead])
    return Model(line, layers.Dense(len(NAMES), dtype="float32")(layers.Dropout(0.1)(features)), name="lines")


def _apply(parts: Iterable[layers.Layer], value: KerasTensor) -> KerasTensor:
    for layer in parts:
        value = layer(value)
    return value


def _convolution(
    filters: int,
    size: int,
    strides: int = 1,
    dilation: int = 1,
    *,
    momentum: float = 0.9,
    padding: Literal["same", "valid"] = "same",
) -> list[layers.Layer]:
    """Return a convolution, its normalization and its activation."""
    return [
        layers.Conv2D(
            filters, size, strides=strides, dilation_rate=dilation, padding=padding, use_bias=False
        ),
        # Epochs are short: statistics that follow in ten steps are ready when the first one ends.
        layers.BatchNormalization(momentum=momentum),
        layers.Activation("relu"),
    ]


_NETWORKS = {network.__name__: network for network in (classic, quick, compact, best, finder, lines)}


@functools.cache
def supported(precision: str) -> str:
    """Return a precision, or "float32" where bfloat16 would be imitated, in eight times the time.

    Accelerators have instructions for it, and processors with AVX-512 BF16, AMX or Arm's BF16, as Linux lists
    them; of other systems' processors it isn't known.

    Example:
        >>> supported("float32")
        'float32'
    """
    if precision == "float32" or "cpu" not in str(ops.zeros(()).device).lower():
        return precision
    try:
        listed = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        listed = set()
    return precision if listed & {"avx512_bf16", "amx_bf16", "bf16"} else "float32"


def build_network(name: str, precision: str = "float32") -> Model:
    """Build the network of this name with fresh random weights.

    Args:
        name: one of the functions of this module.
        precision: "float32", or "bfloat16" for layers that compute in it and keep float32 weights
            (P. Micikevicius et al., "Mixed precision training", arXiv 1710.03740).

    Returns:
        A Keras model from and to what the function of that name says; a classifier from (N, 28, 28, 1)
        float32, 0 to 1, to (N, 10) float32 probabilities.

    Raises:
        ArgumentError: there is no network of this name.
    """
    if name not in _NETWORKS:
        raise ArgumentError(
            f"There is no network of this name. Received: {name!r}. Accepted: {', '.join(_NETWORKS)}"
        )
    before = config.dtype_policy(), config.image_data_format()
    config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    config.set_image_data_format("channels_last")  # whatever somebody's keras.json says
    try:
        return _NETWORKS[name]()
    finally:
        config.set_dtype_policy(before[0])
        config.set_image_data_format(before[1])


def summary(network: Model) -> str:
    """Return a table of the network: one row a layer with its kind, output shape and parameters.

    Example:
        >>> print(summary(classic()).splitlines()[0])
        conv2d          (None, 28, 28, 16)    416      5x5, same
    """
    wide = max(15, *(len(_kind(layer)) for layer in network.layers))
    rows = [
        f"{_kind(layer):<{wide}} {layer.output.shape!s:<22}{layer.count_params():<9}{_detail(layer)}".rstrip()
        for layer in network.layers
    ]
    return "\n".join([*rows, f"{network.count_params():,} parameters"])


def _kind(layer: layers.Layer) -> str:
    """Return the layer's class as Keras writes it in names: MaxPooling2D -> max_pooling2d."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(layer).__name__).lower()


def _detail(layer: layers.Layer) -> str:
    match layer:
        case layers.Conv2D():
            stride = f", stride {layer.strides[0]}" if layer.strides[0] > 1 else ""
            return f"{'x'.join(map(str, layer.kernel_size))}, {layer.padding}{stride}"
        case layers.MaxPooling2D():
            return "x".join(map(str, layer.pool_size))
        case layers.Activation():
            name = layer.activation.__name__
            return "ReLU" if name == "relu" else name
        case _:
            return ""
