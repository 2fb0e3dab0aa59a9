"""A region of a form, in pixels or percent -> its box on a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Integral

import numpy as np
import numpy.typing as npt

from inkdigits.errors import ArgumentError, PictureError
from inkdigits.result import Box

_FORM = re.compile(r"\s*(\d{1,99}(?:\.\d+)?)\s*(%?)\s*")  # 400 digits are infinite as a float


def parts_of(
    gray: npt.NDArray[np.uint8], regions: Mapping[str, str | Box] | None
) -> list[tuple[str | None, Box, npt.NDArray[np.uint8]]]:
    """Return name, box and pixels of each region; of the whole page, which has no name, if there is none.

    Raises:
        ArgumentError: a region has another form than `region_box` takes.
        PictureError: no pixel of the page lies in a region.
    """
    height, width = gray.shape
    boxes: dict[str | None, Box] = {
        name: region_box(region, width, height) for name, region in (regions or {}).items()
    }
    return [
        (name, box, gray[box.y : box.y + box.height, box.x : box.x + box.width])
        for name, box in (boxes or {None: Box(0, 0, width, height)}).items()
    ]


def region_box(region: str | Box, width: int, height: int) -> Box:
    """Return where a region lies on a page of this size.

    Args:
        region: ``"X,Y,W,H"``, the upper left corner, width and height, each in pixels or, with a %, in
            percent of the page; or a box in pixels.
        width: of the upright page, in pixels.
        height: of the upright page, in pixels.

    Returns:
        A box inside the page: what reaches beyond its edges is left out.

    Raises:
        ArgumentError: the text has another form.
        PictureError: no pixel of the page lies in the region.

    Example:
        >>> region_box("60%,10%,30%,5%", width=1000, height=800)
        Box(x=600, y=80, width=300, height=40)
    """
    if isinstance(region, Box):
        x, y, w, h = region.to_list()
    else:
        sides = zip(parse_region(region), (width, height, width, height), strict=True)
        x, y, w, h = (
            round(value * side / 100 if is_percent else value) for (value, is_percent), side in sides
        )
    left, top = max(0, x), max(0, y)
    right, bottom = min(width, x + w), min(height, y + h)
    if right <= left or bottom <= top:
        raise PictureError(
            f"The region {region} has no pixel on a page of {width} x {height}. "
            "Give it in percent if the pages are of several sizes."
        )
    return Box(left, top, right - left, bottom - top)


def parse_region(text: object) -> list[tuple[float, bool]]:
    """Return the four values of a region, each with whether it is in percent.

    Raises:
        ArgumentError: the text has another form.

    Example:
        >>> parse_region("10,20,50%,12.5%")
        [(10.0, False), (20.0, False), (50.0, True), (12.5, True)]
    """
    values = [_FORM.fullmatch(value) for value in text.split(",")] if isinstance(text, str) else []
    if len(values) != 4 or None in values:
        raise ArgumentError(
            f"A region is X,Y,W,H: its upper left corner, width and height, each in pixels or percent, "
            f"such as 60%,10%,30%,5%. Received: {text!r}"
        )
    return [(float(value[1]), bool(value[2])) for value in values if value]


def check_region(region: object) -> None:
    """Refuse what is no region of any page.

    Args:
        region: as for `region_box`.

    Raises:
        ArgumentError: it is neither such a text nor a box of whole pixels, or it has no width or height.

    Example:
        >>> check_region("60%,10%,30%,5%")
    """
    if not isinstance(region, Box):
        values = parse_region(region)
        if any(is_percent and value >= 100 for value, is_percent in values[:2]):
            raise ArgumentError(f"A region must begin on the page, before 100 %. Received: {region!r}")
        width, height = (value for value, _ in values[2:])
    elif all(isinstance(value, Integral) for value in region.to_list()):
        width, height = region.width, region.height
    else:
        raise ArgumentError(f"The values of a region's box must be whole numbers. Received: {region!r}")
    if min(width, height) <= 0:
        raise ArgumentError(f"A region must be wider and higher than 0. Received: {region!r}")
