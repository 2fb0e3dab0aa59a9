"""A trained Keras network -> the same network as an ONNX graph, layer by layer.

Keras's own export translates what TensorFlow made of the layers. Here a layer becomes one node or two, so the
file shows the network as `networks.py` lists it, any backend will do, and ONNX Runtime meets operations that
it has fast kernels for: a dilated convolution is one node, of which TensorFlow makes forty.

In the graph channels come first, as ONNX has them. Every value is (N, C, H, W), the features of a line with
an H of 1, or (N, C); only what goes in and what comes out is as `PARTS` says.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
from keras import layers, tree
from onnx import helper, numpy_helper

from inkdigits.errors import ExportError
from inkdigits.reading.model import PARTS

OPSET, IR_VERSION = 17, 8  # of 2022: ONNX Runtime 1.12 and later read them, and most else that reads ONNX
ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "softmax": "Softmax", "tanh": "Tanh"}
WEIGHTED = (layers.Conv1D, layers.Conv2D, layers.Dense)
# Options of layers that are written in some of their values only.
OPTIONS: dict[type[layers.Layer], dict[str, tuple[Any, ...]]] = {
    layers.BatchNormalization: {"center": (True,), "scale": (True,)},
    layers.Conv1D: {"padding": ("same", "valid")},
    layers.GlobalMaxPooling2D: {"keepdims": (False,)},
    layers.UpSampling2D: {"interpolation": ("nearest",)},
}


def to_onnx(network: keras.Model, part: str, *, temperature: float = 1.0) -> bytes:
    """Write a network as an ONNX model from gray levels to what its part gives.

    Args:
        network: as those of `networks.py`, channels last. A classifier takes values from 0 to 1.
        part: which of `PARTS` it is.
        temperature: the logits are divided by it (C. Guo et al., arXiv 1706.04599). They come from the last
            layer with weights, a dense layer or a convolution.

    Returns:
        The bytes of ``model.onnx``.

    Raises:
        ExportError: a layer, or an option of it, is of a kind that is not written here.

    Example:
        >>> from inkdigits.learning.networks import compact
        >>> nodes = onnx.load_from_string(to_onnx(compact(), "classifier")).graph.node
        >>> [node.op_type for node in nodes][:4]
        ['Unsqueeze', 'Cast', 'Conv', 'BatchNormalization']
    """
    # A loaded network's layers were connected several times over, those of a copy once.
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    logits = [layer for layer in copy.layers if layer.weights][-1]
    if not isinstance(logits, WEIGHTED):
        raise _refused(logits, "last layer with weights", type(logits).__name__, _kinds(WEIGHTED))
    logits.set_weights([weights / temperature for weights in logits.get_weights()])

    graph = _Graph()
    pixels = graph.node("Unsqueeze", PARTS[part]["input"]["name"], graph.constant(np.array([1])))
    pixels = graph.node("Cast", pixels, to=onnx.TensorProto.FLOAT)
    made = {id(copy.inputs[0]): _Value(pixels, 1 / 255 if part == "classifier" else 1.0)}
    for layer in copy.layers:
        if not isinstance(layer, layers.InputLayer):
            for option, accepted in OPTIONS.get(type(layer), {}).items():
                if getattr(layer, option) not in accepted:
                    raise _refused(layer, option, getattr(layer, option), accepted)
            values = [made[id(tensor)] for tensor in tree.flatten(layer.input)]
            made[id(layer.output)] = _add(layer, graph, values)
    _finish(graph, part, made[id(copy.outputs[0])].name)
    return graph.model(part)


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of the graph, and what it is still to be multiplied by: in the weights of what takes it."""

    name: str
    factor: float = 1.0


