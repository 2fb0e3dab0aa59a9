"""Every kind of picture becomes one upright gray array, or one in color to draw on.

Decoding is done in `inkdigits.reading.sources`; here OpenCV computes. What is dark stays dark: nothing here
decides which of two tones is the ink.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.errors import ArgumentError
from inkdigits.reading.sources import DEFAULT_MAX_PIXELS, Picture, load_values

ROTATIONS = (0, 90, 180, 270)  # degrees clockwise

if TYPE_CHECKING:
    from cv2.typing import MatLike


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A decoded picture, from which both the gray to read and the color to draw on are made.

    Attributes:
        values: as a file or the caller had them; see `load_values`.
        orientation: as a camera noted it in EXIF, 1 for upright.
        turns: by how many right angles it is to be turned clockwise after that, 0 to 3.
    """

    values: npt.NDArray[Any]
    orientation: int
    turns: int

    def gray(self) -> npt.NDArray[np.uint8]:
        """Return the upright picture in gray, uint8 of shape (H, W)."""
        return self._upright(_to_gray(_to_uint8(self.values)))

    def rgb(self) -> npt.NDArray[np.uint8]:
        """Return the upright picture in color, uint8 RGB of shape (H, W, 3)."""
        pixels = _to_uint8(self.values)
        if pixels.ndim == 2:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
        return self._upright(_fill_transparent(pixels) if pixels.shape[2] == 4 else pixels)

    def _upright(self, pixels: MatLike) -> npt.NDArray[np.uint8]:
        return np.array(np.rot90(_turn_upright(pixels, self.orientation), -self.turns), np.uint8, order="C")


