"""The page, used as people use it: a mouse that writes, files that are chosen, keys that are pressed."""

import base64
import csv
import io
import json
import os
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Dialog, Locator, Page, Route, expect, sync_playwright

from inkdigits.result import ROW_FIELDS
from inkdigits.web.app import create_app

from .conftest import PAGE

CHROMIUM = shutil.which("chromium")
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 360, "height": 740}
WAIT = 30_000  # milliseconds; a busy machine is slow

if not CHROMIUM and os.environ.get("CI") != "true":
    pytest.skip("Chromium is not installed (Debian: apt-get install chromium)", allow_module_level=True)


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, url):
    """Opens the page; afterwards no request has left the machine and nothing was complained about."""
    contexts, outside, complaints = [], [], []

    def open_page(path: str = "/", **options: object) -> Page:
        context = browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **options})
        context.set_default_timeout(WAIT)
        contexts.append(context)
        context.on(
            "request",
            lambda request: (
                None if request.url.startswith((url, "blob:", "data:")) else outside.append(request.url)
            ),
        )
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert outside == []
    assert complaints == []


@pytest.fixture(scope="session")
def write(screenshots):
    """Writes digits on the sheet with the mouse."""
    return screenshots.write


def read_text(page: Page) -> str:
    """Return what the page says it has read, without the marks of doubt."""
    lines = page.locator("#draw-text p").all_inner_texts()
    return "\n".join("".join(line.split()).replace("?", "") for line in lines)


def expect_text(page: Page, text: str) -> None:
    """Wait until the page has read this."""
    expect(page.locator("#draw-text p")).to_have_count(text.count("\n") + 1, timeout=WAIT)
    for index, line in enumerate(text.split("\n")):
        chips = page.locator("#draw-text p").nth(index).locator(".chip")
        expect(chips).to_have_text(list(line), timeout=WAIT)
    assert read_text(page) == text


def touch(page: Page, points: list[tuple[float, float]]) -> None:
    """Put a finger down, move it from point to point and lift it; Playwright's own fingers only tap."""
    session = page.context.new_cdp_session(page)
    for index, (x, y) in enumerate(points):
        event = {"type": "touchMove" if index else "touchStart", "touchPoints": [{"x": x, "y": y}]}
        session.send("Input.dispatchTouchEvent", event)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def hold(page: Page, address: str) -> list[Route]:
    """Return the list that requests are kept in, to be answered later."""
    held = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(address, keep)
    return held


def middle(element: Locator) -> tuple[float, float]:
    """Return the middle of an element."""
    box = element.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# Drawing


def test_drawn_digit_is_read(visit, write):
    """A 7 is a 7, with its probabilities and what the networks saw."""
    page = visit()
    write(page, "7", left=0.6, top=0.25, height=0.5)
    expect_text(page, "7")
    expect(page.locator("#draw-summary")).to_have_text("1 number, 1 digit, none doubtful.")
    expect(page.locator("#draw-bars .best")).to_have_text("7")
    expect(page.locator("#draw-seen img")).to_have_count(2, timeout=WAIT)  # the line, and MNIST's form
    expect(page.locator("#marks rect")).to_have_count(1)
    expect(page.locator("#time")).to_contain_text("ms")


def test_drawn_number_is_read(visit, write):
    """2026 is one number of four digits."""
    page = visit()
    write(page, "2026", left=0.15, top=0.3, height=0.35)
    expect_text(page, "2026")


def test_large_digit_is_sent_small(visit, write):
    """Reading takes as long as the picture is large, and more than 100 pixels of a digit tell nothing."""
    page = visit()
    with page.expect_response("**/v1/read") as answered:
        write(page, "7", left=0.3, top=0.1, height=0.8)
    (sent,) = answered.value.json()["pages"]
    assert sent["width"] < sent["height"] < 200
    expect_text(page, "7")


def test_lines_are_read_undone_and_cleared(visit, write):
    """A second line is a second line; undo takes it back, clear takes all."""
    page = visit()
    write(page, "76", left=0.3, top=0.1, height=0.3)
    expect_text(page, "76")
    write(page, "7", left=0.3, top=0.58, height=0.3)
    expect_text(page, "76\n7")
    page.keyboard.press("Control+z")
    expect_text(page, "76")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#draw-summary")).to_have_text("Nothing is written yet.")
    expect(page.locator("#undo")).to_be_disabled()


def test_keyboard_draws(visit):
    """Arrows and Space make a 7, without a mouse."""
    page = visit()
    page.locator("#canvas").focus()
    page.keyboard.press("Space")
    for key, times in [("ArrowRight", 8), ("ArrowDown", 18)]:
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.press("Space")
    expect_text(page, "7")


