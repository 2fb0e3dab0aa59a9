"""A region is given in pixels or percent, and ends at the page's edges."""

import numpy as np
import pytest

from inkdigits.errors import ArgumentError, PictureError
from inkdigits.reading.regions import check_region, parse_region, region_box
from inkdigits.result import Box


@pytest.mark.parametrize(
    ("region", "box"),
    [
        ("10,20,30,40", Box(10, 20, 30, 40)),
        ("50%,50%,50%,50%", Box(500, 400, 500, 400)),
        (" 12.5% , 0, 100%, 7 ", Box(125, 0, 875, 7)),
        (Box(-5, 790, 20, 20), Box(0, 790, 15, 10)),
    ],
)
def test_region_is_a_box_on_the_page(region, box):
    """Values may be mixed; what is beyond an edge is left out."""
    assert region_box(region, width=1000, height=800) == box


@pytest.mark.parametrize("region", ["1000,0,9,9", "0,0,0,5", Box(0, -9, 9, 9), "100%,0,5,5"])
def test_region_without_a_pixel_is_refused(region):
    """The page's size is named, as other pages may have the region."""
    with pytest.raises(PictureError, match="1000 x 800"):
        region_box(region, width=1000, height=800)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "a,b,c,d",
        "1,2,3,-4",
        "1;2;3;4",
        "%,1,1,1",
        "1e9,1,1,1",
        f"{'9' * 400},1,1,1",
        (1, 2, 3, 4),
    ],
)
def test_other_texts_are_refused(text):
    """The accepted form is shown."""
    with pytest.raises(ArgumentError, match=r"X,Y,W,H.*60%,10%,30%,5%"):
        parse_region(text)


@pytest.mark.parametrize(
    "region", ["1,1,0,5", "1,1,5,0%", Box(0, 0, -1, 5), Box(0, 0, 5, 0), Box(0, 0, 0.5, 5)]
)
def test_region_that_no_page_has_is_refused(region):
    """Before any page is opened, as what was asked for is wrong and not the page."""
    with pytest.raises(ArgumentError, match="Received"):
        check_region(region)


def test_box_of_numpy_integers_is_a_region():
    """As detectors give them."""
    check_region(Box(*np.array([1, 2, 30, 40])))
