"""Letters in pen and in print, from freely licensed fonts: ink that is there to be *not* read.

MNIST has digits only. A network that has never seen anything else names a letter as surely as a digit. The
fonts beside this file (``fonts/fonts.json`` gives name, version and license of each) are handwriting by many
hands, in several scripts, and a few printed faces. Some are held out: no network is trained on them, so that
they can measure how well it doubts hands and letters it has not seen.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import ImageFont

from inkdigits.reading.normalize import Ink, to_mnist_form
from inkdigits.result import Box

Role = Literal["training", "held-out", "printed"]

# Letters that people can't tell from digits either.
LIKE_DIGITS = frozenset("OoDIlZzSsBbGgq")
LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ALPHABETS = {
    "latin": LATIN,
    "cyrillic": "БГДЖИЙЛПУФЦЧШЩЫЭЮЯбвгджийклмнптфцчшщъыьэюя",
    "kana": "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみめもやゆよらりるれろわをん"
    "アイウエオカキクケコサシスセソタチツテトナニヌネハヒフヘホマミムメヤユヨラリルレロワヲン",
    "hangul": "가고기다로리사스시인지하",
    "chinese": "中新日月有点的网",
}


@dataclass(frozen=True, slots=True)
class Font:
    """One font file and where it comes from.

    Attributes:
        file: its name in ``fonts/``.
        family, version, license: as its package states them.
        script: which of `ALPHABETS` it has.
        role: what it may be used for.
    """

    file: str
    family: str
    version: str
    license: str
    script: str
    role: Role


@functools.cache
def fonts(role: Role) -> tuple[Font, ...]:
    """Return the fonts that may be used for this.

    Example:
        >>> {font.license for font in fonts("training")} <= {"OFL-1.1", "Apache-2.0"}
        True
    """
    rows = json.loads((files("inkdigits.learning.synthesis") / "fonts" / "fonts.json").read_text())
    return tuple(font for row in rows if (font := Font(**row)).role == role)


@functools.cache
def digit_fonts(purpose: Literal["training", "held-out"]) -> tuple[Font, ...]:
    """Return the handwriting that has digits as well, for hands that MNIST's writers don't have.

    Example:
        >>> len(digit_fonts("training")) > len(digit_fonts("held-out")) > 5
        True
    """
    return tuple(font for font in fonts(purpose) if font.script == "latin")


def ink_of(text: str, font: Font, height: int) -> npt.NDArray[np.uint8]:
    """Write a text.

    Args:
        text: one line, of characters the font has.
        font: one of `fonts`.
        height: of the font's letters, in pixels from the foot of a "p" to the head of a "d", roughly.

    Returns:
        uint8 of shape (h, w), cut to the ink: 255 is ink, 0 is paper. It is empty (0, 0) if nothing was
        written, as of a space.

    Example:
        >>> ink_of("Ab", fonts("training")[0], 40).max()
        np.uint8(255)
    """
    mask = _typeface(font.file, height).getmask(text, mode="L")
    ink = np.array(mask, np.uint8).reshape(mask.size[::-1])
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return np.zeros((0, 0), np.uint8)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@functools.lru_cache(maxsize=512)
def _typeface(file: str, height: int) -> ImageFont.FreeTypeFont:
    with as_file(files("inkdigits.learning.synthesis") / "fonts" / file) as path:
        return ImageFont.truetype(path, height)


@functools.cache
def letters(role: Role) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    """Return every letter of the fonts of this role as the network would get it.

    Letters that people can't tell from digits (`LIKE_DIGITS`) are included; leave them out where a network
    is to learn that what it sees is no digit.

    Returns:
        Images in MNIST's form, uint8 of shape (N, 28, 28), and the letter each shows.
    """
    images, shown = [], []
    for font in fonts(role):
        missing = ink_of("\uffff", font, 64)  # what the font draws for a letter it lacks
        for letter in ALPHABETS[font.script]:
            ink = ink_of(letter, font, 64)
            if min(ink.shape) < 3 or np.array_equal(ink, missing):
                continue
            images.append(to_mnist_form(Ink(ink, Box(0, 0, ink.shape[1], ink.shape[0]))))
            shown.append(letter)
    return np.array(images), tuple(shown)
