"""The page, used as people use it: a mouse that writes, files that are chosen, keys that are pressed."""

import csv
import io
import json
import os
import re
import shutil

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from inkdigits.result import ROW_FIELDS

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
    buttons = page.locator("#list button")
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


def check_barriers(page: Page) -> None:
    """Let axe-core look at what is shown."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_narrow_phone_needs_no_sideways_scrolling(visit, write):
    """360 pixels are enough for all parts; touch writes."""
    page = visit(viewport=PHONE, has_touch=True)
    write(page, "7", left=0.3, top=0.25, height=0.5)
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


def test_token_is_asked_for(browser, reader, serving):
    """A service that asks for a token gets it from the page, once."""
    from inkdigits.web.app import create_app

    with serving(create_app(reader, token="a secret of some length")) as address:
        page = browser.new_page()
        page.goto(address + "/#how")
        page.locator("#token").fill("a secret of some length")
        page.keyboard.press("Enter")
        expect(page.locator("#models dl")).to_have_count(3, timeout=WAIT)
        page.close()
