"""One handwritten digit in a picture: the steps from picture to answer."""

from __future__ import annotations

import functools
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inkdigits.errors import ArgumentError
from inkdigits.reading.image import load_gray
from inkdigits.reading.model import Part
from inkdigits.reading.normalize import find_ink, to_mnist_form
from inkdigits.reading.sources import DEFAULT_MAX_PIXELS, Picture
from inkdigits.result import Digit

# Rows and columns at which images are cut out of one with an empty pixel around it: left, right, up, down.
MOVES = ((1, 2), (1, 0), (2, 1), (0, 1))
SHIPPED_MODEL = Path(__file__).parent.parent / "models" / "classifier"


class Classifier(Part):
    """Names handwritten digits. Make it once, use it often; safe to call from several threads at once.

    Args:
        folder: a model folder (``model.onnx`` and ``card.json``) or a run folder; None for the model that
            comes with inkdigits.
        threads: processor cores one call may use, 1 to 64. One digit is quickest with 1.

    Raises:
        ArgumentError: ``threads`` is out of range.
        ModelError: the folder can't be used; the message says why.

    Example:
        >>> classifier = Classifier()
        >>> classifier.probabilities(np.zeros((2, 28, 28), np.uint8)).shape
        (2, 10)
    """

    part = "classifier"

    def __init__(self, folder: str | PathLike[str] | None = None, *, threads: int = 1) -> None:
        super().__init__(SHIPPED_MODEL if folder is None else folder, threads=threads)

    def classify(self, picture: Picture, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Digit:
        """Name the one handwritten digit in a picture.

        A digit that would be doubtful is looked at four times more, moved by a pixel to each side, and the
        answer is the mean: where exactly it stands says nothing, and a small network depends on it.

        Args:
            picture: a path, bytes, a binary file, a PIL image or an array (H, W), (H, W, 3) or (H, W, 4):
                paper, scan, screenshot or drawing, dark on light or light on dark.
            max_pixels: larger pictures are refused before they are decoded.

        Returns:
            The best guess with its confidence; a digit without value where there is no ink.

        Raises:
            ArgumentError: the picture or the limit is not of an accepted kind.
            PictureError: the picture can't be opened, decoded or is too large.
        """
        ink = find_ink(load_gray(picture, max_pixels=max_pixels))
        if ink is None:
            return Digit.blank()
        image = to_mnist_form(ink)
        looks = self._model.network.probabilities(image[np.newaxis])
        if looks.max() < self.card.doubt_threshold:
            looks = np.concatenate([looks, self._model.network.probabilities(_moved_by_a_pixel(image))])
        probabilities = _mean_answer(looks)
        value = int(probabilities.argmax())
        confidence = float(probabilities[value])
        return Digit(
            value=value,
            confidence=confidence,
            doubtful=confidence < self.card.doubt_threshold,
            probabilities=tuple(probabilities.tolist()),
            box=ink.box,
        )

    def probabilities(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the ten probabilities of images that are in MNIST's form already; nothing is normalized.

        Args:
            images: uint8 of shape (N, 28, 28), (N, 784) or (N, 784, 1), ink light (255) on black (0).

        Returns:
            Calibrated probabilities, float32 of shape (N, 10), each row adding up to 1.

        Raises:
            ArgumentError: another shape or dtype.
        """
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.shape[1:] not in {(28, 28), (784,), (784, 1)}:
            raise ArgumentError(
                "images must be in MNIST's form: uint8 of shape (N, 28, 28), (N, 784) or (N, 784, 1). "
                f"Received: {images.dtype} of shape {images.shape}. "
                "For pictures of any other form use classify()."
            )
        return self._model.network.probabilities(images.reshape(-1, 28, 28))


def _moved_by_a_pixel(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return an image (28, 28) moved by a pixel to each side, (4, 28, 28)."""
    height, width = image.shape
    padded = np.pad(image, 1)
    return np.array([padded[y : y + height, x : x + width] for y, x in MOVES])


def _mean_answer(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the geometric mean (10,) of several answers (N, 10); it stays calibrated, which a sum does not.

    Averaging over looks is as old as A. Krizhevsky, I. Sutskever and G. Hinton, "ImageNet classification with
    deep convolutional neural networks", NIPS 2012.
    """
    logarithms = np.log(probabilities.clip(np.finfo(np.float32).tiny)).mean(axis=0)
    likely = np.exp(logarithms - logarithms.max())
    mean: npt.NDArray[np.float32] = likely / likely.sum()
    return mean


@functools.cache
def _shipped_classifier() -> Classifier:
    return Classifier()


def classify(picture: Picture, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Digit:
    """Name the one handwritten digit in a picture with the model that comes with inkdigits.

    See `Classifier.classify`, which takes the same arguments and raises the same errors; the model is loaded
    at the first call and kept.

    Example:
        >>> classify(np.full((40, 40), 255, np.uint8)).value is None  # blank paper
        True
    """
    return _shipped_classifier().classify(picture, max_pixels=max_pixels)
