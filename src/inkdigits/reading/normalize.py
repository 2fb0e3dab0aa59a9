"""A picture of one handwritten digit -> the same digit in MNIST's form.

    gray picture -> shrunk -> dark on light -> darkness -> strength -> without lines -> the digit's strokes
    strokes -> stroke width of MNIST -> 20 x 20 box -> centered by mass -> 28 x 28

The rule of the last three steps is MNIST's own: "The original black and white (bilevel) images from NIST were
size normalized to fit in a 20x20 pixel box while preserving their aspect ratio. The resulting images contain
grey levels as a result of the anti-aliasing technique used by the normalization algorithm. The images were
centered in a 28x28 image by computing the center of mass of the pixels" (Y. LeCun, C. Cortes, C. Burges, The
MNIST database of handwritten digits). NIST's hands wrote with one kind of pen on one kind of form, so pens,
paper and light have to be evened out before.

Every function here is pure; no step knows what a network thinks of the digit.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.result import Box

Gray = npt.NDArray[np.uint8]
Strength = npt.NDArray[np.float32]

SIDE = 28  # an MNIST image
BOX = 20  # the digit in it
# Stroke width of the 55,000 training images, in pixels of the 20 x 20 box, as `stroke_width` measures it.
TYPICAL_STROKE = 2.4  # the median
USUAL_STROKES = (1.4, 4.2)  # 1 and 99 %

WORKING_SIDE = 256  # pixels of the longer side; MNIST's box is 20, so no detail that matters is lost
FINE = 3  # stroke widths are changed on a grid this many times finer than MNIST's


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """The ink of one digit.

    Attributes:
        strength: float32 (h, w), 0 where there is paper, 1 where there is full ink; cut to the ink.
        box: where that is in the picture it was found in. The strength of a large picture is coarser than
            its box.
    """

    strength: Strength
    box: Box


def find_ink(gray: Gray) -> Ink | None:
    """Find the one handwritten digit in a picture.

    The digit may be dark on light or light on dark, thin or fat, small, off center, broken into strokes, under
    a shadow, on ruled paper or beside specks and frames.

    Args:
        gray: uint8 of shape (H, W), any size from 1 x 1.

    Returns:
        The digit's ink, or None where there is none: blank, noise, soft shadow.

    Example:
        >>> picture = np.full((100, 100), 230, np.uint8)
        >>> find_ink(picture) is None
        True
        >>> ink = find_ink(cv2.line(picture, (50, 20), (40, 80), color=30, thickness=4))
        >>> ink.box
        Box(x=38, y=18, width=15, height=65)
    """
    if min(gray.shape) < MIN_SIDE:
        return None
    ready = _mnist_form(gray)
    if ready is not None:
        return ready
    small = _shrunk(gray)
    strength = _strength(_darkness(_dark_on_light(small)))
    if strength is None:
        return None
    found = _strokes(_without_lines(strength))
    if found is None:
        return None
    strength, x, y = found
    if not SHORTEST <= float(strength.sum()) / stroke_width(strength) ** 2 <= LONGEST:
        return None
    height, width = strength.shape
    scale = max(gray.shape) / max(small.shape)
    left, top = round(x * scale), round(y * scale)
    right, bottom = round((x + width) * scale), round((y + height) * scale)
    box = Box(left, top, min(right, gray.shape[1]) - left, min(bottom, gray.shape[0]) - top)
    return Ink(strength, box)


def to_mnist_form(ink: Ink) -> Gray:
    """Draw a digit as an MNIST image.

    The stroke gets MNIST's typical width, the digit fits a 20 x 20 box with its aspect kept, and its center of
    mass lies in the middle. Ink that is in this form already stays as it is.

    Args:
        ink: what `find_ink` found.

    Returns:
        uint8 of shape (28, 28), ink light (255) on black (0).

    Example:
        >>> picture = cv2.circle(np.full((200, 200), 255, np.uint8), (90, 120), 50, color=0, thickness=9)
        >>> image = to_mnist_form(find_ink(picture))
        >>> image.shape, int(image.max())
        ((28, 28), 255)
    """
    strength = ink.strength
    thinnest, fattest = USUAL_STROKES
    if max(strength.shape) == BOX and thinnest <= stroke_width(strength) <= fattest:
        return _centered(strength)
    return _centered(_fit(_with_typical_stroke(strength), BOX))


def stroke_width(strength: Strength) -> float:
    """Measure how wide the strokes are: twice the area over the length of the outline.

    The outline of a gray picture is its total variation (the co-area formula), so no threshold is needed and
    blur doesn't matter.

    Args:
        strength: float32 of shape (h, w), 0 to 1.

    Returns:
        The mean width in pixels; 0 without ink.

    Example:
        >>> bar = np.zeros((60, 9), np.float32)
        >>> bar[:, 3:6] = 1
        >>> round(stroke_width(bar), 1)
        2.9
    """
    padded = cv2.copyMakeBorder(strength, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    across = padded[:-1, 1:] - padded[:-1, :-1]
    down = padded[1:, :-1] - padded[:-1, :-1]
    outline = float(cv2.magnitude(across, down).sum())
    return 2 * float(strength.sum()) / outline if outline else 0.0


SHORTEST, LONGEST = 4, 400  # a digit's strokes in stroke widths; a blot is shorter, a tangle of noise longer
MIN_SIDE = 3  # pixels; nothing smaller shows a digit


def _shrunk(gray: Gray, longest: int = WORKING_SIDE) -> Gray:
    height, width = gray.shape
    scale = longest / max(height, width)
    if scale >= 1:
        return gray
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _mnist_form(gray: Gray) -> Ink | None:
    """Take an MNIST image as it is, with its faintest grays."""
    if gray.shape != (SIDE, SIDE):
        return None
    light = 255 - _dark_on_light(gray)
    x, y, width, height = cv2.boundingRect(light)
    if max(width, height) != BOX:
        return None
    rows, columns = _center(light)
    if max(abs(rows - SIDE / 2), abs(columns - SIDE / 2)) > 0.51:
        return None
    return Ink((light[y : y + height, x : x + width] / np.float32(255)), Box(x, y, width, height))


def _dark_on_light(gray: Gray) -> Gray:
    """Turn light ink on dark paper into dark ink on light paper.

    Two signs, both in units of standard deviations. Ink is the minority nearly everywhere,
    so differences from the surroundings are skewed toward ink; a shadow's edge differs both ways alike. And
    where fat ink fills a narrow picture, the rim still shows more paper than the middle does.
    """
    small = _shrunk(gray, 128).astype(np.float32)
    surroundings = max(small.shape) // 4 | 1
    differences = small - cv2.blur(small, (surroundings, surroundings), borderType=cv2.BORDER_REFLECT)
    squares = differences * differences
    skewness = float((squares * differences).mean()) / max(float(squares.mean()), 1e-3) ** 1.5
    rim = max(1, round(0.08 * min(small.shape)))
    middle = small[rim:-rim, rim:-rim]
    whole, inside = float(small.sum()), float(middle.sum())
    rim_mean = (whole - inside) / (small.size - middle.size)
    middle_mean = inside / max(middle.size, 1)
    prominence = (middle_mean - rim_mean) / max(float(small.std()), 1e-3)
    return gray if skewness + 1.5 * prominence <= 0 else 255 - gray


def _darkness(gray: Gray) -> Strength:
    """Return how much darker than the paper around it each pixel is: 0 paper, 1 black.

    Light falls on paper as a factor, so the picture is divided by the paper's brightness. A drawing or a clean
    scan has one paper level. The paper of a photo is what closing leaves, after the even part of a slope was
    divided out: closing fills whatever is narrower than its square, so strokes go, and keeps wide shadows.
    """
    counts = cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel()
    levels = np.flatnonzero(counts)
    counts[: (levels[0] + levels[-1] + 1) // 2] = 0  # the light half only: fat ink may be commoner than paper
    commonest = int(counts.argmax())
    if counts[commonest] > counts.sum() / 2:
        return np.maximum(1 - gray / np.float32(max(commonest, DARKEST_PAPER)), 0)
    paper = cv2.blur(_closed(gray, _square_share(gray)), (5, 5))
    return np.maximum(1 - gray / np.maximum(paper, DARKEST_PAPER).astype(np.float32), 0)


DARKEST_PAPER = 32  # below this a camera's noise is all one would divide by
SQUARE_SHARES = (0.09, 0.18, 0.35)  # of the picture's longer side; MNIST's fattest strokes are 0.2 of a digit


def _closed(gray: Gray, share: float) -> Gray:
    """Fill what is darker than its surroundings and narrower than a square."""
    side = int(share * max(gray.shape)) | 1
    height, width = gray.shape
    around = cv2.copyMakeBorder(cv2.GaussianBlur(gray, (3, 3), 0), *(side // 2,) * 4, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(around, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return closed[side // 2 :, side // 2 :][:height, :width].astype(np.uint8, copy=False)


PADDIV = 2


def _square_share(gray: Gray) -> float:
    """Choose a square for closing that is safely wider than the strokes, and not much wider.

    The wider the square, the more of a shadow's slope is taken for ink. The darkest ink gains nothing more from
    a square that is wider than its stroke.
    """
    small = _shrunk(gray, 64)
    darkest = []
    for share in SQUARE_SHARES:
        darkness = 1 - small / np.maximum(_closed(small, share), DARKEST_PAPER).astype(np.float32)
        darkest.append(float(np.partition(darkness.ravel(), -DARKEST_PIXELS)[-DARKEST_PIXELS:].mean()))
    for share, wider, depth in zip(SQUARE_SHARES, SQUARE_SHARES[1:], darkest[:-1]):
        if depth > 0.85 * darkest[-1]:
            return wider
    return SQUARE_SHARES[-1]


DARKEST_PIXELS = 20


def _strength(darkness: Strength) -> Strength | None:
    """Stretch darkness so that paper with its noise is 0 and ink is 1; None where nothing stands out."""
    levels = np.minimum(darkness * 255, 255).astype(np.uint8)
    counts = np.cumsum(cv2.calcHist([levels], [0], None, [256], [0, 256]).ravel())
    paper = counts[np.searchsorted(counts, 0.995 * counts[-1]) // 2]
    low, middle, high = np.searchsorted(counts, paper * np.array((0.16, 0.5, 0.69))) / 255
    noise = middle - low
    standing_out = levels[darkness > middle + max(4 * noise, 0.04)]
    if standing_out.size < 3:
        return None
    threshold, _ = cv2.threshold(standing_out.reshape(1, -1), 0, 255, cv2.THRESH_OTSU)
    ink = float(standing_out[standing_out >= threshold].mean()) / 255
    lowest = middle + 3 * noise
    if ink < middle + max(10 * noise, 0.06):
        return None
    return np.clip((darkness - lowest) / (ink - lowest), 0, 1).astype(np.float32, copy=False)


def _without_lines(strength: Strength) -> Strength:
    """Drop ruled lines: thin, straight, nearly level or upright, from one edge of the picture to the other.

    Where a stroke crosses a line it stays. In a picture cut tightly around a digit a bar of the digit itself may
    run from edge to edge; so nothing is dropped unless what remains keeps clear of the edges.
    """
    mask = (strength > 0.15).astype(np.uint8)
    level, upright = _level_lines(mask), _level_lines(mask.T).T
    if not (level.any() or upright.any()):
        return strength
    crossing = _runs_across(mask & ~upright, level) | _runs_across((mask & ~level).T, upright.T).T
    return np.where((level | upright) & ~crossing, np.float32(0), strength)


def _level_lines(mask: Gray) -> npt.NDArray[np.bool_]:
    """Mark the pixels of nearly horizontal lines that run from the left edge to the right edge."""
    height, width = mask.shape
    if not (mask[:, 0].any() and mask[:, -1].any()):
        return np.zeros(mask.shape, np.bool_)
    thickened = cv2.dilate(np.ascontiguousarray(mask), np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(thickened, cv2.MORPH_OPEN, np.ones((1, max(3, width // 6)), np.uint8))
    runs = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((1, max(3, width // 8)), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8)
    through = (stats[:, cv2.CC_STAT_WIDTH] >= width - 2) & (stats[:, cv2.CC_STAT_HEIGHT] <= 0.12 * height + 3)
    through[0] = False
    return through[labels]


def _runs_across(mask: Gray, lines: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Mark where the mask has vertical runs longer than the lines are thick."""
    count = max(1.0, float(lines[:, :1].sum()))
    thickness = 4
    return (
        cv2.morphologyEx(np.ascontiguousarray(mask), cv2.MORPH_OPEN, np.ones((thickness + 2, 1), np.uint8))
        > 0
    )


