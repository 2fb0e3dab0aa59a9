"""Letters come from licensed fonts and look like what a network would get."""

from importlib.resources import files

import numpy as np
import pytest

from inkdigits.learning.synthesis.lettering import ALPHABETS, fonts, ink_of, letters

ROLES = ("training", "held-out", "printed")
FOLDER = files("inkdigits.learning.synthesis") / "fonts"


@pytest.mark.parametrize("role", ROLES)
def test_every_font_comes_with_its_license(role):
    """The file and its family's license lie side by side."""
    for font in fonts(role):
        assert (FOLDER / font.file).is_file()
        assert (FOLDER / f"{font.family}-LICENSE.txt").is_file()


def test_no_hand_is_both_trained_on_and_held_out():
    """Families, not just files, are apart."""
    families = [{font.family for font in fonts(role)} for role in ROLES]
    assert len(set.union(*families)) == sum(map(len, families))


def test_every_font_file_is_listed():
    """Nothing lies in the folder without name, version and license."""
    listed = {font.file for role in ROLES for font in fonts(role)}
    assert {path.name for path in FOLDER.iterdir() if path.name.endswith(".woff")} == listed


def test_ink_is_cut_to_the_text():
    """No empty row or column is left around it."""
    ink = ink_of("Ab", fonts("training")[0], 40)
    assert ink.dtype == np.uint8
    assert all(edge.any() for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))


def test_a_space_has_no_ink():
    """Nothing written is an empty array, no error."""
    assert ink_of(" ", fonts("training")[0], 40).shape == (0, 0)


def test_letters_have_mnist_form():
    """They are uint8 images of 28 x 28 with 20 x 20 of ink at most, light on black."""
    images, shown = letters("training")
    assert images.shape == (len(shown), 28, 28)
    assert images.dtype == np.uint8
    assert (images.max(axis=(1, 2)) > 200).all()
    rows = (images > 0).any(axis=2).sum(axis=1)
    assert rows.max() <= 20


def test_every_script_has_letters():
    """No alphabet is lost because a font file lacks its letters."""
    shown = set(letters("training")[1])
    for script, alphabet in ALPHABETS.items():
        assert len(shown & set(alphabet)) > 0.8 * len(set(alphabet)), script


def test_missing_letters_are_left_out():
    """The box a font draws for a letter it lacks is no letter."""
    font = next(font for font in fonts("training") if font.script == "kana")
    box = ink_of("\uffff", font, 64)
    assert not any(np.array_equal(ink_of(letter, font, 64), box) for letter in "あいう")
    assert "\uffff" not in letters("training")[1]
