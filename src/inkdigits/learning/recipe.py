"""Recipes: everything that decides what a training gives, as frozen values with names.

A recipe together with a seed and MNIST determines a network. Recipes are data, so the command line can list
them without importing Keras.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from inkdigits.errors import ArgumentError, is_whole

NETWORKS = {  # of each part, the functions in `networks.py` that build one
    "classifier": ("classic", "quick", "compact", "best"),
    "finder": ("finder",),
    "lines": ("lines",),
}
PRECISIONS = ("float32", "bfloat16")
MAX_EPOCHS = 10_000
MAX_BATCH_SIZE = 55_000
MAX_SAMPLES = 20_000  # of one epoch, as many as fit the memory of a small machine
MAX_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one network is trained.

    Attributes:
        name: the word for ``--recipe``.
        part: "classifier" names a digit, "finder" finds digits on a page, "lines" reads a line of them.
        network: the function in ``networks.py`` that builds it.
        epochs: passes over the 55,000 training images, or over so many samples made anew.
        batch_size: images a step.
        learning_rate: the highest one, reached after the warm-up; then it falls to 0 along a cosine.
        warmup: share of all steps in which the learning rate rises from 0, 0 to 1.
        weight_decay: pull of AdamW toward zero, multiplied by the learning rate at every step.
        augmentation: how much each image is changed at each epoch, 0 (not at all) to 2; 1 is usual.
        poor: share of the images that also get a flaw of a poor picture, 0 to 1.
        finish: share of the epochs, the last ones, that show the images nearly as they are, 0 to 1: a network
            that has learned from many hands then learns how usual each is.
        samples: pages or lines made for each epoch; 0 for a classifier, whose images are MNIST's.
        nondigits: so many images that show no digit are mixed in, as a share of the 55,000, 0 to 1.
        precision: of what layers compute, "float32" or "bfloat16"; weights are float32 either way. The
            second halves the time of large networks on processors with instructions for it; others compute in
            float32 all the same.
        start: SHA-256 of the ``model.onnx`` that belongs to the weights training begins with; empty for
            random ones.
        teacher: SHA-256 of the ``model.onnx`` of a classifier whose answers count as much as the labels;
            empty for labels alone.

    Raises:
        ArgumentError: a value that no training can use.

    Example: `compact` at a glance, for ``train(at_a_glance, out="runs/glance")``
        >>> import dataclasses
        >>> at_a_glance = dataclasses.replace(find_recipe("compact"), name="glance", epochs=3)
        >>> at_a_glance.epochs, at_a_glance.augmentation
        (3, 1.0)
    """

    name: str
    part: str
    network: str
    epochs: int
    batch_size: int
    learning_rate: float
    warmup: float
    weight_decay: float
    augmentation: float = 0.0
    poor: float = 0.0
    finish: float = 0.0
    samples: int = 0
    nondigits: float = 0.0
    precision: str = "float32"
    start: str = ""
    teacher: str = ""

    def __post_init__(self) -> None:
        """Refuse values no training can use."""
        if self.part not in NETWORKS:
            raise ArgumentError(f"part must be one of {', '.join(NETWORKS)}. Received: part={self.part!r}")
        if self.network not in NETWORKS[self.part]:
            raise ArgumentError(
                f"network must be one of {', '.join(NETWORKS[self.part])} for a {self.part}. "
                f"Received: network={self.network!r}"
            )
        if self.precision not in PRECISIONS:
            raise ArgumentError(
                f"precision must be one of {', '.join(PRECISIONS)}. Received: precision={self.precision!r}"
            )
        _check_range("samples", self.samples, 0, MAX_SAMPLES)
        if (self.samples > 0) != (self.part != "classifier"):
            raise ArgumentError(
                "A finder and a reader of lines need samples for each epoch, a classifier has MNIST's. "
                f"Received: part={self.part!r}, samples={self.samples!r}"
            )
        if self.teacher and self.part != "classifier":
            raise ArgumentError(
                f"Only a classifier learns from a teacher's answers. Received: part={self.part!r}"
            )
        _check_range("epochs", self.epochs, 1, MAX_EPOCHS)
        _check_range("batch_size", self.batch_size, 1, MAX_BATCH_SIZE)
        highest = {"learning_rate": 10, "warmup": 1, "weight_decay": 10}
        for name, high in (highest | {"augmentation": 2, "poor": 1, "finish": 1, "nondigits": 1}).items():
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value <= high):
                raise ArgumentError(f"{name} must be from 0 to {high}. Received: {name}={value!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ArgumentError(f"{name} must be a whole number from {low} to {high}. Received: {name}={value!r}")


def check_seed(seed: int) -> int:
    """Return the seed as Python's own number, if it is one.

    Raises:
        ArgumentError: it is not a whole number from 0 to 4,294,967,295.
    """
    if is_whole(seed):
        seed = int(seed)
    _check_range("seed", seed, 0, MAX_SEED)
    return seed


RECIPES = {
    recipe.name: recipe
    for recipe in [
        # The documented exercise: plain data, no augmentation, no label smoothing.
        Recipe(
            name="classic",
            part="classifier",
            network="classic",
            epochs=12,
            batch_size=128,
            learning_rate=0.004,
            warmup=0.1,
            weight_decay=0.1,
        ),
        # Past 99 % in two epochs of plain data.
        Recipe(
            name="quick",
            part="classifier",
            network="quick",
            epochs=2,
            batch_size=128,
            learning_rate=0.01,
            warmup=0.2,
            weight_decay=0.05,
        ),
        # No more parameters than the documented network, half its mistakes.
        Recipe(
            name="compact",
            part="classifier",
            network="compact",
            epochs=90,
            batch_size=128,
            learning_rate=0.004,
            warmup=0.1,
            weight_decay=0.05,
            augmentation=1.0,
            poor=0.05,
            nondigits=0.015,
        ),
        # As right as half a million parameters allow, also on poor pictures.
        Recipe(
            name="best",
            part="classifier",
            network="best",
            epochs=24,
            batch_size=128,
            learning_rate=0.004,
            warmup=0.1,
            weight_decay=0.05,
            augmentation=1.0,
            poor=0.15,
            finish=0.25,
            nondigits=0.03,
            precision="bfloat16",
        ),
        # The page reader: where digits are, and what a line says. Trained on synthetic pages and lines.
        Recipe(
            name="finder",
            part="finder",
            network="finder",
            epochs=96,
            batch_size=16,
            learning_rate=0.002,
            warmup=0.05,
            weight_decay=0.02,
            samples=2_000,
            precision="bfloat16",
        ),
        Recipe(
            name="lines",
            part="lines",
            network="lines",
            epochs=68,
            batch_size=32,
            learning_rate=0.002,
            warmup=0.05,
            weight_decay=0.02,
            samples=8_000,
            precision="bfloat16",
        ),
    ]
}


def find_recipe(name: str) -> Recipe:
    """Return the recipe of this name.

    Raises:
        ArgumentError: there is none.

    Example:
        >>> find_recipe("classic").network
        'classic'
    """
    if name not in tuple(RECIPES):  # it may be anything
        raise ArgumentError(
            f"There is no recipe of this name. Received: {name!r}. Accepted: {', '.join(RECIPES)}"
        )
    return RECIPES[name]