@pytest.mark.parametrize("key", ["Control+z", "Delete"])
def test_stroke_that_is_taken_back_ends(visit, key):
    """What the mouse does until it is lifted draws nothing."""
    page = visit()
    x, y = middle(page.locator("#canvas"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y)
    page.keyboard.press(key)
    page.mouse.move(x + 100, y + 50)
    page.mouse.up()
    expect(page.locator("#draw-summary")).to_have_text("Nothing is written yet.")
    expect(page.locator("#undo")).to_be_disabled()


@pytest.mark.parametrize("key", ["Control+z", "Delete"])
def test_keyboard_stroke_that_is_taken_back_ends(visit, key):
    """The pen is up after it."""
    page = visit()
    page.locator("#canvas").focus()
    for each in ["Space", "ArrowRight", key, "ArrowRight"]:
        page.keyboard.press(each)
    expect(page.locator("#cursor")).not_to_have_class("down")
    expect(page.locator("#undo")).to_be_disabled()


def test_eraser_takes_ink_away(visit, write):
    """What is rubbed out is not read."""
    page = visit()
    write(page, "7", left=0.6, top=0.3, height=0.3)
    expect_text(page, "7")
    page.get_by_text("Eraser").click(force=True)
    sheet = page.locator("#canvas").bounding_box()
    for row in range(16):
        y = sheet["y"] + sheet["height"] * (0.26 + 0.025 * row)
        page.mouse.move(sheet["x"] + sheet["height"] * 0.5, y)
        page.mouse.down()
        page.mouse.move(sheet["x"] + sheet["height"] * 0.9, y, steps=2)
        page.mouse.up()
    expect(page.locator("#draw-summary")).to_have_text("Nothing is written yet.")


def test_digit_shows_its_probabilities_when_focused(visit, write):
    """The bars are of the digit that is pointed at or focused."""
    page = visit()
    write(page, "76", left=0.3, top=0.3, height=0.35)
    expect_text(page, "76")
    page.locator("#draw-text .chip").first.focus()
    expect(page.locator("#draw-bars .best")).to_have_text("7")
    page.locator("#draw-text .chip").last.hover()
    expect(page.locator("#draw-bars .best")).to_have_text("6")


def test_undo_works_with_caps_lock(visit, write):
    """The key is "Z" then."""
    page = visit()
    write(page, "7", left=0.6, top=0.25, height=0.5)
    expect_text(page, "7")
    page.keyboard.press("Control+Z")
    expect(page.locator("#draw-summary")).to_have_text("Nothing is written yet.")


def test_strokes_stay_on_a_sheet_that_gets_smaller(visit, write):
    """They get smaller with it: what nobody sees is not read."""
    page = visit()
    write(page, "7", left=1.1, top=0.3, height=0.5)
    expect_text(page, "7")
    with page.expect_response("**/v1/read"):
        page.set_viewport_size({"width": 375, "height": 800})
    expect(page.locator("#marks.old")).to_have_count(0)
    sheet, mark = (page.locator(each).bounding_box() for each in ("#canvas", "#marks rect"))
    assert sheet["x"] < mark["x"] < mark["x"] + mark["width"] < sheet["x"] + sheet["width"]
    expect_text(page, "7")


def test_failed_reading_shows_no_old_answer(browser, url, write):
    """Why it failed, and nothing of what was read before; Chromium logs the refusal."""
    page = browser.new_page(viewport=WIDE)
    page.goto(url)
    write(page, "7", left=0.2, top=0.3, height=0.35)
    expect_text(page, "7")
    page.route("**/v1/read", lambda route: route.fulfill(json={"detail": "It takes too long."}, status=504))
    write(page, "6", left=0.6, top=0.3, height=0.35)
    expect(page.locator("#draw-summary")).to_have_text("It takes too long.")
    expect(page.locator("#draw-text .chip, #marks rect, #draw-bars .best, #draw-seen img")).to_have_count(0)
    page.close()


def test_reading_stays_if_only_its_steps_fail(browser, url, write):
    """It is of what is there now; Chromium logs the refusal."""
    page = browser.new_page(viewport=WIDE)
    page.goto(url)
    page.route("**/v1/explain*", lambda route: route.fulfill(json={"detail": "Too long."}, status=504))
    write(page, "7", left=0.2, top=0.3, height=0.35)
    expect(page.locator("#draw-summary")).to_have_text("Too long.", timeout=WAIT)
    expect_text(page, "7")
    page.close()


def draw_stroke(page: Page, points: list[tuple[float, float]]) -> None:
    """Draw through points, which are shares of the sheet's width and height."""
    sheet = page.locator("#canvas").bounding_box()
    for index, (x, y) in enumerate(points):
        page.mouse.move(sheet["x"] + x * sheet["width"], sheet["y"] + y * sheet["height"], steps=5)
        if not index:
            page.mouse.down()
    page.mouse.up()


def test_straight_stroke_is_a_one(visit):
    """No number for who reads pages; a 1 in doubt for who knows that a digit was drawn."""
    page = visit()
    draw_stroke(page, [(0.5, 0.2), (0.5, 0.6)])
    expect(page.locator("#draw-summary")).to_have_text("1 number, 1 digit, 1 doubtful.", timeout=WAIT)
    assert read_text(page) == "1"
    expect(page.locator("#draw-digit-text")).to_contain_text("It was read as a single digit")
    expect(page.locator("#marks .doubt rect")).to_have_count(1)
    mark, sheet = page.locator("#marks rect").bounding_box(), page.locator("#canvas").bounding_box()
    assert mark["height"] == pytest.approx(0.4 * sheet["height"], rel=0.2)


def test_scribble_is_no_digit(visit):
    """What is doubtful as a single digit, too, is not shown as one."""
    page = visit()
    with page.expect_response("**/v1/classify") as answered:
        draw_stroke(page, [(0.3, 0.5), (0.4, 0.3), (0.42, 0.6), (0.5, 0.3), (0.53, 0.6), (0.65, 0.4)])
    assert answered.value.json()["doubtful"]
    expect(page.locator("#draw-summary")).to_have_text("No digits found.")


# Photos


@pytest.fixture
def sheet(tmp_path):
    """A picture with 27 and 62 below each other, drawn here."""
    picture = np.full((420, 360), 240, np.uint8)
    for row, text in enumerate(["27", "62"]):
        origin = (90, 160 + 180 * row)
        cv2.putText(picture, text, origin, cv2.FONT_HERSHEY_SIMPLEX, 3.6, 40, 9, cv2.LINE_AA)
    path = tmp_path / "sheet.png"
    cv2.imwrite(str(path), picture)
    return path


def test_photo_is_read_corrected_and_taken_along(visit, sheet):
    """Choose a picture, correct a number, save the table: the correction is in it."""
    page = visit("/#photo")
    page.set_input_files("#files", sheet)
    values = page.locator("#numbers button.value")
    expect(values).to_have_count(2, timeout=WAIT)
    read = values.first.inner_text().rstrip("?")
    values.first.click()
    page.keyboard.type("1927.5")
    page.keyboard.press("Enter")
    expect(values.first).to_contain_text("1927.5")
    expect(page.locator("#viewer .mark.fixed .label")).to_contain_text("1927.5")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert list(rows[0]) == [*ROW_FIELDS, "read_as"]
    assert [row["source"] for row in rows] == ["sheet.png"] * 2
    assert (rows[0]["text"], rows[0]["read_as"], rows[1]["read_as"]) == ("1927.5", read, "")
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    first = json.loads(download.value.path().read_text())["pages"][0]["numbers"][0]
    assert (first["text"], first["read_as"]) == ("1927.5", read)


def test_correction_is_a_number(visit, sheet):
    """Words are no correction, and Escape leaves everything as it was."""
    page = visit("/#photo")
    page.set_input_files("#files", sheet)
    first = page.locator("#numbers button.value").first
    before = first.inner_text(timeout=WAIT)
    for text, key in [("many", "Enter"), ("12", "Escape")]:
        first.click()
        page.keyboard.type(text)
        page.keyboard.press(key)
        expect(first).to_have_text(before)


def test_several_photos(visit, sheet):
    """Each is read on its own, and is a click away."""
    page = visit("/#photo")
    page.set_input_files("#files", [sheet, PAGE])
    buttons = page.locator("#list .open")
    expect(buttons).to_have_text(["sheet.png2 numbers", "meter-card.jpg3 numbers"], timeout=WAIT)
    buttons.nth(1).click()
    expect(page.locator("#numbers button.value")).to_have_count(3)


def test_failed_photo_says_why(browser, url, tmp_path):
    """The service's own words; Chromium logs the refusal, so this is a visit of its own."""
    broken = tmp_path / "broken.txt"
    broken.write_text("no picture")
    page = browser.new_page()
    page.goto(url + "/#photo")
    page.set_input_files("#files", [broken, PAGE])
    expect(page.locator("#list .failed")).to_have_text("broken.txtcould not be read", timeout=WAIT)
    expect(page.locator("#numbers button.value")).to_have_count(3, timeout=WAIT)
    page.locator("#list .failed").click()
    expect(page.locator("#numbers .problem")).to_contain_text("no picture that can be read")
    page.close()


def test_picture_is_zoomed_by_keys(visit, sheet):
    """Plus and zero, with the focus on the picture."""
    page = visit("/#photo")
    page.set_input_files("#files", sheet)
    expect(page.locator("#viewer .mark")).to_have_count(2, timeout=WAIT)
    whole = page.locator("#zoom").inner_text()
    page.locator("#viewer").focus()
    page.keyboard.press("+")
    expect(page.locator("#zoom")).not_to_have_text(whole)
    page.keyboard.press("0")
    expect(page.locator("#zoom")).to_have_text(whole)


def test_picture_no_browser_shows_is_drawn_by_the_service(visit, sheet):
    """A TIFF file is shown all the same."""
    path = sheet.with_suffix(".tif")
    cv2.imwrite(str(path), cv2.imread(str(sheet)))
    page = visit("/#photo")
    page.set_input_files("#files", path)
    expect(page.locator("#viewer img")).to_have_attribute("src", re.compile("^data:image/png"), timeout=WAIT)


# Photos, with answers made up here


def made_up(*texts: str, page: int = 1) -> dict[str, object]:
    """Return a page as the service answers, with a column for each number."""
    digit = {"confidence": 0.99, "doubtful": False, "probabilities": [0.1] * 10}
    numbers = [
        {
            "text": text,
            "region": None,
            "line": 1,
            "column": column,
            "confidence": 0.99,
            "doubtful": False,
            "box": [150 + 120 * (column - 1), 200, 60, 40],
            "digits": [
                {**digit, "value": int(value), "box": [150 + 120 * (column - 1) + 30 * place, 200, 30, 40]}
                for place, value in enumerate(text)
            ],
        }
        for column, text in enumerate(texts, start=1)
    ]
    return {"source": "sheet.png", "page": page, "width": 360, "height": 420, "numbers": numbers}


@pytest.fixture
def open_made_up(visit, sheet):
    """Opens a picture that these pages are read on."""

    def open_pages(*pages: dict[str, object], path: Path = sheet, **options: object) -> Page:
        page = visit("/#photo", **options)
        page.route("**/v1/read", lambda route: route.fulfill(json={"pages": list(pages)}))
        page.set_input_files("#files", path)
        expect(page.locator("#list .open")).to_have_count(len(pages))
        return page

    return open_pages


@pytest.fixture
def steps(png):
    """The service's explanation of a document of two pages."""
    picture = base64.b64encode(png()).decode()
    return {
        "pages": [
            {"page": page, "steps": [{"name": "upright-gray", "text": f"Page {page}.", "png": picture}]}
            for page in (1, 2)
        ]
    }


@pytest.mark.parametrize("next_one", ["#numbers button.value", "#viewer .label >> nth=1"])
def test_click_while_correcting_goes_to_the_next_number(open_made_up, next_one):
    """The correction stays, and what was clicked is corrected next, however far it moves."""
    page = open_made_up(made_up("27", "62"))
    page.locator("#numbers button.value").first.click()
    page.keyboard.type("1234567890")
    page.mouse.move(*middle(page.locator(next_one)))
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("#numbers input")).to_have_value("62")
    expect(page.locator("#numbers input")).to_be_focused()
    expect(page.locator("#numbers button.value")).to_have_text("1234567890✓")
    expect(page.locator("#viewer .label").first).to_contain_text("1234567890")


