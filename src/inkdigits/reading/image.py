"""Path, bytes, open file, PIL image or array: every kind of picture becomes one upright gray array.

Pillow decodes, OpenCV computes. Whatever a file holds, the answer is an array or an
``InkdigitsError``: limits are checked before anything is decoded, and no decoder's own exception
gets through. What is dark stays dark: nothing here decides which of two tones is the ink.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from inkdigits.errors import ArgumentError, PictureError

if TYPE_CHECKING:
    from cv2.typing import MatLike
    from PIL.Image import Image as PILImage
    from PIL.ImageFile import ImageFile

Picture: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | PILImage | npt.NDArray[Any]"
"""What ``load_gray`` accepts."""

DEFAULT_MAX_PIXELS = 100_000_000
"""Width times height of the largest picture opened unless told otherwise: an A4 page at 1,000 dpi."""

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".tif", ".tiff", ".bmp", ".webp", ".gif"})
"""File name endings, in lower case, of the pictures taken from a folder."""

_ACCEPTED = "PNG, JPEG, TIFF, BMP, WebP or GIF"

# The first bytes decide, never the name: phones and chat programs give JPEG files the name .png.
_SIGNATURES = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "BMP": rb"BM",
    "WebP": rb"RIFF.{4}WEBP",
    "GIF": rb"GIF8[79]a",
}
_LONGEST_SIGNATURE = 12  # bytes

# No file needs more than eight bytes a pixel (16-bit RGBA, uncompressed) and room for metadata.
_BYTES_PER_PIXEL = 8
_METADATA_BYTES = 16 * 2**20
_BLOCK = 2**20  # bytes read at a time

_TEXT_MODE = "{name} is open in text mode. Open it in binary mode: open(path, 'rb')."

_ORIENTATION_TAG = 0x0112  # Exif 2.32, 4.6.4

_log = logging.getLogger("inkdigits")


def load_gray(picture: Picture, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Open a picture and return it as one upright gray array.

    - The orientation a camera noted (EXIF, XMP) is applied.
    - Transparent parts become white or black, whichever the ink stands out from.
    - Color becomes luminance, or the red, green or blue channel alone where luminance hides the
      ink: yellow pen on white paper, red chalk on a green board.
    - Of several frames or pages the first is read, and a warning is logged.

    Args:
        picture: one of

            - the path of a PNG, JPEG, TIFF, BMP, WebP or GIF file,
            - the bytes of such a file,
            - a binary file object, read from its start and left open,
            - a PIL image of any mode, at its current frame,
            - an array of shape (H, W), (H, W, 3) in the order RGB or (H, W, 4) in the order RGBA
              (OpenCV's BGR needs ``array[..., ::-1]``); bool, uint8, uint16 from 0 to 65535, or
              float from 0 to 1.
        max_pixels: limit on width times height, checked before decoding; at least 1.

    Returns:
        The gray picture, shape (H, W), uint8, 0 black to 255 white: a new array that shares no
        memory with ``picture``.

    Raises:
        PictureError: the file is missing, empty, unreadable, damaged or of another format; the
            picture is larger than ``max_pixels``; an array has another shape or dtype.
        ArgumentError: ``picture`` is none of the above or a file in text mode; a float array has
            values outside 0 to 1; ``max_pixels`` is below 1.

    Example:
        >>> red = np.full((2, 3, 3), (255, 0, 0), np.uint8)
        >>> load_gray(red)
        array([[76, 76, 76],
               [76, 76, 76]], dtype=uint8)
    """
    values, orientation = _load(picture, max_pixels)
    return _turn_upright(_to_gray(_to_uint8(values)), orientation)


