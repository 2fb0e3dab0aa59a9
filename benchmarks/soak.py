"""Whatever it is given, the reader gives a reading or a clear error, in bounded memory.

    python benchmarks/soak.py --cases 5000     (make soak)

Every case is made from the seed and its number alone: mutated files of every format, extreme and impossible
arrays, headers that promise too much, documents that are encrypted, endless or bombs; read with options drawn
at random. Ends with status 1 and says which cases, where anything but a reading or an `InkdigitsError` came
out, or where memory grew by more than the limit.
"""

import argparse
import io
import itertools
import struct
import sys
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from measurement import peak_megabytes, write_results
from PIL import Image

from inkdigits.errors import InkdigitsError
from inkdigits.reading.image import load_gray
from inkdigits.reading.reader import Reader
from inkdigits.result import Failure

PAGE = Path(__file__).parents[1] / "examples" / "pages" / "meter-card.jpg"
MAX_PIXELS = 1_000_000
PAGES = 3  # of a document that are read
MOST_GROWTH = 500  # megabytes, beside what reading one ordinary page has taken
FULL_SOAK = 5_000  # cases from which on the figures are published

Rng = np.random.Generator
Case = tuple[str, Any]


@cache
def originals() -> dict[str, bytes]:
    """Return a small page as a whole file of every format."""
    picture = Image.fromarray(load_gray(PAGE)[300:570, 270:790]).resize((260, 135)).convert("RGB")
    files = {}
    for name in ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"):
        file = io.BytesIO()
        picture.save(file, name)
        files[name] = file.getvalue()
    for name in ("TIFF", "PDF"):
        file = io.BytesIO()
        picture.save(file, name, save_all=True, append_images=[picture.rotate(180)], resolution=200)
        files[f"{name} document"] = file.getvalue()
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file)
    return files | {"HEIC": file.getvalue()}


def mutated_file(rng: Rng) -> Case:
    name = str(rng.choice(list(originals())))
    content = bytearray(originals()[name])
    reach = min(
        len(content), int(rng.choice([40, 400, len(content)]))
    )  # headers break in more ways than pixels
    for _ in range(rng.integers(1, 6)):
        content[rng.integers(reach)] = rng.choice([0, 1, 127, 255, rng.integers(256)])
    match rng.integers(6):
        case 0:
            del content[rng.integers(len(content)) :]
        case 1:
            start = rng.integers(len(content))
            del content[start : start + rng.integers(1, 100)]
        case 2:
            start = rng.integers(len(content))
            content[start:start] = rng.bytes(rng.integers(1, 100))
    return f"mutated {name}", bytes(content)