def test_tab_leaves_a_correction_for_the_next_number(open_made_up):
    """The focus goes on, not back."""
    page = open_made_up(made_up("27", "62"))
    page.locator("#numbers button.value").first.click()
    page.keyboard.type("28")
    page.keyboard.press("Tab")
    expect(page.locator("#numbers button.value")).to_have_text(["28✓", "62"])
    expect(page.locator("#numbers button.value").last).to_be_focused()


def test_refused_correction_is_said(open_made_up):
    """Words change nothing, and the page says so."""
    page = open_made_up(made_up("27"))
    page.locator("#numbers button.value").click()
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    expect(page.locator("#taken")).to_have_text("That is no number; 27 stays.")
    expect(page.locator("#numbers button.value")).to_have_text("27")


def test_unchanged_number_is_no_correction(open_made_up):
    """Enter without a change says nothing."""
    page = open_made_up(made_up("27"))
    expect(page.locator("#news")).to_contain_text("2 digits")  # said when the table is there already
    page.locator("#numbers button.value").click()
    page.keyboard.press("Enter")
    expect(page.locator("#numbers button.value")).to_be_focused()
    expect(page.locator("#news")).to_contain_text("2 digits")


def test_opened_page_keeps_the_focus(open_made_up):
    """Enter opens a page, and the next Tab goes on from there."""
    page = open_made_up(made_up("27"), made_up("62", page=2))
    page.route("**/v1/explain*", lambda route: route.fulfill(json={"pages": []}))
    page.locator("#list .open").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#numbers button.value")).to_have_text("62")
    expect(page.locator("#list .open").last).to_be_focused()