def load_rgb(picture: Picture, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Open a picture and return it upright in color, to draw on.

    See `load_gray`, which takes the same arguments, raises the same errors and gives the same height and
    width.

    Returns:
        The picture, shape (H, W, 3), uint8 RGB; what was transparent is white or black, as in `load_gray`.

    Example:
        >>> load_rgb(np.zeros((2, 3), np.uint8)).shape
        (2, 3, 3)
    """
    values, orientation = _load(picture, max_pixels)
    pixels = _to_uint8(values)
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    return _turn_upright(_fill_transparent(pixels) if pixels.shape[2] == 4 else pixels, orientation)


def _load(picture: Picture, max_pixels: int) -> tuple[npt.NDArray[Any], int]:
    """Return a picture's values, checked but of any accepted kind, and its EXIF orientation."""
    if isinstance(max_pixels, bool) or not isinstance(max_pixels, int) or max_pixels < 1:
        raise ArgumentError(f"max_pixels must be a whole number of at least 1, not {max_pixels!r}.")
    if isinstance(picture, np.ndarray):
        return _check_array(picture, max_pixels), 1
    return _decode(*_find_image(picture, max_pixels), max_pixels)


def is_picture_name(path: str | os.PathLike[str]) -> bool:
    """Tell by its ending whether a file's name is that of a picture.

    Example:
        >>> is_picture_name("scans/page 1.TIF"), is_picture_name("notes.txt")
        (True, False)
    """
    return Path(path).suffix.lower() in SUFFIXES


def find_pictures(path: str | os.PathLike[str]) -> list[Path]:
    """List the pictures that a path stands for.

    Args:
        path: a file, which gives itself whatever its name is; or a folder, which gives every
            picture in it and in the folders below, told by name. Other files, hidden files and
            folders (a leading dot) and linked folders are passed over.

    Returns:
        Paths that begin with ``path``, sorted by folder and name; empty where there is no picture.

    Raises:
        PictureError: the path does not exist, or a folder can't be listed.

    Example:
        >>> find_pictures("scans")  # doctest: +SKIP
        [PosixPath('scans/page 1.png'), PosixPath('scans/page 2.jpg')]
    """
    root = Path(path)
    found: list[Path] = []

    def keep(error: OSError) -> None:
        found.append(Path(error.filename))  # to be refused when it is read, beside the pictures that can be

    try:
        if not root.exists():
            raise PictureError(f"{root} does not exist. Give the path of a picture or of a folder.")
    except OSError as error:
        raise PictureError(f"{root} can't be looked into: {error.strerror}.") from error
    if not root.is_dir():
        return [root]
    for folder, subfolders, names in os.walk(root, onerror=keep):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        paths = (Path(folder, name) for name in names if not name.startswith("."))
        found += [path for path in paths if is_picture_name(path)]
    return sorted(found)


# ---- from a path, bytes or a file to a decoder ---------------------------------------------------


def _find_image(source: object, max_pixels: int) -> tuple[PILImage, str]:
    """Return a picture that is no array as a PIL image, not decoded yet, and the name to call it by."""
    from PIL.Image import Image as PILImage

    if isinstance(source, PILImage):
        _check_size(*source.size, "The PIL image", max_pixels)
        return source, "The PIL image"
    file, name = _read(source, max_pixels)
    return _open(file, name, max_pixels), name


def _read(source: object, max_pixels: int) -> tuple[io.BytesIO, str]:
    """Return the content of a file picture and the name to call it by."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _read_file(io.BytesIO(source), "The picture given as bytes", max_pixels)
    if isinstance(source, (str, os.PathLike)):
        return _read_path(Path(os.fsdecode(source)), max_pixels)
    if not hasattr(source, "read"):
        raise ArgumentError(
            f"A picture can't be made from {type(source).__name__!r}. Give a path, bytes, "
            "a binary file, a PIL image or a numpy array."
        )
    name = getattr(source, "name", None)
    if not isinstance(name, str):  # a file opened by number has that number as its name
        name = "The open file"
    if getattr(source, "closed", False):
        raise ArgumentError(f"{name} is closed. Give an open binary file, or its path.")
    try:
        with contextlib.suppress(AttributeError, OSError):  # a pipe has no start to go back to
            source.seek(0)  # type: ignore[attr-defined]
        return _read_file(source, name, max_pixels)  # type: ignore[arg-type]
    except UnicodeDecodeError as error:
        raise ArgumentError(_TEXT_MODE.format(name=name)) from error
    except io.UnsupportedOperation as error:
        raise ArgumentError(f"{name} is not open for reading. Open it with mode 'rb'.") from error
    except OSError as error:
        raise PictureError(f"{name} can't be read: {error}.") from error


def _read_path(path: Path, max_pixels: int) -> tuple[io.BytesIO, str]:
    try:
        if path.is_dir():
            raise PictureError(f"{path} is a folder. Give the path of one picture.")
        with path.open("rb") as file:
            return _read_file(file, str(path), max_pixels)
    except FileNotFoundError as error:
        raise PictureError(f"{path} does not exist. Give the path of a picture.") from error
    except PermissionError as error:
        raise PictureError(f"{path} may not be read: permission denied. Change its access rights.") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise PictureError(f"{str(path)!r} can't be read: {error}.") from error


def _read_file(file: BinaryIO, name: str, max_pixels: int) -> tuple[io.BytesIO, str]:
    """Copy a file into memory, stopping as soon as it can't be an accepted picture."""
    limit = max_pixels * _BYTES_PER_PIXEL + _METADATA_BYTES
    content = io.BytesIO()
    while block := file.read(_BLOCK):
        if not isinstance(block, bytes):
            raise ArgumentError(_TEXT_MODE.format(name=name))
        content.write(block)
        if content.tell() > limit:
            raise PictureError(
                f"{name} has more than {limit:,} bytes, the most accepted with the limit of {max_pixels:,} "
                "pixels. Save it compressed, or raise the limit with --max-pixels (max_pixels= in Python)."
            )
        if content.tell() >= _LONGEST_SIGNATURE:
            _format(content, name)
    return content, name


def _format(content: io.BytesIO, name: str) -> str:
    """Name the format that a file's first bytes are the signature of."""
    start = content.getbuffer()[:_LONGEST_SIGNATURE].tobytes()
    for name_of_format, signature in _SIGNATURES.items():
        if re.match(signature, start, re.DOTALL):
            return name_of_format
    if not start:
        raise PictureError(f"{name} is empty (0 bytes). Save or copy the picture again.")
    raise PictureError(
        f"{name} is not a picture that inkdigits can open: it begins with {start!r}. Accepted: {_ACCEPTED}."
    )


def _open(content: io.BytesIO, name: str, max_pixels: int) -> ImageFile:
    """Read a picture's header with Pillow; nothing is decoded yet."""
    from PIL import (
        BmpImagePlugin,
        GifImagePlugin,
        Image,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    # PIL.Image.open would also try other formats and measure the picture by its own limit, a
    # setting of the whole process, warning first: it can't be raised or silenced for one picture
    # without doing so for every thread. Its format classes have neither.
    formats: dict[str, Callable[[BinaryIO], ImageFile]] = {
        "PNG": PngImagePlugin.PngImageFile,
        "JPEG": JpegImagePlugin.JpegImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
        "WebP": WebPImagePlugin.WebPImageFile,
        "GIF": GifImagePlugin.GifImageFile,
    }
    read_header = formats[_format(content, name)]
    content.seek(0)
    with _only_picture_errors(name, max_pixels):
        image = read_header(content)
    _check_size(*image.size, name, max_pixels)
    with _only_picture_errors(name, max_pixels):
        frames = getattr(image, "n_frames", 1)
    if frames > 1:
        _log.warning("%s has %d frames or pages; only the first is read.", name, frames)

    if isinstance(image, TiffImagePlugin.TiffImageFile):
        with _only_picture_errors(name, max_pixels):
            width, height = (int(image.tag_v2[tag]) for tag in (256, 257))  # as stored, not upright
            tile_width, tile_height = (int(image.tag_v2.get(tag, 1)) for tag in (322, 323))
        # A tile is decoded as a whole, however little of it the picture shows.
        _check_size(tile_width, tile_height, f"{name}, in one of its tiles,", max_pixels)
        with _only_picture_errors(name, max_pixels):
            # The TIFF class reserves its memory under Pillow's limit, unless it has been given some.
            image.im = Image.new(image.mode, (width, height)).im
    return image


# ---- from a decoder or an array to checked values ------------------------------------------------


def _check_size(width: int, height: int, name: str, max_pixels: int) -> None:
    if width == 0 or height == 0:
        raise PictureError(f"{name} has no pixels: {width} x {height}.")
    if width * height > max_pixels:
        raise PictureError(
            f"{name} has {width} x {height} = {width * height:,} pixels, more than the limit of "
            f"{max_pixels:,}. Make it smaller, or raise the limit with --max-pixels (max_pixels= in Python)."
        )


@contextlib.contextmanager
def _only_picture_errors(name: str, max_pixels: int) -> Iterator[None]:
    """Turn whatever Pillow raises into a ``PictureError``.

    Damaged files make its decoders raise almost anything: OSError, SyntaxError, ValueError,
    struct.error, zlib.error, EOFError, IndexError, OverflowError and more.
    """
    from PIL.Image import DecompressionBombError

    try:
        yield
    except DecompressionBombError as error:  # GIF and WebP check inside their own classes
        raise PictureError(
            f"{name} is too large: {error} The limit here is {max_pixels:,} pixels (--max-pixels, "
            "max_pixels= in Python); Pillow's own for this format is PIL.Image.MAX_IMAGE_PIXELS."
        ) from error
    except MemoryError as error:  # the picture's size asks for it, so it is the picture that can't be opened
        raise PictureError(
            f"{name} can't be opened: there is not enough memory. Make the picture smaller."
        ) from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise PictureError(
            f"{name} can't be decoded: it is damaged, cut short or of an unusual kind ({reason}). "
            "Save or copy the picture again."
        ) from error


def _decode(image: PILImage, name: str, max_pixels: int) -> tuple[npt.NDArray[Any], int]:
    """Return a PIL image's values, as ``_check_array`` accepts them, and its EXIF orientation."""
    with _only_picture_errors(name, max_pixels):
        image.load()
        if image.mode.startswith(("I", "F")):
            values = np.asarray(image)
        elif image.has_transparency_data:
            values = np.asarray(image.convert("RGBA"))
        elif image.mode in {"1", "L", "RGB"}:
            values = np.asarray(image)
        else:
            values = np.asarray(image.convert("RGB"))
    if image.mode in {"I", "F"}:
        values = _scale_wide_gray(values, name)
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - any damage; the picture itself is whole
        _log.warning("%s has damaged EXIF data; it is read as if upright.", name)
        orientation = 1
    return values, orientation


def _scale_wide_gray(values: npt.NDArray[Any], name: str) -> npt.NDArray[np.float32]:
    """Bring 32-bit gray, whose white is not noted in the file, to 0 to 1.

    White is the smallest of the customary 1 (for floats), 255 and 65535 that no value exceeds.
    """
    low, high = float(values.min()), float(values.max())
    for white in (1, 255, 65535) if values.dtype.kind == "f" else (255, 65535):
        if low >= 0 and high <= white:  # False for NaN
            return (values / np.float32(white)).astype(np.float32)
    raise PictureError(
        f"{name} has 32-bit gray values from {low:g} to {high:g}. Accepted: 0 to 1, 0 to 255 or 0 to 65535; "
        "save it with 8 or 16 bits."
    )


def _check_array(array: npt.NDArray[Any], max_pixels: int) -> npt.NDArray[Any]:
    channels = array.shape[2:]
    if array.ndim not in {2, 3} or channels not in {(), (3,), (4,)}:
        raise PictureError(
            f"An array of shape {array.shape} is not a picture. "
            "Accepted: (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA."
        )
    height, width = array.shape[:2]
    _check_size(width, height, "The array", max_pixels)
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):  # also True for NaN
            raise ArgumentError(
                f"A float picture must have values from 0 to 1, not {low:g} to {high:g}. "
                "Divide by its white, or convert with array.astype(numpy.uint8)."
            )
    elif array.dtype.kind not in "bu" or array.dtype.itemsize > 2:
        raise PictureError(
            f"An array of {array.dtype} is not a picture. Accepted: bool, uint8, uint16 (0 to 65535) "
            "or float (0 to 1); convert with array.astype(numpy.uint8)."
        )
    return array


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
    small = cv2.resize(rgb, reduced, interpolation=cv2.INTER_AREA)
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


def _turn_upright(pixels: MatLike, orientation: object) -> npt.NDArray[np.uint8]:
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
    return np.array(pixels, np.uint8, order="C")
