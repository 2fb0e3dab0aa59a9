"""What ink is written on, and how a picture of it is taken: paper, light, camera.

A picture is float32 (H, W) of gray levels, 0 black to 1 white, until the camera makes it uint8.

    paper: tone, grain, the rules and patterns printed on it, the desk around it
    light: slopes, vignettes, soft and hard shadows, as a factor
    camera: exposure, blur, few pixels, noise, JPEG
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
T = TypeVar("T")
Purpose = Literal["training", "held-out"]

CLEAN = 0.16  # share of the pictures that are drawings or scans
PLAIN = 0.63  # share of the pages with nothing printed all over them
SUBPIXEL = 4  # bits of a coordinate's fraction that OpenCV's drawing takes


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of picture it is, on which everything else depends.

    Attributes:
        paper: gray level of the blank paper or screen.
        ink: gray level of the strongest ink; lighter than the paper on blackboards and dark screens.
        clean: whether it is a drawing or a scan, without grain, shadow and noise.
    """

    paper: float
    ink: float
    clean: bool

    def between(self, share: float) -> float:
        """Return the tone that is this share of the way from paper to ink."""
        return self.paper + share * (self.ink - self.paper)


def some_kind(rng: np.random.Generator) -> Kind:
    """Choose light or dark paper and how strong ink is on it."""
    clean = bool(rng.random() < CLEAN)
    dark = bool(rng.random() < 0.13)
    if clean:
        low, high = (
            float(rng.choice((0.0, rng.uniform(0, 0.5)))),
            float(rng.choice((1.0, rng.uniform(0.75, 1)))),
        )
        return Kind(low, high, clean) if dark else Kind(high, low, clean)
    if dark:
        paper = rng.uniform(0.04, 0.35)
        return Kind(float(paper), float(paper + rng.uniform(0.3, 1) * (1 - paper)), clean)
    paper = 1 - 0.45 * rng.beta(1, 2)
    contrast = rng.uniform(0.28, 0.45) if rng.random() < 0.12 else 0.4 + 0.6 * rng.beta(1.6, 1.2)
    return Kind(float(paper), float(paper * (1 - contrast)), clean)


# ------------------------------------------------------------------------------------------------- paper


