"""The documented network against its documented figures, with the keras.io example beside it.

    python benchmarks/classic.py            five seeds of each (about 17 minutes on two cores)
    python benchmarks/classic.py --seeds 1
    python benchmarks/classic.py --only classic   keep the other's measured figures

Accuracy and cross-entropy on validation are of the trained Keras network at the epoch chosen there,
uncalibrated, as the documented exercise measures them. The test part is touched once a seed, by the exported
network.
"""

import argparse
import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

from measurement import describe_machine, read_results, spread, write_results

from inkdigits import evaluate, train
from inkdigits.learning import mnist
from inkdigits.learning.networks import IMAGE_SHAPE, to_input

DOCUMENTED = {"accuracy": 0.9862, "loss": 0.051526}
TITLES = {
    "classic": "classic, 35,274 parameters",
    "keras_example": "keras.io convnet, 34,826 parameters",
}


def measure_classic(seed: int, folder: Path) -> dict[str, float]:
    run = train("classic", seed=seed, out=folder)
    chosen = min(run.history, key=lambda row: row["validation_loss"])
    test = evaluate(run.path, split="test")
    seconds = list(itertools.accumulate(row["seconds"] for row in run.history))
    good = [
        time for row, time in zip(run.history, seconds, strict=True) if row["validation_accuracy"] >= 0.99
    ]
    return {
        "seed": seed,
        "validation_accuracy": chosen["validation_accuracy"],
        "validation_loss": chosen["validation_loss"],
        "test_accuracy": test.accuracy,
        "test_loss": test.loss,
        "training_seconds": seconds[-1],
        "seconds_to_99": good[0] if good else seconds[-1],
        "microseconds_per_image": test.microseconds_per_image or 0.0,
    }


def measure_keras_example(seed: int) -> dict[str, float]:
    """Train the keras.io MNIST convnet from its published description: 34,826 parameters, Adam, 15 epochs."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
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
    data = mnist.load()
    images, validation_images = to_input(data.train.images), to_input(data.validation.images)
    seconds, seconds_to_99, accuracies = 0.0, None, []
    for _ in range(15):
        start = time.perf_counter()
        network.fit(images, data.train.labels, batch_size=128, verbose=0)
        seconds += time.perf_counter() - start
        accuracies.append(
            network.evaluate(validation_images, data.validation.labels, batch_size=500, verbose=0)[1]
        )
        if seconds_to_99 is None and accuracies[-1] >= 0.99:
            seconds_to_99 = seconds
    loss = network.evaluate(validation_images, data.validation.labels, batch_size=500, verbose=0)[0]
    test_images = to_input(data.test.images)
    start = time.perf_counter()
    test_loss, test_accuracy = network.evaluate(test_images, data.test.labels, batch_size=500, verbose=0)
    microseconds = (time.perf_counter() - start) / len(test_images) * 1e6
    return {
        "seed": seed,
        "validation_accuracy": accuracies[-1],
        "validation_loss": loss,
        "test_accuracy": test_accuracy,
        "test_loss": test_loss,
        "training_seconds": seconds,
        "seconds_to_99": seconds if seconds_to_99 is None else seconds_to_99,
        "microseconds_per_image": microseconds,
    }


def summarize(title: str, rows: list[dict[str, float]]) -> dict[str, Any]:
    print(f"\n{title}")
    print("  seed  validation     loss     test     loss     train  us/image")
    for row in rows:
        print(
            f"{row['seed']:>6}  {100 * row['validation_accuracy']:>8.2f} %  {row['validation_loss']:.5f}  "
            f"{100 * row['test_accuracy']:.2f} %  {row['test_loss']:.5f}  {row['training_seconds']:>6.1f} s  "
            f"{row['microseconds_per_image']:>8.1f}"
        )
    spreads = {key: spread([row[key] for row in rows]) for key in rows[0] if key != "seed"}
    for key, values in spreads.items():
        print(f"  {key}: mean {values['mean']:.5g}, standard deviation {values['standard_deviation']:.2g}")
    return {"seeds": rows, "spread": spreads}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0")
    parser.add_argument("--only", choices=("classic", "keras_example"), help="measure one of the two")
    options = parser.parse_args()
    print(describe_machine())
    results = read_results("classic") if options.only else {"documented": DOCUMENTED}
    with tempfile.TemporaryDirectory() as folder:
        measures = {
            "classic": lambda seed: measure_classic(seed, Path(folder) / str(seed)),
            "keras_example": measure_keras_example,
        }
        for name, title in TITLES.items():
            if options.only in {None, name}:
                results[name] = summarize(title, [measures[name](seed) for seed in range(options.seeds)])
    write_results("classic", results)


if __name__ == "__main__":
    main()
