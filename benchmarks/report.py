"""Write docs/results.md and the README's table from benchmarks/results/*.json.

python benchmarks/report.py
"""

import re
from pathlib import Path
from typing import Any

from measurement import read_results

ROOT = Path(__file__).parents[1]


def machine_line(results: dict[str, Any]) -> str:
    """Say where and with what these results were measured."""
    machine = results["machine"]
    versions = ", ".join(f"{package} {version}" for package, version in machine["versions"].items())
    return (
        f"Measured {machine['date']} on {machine['cores']} cores of {machine['processor']} "
        f"({machine['system']}, Python {machine['python']}; {versions})."
    )


def mean_and_spread(values: dict[str, float], *, factor: float = 1, digits: int = 2) -> str:
    """Write a mean with its standard deviation."""
    return f"{factor * values['mean']:.{digits}f} ± {factor * values['standard_deviation']:.{digits}f}"


def networks_table(results: dict[str, Any], compact: dict[str, Any]) -> str:
    """Compare the documented figures, ours and the keras.io example's."""
    rows = [
        "| network | parameters | validation, % | cross-entropy | test, % | training, s | µs an image |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| the documented exercise, one run | 35,274 | 98.62 | 0.0515 | | | 295 |",
    ]
    for title, key, parameters in (
        ("**`classic`**", "classic", "35,274"),
        ("the keras.io convnet, trained beside it", "keras_example", "34,826"),
    ):
        spread = results[key]["spread"]
        rows.append(
            f"| {title}, mean of {spread['test_accuracy']['runs']} seeds | {parameters} "
            f"| {mean_and_spread(spread['validation_accuracy'], factor=100)} "
            f"| {mean_and_spread(spread['validation_loss'], digits=4)} "
            f"| {mean_and_spread(spread['test_accuracy'], factor=100)} "
            f"| {mean_and_spread(spread['training_seconds'], digits=1)} "
            f"| {mean_and_spread(spread['microseconds_per_image'], digits=0)} |"
        )
    spread, parameters = compact["spread"], compact["seeds"][0]["parameters"]
    rows.append(
        f"| **`compact`**, mean of {spread['test_accuracy']['runs']} seeds | {parameters:,} "
        f"| {mean_and_spread(spread['validation_accuracy'], factor=100)} "
        f"| {mean_and_spread(spread['validation_loss'], digits=4)} "
        f"| {mean_and_spread(spread['test_accuracy'], factor=100)} "
        f"| {mean_and_spread(spread['training_seconds'], digits=0)} | |"
    )
    return "\n".join(rows)


def recipe_table(results: dict[str, Any]) -> str:
    """List every seed of a recipe."""
    rows = [
        "| seed | validation, % | test, % | cross-entropy | Brier | ECE, % | not doubtful, % | right, % |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| {row['seed']} | {100 * row['validation_accuracy']:.2f} "
        f"| {100 * row['test_accuracy']:.2f} | {row['test_loss']:.4f} "
        f"| {row['test_brier_score']:.4f} | {100 * row['test_calibration_error']:.2f} "
        f"| {100 * row['not_doubtful_coverage']:.2f} | {100 * row['not_doubtful_accuracy']:.2f} |"
        for row in results["seeds"]
    ]
    accuracy, half = results["spread"]["test_accuracy"], results["test_accuracy_half_interval"]
    summary = (
        f"\nTest accuracy {100 * accuracy['mean']:.3f} %, standard deviation "
        f"{100 * accuracy['standard_deviation']:.3f}, 95 % interval of the mean ± {100 * half:.3f}."
    )
    return "\n".join([*rows, summary])


