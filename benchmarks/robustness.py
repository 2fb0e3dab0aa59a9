"""How networks read damaged digits: MNIST's test part under fifteen corruptions like MNIST-C's.

    python benchmarks/robustness.py [MODEL...]                the shipped model where none is named
    python benchmarks/robustness.py MODEL... --keras-example  train the keras.io example and measure it, too
    python benchmarks/robustness.py --contact-sheet FILE.png  look at the corruptions instead of measuring

A model is a model folder or a finished run folder; it is given the images as they are, without the reader's
cleaning of pictures. The corruptions are made anew (corruptions.py says how): these figures compare with one
another, and only roughly with published ones, which are on MNIST-C's own files. Models measured before and
not named now keep their figures in benchmarks/results/robustness.json.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from classic import KERAS_EXAMPLE, build_keras_example
from corruptions import CORRUPTIONS, Images, corrupt
from measurement import describe_machine, merge_results

from inkdigits import Classifier
from inkdigits.learning import mnist

SEED = 0
Network = Callable[[Images], npt.NDArray[np.float32]]  # images in, probabilities out


def train_keras_example(data: mnist.Mnist, epochs: int) -> Network:
    """Train the keras.io MNIST convnet as benchmarks/classic.py does, with seed 0."""
    import keras

    from inkdigits.learning.networks import to_input

    keras.utils.set_random_seed(SEED)
    network = build_keras_example()
    network.fit(to_input(data.train.images), data.train.labels, batch_size=128, epochs=epochs, verbose=0)
    return lambda images: network.predict(to_input(images), batch_size=500, verbose=0)


def measure(networks: dict[str, Network], test: mnist.Split) -> dict[str, dict[str, Any]]:
    """Return each network's clean accuracy, its accuracy by corruption and the mean of these fifteen."""

    def accuracies(images: Images) -> dict[str, float]:
        return {
            name: float(np.mean(network(images).argmax(axis=1) == test.labels))
            for name, network in networks.items()
        }

    def print_row(title: str, row: dict[str, float]) -> None:
        print(f"{title:<14}" + "".join(f"{100 * row[name]:>{max(9, len(name) + 2)}.2f}" for name in networks))

    print("\naccuracy, %   " + "".join(f"{name:>{max(9, len(name) + 2)}}" for name in networks))
    clean = accuracies(test.images)
    print_row("clean", clean)
    rows = {}
    for corruption in CORRUPTIONS:
        rows[corruption] = accuracies(corrupt(corruption, test.images, SEED))
        print_row(corruption, rows[corruption])
    means = {name: fmean(row[name] for row in rows.values()) for name in networks}
    print_row("mean of 15", means)
    return {
        name: {
            "corruptions_seed": SEED,
            "clean": clean[name],
            "corrupted": {corruption: row[name] for corruption, row in rows.items()},
            "mean": means[name],
        }
        for name in networks
    }


def contact_sheet(test: mnist.Split, enlarged: int = 2) -> Images:
    """Return a picture with a row of the ten digits, clean first, for every corruption."""
    digits = test.images[[int(np.argmax(test.labels == digit)) for digit in range(10)]]
    rows = {"clean": digits} | {corruption: corrupt(corruption, digits, SEED) for corruption in CORRUPTIONS}
    sheet = []
    for title, images in rows.items():
        framed = np.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=96)  # shows where an image ends
        row = cv2.resize(np.hstack(framed), None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_NEAREST)
        label = np.zeros((len(row), 130), np.uint8)
        cv2.putText(label, title, (6, len(row) // 2 + 5), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)
        sheet.append(np.hstack([label, row]))
    return np.vstack(sheet)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL")
    parser.add_argument("--keras-example", action="store_true", help="train and measure it, too")
    parser.add_argument("--epochs", type=int, default=15, help="of the Keras example; 15 as published")
    parser.add_argument("--contact-sheet", type=Path, metavar="FILE.png", help="draw it and measure nothing")
    options = parser.parse_args()
    data = mnist.load()
    if options.contact_sheet:
        options.contact_sheet.write_bytes(cv2.imencode(".png", contact_sheet(data.test))[1])
        return
    print(describe_machine())
    classifiers = [Classifier(folder) for folder in options.models or [None]]
    networks = {classifier.card.name: classifier.probabilities for classifier in classifiers}
    if len(networks) < len(classifiers):
        parser.error("two of the models have the same name on their cards, which is what tells figures apart")
    if options.keras_example:
        networks[KERAS_EXAMPLE] = train_keras_example(data, options.epochs)
    measured = measure(networks, data.test)
    if options.keras_example:
        measured[KERAS_EXAMPLE]["epochs"] = options.epochs
    merge_results("robustness", measured)


if __name__ == "__main__":
    main()
