"""An ONNX graph in float32 -> the same network in 8-bit integers: quicker, and a quarter of the bytes.

After B. Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only
inference", arXiv 1712.05877, as ONNX Runtime does it: each convolution's weights become integers by output
channel, what goes in and out by the range that it has on examples.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

from inkdigits.errors import ExportError


def quantized(model: bytes, examples: npt.NDArray[np.uint8]) -> bytes:
    """Turn the convolutions of a network into integer arithmetic.

    The first and the last keep their float32 weights: one sees the gray levels themselves, the other says
    how sure the network is. They are little of the work.

    Args:
        model: the bytes of a ``model.onnx`` in float32.
        examples: what goes in, uint8, as many as show the ranges of what is inside: some hundreds.

    Returns:
        The bytes of a ``model.onnx`` with the same inputs and outputs.

    Raises:
        ExportError: ONNX Runtime failed, as it does where there is no room for its files.

    Example:
        >>> smaller = quantized(to_onnx(network, "lines"), lines)  # doctest: +SKIP
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _quantized_in(Path(folder), model, examples)
    except Exception as error:  # ONNX Runtime's own exceptions share no base class
        reason = str(error).splitlines()[0]
        raise ExportError(
            f"The network can't be turned into integers: {reason}. This takes some megabytes of the "
            "folder for temporary files. Make room there or name another in TMPDIR, and go on with --resume."
        ) from error


def _quantized_in(folder: Path, model: bytes, examples: npt.NDArray[np.uint8]) -> bytes:
    folded, integers = folder / "folded.onnx", folder / "integers.onnx"
    _fold(model, folded)
    graph = onnx.load(folded).graph
    convolutions = [node.name for node in graph.node if node.op_type == "Conv"]
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)  # it recommends what `_fold` has done
    try:
        quantize_static(
            folded,
            integers,
            _Examples(graph.input[0].name, examples),
            per_channel=True,
            # Seven bits: processors without instructions for such products add two of them in 16 bits.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv", "Relu", "MaxPool"],  # sums lose more than they save
            nodes_to_exclude=[convolutions[0], convolutions[-1]],
        )
    finally:
        logger.setLevel(before)
    return integers.read_bytes()


def _fold(model: bytes, path: Path) -> None:
    """Write a network with its normalizations multiplied into its convolutions."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class _Examples(CalibrationDataReader):  # type: ignore[misc] # the library has no types
    """Hands over examples one by one, as ONNX Runtime asks for them."""

    def __init__(self, name: str, examples: npt.NDArray[np.uint8]) -> None:
        self._left: Iterator[dict[str, Any]] = ({name: example[np.newaxis]} for example in examples)

    def get_next(self) -> dict[str, Any] | None:
        """Return the next example, None after the last."""
        return next(self._left, None)