def median_gray(gray: npt.NDArray[np.uint8]) -> float:
    """Return the median of gray levels (H, W); 255 where there are none.

    NumPy puts the pixels in order, which takes eight times as long as counting each of the 256 levels.

    Example:
        >>> median_gray(np.array([[3, 9], [5, 4]], np.uint8))
        4.5
    """
    if not gray.size:
        return 255.0
    up_to = cv2.calcHist([gray], [0], None, [256], [0, 256]).cumsum(dtype=np.float64)
    return float(np.searchsorted(up_to, [(gray.size + 1) // 2, gray.size // 2 + 1]).mean())


def load(picture: Picture, *, rotate: int = 0, max_pixels: int = DEFAULT_MAX_PIXELS) -> Decoded:
    """Open and decode a picture; `load_gray` says which, and what is raised."""
    check_rotation(rotate)
    return Decoded(*load_values(picture, max_pixels), turns=rotate // 90)


def check_rotation(rotate: int) -> None:
    """Refuse what is no rotation.

    Raises:
        ArgumentError: it is neither 0, 90, 180 nor 270.

    Example:
        >>> check_rotation(90)
    """
    if rotate not in ROTATIONS:
        raise ArgumentError(f"rotate must be 0, 90, 180 or 270 degrees clockwise. Received: {rotate!r}")


def load_gray(
    picture: Picture, *, rotate: int = 0, max_pixels: int = DEFAULT_MAX_PIXELS
) -> npt.NDArray[np.uint8]:
    """Open a picture and return it as one upright gray array.

    - The orientation a camera noted (EXIF, XMP) is applied.
    - Transparent parts become white or black, whichever the ink stands out from.
    - Color becomes luminance, or the red, green or blue channel alone where luminance hides the
      ink: yellow pen on white paper, red chalk on a green board.
    - Of several frames or pages the first is read, and a warning is logged.

    Args:
        picture: one of

            - the path of a PNG, JPEG, TIFF, BMP, WebP, GIF, HEIC or PDF file,
            - the bytes of such a file,
            - a binary file object, read from its start and left open,
            - a PIL image of any mode, at its current frame,
            - an array of shape (H, W), (H, W, 3) in the order RGB or (H, W, 4) in the order RGBA
              (OpenCV's BGR needs ``array[..., ::-1]``); bool, uint8, uint16 from 0 to 65535, or
              float from 0 to 1,
            - a `Page` of a document.
        rotate: degrees to turn it clockwise by, after what the camera noted: 0, 90, 180 or 270.
        max_pixels: limit on width times height, checked before decoding; at least 1.

    Returns:
        The gray picture, shape (H, W), uint8, 0 black to 255 white: a new array that shares no
        memory with ``picture``.

    Raises:
        PictureError: the file is missing, empty, unreadable, damaged or of another format; the
            picture is larger than ``max_pixels``; an array has another shape or dtype.
        ArgumentError: ``picture`` is none of the above or a file in text mode; a float array has
            values outside 0 to 1; ``rotate`` or ``max_pixels`` is none of the accepted.
        MissingExtraError: HEIC needs the extra ``heic``, PDF the extra ``pdf``.

    Example:
        >>> red = np.full((2, 3, 3), (255, 0, 0), np.uint8)
        >>> load_gray(red)
        array([[76, 76, 76],
               [76, 76, 76]], dtype=uint8)
    """
    return load(picture, rotate=rotate, max_pixels=max_pixels).gray()


def load_rgb(
    picture: Picture, *, rotate: int = 0, max_pixels: int = DEFAULT_MAX_PIXELS
) -> npt.NDArray[np.uint8]:
    """Open a picture and return it upright in color, to draw on.

    See `load_gray`, which takes the same arguments, raises the same errors and gives the same height and
    width.

    Returns:
        The picture, shape (H, W, 3), uint8 RGB; what was transparent is white or black, as in `load_gray`.

    Example:
        >>> load_rgb(np.zeros((2, 3), np.uint8)).shape
        (2, 3, 3)
    """
    return load(picture, rotate=rotate, max_pixels=max_pixels).rgb()


# ---- from values to 8 bits -----------------------------------------------------------------------


def _to_uint8(values: npt.NDArray[Any]) -> MatLike:
    """Scale bool, uint8, uint16 or float from 0 to 1 to 0 to 255, rounded."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind == "f":
        return cv2.convertScaleAbs(values.astype(np.float32), alpha=255)
    return cv2.convertScaleAbs(values.astype(np.uint16), alpha=1 / 257)  # 65535 / 257 = 255


# ---- from colors to gray -------------------------------------------------------------------------


def _to_gray(pixels: MatLike) -> MatLike:
    """Return (H, W) from (H, W), (H, W, 3) or (H, W, 4), all uint8."""
    if pixels.ndim == 2:
        return pixels
    rgb = _fill_transparent(pixels) if pixels.shape[2] == 4 else pixels
    channel = _channel_that_shows_hidden_ink(rgb)
    if channel is not None:
        return cv2.extractChannel(rgb, channel)
    return _luminance(rgb)


def _luminance(rgb: MatLike) -> MatLike:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def _fill_transparent(rgba: MatLike) -> MatLike:
    """Lay a picture with transparency on white or on black, so that its ink stands out.

    Ink drawn on nothing takes the ground it differs from: white under dark ink, black under light.
    Where most of the picture is opaque and has light and dark of its own, it is a page with
    transparent margins, and these take the tone of the page.
    """
    rgb, alpha = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), cv2.extractChannel(rgba, 3)
    if alpha.min() == 255:
        return rgb
    luminance = _luminance(rgb)
    opacity = cv2.mean(alpha)[0]
    weighted = cv2.mean(cv2.multiply(luminance, alpha, dtype=cv2.CV_32F))[0]
    is_light = opacity > 0 and weighted / opacity >= 128  # the mean of what can be seen
    opaque = luminance[alpha >= 250]
    is_page = opacity > 128 and int(opaque.max(initial=0)) - int(opaque.min(initial=255)) > 64

    ground_is_white = is_light if is_page else not is_light
    three_alphas = cv2.merge([alpha] * 3)
    seen = cv2.multiply(rgb, three_alphas, scale=1 / 255)
    return cv2.add(seen, cv2.bitwise_not(three_alphas)) if ground_is_white else seen


def _channel_that_shows_hidden_ink(rgb: MatLike) -> int | None:
    """Return 0 (red), 1 (green) or 2 (blue) if that channel alone shows ink which luminance hides.

    Luminance has the least noise (JPEG stores color coarsely) and ranks most inks as the eye does.
    So it stays, unless one channel shows ink at least twice as strongly: yellow or orange pen on
    white paper in blue, red chalk on a green board in red. There are no weights to fit, since no
    weighted mean of the channels shows an ink more strongly than the best single one does. Black
    and gray ink differ from the paper by about the same in every channel and never cause a switch.

    How strongly ink shows is the difference from a median wider than a stroke: strokes vanish in
    it, the straight edge of a sheet does not. It is taken at the strongest 1 in 2,000 pixels, so
    that a little dark ink among much color (black on a line marked in yellow, blue in an orange
    form) keeps luminance. All this on a reduction to 256 pixels, in which noise averages out.
    """
    height, width = rgb.shape[:2]
    shrink = max(height, width, 256) / 256
    reduced = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    # By a whole number first, without the few pixels that are left over: OpenCV is three times as fast then.
    whole = max(1, min(int(shrink), height, width))
    down, across = height // whole, width // whole
    small = cv2.resize(rgb[: down * whole, : across * whole], (across, down), interpolation=cv2.INTER_AREA)
    small = cv2.resize(small, reduced, interpolation=cv2.INTER_AREA)
    views = [*cv2.split(small), _luminance(small)]
    window = 61  # a quarter of the longer side
    grounds = [cv2.medianBlur(view, window) for view in views]

    # The corners of a sheet vanish in the median too. They lie where the median itself changes.
    change = cv2.morphologyEx(grounds[3], cv2.MORPH_GRADIENT, np.ones((window, window), np.uint8))
    is_even = change < 64
    if not is_even.any():
        return None
    rank = -1 - np.count_nonzero(is_even) // 2000
    red, green, blue, luminance = (
        int(np.partition(cv2.absdiff(view, ground)[is_even], rank)[rank])
        for view, ground in zip(views, grounds, strict=True)
    )
    best = max(red, green, blue)
    # Below a tenth of full contrast it may be noise: a small blank JPEG has nothing to average out.
    return (red, green, blue).index(best) if best >= max(2 * luminance, 24) else None


def _turn_upright(pixels: MatLike, orientation: object) -> MatLike:
    """Undo the rotation or mirroring noted as EXIF orientation; unknown values are taken as upright."""
    match orientation:
        case 2:
            pixels = pixels[:, ::-1]
        case 3:
            pixels = pixels[::-1, ::-1]
        case 4:
            pixels = pixels[::-1]
        case 5:
            pixels = np.swapaxes(pixels, 0, 1)
        case 6:
            pixels = np.rot90(pixels, -1)
        case 7:
            pixels = np.swapaxes(pixels[::-1, ::-1], 0, 1)
        case 8:
            pixels = np.rot90(pixels)
    return pixels