def test_read_picture_leaves_the_focus_in_the_list(open_made_up, sheet):
    """Other pictures' news do not take it away."""
    page = open_made_up(made_up("27"))
    page.locator("#list .open").focus()
    page.set_input_files("#files", sheet)
    expect(page.locator("#list .open").last).to_have_text("sheet.png1 number")
    expect(page.locator("#list .open").first).to_be_focused()


@pytest.mark.parametrize("other", [made_up(page=2), {"page": 2, "error": "It is broken."}])
def test_page_without_numbers_shows_no_digits(open_made_up, other):
    """Those of the page before are gone."""
    page = open_made_up(made_up("27"), other)
    page.route("**/v1/explain*", lambda route: route.fulfill(json={"pages": []}))
    expect(page.locator("#photo-digits .chip")).to_have_count(2)
    page.locator("#list .open").last.click()
    expect(page.locator("#photo-digits .chip")).to_have_count(0)
    expect(page.locator("#photo-bars .best")).to_have_count(0)
    expect(page.locator("#photo-digit-text")).to_have_text("")


def test_text_is_copied_over_plain_http(open_made_up):
    """Where browsers have no clipboard for pages, the old way does it."""
    page = open_made_up(made_up("27", "62"))
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.locator("#copy").click()
    expect(page.locator("#taken")).to_have_text("Copied.")
    expect(page.locator("#copy")).to_be_focused()
    page.locator("#numbers button.value").first.click()
    page.keyboard.press("Control+v")
    expect(page.locator("#numbers input")).to_have_value("27 62")


