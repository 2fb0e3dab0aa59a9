"""Draw the charts of docs/results.md from benchmarks/results/*.json alone.

    python benchmarks/charts.py

What has not been measured is left out. The style is that of a training's own figures.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from measurement import is_measured, read_results
from report import RECIPES

from inkdigits.learning.figures import GRAY, INK, PALE, RIGHT, WRONG, new_figure, scale_to_percent

IMAGES = Path(__file__).parents[1] / "docs" / "images"
ACCURACIES = (0.98, 0.985, 0.99, 0.992, 0.994, 0.995, 0.996, 0.997, 0.998)
# The color-blind safe palette of the figures, and a hatch of its own for each network.
COLORS = (PALE, RIGHT, WRONG, "#009E73", "#E69F00", "#56B4E9")
HATCHES = ("", "", "////", "....", "xxxx", "----")
COVERAGES = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
TITLES = {"keras_example": "keras.io"}


# Where a point's name stands: points to the right and up, and how it is aligned there.
Place = tuple[tuple[int, int], str, str]
LEFT: Place = ((-7, -3), "right", "top")
ABOVE: Place = ((-7, 5), "right", "bottom")
RIGHT_OF: Place = ((12, -3), "left", "top")
RIGHT_ABOVE: Place = ((8, 4), "left", "bottom")
BELOW: Place = ((-4, -8), "left", "top")


class Anchor(NamedTuple):
    """A published network: parameters, test accuracy, and whether its checkpoint was chosen on test."""

    source: str
    parameters: int
    accuracy: float
    chosen_on_test: bool
    place: Place = RIGHT_OF


# Parameters are those published, or counted from the published layers (the second and the third).
ANCHORS = (
    Anchor("keras-io mnist_convnet", 34_826, 0.9922, chosen_on_test=False, place=RIGHT_ABOVE),
    Anchor("cdeotte/MNIST-CNN-99.75,\nmean of 1,500", 327_242, 0.99641, chosen_on_test=False, place=BELOW),
    Anchor("ttdoucet/mnist,\nmean of 10", 4_732_682, 0.99738, chosen_on_test=False),
    Anchor("Byerly, arXiv 2001.09136,\nbest single", 1_500_000, 0.9983, chosen_on_test=False),
    # Of these two no more is known than that their authors say so.
    Anchor("", 9_000, 0.995, chosen_on_test=True),
    Anchor("", 19_898, 0.9954, chosen_on_test=True),
)


def draw_accuracy(path: Path) -> None:
    """Draw test accuracy against parameters, ours and published."""
    classic = read_results("classic")
    ours = {part: classic[part] for part in ("classic", "quick") if part in classic}
    ours |= {recipe: read_results(recipe) for recipe in RECIPES if is_measured(recipe)}
    subtitle = (
        "Ours: mean over seeds, each checkpoint chosen on validation; bars: standard deviation, if several.\n"
        "The axis of accuracy widens toward 100%."
    )
    with new_figure(path, "Accuracy against size", subtitle, height=4.9) as figure:
        axes = figure.subplots()
        for name, results in ours.items():
            spread, parameters = results["spread"]["test_accuracy"], results["seeds"][0]["parameters"]
            axes.errorbar(
                parameters, spread["mean"], spread["standard_deviation"], fmt="o", ms=7, color=RIGHT
            )
            # Published networks lie on the left of these, below.
            place = ABOVE if name in {"best", "compact-taught"} else LEFT
            _note(axes, name, parameters, spread["mean"], place, color=RIGHT, weight="bold")
        for chosen, marker, label in (
            (False, "s", "published"),
            (True, "x", "reported, checkpoint chosen on test: optimistic"),
        ):
            points = [anchor for anchor in ANCHORS if anchor.chosen_on_test == chosen]
            axes.plot(
                [point.parameters for point in points],
                [point.accuracy for point in points],
                marker,
                ms=6,
                mfc="none",
                mec=GRAY,
                label=label,
            )
        for anchor in ANCHORS:
            _note(axes, anchor.source, anchor.parameters, anchor.accuracy, anchor.place, color=GRAY)
        axes.plot([], [], "o", ms=7, color=RIGHT, label="inkdigits")
        axes.legend(loc="upper left")
        axes.set(xscale="log", xlim=(6_000, 30_000_000), xlabel="Parameters", ylabel="MNIST test accuracy")
        axes.set_xticks([1e4, 1e5, 1e6, 1e7], ["10,000", "100,000", "1,000,000", "10,000,000"])
        axes.grid()
        lowest = min(results["spread"]["test_accuracy"]["mean"] for results in ours.values())
        scale_to_percent(axes, "y", ACCURACIES, ends=(lowest, 0.9985))


def _note(axes: Axes, text: str, x: float, y: float, place: Place, **style: str) -> None:
    offset, horizontal, vertical = place
    axes.annotate(
        text, (x, y), xytext=offset, textcoords="offset points", size=8.5, ha=horizontal, va=vertical, **style
    )


def draw_time_to_99(path: Path) -> None:
    """Draw how long each seed trains to 99.0 % on validation, of what was measured in the same run."""
    classic = read_results("classic")
    machine = classic["keras_example"]["machine"]
    parts = [
        part
        for part in ("quick", "classic", "keras_example")
        if part in classic and classic[part]["machine"] == machine
    ]
    subtitle = (
        "Seconds of training to the first epoch with 99.0% on validation: each seed, and their mean (line).\n"
        "Two cores, no accelerator. Hollow: a seed that never got there, at the end of its training."
    )
    height = 1.6 + 0.5 * len(parts)
    with new_figure(path, "Time to 99%", subtitle, height=height) as figure:
        axes = figure.subplots()
        for row, part in enumerate(parts):
            for seed in classic[part]["seeds"]:
                color = GRAY if part == "keras_example" else RIGHT
                fill = color if seed["reached_99"] else "none"
                axes.plot(seed["seconds_to_99"], row, "o", ms=6, mec=color, mfc=fill)
            mean = classic[part]["spread"]["seconds_to_99"]["mean"]
            axes.plot([mean, mean], [row - 0.3, row + 0.3], color=INK, lw=2)
        axes.set_yticks(range(len(parts)), [TITLES.get(part, part) for part in parts])
        axes.set(xlabel="Seconds", xlim=(0, None), ylim=(len(parts) - 0.5, -0.5))
        axes.grid(axis="x")


def draw_robustness(path: Path) -> None:
    """Draw accuracy by corruption, the mean first, a bar a network."""
    results = read_results("robustness")
    first = next(iter(results.values()))
    names = ["mean", *first["corrupted"]]
    subtitle = "MNIST's test images, damaged in fifteen ways (after MNIST-C, arXiv 1906.02337): accuracy, %."
    with new_figure(path, "Damaged digits", subtitle, height=1.7 + 0.36 * len(names)) as figure:
        axes = figure.subplots()
        _draw_bars(
            axes,
            [name.replace("_", " ") for name in names],
            {
                TITLES.get(network, network): [100 * row["mean"]]
                + [100 * row["corrupted"][name] for name in first["corrupted"]]
                for network, row in results.items()
            },
        )
        axes.axhline(0.5, color=INK, lw=0.8)
        axes.set(xlim=(0, 100), xlabel="Accuracy, %")


def draw_calibrated(path: Path) -> None:
    """Draw each recipe's calibration error before and after calibration."""
    recipes = {recipe: read_results(recipe)["spread"] for recipe in RECIPES if is_measured(recipe)}
    subtitle = (
        "Expected calibration error on MNIST test (15 bins of equal size), mean over seeds.\n"
        "The temperature that calibrates was fitted on validation."
    )
    with new_figure(path, "Confidence", subtitle, height=1.7 + 0.6 * len(recipes)) as figure:
        axes = figure.subplots()
        _draw_bars(
            axes,
            recipes,
            {
                title: [100 * spread[key]["mean"] for spread in recipes.values()]
                for title, key in (
                    ("before calibration", "test_calibration_error_before"),
                    ("calibrated", "test_calibration_error"),
                )
            },
        )
        axes.set(xlabel="Calibration error (ECE), %")


