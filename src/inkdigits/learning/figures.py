"""The pictures of a training: examples, curves, confusion, predictions, worst mistakes, calibration, doubt.

Plain data and a path go in, a PNG file is written, whole or not at all. Matplotlib is used without pyplot:
the figures of a program that embeds inkdigits, its backend and its settings stay as they are.

One style for all: as wide as the text of a page, dark ink on light paper whatever a picture's own polarity,
blue for right and vermilion for wrong. These two differ for every kind of color vision (Okabe and Ito, "Color
universal design", 2008), and nothing is told by color alone.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inkdigits.errors import ArgumentError, MissingExtraError
from inkdigits.files import replacing
from inkdigits.learning.evaluation import (
    DIGITS,
    CalibrationBin,
    Floats,
    Integers,
    calibration_bins,
    check_labels,
    check_probabilities,
    evaluate_probabilities,
    expected_calibration_error,
    rate_answers,
    risk_coverage,
    selective_accuracy,
    wilson_interval,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pictures = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]

DOTS_PER_INCH = 200
# Everything else is in inches.
WIDTH = 7.0
MARGIN = 0.15
HEADING = 0.8  # height of a title and a line below it

RIGHT, WRONG = "#0072B2", "#D55E00"
INK, GRAY, PALE = "#222222", "#606060", "#DDDDDD"
STYLE = {
    "font.size": 9,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRAY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": GRAY,
    "ytick.color": GRAY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.5,
    "hatch.linewidth": 0.8,
}

EXAMPLES = 6  # of each digit
CELLS, COLUMNS = 24, 6  # of a page of answers


def draw_figures(
    folder: str | PathLike[str],
    *,
    images: Pictures,
    labels: ArrayLike,
    probabilities: ArrayLike,
    uncalibrated: ArrayLike,
    threshold: float,
    history: Sequence[Mapping[str, float]],
    chosen_epoch: int,
    peek_images: Pictures,
    peek_labels: ArrayLike,
) -> list[Path]:
    """Draw the seven figures of a training.

    Args:
        folder: where they go; it must exist. Older figures of the same names are replaced.
        images: (N, 28, 28) uint8, never seen in training.
        labels: (N,) whole numbers, 0 to 9, of these images.
        probabilities: (N, 10) floats, what the network says of them.
        uncalibrated: (N, 10) floats, what it said before its confidence was calibrated.
        threshold: the confidence below which an answer is doubtful, 0 to 1.
        history: as for ``draw_curves``.
        chosen_epoch: the epoch whose weights were kept.
        peek_images: (M, 28, 28) uint8, images to show as examples of the data.
        peek_labels: (M,) whole numbers, 0 to 9, of these images.

    Returns:
        The paths of ``examples.png``, ``curves.png``, ``confusion.png``, ``predictions.png``,
        ``mistakes.png``, ``calibration.png`` and ``doubt.png``.

    Raises:
        ArgumentError: the data are not as described.
        MissingExtraError: Matplotlib is not installed.
        OSError: the folder or the disk doesn't take a file; the figures before it are there.
    """
    folder = Path(folder)
    confusion = evaluate_probabilities(probabilities, labels, split="validation").confusion
    draw_examples(folder / "examples.png", peek_images, peek_labels)
    draw_curves(folder / "curves.png", history, chosen_epoch)
    draw_confusion(folder / "confusion.png", confusion)
    draw_predictions(folder / "predictions.png", images, labels, probabilities)
    draw_mistakes(folder / "mistakes.png", images, labels, probabilities)
    draw_calibration(folder / "calibration.png", labels, probabilities, uncalibrated)
    draw_doubt(folder / "doubt.png", labels, probabilities, threshold)
    names = ["examples", "curves", "confusion", "predictions", "mistakes", "calibration", "doubt"]
    return [folder / f"{name}.png" for name in names]


def draw_examples(path: str | PathLike[str], images: Pictures, labels: ArrayLike) -> None:
    """Draw a look at the data: the first six images of each digit, and how many there are of it.

    Args:
        path: the PNG file; its folder must exist.
        images: (N, 28, 28) uint8, or N gray pictures (height, width) uint8 of any size; N at least 1.
        labels: (N,) whole numbers, 0 to 9.

    Raises:
        ArgumentError: the images or labels are not as described.
        MissingExtraError: Matplotlib is not installed.
        OSError: the folder or the disk doesn't take the file.
    """
    _check_pictures(images)
    digits = check_labels(labels, len(images))
    of_digit = [np.flatnonzero(digits == digit) for digit in range(DIGITS)]
    rows = min(EXAMPLES, max(map(len, of_digit)))
    cell = (WIDTH - 2 * MARGIN) / DIGITS
    top = HEADING + 0.3
    bottom = top + rows * cell
    subtitle = f"The first images of each digit out of {len(digits):,}; below them, how many there are."
    with new_figure(path, "A look at the data", subtitle, height=bottom + 0.4) as figure:
        page = _page(figure)
        for digit, found in enumerate(of_digit):
            center = MARGIN + (digit + 0.5) * cell
            page.text(center, top - 0.1, f"{digit}", ha="center", size=13, weight="bold")
            page.text(center, bottom + 0.2, f"{len(found):,}", ha="center", color=GRAY)
            for row, index in enumerate(found[:rows]):
                _show_picture(page, images[index], x=center, y=top + (row + 0.5) * cell, size=0.9 * cell)


def draw_curves(
    path: str | PathLike[str],
    history: Sequence[Mapping[str, float]],
    chosen_epoch: int,
    *,
    score: str = "accuracy",
) -> None:
    """Draw loss and accuracy epoch by epoch, and which epoch was chosen.

    Args:
        path: the PNG file; its folder must exist.
        history: one row an epoch, at least one, with epoch, loss, accuracy, validation_loss,
            validation_accuracy, learning_rate and seconds. An accuracy is 0 to 1, or NaN where it has no
            meaning.
        chosen_epoch: the epoch whose weights were kept.
        score: what stands in the history as accuracy.

    Raises:
        ArgumentError: the history has no such epoch.
        MissingExtraError: Matplotlib is not installed.
        OSError: the folder or the disk doesn't take the file.
    """
    column = {name: [row[name] for row in history] for name in (history[0] if history else ["epoch"])}
    epochs = column["epoch"]
    if chosen_epoch not in epochs:
        raise ArgumentError(
            f"The chosen epoch must be one of the history's. Received: {chosen_epoch!r}. Accepted: {epochs}"
        )
    chosen = epochs.index(chosen_epoch)
    subtitle = (
        f"Epoch {chosen_epoch} of {len(epochs)} was chosen: "
        f"{score} {100 * column['validation_accuracy'][chosen]:.2f}% on validation."
    )
    with new_figure(path, "Learning curves", subtitle, height=4.9) as figure:
        from matplotlib.ticker import LogLocator, MaxNLocator

        panels = figure.subplot_mosaic(
            [["loss", "accuracy"], ["learning_rate", "seconds"]], height_ratios=[5, 2], sharex=True
        )
        marker = "o" if len(epochs) <= 40 else ""
        for name in "loss", "accuracy":
            validation = column[f"validation_{name}"]
            panels[name].plot(epochs, column[name], "s--", ms=3 * bool(marker), color=GRAY, label="training")
            panels[name].plot(epochs, validation, marker=marker, ms=4, color=RIGHT, label="validation")
            panels[name].plot(
                chosen_epoch, validation[chosen], "o", ms=10, mfc="none", mec=INK, label="chosen epoch"
            )
        for name in "learning_rate", "seconds":
            panels[name].plot(epochs, column[name], marker=marker, ms=3, color=GRAY)
            panels[name].set_ylim(0, 1.1 * max(column[name]) or 1)
            panels[name].set(xlabel="Epoch", xlim=(min(epochs) - 0.5, max(epochs) + 0.5))
            panels[name].xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        for panel in panels.values():
            panel.axvline(chosen_epoch, color=INK, lw=0.8, ls=":")
            panel.grid(axis="y")
        # A logarithmic axis can't show 0, nor the NaN of a training that diverged.
        losses = [loss for loss in column["loss"] + column["validation_loss"] if 0 < loss < math.inf]
        panels["loss"].set_ylim(min(losses, default=1) / 1.3, max(losses, default=1) * 1.3)
        panels["loss"].set(ylabel="Loss", yscale="log")
        panels["loss"].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panels["loss"].yaxis.set_major_formatter("{x:g}")
        panels["loss"].minorticks_off()
        panels["loss"].legend()
        panels["accuracy"].set_ylabel(f"{score[0].upper()}{score[1:]} (widening toward 100%)")
        panels["learning_rate"].set_ylabel("Learning rate")
        panels["seconds"].set_ylabel("Seconds")
        # The parts of the page reader have no accuracy in training.
        accuracies = [a for a in column["accuracy"] + column["validation_accuracy"] if math.isfinite(a)]
        low, high = min(accuracies), max(accuracies)
        ticks = TICKS if high > 0.9 else TWENTIETHS
        scale_to_percent(panels["accuracy"], "y", ticks, ends=(low, high))


def draw_confusion(path: str | PathLike[str], confusion: ArrayLike) -> None:
    """Draw which digits are taken for which. Only mistakes have color: right answers don't drown them.

    Args:
        path: the PNG file; its folder must exist.
        confusion: (10, 10) counts; row = label, column = answer.

    Raises:
        ArgumentError: these are not ten rows of ten counts.
        MissingExtraError: Matplotlib is not installed.
        OSError: the folder or the disk doesn't take the file.
    """
    counts = np.asarray(confusion)
    if counts.shape != (DIGITS, DIGITS) or counts.dtype.kind not in "iu" or counts.min() < 0:
        raise ArgumentError(
            "A confusion matrix has ten rows of ten counts. "
            f"Received: shape {counts.shape} of {counts.dtype}. Accepted: (10, 10) whole numbers, 0 or more"
        )
    mistakes = counts - np.diag(counts.diagonal())
    subtitle = f"Read as another digit than their label: {mistakes.sum():,} of {counts.sum():,} images."
    with new_figure(path, "Which digits are taken for which", subtitle, width=6, height=6.55) as figure:
        from matplotlib.colors import LinearSegmentedColormap

        # The darkest color still lets dark print be read.
        colors = LinearSegmentedColormap.from_list("mistakes", ["white", "#F6C9A8", "#E8843C"])
        cells = colors(mistakes / max(1, mistakes.max()))
        cells[range(DIGITS), range(DIGITS), :3] = 0.93
        axes = figure.subplots()
        axes.imshow(cells)
        for (label, answer), count in np.ndenumerate(counts):
            size, weight, color = (9, "normal", GRAY) if label == answer else (11, "bold", INK)
            if count or label == answer:
                axes.text(
                    answer,
                    label,
                    f"{count:,}",
                    ha="center",
                    va="center_baseline",
                    size=size,
                    weight=weight,
                    color=color,
                )
        axes.set(xlabel="Answer: what it was read as", ylabel="Label: what it is")
        axes.set(xticks=range(DIGITS), yticks=range(DIGITS))
        axes.tick_params(length=0, labelsize=11)
        axes.spines[:].set(visible=True, color=PALE)
        for line in range(1, DIGITS):
            axes.axhline(line - 0.5, color=PALE, lw=0.6)
            axes.axvline(line - 0.5, color=PALE, lw=0.6)


def draw_predictions(
    path: str | PathLike[str], images: Pictures, labels: ArrayLike, probabilities: ArrayLike
) -> None:
    """Draw what the network says of the first 24 images, not picked: mistakes are as rare as they are.

    Args:
        path: the PNG file; its folder must exist.
        images: (N, 28, 28) uint8, or N gray pictures (height, width) uint8 of any size; N at least 1.
        labels: (N,) whole numbers, 0 to 9.
        probabilities: (N, 10) floats; each row adds up to 1.

    Raises:
        ArgumentError: the data are not as described.
        MissingExtraError: Matplotlib is not installed.
        OSError: the folder or the disk doesn't take the file.
    """
    probabilities, labels = check_probabilities(probabilities, labels)
    _check_pictures(images, len(labels))
    _, right = rate_answers(probabilities, labels)
    shown = np.arange(min(CELLS, len(labels)))
    subtitle = (
        f"The first {len(shown)} of {len(labels):,} images, not picked. Read right: {right[shown].sum()}."
    )
    title = "Predictions on images never seen"
    _draw_answers(path, title, subtitle, shown, images=images, labels=labels, probabilities=probabilities)


def draw_mistakes(
    path: str | PathLike[str],
    images: Pictures,
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    counts: tuple[int, int] | None = None,
) -> None:
    """Draw the worst mistakes: the 24 wrong answers of the highest confidence, the surest first.

    Args:
        path: the PNG file; its folder must exist.
        images: (N, 28, 28) uint8, or N gray pictures (height, width) uint8 of any size; N at least 1.
        labels: (N,) whole numbers, 0 to 9.
        probabilities: (N, 10) floats; each row adds up to 1.
        counts: how many images are wrong and how many there are, where these are only the part to show;
            None to count these.

    Raises:
        ArgumentError: the data are not as described.
        MissingExtraError: Matplotlib is not installed.
        OSError: the folder or the disk doesn't take the file.
    """
    probabilities, labels = check_probabilities(probabilities, labels)
    _check_pictures(images, len(labels))
    confidence, right = rate_answers(probabilities, labels)
    wrong = np.flatnonzero(~right)
    shown = wrong[np.argsort(-confidence[wrong], kind="stable")][:CELLS]
    mistakes, total = counts or (len(wrong), len(labels))
    subtitle = f"Read wrong: {mistakes:,} of {total:,} images."
    if len(shown) > 1:
        subtitle += f" The {len(shown)} surest wrong answers, the surest first:"
    title = "The worst mistakes"
    _draw_answers(path, title, subtitle, shown, images=images, labels=labels, probabilities=probabilities)


def draw_calibration(
    path: str | PathLike[str],
    labels: ArrayLike,
    probabilities: ArrayLike,
    uncalibrated: ArrayLike | None = None,
) -> None:
    """Draw how far confidence can be trusted: how often answers are right against how sure they are.

    Args:
        path: the PNG file; its folder must exist.
        labels: (N,) whole numbers, 0 to 9, N at least 1.
        probabilities: (N, 10) floats; each row adds up to 1.
        uncalibrated: (N, 10) floats, the same before calibration, drawn behind them; None to leave it out.

    Raises:
        ArgumentError: the data are not as described.
        MissingExtraError: Matplotlib is not installed.
        OSError: the folder or the disk doesn't take the file.
    """
    confidence, right = rate_answers(*check_probabilities(probabilities, labels))
    bins = calibration_bins(confidence, right)
    before = None
    title = f"Calibration error (ECE): {100 * expected_calibration_error(bins):.2f}%"
    if uncalibrated is not None:
        before = calibration_bins(*rate_answers(*check_probabilities(uncalibrated, labels)))
        title += f", before: {100 * expected_calibration_error(before):.2f}%"
    subtitle = (
        f"{len(right):,} answers, sorted by confidence into {len(bins)} bins of equal size; "
        "bars: 95% intervals.\nBoth axes widen toward 100%, where a good network's answers are."
    )
    with new_figure(path, title, subtitle, width=6, height=7.2) as figure:
        reliability, histogram = figure.subplots(2, 1, height_ratios=[3, 1], sharex=True)
        _draw_reliability(reliability, bins, before)
        _draw_histogram(histogram, confidence, right)


def _draw_reliability(axes: Axes, bins: list[CalibrationBin], before: list[CalibrationBin] | None) -> None:
    sure = [each.confidence for each in bins]
    accuracy = np.array([each.accuracy for each in bins])
    low, high = np.transpose([wilson_interval(each.accuracy * each.images, each.images) for each in bins])
    axes.plot([0, 1], [0, 1], "--", color=GRAY, lw=1)
    if before is not None:
        axes.plot(
            [each.confidence for each in before],
            [each.accuracy for each in before],
            "s",
            ms=5,
            mfc="none",
            mec=WRONG,
            label="before calibration",
        )
    spread = [(accuracy - low).clip(0), (high - accuracy).clip(0)]
    axes.errorbar(sure, accuracy, spread, fmt="o", ms=5, color=RIGHT, elinewidth=1.2, label="calibrated")
    if before is not None:
        axes.legend(loc="upper left", bbox_to_anchor=(0, 0.9))
    axes.text(0.03, 0.92, "not sure enough", transform=axes.transAxes, color=GRAY, style="italic")
    axes.text(0.97, 0.04, "too sure", transform=axes.transAxes, color=GRAY, style="italic", ha="right")
    axes.set_ylabel("Accuracy: share of right answers")
    axes.grid()
    scale_to_percent(axes, "y", TICKS, ends=(0, 1))


def _draw_histogram(axes: Axes, confidence: Floats, right: NDArray[np.bool_]) -> None:
    # The last edge is 1 exactly: rounding must not leave out the answers of complete certainty.
    edges = [*_from_nines(np.linspace(_to_nines(0), _to_nines(1), 41))[:-1], 1.0]
    axes.hist(confidence, edges, color=RIGHT, label="all answers")
    axes.hist(confidence[~right], edges, color=WRONG, hatch="////", ec="white", lw=0, label="wrong answers")
    axes.set(xlabel="Confidence of the network", ylabel="Answers", yscale="log")
    axes.set_ylim(bottom=0.7)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.minorticks_off()
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=2)
    axes.grid(axis="y")
    scale_to_percent(axes, "x", [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1], ends=(0, 1))


def draw_doubt(
    path: str | PathLike[str], labels: ArrayLike, probabilities: ArrayLike, threshold: float
) -> None:
    """Draw what doubting buys: how many answers are wrong if only the surest are given.

    Args:
        path: the PNG file; its folder must exist.
        labels: (N,) whole numbers, 0 to 9, N at least 1.
        probabilities: (N, 10) floats; each row adds up to 1.
        threshold: the confidence below which an answer is doubtful, 0 to 1.

    Raises:
        ArgumentError: the data are not as described.
        MissingExtraError: Matplotlib is not installed.
        OSError: the folder or the disk doesn't take the file.
    """
    curve = risk_coverage(probabilities, labels)
    sure = selective_accuracy(probabilities, labels, threshold)
    subtitle = (
        f"Answers below a confidence of {100 * threshold:.4g}% are doubtful. "
        "The lower axis widens toward 100%.\n"
        f"Answered without doubt: {100 * sure.coverage:.2f}%"
    )
    if sure.accuracy is not None:
        subtitle += f"; wrong among these: {100 * (1 - sure.accuracy):.3f}%"
    with new_figure(path, "What doubt buys", subtitle, height=4.4) as figure:
        axes = figure.subplots()
        axes.step(curve.coverage, 100 * curve.risk, where="pre", color=RIGHT)
        if sure.accuracy is not None and sure.accuracy_interval is not None:
            low, high = sure.accuracy_interval
            risk = 1 - sure.accuracy
            axes.axvline(sure.coverage, color=INK, lw=0.8, ls=":")
            axes.errorbar(
                sure.coverage,
                100 * risk,
                [[100 * max(0, risk - 1 + high)], [100 * max(0, 1 - low - risk)]],
                fmt="o",
                ms=6,
                color=WRONG,
                elinewidth=1.2,
                label="at the threshold, with 95% interval",
            )
            axes.legend(loc="upper left", frameon=True, framealpha=1, edgecolor="none")
        axes.set(
            xlabel="Coverage: share of the images answered, the surest first",
            ylabel="Risk: wrong answers among these, %",
        )
        axes.set_ylim(bottom=0)
        axes.grid()
        scale_to_percent(axes, "x", TICKS, ends=(0, 1))


def _draw_answers(
    path: str | PathLike[str],
    title: str,
    subtitle: str,
    shown: Integers,
    *,
    images: Pictures,
    labels: Integers,
    probabilities: Floats,
) -> None:
    """Draw these images of all, each with its label and the network's answer."""
    confidence, right = rate_answers(probabilities, labels)
    cell, size, row_height = (WIDTH - 2 * MARGIN) / COLUMNS, 0.9, 1.65
    rows = -(-len(shown) // COLUMNS)
    height = HEADING + (rows * row_height if rows else 0.6)
    with new_figure(path, title, subtitle, height=height) as figure:
        page = _page(figure)
        if not rows:
            page.text(WIDTH / 2, HEADING + 0.25, "✓ no mistakes", ha="center", size=16, color=RIGHT)
        for place, index in enumerate(shown):
            x = MARGIN + (place % COLUMNS + 0.5) * cell
            top = HEADING + place // COLUMNS * row_height
            bottom = top + size
            _show_picture(page, images[index], x=x, y=top + size / 2, size=size)
            page.text(x, bottom + 0.18, f"label {labels[index]}", ha="center")
            answer = probabilities[index].argmax()
            if right[index]:
                page.text(x, bottom + 0.34, f"✓ right: {answer}", ha="center", color=RIGHT)
            else:
                page.text(x, bottom + 0.34, f"✗ wrong: {answer}", ha="center", color=WRONG, weight="bold")
                _draw_frame(page, x=x, y=top + size / 2, size=size, color=WRONG, width=2)
            page.text(x, bottom + 0.5, f"{_percent(confidence[index])} sure", ha="center", color=GRAY)


def _percent(confidence: float) -> str:
    """Write a confidence without promising certainty: what would round to 100.0% is more than 99.9%."""
    return ">99.9%" if confidence >= 0.9995 else f"{100 * confidence:.1f}%"


TICKS = (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1)
TWENTIETHS = tuple(twentieth / 20 for twentieth in range(21))  # where 90% is not reached
# A share that lacks no more than this of 100% is hardly told apart from it.
_LEAST = 1e-4


def _to_nines(share: ArrayLike) -> Floats:
    """Count the nines of a share: about 1 for 0.9, 2 for 0.99, 3 for 0.999, and 4 for 1 itself."""
    return -np.log10(np.maximum(1 + _LEAST - np.asarray(share, dtype=np.float64), _LEAST**2))


def _from_nines(nines: ArrayLike) -> Floats:
    return 1 + _LEAST - 10.0 ** -np.asarray(nines, dtype=np.float64)


def scale_to_percent(
    axes: Axes, which: Literal["x", "y"], ticks: Sequence[float], *, ends: tuple[float, float]
) -> None:
    """Let the x or y axis, of shares, give 90 to 99% as much room as 99 to 99.9%.

    Args:
        axes: what to scale.
        which: "x" or "y".
        ticks: the shares to name, 0 to 1; those outside the ends are left out.
        ends: the smallest and the largest share to show, 0 to 1.
    """
    from matplotlib.scale import FuncScale

    lowest, highest = _to_nines(ends)
    low, high = _from_nines([lowest - 0.15, highest + 0.15])
    shown = [tick for tick in ticks if low <= tick <= high]
    axes.set(**{f"{which}scale": FuncScale(None, (_to_nines, _from_nines)), f"{which}lim": (low, high)})
    axes.set(**{f"{which}ticks": shown, f"{which}ticklabels": [f"{100 * tick:g}%" for tick in shown]})


def _check_pictures(images: Pictures, count: int | None = None) -> None:
    if len(images) == 0 or count not in (None, len(images)):
        raise ArgumentError(
            f"There must be one picture a label, and at least one. Received: {len(images)} pictures"
            + (f" for {count} labels" if count is not None else "")
        )
    for index, image in enumerate(images):
        if image.ndim != 2 or image.dtype != np.uint8 or image.size == 0:
            raise ArgumentError(
                f"Pictures must be gray, uint8 arrays of shape (height, width). "
                f"Received: {image.dtype} of shape {image.shape} for picture {index}"
            )


@contextlib.contextmanager
def new_figure(
    path: str | PathLike[str], title: str, subtitle: str, *, width: float = WIDTH, height: float
) -> Iterator[Figure]:
    """Give a figure in the common style, with a heading; write it to the path when all of it is drawn.

    Args:
        path: the PNG file; its folder must exist.
        title: one line.
        subtitle: one or more lines below it.
        width: inches.
        height: inches.

    Raises:
        MissingExtraError: Matplotlib is not installed.
        OSError: the folder or the disk doesn't take the file.
    """
    try:
        from matplotlib import style
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as error:
        raise MissingExtraError(
            "Drawing figures needs Matplotlib, which is not installed. "
            "Install it with: pip install 'inkdigits[train]'"
        ) from error
    heading = HEADING + 0.2 * subtitle.count("\n")
    below_heading = np.array([MARGIN, MARGIN, width - 2 * MARGIN, height - heading - MARGIN])
    rectangle = tuple(below_heading / [width, height, width, height])
    # "default" first: a program's own settings (LaTeX, a dark style) must not change these figures.
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(rect=rectangle))
        left = MARGIN / width
        figure.text(left, 1 - 0.32 / height, title, size=14, weight="bold")
        figure.text(left, 1 - 0.43 / height, subtitle, size=9.5, color=GRAY, va="top", linespacing=1.35)
        yield figure
        with replacing(Path(path)) as temporary:
            figure.savefig(temporary, dpi=DOTS_PER_INCH)


def _page(figure: Figure) -> Axes:
    """Give one invisible axes over the whole figure, measured in inches from its top left corner."""
    width, height = figure.get_size_inches()
    figure.set_layout_engine("none")
    page = figure.add_axes((0, 0, 1, 1))
    page.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
    page.set_axis_off()
    return page


def _show_picture(page: Axes, picture: NDArray[np.uint8], *, x: float, y: float, size: float) -> None:
    """Show a picture centered in a square of a page; its paper is light, whatever it was."""
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    ink_is_light = np.median(border) < 128
    height, width = np.array(picture.shape) * size / max(picture.shape)
    page.imshow(
        picture,
        cmap="gray_r" if ink_is_light else "gray",
        vmin=0,
        vmax=255,
        extent=(x - width / 2, x + width / 2, y + height / 2, y - height / 2),
        aspect="auto",
    )
    _draw_frame(page, x=x, y=y, size=size, color=PALE, width=0.8)


def _draw_frame(page: Axes, *, x: float, y: float, size: float, color: str, width: float) -> None:
    from matplotlib.patches import Rectangle

    corner = (x - size / 2, y - size / 2)
    page.add_patch(Rectangle(corner, size, size, fill=False, ec=color, lw=width))
