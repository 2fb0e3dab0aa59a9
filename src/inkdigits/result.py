"""What reading gives back: small frozen values with one dictionary form.

The dictionaries are the same everywhere: in ``--json``, in files and in answers over the network.
A result never holds the picture it came from. A page without digits is a reading without numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from inkdigits.errors import ArgumentError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from inkdigits.reading.sources import Picture

VIEW_WIDTH = 1000  # pixels in a notebook
DECIMALS = 4  # of confidences and probabilities on a page, which may have hundreds of digits
ROW_FIELDS = (
    *("source", "page", "region", "line", "column", "text"),
    *("confidence", "doubtful", "x", "y", "w", "h"),
)
"""The keys of ``Reading.to_rows``, in the order of a table's columns."""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle of pixels: top left corner, width and height.

    Example:
        >>> Box(x=4, y=8, width=20, height=30).to_list()
        [4, 8, 20, 30]
    """

    x: int
    y: int
    width: int
    height: int

    def to_list(self) -> list[int]:
        """Return ``[x, y, width, height]`` in pixels, the form used in JSON."""
        return [self.x, self.y, self.width, self.height]

    @classmethod
    def from_list(cls, values: list[int]) -> Self:
        """Make a box from ``[x, y, width, height]``."""
        x, y, width, height = values
        return cls(x, y, width, height)


@dataclass(frozen=True, slots=True)
class Digit:
    """One handwritten digit, as the network sees it.

    Attributes:
        value: 0 to 9, always the best guess; None only where there is no ink.
        confidence: calibrated probability that ``value`` is right, 0 to 1.
        doubtful: True where the confidence is below the model's threshold (on its card); on a page also where
            one of the two networks that read it did not see the digit.
        probabilities: ten calibrated probabilities, of 0 to 9; they add up to 1.
        box: where the ink is, in pixels of the upright picture; None where there is no ink.

    Example:
        >>> Digit.blank().value is None
        True
    """

    value: int | None
    confidence: float
    doubtful: bool
    probabilities: tuple[float, ...]
    box: Box | None

    @classmethod
    def blank(cls) -> Self:
        """Return the answer to a picture without ink: no value, no confidence."""
        return cls(value=None, confidence=0.0, doubtful=True, probabilities=(0.1,) * 10, box=None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: value, confidence, doubtful, probabilities, box."""
        return {
            "value": self.value,
            "confidence": self.confidence,
            "doubtful": self.doubtful,
            "probabilities": list(self.probabilities),
            "box": self.box.to_list() if self.box else None,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a digit from what ``to_dict`` returned."""
        return cls(
            value=values["value"],
            confidence=values["confidence"],
            doubtful=values["doubtful"],
            probabilities=tuple(values["probabilities"]),
            box=Box.from_list(values["box"]) if values["box"] else None,
        )


@dataclass(frozen=True, slots=True)
class Number:
    """One handwritten number on a page.

    Attributes:
        text: its digits and the signs ``. , - / :`` inside or before it, always the best guess: "26.2", "-9".
        line: 1 for the page's first line, as spreadsheets count.
        column: 1 for the leftmost; numbers of different lines that stand below each other share it.
        confidence: how sure the reader is that all of ``text`` is right, 0 to 1.
        doubtful: True where a digit is, where ink between digits can't be named, or below the threshold.
        box: around its digits and signs, in pixels of the upright picture.
        digits: from left to right; signs have no entry.
        region: the name of the part of the page that was asked for; None where the whole page was read.
    """

    text: str
    line: int
    column: int
    confidence: float
    doubtful: bool
    box: Box
    digits: tuple[Digit, ...]
    region: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, probabilities with four decimals."""
        return {
            "text": self.text,
            "region": self.region,
            "line": self.line,
            "column": self.column,
            "confidence": round(self.confidence, DECIMALS),
            "doubtful": self.doubtful,
            "box": self.box.to_list(),
            "digits": [
                {
                    **digit.to_dict(),
                    "confidence": round(digit.confidence, DECIMALS),
                    "probabilities": [round(probability, DECIMALS) for probability in digit.probabilities],
                }
                for digit in self.digits
            ],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a number from what ``to_dict`` returned."""
        return cls(
            text=values["text"],
            line=values["line"],
            column=values["column"],
            confidence=values["confidence"],
            doubtful=values["doubtful"],
            box=Box.from_list(values["box"]),
            digits=tuple(Digit.from_dict(digit) for digit in values["digits"]),
            region=values["region"],
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """A page that could not be read.

    Attributes:
        source: where the picture came from, as the caller named it; None if it has no name.
        page: 1 for the first of a document, and for a picture.
        error: why, and what to do.
    """

    source: str | None
    page: int
    error: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: source, page, error."""
        return {"source": self.source, "page": self.page, "error": self.error}


@dataclass(frozen=True, slots=True)
class Reading:
    """All handwritten numbers of one page.

    Attributes:
        source: where the picture came from, as the caller named it; None if it has no name.
        page: 1 for the first of a document, and for a picture.
        width, height: of the upright picture, in pixels.
        numbers: in reading order, line by line from the top, each from left to right; empty for a page
            without digits.

    Example:
        >>> nine = Number("-9", 1, 1, 0.97, doubtful=False, box=Box(4, 8, 30, 30), digits=())
        >>> Reading("sheet.jpg", page=1, width=200, height=100, numbers=(nine,)).text
        '-9'
    """

    source: str | None
    page: int
    width: int
    height: int
    numbers: tuple[Number, ...]

    @property
    def text(self) -> str:
        """The page's numbers, parted by spaces and lines by newlines: always the best guess."""
        lines = itertools.groupby(self.numbers, key=lambda number: number.line)
        return "\n".join(" ".join(number.text for number in line) for _, line in lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: source, page, width, height, text, numbers."""
        return {
            "source": self.source,
            "page": self.page,
            "width": self.width,
            "height": self.height,
            "text": self.text,
            "numbers": [number.to_dict() for number in self.numbers],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a reading from what ``to_dict`` returned."""
        return cls(
            source=values["source"],
            page=values["page"],
            width=values["width"],
            height=values["height"],
            numbers=tuple(Number.from_dict(number) for number in values["numbers"]),
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a flat dictionary a number, with the keys ``ROW_FIELDS``: for CSV files and data frames.

        Example:
            >>> nine = Number("-9", 1, 1, 0.97, doubtful=False, box=Box(4, 8, 30, 30), digits=())
            >>> reading = Reading("sheet.jpg", page=1, width=200, height=100, numbers=(nine,))
            >>> [row["text"] for row in reading.to_rows()]
            ['-9']
        """
        rows = []
        for number in self.numbers:
            values = (self.source, self.page, number.region, number.line, number.column, number.text)
            answer = (round(number.confidence, DECIMALS), number.doubtful)
            rows.append(dict(zip(ROW_FIELDS, (*values, *answer, *number.box.to_list()), strict=True)))
        return rows

    def to_table(self) -> list[list[str]]:
        """Return the numbers as a table: a row a line, a cell a column, empty where the line has no number.

        Example:
            >>> nine = Number("-9", 1, 2, 0.97, doubtful=False, box=Box(4, 8, 30, 30), digits=())
            >>> Reading("sheet.jpg", page=1, width=200, height=100, numbers=(nine,)).to_table()
            [['', '-9']]
        """
        columns = range(1, 1 + max((number.column for number in self.numbers), default=0))
        rows = []
        for _, line in itertools.groupby(self.numbers, key=lambda number: number.line):
            texts = {number.column: number.text for number in line}
            rows.append([texts.get(column, "") for column in columns])
        return rows

    def draw(
        self, picture: Picture, *, rotate: int = 0, max_pixels: int | None = None
    ) -> npt.NDArray[np.uint8]:
        """Draw boxes and readings over the picture: solid and blue; dashed, vermilion and with "?" in doubt.

        Args:
            picture: the one that was read, or the document with this page, as it was given.
            rotate: as it was turned when it was read.
            max_pixels: as for `read`; None is the limit that `read` has by itself.

        Returns:
            A new picture, uint8 RGB of shape (H, W, 3).

        Raises:
            ArgumentError: as for `read`; the picture has another size than the one that was read; the
                document has no such page.
            PictureError: as for `read`.

        Example:
            >>> from inkdigits import read
            >>> read("sheet.jpg").draw("sheet.jpg").shape  # doctest: +SKIP
            (1414, 1000, 3)
        """
        import numpy as np

        from inkdigits.drawing import Mark, draw_marks

        as_read = rotate == 0 and max_pixels is None
        if not (as_read and isinstance(picture, np.ndarray) and picture.dtype == np.uint8):
            picture = self._loaded(picture, rotate, max_pixels)
        marks = [Mark(number.box.to_list(), number.text, number.doubtful) for number in self.numbers]
        return draw_marks(picture, marks, size=(self.width, self.height))

    def show(self, picture: Picture, *, rotate: int = 0, max_pixels: int | None = None) -> View:
        """Return what a notebook shows as the picture with the reading over it, the table below.

        The arguments and errors are `draw`'s.

        Example:
            >>> from inkdigits import read
            >>> read("sheet.jpg").show("sheet.jpg")  # doctest: +SKIP
        """
        return View(self, self.draw(picture, rotate=rotate, max_pixels=max_pixels))

    def _loaded(self, picture: Picture, rotate: int, max_pixels: int | None) -> npt.NDArray[np.uint8]:
        """Return the pixels of the page that was read, upright, uint8 RGB."""
        from inkdigits.reading.image import load_rgb
        from inkdigits.reading.sources import DEFAULT_MAX_PIXELS, find_pages

        limit = DEFAULT_MAX_PIXELS if max_pixels is None else max_pixels
        pages = list(find_pages(picture, max_pixels=limit))
        number = 1 if len(pages) == 1 else self.page  # also a page by itself, whatever its number was
        if number > len(pages):
            raise ArgumentError(
                f"The document has {len(pages)} pages, and page {self.page} was read. "
                "Give the document that was read."
            )
        return load_rgb(pages[number - 1], rotate=rotate, max_pixels=limit)

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        from html import escape

        rows = [
            {
                "region": escape(number.region or ""),
                "line": number.line,
                "column": number.column,
                "number": escape(number.text),
                "confidence": f"{number.confidence:.1%}",
                "doubtful": "yes" if number.doubtful else "",
            }
            for number in self.numbers
        ]
        names = ["line", "column", "number", "confidence", "doubtful"]
        if any(number.region is not None for number in self.numbers):
            names.insert(0, "region")
        heads = "".join(f"<th>{name}</th>" for name in names)
        cells = "".join(f"<tr>{''.join(f'<td>{row[name]}</td>' for name in names)}</tr>" for row in rows)
        count = counted(len(self.numbers), "number")
        caption = escape(f"{self.source or 'picture'}, page {self.page}: {count}")
        head = f"<caption>{caption}</caption><thead><tr>{heads}</tr></thead>"
        return f"<table>{head}<tbody>{cells}</tbody></table>"


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A reading and the picture it is drawn over, for notebooks.

    Attributes:
        reading: the numbers.
        drawn: the picture with them, uint8 RGB of shape (H, W, 3).
    """

    reading: Reading
    drawn: npt.NDArray[np.uint8]

    def _repr_html_(self) -> str:
        """Return the picture, as large as a notebook is wide at most, and the table."""
        import base64
        import io

        from PIL import Image

        image, file = Image.fromarray(self.drawn), io.BytesIO()
        image.thumbnail((VIEW_WIDTH, 4 * VIEW_WIDTH))
        image.save(file, "JPEG", quality=85)
        data = base64.b64encode(file.getvalue()).decode()
        picture = f'<img alt="The picture with its numbers" src="data:image/jpeg;base64,{data}">'
        return picture + self.reading._repr_html_()


def counted(count: int, noun: str) -> str:
    """Return a number of things in words.

    Example:
        >>> counted(1, "number"), counted(20, "number")
        ('1 number', '20 numbers')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
