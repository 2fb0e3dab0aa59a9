"""Every step has its picture."""

from pathlib import Path

import numpy as np
import pytest

from inkdigits.reading.explain import explain
from inkdigits.reading.image import load_gray
from inkdigits.reading.reader import Reader

PAGE = Path(__file__).parents[2] / "examples" / "pages" / "meter-card.jpg"


@pytest.fixture(scope="module")
def gray():
    """Two lines of an example page."""
    return load_gray(PAGE)[300:570, 270:790]


@pytest.fixture(scope="module")
def steps(gray):
    """The pictures of each step, by name."""
    return {step.name: step for step in explain(Reader(), gray)}


def test_steps_are_told_in_order(steps):
    """From the page to its lines, with a heat map for each look."""
    names = list(steps)
    assert names[0] == "upright-gray"
    assert names[1:-3] == [f"heat-{number}" for number in range(1, len(names) - 3)]
    assert names[-3:] == ["found", "kept", "lines"]


def test_pictures_can_be_saved(steps):
    """8 bits, gray or RGB, no smaller than can be looked at."""
    for step in steps.values():
        assert step.picture.dtype == np.uint8
        assert step.picture.ndim == 2 or step.picture.shape[2] == 3
        assert step.text.endswith(".")


def test_heat_is_where_digits_are(steps, gray):
    """Paper stays gray, and some of the rest turns red."""
    reds = steps["heat-1"].picture[..., 0].astype(int) - steps["heat-1"].picture[..., 2]
    assert reds.max() > 100
    assert 0 < (reds > 50).mean() < 0.1


def test_what_is_kept_was_found(steps):
    """There are no more boxes after suppression than before."""
    found, kept = (int(steps[name].text.split()[1]) for name in ("found", "kept"))
    assert 0 < kept <= found


def test_blank_page_has_no_lines():
    """Nothing is found, and that is shown."""
    names = [step.name for step in explain(Reader(), np.full((120, 100), 255, np.uint8))]
    assert names[-1] == "kept"


@pytest.mark.parametrize("names", [["lines"], ["kept", "heat-1"], ["upright-gray"], []])
def test_only_the_steps_asked_for_are_drawn(gray, steps, names):
    """Each as it is among all."""
    drawn = {step.name: step.picture for step in explain(Reader(), gray, names=names)}
    assert set(drawn) == set(names)
    for name, picture in drawn.items():
        assert np.array_equal(picture, steps[name].picture)


def test_page_alone_needs_no_reader(gray):
    """It is what the web page shows of files that browsers can't, before they are read."""
    (step,) = explain(None, gray, names=["upright-gray"])
    assert step.picture is gray
