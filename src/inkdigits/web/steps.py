"""The steps from a page to its numbers, as PNG files."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterator
from typing import Any

import cv2
from pydantic_core import PydanticCustomError

from inkdigits.reading.explain import Step, explain
from inkdigits.reading.image import load_gray
from inkdigits.reading.normalize import find_ink, to_mnist_form
from inkdigits.reading.reader import Reader
from inkdigits.reading.sources import Page

STEP = "upright-gray|heat-[1-9][0-9]*|found|kept|lines|digit"  # what can be asked for
ACCEPTED = STEP.replace("[1-9][0-9]*", "1 (and on, as often as a page is looked at)")
DIGIT = "digit"  # not a step to a page's numbers, so only shown if asked for


def check_step(name: str) -> str:
    """Return the name of a step that can be asked for.

    Raises:
        PydanticCustomError: it is none.
    """
    if not re.fullmatch(STEP, name):
        known = {"name": repr(name[:40]), "accepted": ACCEPTED}
        raise PydanticCustomError("step", "there is no step {name}. Accepted: {accepted}", known)
    return name


def steps_of(
    reader: Reader, page: Page, names: Collection[str] | None, *, max_pixels: int
) -> Iterator[dict[str, Any]]:
    """Yield the steps of a page, in their order.

    Args:
        reader: which one.
        page: that it reads.
        names: of the steps wanted; None for all that lead to the page's numbers.
        max_pixels: larger pages are refused.

    Yields:
        Plain values for JSON: name, text, and the picture as a PNG file in Base64.
    """
    gray = load_gray(page, max_pixels=max_pixels)
    if names is None or set(names) - {DIGIT}:
        yield from map(_to_dict, explain(reader, gray, names=names))
    if names is not None and DIGIT in names:
        ink = find_ink(gray)
        if ink is not None:
            yield _to_dict(Step(DIGIT, "The ink in MNIST's form, 28 by 28 pixels.", to_mnist_form(ink)))


def _to_dict(step: Step) -> dict[str, Any]:
    picture = step.picture[..., ::-1] if step.picture.ndim == 3 else step.picture  # OpenCV writes BGR
    _, png = cv2.imencode(".png", picture)
    return {"name": step.name, "text": step.text, "png": base64.b64encode(png.tobytes()).decode()}
