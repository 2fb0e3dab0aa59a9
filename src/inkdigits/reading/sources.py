"""A path, bytes, open file, PIL image or array -> its pages -> the values of their pixels, with limits.

Pillow and PDFium decode. Whatever a file holds, the answer is an array or an ``InkdigitsError``: limits are
checked before anything is decoded, and no decoder's own exception gets through. Of a document one page is
decoded at a time, and of one given by its path only what is needed is read.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import logging
import os
import re
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from inkdigits.errors import ArgumentError, InkdigitsError, MissingExtraError, PictureError, is_whole
from inkdigits.reading.pdf import PdfDocument

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage
    from PIL.ImageFile import ImageFile

Picture: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | PILImage | npt.NDArray[Any] | Page"
"""What is accepted wherever a picture is asked for; `load_gray` describes each."""

DEFAULT_MAX_PIXELS = 100_000_000
"""Width times height of the largest picture opened unless told otherwise: an A4 page at 1,000 dpi."""

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".heic", ".heif", ".pdf"}
)
"""File name endings, in lower case, of the pictures taken from a folder."""

# The first bytes decide, never the name: phones and chat programs give JPEG files the name .png.
_SIGNATURES = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "BMP": rb"BM",
    "WebP": rb"RIFF.{4}WEBP",
    "GIF": rb"GIF8[79]a",
    "HEIC": rb".{4}ftyp(hei[csmx]|hev[csmx]|mif1|msf1)",
    "PDF": rb".{0,1019}%PDF-",  # what stands before is passed over (ISO 32000-1, Adobe's note 13 on it)
}
FORMATS = tuple(_SIGNATURES)
"""The names of the formats that are accepted."""
SIGNATURE_BYTES = 1024
"""How many of a file's first bytes tell its format."""
SHOWN_BYTES = 12
"""How many of them an error shows."""
_ACCEPTED = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"

# No file needs more than eight bytes a pixel (16-bit RGBA, uncompressed) and room for metadata.
_BYTES_PER_PIXEL = 8
_METADATA_BYTES = 16 * 2**20
_BLOCK = 2**20  # bytes read at a time

_TEXT_MODE = "{name} is open in text mode. Open it in binary mode: open(path, 'rb')."

_ORIENTATION_TAG = 0x0112  # Exif 2.32, 4.6.4

Values: TypeAlias = tuple[npt.NDArray[Any], int]  # of pixels, and the EXIF orientation: 1 for upright

_log = logging.getLogger("inkdigits")


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One page of a file, found but not decoded; accepted wherever a picture is.

    Attributes:
        source: where it comes from, as the caller named it; None if that has no name.
        number: 1 for the first of a document, and for a picture.
        load_values: decodes it, given the largest number of pixels accepted.
        of: how many pages there are; None in a TIFF document, which tells only page by page.
    """

    source: str | None
    number: int
    load_values: Callable[[int], Values]
    of: int | None = 1

    @classmethod
    def failed(cls, source: str | None, number: int, error: InkdigitsError) -> Self:
        """Make a page that can't be loaded, for this reason."""

        def fail(_max_pixels: int) -> Values:
            raise error

        return cls(source, number, fail)


def find_pages(
    picture: Picture, *, source: str | None = None, max_pixels: int = DEFAULT_MAX_PIXELS
) -> Iterator[Page]:
    """Find the pages of a picture file, one after the other, without decoding any.

    A PDF or TIFF file has as many pages as it says, every other picture is one page. What can't be opened, or
    is no picture, is a page, too: reading it raises the error. A file keeps being open as long as one of its
    pages is there.

    Args:
        picture: anything that `load_gray` accepts.
        source: its name; None for its path, if it is one.
        max_pixels: limits how many bytes are taken from bytes and open files.

    Raises:
        ArgumentError: ``max_pixels`` is no whole number of at least 1.

    Example:
        >>> [page.number for page in find_pages("minutes.pdf")]  # doctest: +SKIP
        [1, 2, 3]
    """
    max_pixels = check_max_pixels(max_pixels)
    if isinstance(picture, Page):
        yield picture
        return
    if source is None and isinstance(picture, str | os.PathLike):
        source = os.fsdecode(picture)
    try:
        document = _find_document(picture, max_pixels)
    except (PictureError, MissingExtraError, ArgumentError) as error:
        yield Page.failed(source, 1, error)
        return
    if not isinstance(document, PdfDocument | _TiffDocument):
        yield Page(source, 1, functools.partial(load_values, document))
        return
    of = len(document) if isinstance(document, PdfDocument) else None
    try:
        number = 0
        for number in document.numbers():
            yield Page(source, number, functools.partial(document.load, number), of)
    except PictureError as error:  # nobody knows what would have come after it
        yield Page.failed(source, number + 1, error)


def check_max_pixels(max_pixels: int) -> int:
    """Return a limit on width times height as Python's own number, if it is one.

    Raises:
        ArgumentError: it is no whole number of at least 1.

    Example:
        >>> check_max_pixels(np.int64(10**7))
        10000000
    """
    if not is_whole(max_pixels) or max_pixels < 1:
        raise ArgumentError(f"max_pixels must be a whole number of at least 1, not {max_pixels!r}.")
    return int(max_pixels)


