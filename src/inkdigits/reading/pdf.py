"""A PDF document -> its pages as pixels, one at a time, drawn by a process of its own.

PDFium is fast and forgiving, but a few lines of PDF can make it take all memory or all time, and it may be
called by one thread at a time. So every document has a process: what goes wrong there ends there.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from inkdigits.errors import MissingExtraError, PictureError

SECONDS = 60  # that a page may take
BYTES, BYTES_PER_PIXEL = 2**29, 12  # that it may take, and more for every pixel that is accepted


class PdfDocument:
    """An open PDF document, for any thread. Nothing of a page is kept once it has been loaded.

    Args:
        file: its path, of which only what is needed is read, or its bytes.
        name: what to call it in errors.
        max_pixels: no page is drawn larger, and no picture on it decoded that is.

    Raises:
        PictureError: it is damaged, has no pages, or can't be opened without a password.
        MissingExtraError: pypdfium2 is not installed, or can't be used.
    """

    def __init__(self, file: Path | bytes, name: str, max_pixels: int) -> None:
        if importlib.util.find_spec("pypdfium2") is None:
            raise MissingExtraError(
                f"{name} is a PDF document, which needs pypdfium2. Install it: pip install 'inkdigits[pdf]'"
            )
        self._file, self._name, self._max_pixels = file, name, max_pixels
        self._turn = threading.Lock()
        self._pages = self._start()

    def __len__(self) -> int:
        """Return how many pages it says to have."""
        return self._pages

    def numbers(self) -> Iterator[int]:
        """Yield the number of each page."""
        yield from range(1, len(self) + 1)

    def load(self, number: int, max_pixels: int) -> tuple[npt.NDArray[np.uint8], int]:
        """Draw a page.

        Args:
            number: 1 for the first page.
            max_pixels: as for the document, or fewer.

        Returns:
            uint8 RGB of shape (H, W, 3), at 200 dots an inch or fewer for a page that would be too large;
            and its orientation, upright.

        Raises:
            PictureError: the page is damaged, takes too long or too much memory, or a picture on it is larger
                than ``max_pixels``.
        """
        name = f"Page {number} of {self._name}"
        with self._turn:
            if self._process.poll() is not None:  # another page has ended it
                self._start()
            drawn = self._ask({"number": number, "max_pixels": min(max_pixels, self._max_pixels)})
            if drawn and "error" in drawn:
                raise PictureError(f"{name} can't be drawn: {drawn['error'].rstrip('.')}.")
            size = drawn["height"] * drawn["stride"] if drawn else 0
            content = _stream(self._process.stdout).read(size)
            if len(content) < size:  # it is ending, and must not be asked again
                _end(self._process)
        if drawn is None or len(content) < size:
            raise PictureError(
                f"{name} can't be drawn: it takes more memory or time than a page may. Print the "
                "document to a new PDF, or save the page as a picture."
            )
        return _to_rgb(content, drawn), 1

    def _start(self) -> int:
        """Start the process and let it open the document; return how many pages that has."""
        # pypdfium2 takes a ~ at the start of a path for somebody's home.
        path, content = (
            (str(self._file.absolute()), b"") if isinstance(self._file, Path) else (None, self._file)
        )
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "inkdigits.reading.pdf_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C is for the program, which may have a page to finish
        )
        weakref.finalize(self, _end, self._process)
        max_bytes = BYTES + BYTES_PER_PIXEL * self._max_pixels
        # The process watches the time, too: nobody else would if this one were killed.
        limits = {"max_bytes": max_bytes, "seconds": SECONDS + 5}
        opened = self._ask({"path": path, "size": len(content)} | limits, content)
        if opened is None:
            raise PictureError(f"{self._name} can't be opened: it takes more memory or time than it may.")
        if "broken" in opened:
            raise MissingExtraError(
                f"{self._name} is a PDF document, which needs pypdfium2. What is installed of it can't be "
                f"used ({opened['broken']}). Install it again: pip install --force-reinstall pypdfium2"
            )
        if "Success" in opened.get("error", ""):
            raise PictureError(f"{self._name} has no pages. Save or print it again.")
        if "assword" in opened.get("error", ""):
            raise PictureError(
                f"{self._name} is encrypted. Save it without a password, or print it to a new PDF."
            )
        if "error" in opened:
            raise PictureError(
                f"{self._name} can't be opened: it is damaged or cut short ({opened['error'].rstrip('.')})."
            )
        pages: int = opened["pages"]
        return pages

    def _ask(self, request: dict[str, Any], content: bytes = b"") -> dict[str, Any] | None:
        """Return the answer to a request; None if the process ended over it."""
        in_time = threading.Timer(SECONDS, self._process.kill)
        in_time.start()
        try:
            requests = _stream(self._process.stdin)
            with contextlib.suppress(BrokenPipeError):
                requests.write(json.dumps(request).encode() + b"\n" + content)
                requests.flush()
            line = _stream(self._process.stdout).readline()
        finally:
            in_time.cancel()
        if not line:
            self._process.wait()
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer


def _to_rgb(content: bytes, form: dict[str, int]) -> npt.NDArray[np.uint8]:
    """Return a bitmap of PDFium, gray, RGB or RGB with a fourth byte, as RGB."""
    height, width, channels = form["height"], form["width"], form["n_channels"]
    rows = np.frombuffer(content, np.uint8).reshape(height, form["stride"])
    pixels = rows[:, : width * channels].reshape(height, width, channels)
    return np.array(np.repeat(pixels, 3, axis=2) if channels == 1 else pixels[..., :3], order="C")


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:  # for type checkers: both are pipes
        raise ValueError("This process has no such pipe.")
    return stream


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and close its pipes."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(BrokenPipeError):  # what had not been written yet
            _stream(stream).close()
