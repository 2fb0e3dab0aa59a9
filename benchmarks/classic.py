"""The documented network and recipe `quick` against the keras.io example, trained beside them.

    python benchmarks/classic.py            five seeds of each
    python benchmarks/classic.py --seeds 1
    python benchmarks/classic.py --only quick keras_example     keep the other's measured figures

Networks take turns, a seed of each, so that a busy moment of the machine meets them all; measure when nothing
else runs. Accuracy and cross-entropy on validation are of the trained Keras network at the epoch chosen
there, uncalibrated, as the documented exercise measures them. The test part is touched once a seed, by the
exported network.
"""

import argparse
import itertools
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measurement import describe_machine, merge_results, spread

from inkdigits import evaluate, train
from inkdigits.learning import mnist

if TYPE_CHECKING:
    import keras

KERAS_EXAMPLE = "keras_example"
PARTS = ("classic", "quick", KERAS_EXAMPLE)


def measure_recipe(recipe: str, seed: int, folder: Path) -> dict[str, float]:
    from inkdigits.learning.training import chosen_epoch
    from inkdigits.reading.model import open_model

    run = train(recipe, seed=seed, out=folder)
    chosen = run.history[chosen_epoch(list(run.history)) - 1]
    test = evaluate(run.path, split="test")
    return {
        "seed": seed,
        "parameters": open_model(run.path).card.parameters,
        "validation_accuracy": chosen["validation_accuracy"],
        "validation_loss": chosen["validation_loss"],
        "test_accuracy": test.accuracy,
        "test_loss": test.loss,
        **time_to_99(
            [row["seconds"] for row in run.history], [row["validation_accuracy"] for row in run.history]
        ),
        "microseconds_per_image": test.microseconds_per_image or 0.0,
    }


def time_to_99(seconds: Sequence[float], accuracies: Sequence[float]) -> dict[str, float]:
    """Return the seconds of all epochs, and up to the first with 99.0 % on validation (all, if none has)."""
    total = list(itertools.accumulate(seconds))
    good = [time for time, accuracy in zip(total, accuracies, strict=True) if accuracy >= 0.99]
    return {
        "training_seconds": total[-1],
        "seconds_to_99": good[0] if good else total[-1],
        "reached_99": float(bool(good)),
    }


def build_keras_example() -> "keras.Sequential":
    """Build the keras.io MNIST convnet from its published description: 34,826 parameters, Adam."""
    import keras
    from keras import layers

    from inkdigits.learning.networks import IMAGE_SHAPE

    network = keras.Sequential(
        [
            keras.Input(IMAGE_SHAPE),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def measure_keras_example(seed: int) -> dict[str, float]:
    """Train the keras.io MNIST convnet as published: 15 epochs in batches of 128."""
    import keras

    from inkdigits.learning.networks import to_input

    keras.utils.set_random_seed(seed)
    network = build_keras_example()
    data = mnist.load()
    images, validation_images = to_input(data.train.images), to_input(data.validation.images)
    seconds, accuracies, losses = [], [], []
    for _ in range(15):
        start = time.perf_counter()
        network.fit(images, data.train.labels, batch_size=128, verbose=0)
        seconds.append(time.perf_counter() - start)
        loss, accuracy = network.evaluate(
            validation_images, data.validation.labels, batch_size=500, verbose=0
        )
        losses.append(loss)
        accuracies.append(accuracy)
    test_images = to_input(data.test.images)
    start = time.perf_counter()
    test_loss, test_accuracy = network.evaluate(test_images, data.test.labels, batch_size=500, verbose=0)
    microseconds = (time.perf_counter() - start) / len(test_images) * 1e6
    return {
        "seed": seed,
        "parameters": network.count_params(),
        "validation_accuracy": accuracies[-1],
        "validation_loss": losses[-1],
        "test_accuracy": test_accuracy,
        "test_loss": test_loss,
        **time_to_99(seconds, accuracies),
        "microseconds_per_image": microseconds,
    }


def summarize(title: str, rows: list[dict[str, float]]) -> dict[str, Any]:
    print(f"\n{title}")
    print("  seed  validation     loss     test     loss     train   to 99 %  us/image")
    for row in rows:
        print(
            f"{row['seed']:>6}  {100 * row['validation_accuracy']:>8.2f} %  {row['validation_loss']:.5f}  "
            f"{100 * row['test_accuracy']:.2f} %  {row['test_loss']:.5f}  {row['training_seconds']:>6.1f} s  "
            f"{row['seconds_to_99']:>6.1f} s  {row['microseconds_per_image']:>8.1f}"
        )
    spreads = {
        key: spread([row[key] for row in rows]) for key in rows[0] if key not in {"seed", "parameters"}
    }
    for key, values in spreads.items():
        print(f"  {key}: mean {values['mean']:.5g}, standard deviation {values['standard_deviation']:.2g}")
    return {"seeds": rows, "spread": spreads}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="measure these alone")
    options = parser.parse_args()
    print(describe_machine())
    rows: dict[str, list[dict[str, float]]] = {part: [] for part in options.only}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            for part in options.only:
                rows[part].append(
                    measure_keras_example(seed)
                    if part == KERAS_EXAMPLE
                    else measure_recipe(part, seed, Path(folder) / f"{part}-{seed}")
                )
    merge_results("classic", {part: summarize(part, measured) for part, measured in rows.items()})


if __name__ == "__main__":
    main()
