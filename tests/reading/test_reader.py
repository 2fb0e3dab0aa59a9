"""From a page to its numbers."""

import io
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from inkdigits.errors import ArgumentError, ModelError
from inkdigits.learning.synthesis.lettering import fonts, ink_of
from inkdigits.reading import reader as reading
from inkdigits.reading.crops import Crop
from inkdigits.reading.finder import Marks
from inkdigits.reading.image import load_gray
from inkdigits.reading.lines import characters
from inkdigits.reading.reader import SHIPPED_READER, Reader, read, straight_lines
from inkdigits.result import Box, Failure, Reading

PAGES = Path(__file__).parents[2] / "examples" / "pages"
TEXTS = json.loads((PAGES / "pages.json").read_text())
PAGE = PAGES / "meter-card.jpg"
RIGHT = 0.4  # of an example page's numbers, at least: what the hardest, the blackboard, reaches today
ALIKE = 0.6  # of the numbers of two pictures of one page, at least


@pytest.fixture(scope="module")
def reader():
    """The reader with the shipped models."""
    return Reader()


@pytest.fixture(scope="module")
def readings(reader):
    """The example pages, read."""
    return {name: reader.read(PAGES / name) for name in TEXTS}


@pytest.fixture(scope="module")
def gray():
    """Two lines of an example page as an array, small enough to be read often."""
    return load_gray(PAGE)[300:570, 270:790]


