"""Train small networks on MNIST in one command, and read handwritten digits with them.

Name the digit in a picture, with the model that comes along:

    import inkdigits
    digit = inkdigits.classify("seven.png")  # Digit(value=7, confidence=0.998, ...)

Load a model once and use it often:

    classifier = inkdigits.Classifier("runs/classic")
    classifier.classify("seven.png")
    probabilities = classifier.probabilities(images)  # MNIST form: (N, 28, 28) uint8 -> (N, 10)

Train one (needs ``pip install 'inkdigits[train]'``):

    run = inkdigits.train("classic", seed=0)  # Run: path, history, evaluation
    inkdigits.evaluate("runs/classic", split="test")
    inkdigits.evaluate_pictures("runs/classic", "my-pictures")  # in subfolders 0 to 9

The same from the command line: ``inkdigits --help``. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkdigits.errors import (
        ArgumentError,
        DataError,
        ExportError,
        InkdigitsError,
        MissingExtraError,
        ModelError,
        PictureError,
        RunError,
    )
    from inkdigits.learning.evaluation import Evaluation, PartEvaluation
    from inkdigits.learning.recipe import Recipe
    from inkdigits.learning.scoring import evaluate, evaluate_pictures
    from inkdigits.learning.training import Run, train
    from inkdigits.reading.classifier import Classifier, classify
    from inkdigits.reading.model import export_model
    from inkdigits.reading.reader import Reader, read
    from inkdigits.result import Box, Digit, Failure, Number, Reading

__version__ = "0.1.0"

_HOMES = {
    "inkdigits.errors": [
        "ArgumentError",
        "DataError",
        "ExportError",
        "InkdigitsError",
        "MissingExtraError",
        "ModelError",
        "PictureError",
        "RunError",
    ],
    "inkdigits.learning.evaluation": ["Evaluation", "PartEvaluation"],
    "inkdigits.learning.recipe": ["Recipe"],
    "inkdigits.learning.scoring": ["evaluate", "evaluate_pictures"],
    "inkdigits.learning.training": ["Run", "train"],
    "inkdigits.reading.classifier": ["Classifier", "classify"],
    "inkdigits.reading.model": ["export_model"],
    "inkdigits.reading.reader": ["Reader", "read"],
    "inkdigits.result": ["Box", "Digit", "Failure", "Number", "Reading"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ArgumentError",
    "Box",
    "Classifier",
    "DataError",
    "Digit",
    "Evaluation",
    "ExportError",
    "Failure",
    "InkdigitsError",
    "MissingExtraError",
    "ModelError",
    "Number",
    "PartEvaluation",
    "PictureError",
    "Reader",
    "Reading",
    "Recipe",
    "Run",
    "RunError",
    "classify",
    "evaluate",
    "evaluate_pictures",
    "export_model",
    "read",
    "train",
]

if importlib.util.find_spec("keras") is None:  # learning is not installed, so * and help() do without it
    __all__ = [name for name in __all__ if "learning" not in _HOME_OF[name]]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOME_OF[name]
    try:
        return getattr(importlib.import_module(home), name)
    except ModuleNotFoundError as error:
        from inkdigits.errors import MissingExtraError

        raise MissingExtraError(
            f"inkdigits.{name} needs {error.name}, which is not installed. "
            "Install what learning needs: pip install 'inkdigits[train]'"
        ) from error


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