def load_values(picture: Picture, max_pixels: int = DEFAULT_MAX_PIXELS) -> Values:
    """Decode a picture, or the first page of a document: checked values of any accepted kind.

    See `load_gray` for what is accepted and which errors are raised.

    Returns:
        Values of shape (H, W), (H, W, 3) or (H, W, 4), bool, uint8, uint16 or float from 0 to 1, as they are
        stored; and the orientation that a camera noted.
    """
    max_pixels = check_max_pixels(max_pixels)
    from PIL.Image import Image as PILImage

    if isinstance(picture, Page):
        return picture.load_values(max_pixels)
    if isinstance(picture, np.ndarray):
        return _check_array(picture, max_pixels), 1
    if isinstance(picture, PILImage):
        _check_size(*picture.size, "The PIL image", max_pixels)
        return _decode(picture, "The PIL image")
    content, name = _read(picture, max_pixels)
    if _format(_start(content), name) == "PDF":
        document = PdfDocument(content.getvalue(), name, max_pixels)
        _warn_of_more(len(document), "pages", name)
        return document.load(1, max_pixels)
    image = _open(content, name)
    _check_size(*image.size, name, max_pixels)
    try:
        with _only_picture_errors(name):
            _warn_of_more(getattr(image, "n_frames", 1), "frames or pages", name)
    except PictureError as error:  # of a later one
        _log.warning("%s Only the first of its frames or pages is read.", error)
        image = _open(content, name)
    _prepare(image, name, max_pixels)
    return _decode(image, name)


def _warn_of_more(count: int, what: str, name: str) -> None:
    if count > 1:
        _log.warning("%s has %d %s; only the first is read.", name, count, what)


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
        Paths that begin with ``path``, sorted by folder and name; empty where there is no picture. A folder
        that can't be listed is among them, to be refused in its place when it is read.

    Raises:
        PictureError: the path is empty, does not exist or can't be looked into.

    Example:
        >>> find_pictures("scans")  # doctest: +SKIP
        [PosixPath('scans/page 1.png'), PosixPath('scans/page 2.jpg')]
    """
    if not os.fspath(path):  # which would be the current folder
        raise PictureError("The path of a picture is empty. Give the path of a picture or of a folder.")
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
        found += [path for path in paths if is_picture_name(path) and not _is_pipe(path)]
    return sorted(found)


# ---- documents -----------------------------------------------------------------------------------


def _find_document(picture: Picture, max_pixels: int) -> PdfDocument | _TiffDocument | Picture:
    """Open what may have several pages; give back anything else."""
    if isinstance(picture, str | os.PathLike):
        path = Path(os.fsdecode(picture))
        if not _is_pipe(path):
            kind = _format_of_file(path)
            if kind == "PDF":
                return PdfDocument(path, str(path), max_pixels)
            return _open_tiff(path) or picture if kind == "TIFF" else picture
    elif not isinstance(picture, bytes | bytearray | memoryview) and not hasattr(picture, "read"):
        return picture
    content, name = _read(picture, max_pixels)
    kind = _format(_start(content), name)
    if kind == "PDF":
        return PdfDocument(content.getvalue(), name, max_pixels)
    # The content, not the picture: a pipe can't be read twice.
    return _TiffDocument.open(content, name) or content if kind == "TIFF" else content


def _is_pipe(path: Path) -> bool:
    """Tell whether a path, as the shell makes one of ``<(command)``, can be read only once."""
    try:
        return path.is_fifo()
    except OSError:  # which is said when it is loaded
        return False


def _format_of_file(path: Path) -> str | None:
    """Name the format of a file; None where there is none to read, which is said when it is loaded."""
    try:
        with path.open("rb") as file:
            return _format(_start(file), str(path))
    except (OSError, ValueError, PictureError):
        return None


def _open_tiff(path: Path) -> _TiffDocument | None:
    """Open a TIFF file, which stays open as long as the document is used; None if it has only one page."""
    with contextlib.ExitStack() as on_failure:
        file = on_failure.enter_context(path.open("rb"))
        document = _TiffDocument.open(file, str(path))
        if document:
            weakref.finalize(document, file.close)
            on_failure.pop_all()
        return document


class _TiffDocument:
    """An open TIFF file. Its pages are a chain: each is found by the one before.

    Raises:
        PictureError: its first page is damaged.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self._turn = threading.Lock()  # the file has one position
        self._image = _open(file, name)

    @classmethod
    def open(cls, file: BinaryIO, name: str) -> Self | None:
        """Open a file; None if it has only one page, which is a picture like any other."""
        document = cls(file, name)
        try:
            return document if document._has(2) else None
        except PictureError:  # the second page is damaged
            return document

    def numbers(self) -> Iterator[int]:
        """Yield the number of each page, when it has been found."""
        for number in itertools.count(1):
            if not self._has(number):
                return
            yield number

    def load(self, number: int, max_pixels: int) -> Values:
        """Decode a page."""
        name = f"Page {number} of {self._name}"
        with self._turn:
            # Pillow decodes once for each turn to a page. None is sure to be there to turn to the first from.
            image = _open(self._file, self._name) if number == 1 else self._image
            with _only_picture_errors(name):
                image.seek(0)
                image.seek(number - 1)
            _check_size(*image.size, name, max_pixels)
            _prepare(image, name, max_pixels)
            return _decode(image, name)

    def _has(self, number: int) -> bool:
        with self._turn, _only_picture_errors(f"Page {number} of {self._name}"):
            try:
                self._image.seek(number - 1)
            except EOFError:
                return False
            except Exception:
                if self._image.tell() != number - 1:  # nobody knows where the next one is
                    raise
            return True  # if it is of an unusual kind, loading it says so