def test_copy_that_fails_says_so(open_made_up):
    """And the page offers another way."""
    page = open_made_up(made_up("27"))
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.execCommand = () => false")
    page.locator("#copy").click()
    expect(page.locator("#taken")).to_contain_text("Save the CSV instead.")


def test_open_page_is_explained(open_made_up, steps):
    """How it works is shown on the page that is open, not on the first one."""
    page = open_made_up(made_up("27"), made_up("62", page=2))
    page.route("**/v1/explain*", lambda route: route.fulfill(json=steps))
    with page.expect_request("**/v1/explain*step=upright-gray"):  # later pages are drawn by the service
        page.locator("#list .open").last.click()
    with page.expect_request("**/v1/explain*") as asked:
        page.locator("nav >> text=How it works").click()
    expect(page.locator("#steps figcaption")).to_have_text("Page 2.")
    assert asked.value.url.endswith("?page=2")  # of ten pages there is no use for nine


def test_page_that_cannot_be_explained_says_why(open_made_up):
    """In the service's words."""
    page = open_made_up(made_up("27"))
    answer = {"pages": [{"page": 1, "error": "Save it again."}]}
    page.route("**/v1/explain*", lambda route: route.fulfill(json=answer))
    page.locator("nav >> text=How it works").click()
    expect(page.locator("#steps")).to_have_text("Save it again.")


def test_late_explanation_is_not_shown(open_made_up, steps):
    """An answer that comes after a newer one is of no interest any more."""
    page = open_made_up(made_up("27"), made_up("62", page=2))
    held = hold(page, "**/v1/explain*")
    page.locator("nav >> text=How it works").click()
    page.locator("nav >> text=Photo").click()
    page.unroute("**/v1/explain*")
    page.route("**/v1/explain*", lambda route: route.fulfill(json=steps))
    page.locator("#list .open").last.click()
    page.locator("nav >> text=How it works").click()
    expect(page.locator("#steps figcaption")).to_have_text("Page 2.")
    held[0].fulfill(json=steps)
    page.wait_for_timeout(200)
    expect(page.locator("#steps figcaption")).to_have_text("Page 2.")


def test_document_is_drawn_by_the_service_once(open_made_up, steps):
    """Who comes back to a page, or corrects it, asks for no other picture of it."""
    page = open_made_up(made_up("27"), made_up("62", page=2))
    asked: list[str] = []
    page.on("request", lambda request: "explain" in request.url and asked.append(request.url))
    page.route("**/v1/explain*", lambda route: route.fulfill(json=steps))
    for place in [1, 0, 1]:
        page.locator("#list .open").nth(place).click()
    expect(page.locator("#viewer img")).to_have_attribute("src", re.compile("^data:image/png"))
    page.locator("#numbers button.value").click()
    page.keyboard.type("63")
    page.keyboard.press("Enter")
    expect(page.locator("#viewer .label")).to_contain_text("63")
    assert len(asked) == 1


def test_picture_that_cannot_be_drawn_says_why(browser, url, sheet):
    """In the service's words, where the picture would be; Chromium logs the refusal."""
    page = browser.new_page()
    page.route("**/v1/read", lambda route: route.fulfill(json={"pages": [made_up("27")]}))
    page.route(
        "**/v1/explain*", lambda route: route.fulfill(json={"detail": "It takes too long."}, status=504)
    )
    page.goto(url + "/#photo")
    path = sheet.with_suffix(".tif")
    cv2.imwrite(str(path), cv2.imread(str(sheet)))
    page.set_input_files("#files", path)
    expect(page.locator("#viewer .problem")).to_have_text("The picture cannot be shown. It takes too long.")
    page.close()