def seeds_table(results: dict[str, Any]) -> str:
    """List every seed."""
    rows = [
        "| network | seed | validation accuracy, % | cross-entropy | test accuracy, % | test cross-entropy |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for title, key in (("`classic`", "classic"), ("keras.io", "keras_example")):
        rows += [
            f"| {title} | {row['seed']} "
            f"| {100 * row['validation_accuracy']:.2f} | {row['validation_loss']:.4f} "
            f"| {100 * row['test_accuracy']:.2f} | {row['test_loss']:.4f} |"
            for row in results[key]["seeds"]
        ]
    return "\n".join(rows)


def latency_table(results: dict[str, Any]) -> str:
    """List what one digit costs."""
    milliseconds = {name: 1000 * value for name, value in results.items() if name.endswith("_seconds")}
    labels = {
        "import_seconds": "`import inkdigits`",
        "command_seconds": "`inkdigits classify` from start to end, offline",
        "classify_drawing_100x100_seconds": "`classify` of a decoded drawing of 100 x 100 pixels",
        "classify_photo_100x100_seconds": "`classify` of a decoded photo of 100 x 100 pixels",
        "classify_jpeg_400x400_seconds": "`classify` of a JPEG file of 400 x 400 pixels",
        "probabilities_one_image_seconds": "`probabilities` of one image in MNIST's form",
    }
    rows = ["| what | median, ms | runs |", "| --- | --- | --- |"]
    for name, label in labels.items():
        runs = results["process_runs" if name in {"import_seconds", "command_seconds"} else "calls"]
        rows.append(f"| {label} | {milliseconds[name]:.3g} | {runs:,} |")
    return "\n".join(rows)


def real_table(results: dict[str, Any]) -> str:
    """List how other hands are read, a column a model."""
    models = results["models"]
    first = next(iter(models.values()))
    rows = [
        f"| pictures | how many | {' | '.join(f'`{name}`, %' for name in models)} |",
        f"| --- | --- |{' --- |' * len(models)}",
    ]
    for kind, count in sorted(first["singles"]["pictures"].items()):
        shares = " | ".join(f"{100 * model['singles']['accuracy'][kind]:.1f}" for model in models.values())
        rows.append(f"| singles, {kind} | {count:,} | {shares} |")
    for key, title in (("semeion", "Semeion"), ("optdigits32_test", "optdigits")):
        shares = " | ".join(f"{100 * model[key]['accuracy']:.1f}" for model in models.values())
        rows.append(f"| {title} | {first[key]['pictures']:,} | {shares} |")
    for title, figure in (
        ("singles answered without doubt", lambda singles: singles["not_doubtful"]["coverage"]),
        ("right among these", lambda singles: singles["not_doubtful"]["accuracy"]),
        ("calibration error (ECE) on the singles", lambda singles: singles["expected_calibration_error"]),
    ):
        shares = " | ".join(f"{100 * figure(model['singles']):.1f}" for model in models.values())
        rows.append(f"| {title} | | {shares} |")
    return "\n".join(rows)


def results_page() -> str:
    """Return docs/results.md."""
    classic, compact, latency, real = map(read_results, ("classic", "compact", "latency", "real"))
    to_99 = classic["keras_example"]["spread"]["seconds_to_99"]
    ours_to_99 = classic["classic"]["spread"]["seconds_to_99"]
    return f"""# Measured results

Made by `python benchmarks/report.py` from `benchmarks/results/`; do not edit. Means are ± one standard
deviation.

## The documented network

`python benchmarks/classic.py`. {machine_line(classic)}

{networks_table(classic, compact)}

The validation figures are of the uncalibrated network at the epoch chosen there, as the documented
exercise measures them; microseconds an image are of the exported network for `classic` and of `evaluate` in
Keras for the keras.io example. The test figures are of the exported network for `classic`, of the last epoch
for the example. Training to the first epoch with 99.0 % validation accuracy, or to the end, takes
{mean_and_spread(ours_to_99, digits=0)} s with `classic`,
{mean_and_spread(to_99, digits=0)} s with the example.

{seeds_table(classic)}

The test part has 15 human-validated label errors ([arXiv 2103.14749](https://arxiv.org/abs/2103.14749)).

## `compact`: no more parameters, half the mistakes

`python benchmarks/recipe.py compact`. Augmented; figures of the exported, calibrated networks.
{machine_line(compact)}

{recipe_table(compact)}

## One digit in a picture: time

`python benchmarks/latency.py`. {machine_line(latency)}

{latency_table(latency)}

## Other hands

`python benchmarks/real.py`, on a private collection, not distributed: single digits by dozens of hands,
photographed, scanned and drawn, and small bitmaps given as pictures. Nothing was trained on them.
{machine_line(real)}

{real_table(real)}
"""


def readme_with_table(readme: str) -> str:
    """Return the README with the current table of the documented network."""
    table = networks_table(read_results("classic"), read_results("compact"))
    marked = f"<!-- measured: begin -->\n{table}\n<!-- measured: end -->"
    return re.sub(
        r"<!-- measured: begin -->.*<!-- measured: end -->", lambda _: marked, readme, flags=re.DOTALL
    )


def main() -> None:
    (ROOT / "docs" / "results.md").write_text(results_page())
    readme = ROOT / "README.md"
    readme.write_text(readme_with_table(readme.read_text()))
    print("Written: docs/results.md and the README's table")


if __name__ == "__main__":
    main()
