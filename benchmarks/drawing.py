"""How soon a drawn stroke is read on the page: a real browser, a real server, digits written by mouse.

    python benchmarks/drawing.py            (needs Chromium; take it when nothing else runs)

The time is the one that the page shows: from the end of the stroke to the answer's boxes and digits in place.
The server runs in a process of its own, as `inkdigits serve`.
"""

import importlib
import shutil
import sys
from pathlib import Path

from measurement import spread, write_results
from playwright.sync_api import sync_playwright
from serving import running

TEXT = "20267"
HEIGHTS = (0.2, 0.3, 0.6)  # of a digit, in heights of the sheet; as many of TEXT as have room
RUNS = 5


def main() -> None:
    """Measure, print and write it down."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
    write = importlib.import_module("screenshots").write
    waited: dict[int, list[float]] = {}
    right = strokes = 0
    with running("-m", "inkdigits", "serve", "--port", "8767", port=8767), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 960})
        page.goto("http://127.0.0.1:8767")
        for height in HEIGHTS * RUNS:
            for place, digit in enumerate(TEXT[: int(1.5 / height)]):
                page.locator("#time").evaluate("time => { time.textContent = ''; }")
                write(page, digit, left=0.1 + 0.85 * height * place, top=0.15, height=height)
                page.locator("#time", has_text="ms").wait_for()
                waited.setdefault(place + 1, []).append(float(page.locator("#time").inner_text().split()[0]))
                text = page.locator("#canvas").get_attribute("aria-label")
                right += text == f"Sheet to draw on. Read: {TEXT[: place + 1]}"
                strokes += 1
                page.wait_for_timeout(300)  # a hand isn't faster
            page.locator("#clear").click()
        browser.close()
    for count, times in waited.items():
        figures = spread(times)
        print(f"{count} digits: {figures['median']:.0f} ms, at most {figures['largest']:.0f}")
    print(f"{right} of {strokes} read right")
    digits = {str(count): spread(times) for count, times in waited.items()}
    write_results("drawing", {"digits": digits, "strokes": strokes, "right": right})


if __name__ == "__main__":
    main()