@pytest.mark.parametrize(
    ("of_number", "of_digit", "sentence"),
    [
        ({"confidence": 0.825}, {}, "The number as a whole: 82.5\xa0%."),
        ({"confidence": 0.825}, {"doubtful": True}, "Only one of the two networks saw it."),
        ({}, {}, "Something beside or in it could not be named."),
    ],
)
def test_doubt_is_explained(open_made_up, of_number, of_digit, sentence):
    """Where the digit's probabilities leave none."""
    answer = made_up("7")
    number = answer["numbers"][0]
    number |= {"doubtful": True, **of_number}
    number["digits"][0] |= of_digit
    page = open_made_up(answer)
    expect(page.locator("#photo-digit-text")).to_contain_text(sentence)
    # Chromium complains of a picture that is still loading when its page is closed.
    expect(page.locator("#viewer img")).to_have_js_property("complete", True)


def test_emptied_number_is_left_out(open_made_up):
    """Of the table, and of the text of JSON, which says what was read there."""
    page = open_made_up(made_up("8", "62"))
    page.locator("#numbers button.value").first.click()
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(page.locator("#numbers .struck")).to_have_text("8")
    expect(page.locator("#viewer .struck .label")).to_have_text("8")
    expect(page.locator("#photo-summary")).to_have_text("1 number, 2 digits, none doubtful.")
    expect(page.locator("#list .open")).to_have_text("sheet.png1 number")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = csv.DictReader(io.StringIO(download.value.path().read_text()))
    assert [row["text"] for row in rows] == ["62"]
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    (answer,) = json.loads(download.value.path().read_text())["pages"]
    assert answer["text"] == "62"
    assert [(number["text"], number.get("read_as")) for number in answer["numbers"]] == [
        ("", "8"),
        ("62", None),
    ]


def test_number_left_out_comes_back(open_made_up):
    """With a text."""
    page = open_made_up(made_up("8"))
    for text in ["", "8"]:
        page.locator("#numbers button.value").click()
        page.keyboard.press("Delete")
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    expect(page.locator("#numbers button.value")).to_have_class("value sure")
    expect(page.locator("#list .open")).to_have_text("sheet.png1 number")


def test_corrected_number_has_neither_doubt_nor_digits(open_made_up):
    """They were those of what was read."""
    answer = made_up("18")
    answer["numbers"][0]["doubtful"] = True
    page = open_made_up(answer)
    page.locator("#numbers button.value").click()
    page.keyboard.type("1234567")
    page.keyboard.press("Enter")
    expect(page.locator("#photo-summary")).to_have_text("1 number, 7 digits, none doubtful.")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    (row,) = csv.DictReader(io.StringIO(download.value.path().read_text()))
    assert row["doubtful"] == "False"
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    (number,) = json.loads(download.value.path().read_text())["pages"][0]["numbers"]
    assert (number["text"], number["doubtful"], number["digits"]) == ("1234567", False, [])


def test_picture_can_be_removed(open_made_up, sheet):
    """The next one is shown instead; without any, the page is as it was in the beginning."""
    page = open_made_up(made_up("27"))
    other = shutil.copy(sheet, sheet.with_name("other.png"))
    page.route("**/v1/read", lambda route: route.fulfill(json={"pages": [made_up("62")]}))
    page.set_input_files("#files", other)
    expect(page.locator("#list .open")).to_have_text(["sheet.png1 number", "other.png1 number"])
    page.get_by_role("button", name="Remove sheet.png").click()
    expect(page.locator("#list .open")).to_have_text(["other.png1 number"])
    expect(page.locator("#list .open")).to_be_focused()
    expect(page.locator("#numbers button.value")).to_have_text("62")
    page.get_by_role("button", name="Remove other.png").click()
    expect(page.locator("#desk")).to_be_hidden()
    expect(page.locator("#drop.small")).to_have_count(0)


def test_picture_that_is_being_read_can_be_removed(open_made_up, sheet):
    """Nothing is said of it later."""
    page = open_made_up(made_up("27"))
    expect(page.locator("#news")).to_contain_text("2 digits")
    page.route("**/v1/read", lambda _: None)
    page.set_input_files("#files", sheet)
    page.get_by_role("button", name="Remove sheet.png").last.click()
    expect(page.locator("#list .open")).to_have_text(["sheet.png1 number"])
    page.wait_for_timeout(200)
    expect(page.locator("#news")).to_contain_text("2 digits")


