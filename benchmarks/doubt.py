"""How well doubt tells digits from what is none: MNIST's test digits against letters, lines, shapes, noise.

    python benchmarks/doubt.py [MODEL...]      the shipped model where none is named

A model is a model folder or a finished run folder; it is given images in MNIST's form. AUROC is the chance
that a digit is read with more confidence than an image of the other kind. Letters come from fonts no network
is trained on; those that people can't tell from digits either are reported apart. Pairs are of test digits.
Lines, scribbles, shapes and noise are made by the generators that some recipes train on, with other random
numbers: for these recipes they show what was learned, not what is new. Models measured before and not named
now keep their figures in benchmarks/results/doubt.json.
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from measurement import describe_machine, merge_results

from inkdigits import Classifier
from inkdigits.learning import mnist, nondigits
from inkdigits.learning.evaluation import (
    auroc,
    check_probabilities,
    rate_answers,
    selective_accuracy,
    surest_first,
)
from inkdigits.learning.synthesis.lettering import LATIN, LIKE_DIGITS, letters

SEED = 0
IMAGES = 2_000  # of each kind that is not letters

Images = npt.NDArray[np.uint8]


def images_without_digit(digits: Images) -> dict[str, Images]:
    """Return images (N, 28, 28) uint8 by kind."""
    bank, names = letters("held-out")
    like_digits = np.array([name in LIKE_DIGITS for name in names])
    latin = np.array([name in LATIN for name in names])
    kinds = {
        "letters": bank[latin & ~like_digits],
        "letters_of_other_scripts": bank[~latin],
        "letters_like_digits": bank[like_digits],
    }
    for kind in nondigits.pairs, nondigits.lines, nondigits.scribbles, nondigits.shapes, nondigits.noise:
        kinds[kind.__name__] = kind(IMAGES, digits, np.random.default_rng(SEED))
    return kinds | {"blank": np.zeros((1, 28, 28), np.uint8)}


def mistakes_at(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8]) -> list[int]:
    """Return for each wrong answer how many are at least as sure: all that a risk-coverage curve tells."""
    surest = surest_first(*rate_answers(*check_probabilities(probabilities, labels)))
    return np.repeat(surest.answers, np.diff(surest.answers - surest.right, prepend=0)).tolist()


def measure(classifier: Classifier, kinds: dict[str, Images], test: mnist.Split) -> dict[str, Any]:
    """Return AUROC and the share marked doubtful by kind, beside what the threshold gives on digits."""
    threshold = classifier.card.doubt_threshold
    probabilities = classifier.probabilities(test.images)
    sure = selective_accuracy(probabilities, test.labels, threshold)
    of_digits = probabilities.max(axis=1)
    rows = {}
    for kind, images in kinds.items():
        confidence = classifier.probabilities(images).max(axis=1)
        rows[kind] = {
            "images": len(images),
            "auroc": auroc(of_digits, confidence),
            "doubtful": float(np.mean(confidence < threshold)),
        }
    return {
        "threshold": threshold,
        "digits": {
            "images": len(of_digits),
            "coverage": sure.coverage,
            "accuracy": sure.accuracy,
            "mistakes_at": mistakes_at(probabilities, test.labels),
        },
        "kinds": rows,
    }


def main() -> None:
    print(describe_machine())
    test = mnist.load().test
    kinds = images_without_digit(test.images)
    measured = {}
    for folder in sys.argv[1:] or [None]:
        classifier = Classifier(folder)
        name = classifier.card.name
        if name in measured:
            sys.exit(
                f"Two of the models are called {name} on their cards, which is what tells figures apart."
            )
        measured[name] = measure(classifier, kinds, test)
        digits = measured[name]["digits"]
        print(f"\n{name}: {100 * digits['coverage']:.2f} % of the digits not doubtful at its threshold")
        for kind, row in measured[name]["kinds"].items():
            print(
                f"{kind:26}{row['images']:>6} images   AUROC {row['auroc']:.4f}   "
                f"doubtful {100 * row['doubtful']:6.2f} %"
            )
    merge_results("doubt", measured)


if __name__ == "__main__":
    main()
