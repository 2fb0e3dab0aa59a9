"""Nonsense, lies, bombs and slowness: the right status each time, never a 500, never a hang.

``make test`` sends a tenth of it, ``make soak`` all.
"""

import contextlib
import io
import os
import random
import re
import socket
import struct
import threading
import time
import zlib

import httpx
import pytest
from PIL import Image

from inkdigits.web import server
from inkdigits.web.app import create_app
from inkdigits.web.limits import Limits

from .conftest import PAGE, SEVEN

pytestmark = pytest.mark.soak

AMOUNT = 10 if os.environ.get("INKDIGITS_SOAK") else 1
MEGABYTE = 1_000_000
# What is wrong with a request is its sender's fault; 200 where nothing is, after all.
EXPECTED = {200, 400, 404, 405, 408, 413, 415, 422, 431}
POST = b"POST /v1/classify HTTP/1.1\r\nHost: x\r\n"


def send(url: str, request: bytes) -> bytes:
    """Send bytes; return all that comes back until the server closes."""
    host, port = url.removeprefix("http://").split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        with contextlib.suppress(OSError):  # closed while something was still being sent
            connection.sendall(request)
        with contextlib.suppress(ConnectionError):
            while block := connection.recv(65536):
                answer += block
    return answer


def statuses(answer: bytes) -> set[int]:
    """Return the statuses of all responses in what came back."""
    return {int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)}


def memory(url: str) -> float:
    """Return the memory of the server's process, in bytes."""
    figures = httpx.get(f"{url}/metrics").text
    return float(re.search(r"^process_resident_memory_bytes (\S+)", figures, re.MULTILINE)[1])


def nonsense(rng: random.Random) -> bytes:
    """Return a request that is wrong in one of many ways."""
    body = rng.choice([PAGE, SEVEN]).read_bytes()[: rng.choice([0, 1, 12, 500, 40_000])]
    boundary = rng.choice([b"x", b"", b'"', b"x" * 300, b"\xff"])
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + body + b"\r\n--x--\r\n"
    )
    kind = rng.choice([b"image/png", b"multipart/form-data; boundary=" + boundary, b"text/\xe9", b""])
    content = rng.choice([body, form, form[: rng.randrange(len(form))], rng.randbytes(rng.randrange(3000))])
    target = rng.choice(
        [
            b"/v1/read",
            b"/v1/classify?" + rng.randbytes(4).hex().encode(),
            b"/v1/read?min_confidence=" + rng.choice([b"", b"1e999", b"-1", b"%00", b"nan"]),
            b"/v1/explain?step=" + b"x" * rng.randrange(3000),
            b"/page/" + rng.choice([b"", b"..%2f", b"%2e%2e/", b"//etc/passwd", b"main.js"]),
            b"*",
            b"http://other/v1/read",
        ]
    )
    method = rng.choice([b"POST", b"POST", b"POST", b"PUT", b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"\x00"])
    length = rng.choice([len(content), len(content), 0, 1, 10**6 + 1, 10**30])
    request = b"%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % (method, target)
    if rng.random() < 0.2:
        request += b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    else:
        request += b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind, length, content)
    if rng.random() < 0.3:  # a byte of it is another
        position = rng.randrange(len(request))
        request = request[:position] + rng.randbytes(1) + request[position + 1 :]
    return request


def test_nonsense_has_its_status(url, client):
    """Malformed requests of all kinds; a sound one is answered all the same."""
    rng = random.Random(6)
    for number in range(200 * AMOUNT):
        request = nonsense(rng)
        answered = statuses(send(url, request))
        assert answered, f"request {number} has no answer: {request[:300]!r}"
        assert answered <= EXPECTED, f"request {number}: {request[:300]!r}"
    assert client.post("/v1/classify", content=SEVEN.read_bytes()).json()["value"] == 7


