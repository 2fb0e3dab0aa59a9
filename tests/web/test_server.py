"""The server binds with care, does not wait forever, and finishes what it began."""

import contextlib
import io
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
from PIL import Image

from inkdigits.errors import ArgumentError, InkdigitsError
from inkdigits.web import server
from inkdigits.web.server import check_exposure, limits_for, listen, read_token, url_of

from .conftest import PAGE, SEVEN


def talk(url: str, *pieces: bytes, pause: float = 0) -> bytes:
    """Send bytes to a server and return all that it answers until it closes."""
    host, port = url.removeprefix("http://").split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=15) as connection:
        with contextlib.suppress(ConnectionError):  # closed while something was still being sent
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
        with contextlib.suppress(ConnectionError):
            while block := connection.recv(65536):
                answer += block
    return answer


def status_of(answer: bytes) -> int:
    """Return the status of a raw response, whose body says it again."""
    status = int(answer.split()[1])
    assert b"application/problem+json" in answer
    assert f'"status":{status}'.encode() in answer
    return status


@pytest.fixture
def impatient(monkeypatch):
    """Lets the server wait for heads a moment only."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)


def test_slow_head_is_given_up(url, impatient):
    """Who sends a request's head too slowly is told so."""
    assert status_of(talk(url, b"GET / HTTP/1.1\r\nHost: x\r\n")) == 408


def test_silent_connection_is_closed(url, impatient):
    """Who says nothing hears nothing."""
    assert talk(url) == b""


def test_silence_after_an_answer_is_closed(url, impatient):
    """A kept connection does not stay for ever, whatever blank lines come."""
    answer = talk(url, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


def test_slow_body_is_given_up(url):
    """Who declares a body and does not send it is told so."""
    head = b"POST /v1/read HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    assert status_of(talk(url, head + b"GIF89a")) == 408


def test_trickling_body_is_given_up(url):
    """A byte now and then is no way to keep a connection."""
    head = b"POST /v1/read HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    assert status_of(talk(url, head, *[b"x"] * 20, pause=0.2)) == 408


def test_large_head_is_refused(url):
    """A head may have 64 KB."""
    lines = [b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(200)]
    assert status_of(talk(url, b"GET / HTTP/1.1\r\nHost: x\r\n", *lines)) == 431


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n" % (b"x" * 70_000),
        b"GET /health HTTP/1.1\r\nHost: x\r\n%s\r\n" % (b"X: x\r\n" * 12_000),
        b"GET /health?%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"x" * 70_000),
    ],
    ids=["long header", "many headers", "long URL"],
)
def test_large_head_in_one_piece_is_refused(url, head):
    """Quickness does not help; the answer before it is not lost."""
    first = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    answers = talk(url, first + head)
    assert answers.startswith(b"HTTP/1.1 200")
    assert status_of(answers[answers.rindex(b"HTTP/1.1") :]) == 431


def test_body_is_no_part_of_the_next_head(url):
    """What comes in one piece with the end of a large body is counted by itself."""
    body = SEVEN.read_bytes().ljust(200_000, b"\0")
    head = b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    rest = b"lth HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = talk(url, head, body + b"GET /hea", rest, pause=0.2)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"200", b"200"]


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/read HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/read HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v1/read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/read HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(url, request_):
    """Lies about lengths, and bytes of other protocols."""
    assert status_of(talk(url, request_)) == 400


def test_too_large_is_said_before_the_body(url, impatient):
    """A declared size is refused at once; the body is not waited for."""
    head = b"POST /v1/read HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
    assert status_of(talk(url, head)) == 413


def test_client_that_asks_first_sends_nothing_too_large(url):
    """`Expect: 100-continue` is answered by the refusal."""
    head = b"POST /v1/read HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
    assert b"100 Continue" not in talk(url, head)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_this_machine_needs_no_token(host):
    """Only its own programs come in."""
    check_exposure(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_other_machines_need_a_token(host):
    """The refusal says how to make one."""
    with pytest.raises(ArgumentError, match=r"--token-file token .*secrets"):
        check_exposure(host, None)
    check_exposure(host, "a secret of some length")


def test_token_is_the_first_line(tmp_path):
    """Blanks around it do not count."""
    path = tmp_path / "token"
    path.write_text("  0123456789abcdef \nsecond\n")
    assert read_token(path) == "0123456789abcdef"


@pytest.mark.parametrize("content", [None, b"", b"short\n", b"\xff" * 20])
def test_no_token_is_refused(tmp_path, content):
    """A file that is missing, empty, too short or no text."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArgumentError, match="Make one: python3"):
        read_token(path)


@pytest.mark.parametrize(("text", "size"), [("20MB", 20_000_000), ("1.5m", 1_500_000), ("64 KB", 64_000)])
def test_upload_sizes(text, size):
    """As people write them."""
    assert limits_for(text).upload == size


@pytest.mark.parametrize("text", ["", "20", "MB", "-1MB", "0MB", "2TB", "10B", "1,5MB", "9GB"])
def test_no_upload_size(text):
    """A size has a number and a unit, and is neither tiny nor huge."""
    with pytest.raises(ArgumentError, match="from 1KB to 1GB"):
        limits_for(text)


def test_taken_port_is_said():
    """The message names the address and what to change."""
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(InkdigitsError, match=f"port {port}: .*--port"):
            listen("127.0.0.1", port)


def test_answers_are_sent_at_once():
    """No part of an answer waits for the one before it to be acknowledged."""
    with listen("127.0.0.1", 0) as listening:
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_url_can_be_opened():
    """An address that stands for all is no address to open."""
    with listen("0.0.0.0", 0) as listening:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url_of(listening))


# The command


@pytest.fixture
def command():
    """Starts `inkdigits serve` in a process and gives it with its address; ends it if it still runs."""
    processes = []

    def start(*arguments: str) -> tuple[subprocess.Popen, str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "inkdigits", "serve", "--port", "0", *arguments],
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        line = process.stderr.readline()
        return process, re.search(r"http://\S+", line)[0]

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stderr.close()


def test_what_was_begun_is_finished(command):
    """SIGTERM while pages are being read: those are answered, then the process ends, saying nothing."""
    process, url = command()
    answers = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(httpx.post(f"{url}/v1/read", content=PAGE.read_bytes(), timeout=60))
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    while 'inkdigits_requests_total{path="/v1/read"' not in httpx.get(f"{url}/metrics").text:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 6
    assert process.wait(15) == -signal.SIGTERM
    assert process.stderr.read() == ""


def test_what_is_sent_is_not_remarked_on(command):
    """Neither that a picture has more frames than are read, nor that a form is damaged."""
    process, url = command()
    file = io.BytesIO()
    frames = [Image.new("L", (30, 30), value) for value in (255, 200)]
    frames[0].save(file, format="GIF", save_all=True, append_images=frames[1:])
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert httpx.post(f"{url}/v1/read", content=file.getvalue(), timeout=60).status_code == 200
    assert httpx.post(f"{url}/v1/read", content=b"no form", headers=form).status_code == 400
    process.send_signal(signal.SIGTERM)
    process.wait(15)
    assert process.stderr.read() == ""


def test_exposed_without_token_is_misuse():
    """Exit status 2, and the way to go on."""
    done = subprocess.run(
        [sys.executable, "-m", "inkdigits", "serve", "--host", "0.0.0.0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--token-file" in done.stderr