def test_corrections_are_not_lost_unasked(open_made_up):
    """The browser asks before it leaves a page with corrections that were not saved, and only then."""
    page = open_made_up(made_up("27"))
    asked = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.locator("#numbers button.value").click()
    page.keyboard.type("28")
    page.keyboard.press("Enter")
    page.evaluate("location.href = 'about:blank'")
    expect(page.locator("#numbers button.value")).to_have_text("28✓")
    assert asked == ["beforeunload"]
    with page.expect_download():
        page.get_by_role("button", name="CSV").click()
    page.reload()
    assert asked == ["beforeunload"]


def test_finder_finds_from_its_threshold_on(visit):
    """What is below it is not doubtful, but not there."""
    page = visit("/#how")
    finder = page.locator("#models article", has_text="The finder")
    expect(finder).to_contain_text("found from", timeout=WAIT)
    expect(finder).not_to_contain_text("doubtful below")


def test_curves_can_be_enlarged(visit):
    """The picture is a link to its file."""
    page = visit("/#how")
    with page.expect_popup() as opened:
        page.locator("#models a").first.click()
    assert opened.value.url.endswith("/page/learned-finder.png")


def test_columns_are_named_as_in_spreadsheets(open_made_up):
    """The 27th is AA."""
    page = open_made_up(made_up(*["1"] * 28))
    heads = page.locator("#numbers th[scope=col]")
    expect(heads).to_have_count(29)
    assert heads.all_inner_texts()[25:] == ["Y", "Z", "AA", "AB"]


@pytest.mark.parametrize("start", [".spot", ".label", ".stage > img"])
def test_zoomed_picture_is_moved_by_a_finger(open_made_up, start):
    """In all directions, wherever the finger is put down."""
    page = open_made_up(made_up("27"), viewport=PHONE, has_touch=True)
    for _ in range(2):
        page.locator("#zoom-in").click()
    page.locator("#viewer").scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    before = page.locator(f"#viewer {start}").first.bounding_box()
    x, y = middle(page.locator(f"#viewer {start}").first)
    touch(page, [(x, y), (x + 5, y - 20), (x + 10, y - 40), (x + 15, y - 60)])
    after = page.locator(f"#viewer {start}").first.bounding_box()
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((15, -60), abs=2)
    assert page.evaluate("scrollY") == scrolled
    expect(page.locator("#numbers input")).to_have_count(0)


def test_whole_picture_lets_a_finger_scroll_the_page(open_made_up):
    """A picture that fits is not in the way."""
    page = open_made_up(made_up("27"), viewport=PHONE, has_touch=True)
    x, y = middle(page.locator("#viewer"))
    touch(page, [(x, y - 20 * step) for step in range(8)])
    page.wait_for_function("scrollY > 50")


def test_tap_on_a_label_corrects(open_made_up):
    """A finger that stays where it is."""
    page = open_made_up(made_up("27"), has_touch=True)
    page.locator("#viewer .label").tap()
    expect(page.locator("#numbers input")).to_have_value("27")


def test_dragged_digit_is_not_clicked(open_made_up):
    """A mouse that moves the picture by a label corrects nothing."""
    page = open_made_up(made_up("27"))
    for _ in range(2):
        page.locator("#zoom-in").click()
    label = page.locator("#viewer .label")
    before = label.bounding_box()
    x, y = middle(label)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y + 10, steps=4)
    page.mouse.up()
    assert label.bounding_box()["x"] > before["x"]
    expect(page.locator("#numbers input")).to_have_count(0)


def test_numbers_shift_nothing(visit, sheet):
    """They have had their place before."""
    page = visit("/#photo")
    held = hold(page, "**/v1/read")
    page.set_input_files("#files", sheet)
    expect(page.locator("#list .reading")).to_have_count(1)
    tops = [middle(page.locator(each)) for each in ("#zoom-in", "#csv")]
    lines = [{**number, "line": line} for line in range(1, 30) for number in made_up("27")["numbers"]]
    held[0].fulfill(json={"pages": [{**made_up(), "numbers": lines}]})
    expect(page.locator("#numbers button.value")).to_have_count(29)
    assert [middle(page.locator(each)) for each in ("#zoom-in", "#csv")] == tops


# For everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barriers(visit, write, sheet, scheme):
    """axe-core finds no violation on any part of the page, in either colors."""
    page = visit(color_scheme=scheme)
    write(page, "76", left=0.3, top=0.3, height=0.35)
    expect_text(page, "76")
    check_barriers(page)
    page.locator("nav >> text=Photo").click()
    check_barriers(page)
    page.set_input_files("#files", sheet)
    expect(page.locator("#numbers button.value")).to_have_count(2, timeout=WAIT)
    check_barriers(page)
    page.locator("nav >> text=How it works").click()
    expect(page.locator("#models dl")).to_have_count(3, timeout=WAIT)
    expect(page.locator("#steps img").first).to_be_visible(timeout=WAIT)
    check_barriers(page)