def test_slow_clients_hold_up_nobody(reader, serving, monkeypatch):
    """Many connections that dawdle are all ended; who is quick is served meanwhile."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 1)
    begins = [b"", b"POST /v1/read HT", POST, POST + b"Content-Length: 9999\r\n\r\n" + b"\x89PNG"]
    with serving(create_app(reader, limits=Limits(chunk_seconds=1))) as url:
        host, port = url.removeprefix("http://").split(":")
        slow = [socket.create_connection((host, int(port)), timeout=30) for _ in range(50 * AMOUNT)]
        for number, connection in enumerate(slow):
            connection.sendall(begins[number % len(begins)])
        assert httpx.post(f"{url}/v1/classify", content=SEVEN.read_bytes(), timeout=30).json()["value"] == 7
        for number, connection in enumerate(slow):
            with connection:
                answer = connection.recv(65536)
                assert statuses(answer) == ({408} if begins[number % len(begins)] else set())
        assert "inkdigits_held_bytes 0.0" in httpx.get(f"{url}/metrics").text


def test_who_takes_no_answer_is_cut_off(reader, serving, monkeypatch):
    """Answers are asked for again and again and never read; the server does not keep them."""
    monkeypatch.setattr(server, "ANSWER_SECONDS", 1)
    request = b"GET /page/learned-finder.png HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(create_app(reader)) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(50 * request)
            time.sleep(3)
            taken = 0
            with contextlib.suppress(ConnectionError):
                while block := connection.recv(65536):
                    taken += len(block)
        whole = len(httpx.get(f"{url}/page/learned-finder.png").content)
    assert taken < 49 * whole


def test_lies_about_lengths(url):
    """Too much, too little, twice, or none at all."""
    picture = SEVEN.read_bytes()
    for _ in range(5 * AMOUNT):
        for length, expected in [(10**8, {413}), (len(picture) // 2, {400, 422}), (0, {400})]:
            head = POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % length
            assert statuses(send(url, head + picture)) in [{status} for status in expected | {400}]


def png_bomb(width: int, height: int) -> bytes:
    """Return a small PNG file that says it is large, and mostly is."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    rows = zlib.compressobj(9)
    row = bytes(min(width, 50_000) + 1)
    pixels = b"".join(rows.compress(row) for _ in range(min(height, 1000))) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def pdf(objects: list[bytes]) -> bytes:
    """Return a PDF file of these objects, the first of which is the catalog."""
    file, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return file + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)


def pdf_bombs() -> list[bytes]:
    """Return small PDF files: of no page, of many, of a sheet like a field, of a stream that swells."""
    catalog = b"<< /Type /Catalog /Pages 2 0 R >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %s] /Contents 4 0 R >>"
    stream = zlib.compress(b"0 0 m 100 100 l S\n" * 50_000, 9)
    content = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream)
    one = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    many = b"<< /Type /Pages /Kids [%s] /Count 10000 >>" % (b"3 0 R " * 10_000)
    small, large = page % b"200 200", page % b"9000000 9000000"
    return [
        pdf([catalog, b"<< /Type /Pages /Kids [] /Count 0 >>"]),
        pdf([catalog, many, small, b"<< /Length 0 >>\nstream\n\nendstream"]),
        pdf([catalog, one, large, b"<< /Length 0 >>\nstream\n\nendstream"]),
        pdf([catalog, one, small, content]),
    ]


def test_bombs_are_defused(url, client):
    """Small files that would be large: an answer, and bounded memory."""
    client.post("/v1/read", content=PAGE.read_bytes())
    before = memory(url)
    tiff = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(tiff, format="TIFF", compression="group4")
    for _ in range(AMOUNT):
        for bomb in [
            png_bomb(50_000, 50_000),
            png_bomb(2**31 - 1, 1),
            png_bomb(1, 2_000_000),
            tiff.getvalue(),
        ]:
            assert client.post("/v1/read", content=bomb).status_code in {200, 422}
        for bomb in pdf_bombs():
            assert client.post("/v1/read", content=bomb, timeout=90).status_code in {200, 422, 504}
    assert memory(url) < before + 400 * MEGABYTE


def test_nothing_beside_the_page_is_given_out(url):
    """Paths that lead out of the folder lead nowhere."""
    for path in [
        b"/page/../app.py",
        b"/page/%2e%2e/app.py",
        b"/page/..%2fapp.py",
        b"/page/..%5capp.py",
        b"/page//etc/passwd",
        b"/page/%2fetc/passwd",
        b"/page/%00",
        b"/page/" + b"a" * 5000,
        b"/../../etc/passwd",
        b"//etc/passwd",
    ]:
        answer = send(url, b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path)
        assert statuses(answer) in [{400}, {404}], path
        assert b"root:" not in answer
        assert b"import" not in answer


def test_many_at_once_are_answered_or_sent_away(reader, serving):
    """More than fits: 200 or 503 for each, nothing else, and nothing is left behind."""
    answers = []
    with serving(create_app(reader, limits=Limits(workers=2, queue=4))) as url:

        def ask() -> None:
            answers.append(
                httpx.post(f"{url}/v1/classify", content=SEVEN.read_bytes(), timeout=60).status_code
            )

        threads = [threading.Thread(target=ask) for _ in range(20 * AMOUNT)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(answers) <= {200, 503}
        assert answers.count(200) >= 6
        end = time.monotonic() + 10
        while "inkdigits_busy 0.0" not in httpx.get(f"{url}/metrics").text:
            assert time.monotonic() < end
