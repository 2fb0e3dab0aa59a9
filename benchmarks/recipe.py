"""A recipe over seeds fixed before: each checkpoint chosen on validation, each network tested once.

    python benchmarks/recipe.py compact --seeds 5 --runs runs
    python benchmarks/recipe.py compact --teacher benchmarks/finished/best-0 --epochs 60

Runs are kept in RUNS/RECIPE-SEED, of a taught network in RUNS/RECIPE-taught-SEED; finished ones are used,
interrupted ones are gone on with, missing ones are trained. What takes hours is kept: ``recipe.py best
--seeds 3 --runs benchmarks/finished`` trains nothing. Figures are of the exported, calibrated networks; the
committee answers with the mean of all seeds' probabilities.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
from measurement import describe_machine, spread, write_results

from inkdigits import Classifier, Run, train
from inkdigits.learning import mnist
from inkdigits.learning.evaluation import (
    apply_temperature,
    calibration_bins,
    evaluate_probabilities,
    expected_calibration_error,
    rate_answers,
    selective_accuracy,
)

# Two-sided 95 % of Student's t for one degree of freedom less than the number of seeds.
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}


Probabilities = npt.NDArray[np.float32]


def measure(run: Run, seed: int, data: mnist.Mnist) -> tuple[dict[str, float], Probabilities]:
    """Test one seed; return its figures and its answers."""
    classifier = Classifier(run.path)
    probabilities = classifier.probabilities(data.test.images)
    sure = selective_accuracy(probabilities, data.test.labels, classifier.card.doubt_threshold)
    before = apply_temperature(probabilities, 1 / classifier.card.calibration["temperature"])
    row = {
        "seed": seed,
        "parameters": classifier.card.parameters,
        "validation_accuracy": run.evaluation.accuracy,
        "validation_loss": run.evaluation.loss,
        **test(probabilities, data.test.labels),
        "test_calibration_error_before": expected_calibration_error(
            calibration_bins(*rate_answers(before, data.test.labels.astype(np.int64)))
        ),
        "not_doubtful_coverage": sure.coverage,
        "not_doubtful_accuracy": sure.accuracy if sure.accuracy is not None else math.nan,
        "training_seconds": sum(row["seconds"] for row in run.history),
    }
    return row, probabilities


def test(probabilities: Probabilities, labels: npt.NDArray[np.uint8]) -> dict[str, float]:
    """Return what these answers are worth on the test part."""
    evaluation = evaluate_probabilities(probabilities, labels, split="test")
    return {
        "test_accuracy": evaluation.accuracy,
        "test_loss": evaluation.loss,
        "test_brier_score": evaluation.brier_score,
        "test_calibration_error": evaluation.expected_calibration_error,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe")
    parser.add_argument(
        "--seeds", type=int, default=5, choices=range(1, 1 + max(STUDENT)), help="how many, from 0"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--teacher", type=Path, help="folder of a classifier whose answers count, too")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    options = parser.parse_args()
    print(describe_machine())
    data = mnist.load()
    name = f"{options.recipe}-taught" if options.teacher else options.recipe

    def run_of(seed: int) -> Run:
        folder = options.runs / f"{name}-{seed}"
        return train(
            options.recipe,
            seed=seed,
            epochs=options.epochs,
            teacher=options.teacher,
            out=folder,
            resume=folder.exists(),
            log=print,
        )

    rows, answers = zip(*(measure(run_of(seed), seed, data) for seed in range(options.seeds)), strict=True)
    committee = test(np.mean(answers, axis=0), data.test.labels)
    for row in (*rows, committee):
        print(row)
    spreads = {
        key: spread([row[key] for row in rows]) for key in rows[0] if key not in {"seed", "parameters"}
    }
    accuracy = spreads["test_accuracy"]
    print(f"test accuracy: {100 * accuracy['mean']:.3f} %", end="")
    half = None
    if len(rows) > 1:
        half = STUDENT[len(rows)] * accuracy["standard_deviation"] / math.sqrt(len(rows))
        print(f", 95 % interval of the mean ± {100 * half:.3f} points", end="")
    print()
    write_results(
        name,
        {
            "seeds": rows,
            "spread": spreads,
            "test_accuracy_half_interval": half,
            "committee": committee,
        },
    )


if __name__ == "__main__":
    main()