def test_what_scrolls_is_reached_by_keyboard(visit, write):
    """Also what the network saw, where it needs more room than there is."""
    page = visit()
    write(page, "76", left=0.3, top=0.3, height=0.35)
    expect(page.locator("#draw-seen img")).to_have_count(2, timeout=WAIT)
    page.evaluate(
        "Object.assign(document.getElementById('draw-seen').style, {minHeight: 0, maxHeight: '4rem'})"
    )
    check_barriers(page)


def check_barriers(page: Page) -> None:
    """Let axe-core look at what is shown."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_narrow_phone_needs_no_sideways_scrolling(visit, screenshots):
    """360 pixels are enough for all parts; touch writes."""
    page = visit(viewport=PHONE, has_touch=True)
    x, y = middle(page.locator("#canvas"))
    touch(
        page,
        [(x + 180 * (across - 0.3), y + 180 * (down - 0.5)) for across, down in screenshots.STROKES["7"][0]],
    )
    expect_text(page, "7")
    for part in ["Draw", "Photo", "How it works"]:
        page.locator(f"nav >> text={part}").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_answer_shifts_nothing(visit, write):
    """What appears has had its place before."""
    page = visit()
    page.evaluate(
        """() => {
            window.shift = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) window.shift += entry.value;
            }).observe({ type: "layout-shift", buffered: true });
        }"""
    )
    write(page, "2026", left=0.15, top=0.3, height=0.35)
    expect_text(page, "2026")
    expect(page.locator("#draw-seen img")).to_have_count(1, timeout=WAIT)
    assert page.evaluate("window.shift") < 0.01


def test_theme_is_remembered(visit):
    """Dark stays dark after a reload."""
    page = visit(color_scheme="light")
    for _ in range(2):
        page.locator("#theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_current_part_is_said(visit):
    """To those who do not see which link is lit."""
    page = visit("/#photo")
    current = page.locator("nav [aria-current]")
    expect(current).to_have_text(["Photo"])
    expect(current).to_have_attribute("aria-current", "page")
    page.locator("nav >> text=Draw").click()
    expect(current).to_have_text(["Draw"])


# Tokens; Chromium logs each refusal, so these are visits of their own


TOKEN = "a secret of some length"


@pytest.fixture(scope="module")
def guarded(reader, serving):
    """The address of a server that asks for a token."""
    with serving(create_app(reader, token=TOKEN)) as address:
        yield address


@pytest.fixture
def stranger(browser, guarded):
    """A page that has no token yet and is asked for one."""
    page = browser.new_page()
    page.set_default_timeout(WAIT)
    page.goto(guarded + "/#how")
    expect(page.locator("#ask-token")).to_be_visible()
    yield page
    page.close()


def test_token_is_asked_for(stranger):
    """A service that asks for a token gets it from the page, once."""
    stranger.locator("#token").fill(TOKEN)
    stranger.keyboard.press("Enter")
    expect(stranger.locator("#models dl")).to_have_count(3, timeout=WAIT)


@pytest.mark.parametrize("how", ["key", "button"])
def test_token_can_be_declined(stranger, how):
    """The page says what is missing, and asks again at the next try only."""
    if how == "key":
        stranger.keyboard.press("Escape")
    else:
        stranger.locator("#token-cancel").click()
    expect(stranger.locator("#models")).to_have_text("The service asks for a token, and none was given.")
    expect(stranger.locator("#ask-token")).not_to_be_visible()
    stranger.locator("nav >> text=Draw").click()
    stranger.locator("nav >> text=How it works").click()
    expect(stranger.locator("#ask-token")).to_be_visible()


def test_token_is_declined_for_all_pictures(stranger, sheet):
    """Many pictures ask once."""
    stranger.keyboard.press("Escape")
    stranger.set_input_files("#files", [sheet] * 4)
    expect(stranger.locator("#ask-token")).to_be_visible()
    stranger.keyboard.press("Escape")
    expect(stranger.locator("#list .failed")).to_have_count(4)
    expect(stranger.locator("#ask-token")).not_to_be_visible()


def test_refused_token_is_said(stranger):
    """Where it was written, and the right one is taken after it."""
    stranger.locator("#token").fill("another")
    stranger.keyboard.press("Enter")
    expect(stranger.locator("#token-problem")).to_have_text("The service refused that token.")
    stranger.locator("#token").fill(TOKEN)
    stranger.keyboard.press("Enter")
    expect(stranger.locator("#models dl")).to_have_count(3, timeout=WAIT)


def test_token_that_no_header_holds_is_refused(stranger):
    """Before it is sent or kept."""
    stranger.locator("#token").fill("тайна")
    stranger.keyboard.press("Enter")
    expect(stranger.locator("#token-problem")).to_contain_text("cannot have these characters")
    expect(stranger.locator("#ask-token")).to_be_visible()
    assert stranger.evaluate("sessionStorage.getItem('token')") is None