def some_paper(
    shape: tuple[int, int],
    kind: Kind,
    angle: float,
    rng: np.random.Generator,
    *,
    purpose: Purpose = "training",
    plain: float = PLAIN,
) -> Floats:
    """Return blank paper (H, W): its tone and grain, and what is printed all over it.

    Args:
        shape: height and width in pixels.
        kind: of the picture.
        angle: of its rules, radians.
        rng: decides all.
        purpose: held-out patterns are seen on validation pages only.
        plain: share of the papers with nothing printed on them.
    """
    paper = np.full(shape, kind.paper, np.float32)
    if not kind.clean:
        paper += clouds(shape, int(rng.integers(2, 7)), rng) * np.float32(rng.gamma(1.2, 0.009))
        if rng.random() < 0.6:  # fibers, felt, slate
            grain = rng.standard_normal((shape[0] // 2, shape[1] // 2), np.float32)
            paper += cv2.resize(grain, shape[::-1]) * np.float32(rng.gamma(1.2, 0.009))
    if rng.random() < plain:
        return paper
    chance = rng.random()
    if chance < 0.3:
        _rule(paper, kind, angle, rng)
    elif chance < 0.55:
        _square(paper, kind, angle, rng)
    else:
        patterns = _SECURITY if purpose == "training" else _SECURITY + _HELD_OUT
        for _ in range(1 + int(rng.random() < 0.3)):
            choose(patterns, rng)(paper, kind, angle + rng.normal(0, 0.15), rng)
    return paper


def clouds(shape: tuple[int, int], cells: int, rng: np.random.Generator) -> Floats:
    """Return smooth noise of mean 0 and deviation of about 1, with so many waves a side."""
    coarse = rng.standard_normal((cells, cells), np.float32)
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def choose(options: Sequence[T], rng: np.random.Generator) -> T:
    """Return one of these."""
    return options[int(rng.integers(len(options)))]


def draw_curves(
    picture: Floats,
    curves: list[npt.NDArray[np.float64]],
    tone: float,
    thickness: int = 1,
    share: float = 1.0,
) -> None:
    """Draw smooth-edged curves, each (points, 2) of x and y; ``share`` 1 covers the paper, 0 leaves it."""
    points = [np.round(curve * (1 << SUBPIXEL)).astype(np.int32) for curve in curves]
    mask = np.zeros(picture.shape, np.uint8)
    cv2.polylines(mask, points, False, round(255 * share), thickness, cv2.LINE_AA, SUBPIXEL)
    cover(picture, mask, tone)


def cover(picture: Floats, alpha: Gray, tone: float) -> None:
    """Bring a picture nearer to a tone, all the way where alpha is 255."""
    share = np.multiply(alpha, np.float32(1 / 255), dtype=np.float32)
    picture += (np.float32(tone) - picture) * share


def _across(
    shape: tuple[int, int], angle: float, offsets: npt.NDArray[np.float64]
) -> list[npt.NDArray[np.float64]]:
    """Return straight lines across the whole picture, at these distances from its middle."""
    along = np.array([np.cos(angle), np.sin(angle)])
    normal = np.array([-along[1], along[0]])
    middle = np.array([shape[1], shape[0]]) / 2
    reach = sum(shape) * along
    return [
        np.array([middle + offset * normal - reach, middle + offset * normal + reach]) for offset in offsets
    ]


def _offsets(shape: tuple[int, int], step: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    reach = 0.75 * max(shape)
    return np.arange(-reach, reach, step) + rng.uniform(0, step)


def _rule(paper: Floats, kind: Kind, angle: float, rng: np.random.Generator) -> None:
    step = float(np.exp(rng.uniform(np.log(9), np.log(60))))
    thickness = 1 if step < 25 else int(rng.integers(1, 3))
    lines = _across(paper.shape, angle, _offsets(paper.shape, step, rng))
    draw_curves(paper, lines, kind.between(rng.uniform(0.3, 0.9)), thickness, rng.uniform(0.2, 0.9))
    if rng.random() < 0.4:
        margin = _across(paper.shape, angle + np.pi / 2, rng.uniform(-0.5, 0.5, 1) * paper.shape[1])
        draw_curves(paper, margin, kind.between(rng.uniform(0.3, 0.9)), thickness, rng.uniform(0.3, 0.9))


def _square(paper: Floats, kind: Kind, angle: float, rng: np.random.Generator) -> None:
    step = float(np.exp(rng.uniform(np.log(5), np.log(40))))
    lines = _across(paper.shape, angle, _offsets(paper.shape, step, rng))
    lines += _across(paper.shape, angle + np.pi / 2, _offsets(paper.shape, step, rng))
    draw_curves(paper, lines, kind.between(rng.uniform(0.2, 0.7)), 1, rng.uniform(0.2, 0.7))


def _waves(paper: Floats, kind: Kind, angle: float, rng: np.random.Generator) -> None:
    """Fine wavy lines side by side."""
    step = rng.uniform(3, 9)
    height, width = paper.shape
    along = np.linspace(-0.7 * (width + height), 0.7 * (width + height), 60)
    wave = rng.uniform(0, 5) * np.sin(along * rng.uniform(0.02, 0.15) + rng.uniform(0, 6))
    wave += along**2 * rng.normal(0, 0.0006)  # arcs
    cosine, sine = np.cos(angle), np.sin(angle)
    curves = []
    for offset in _offsets(paper.shape, step, rng):
        y = wave + offset
        curves.append(
            np.stack([width / 2 + along * cosine - y * sine, height / 2 + along * sine + y * cosine], axis=1)
        )
    draw_curves(paper, curves, kind.between(rng.uniform(0.3, 0.9)), 1, rng.uniform(0.12, 0.5))


def _guilloche(paper: Floats, kind: Kind, _: float, rng: np.random.Generator) -> None:
    """Rosettes of fine lines, as on banknotes and cheques."""
    turn = np.linspace(0, 2 * np.pi, 90)
    curves = []
    middle = rng.uniform(0, 1, 2) * paper.shape[::-1]
    petals, phase = int(rng.integers(3, 12)), rng.uniform(0, 0.4)
    for number in range(int(rng.integers(8, 20))):
        radius = (
            (number + 2)
            * rng.uniform(4, 9)
            * (1 + rng.uniform(0.05, 0.4) * np.sin(petals * turn + number * phase))
        )
        curves.append(middle + np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1))
    draw_curves(paper, curves, kind.between(rng.uniform(0.3, 0.9)), 1, rng.uniform(0.12, 0.5))


def _hatching(paper: Floats, kind: Kind, angle: float, rng: np.random.Generator) -> None:
    """One or two families of slanted fine lines."""
    curves = []
    for _ in range(int(rng.integers(1, 3))):
        curves += _across(
            paper.shape, angle + rng.uniform(0, np.pi), _offsets(paper.shape, rng.uniform(4, 14), rng)
        )
    draw_curves(paper, curves, kind.between(rng.uniform(0.3, 0.9)), 1, rng.uniform(0.12, 0.5))


def _speckles(paper: Floats, kind: Kind, _: float, rng: np.random.Generator) -> None:
    """Coarse grain: recycled paper, a stone wall, halftone."""
    grain = cv2.GaussianBlur(rng.standard_normal(paper.shape, np.float32), (0, 0), rng.uniform(0.5, 1.3))
    paper += np.minimum(grain, 0.1) * np.float32(rng.uniform(0.05, 0.35) * (kind.paper - kind.ink))


def _dots(paper: Floats, kind: Kind, _: float, rng: np.random.Generator) -> None:
    """A grid of dots."""
    step = int(rng.integers(5, 24))
    mask = np.zeros(paper.shape, np.uint8)
    share = round(255 * rng.uniform(0.12, 0.5))
    mask[int(rng.integers(step)) :: step, int(rng.integers(step)) :: step] = share
    dots = cv2.dilate(mask, np.ones((2, 2), np.uint8)) if rng.random() < 0.5 else mask
    cover(paper, np.asarray(dots, np.uint8), kind.between(rng.uniform(0.3, 0.8)))


def _bricks(paper: Floats, kind: Kind, angle: float, rng: np.random.Generator) -> None:
    """A wall or a tiled floor, its joints shifted from row to row."""
    step = rng.uniform(12, 40)
    offsets = _offsets(paper.shape, step, rng)
    curves = _across(paper.shape, angle, offsets)
    for row, y in enumerate(offsets + paper.shape[0] / 2):
        for x in np.arange(-step + row % 2 * step, paper.shape[1], 2 * step):
            curves.append(np.array([(x, y), (x, y + step)]))
    draw_curves(
        paper, curves, kind.between(rng.uniform(0.3, 0.8)), int(rng.integers(1, 3)), rng.uniform(0.2, 0.6)
    )


_Pattern = Callable[[Floats, Kind, float, np.random.Generator], None]
_SECURITY: tuple[_Pattern, ...] = (_waves, _waves, _guilloche, _hatching, _speckles)
_HELD_OUT: tuple[_Pattern, ...] = (_dots, _dots, _bricks)


def lay_on_desk(paper: Floats, kind: Kind, rng: np.random.Generator) -> None:
    """Show the edge of the paper and a desk of another tone beyond one or two of its sides, in place."""
    height, width = paper.shape
    on_paper = np.full(paper.shape, 255, np.uint8)
    for _ in range(int(rng.integers(1, 3))):
        side = int(rng.integers(4))
        turn = np.deg2rad(90 * side + rng.normal(0, 4))
        toward = np.array([np.cos(turn), np.sin(turn)])
        edge = np.array([width, height]) / 2 * (1 + toward * rng.uniform(0.45, 0.95))
        along = np.array([-toward[1], toward[0]]) * (width + height)
        beyond = np.array(
            [edge - along, edge + along, edge + along + toward * 2 * width, edge - along + toward * 2 * width]
        )
        cv2.fillConvexPoly(on_paper, np.round(beyond * 16).astype(np.int32), 0, cv2.LINE_AA, 4)
    desk = np.full(paper.shape, rng.uniform(0.03, 0.9), np.float32)
    desk += clouds(paper.shape, 4, rng) * np.float32(rng.uniform(0, 0.08))
    if rng.random() < 0.5:  # the grain of wood runs one way
        grain = rng.standard_normal((height if rng.random() < 0.5 else 3, width // 12 + 2), np.float32)
        desk += cv2.resize(grain, (width, height)) * np.float32(rng.uniform(0.01, 0.1))
    soft = rng.uniform(0.4, 1.5)
    share = cv2.GaussianBlur(on_paper, (0, 0), soft).astype(np.float32) / np.float32(255)
    if rng.random() < 0.5:  # the paper's shadow
        desk *= 1 - np.float32(rng.uniform(0.1, 0.6)) * cv2.GaussianBlur(share, (0, 0), rng.uniform(2, 6))
    paper += (desk - paper) * (1 - share)
    if rng.random() < 0.3 and not kind.clean:
        rim = cv2.Canny(on_paper, 50, 150)
        cover(paper, np.asarray(rim, np.uint8), float(rng.uniform(0, 1)))


# ------------------------------------------------------------------------------------------------- light


def lit(picture: Floats, rng: np.random.Generator, strength: float = 1.0) -> Floats:
    """Let uneven light fall on a picture, less than strength 1 if that shows only a part of a page."""
    height, width = picture.shape
    y, x = np.mgrid[-1:1:16j, -1:1:16j].astype(np.float32)
    stops = np.zeros((16, 16), np.float32)  # the logarithm of the light
    if rng.random() < 0.7:
        turn, slope = rng.uniform(0, 2 * np.pi), rng.gamma(1.5, 0.1)
        stops += np.float32(slope * np.cos(turn)) * x + np.float32(slope * np.sin(turn)) * y
    if rng.random() < 0.3:
        right, down = rng.normal(0, 0.3, 2).astype(np.float32)
        stops -= np.log1p(np.float32(rng.uniform(0.1, 0.8)) * ((x - right) ** 2 + (y - down) ** 2))
    if rng.random() < 0.3:
        stops += np.float32(rng.uniform(0.02, 0.12)) * clouds((16, 16), 4, rng)
    coarse = np.exp(np.float32(strength) * (stops - stops.max()))
    light = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.25 * strength:
        light *= _shadow((height, width), rng)
    return np.asarray(picture * light, np.float32)


def _shadow(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return a shadow with a soft or a hard edge: of a hand, a phone, a window frame."""
    size = np.array([shape[1], shape[0]])
    small = tuple((size // 2 + 1).tolist())
    mask = np.zeros(small[::-1], np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        middle = rng.uniform(-0.2, 1.2, 2) * small
        if rng.random() < 0.5:
            axes = rng.uniform(0.1, 0.7, 2) * min(small)
            cv2.ellipse(mask, (middle.tolist(), (2 * axes).tolist(), float(rng.uniform(0, 180))), 255, -1)
        else:
            corners = middle + rng.normal(0, 0.5, (4, 2)) * small
            cv2.fillConvexPoly(mask, cv2.convexHull(corners.astype(np.int32)), 255)
    mask = cv2.GaussianBlur(mask, (0, 0), float(np.exp(rng.uniform(np.log(0.4), np.log(10)))))
    dark = np.float32(rng.uniform(0.08, 0.5) / 255)
    return 1 - dark * cv2.resize(mask, tuple(size.tolist())).astype(np.float32)


# ------------------------------------------------------------------------------------------------ camera


def photographed(
    picture: Floats, finest: float, kind: Kind, rng: np.random.Generator, *, few_pixels: bool = False
) -> Gray:
    """Take the picture.

    Args:
        picture: (H, W) gray levels, of any range; beyond 0 and 1 it is over- or underexposed.
        finest: pixels the smallest digit is tall, which must stay legible.
        kind: clean pictures stay so.
        rng: decides all.
        few_pixels: the picture is enlarged, of one on which the smallest digit is 9 to 16 pixels tall.

    Returns:
        uint8 (H, W).
    """
    if kind.clean:
        sharp = cv2.convertScaleAbs(np.maximum(picture, 0), alpha=255)
        return _compressed(sharp, rng) if rng.random() < 0.3 else np.asarray(sharp, np.uint8)
    shape, scale = picture.shape, min(1.0, rng.uniform(9, 16) / finest) if few_pixels else 1.0
    if scale < 1:
        small = max(8, round(shape[1] * scale)), max(8, round(shape[0] * scale))
        picture = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.float32)
    taken = _noisy(_exposed(_blurred(picture, scale * finest, rng), rng), rng)
    gray = np.asarray(cv2.convertScaleAbs(np.maximum(taken, 0), alpha=255), np.uint8)
    gray = _compressed(gray, rng) if rng.random() < 0.5 else gray
    if scale < 1:
        gray = np.asarray(cv2.resize(gray, shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
    return gray


def _blurred(picture: Floats, finest: float, rng: np.random.Generator) -> Floats:
    """Take away detail, though not so much that the smallest digits can't be read."""
    height, width = picture.shape
    seen: cv2.typing.MatLike = picture
    if rng.random() < 0.3:  # fewer pixels than it seems
        scale = rng.uniform(min(1.0, max(0.35, 10.5 / finest)), 1)
        small = max(8, round(width * scale)), max(8, round(height * scale))
        way, back = (
            choose((cv2.INTER_AREA, cv2.INTER_LINEAR), rng),
            choose((cv2.INTER_LINEAR, cv2.INTER_CUBIC), rng),
        )
        seen = cv2.resize(cv2.resize(seen, small, interpolation=way), (width, height), interpolation=back)
    chance = rng.random()
    if chance < 0.5:  # out of focus, at times as far as people can still read
        usual, most = (0.45, 0.05) if rng.random() < 0.6 else (1.2, rng.uniform(0.04, 0.09))
        sigma = min(float(rng.gamma(1.5, usual)), most * finest)
        seen = cv2.GaussianBlur(seen, (0, 0), sigma) if sigma > 0.3 else seen
    elif chance < 0.58:  # moved
        seen = cv2.filter2D(seen, -1, _motion(min(rng.uniform(2, 8), 0.13 * finest), rng))
    if rng.random() < 0.15:  # sharpened, as phones do
        share = rng.uniform(0.3, 1.5)
        seen = cv2.addWeighted(seen, 1 + share, cv2.GaussianBlur(seen, (0, 0), 1.2), -share, 0)
    return np.asarray(seen, np.float32)


def _exposed(picture: Floats, rng: np.random.Generator) -> Floats:
    """Choose which tones become black and white, and how those between are spread."""
    low, high = rng.normal(0, 0.03), rng.normal(0.98, 0.06)
    if rng.random() < 0.2:  # flat
        low, high = rng.uniform(0, 0.3), rng.uniform(0.65, 0.95)
    picture = np.float32(low) + np.float32(high - low) * picture
    if rng.random() < 0.3:
        picture = np.power(np.maximum(picture, 0), np.float32(np.exp(rng.normal(0, 0.25))))
    return picture


def _noisy(picture: Floats, rng: np.random.Generator) -> Floats:
    """Add a sensor's noise, the same everywhere or, as photons come one by one, stronger in the light."""
    noise = np.float32(rng.gamma(1.2, 0.007))
    if rng.random() < 0.3 or noise < 0.004:
        return picture
    grain = rng.standard_normal(picture.shape, np.float32) * noise
    if rng.random() < 0.4:
        grain *= np.float32(1.6) * np.sqrt(np.maximum(picture, np.float32(0.02)))
    return picture + grain


def _motion(length: float, rng: np.random.Generator) -> Floats:
    side = int(length) | 1
    turn = rng.uniform(0, np.pi)
    half = side / 2 * np.array([np.cos(turn), np.sin(turn)])
    kernel = np.zeros((side, side), np.float32)
    middle = np.array([side // 2, side // 2])
    ends = np.round(np.array([[middle - half, middle + half]]) * (1 << SUBPIXEL)).astype(np.int32)
    cv2.polylines(kernel, list(ends), False, 1.0, 1, cv2.LINE_8, SUBPIXEL)
    kernel[side // 2, side // 2] = 1
    return np.asarray(kernel / kernel.sum(), np.float32)


def _compressed(picture: cv2.typing.MatLike, rng: np.random.Generator) -> Gray:
    quality = int(rng.integers(25, 96))
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8)