def extreme_array(rng: Rng) -> Case:
    sides = [(1, 1), (1, 20_000), (20_000, 1), (7, 9), (8, 3000), (300, 400), (30, 47), (700, 900)]
    height, width = sides[rng.integers(len(sides))]
    channels = [(), (3,), (4,)][rng.integers(3)]
    shape = (height, width, *channels)
    match rng.integers(5):
        case 0:
            array = np.full(shape, rng.integers(256), np.uint8)
        case 1:
            array = rng.integers(0, 256, shape, np.uint8)
        case 2:
            array = np.where(rng.random(shape) < rng.choice([0.001, 0.01, 0.3]), 0, 255).astype(np.uint8)
        case 3:
            array = rng.random(shape).astype(np.float32)
        case _:
            array = (
                np.kron(rng.integers(0, 2, ((height + 9) // 10, (width + 9) // 10)), np.ones((10, 10))) > 0
            )
    return f"array {array.dtype} {shape}", array


def impossible_array(rng: Rng) -> Case:
    arrays: list[Callable[[], Any]] = [
        lambda: np.full((20, 30), np.nan),
        lambda: np.full((20, 30), np.inf, np.float32),
        lambda: np.full((20, 30), -0.1),
        lambda: np.zeros((20, 30, 2), np.uint8),
        lambda: np.zeros((0, 30), np.uint8),
        lambda: np.zeros((20,), np.uint8),
        lambda: np.zeros((2, 3, 4, 5), np.uint8),
        lambda: np.zeros((20, 30), np.int64),
        lambda: np.zeros((20, 30), complex),
        lambda: np.array([["a", "b"]]),
        lambda: np.zeros((20, 30), object),
        lambda: np.broadcast_to(np.uint8(0), (60_000, 60_000)),
        lambda: Image.new("RGB", (0, 5)),
        lambda: "no such file",
        lambda: b"",
        lambda: None,
        lambda: io.StringIO("text"),
    ]
    choice = int(rng.integers(len(arrays)))
    return f"impossible {choice}", arrays[choice]()


def false_promise(rng: Rng) -> Case:
    """A header that declares many pixels, with few bytes behind it."""
    side = int(rng.choice([5_000, 40_000, 65_535]))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    files: dict[str, Callable[[], bytes]] = {
        "PNG": lambda: (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(100_000)))
            + chunk(b"IEND", b"")
        ),
        "BMP": lambda: originals()["BMP"][:18] + struct.pack("<II", side, side) + originals()["BMP"][26:],
        "GIF": lambda: b"GIF89a" + struct.pack("<HH", side, side) + originals()["GIF"][10:],
        "JPEG": lambda: _with_jpeg_size(originals()["JPEG"], side),
        "TIFF": lambda: originals()["TIFF"].replace(struct.pack("<H", 260), struct.pack("<H", side), 1),
    }
    name = str(rng.choice(list(files)))
    return f"{name} of {side} x {side}", files[name]()


def _with_jpeg_size(content: bytes, side: int) -> bytes:
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", min(side, 65_500), min(side, 65_500)) + content[at + 4 :]


def pdf_document(rng: Rng) -> Case:
    side, bytes_inside = int(rng.choice([900, 40_000])), int(rng.choice([10_000, 20_000_000]))
    picture = (
        b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/FlateDecode"
        b"/Width %d/Height %d" % (side, side)
    )
    drawing = b"q 600 0 0 400 0 0 cm /X Do Q"
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</X 5 0 R>>>>"
    lines = zlib.compress(b"0 0 m 9 9 l S\n" * int(rng.choice([10, 200_000])))
    lock = b"/ID[<33><33>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%b>/U<%b>>>" % (b"11" * 32, b"22" * 32)
    documents = {
        "long": pdf(pages=10_000),
        "encrypted": pdf(trailer=lock),
        "huge page": pdf(box=b"0 0 1e9 1e9"),
        "narrow page": pdf(box=b"0 0 1e-9 1e9"),
        "no page": pdf(pages=0),
        "page that is not there": pdf().replace(b"3 0 obj", b"9 0 obj"),
        "picture": pdf(content=drawing, extra=stream(picture, zlib.compress(bytes(bytes_inside), 9))),
        "content": pdf(content=lines, filters=b"/Filter/FlateDecode"),
        "form in itself": pdf(content=drawing, extra=stream(form, b"/X Do /X Do")),
    }
    name = str(rng.choice(list(documents)))
    return f"PDF: {name}", documents[name]


def pdf(
    *,
    pages: int = 1,
    box: bytes = b"0 0 600 400",
    content: bytes = b"",
    filters: bytes = b"",
    extra: bytes = b"null",
    trailer: bytes = b"",
) -> bytes:
    """Return a PDF document with the same page several times; it may draw the extra object as /X."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%b]>>" % (pages, b" ".join([b"3 0 R"] * pages)),
        b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Resources<</XObject<</X 5 0 R>>>>/Contents 4 0 R>>" % box,
        stream(filters, content),
        extra,
    ]
    numbered = b"".join(b"%d 0 obj %b endobj\n" % each for each in enumerate(objects, start=1))
    return b"%%PDF-1.4\n%btrailer <</Root 1 0 R%b>>\n%%%%EOF\n" % (numbered, trailer)


def stream(entries: bytes, data: bytes) -> bytes:
    return b"<<%b/Length %d>> stream\n%b\nendstream" % (entries, len(data), data)


KINDS = (
    mutated_file,
    mutated_file,
    mutated_file,
    extreme_array,
    impossible_array,
    false_promise,
    pdf_document,
)


def case(seed: int, number: int) -> tuple[str, Any, dict[str, Any]]:
    """Return the name of a case, the picture and the options it is read with."""
    rng = np.random.default_rng([seed, number])
    name, picture = KINDS[rng.integers(len(KINDS))](rng)
    options: dict[str, Any] = {"max_pixels": MAX_PIXELS}
    if rng.random() < 0.2:
        options["rotate"] = int(rng.choice([90, 180, 270]))
    if rng.random() < 0.2:
        options["regions"] = {"a": "50%,0,50%,50%", "b": "0,0,9999,1"}
    if rng.random() < 0.2:
        options["length"] = int(rng.integers(1, 9))
    return name, picture, options


def soak(cases: int, seed: int) -> dict[str, Any]:
    """Read all cases; return how many ended how, and what they took."""
    reader = Reader()
    reader.read(PAGE)  # what reading always takes
    before = peak_megabytes()
    start, outcomes, crashes = time.perf_counter(), Counter[str](), []
    for number in range(cases):
        name, picture, options = case(seed, number)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's remarks about damaged metadata
                answers = list(itertools.islice(reader.read_many([picture], **options), PAGES))
        except InkdigitsError:
            outcomes["refused"] += 1
        except Exception as error:  # noqa: BLE001 - what this looks for
            crashes.append(f"case {number}, {name}: {type(error).__name__}: {error}")
        else:
            is_failure = any(isinstance(answer, Failure) for answer in answers)
            outcomes["failures" if is_failure else "readings"] += 1
    return {
        "cases": cases,
        "seed": seed,
        "max_pixels": MAX_PIXELS,
        **{outcome: outcomes[outcome] for outcome in ("readings", "failures", "refused")},
        "crashes": crashes,
        "seconds": time.perf_counter() - start,
        "growth_megabytes": peak_megabytes() - before,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--cases", type=int, default=FULL_SOAK)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    results = soak(given.cases, given.seed)
    print(*(f"{key}: {value}" for key, value in results.items()), sep="\n")
    if given.cases >= FULL_SOAK:
        write_results("soak", results)
    sys.exit(bool(results["crashes"]) or results["growth_megabytes"] > MOST_GROWTH)


if __name__ == "__main__":
    main()
