"""A picture of one handwritten digit -> the same digit in MNIST's form.

    gray picture -> small -> dark on light -> darkness -> strength -> without rules -> the digit's strokes
    strokes -> MNIST's stroke width -> 20 x 20 box -> centered by mass -> 28 x 28

The last steps are MNIST's own: "The original black and white (bilevel) images from NIST were size normalized
to fit in a 20x20 pixel box while preserving their aspect ratio. The resulting images contain grey levels as a
result of the anti-aliasing technique used by the normalization algorithm. The images were centered in a 28x28
image by computing the center of mass of the pixels" (LeCun, Cortes and Burges, The MNIST Database of
Handwritten Digits). NIST's writers had one kind of pen, form and scanner; other pens, papers and lights are
evened out before.

Every step is a pure function, and none knows what a network thinks of the digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.result import Box

if TYPE_CHECKING:
    from cv2.typing import MatLike

Gray = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]

SIDE = 28  # pixels, an MNIST image
BOX = 20  # pixels, the longer side of the digit in it
# Stroke width of MNIST's 55,000 training images as `stroke_width` measures it, in pixels of the 20 x 20 box.
TYPICAL_STROKE = 2.4  # the median
USUAL_STROKES = (1.4, 4.2)  # 1 % and 99 %
# How long a digit's strokes are, counted in stroke widths: a blot is shorter, a tangle of noise longer.
STROKE_LENGTHS = (4.5, 400)

WORKING_SIDE = 256  # pixels of the longer side at most, a dozen times MNIST's box
COARSE_SIDE = 50  # pixels of the longer side at most, where only a choice is made
FAINT_INK, CLEAR_INK = 38, 63  # of 255; a rule is faint, a stroke is clear
SMALLEST_SIDE = 3  # pixels; nothing smaller shows a digit
SMALLEST_SHARE = 0.05  # of the picture's longer side; a smaller mark is a speck
FINE = 2  # strokes are redrawn on a grid this many times finer than MNIST's


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """The ink of one digit.

    Attributes:
        strength: uint8 of shape (h, w), cut to the ink: 0 is paper, 255 is full ink. In a large picture it
            is coarser than the box.
        box: where the ink is, in pixels of the picture it was found in.
    """

    strength: Gray
    box: Box


def find_ink(gray: Gray) -> Ink | None:
    """Find the one handwritten digit in a picture.

    The digit may be dark on light or light on dark, thin or fat, small and in a corner, broken into strokes,
    under a shadow, on ruled or squared paper, beside specks and frames.

    Args:
        gray: uint8 of shape (H, W), of any size.

    Returns:
        The digit's ink, or None where there is none: blank paper, noise, soft shadow, a picture below 3 x 3.

    Example:
        >>> paper = np.full((100, 100), 230, np.uint8)
        >>> find_ink(paper) is None
        True
        >>> find_ink(cv2.line(paper, (50, 20), (40, 80), color=30, thickness=4)).box
        Box(x=38, y=18, width=15, height=65)
    """
    ink = _ink(gray)
    if ink is None or max(gray.shape) <= WORKING_SIDE or max(ink.strength.shape) > WORKING_SIDE // 3:
        return ink
    # A small digit in a large picture: look again from nearby.
    margin = max(ink.box.width, ink.box.height) // 2
    left, top = max(0, ink.box.x - margin), max(0, ink.box.y - margin)
    right, bottom = ink.box.x + ink.box.width + margin, ink.box.y + ink.box.height + margin
    closer = _ink(gray[top:bottom, left:right])
    if closer is None:
        return ink
    return replace(closer, box=replace(closer.box, x=closer.box.x + left, y=closer.box.y + top))


def to_mnist_form(ink: Ink) -> Gray:
    """Draw a digit as an MNIST image.

    The strokes get MNIST's typical width, the digit fits a 20 x 20 box with its aspect kept, and its center
    of mass comes to the middle. Ink that fits the box already and has a usual stroke keeps every gray level.

    Args:
        ink: what `find_ink` found.

    Returns:
        uint8 of shape (28, 28), ink light (255) on black (0).

    Example:
        >>> paper = np.full((200, 200), 255, np.uint8)
        >>> image = to_mnist_form(find_ink(cv2.circle(paper, (90, 120), 50, color=0, thickness=3)))
        >>> image.shape, int(image.max())
        ((28, 28), 255)
    """
    thinnest, fattest = USUAL_STROKES
    if max(ink.strength.shape) == BOX and thinnest <= stroke_width(ink.strength) <= fattest:
        return _centered(ink.strength)
    return _centered(_fit(_with_typical_stroke(ink.strength), BOX))


def stroke_width(strength: Gray | npt.NDArray[np.float32]) -> float:
    """Measure how wide strokes are: twice their area over the length of their outline.

    The outline of a gray picture is its total variation, by the co-area formula (Federer 1959), so no
    threshold is needed.

    Args:
        strength: uint8 or float32 of shape (h, w), 0 is paper; its scale doesn't matter.

    Returns:
        The mean width in pixels; 0 without ink.

    Example:
        >>> bar = np.zeros((60, 9), np.uint8)
        >>> bar[:, 3:6] = 255
        >>> round(stroke_width(bar), 1)
        2.9
    """
    padded = cv2.copyMakeBorder(strength, 1, 1, 1, 1, cv2.BORDER_CONSTANT).astype(np.float32, copy=False)
    across = padded[:-1, 1:] - padded[:-1, :-1]
    down = padded[1:, :-1] - padded[:-1, :-1]
    outline = cv2.sumElems(cv2.magnitude(across, down))[0]
    return 2 * cv2.sumElems(strength)[0] / outline if outline else 0.0


# ---------------------------------------------------------------------------------------- picture to ink


def _ink(gray: Gray) -> Ink | None:
    if min(gray.shape) < SMALLEST_SIDE:
        return None
    ready = _mnist_form(gray)
    if ready is not None:
        return ready
    small = _shrunk(gray, WORKING_SIDE)
    smooth = _smoothed(small)
    if _is_light_on_dark(smooth):
        small, smooth = 255 - small, 255 - smooth
    strength = _strength(_darkness(small, smooth))
    found = None if strength is None else _strokes(_without_lines(strength))
    if found is None:
        return None
    strength, x, y = found
    shortest, longest = STROKE_LENGTHS
    if not shortest <= cv2.sumElems(strength)[0] / 255 / stroke_width(strength) ** 2 <= longest:
        return None
    down, across = np.array(gray.shape) / small.shape  # not the same where a very long picture is kept 3 wide
    left, top = round(x * across), round(y * down)
    right = min(round((x + strength.shape[1]) * across), gray.shape[1])
    bottom = min(round((y + strength.shape[0]) * down), gray.shape[0])
    return Ink(strength, Box(left, top, right - left, bottom - top))


def _mnist_form(gray: Gray) -> Ink | None:
    """Take an MNIST image as it is, with its faintest grays; None for any other picture."""
    if gray.shape != (SIDE, SIDE):
        return None
    light = gray if _is_light_on_dark(_smoothed(gray)) else 255 - gray
    x, y, width, height = cv2.boundingRect(light)
    if max(width, height) != BOX:
        return None
    if np.abs(np.subtract(_center(light), SIDE / 2)).max() > 0.51:
        return None
    return Ink(light[y : y + height, x : x + width], Box(x, y, width, height))


def _shrunk(gray: Gray, longest: int) -> Gray:
    height, width = gray.shape
    scale = longest / max(height, width)
    if scale >= 1:
        return gray
    size = max(SMALLEST_SIDE, round(width * scale)), max(SMALLEST_SIDE, round(height * scale))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _smoothed(gray: Gray) -> Gray:
    """Even out noise by a pixel; what is told from a picture coarsely is told from this."""
    return cv2.GaussianBlur(gray, (3, 3), 0).astype(np.uint8, copy=False)


def _coarse(smooth: Gray) -> MatLike:
    """Shrink a smoothed picture quickly, to ``COARSE_SIDE``."""
    scale = min(1, COARSE_SIDE / max(smooth.shape))
    height, width = (max(SMALLEST_SIDE, round(side * scale)) for side in smooth.shape)
    return cv2.resize(smooth, (width, height))


def _is_light_on_dark(smooth: Gray) -> bool:
    """Tell light ink on dark paper from dark ink on light paper.

    Two signs, both in standard deviations. Ink is rarer than paper, so differences from the surroundings are
    skewed toward ink, while a shadow's edge differs both ways alike. And where fat ink fills a tightly cut
    picture, the rim still shows more paper than the middle does.
    """
    coarse = _coarse(smooth)
    side = max(coarse.shape) // 4 | 1
    surroundings = cv2.boxFilter(coarse, cv2.CV_32F, (side, side), borderType=cv2.BORDER_REFLECT)
    difference = cv2.subtract(coarse, surroundings, dtype=cv2.CV_32F)
    square = difference * difference
    skewness = cv2.mean(square * difference)[0] / max(cv2.mean(square)[0], 1e-3) ** 1.5
    rim = max(1, round(0.08 * min(coarse.shape)))
    middle = coarse[rim:-rim, rim:-rim]
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(coarse))
    above_rim = (cv2.mean(middle)[0] - mean) * coarse.size / (coarse.size - middle.size)
    prominence = above_rim / max(deviation, 1e-3)
    return bool(skewness + 1.5 * prominence > 0)


def _darkness(gray: Gray, smooth: Gray) -> Gray:
    """Return how much darker than the paper around it each pixel is: 0 is paper, 255 is black.

    Light falls on paper as a factor, so the picture is divided by its paper. A drawing or a clean scan has
    one level of paper. The paper of a photo is what closing leaves: it fills whatever is dark and narrower
    than its square, so strokes vanish while shadows, with their edges, stay.
    """
    counts = cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel()
    darkest, lightest, *_ = cv2.minMaxLoc(gray)
    light = counts[int(darkest + lightest + 1) // 2 :]  # fat ink may be commoner than paper
    if light.max() > 0.5 * light.sum():
        paper: MatLike = np.full_like(gray, 256 - light.size + int(light.argmax()))
    else:
        paper = _paper(smooth)
    darkness = cv2.divide(cv2.subtract(paper, gray), np.maximum(paper, DARKEST_PAPER), scale=255)
    return darkness.astype(np.uint8, copy=False)


DARKEST_PAPER = 32  # gray level; below it one would divide by a camera's noise
CLOSING_SHARES = (0.09, 0.18, 0.35)  # of the longer side: fine pens, markers, a fat digit cut tightly


def _paper(smooth: Gray) -> MatLike:
    """Return the paper: the picture closed by a square that is safely wider than the strokes, and not much.

    The wider the square, the more of a shadow's slope is taken for ink; but once it is wider than the
    strokes, the darkest ink gains nothing more. So the middle square is taken where even the narrow one is
    wide enough.
    """
    coarse = _coarse(smooth)
    fine, usual, wide = CLOSING_SHARES
    enough = _depth(coarse, fine) >= 0.85 * _depth(coarse, wide)
    paper = _closed(smooth, usual if enough else wide)
    return cv2.erode(paper, np.ones((3, 3), np.uint8))  # a shadow's blurred edge is no ink


def _depth(gray: MatLike, share: float) -> int:
    """Return how much darker than the paper so closed the darkest ink is, past single pixels of noise."""
    darker = _closed(gray, share, cv2.MORPH_BLACKHAT).flatten()
    darkest = int(0.997 * darker.size)
    darker.partition(darkest)
    return int(darker[darkest])


def _closed(gray: MatLike, share: float, operation: int = cv2.MORPH_CLOSE) -> MatLike:
    """Fill what is dark and narrower than a square of this share of the longer side.

    With ``cv2.MORPH_BLACKHAT`` as operation, return how much lighter that made each pixel instead. The
    picture is continued beyond its edges; otherwise the dark end of every slope would be filled too.
    """
    side = int(share * max(gray.shape)) | 1
    pad = side // 2
    height, width = gray.shape
    continued = cv2.copyMakeBorder(gray, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(continued, operation, np.ones((side, side), np.uint8))
    return closed[pad : pad + height, pad : pad + width]


def _strength(darkness: Gray) -> Gray | None:
    """Stretch darkness so that paper with its noise is 0 and ink is 255; None where nothing stands out.

    The noise is measured on the lighter half of the paper, where there is neither ink nor print. Ink is the
    upper class of what stands out (Otsu's threshold).
    """
    below = cv2.calcHist([darkness], [0], None, [256], [0, 256]).ravel().cumsum()
    darkest = below.searchsorted(0.995 * below[-1])
    paper = below[darkest // 2]
    low, usual, high = below.searchsorted((0.16 * paper, 0.5 * paper, 0.84 * paper)).tolist()
    noise = usual - low  # one standard deviation
    drawing = high == 0  # paper without any noise
    faintest = 8 if drawing else max(10 * noise, 30)  # of 255
    standing_out = darkness[darkness > usual + max(4 * noise, faintest // 2)]
    if not standing_out.size:
        return None
    threshold, _ = cv2.threshold(standing_out.reshape(1, -1), 0, 255, cv2.THRESH_OTSU)
    ink = cv2.mean(standing_out[standing_out >= threshold])[0]
    if ink < usual + faintest:
        return None
    lowest = usual + 3 * noise
    stretched = cv2.convertScaleAbs(cv2.subtract(darkness, lowest), alpha=255 / (ink - lowest))
    return stretched.astype(np.uint8, copy=False)


def _without_lines(strength: Gray) -> Gray:
    """Drop the rules of ruled and squared paper: thin, straight, level or upright, from edge to edge.

    Where a stroke crosses a rule it stays.
    """
    mask = strength > FAINT_INK
    height, width = mask.shape
    *_, columns, rows = cv2.boundingRect(mask.view(np.uint8))
    if columns < width and rows < height:  # nothing runs from edge to edge
        return strength
    level, upright = _level_lines(mask), _level_lines(mask.T).T
    if not (level.any() or upright.any()):
        return strength
    thickest = max(3, round(0.02 * max(mask.shape)))
    crossing = _upright_runs(mask & ~upright, thickest) | _upright_runs((mask & ~level).T, thickest).T
    return np.where((level | upright) & ~crossing, np.uint8(0), strength)


def _level_lines(mask: Mask) -> Mask:
    """Mark nearly horizontal lines that run from the left edge to the right edge, and a pixel around them."""
    height, width = mask.shape
    if not (mask[:, 0].any() and mask[:, -1].any()):
        return np.zeros(mask.shape, np.bool_)
    # A tilted line is a stair of level runs; a pixel of thickness more makes the steps long.
    lines = cv2.dilate(mask.astype(np.uint8), np.ones((3, 1), np.uint8))
    lines = cv2.morphologyEx(lines, cv2.MORPH_OPEN, np.ones((1, max(3, width // 6)), np.uint8))
    lines = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, np.ones((1, max(3, width // 8)), np.uint8))
    _, labels, stats = _components(lines.astype(np.uint8, copy=False))
    through = (stats[:, cv2.CC_STAT_WIDTH] >= width - 2) & (stats[:, cv2.CC_STAT_HEIGHT] <= 0.12 * height + 3)
    through[0] = False  # the paper
    marked: Mask = through[labels]
    return marked


def _upright_runs(mask: Mask, thickest: int) -> Mask:
    """Mark vertical runs that are longer than a rule is thick."""
    run = np.ones((thickest + 1, 1), np.uint8)
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, run).astype(np.bool_)


def _strokes(strength: Gray) -> tuple[Gray, int, int] | None:
    """Cut out the strokes that make up the digit; also return the left and the top of the cut."""
    clear = (strength > CLEAR_INK).view(np.uint8)
    found = _only_mark(clear) or _marks_of_digit(clear)
    if found is None:
        return None
    marks, x, y = found
    height, width = marks.shape
    kept = cv2.dilate(marks, np.ones((3, 3), np.uint8))
    return np.multiply(strength[y : y + height, x : x + width], kept), x, y


def _only_mark(clear: Gray) -> tuple[Gray, int, int] | None:
    """Cut out the one mark of a picture, clear of its edges; None for any other picture.

    Most pictures have just that, and choosing among marks takes several times as long.
    """
    x, y, width, height = cv2.boundingRect(clear)
    if x == 0 or y == 0 or x + width == clear.shape[1] or y + height == clear.shape[0]:
        return None
    mark = clear[y : y + height, x : x + width]
    if _is_speck(max(mark.shape), clear) or cv2.connectedComponents(mark, connectivity=8)[0] > 2:
        return None
    return mark, x, y


def _marks_of_digit(clear: Gray) -> tuple[Gray, int, int] | None:
    """Cut out the marks that make up the digit; also return the left and the top of the cut.

    The largest mark is the digit's, and so is every other that is near what was chosen and not dust beside
    it. What lies along the picture's edge is a frame, and what the edge cuts is part of a neighbor, unless
    the edge cuts the digit too.
    """
    height, width = clear.shape
    count, labels, stats = _components(clear)
    start = stats[:, : cv2.CC_STAT_WIDTH]  # left and top
    end = start + stats[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_AREA]
    at_edge = ((start == 0) | (end == (width, height))).any(axis=1)
    mass = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    mass[0] = 0  # the paper
    if (at_edge & (mass > 0)).any():
        rim = max(2, round(0.05 * max(height, width)))
        inside = np.bincount(labels[rim:-rim, rim:-rim].ravel(), minlength=count)
        mass[at_edge & (inside < 0.05 * mass)] = 0  # a frame
    main = int(mass.argmax())
    size = int((end[main] - start[main]).max())
    if not mass[main] or _is_speck(size, clear):
        return None
    chosen = np.arange(count) == main
    others = (mass > 0.02 * mass[main]) & (at_edge[main] | ~at_edge) & ~chosen
    first, last = start[main], end[main]
    while others.any():
        gap = np.maximum(start - last, first - end).max(axis=1)
        near = others & (gap <= 0.2 * (last - first).max())
        if not near.any():
            break
        chosen |= near
        others &= ~near
        first, last = start[chosen].min(axis=0), end[chosen].max(axis=0)
    (x, y), (end_x, end_y) = first.tolist(), last.tolist()
    return chosen.take(labels[y:end_y, x:end_x]).view(np.uint8), x, y


def _is_speck(size: int, picture: Gray) -> bool:
    return bool(size < max(SMALLEST_SIDE, SMALLEST_SHARE * max(picture.shape)))


def _components(mask: Gray) -> tuple[int, Labels, Labels]:
    """Count and label connected marks and measure them; only in the part with marks, as measuring is slow."""
    x, y, width, height = cv2.boundingRect(mask)
    labels: Labels = np.zeros(mask.shape, np.int32)
    part = slice(y, y + max(1, height)), slice(x, x + max(1, width))  # OpenCV crashes on an empty array
    count, labels[part], measured, _ = cv2.connectedComponentsWithStats(mask[part], connectivity=8)
    stats = measured.astype(np.int32, copy=False)
    stats[:, : cv2.CC_STAT_WIDTH] += (x, y)
    return count, labels, stats


# ------------------------------------------------------------------------------------ ink to MNIST image


def _with_typical_stroke(strength: Gray) -> Gray:
    """Redraw the strokes as wide as MNIST's, cut to the ink and about ``FINE`` times MNIST's size.

    Every outline moves by the same distance, as with a wider or a finer pen; the centers of the strokes stay.
    """
    pad = 2 * FINE  # more than a stroke's outline moves
    fine = cv2.copyMakeBorder(_fit(strength, FINE * BOX), pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    fine = cv2.GaussianBlur(fine, (3, 3), FINE / 3)  # the stairs of coarse pixels are not the writer's
    # The outline is where ink falls to half of what the stroke reaches nearby, so that a pale stroke beside a
    # strong one is drawn as well.
    nearby = np.ones((4 * FINE + 1, 4 * FINE + 1), np.uint8)
    reached = np.maximum(cv2.dilate(fine, nearby), np.uint8(0.3 * fine.max()))
    ink = (fine > reached // 2).view(np.uint8)
    distance = cv2.distanceTransform(ink, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - ink, cv2.DIST_L2, 5)
    distance += 0.5 - ink.astype(np.float32)  # from the outline, not from the next pixel's center
    width = stroke_width(_drawn(distance, 0))
    growth = max((FINE * TYPICAL_STROKE - width) / 2, -float(distance.max()) / 2)
    drawn = _drawn(distance, growth)
    x, y, columns, rows = cv2.boundingRect(cv2.threshold(drawn, 127, 255, cv2.THRESH_BINARY)[1])
    return drawn[y : y + rows, x : x + columns]


def _drawn(distance: npt.NDArray[np.float32], growth: float) -> Gray:
    """Fill where the signed distance to the grown outline is positive, with gray levels along the outline."""
    outermost = -growth - 0.5  # the distance of the first pixels without ink
    inside = np.maximum(distance, np.float32(outermost))
    drawn: MatLike = cv2.convertScaleAbs(inside, alpha=255, beta=-255 * outermost)
    return drawn.astype(np.uint8, copy=False)


def _fit(strength: Gray, longest: int) -> Gray:
    height, width = strength.shape
    scale = longest / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(strength, size, interpolation=interpolation).astype(np.uint8, copy=False)


def _centered(digit: Gray) -> Gray:
    """Place a digit of at most 20 x 20 so that its center of mass lies in the middle of 28 x 28."""
    height, width = digit.shape
    row, column = _center(digit)
    top = min(max(round(SIDE / 2 - row), 0), SIDE - height)
    left = min(max(round(SIDE / 2 - column), 0), SIDE - width)
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = digit
    return image


def _center(weights: Gray) -> tuple[float, float]:
    """Return the center of mass as row and column, where MNIST's 14 is the fifteenth pixel."""
    moments = cv2.moments(weights)
    return moments["m01"] / moments["m00"], moments["m10"] / moments["m00"]
