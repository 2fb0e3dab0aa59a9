"""A recipe over seeds fixed before: each checkpoint chosen on validation, each network tested once.

    python benchmarks/recipe.py compact --seeds 5 --runs runs

Runs are kept in RUNS/RECIPE-SEED; finished ones are used, interrupted ones are gone on with, missing ones are
trained. Figures are of the exported, calibrated networks.
"""

import argparse
import math
from pathlib import Path

from measurement import describe_machine, spread, write_results

from inkdigits import Classifier, train
from inkdigits.learning import mnist
from inkdigits.learning.evaluation import evaluate_probabilities, selective_accuracy

# Two-sided 95 % of Student's t for one degree of freedom less than the number of seeds.
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 10: 2.262}


def measure(recipe: str, seed: int, folder: Path, data: mnist.Mnist) -> dict[str, float]:
    """Train one seed, if that is still to be done, and test it."""
    run = train(recipe, seed=seed, out=folder, resume=folder.exists(), log=print)
    classifier = Classifier(run.path)
    probabilities = classifier.probabilities(data.test.images)
    test = evaluate_probabilities(probabilities, data.test.labels, split="test")
    sure = selective_accuracy(probabilities, data.test.labels, classifier.card.doubt_threshold)
    return {
        "seed": seed,
        "parameters": classifier.card.parameters,
        "validation_accuracy": run.evaluation.accuracy,
        "validation_loss": run.evaluation.loss,
        "test_accuracy": test.accuracy,
        "test_loss": test.loss,
        "test_brier_score": test.brier_score,
        "test_calibration_error": test.expected_calibration_error,
        "not_doubtful_coverage": sure.coverage,
        "not_doubtful_accuracy": sure.accuracy if sure.accuracy is not None else math.nan,
        "training_seconds": sum(row["seconds"] for row in run.history),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    options = parser.parse_args()
    print(describe_machine())
    data = mnist.load()
    rows = [
        measure(options.recipe, seed, options.runs / f"{options.recipe}-{seed}", data)
        for seed in range(options.seeds)
    ]
    for row in rows:
        print(row)
    spreads = {
        key: spread([row[key] for row in rows]) for key in rows[0] if key not in {"seed", "parameters"}
    }
    accuracy = spreads["test_accuracy"]
    half = STUDENT.get(len(rows), 1.96) * accuracy["standard_deviation"] / math.sqrt(len(rows))
    print(
        f"test accuracy: {100 * accuracy['mean']:.3f} %, 95 % interval of the mean ± {100 * half:.3f} points"
    )
    write_results(options.recipe, {"seeds": rows, "spread": spreads, "test_accuracy_half_interval": half})


if __name__ == "__main__":
    main()