# ---- from a path, bytes or a file to a decoder ---------------------------------------------------


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
            with os.scandir(path):  # says if it may not be looked into
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
    content, is_known = io.BytesIO(), False
    while block := file.read(_BLOCK):
        if not isinstance(block, bytes):
            raise ArgumentError(_TEXT_MODE.format(name=name))
        content.write(block)
        if content.tell() > limit:
            raise PictureError(
                f"{name} has more than {limit:,} bytes, the most accepted with the limit of {max_pixels:,} "
                "pixels. Save it compressed, or raise the limit with --max-pixels (max_pixels= in Python)."
            )
        if not is_known and content.tell() >= SIGNATURE_BYTES:
            is_known = bool(_format(content.getbuffer()[:SIGNATURE_BYTES].tobytes(), name))
    return content, name


def _start(file: BinaryIO) -> bytes:
    file.seek(0)
    start = file.read(SIGNATURE_BYTES)
    file.seek(0)
    return start


def picture_format(start: bytes) -> str | None:
    """Name the format that a file's first 1,024 bytes have the signature of; None for what is not accepted.

    Example:
        >>> picture_format(b"GIF89a"), picture_format(b"no picture")
        ('GIF', None)
    """
    return next((name for name, sign in _SIGNATURES.items() if re.match(sign, start, re.DOTALL)), None)


def _format(start: bytes, name: str) -> str:
    """Name the format of a file that begins so, or say what is accepted."""
    known = picture_format(start)
    if known:
        return known
    if not start:
        raise PictureError(f"{name} is empty (0 bytes). Save or copy the picture again.")
    raise PictureError(
        f"{name} is not a picture that inkdigits can open: it begins with {start[:SHOWN_BYTES]!r}. "
        f"Accepted: {_ACCEPTED}."
    )


def _open(content: BinaryIO, name: str) -> ImageFile:
    """Read a picture's header with Pillow; nothing is decoded yet."""
    from PIL import (
        BmpImagePlugin,
        GifImagePlugin,
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
        "HEIC": _open_heic,
    }
    read_header = formats[_format(_start(content), name)]
    with _only_picture_errors(name):
        return read_header(content)


def _open_heic(content: BinaryIO) -> ImageFile:
    try:
        from pillow_heif import HeifImageFile
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "This is a HEIC picture, which needs pillow-heif. Install it: pip install 'inkdigits[heic]'"
        ) from error
    return HeifImageFile(content)  # type: ignore[no-untyped-call]


def _prepare(image: ImageFile, name: str, max_pixels: int) -> None:
    """Check the tiles of a TIFF page and reserve its memory."""
    from PIL import Image, TiffImagePlugin

    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    with _only_picture_errors(name):
        width, height = (int(image.tag_v2[tag]) for tag in (256, 257))  # as stored, not upright
        tile_width, tile_height = (int(image.tag_v2.get(tag, 1)) for tag in (322, 323))
    # A tile is decoded as a whole, however little of it the picture shows.
    _check_size(tile_width, tile_height, f"{name}, in one of its tiles,", max_pixels)
    with _only_picture_errors(name):
        # The TIFF class reserves its memory under Pillow's limit, unless it has been given some.
        image.im = Image.new(image.mode, (width, height)).im


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
def _only_picture_errors(name: str) -> Iterator[None]:
    """Turn whatever Pillow raises into a ``PictureError``.

    Damaged files make its decoders raise almost anything: OSError, SyntaxError, ValueError,
    struct.error, zlib.error, EOFError, IndexError, OverflowError and more.
    """
    from PIL.Image import DecompressionBombError

    try:
        yield
    except InkdigitsError:
        raise
    except DecompressionBombError as error:  # GIF and WebP check inside their own classes
        raise PictureError(
            f"{name} is too large: {error} Beside the limit here (--max-pixels, max_pixels= in Python) "
            "Pillow has one of its own for this format, PIL.Image.MAX_IMAGE_PIXELS."
        ) from error
    except MemoryError as error:  # the picture's size asks for it, so it is the picture that can't be opened
        raise PictureError(
            f"{name} can't be opened: there is not enough memory. Make the picture smaller."
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PictureError(
            f"{name} can't be decoded: it is damaged, cut short or of an unusual kind ({reason}). "
            "Save or copy the picture again."
        ) from error


def _decode(image: PILImage, name: str) -> Values:
    """Return a PIL image's values, as ``_check_array`` accepts them, and its EXIF orientation."""
    with _only_picture_errors(name):
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
