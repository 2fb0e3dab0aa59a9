"""Results are plain frozen values with one dictionary form."""

import base64
import csv
import dataclasses
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from inkdigits.errors import ArgumentError, PictureError
from inkdigits.result import ROW_FIELDS, Box, Digit, Failure, Number, Reading

SEVEN = Digit(7, 0.9, doubtful=False, probabilities=(0.0,) * 7 + (0.9, 0.05, 0.05), box=Box(1, 2, 3, 4))
MINUS_SEVEN = Number("-7", 1, 1, 0.9, doubtful=False, box=Box(0, 2, 4, 4), digits=(SEVEN,))
DOUBTFUL = Number("7,7", 1, 2, 0.4, doubtful=True, box=Box(30, 2, 8, 4), digits=(SEVEN, SEVEN))
BELOW = Number("77", 2, 1, 0.8, doubtful=False, box=Box(0, 30, 6, 4), digits=(SEVEN, SEVEN))
READING = Reading("a.jpg", page=1, width=90, height=60, numbers=(MINUS_SEVEN, DOUBTFUL, BELOW))
EMPTY = Reading(None, page=1, width=90, height=60, numbers=())


def test_digit_survives_json():
    """A digit read back from its JSON is the same digit."""
    assert Digit.from_dict(json.loads(json.dumps(SEVEN.to_dict()))) == SEVEN


def test_blank_survives_json():
    """So is the answer to a picture without ink."""
    assert Digit.from_dict(json.loads(json.dumps(Digit.blank().to_dict()))) == Digit.blank()


def test_blank_has_no_value_and_no_box():
    """Without ink there is nothing to name and nowhere to point."""
    assert (Digit.blank().value, Digit.blank().box, Digit.blank().doubtful) == (None, None, True)


def test_box_is_x_y_width_height():
    """The list form is x, y, width, height."""
    assert SEVEN.to_dict()["box"] == [1, 2, 3, 4]


def test_results_are_frozen():
    """A result can't be changed after the fact."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        SEVEN.value = 1


def test_text_has_a_line_a_line():
    """Numbers are parted by spaces and lines by newlines; doubt changes nothing."""
    assert READING.text == "-7 7,7\n77"


def test_empty_page_is_an_empty_reading():
    """Without numbers there is no text and no row."""
    assert (EMPTY.text, EMPTY.to_dict()["numbers"], EMPTY.to_rows()) == ("", [], [])


@pytest.mark.parametrize("reading", [READING, EMPTY])
def test_reading_survives_json(reading):
    """A reading read back from its JSON is the same reading."""
    assert Reading.from_dict(json.loads(json.dumps(reading.to_dict()))) == reading


def test_dictionary_form_is_the_documented_one():
    """Keys and their order are part of the interface."""
    page = READING.to_dict()
    assert list(page) == ["source", "page", "width", "height", "text", "numbers"]
    number = page["numbers"][0]
    assert list(number) == ["text", "region", "line", "column", "confidence", "doubtful", "box", "digits"]
    assert list(number["digits"][0]) == ["value", "confidence", "doubtful", "probabilities", "box"]


def test_probabilities_of_a_page_have_four_decimals():
    """They are short, and what is read back from them gives the same dictionary again."""
    long = dataclasses.replace(SEVEN, confidence=2 / 3, probabilities=(1 / 3,) * 10)
    page = dataclasses.replace(
        EMPTY, numbers=(dataclasses.replace(BELOW, confidence=2 / 3, digits=(long,)),)
    ).to_dict()
    number = page["numbers"][0]
    assert number["confidence"] == number["digits"][0]["confidence"] == 0.6667
    assert number["digits"][0]["probabilities"] == [0.3333] * 10
    assert Reading.from_dict(page).to_dict() == page


def test_rows_make_a_table():
    """A row a number, with the columns of the CSV form."""
    table = io.StringIO()
    writer = csv.DictWriter(table, ROW_FIELDS)
    writer.writeheader()
    writer.writerows(READING.to_rows())
    header, first, second, third = table.getvalue().split("\r\n")[:4]
    assert header == "source,page,region,line,column,text,confidence,doubtful,x,y,w,h"
    assert first == "a.jpg,1,,1,1,-7,0.9,False,0,2,4,4"
    assert second == 'a.jpg,1,,1,2,"7,7",0.4,True,30,2,8,4'
    assert third.startswith("a.jpg,1,,2,1,77,")


def test_table_has_empty_cells():
    """A row a line and a cell a column, all rows of the same length."""
    moved = dataclasses.replace(READING, numbers=(MINUS_SEVEN, dataclasses.replace(BELOW, column=3)))
    assert moved.to_table() == [["-7", "", ""], ["", "", "77"]]
    assert READING.to_table() == [["-7", "7,7"], ["77", ""]]
    assert EMPTY.to_table() == []


def test_notebook_table_is_escaped():
    """A file name can't bring markup into a notebook."""
    table = dataclasses.replace(READING, source="<b>.jpg")._repr_html_()
    assert "&lt;b&gt;.jpg" in table
    assert table.count("<tr>") == 4
    assert table.count("<td>yes</td>") == 1