@pytest.fixture(scope="module")
def digits(mnist):
    """MNIST digits in black on a white page, and the boxes (x, y, width, height) of their ink."""
    page = np.full((300, 500), 255, np.uint8)
    boxes = []
    for place in range(8):
        ink = cv2.resize(mnist.validation.images[place], (56, 56), interpolation=cv2.INTER_AREA)
        x, y = 60 + 90 * (place % 4), 60 + 120 * (place // 4)
        page[y : y + 56, x : x + 56] -= ink
        left, top, width, height = cv2.boundingRect((ink > 100).astype(np.uint8))
        boxes.append((x + left, y + top, width, height))
    return page, np.array(boxes)


def shared(one, other) -> float:
    """Return which share of the numbers of the first text the other has, in any order."""
    there, found = Counter(one.split()), Counter(other.split())
    return (there & found).total() / max(1, there.total())


# What is read


@pytest.mark.parametrize("name", TEXTS)
def test_example_pages_are_read(readings, name):
    """A table, a comb of boxes, amounts on squared paper and a blackboard: most numbers with their signs."""
    assert shared("\n".join(TEXTS[name]), readings[name].text) >= RIGHT


@pytest.mark.parametrize("tone", [255, 128, 10])
def test_blank_paper_has_no_numbers(reader, tone):
    """A page without digits is a reading without numbers."""
    assert reader.read(np.full((200, 300), tone, np.uint8)) == Reading(None, 1, 300, 200, ())


@pytest.mark.parametrize("shape", [(1, 1), (1, 20_000), (20_000, 1), (2, 3)])
def test_picture_too_narrow_for_a_digit_has_no_numbers(reader, shape):
    """Any picture that can be opened can be read."""
    assert reader.read(np.full(shape, 200, np.uint8)).numbers == ()


def test_light_on_dark_is_read_like_dark_on_light(reader, readings):
    """A negative has the same numbers."""
    negative = 255 - load_gray(PAGES / "expenses.jpg")
    assert shared(readings["expenses.jpg"].text, reader.read(negative).text) >= ALIKE


def test_page_over_five_megapixels_is_read_in_its_own_pixels(reader, gray):
    """It is reduced to be read; numbers and boxes are those of the picture given."""
    large = cv2.resize(gray, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
    assert large.size > 5_000_000
    one, other = reader.read(gray), reader.read(large)
    assert (other.width, other.height) == (6 * one.width, 6 * one.height)
    assert shared(one.text, other.text) >= ALIKE
    assert max(number.box.x + number.box.width for number in other.numbers) > one.width


def strip_207(mnist, height):
    """White paper with 207 on it, 20 pixels tall."""
    strip = np.full((height, 200), 255, np.uint8)
    labels = mnist.validation.labels
    chosen = [int(np.flatnonzero(labels == digit)[0]) for digit in (2, 0, 7)]
    for place, image in enumerate(mnist.validation.images[chosen]):
        strip[6:34, 40 + 30 * place : 68 + 30 * place] -= image
    return strip


@pytest.mark.parametrize(("height", "read"), [(40, True), (120, False)])
def test_strip_is_read_even_if_the_finder_sees_nothing(reader, mnist, monkeypatch, height, read):
    """A line cut out of a page is there for its number; only one network saw it, so it is doubtful."""
    monkeypatch.setattr(reader.finder, "find", lambda *_, **__: Marks.none())
    strip = strip_207(mnist, height)
    numbers = reader.read(strip).numbers
    assert [(number.text, number.doubtful) for number in numbers] == [("207", True)] * read
    for place, digit in enumerate(numbers[0].digits if numbers else ()):
        assert digit.box.x + digit.box.width / 2 == pytest.approx(54 + 30 * place, abs=8)


def test_a_number_that_is_small_in_its_field_is_read(reader, mnist, monkeypatch):
    """Nothing is seen by the finder, and all of the field as one line is too small: a part of it is read."""
    monkeypatch.setattr(reader.finder, "find", lambda *_, **__: Marks.none())
    field = np.full((80, 180), 255, np.uint8)
    field[20:60, 30:160] = strip_207(mnist, 40)[:, 30:160]
    assert reader.read(field).text == "207"
    monkeypatch.setattr(reading, "PARTS_OF_LINE", ((1.0, 0.5),))
    assert reader.read(field).text != "207"


def test_digits_of_a_strip_are_where_they_are(reader, mnist):
    """Seen by both networks, they are not doubtful, and their boxes are those of their ink."""
    (number,) = reader.read(strip_207(mnist, 40)).numbers
    assert not number.doubtful
    for place, digit in enumerate(number.digits):
        start = 40 + 30 * place
        assert start - 3 <= digit.box.x < digit.box.x + digit.box.width <= start + 31
        assert digit.box.y + digit.box.height <= 37


def test_strip_of_nothing_stays_empty(reader, monkeypatch):
    """Whatever is read: where nothing is likely to be there, nothing is there."""
    blank = np.full((40, 200), 255, np.uint8)
    assert reader.read(blank).numbers == ()
    monkeypatch.setattr(reading, "chance_of_number", lambda *_: 0.2)
    blank[8:32, 60] = 0
    assert reader.read(blank).numbers == ()


def test_strip_is_read_in_its_own_pixels(reader, mnist):
    """Also where a larger size of it was read: boxes are those of the picture given."""
    for height in (40, 60):
        (number,) = reader.read(strip_207(mnist, height)).numbers
        assert number.text == "207"
        assert number.box.x + number.box.width / 2 == pytest.approx(84, abs=6)


def test_a_number_nobody_can_read_is_guessed_where_its_length_was_said(reader, mnist, monkeypatch):
    """The finder sees digits, and the line reader none."""
    boxes = np.array([(44 + 30 * place, 8, 20, 24) for place in range(3)], np.float32)
    marks = Marks(boxes, np.full(3, 0.9, np.float32), np.zeros(3, np.bool_))
    monkeypatch.setattr(reader.finder, "find", lambda *_, **__: marks)
    blurred = cv2.GaussianBlur(strip_207(mnist, 40), (0, 0), 6)
    assert not reader.read(blurred).numbers
    (number,) = reader.read(blurred, length=3).numbers
    assert len(number.digits) == 3
    assert number.doubtful


def test_signs_alone_are_no_number_of_any_length(reader, monkeypatch):
    """A length is of what has digits."""
    marks = Marks(np.array([(40, 20, 4, 4)], np.float32), np.ones(1, np.float32), np.ones(1, np.bool_))
    monkeypatch.setattr(reader.finder, "find", lambda *_, **__: marks)
    assert not reader.read(np.full((120, 200), 255, np.uint8), length=3).numbers


def test_noise_makes_no_endless_line():
    """Marks all along a band are a line, but no longer one than is ever written."""
    boxes = np.array([(30.0 * place, 0, 8, 10) for place in range(400)], np.float32)
    marks = Marks(boxes, np.full(400, 0.5, np.float32), np.zeros(400, np.bool_))
    lines, crops = straight_lines(marks)
    assert sorted(index for line in lines for index in line.indices) == list(range(400))
    assert len(lines) == 3
    assert max(crop.width for crop in crops) < 12_000


# Doubt


def test_what_may_be_two_numbers_is_less_sure(reader, mnist):
    """The same digits, with a gap in their middle that may part numbers and with one that hardly can."""
    sevens = mnist.validation.images[np.flatnonzero(mnist.validation.labels == 7)[:8]]
    lowest = []
    for gap in (2, 14):
        page = np.full((120, 700), 255, np.uint8)
        for place, image in enumerate(sevens[:6]):
            left = 10 + 22 * place + (gap if place > 2 else 0)
            page[40:68, left : left + 28] = np.minimum(page[40:68, left : left + 28], 255 - image)
        lowest.append(min(number.confidence for number in reader.read(page).numbers))
    assert lowest[1] < lowest[0] - 0.1


def test_doubt_never_changes_the_text(reader, gray):
    """Whatever confidence is asked for, the best guess is given."""
    texts = {reader.read(gray, min_confidence=least).text for least in (0.0, 0.5, 0.99, 1.0)}
    assert texts == {reader.read(gray).text}


def test_all_that_is_not_certain_is_doubtful_if_certainty_is_asked_for(reader, gray):
    """With min_confidence 1 nothing less is accepted."""
    for number in reader.read(gray, min_confidence=1.0).numbers:
        assert number.doubtful or number.confidence == 1
        assert all(digit.doubtful or digit.confidence == 1 for digit in number.digits)


def test_doubt_grows_with_the_confidence_asked_for(reader, gray):
    """With min_confidence 0 a number is doubtful only where finder and line reader differ."""
    lax, strict = (reader.read(gray, min_confidence=least).numbers for least in (0.0, 0.9))
    boxes_in_doubt = [{number.box for number in numbers if number.doubtful} for numbers in (lax, strict)]
    assert boxes_in_doubt[0] <= boxes_in_doubt[1]
    assert {number.box for number in strict if number.confidence < 0.9} <= boxes_in_doubt[1]


def test_threshold_of_the_card_is_the_usual_one(reader, gray):
    """None stands for the line reader's threshold."""
    assert reader.read(gray) == reader.read(gray, min_confidence=reader.lines.card.doubt_threshold)


# Regions and lengths


def test_region_is_read_like_its_crop(reader, gray):
    """Its boxes count from the page's corner, and its numbers bear its name."""
    height, width = gray.shape
    crop = reader.read(gray[height // 2 :])
    read = reader.read(gray, regions={"lower": f"0,{height // 2},100%,100%"})
    assert read.text == crop.text
    assert (read.width, read.height) == (width, height)
    for number, alone in zip(read.numbers, crop.numbers, strict=True):
        assert number.region == "lower"
        assert number.box.y == alone.box.y + height // 2


def test_regions_follow_each_other(reader, gray):
    """In the order that was asked for, on lines of their own."""
    lower, upper = "0,45%,100%,55%", Box(0, 0, gray.shape[1], int(0.45 * gray.shape[0]))
    numbers = reader.read(gray, regions={"lower": lower, "upper": upper}).numbers
    assert [number.region for number in numbers] == sorted(number.region for number in numbers)
    assert {number.region for number in numbers} == {"lower", "upper"}
    lines = [number.line for number in numbers]
    assert lines == sorted(lines)
    last_lower = max(number.line for number in numbers if number.region == "lower")
    assert all(number.line > last_lower for number in numbers if number.region == "upper")


@pytest.mark.parametrize("length", [3, 5, (4, 6), 9])
def test_numbers_have_the_length_that_was_said(reader, gray, length):
    """Or are doubtful."""
    fewest, most = length if isinstance(length, tuple) else (length, length)
    numbers = reader.read(gray, length=length).numbers
    assert numbers
    for number in numbers:
        assert number.doubtful or fewest <= len(number.digits) <= most
        assert [str(digit.value) for digit in number.digits] == [c for c in number.text if c.isdigit()]


def test_number_cut_to_the_length_that_was_said_is_doubtful(reader, gray):
    """All its parts: a part is not what stands there, even if it has as many digits as it should."""
    whole = max(reader.read(gray).numbers, key=lambda number: len(number.digits))
    start, end = whole.box.x, whole.box.x + whole.box.width
    numbers = reader.read(gray, length=(1, len(whole.digits) - 1)).numbers
    parts = [
        number
        for number in numbers
        if start <= number.box.x + number.box.width / 2 <= end and abs(number.box.y - whole.box.y) < 20
    ]
    assert len(parts) > 1
    assert all(part.doubtful for part in parts)


def test_length_that_is_right_already_changes_nothing(reader, gray):
    """Numbers that fit are read as without it."""
    free = reader.read(gray)
    counts = [len(number.digits) for number in free.numbers]
    assert reader.read(gray, length=(min(counts), max(counts))).text == free.text


@pytest.mark.parametrize("height", [40, 200])
def test_blank_field_has_no_number_of_any_length(reader, height):
    """Paper is not read as digits because some may be there."""
    assert reader.read(np.full((height, 300), 255, np.uint8), length=5).text == ""


@pytest.mark.parametrize("grain", [1, 4])
def test_grain_of_paper_in_a_blank_field_is_no_number(reader, grain):
    """The line reader would read something into it, told how many digits there are."""
    rng = np.random.default_rng(0)
    strips = (
        np.clip(tone + rng.normal(0, grain, (height, 300)), 0, 255).astype(np.uint8)
        for tone in (20, 120, 200, 250)
        for height in (30, 60, 90)
    )
    assert [reader.read(strip, length=5).text for strip in strips] == [""] * 12


@pytest.mark.parametrize("tone", [0, 255])
def test_long_blank_field_has_no_number(reader, tone):
    """The longer a strip, the less likely is it for the line reader that nothing at all is there."""
    assert reader.read(np.full((35, 1_100), tone, np.uint8)).text == ""


def test_digits_of_a_length_that_is_not_there_lie_on_the_page(reader, gray):
    """Each has an area, if only at the edge."""
    strip = cv2.resize(gray[:200], (600, 90), interpolation=cv2.INTER_AREA)
    digits = [digit.box for number in reader.read(strip, length=30).numbers for digit in number.digits]
    assert digits
    for box in digits:
        assert min(box.width, box.height) > 0
        assert 0 <= box.x <= box.x + box.width <= 600
        assert 0 <= box.y <= box.y + box.height <= 90


def written(mnist, shape, *numbers):
    """White paper with numbers on it, each a text with the place of its first digit, 20 pixels tall."""
    page = np.full(shape, 255, np.uint8)
    for text, x, y in numbers:
        for place, digit in enumerate(map(int, text)):
            image = mnist.validation.images[np.flatnonzero(mnist.validation.labels == digit)[1]]
            left = x + 26 * place
            page[y : y + 28, left : left + 28] = np.minimum(page[y : y + 28, left : left + 28], 255 - image)
    return page


@pytest.mark.parametrize("lower", [10, 12])
def test_numbers_of_known_length_have_no_digits_of_another_line(reader, mnist, lower):
    """The room beside a line is for what the finder passed over, not for what it gave to another."""
    page = written(mnist, (200, 300), ("207", 40, 60), ("471", 126, 60 + lower), ("353", 40, 120))
    assert [number.text for number in reader.read(page, length=3).numbers] == ["207", "471", "353"]


def test_numbers_of_known_length_in_a_strip_are_parted(reader, mnist, monkeypatch):
    """Also where the finder sees none of them."""
    monkeypatch.setattr(reader.finder, "find", lambda *_, **__: Marks.none())
    strip = written(mnist, (44, 330), ("207", 20, 8), ("471", 200, 8))
    assert [number.text for number in reader.read(strip, length=3).numbers] == ["207", "471"]


def test_number_cut_at_a_sign_does_not_end_with_it(reader, mnist):
    """Signs are inside or before numbers."""
    page = written(mnist, (200, 300), ("52", 40, 60), ("06", 102, 60))
    page[82:85, 94:97] = 0
    assert reader.read(page).text == "52.06"
    assert [number.text for number in reader.read(page, length=2).numbers] == ["52", "06"]


def test_a_line_whose_second_mark_begins_first_is_one_line():
    """As a wide digit over the point before it."""
    boxes = np.array([(14, 40, 6, 6), (10, 12, 26, 36), (44, 12, 22, 36), (72, 12, 22, 36)], np.float32)
    marks = Marks(boxes, np.full(4, 0.9, np.float32), np.array([True, False, False, False]))
    lines, _ = reading.straight_lines(marks)
    assert [line.indices for line in lines] == [(0, 1, 2, 3)]


def test_unlikely_number_is_kept_where_its_length_was_said(reader, mnist, monkeypatch):
    """Without one it would have to be likely, because only one network saw it."""
    monkeypatch.setattr(reader.finder, "find", lambda *_, **__: Marks.none())
    strip = strip_207(mnist, 40)
    blurs = (cv2.GaussianBlur(strip, (0, 0), deviation) for deviation in np.arange(1.2, 5, 0.2))
    blurred = next(each for each in blurs if not reader.read(each).numbers)
    number, *others = reader.read(blurred, length=3).numbers
    assert len(number.digits) == 3
    assert number.confidence < 0.5
    assert not others


# Many pages


def test_many_pages_are_read_in_order(reader, gray, tmp_path):
    """As they are one by one, with any number of workers; a document gives all its pages."""
    page = Image.fromarray(gray)
    page.save(tmp_path / "two.tif", save_all=True, append_images=[page.rotate(180)])
    pictures = [gray, tmp_path / "two.tif", gray[:140]]
    one, four = (list(reader.read_many(pictures, workers=n, rotate=180)) for n in (1, 4))
    assert one == four
    assert [answer.page for answer in one] == [1, 1, 2, 1]
    assert one[2].text == reader.read(gray).text
    assert one[0] == reader.read(gray, rotate=180)


@pytest.mark.parametrize("workers", [1, 3])
def test_failure_stands_in_its_place(reader, gray, workers, tmp_path):
    """It says why, and stops nothing."""
    (tmp_path / "b.png").write_bytes(b"no picture")
    answers = list(reader.read_many([gray, tmp_path / "b.png", gray], workers=workers))
    assert [type(answer) for answer in answers] == [Reading, Failure, Reading]
    assert "not a picture" in answers[1].error


def test_array_of_no_numbers_stops_nothing(reader, gray):
    """Nor does any other that is no picture."""
    answers = list(reader.read_many([gray, np.full((60, 80), np.nan), np.zeros((0, 9), np.uint8), gray]))
    assert [type(answer) for answer in answers] == [Reading, Failure, Failure, Reading]


@pytest.mark.parametrize(
    "take_all",
    [lambda: np.zeros(2**57, np.uint8), lambda: cv2.resize(np.zeros((9, 9), np.uint8), (2**30, 2**29))],
    ids=["NumPy", "OpenCV"],
)
def test_lack_of_memory_is_that_pages_failure(reader, gray, take_all):
    """The next may need less."""

    def on_page(reading, decoded):
        if not taken:
            taken.append(1)
            take_all()

    taken = []
    failed, read = reader.read_many([gray, gray], on_page=on_page)
    assert "not enough memory to read this page" in failed.error
    assert read.numbers


@pytest.mark.parametrize("workers", [1, 2])
def test_pages_are_read_as_they_are_asked_for(reader, workers):
    """An endless stream of pictures is read, a few at a time."""
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield np.full((60, 80), 255, np.uint8)

    answers = reader.read_many(endless(), workers=workers)
    for _ in range(5):
        assert next(answers).numbers == ()
    answers.close()
    assert len(taken) < 30


def test_picture_can_be_drawn_on_while_it_is_there(reader, gray):
    """Each page is decoded once."""
    drawn = []
    answers = reader.read_many(
        [gray], on_page=lambda reading, decoded: drawn.append(reading.draw(decoded.rgb()))
    )
    assert len(list(answers)) == len(drawn) == 1
    assert drawn[0].shape == (*gray.shape, 3)


def test_model_folder_is_no_reader_folder():
    """A reader needs three of them, and the error says which one is missing."""
    with pytest.raises(ModelError, match=r"lacks the folders classifier, finder, lines"):
        Reader(SHIPPED_READER / "lines")


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 0},
        {"workers": 65},
        {"workers": "2"},
        {"min_confidence": "0.5"},
        {"regions": ["0,0,9,9"]},
        {"regions": {"a": Box(0.5, 0, 9, 9)}},
        {"length": 0},
        {"regions": {"a": "1"}},
        {"regions": {"a": 1}},
        {"colour": 1},
        {"rotate": 45},
        {"max_pixels": 0},
        {"max_pixels": None},
        {"max_pixels": "5"},
        {"length": True},
        {"min_confidence": True},
        {"regions": {"a": "100%,0,9,9"}},
    ],
)
def test_what_is_no_option_is_refused_first(reader, options):
    """Before any picture is taken."""
    with pytest.raises(ArgumentError):
        reader.read_many(iter(()), **options)


@pytest.mark.parametrize(
    "picture",
    ["a.jpg", Path("a.jpg"), b"GIF", np.zeros((40, 60)), np.zeros((4, 6, 3)), io.BytesIO(b"GIF"), None, 3],
)
def test_one_picture_is_not_several(reader, picture):
    """It would be read letter by letter, byte by byte or row by row."""
    with pytest.raises(ArgumentError, match=r"several pictures.*\[picture\].*Received"):
        reader.read_many(picture)


def test_workers_and_limits_may_be_numpy_integers(reader, gray):
    """As they come out of a computation; a PDF document's go to another process."""
    document = io.BytesIO()
    Image.fromarray(gray).save(document, "PDF", resolution=200)
    for picture in (gray, document.getvalue()):
        (reading,) = reader.read_many([picture], workers=np.int64(1), max_pixels=np.int32(10**7))
        assert reading.width == gray.shape[1]


# The form of a reading


def completed(sevens: float, *, first: float = 0.95, score: float = 0.6) -> str:
    """Read a line of 60 pixels that says 5, perhaps 7, 5, on which the finder sees three digits."""
    answers = np.zeros((30, 16), np.float32)
    answers[[5, 25], 6], answers[15, 8] = first, sevens
    answers[:, 0] = 1 - answers.sum(axis=1)
    boxes = np.array([(x, 6, 12, 20) for x in (5, 25, 45)], np.float32)
    marks = Marks(boxes, np.full(3, score, np.float32), np.zeros(3, np.bool_))
    crop = Crop(np.eye(2, 3), 60, 32)
    text = reading._completed(characters(answers), answers, crop, marks)
    return "".join(character.value for character in text)


@pytest.mark.parametrize(("sevens", "text"), [(0.05, "55"), (0.2, "575"), (0.8, "575")])
def test_digit_that_both_networks_see_a_little_is_read(sevens, text):
    """A mark makes up for a likelihood of about a seventh."""
    assert completed(sevens) == text


def test_unlikely_digit_among_numbers_is_left_out(reader, readings, monkeypatch):
    """Numbers of several digits stay, as does a digit that is all there is."""
    monkeypatch.setattr(reading, "_confidence", lambda *_: 0.4)
    for name, before in readings.items():
        after = reader.read(PAGES / name)
        longer = [number.text for number in before.numbers if len(number.digits) > 1]
        assert [number.text for number in after.numbers] == longer
    sevens = np.full((200, 200), 255, np.uint8)
    cv2.polylines(sevens, [np.array([(60, 40), (130, 40), (90, 160)])], False, 0, 9, cv2.LINE_AA)
    assert reader.read(sevens).text == "7"


@pytest.mark.parametrize(
    ("passed_over", "confidence", "likely"),
    [(0, 0.5, 0.0), (1, 0.5, 0.0), (5, 1.0, 0.7), (5, 0.5, 0.845), (20, 1.0, 0.903)],
)
def test_page_of_letters_has_only_sure_numbers(passed_over, confidence, likely):
    """The more of what the finder saw is passed over or doubtful, the surer what is left has to be."""
    ink, found = page_with(passed_over, height=20, confidence=confidence)
    assert reading._likely_on(ink, found) == pytest.approx(likely, abs=0.001)


def test_grain_is_no_letter():
    """Specks of the paper, far smaller than the surest number, say nothing of it."""
    assert reading._likely_on(*page_with(20, height=7, confidence=1.0)) == 0


def page_with(passed_over: int, *, height: float, confidence: float):
    """Two numbers, 20 pixels high, so sure, on a page where so many marks of this height have no name."""
    places = np.full((4, 4), 20, np.float32)
    unnamed = np.full((passed_over, 4), height, np.float32)
    ink = reading._Ink(
        [], places, np.zeros(4, bool), np.zeros(4), *[[]] * 5, unnamed, unnamed[:0], passed_over + 4
    )
    return ink, [reading._Found(0, [0, 1, 2], confidence), reading._Found(1, [3], confidence)]


def ink_at(*boxes: tuple[float, ...], scores: Sequence[float], signs: Sequence[int] = ()) -> reading._Ink:
    """Characters in these boxes, of which the finder is so sure."""
    is_sign = np.isin(np.arange(len(boxes)), signs)
    none = np.zeros((0, 4), np.float32)
    places = np.array(boxes, np.float32)
    return reading._Ink([], places, is_sign, np.array(scores, np.float32), *[[]] * 5, none, none, len(boxes))


@pytest.mark.parametrize(
    ("middle", "of_digit", "of_sign"),
    [(20, True, True), (8, True, False), (45, True, False), (-5, True, False), (70, False, False)],
)
def test_what_only_the_finder_sees_in_a_number_is_unnamed(middle, of_digit, of_sign):
    """A digit also right beside it; a sign, as a point that the line reader has no name for, only inside."""
    ink = ink_at((0, 0, 16, 20), (24, 0, 16, 20), scores=(0.9, 0.9))
    seen = np.array([(middle - 2, 8, 4, 4)], np.float32)
    assert not reading._has_unnamed(ink, [0, 1])
    assert reading._has_unnamed(replace(ink, unnamed=seen), [0, 1]) == of_digit
    assert reading._has_unnamed(replace(ink, unnamed_signs=seen), [0, 1]) == of_sign


def test_two_points_of_a_colon_are_both_named():
    """The finder may see two marks where there is one sign."""
    ink = ink_at((0, 0, 16, 20), (18, 2, 4, 16), (24, 0, 16, 20), scores=(0.9,) * 3, signs=[1])
    assert not reading._has_unnamed(replace(ink, unnamed_signs=ink.boxes[1:2]), [0, 1, 2])


@pytest.mark.parametrize(("each", "likely"), [(0.9, True), (0.5, True), (0.2, False)])
def test_a_line_is_likely_by_its_characters(each, likely):
    """However many they are: a long one is as likely as a short one."""
    answers = np.zeros((24, 16), np.float32)
    answers[:, 0] = 1
    answers[1::2, 0], answers[1::2, 4] = 1 - each, each
    for length in (1, 12):
        text = characters(np.eye(16, dtype=np.float32)[[0, 4] * length])
        assert reading._is_likely(text, answers[: 2 * length]) == likely


def test_number_that_is_rather_none_is_left_out(monkeypatch):
    """A long one is less likely to be right as a whole, and yet one."""
    ink = ink_at(*[(50 + 12 * i, 40, 10, 20) for i in range(6)], scores=[0.9] * 6)
    numbers = [([0], 0.34), ([1], 0.36), ([2, 3], 0.11), ([4, 5], 0.13)]
    found = [reading._Found(0, number, confidence) for number, confidence in numbers]
    monkeypatch.setattr(reading, "_likely", lambda *_: found)
    kept = reading._likely_on_page(ink, Box(0, 0, 300, 100))
    assert kept == [replace(each, confidence=each.confidence**0.9) for each in (found[1], found[3])]


def test_reasons_for_doubt_that_come_together_are_not_multiplied_in_full(monkeypatch):
    """The product of chances that depend on each other is too low; what is certain stays so."""
    ink = ink_at(*[(50 + 12 * i, 40, 10, 20) for i in range(3)], scores=[0.9] * 3)
    found = [reading._Found(0, [i], chance) for i, chance in enumerate([0.5, 0.9, 1.0])]
    monkeypatch.setattr(reading, "_likely", lambda *_: found)
    kept = reading._likely_on_page(ink, Box(0, 0, 300, 100))
    assert [each.confidence for each in kept] == pytest.approx([0.536, 0.910, 1.0], abs=0.001)


def test_what_the_finder_is_sure_of_is_more_likely_a_number():
    """The mean of its digits' scores counts, a sign's doesn't."""
    three = [(0, 0, 10, 20), (12, 0, 10, 20), (24, 15, 3, 3)]
    chances = [
        reading._chance_of_digits(ink_at(*three, scores=(one, other, sign), signs=[2]), [0, 1, 2])
        for one, other, sign in [(0.3, 0.3, 1), (0.8, 0.8, 0), (0.6, 1, 0.5)]
    ]
    assert chances == pytest.approx([0.63, 0.956, 0.956], abs=0.005)


@pytest.mark.parametrize(
    ("box", "chance"),
    [
        ((50, 40, 10, 20), 1),
        ((2, 40, 10, 20), 1),
        ((0.5, 40, 10, 20), 0.82),
        ((50, -3, 10, 20), 0.82),
        ((90, 40, 10, 20), 0.82),
        ((50, 59, 10, 20), 0.82),
    ],
)
def test_what_touches_the_edge_of_the_picture_may_be_cut_off(box, chance):
    """Any of the four, within a twentieth of the height."""
    ink = ink_at((40, 40, 8, 20), box, scores=(1, 1))
    assert reading._chance_of_whole(ink, [0, 1], Box(7, 7, 100, 80)) == chance


@pytest.mark.parametrize("chance", ["_chance_of_digits", "_chance_of_whole"])
def test_a_strip_holds_a_whole_number(reader, mnist, monkeypatch, chance):
    """Of a page it is asked whether what is read is a number, and all of it."""
    strip, page = strip_207(mnist, 40), strip_207(mnist, 120)
    before = [reader.read(picture).numbers[0].confidence for picture in (strip, page)]
    monkeypatch.setattr(reading, chance, lambda *_: 0.8)
    after = [reader.read(picture).numbers[0].confidence for picture in (strip, page)]
    assert after[0] == before[0]
    assert after[1] < 0.9 * before[1]


@pytest.mark.parametrize("font", [font for font in fonts("held-out") if font.script == "latin"])
def test_words_are_not_numbers(reader, font):
    """Handwriting without a digit, in a hand that no network was trained on."""
    page = np.full((400, 700), 255, np.uint8)
    for row, words in enumerate(["blue sky", "green house", "small dog"]):
        ink = ink_of(words, font, 60)
        page[40 + 110 * row :, 40:][: len(ink), : ink.shape[1]] -= ink
    assert reader.read(page).text == ""


def test_marks_alone_make_no_number():
    """Where the line reader sees no digit, the finder took something else for some."""
    assert completed(0.3, first=0.1) == ""


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_a_number_is_its_digits_and_signs(readings, name):
    """Every digit of the text has an entry, in order, and signs have none."""
    for number in readings[name].numbers:
        assert [str(digit.value) for digit in number.digits] == [c for c in number.text if c.isdigit()]
        assert set(number.text) <= set("0123456789.,-/:")
        assert number.text[-1].isdigit()


@pytest.mark.parametrize("name", TEXTS)
def test_probabilities_are_ten_that_add_up_to_one(readings, name):
    """So each digit says what else it might be; no number is surer than its least sure digit."""
    for number in readings[name].numbers:
        for digit in number.digits:
            assert len(digit.probabilities) == 10
            assert sum(digit.probabilities) == pytest.approx(1, abs=1e-5)
            assert digit.probabilities[digit.value] == max(digit.probabilities)
        assert 0 <= number.confidence <= min(digit.confidence for digit in number.digits) + 1e-6


@pytest.mark.parametrize("name", TEXTS)
def test_numbers_are_in_reading_order(readings, name):
    """Line by line, from left to right; lines and columns count from 1."""
    places = [(number.line, number.column) for number in readings[name].numbers]
    assert places == sorted(set(places))
    assert {line for line, _ in places} == set(range(1, 1 + len({line for line, _ in places})))
    assert min(column for _, column in places) == 1


@pytest.mark.parametrize("name", TEXTS)
def test_boxes_lie_on_the_page(readings, name):
    """Each has an area, and none reaches beyond the page."""
    reading = readings[name]
    for box in [part.box for number in reading.numbers for part in (number, *number.digits)]:
        assert box.width > 0
        assert box.height > 0
        assert 0 <= box.x <= box.x + box.width <= reading.width
        assert 0 <= box.y <= box.y + box.height <= reading.height


def test_boxes_at_the_edge_lie_on_the_page(reader, digits):
    """Also where the page cuts through digits."""
    page, boxes = digits
    left, top = boxes[0][:2] + boxes[0][2:] // 4
    cut = page[top:, left:]
    for number in reader.read(cut).numbers:
        assert min(number.box.x, number.box.y) >= 0
        assert number.box.x + number.box.width <= cut.shape[1]
        assert number.box.y + number.box.height <= cut.shape[0]


def test_boxes_are_around_the_ink(reader, digits):
    """Each digit found has one box, which shares at least half of both together with its ink's."""
    page, inks = digits
    found = [digit.box.to_list() for number in reader.read(page).numbers for digit in number.digits]
    boxes = np.array(found)[:, np.newaxis]
    ends = np.minimum(boxes[..., :2] + boxes[..., 2:], inks[:, :2] + inks[:, 2:])
    common = (ends - np.maximum(boxes[..., :2], inks[:, :2])).clip(0).prod(axis=-1)
    overlap = common / (boxes[..., 2:].prod(axis=-1) + inks[:, 2:].prod(axis=-1) - common)
    assert len(set(overlap.argmax(axis=1).tolist())) == len(found) >= len(inks) - 2
    assert overlap.max(axis=1).min() >= 0.5


def test_page_says_where_it_comes_from(reader, tmp_path):
    """The source is the path unless another is given; what has no path has none."""
    path = tmp_path / "blank.png"
    Image.new("L", (60, 40), 255).save(path)
    assert reader.read(path).source == reader.read(str(path)).source == str(path)
    assert reader.read(path, source="sheet").source == "sheet"
    assert reader.read(path.read_bytes()).source is None
    assert (reader.read(path).page, reader.read(path).width, reader.read(path).height) == (1, 60, 40)


def test_size_is_that_of_the_upright_picture(reader, tmp_path):
    """A photo taken sideways is turned before it is read."""
    image = Image.new("L", (60, 40), 255)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    reading = reader.read(tmp_path / "turned.jpg")
    assert (reading.width, reading.height) == (40, 60)


# How it is called


def test_every_kind_of_picture_gives_the_same_numbers(reader, gray, tmp_path):
    """A path, bytes, a file, a PIL image and an array of one page."""
    path = tmp_path / "page.png"
    Image.fromarray(gray).save(path)
    numbers = reader.read(gray).numbers
    assert numbers
    with path.open("rb") as file, Image.open(path) as image:
        for picture in (path, str(path), path.read_bytes(), file, image):
            assert reader.read(picture).numbers == numbers


def test_threads_do_not_disturb_each_other(reader, gray):
    """Four threads read what one does."""
    pages = [gray, gray[:140], gray[140:], gray[:, :300]] * 3
    with ThreadPoolExecutor(4) as pool:
        read_together = list(pool.map(reader.read, pages))
    assert read_together == [reader.read(page) for page in pages]


def test_read_uses_the_shipped_reader(reader, gray):
    """The function reads as the class does."""
    assert read(gray) == reader.read(gray)


def test_reader_names_single_digits(reader):
    """A reader has the classifier, too."""
    assert reader.classify(PAGES.parent / "pictures" / "3-marker-on-a-yellow-note.jpg").value == 3


def test_folder_without_a_part_is_refused(tmp_path):
    """A reader folder holds a model folder for each part."""
    with pytest.raises(ModelError, match="finder"):
        Reader(tmp_path)
