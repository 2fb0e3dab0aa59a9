"""Draw how a picture becomes an answer: docs/images/steps.png.

``python examples/steps.py`` runs the steps of the shipped classifier on three of the example pictures.
"""

from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

import inkdigits
from inkdigits.reading.image import load_gray
from inkdigits.reading.normalize import find_ink, to_mnist_form

ROOT = Path(__file__).parents[1]
NAMES = ("2-ballpoint-on-ruled-paper", "4-chalk-on-a-green-board", "7-pencil-in-a-corner")
TITLES = ("The picture", "Upright gray", "The ink", "MNIST's form", "The answer")
BLUE, PALE = "#0072B2", "#CCCCCC"


def main() -> None:
    """Draw a row a picture, a column a step."""
    figure = Figure(figsize=(10, 5.6), dpi=140, layout="constrained")
    FigureCanvasAgg(figure)
    classifier = inkdigits.Classifier()
    for row, name in enumerate(NAMES):
        axes = [
            figure.add_subplot(len(NAMES), len(TITLES), row * len(TITLES) + column + 1) for column in range(5)
        ]
        draw_row(axes, ROOT / "examples" / "pictures" / f"{name}.jpg", classifier)
        if row == 0:
            for axis, title in zip(axes, TITLES, strict=True):
                axis.set_title(title, fontsize=11)
    figure.savefig(ROOT / "docs" / "images" / "steps.png")


def draw_row(axes: list[Axes], path: Path, classifier: inkdigits.Classifier) -> None:
    """Draw the steps of one picture."""
    gray = load_gray(path)
    ink = find_ink(gray)
    digit = classifier.classify(path)
    axes[0].imshow(np.asarray(Image.open(path)))
    axes[1].imshow(gray, cmap="gray", vmin=0, vmax=255)
    axes[1].add_patch(
        Rectangle((ink.box.x, ink.box.y), ink.box.width, ink.box.height, fill=False, ec=BLUE, lw=1.5)
    )
    size = (max(1, round(150 * ink.strength.shape[1] / ink.strength.shape[0])), 150)
    axes[2].imshow(cv2.resize(ink.strength, size), cmap="gray_r", vmin=0, vmax=255)
    axes[3].imshow(to_mnist_form(ink), cmap="gray", vmin=0, vmax=255)
    for axis in axes[:4]:
        axis.set(xticks=[], yticks=[])
        for spine in axis.spines.values():
            spine.set_color(PALE)
    colors = [BLUE if value == digit.value else PALE for value in range(10)]
    axes[4].bar(range(10), digit.probabilities, color=colors)
    axes[4].set(xticks=range(10), yticks=[], ylim=(0, 1.15))
    axes[4].text(digit.value, 1.02, f"{100 * digit.confidence:.1f} %", ha="center", fontsize=9)
    axes[4].spines[["top", "left", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
