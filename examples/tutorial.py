"""Draw the papers of the tutorial, a mark sheet, meter cards and a log book, and run its commands.

``python examples/tutorial.py`` writes examples/tutorial/, with what stands on each paper in papers.json, and
below every command of docs/tutorial.md what it prints today; with ``--keep-papers`` only that. The papers are
made like those of ``examples/pages.py``.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from pages import Array, Paper, font, hand, log_book, photographed
from PIL import Image

from inkdigits.learning.mnist import Split, load

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "tutorial"
PAGE = ROOT / "docs" / "tutorial.md"
PUPILS = ("Anna", "Ben", "Carla", "Deniz", "Emil", "Fatma", "Greta", "Hugo")
METER = "68084562"
READINGS = {"1-january": "05782", "2-february": "05931", "3-march": "06074"}


def mark_sheet(digits: Split, rng: np.random.Generator) -> tuple[Array, list[str]]:
    """A printed table with points for four tasks, filled in with a ballpoint; who was ill has none."""
    paper = Paper((900, 840), hand(pen=0.1), font("patrick"), digits, rng)
    edges = (50, 290, 430, 570, 710, 850)
    tops = [120 + 72 * row for row in range(len(PUPILS) + 2)]
    paper.rule(*([(edges[0], top), (edges[-1], top)] for top in tops))
    paper.rule(*([(edge, tops[0]), (edge, tops[-1])] for edge in edges))
    paper.print("Mathematics, second test", edges[0], 50, 36)
    for heading, left in zip(("Name", "A", "B", "C", "D"), edges, strict=False):
        paper.print(heading, left + 14, tops[0] + 22, 28)
    for row, (pupil, bottom) in enumerate(zip(PUPILS, tops[2:], strict=True)):
        paper.print(pupil, edges[0] + 14, bottom - 52, 30)
        if row != 4:
            points = [str(each) for each in rng.integers(0, 26, 4)]
            paper.numbers(points, [edge - 40 for edge in edges[2:]], bottom - 16, 42)
    sheet = paper.colored((240, 244, 246), (140, 60, 30))
    corners = [(46, 40), (952, 62), (930, 908), (30, 886)]
    return photographed(sheet, corners, (990, 950), desk=(66, 88, 120), shade=0.2, rng=rng), paper.lines


def meter_card(digits: Split, reading: str, rng: np.random.Generator) -> tuple[Array, list[str]]:
    """A scanned card that always looks alike: the number of the meter, then what it shows."""
    paper = Paper((900, 420), hand(pen=0.11, gap=0.2), font("patrick"), digits, rng)
    paper.print("WATER METER", 50, 40, 34)
    for label, text, top in (("Number", METER, 120), ("Reading", reading, 270)):
        paper.print(label, 50, top + 24, 30)
        paper.comb(text, 250, top, 70)
    sheet = paper.colored((246, 248, 248), (60, 50, 46))
    return np.asarray(sheet + rng.normal(0, 2, sheet.shape), np.float32), paper.lines


def to_bytes(photo: Array) -> npt.NDArray[np.uint8]:
    """Return a photo as it is saved: 8 bits."""
    return np.clip(np.round(photo), 0, 255).astype(np.uint8)


def with_outputs(page: str) -> str:
    """Return the tutorial with what each command of it prints, run in its order in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "examples").symlink_to(ROOT / "examples")

        def run(block: re.Match[str]) -> str:
            command = f"{sys.executable} -m {block[1]}"
            done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True)
            return f"```console\n$ {block[1]}\n{done.stdout}{done.stderr}```"

        return re.sub(r"```console\n\$ (.*)\n[^`]*```", run, page)


def draw_papers() -> None:
    """Write all papers and what stands on them."""
    digits, texts = load().validation, {}
    (FOLDER / "meters").mkdir(parents=True, exist_ok=True)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 85]
    photo, texts["marks.jpg"] = mark_sheet(digits, np.random.default_rng(4))
    cv2.imwrite(str(FOLDER / "marks.jpg"), to_bytes(photo), quality)
    for seed, (month, reading) in enumerate(READINGS.items(), start=5):
        photo, texts[f"meters/{month}.jpg"] = meter_card(digits, reading, np.random.default_rng(seed))
        cv2.imwrite(str(FOLDER / "meters" / f"{month}.jpg"), to_bytes(photo), quality)
    sheets = [log_book(digits, np.random.default_rng(seed)) for seed in (21, 22)]
    first, second = (Image.fromarray(to_bytes(photo)[..., ::-1]) for photo, _ in sheets)
    first.save(FOLDER / "log.pdf", save_all=True, append_images=[second], resolution=110, quality=85)
    texts["log.pdf"] = [line for _, lines in sheets for line in lines]
    (FOLDER / "papers.json").write_text(json.dumps(texts, indent=1) + "\n")


def main() -> None:
    """Write the papers, then the tutorial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--keep-papers", action="store_true", help="run the commands on the papers as they are"
    )
    if not parser.parse_args().keep_papers:
        draw_papers()
    PAGE.write_text(with_outputs(PAGE.read_text()))


if __name__ == "__main__":
    main()
