"""Images in MNIST's form that show no digit.

Trained on with the answer "all ten are equally likely", they teach a network to be unsure of what it has no
name for: outlier exposure (D. Hendrycks, M. Mazeika and T. Dietterich, "Deep anomaly detection with outlier
exposure", ICLR 2019, arXiv 1812.04606). Half are letters, as paper has letters beside its digits; the others
are pairs of digits, lines, scribbles, shapes and noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.learning.synthesis.lettering import LIKE_DIGITS, Role, letters

Images = npt.NDArray[np.uint8]

SIDE = 28


def nondigits(count: int, digits: Images, rng: np.random.Generator, *, role: Role = "training") -> Images:
    """Make images of what is no digit, in random order.

    Args:
        count: how many.
        digits: MNIST images to make pairs of, uint8 of shape (N, 28, 28).
        rng: decides all.
        role: which fonts the letters come from.

    Returns:
        uint8 of shape (count, 28, 28), light on black.

    Example:
        >>> digits = np.full((2, 28, 28), 255, np.uint8)
        >>> nondigits(10, digits, np.random.default_rng(0)).shape
        (10, 28, 28)
    """
    kinds = [pairs, lines, scribbles, shapes, noise]
    each = count // (2 * len(kinds))
    parts = [kind(each, digits, rng) for kind in kinds]
    bank, names = letters(role)
    plain = bank[[name not in LIKE_DIGITS for name in names]]
    parts.append(plain[rng.integers(len(plain), size=count - each * len(kinds))])
    return rng.permutation(np.concatenate(parts))


def pairs(count: int, digits: Images, rng: np.random.Generator) -> Images:
    """Put two digits side by side into one box, near enough to touch or with a gap."""
    both = digits[rng.integers(len(digits), size=(count, 2))]
    images = np.zeros((count, SIDE, SIDE), np.uint8)
    for image, pair in zip(images, both, strict=True):
        left, right = (digit[:, _columns_of_ink(digit)] for digit in pair)
        # They overlap by less than half of the narrower one: two 1s in one place are a single 1.
        gap = max(int(rng.integers(-3, 5)), -((min(left.shape[1], right.shape[1]) - 1) // 2))
        width = left.shape[1] + right.shape[1] + gap
        wide = np.zeros((SIDE, width), np.uint8)
        wide[:, : left.shape[1]] = left
        wide[:, width - right.shape[1] :] = np.maximum(wide[:, width - right.shape[1] :], right)
        scale = min(1.0, 20 / width)  # two 1s are narrow enough as they are
        size = round(scale * width), round(scale * SIDE)
        small = cv2.resize(wide, size, interpolation=cv2.INTER_AREA)
        top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
        image[top : top + size[1], left : left + size[0]] = small
    return images


def _columns_of_ink(image: Images) -> slice:
    columns = np.flatnonzero(image.max(axis=0))
    return slice(int(columns[0]), int(columns[-1]) + 1) if columns.size else slice(0, 1)


def lines(count: int, _: Images, rng: np.random.Generator) -> Images:
    """Draw one to three straight lines; a single one is never as steep as a 1."""
    images = []
    for _number in range(count):
        amount = int(rng.integers(1, 4))
        angles = np.deg2rad(rng.uniform(-35, 35, amount) if amount == 1 else rng.uniform(-90, 90, amount))
        middles = rng.normal(0, 0 if amount == 1 else 4, (amount, 2)) + SIDE / 2
        halves = rng.uniform(5, 10, amount)
        offsets = (halves * (np.cos(angles), np.sin(angles))).T
        images.append(_drawn(np.stack([middles - offsets, middles + offsets], axis=1), rng))
    return _stacked(images)


def scribbles(count: int, _: Images, rng: np.random.Generator) -> Images:
    """Draw long, wild curves."""
    images = []
    for _number in range(count):
        corners = rng.uniform(4, 24, (int(rng.integers(6, 14)), 2)).astype(np.float32)
        curve = cv2.resize(corners, (2, 60), interpolation=cv2.INTER_CUBIC)
        images.append(_drawn(curve[np.newaxis], rng))
    return _stacked(images)


def shapes(count: int, _: Images, rng: np.random.Generator) -> Images:
    """Fill triangles, rectangles, ellipses and what their unions make, as silhouettes of things are."""
    images = []
    for _number in range(count):
        image = np.zeros((4 * SIDE, 4 * SIDE), np.uint8)
        for _part in range(int(rng.integers(1, 4))):
            corners = rng.uniform(16, 96, (int(rng.integers(3, 6)), 2))
            gray = int(rng.integers(90, 256))
            if rng.random() < 0.5:
                cv2.fillConvexPoly(image, cv2.convexHull(corners.astype(np.int32)), gray)
            else:
                axes = rng.uniform(8, 40, 2)
                middle = rng.uniform(40, 72, 2)
                cv2.ellipse(image, (tuple(middle), tuple(2 * axes), float(rng.uniform(0, 180))), gray, -1)
        images.append(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    return _stacked(images)


def noise(count: int, _: Images, rng: np.random.Generator) -> Images:
    """Give blank, even, uniformly random and cloudy images."""
    images = []
    for number in range(count):
        grain = (1, 2, 4, SIDE)[number % 4]  # pixels; the last is one level all over
        side = -(-SIDE // grain)
        coarse = rng.uniform(0, 255, (side, side)).astype(np.float32)
        image = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).clip(0, 255)
        images.append(image.astype(np.uint8) if rng.random() < 0.9 else np.zeros((SIDE, SIDE), np.uint8))
    return _stacked(images)


def _drawn(curves: npt.ArrayLike, rng: np.random.Generator) -> Images:
    """Draw curves (M, points, 2), x and y in pixels, with one pen."""
    fine = np.zeros((4 * SIDE, 4 * SIDE), np.uint8)
    points = np.round(4 * np.asarray(curves)).astype(np.int32)
    cv2.polylines(fine, list(points), isClosed=False, color=255, thickness=round(rng.uniform(5, 14)))
    return np.asarray(cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _stacked(images: Sequence[npt.ArrayLike]) -> Images:
    return np.array(images, np.uint8).reshape(-1, SIDE, SIDE)
