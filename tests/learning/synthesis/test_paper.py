"""Papers, lights and cameras change a picture as they say."""

import numpy as np
import pytest

from inkdigits.learning.synthesis import paper as module
from inkdigits.learning.synthesis.paper import (
    Kind,
    cover,
    lay_on_desk,
    lit,
    photographed,
    some_kind,
    some_paper,
)

KIND = Kind(0.9, 0.1, clean=False)


def test_kinds_have_contrast_and_both_polarities():
    """Ink always differs from paper; it is lighter now and then."""
    kinds = [some_kind(np.random.default_rng(seed)) for seed in range(200)]
    assert min(abs(kind.paper - kind.ink) for kind in kinds) > 0.1
    assert 0.05 < np.mean([kind.ink > kind.paper for kind in kinds]) < 0.3
    assert 0.05 < np.mean([kind.clean for kind in kinds]) < 0.3


@pytest.mark.parametrize("purpose", ["training", "held-out"])
def test_paper_has_its_tone(purpose):
    """Whatever is printed on it."""
    for seed in range(40):
        paper = some_paper((48, 100), KIND, 0.1, np.random.default_rng(seed), purpose=purpose, plain=0.2)
        assert paper.shape == (48, 100)
        assert paper.dtype == np.float32
        assert paper.mean() == pytest.approx(KIND.paper, abs=0.35)


def test_held_out_patterns_are_for_validation_only(monkeypatch):
    """Training never draws them."""
    drawn = []
    monkeypatch.setattr(module, "_HELD_OUT", (lambda *_: drawn.append("held-out"),))
    for purpose in ("training", "held-out"):
        for seed in range(60):
            some_paper((40, 40), KIND, 0.0, np.random.default_rng(seed), purpose=purpose, plain=0)
        assert bool(drawn) == (purpose == "held-out")


@pytest.mark.parametrize(
    "pattern", {*module._SECURITY, *module._HELD_OUT}, ids=lambda pattern: pattern.__name__
)
def test_patterns_leave_marks(pattern):
    """Each changes the paper, and keeps most of it."""
    paper = np.full((90, 90), KIND.paper, np.float32)
    pattern(paper, KIND, 0.1, np.random.default_rng(1))
    assert paper.std() > 0.005
    assert paper.mean() > 0.5


def test_cover_goes_all_the_way_to_the_tone():
    """And not at all where there is no ink."""
    picture = np.full((1, 3), 0.8, np.float32)
    cover(picture, np.array([[0, 51, 255]], np.uint8), 0.3)
    assert picture == pytest.approx(np.array([[0.8, 0.7, 0.3]]), abs=1e-3)


def test_desk_lies_beyond_the_paper():
    """It covers part of the picture."""
    for seed in range(20):
        paper = np.full((100, 100), 0.9, np.float32)
        lay_on_desk(paper, KIND, np.random.default_rng(seed))
        assert 0.01 < np.mean(np.abs(paper - 0.9) > 0.01) < 0.99


def test_light_never_brightens():
    """The brightest place keeps its tone, others get darker."""
    for seed in range(40):
        picture = lit(np.ones((60, 80), np.float32), np.random.default_rng(seed))
        assert picture.dtype == np.float32
        assert picture.max() < 1.1
        assert picture.min() > 0.05


def test_clean_pictures_stay_clean():
    """A drawing has the two tones it was drawn with."""
    picture = np.ones((20, 20), np.float32)
    picture[5:15, 5:15] = 0
    taken = [
        photographed(picture, 10, Kind(1, 0, clean=True), np.random.default_rng(seed)) for seed in range(9)
    ]
    assert sum(set(np.unique(image).tolist()) == {0, 255} for image in taken) > 3


def test_photos_keep_the_smallest_digits_legible():
    """Strokes of a 12 pixel digit still stand out."""
    picture = np.full((24, 24), 0.9, np.float32)
    picture[6:18, 11:13] = 0.1
    for seed in range(400):
        image = photographed(picture, 12, KIND, np.random.default_rng(seed)).astype(float)
        assert image.shape == (24, 24)
        assert np.median(image[:, :6]) - image[9:15, 11:13].mean() > 45


def test_picture_of_few_pixels_shows_no_fine_detail():
    """Stripes two pixels wide are gone where a digit of 48 pixels was taken with at most 16."""
    stripes = np.tile(np.float32([0.9, 0.9, 0.1, 0.1]), (96, 24))
    detail = {}
    for few in (True, False):
        images = [
            photographed(stripes, 48, KIND, np.random.default_rng(seed), few_pixels=few) for seed in range(40)
        ]
        assert {image.shape for image in images} == {(96, 96)}
        detail[few] = np.mean([np.abs(np.diff(image.astype(float), axis=1)).mean() for image in images])
    assert detail[True] < 0.2 * detail[False]