@dataclass(slots=True)
class _Graph:
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, values: npt.ArrayLike) -> str:
        """Add numbers, those that are not whole as float32, and return their name."""
        array = np.asarray(values)
        array = array.astype(np.float32) if array.dtype.kind == "f" else array
        self.constants.append(numpy_helper.from_array(array, f"constant_{len(self.constants) + 1}"))
        return str(self.constants[-1].name)

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        return self.split(kind, *inputs, outputs=1, **attributes)[0]

    def split(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """Add a node with several outputs and return their names."""
        name = f"{kind.lower()}_{sum(node.op_type == kind for node in self.nodes) + 1}"
        names = [name, *(f"{name}_{number}" for number in range(2, outputs + 1))]
        self.nodes.append(helper.make_node(kind, inputs, names, name, **attributes))
        return names

    def model(self, part: str) -> bytes:
        """Return the model as bytes; what comes out is what the last node gives."""
        self.nodes[-1].output[0] = PARTS[part]["output"]["name"]
        described = [
            helper.make_tensor_value_info(
                side["name"], helper.np_dtype_to_tensor_dtype(np.dtype(side["dtype"])), side["shape"]
            )
            for side in (PARTS[part]["input"], PARTS[part]["output"])
        ]
        model = helper.make_model(
            helper.make_graph(self.nodes, part, described[:1], described[1:], self.constants),
            producer_name="inkdigits",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())


def _finish(graph: _Graph, part: str, name: str) -> None:
    """Make what a part promises of what its network gives."""
    if part == "finder":
        logits, places = graph.split("Split", name, graph.constant(np.array([2, 4])), outputs=2, axis=1)
        maps = graph.node("Concat", graph.node("Sigmoid", logits), places, axis=1)
        graph.node("Transpose", maps, perm=[0, 2, 3, 1])
    elif part == "lines":
        slices = graph.node("Squeeze", name, graph.constant(np.array([2])))
        graph.node("Softmax", graph.node("Transpose", slices, perm=[0, 2, 1]), axis=2)


def _add(layer: layers.Layer, graph: _Graph, values: Sequence[_Value]) -> _Value:
    """Add a layer and what of its values it leaves to the next."""
    if isinstance(layer, layers.Rescaling):  # a step over all pixels less
        axes = len(layer.input.shape)  # as many: ONNX Runtime is slow with numbers that have fewer
        offset = graph.constant(np.full([1] * axes, layer.offset / layer.scale / values[0].factor))
        return _Value(graph.node("Add", values[0].name, offset), values[0].factor * layer.scale)
    if isinstance(layer, WEIGHTED):
        return _Value(_activated(layer, graph, _weighted(layer, graph, values[0])))
    names = [
        value.name if value.factor == 1 else graph.node("Mul", value.name, graph.constant(value.factor))
        for value in values
    ]
    return _Value(_unweighted(layer, graph, *names))


def _weighted(layer: layers.Layer, graph: _Graph, value: _Value) -> str:
    """Add a convolution; a dense layer is one, too, where there are places."""
    kernel, *bias = layer.get_weights()
    kernel = kernel.astype(np.float64) * value.factor
    if isinstance(layer, layers.Dense) and len(layer.input.shape) == 2:
        return graph.node("Gemm", value.name, *map(graph.constant, [kernel, *bias]))
    kernel = kernel.reshape([1] * (4 - kernel.ndim) + list(kernel.shape)).transpose(3, 2, 0, 1)
    moving = {} if isinstance(layer, layers.Dense) else _moving(layer, kernel.shape[2:], layer.dilation_rate)
    groups = getattr(layer, "groups", 1)
    return graph.node("Conv", value.name, *map(graph.constant, [kernel, *bias]), group=groups, **moving)


@functools.singledispatch
def _unweighted(layer: layers.Layer, _graph: _Graph, *_names: str) -> str:
    """Add a layer that takes its values as they are."""
    known = {*WEIGHTED, layers.Rescaling, *_unweighted.registry} - {object}
    raise _refused(layer, "kind", type(layer).__name__, _kinds(known))


@_unweighted.register
def _(_layer: layers.Dropout, _graph: _Graph, name: str) -> str:
    return name


@_unweighted.register
def _(layer: layers.Activation, graph: _Graph, name: str) -> str:
    return _activated(layer, graph, name)


@_unweighted.register
def _(_layer: layers.Add, graph: _Graph, *names: str) -> str:
    return functools.reduce(functools.partial(graph.node, "Add"), names)


@_unweighted.register
def _(layer: layers.BatchNormalization, graph: _Graph, name: str) -> str:
    scale, offset, mean, variance = map(graph.constant, layer.get_weights())
    return graph.node("BatchNormalization", name, scale, offset, mean, variance, epsilon=layer.epsilon)


@_unweighted.register
def _(layer: layers.MaxPooling2D, graph: _Graph, name: str) -> str:
    moving = _moving(layer, layer.pool_size)
    return graph.node("MaxPool", name, kernel_shape=layer.pool_size, **moving)


@_unweighted.register
def _(_layer: layers.GlobalMaxPooling2D, graph: _Graph, name: str) -> str:
    return graph.node("Flatten", graph.node("GlobalMaxPool", name))


@_unweighted.register
def _(layer: layers.Flatten, graph: _Graph, name: str) -> str:
    if len(layer.input.shape) == 2:
        return name
    return graph.node("Flatten", graph.node("Transpose", name, perm=[0, 2, 3, 1]))


@_unweighted.register
def _(layer: layers.UpSampling2D, graph: _Graph, name: str) -> str:
    times = graph.constant([1.0, 1.0, *layer.size])
    return graph.node(
        "Resize", name, "", times, coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    )


@_unweighted.register
def _(layer: layers.Reshape, _graph: _Graph, name: str) -> str:
    before, after = layer.input.shape, layer.output.shape
    if (len(before), len(after), before[1], before[-1]) != (4, 3, 1, after[-1]):
        raise _refused(layer, "shape", f"{before} to {after}", ["(N, 1, W, C) to (N, W, C)"])
    return name  # the features of a line, whose H of 1 Keras leaves out


def _activated(layer: layers.Layer, graph: _Graph, name: str) -> str:
    """Add the activation of a layer."""
    kind = layer.activation.__name__
    if kind == "linear":
        return name
    if kind not in ACTIVATIONS:
        raise _refused(layer, "activation", kind, [*ACTIVATIONS, "linear"])
    return graph.node(ACTIVATIONS[kind], name, **({"axis": 1} if kind == "softmax" else {}))


def _moving(layer: layers.Layer, window: Sequence[int], dilations: Sequence[int] = (1, 1)) -> dict[str, Any]:
    """Return how a window moves over (H, W), or along a line."""
    strides, dilations = ([1, *sizes][-2:] for sizes in (layer.strides, dilations))
    moving = {"strides": strides, "dilations": dilations}
    if layer.padding == "same" and max(strides) > 1:
        return moving | {"auto_pad": "SAME_UPPER"}
    if layer.padding == "same":
        reach = [step * (size - 1) for size, step in zip(window, dilations, strict=True)]
        moving["pads"] = [each // 2 for each in reach] + [each - each // 2 for each in reach]
    return moving


def _refused(layer: layers.Layer, what: str, received: object, accepted: Iterable[object]) -> ExportError:
    """Say what of a layer can't be written."""
    return ExportError(
        f"The layer {layer.name} can't be exported for its {what}. Received: {received}. "
        f"Accepted: {', '.join(map(str, accepted))}. To add one, write it as a node in "
        "inkdigits/learning/graph.py."
    )


def _kinds(kinds: Iterable[type]) -> list[str]:
    return sorted(kind.__name__ for kind in kinds)