def test_notebook_table_names_regions():
    """Where there are some: numbers of two can't be told apart by their lines."""
    assert "<th>region</th>" not in READING._repr_html_()
    named = dataclasses.replace(READING, numbers=(dataclasses.replace(BELOW, region="a&b"),))
    table = named._repr_html_()
    assert "<th>region</th>" in table
    assert "<td>a&amp;b</td>" in table
    assert "1 number<" in table


def test_picture_is_turned_to_be_drawn_on():
    """As it was when it was read, also where its size says nothing of that."""
    picture = np.full((60, 90), 255, np.uint8)
    picture[5:20, 10:30] = 0
    for turns, rotate in ((0, 0), (1, 90), (2, 180), (3, 270)):
        given = np.rot90(picture, turns)  # counterclockwise
        assert (EMPTY.draw(given, rotate=rotate)[..., 0] == picture).all()
        assert (EMPTY.show(given, rotate=rotate).drawn[..., 0] == picture).all()


def test_reading_is_drawn_over_its_picture():
    """Something is drawn at every number, and the picture given stays as it is."""
    picture = np.full((60, 90, 3), 200, np.uint8)
    drawn = READING.draw(picture)
    assert (drawn.shape, drawn.dtype) == ((60, 90, 3), np.uint8)
    assert (drawn[:10, :10] != 200).any()
    assert (picture == 200).all()


def test_picture_to_draw_on_may_be_given_as_it_was_to_read(tmp_path):
    """A path, a PIL image or numbers from 0 to 1."""
    pixels = np.full((60, 90, 3), 200, np.uint8)
    image = Image.fromarray(pixels)
    image.save(tmp_path / "page.png")
    for picture in (
        tmp_path / "page.png",
        str(tmp_path / "page.png"),
        image,
        (pixels / 255).astype(np.float32),
    ):
        assert (READING.draw(picture) == READING.draw(pixels)).all()


def test_notebook_shows_the_picture_with_its_numbers():
    """A picture that any program can decode, as wide as a notebook at most, and the table below."""
    wide = dataclasses.replace(READING, width=3000, height=300)
    shown = wide.show(np.full((300, 3000), 200, np.uint8))._repr_html_()
    picture, table = re.fullmatch(
        r'<img alt="[^"]+" src="data:image/jpeg;base64,([^"]+)">(.*)', shown
    ).groups()
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        assert image.size == (1000, 100)
        assert image.convert("L").getextrema()[0] < 100
    assert table == wide._repr_html_()


def test_notebook_shows_the_page_that_was_read():
    """Of a document; a picture by itself is that page."""
    first, second = (Image.new("L", (90, 60), tone) for tone in (200, 90))
    document = io.BytesIO()
    first.save(document, "TIFF", save_all=True, append_images=[second])
    reading = dataclasses.replace(EMPTY, page=2)
    for picture in (document.getvalue(), second):
        assert (reading.show(picture).drawn == 90).all()
    with pytest.raises(ArgumentError, match="2 pages, and page 3"):
        dataclasses.replace(EMPTY, page=3).show(document)


def test_notebook_shows_pictures_up_to_a_limit():
    """The limit is the caller's, as for reading."""
    picture = np.full((60, 90), 200, np.uint8)
    assert EMPTY.show(picture, max_pixels=5_400).drawn.shape == (60, 90, 3)
    with pytest.raises(PictureError, match="max_pixels"):
        EMPTY.show(picture, max_pixels=5_399)


def test_failure_says_which_page_and_why():
    """The form of its JSON line."""
    assert Failure("a.pdf", 2, "damaged").to_dict() == {"source": "a.pdf", "page": 2, "error": "damaged"}
