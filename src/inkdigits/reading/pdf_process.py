"""The process that draws the pages of one PDF document: the only place that imports pypdfium2.

It is started by `inkdigits.reading.pdf` and asked line by line, in JSON: first for the document, then for its
pages. Answers are lines of JSON too, a page's followed by the bytes of its pixels.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from typing import Any, BinaryIO

DPI = 200  # an A4 page has 3.9 megapixels, and writing of usual size is 40 to 80 pixels high
LARGEST = 20_000_000  # pixels of a page; larger sheets get fewer dots an inch
POINTS = 72  # an inch
DEEPEST = 4  # how deep forms within forms are looked into for pictures


def draw(document: Any, number: int, max_pixels: int) -> Any:
    """Draw a page as a bitmap of PDFium: gray, RGB, or RGB with a fourth byte.

    Raises:
        ValueError: a picture on the page is larger than ``max_pixels``.
        pypdfium2.PdfiumError: the page is damaged.
    """
    import pypdfium2.raw as pdfium

    page = document[number - 1]
    for picture in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=DEEPEST):
        width, height = picture.get_px_size()
        if width * height > max_pixels:
            raise ValueError(
                f"it holds a picture of {width} x {height} = {width * height:,} pixels, more than the limit "
                f"of {max_pixels:,}. Raise the limit with --max-pixels (max_pixels= in Python)"
            )
    width, height = page.get_size()
    # PDFium rounds both sides up: a hair's breadth becomes a pixel.
    limit = min(LARGEST, max_pixels)
    scale = min(DPI / POINTS, (limit / (width * height)) ** 0.5, limit / (2 * max(width, height)))
    bitmap = page.render(scale=scale, rev_byteorder=True)
    page.close()
    return bitmap


def limit_memory(max_bytes: int) -> None:
    """End this process, rather than the machine, if a page takes more memory; not on every system."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (max_bytes, max_bytes))


def limit_time(seconds: int) -> None:
    """End this process after so many seconds, if nobody else does; 0 for never. Not on every system."""
    with contextlib.suppress(AttributeError):
        signal.alarm(seconds)


def answer(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""

    def say(line: dict[str, Any], content: bytes | memoryview = b"") -> None:
        answers.write(json.dumps(line).encode() + b"\n")
        answers.write(content)
        answers.flush()

    try:
        import pypdfium2
    except Exception as error:  # noqa: BLE001 - whatever is broken about it; the parent words it
        say({"broken": str(error) or type(error).__name__})
        return
    opening = json.loads(requests.readline())
    limit_memory(opening["max_bytes"])
    content = opening["path"] or requests.read(opening["size"])
    limit_time(opening["seconds"])
    try:
        document = pypdfium2.PdfDocument(content)
        say({"pages": len(document)})
    except Exception as error:  # noqa: BLE001 - the parent words it
        say({"error": str(error)})
        return
    limit_time(0)
    for line in requests:
        limit_time(opening["seconds"])
        try:
            bitmap = draw(document, **json.loads(line))
        except Exception as error:  # noqa: BLE001
            say({"error": str(error) or type(error).__name__})
        else:
            form = {name: getattr(bitmap, name) for name in ("height", "width", "stride", "n_channels")}
            say(form, memoryview(bitmap.buffer))
            bitmap.close()
        limit_time(0)


if __name__ == "__main__":
    answer(sys.stdin.buffer, sys.stdout.buffer)