def _strokes(strength: Strength) -> tuple[Strength, int, int] | None:
    """Keep the connected strokes that make up the digit; also return the left and top of their box."""
    mask = (strength > 0.25).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return None
    mass = np.bincount(labels.ravel(), weights=strength.ravel(), minlength=count)
    mass[0] = 0
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    height, width = strength.shape
    at_edge = (left <= 0) | (top <= 0) | (right >= width) | (bottom >= height)
    band = max(2, round(0.05 * max(height, width)))
    inside = np.bincount(labels[band:-band, band:-band].ravel(), minlength=count)
    mass[at_edge & (inside < 0.05 * stats[:, cv2.CC_STAT_AREA])] = 0
    if not mass.any():
        return None
    main = int(np.where(at_edge, 0.3 * mass, mass).argmax())
    x0, y0, x1, y1 = int(left[main]), int(top[main]), int(right[main]), int(bottom[main])
    if max(x1 - x0, y1 - y0) < max(MIN_SIDE, 0.05 * max(strength.shape)):
        return None
    chosen = np.zeros(count, np.bool_)
    chosen[main] = True
    candidates = (mass > 0.02 * mass[main]) & (at_edge[main] | ~at_edge)
    while True:
        gap_x = np.maximum(x0 - right, left - x1)
        gap_y = np.maximum(y0 - bottom, top - y1)
        near = candidates & ~chosen & (np.maximum(gap_x, gap_y) <= 0.2 * max(x1 - x0, y1 - y0))
        if not near.any():
            break
        chosen |= near
        x0, y0 = int(left[chosen].min()), int(top[chosen].min())
        x1, y1 = int(right[chosen].max()), int(bottom[chosen].max())
    kept = cv2.dilate(chosen[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
    return (strength * kept)[y0:y1, x0:x1], x0, y0


def _with_typical_stroke(strength: Strength) -> Strength:
    """Draw the strokes as wide as MNIST's, cut to the ink; the longer side is about ``FINE * BOX``."""
    fine = np.clip(_fit(strength, FINE * BOX), 0, 1)
    pad = FINE * 4
    fine = cv2.copyMakeBorder(fine, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    # Ink begins at half of what the stroke reaches nearby, so a faint stroke is not lost beside a strong one.
    reach = np.ones((FINE * 4 | 1,) * 2, np.uint8)
    ink = (fine > np.maximum(cv2.dilate(fine, reach), 0.3) / 2).astype(np.uint8)
    distance = cv2.distanceTransform(ink, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - ink, cv2.DIST_L2, 5)
    distance -= np.sign(distance) * np.float32(0.5)
    width = stroke_width(np.clip(distance + np.float32(0.5), 0, 1)) / FINE
    growth = max(TYPICAL_STROKE - width, -width / 2) / 2 * FINE
    drawn = np.clip(distance + np.float32(growth + 0.5), 0, 1)
    x, y, width, height = cv2.boundingRect((drawn > 0.5).astype(np.uint8))
    return drawn[y : y + height, x : x + width]


def _fit(strength: Strength, longest: int) -> Strength:
    height, width = strength.shape
    scale = longest / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(strength, size, interpolation=interpolation).astype(np.float32, copy=False)


def _centered(digit: Strength) -> Gray:
    """Place a digit of at most 20 x 20 so that its center of mass lies in the middle of 28 x 28."""
    height, width = digit.shape
    row, column = _center(digit)
    top = min(max(round(SIDE / 2 - row), 0), SIDE - height)
    left = min(max(round(SIDE / 2 - column), 0), SIDE - width)
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = np.rint(np.clip(digit, 0, 1) * 255)
    return image


def _center(weights: npt.NDArray[np.uint8] | Strength) -> tuple[float, float]:
    """Return the center of mass as (row, column), counted between pixels of 0, 1, 2 ..."""
    rows, columns = weights.sum(axis=1, dtype=np.float64), weights.sum(axis=0, dtype=np.float64)
    mass = rows.sum()
    return float(rows @ np.arange(rows.size) / mass), float(columns @ np.arange(columns.size) / mass)
