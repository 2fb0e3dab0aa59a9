"""Take the pictures of the web page in docs/images: written by a mouse, of a photo, light and dark.

    python examples/screenshots.py      (needs Chromium)

`STROKES` and `write` also write in the tests.
"""

import math
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI
from playwright.sync_api import Page, sync_playwright

from inkdigits import Reader
from inkdigits.web.app import create_app
from inkdigits.web.server import listen, make_server, url_of

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
WIDE, PHONE = (1280, 960), (390, 844)

Stroke = list[tuple[float, float]]

# As people write them; y down, every digit 1 high and about 0.6 wide.
STROKES: dict[str, list[Stroke]] = {
    "0": [[(0.3 + 0.28 * math.sin(a / 4), 0.5 - 0.5 * math.cos(a / 4)) for a in range(26)]],
    "2": [
        [
            *((0.28 - 0.26 * math.cos(a / 5), 0.26 - 0.26 * math.sin(a / 5)) for a in range(17)),
            (0.4, 0.55),
            (0.0, 1.0),
            (0.6, 0.98),
        ]
    ],
    "6": [
        [
            (0.48, 0.0),
            (0.2, 0.3),
            *((0.29 - 0.27 * math.cos(a / 5), 0.72 + 0.28 * math.sin(a / 5)) for a in range(30)),
        ]
    ],
    "7": [[(0.0, 0.04), (0.55, 0.0), (0.2, 1.0)]],
}


def write(page: Page, text: str, *, left: float, top: float, height: float) -> None:
    """Write digits on the sheet with the mouse; left, top and height are shares of the sheet's height."""
    sheet = page.locator("#canvas").bounding_box()
    assert sheet
    for index, digit in enumerate(text):
        for stroke in STROKES[digit]:
            points = [
                (sheet["x"] + sheet["height"] * (left + (x + 0.85 * index) * height),
                 sheet["y"] + sheet["height"] * (top + y * height))
                for x, y in stroke
            ]  # fmt: skip
            page.mouse.move(*points[0])
            page.mouse.down()
            for point in points[1:]:
                page.mouse.move(*point, steps=2)
            page.mouse.up()


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application in a thread; gives its address."""
    listening = listen("127.0.0.1", 0)
    server = make_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield url_of(listening)
    finally:
        server.should_exit = True
        thread.join()


def take(page: Page, name: str, *, scheme: str, size: tuple[int, int]) -> None:
    """Save what is shown, the whole width and one screen high."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)  # for the bars to have grown
    page.screenshot(path=IMAGES / f"{name}.png")


def main() -> None:
    """Take all of them."""
    chromium = shutil.which("chromium")
    with serving(create_app(Reader())) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDE[0], "height": WIDE[1]})
        page.goto(url)
        write(page, "2026", left=0.2, top=0.12, height=0.33)
        write(page, "7", left=0.3, top=0.58, height=0.3)
        page.locator("#draw-text p").nth(1).wait_for()
        page.locator("#draw-seen img").wait_for()
        take(page, "web-draw", scheme="light", size=WIDE)
        page.locator("nav >> text=Photo").click()
        page.set_input_files("#files", ROOT / "examples" / "pages" / "expenses.jpg")
        page.locator("#numbers table").wait_for()
        page.locator("#viewer .spot").nth(4).hover()
        take(page, "web-photo", scheme="dark", size=WIDE)
        browser.close()

        phone = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = phone.new_page(viewport={"width": PHONE[0], "height": PHONE[1]}, device_scale_factor=2)
        page.goto(url)
        write(page, "26", left=0.15, top=0.25, height=0.45)
        page.locator("#draw-text .chip").nth(1).wait_for()
        take(page, "web-phone", scheme="light", size=PHONE)
        phone.close()


if __name__ == "__main__":
    main()