def draw_risk_coverage(path: Path) -> None:
    """Draw how many answers are wrong if only the surest are given, a line a network."""
    results = read_results("doubt")
    subtitle = (
        "MNIST's test images, the surest answers first. A dot is where doubt begins: there 0.1% of wrong\n"
        "answers are promised (dotted line). The lower axis widens toward 100%."
    )
    with new_figure(path, "What doubt buys", subtitle, height=4.4) as figure:
        axes = figure.subplots()
        for color, (network, row) in zip((GRAY, *COLORS[1:]), results.items(), strict=False):
            digits = row["digits"]
            answers = np.arange(1, digits["images"] + 1)
            risk = np.searchsorted(digits["mistakes_at"], answers, side="right") / answers
            axes.plot(answers / digits["images"], 100 * risk, color=color, label=network)
            axes.plot(digits["coverage"], 100 * (1 - digits["accuracy"]), "o", ms=6, color=color)
        axes.axhline(0.1, color=INK, lw=0.8, ls=":")
        axes.set(xlabel="Coverage: share of the images answered", ylabel="Risk: wrong answers among these, %")
        axes.set_ylim(0)
        axes.legend(loc="upper left")
        axes.grid()
        scale_to_percent(axes, "x", COVERAGES, ends=(0.8, 0.9999))


def _draw_bars(axes: Axes, names: Iterable[str], groups: dict[str, list[float]]) -> None:
    """Draw a row a name with a bar a group in it, the first on top."""
    names = list(names)
    thick = 0.8 / len(groups)
    for place, (title, values) in enumerate(groups.items()):
        rows = [row + (place - (len(groups) - 1) / 2) * thick for row in range(len(names))]
        color, hatch = COLORS[place], HATCHES[place]
        axes.barh(rows, values, thick, color=color, hatch=hatch, ec="white", lw=0, label=title)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=len(groups))


def main() -> None:
    draw_accuracy(IMAGES / "accuracy.png")
    draw_time_to_99(IMAGES / "time-to-99.png")
    if any(map(is_measured, RECIPES)):
        draw_calibrated(IMAGES / "calibrated.png")
    if is_measured("doubt"):
        draw_risk_coverage(IMAGES / "risk-coverage.png")
    if is_measured("robustness"):
        draw_robustness(IMAGES / "robustness.png")
    print(f"Written to {IMAGES}")


if __name__ == "__main__":
    main()
