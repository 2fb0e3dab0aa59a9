"""The service answers as the library does, and says why where it can't."""

import base64
import io
import json
import re
import threading
import time
from http import HTTPStatus

import httpx
import numpy as np
import pytest
from PIL import Image

from inkdigits import Reader
from inkdigits.errors import ArgumentError
from inkdigits.web import schema
from inkdigits.web.app import create_app
from inkdigits.web.limits import Limits

from .conftest import PAGE, SEVEN

TOKEN = "a secret of some length"


class Waiting(Reader):
    """A reader that does not answer before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Semaphore(0), threading.Event()

    def classify(self, picture, **options):
        """Wait, then name the digit."""
        self.begun.release()
        self.go_on.wait(30)
        return super().classify(picture, **options)


def problem(response: httpx.Response) -> dict:
    """Return problem details, after a look at their form."""
    assert response.headers["content-type"] == "application/problem+json"
    details = response.json()
    assert details["status"] == response.status_code
    assert details["detail"].endswith(".")
    return details


# Answers


def test_form_is_read_as_by_the_library(client, reader):
    """A page sent as a form is the dictionary of the same page read in Python."""
    response = client.post("/v1/read", files={"file": ("page.jpg", PAGE.read_bytes())})
    assert response.json() == {"pages": [reader.read(PAGE, source="page.jpg").to_dict()]}


@pytest.mark.parametrize("path", ["/v1/read", "/v1/classify", "/v1/explain", "/v1/model"])
def test_misspelled_parameter_is_refused(client, path):
    """Whoever misspells a threshold would believe that it holds."""
    method = "GET" if path == "/v1/model" else "POST"
    details = problem(client.request(method, path, params={"min_confidance": 0.9}))
    assert (details["status"], details["received"]) == (422, ["min_confidance"])
    assert path != "/v1/read" or details["accepted"] == ["min_confidence"]


def test_raw_body_is_read(client, reader):
    """A page sent as the body has no name."""
    response = client.post("/v1/read", content=PAGE.read_bytes())
    assert response.json() == {"pages": [reader.read(PAGE.read_bytes()).to_dict()]}


def test_chunked_body_is_read(client):
    """A body whose length is not declared is read, too."""
    content = PAGE.read_bytes()
    pieces = (content[start : start + 5000] for start in range(0, len(content), 5000))
    assert client.post("/v1/read", content=pieces).json()["pages"][0]["numbers"]


def test_digit_is_named_as_by_the_library(client, reader):
    """One digit is the dictionary of `--json`."""
    response = client.post("/v1/classify", files={"file": ("7.jpg", SEVEN.read_bytes())})
    assert response.json() == {"source": "7.jpg", **reader.classify(SEVEN).to_dict()}


def test_page_without_digits_is_an_empty_page(client, png):
    """Nothing read is no error."""
    (page,) = client.post("/v1/read", content=png(40, 30)).json()["pages"]
    assert (page["width"], page["height"], page["numbers"]) == (40, 30, [])


def test_least_confidence_makes_doubtful(client):
    """What is asked to be surer than it can be is doubtful."""
    pages = client.post("/v1/read?min_confidence=1", content=PAGE.read_bytes()).json()["pages"]
    assert all(number["doubtful"] for number in pages[0]["numbers"])


@pytest.fixture(scope="module")
def document():
    """A TIFF document of two blank pages, 60 and 80 pixels wide."""
    file = io.BytesIO()
    white = Image.fromarray(np.full((50, 60), 255, np.uint8))
    white.save(file, format="TIFF", save_all=True, append_images=[white.resize((80, 50))])
    return file.getvalue()


def test_document_has_several_pages(client, document):
    """Each page of a TIFF document is a page of the answer."""
    pages = client.post("/v1/read", content=document).json()["pages"]
    assert [(page["page"], page["width"]) for page in pages] == [(1, 60), (2, 80)]


def test_digit_of_a_document_says_how_many_pages(client, document):
    """Only the first one's is named."""
    answer = client.post("/v1/classify", content=document).json()
    schema.NamedDigit.model_validate(answer)
    assert answer["pages"] == 2


def test_one_page_is_explained(client, document):
    """Only the page asked for, with the number that it has."""
    explained = client.post("/v1/explain?page=2&step=upright-gray", content=document).json()
    ((page, (step,)),) = ((each["page"], each["steps"]) for each in explained["pages"])
    assert page == 2
    assert Image.open(io.BytesIO(base64.b64decode(step["png"]))).width == 80


def test_page_that_does_not_exist_is_refused(client, document):
    """And the last one is named."""
    details = problem(client.post("/v1/explain?page=3", content=document))
    assert (details["status"], details["parameter"], details["received"]) == (422, "page", 3)
    assert "There is no page 3: the last page is page 2." in details["detail"]


def test_look_that_was_not_taken_is_no_step(client):
    """How often a page is looked at depends on it; never a hundred times."""
    details = problem(client.post("/v1/explain?step=heat-99", content=SEVEN.read_bytes()))
    assert details["status"] == 422
    assert "There is no step 'heat-99'" in details["detail"]


def test_steps_are_pictures(client):
    """The upright page comes first, the lines with what is read last."""
    (page,) = client.post("/v1/explain", content=PAGE.read_bytes()).json()["pages"]
    pictures = [
        (step["name"], Image.open(io.BytesIO(base64.b64decode(step["png"])))) for step in page["steps"]
    ]
    assert [pictures[0][0], pictures[-1][0]] == ["upright-gray", "lines"]
    with Image.open(PAGE) as picture:
        assert pictures[0][1].size == picture.size


def test_steps_can_be_chosen(client):
    """Only the steps asked for are drawn."""
    (page,) = client.post("/v1/explain?step=lines&step=digit", content=SEVEN.read_bytes()).json()["pages"]
    assert [step["name"] for step in page["steps"]] == ["lines", "digit"]
    form = Image.open(io.BytesIO(base64.b64decode(page["steps"][1]["png"])))
    assert form.size == (28, 28)


def test_every_step_can_be_chosen(client):
    """By the name that it is shown with."""
    picture = SEVEN.read_bytes()
    (page,) = client.post("/v1/explain", content=picture).json()["pages"]
    names = [step["name"] for step in page["steps"]]
    (chosen,) = client.post("/v1/explain", params={"step": names}, content=picture).json()["pages"]
    assert chosen == page


def test_page_that_cannot_be_explained_says_why(client):
    """In the words of `/v1/read`, beside the steps of the other pages."""
    file = io.BytesIO()
    white = Image.new("1", (50, 50), 1)
    white.save(file, format="TIFF", save_all=True, append_images=[white.resize((2000, 2000))])
    read = client.post("/v1/read", content=file.getvalue()).json()["pages"]
    explained = client.post("/v1/explain?step=found", content=file.getvalue()).json()
    schema.ExplainedPages.model_validate(explained)
    assert explained["pages"][0]["steps"]
    assert explained["pages"][1] == {"page": 2, "error": read[1]["error"]}
    assert read[1]["error"].endswith("the limit of 3,000,000. Send a smaller picture.")


def test_model_shows_the_cards(client, reader):
    """Provenance and figures of the three networks."""
    assert client.get("/v1/model").json()["finder"] == json.loads(json.dumps(reader.finder.card.to_dict()))


def test_answers_have_the_published_form(client):
    """What /openapi.json says of the answers is so, with no field more."""
    picture = SEVEN.read_bytes()
    schema.Pages.model_validate(client.post("/v1/read", content=PAGE.read_bytes()).json())
    schema.NamedDigit.model_validate(client.post("/v1/classify", content=picture).json())
    schema.ExplainedPages.model_validate(client.post("/v1/explain", content=picture).json())
    schema.Models.model_validate(client.get("/v1/model").json())


def test_examples_have_the_published_form(client):
    """The examples in /openapi.json are possible answers."""
    for operation in client.get("/openapi.json").json()["paths"].values():
        for method in operation.values():
            assert method["responses"]["200"]["description"]
    schema.Pages.model_validate(schema.PAGES_EXAMPLE)
    schema.NamedDigit.model_validate(schema.DIGIT_EXAMPLE)
    schema.ExplainedPages.model_validate(schema.STEPS_EXAMPLE)


def test_health(client):
    """It lives, and takes the next picture."""
    assert client.get("/health").json() == client.get("/health/ready").json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_health_needs_no_body(client, path):
    """Who watches may ask with HEAD, and `Allow` says so."""
    assert client.head(path).status_code == 200
    assert client.post(path).headers["allow"] == "GET, HEAD"


def test_metrics_count(client):
    """Requests, pages and digits are counted; paths that do not exist are one."""
    before = client.get("/metrics").text
    client.post("/v1/read", content=PAGE.read_bytes())
    client.get("/nothing/1")
    after = client.get("/metrics").text

    def count(text: str, line: str) -> float:
        found = re.search(rf"^{re.escape(line)} (\S+)", text, re.MULTILINE)
        return float(found[1]) if found else 0

    for line, more in [
        ("inkdigits_pages_total", 1),
        ('inkdigits_requests_total{path="/v1/read",status="200"}', 1),
        ('inkdigits_request_seconds_count{path="/v1/read"}', 1),
        ('inkdigits_requests_total{path="other",status="404"}', 1),
    ]:
        assert count(after, line) - count(before, line) == more
    assert count(after, "inkdigits_digits_total") > count(before, "inkdigits_digits_total")
    assert {"inkdigits_queue 0.0", "inkdigits_busy 0.0", "inkdigits_held_bytes 0.0"} <= set(
        after.splitlines()
    )
    assert "/nothing" not in after


# Errors


FORM = {"Content-Type": "multipart/form-data"}


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"method": "GET", "url": "/nothing"}, 404, "/openapi.json lists"),
        ({"method": "GET", "url": "/page/%2e%2e/app.py"}, 404, "nothing at"),
        ({"method": "GET", "url": "/v1/read"}, 405, "It answers POST"),
        ({"method": "DELETE", "url": "/"}, 405, "It answers GET, HEAD"),
        ({"url": "/page/main.js"}, 405, "It answers GET, HEAD"),
        ({}, 400, "The body is empty"),
        ({"files": {"picture": b"x"}}, 400, "one field 'file'"),
        ({"files": {"file": b""}}, 400, "not empty"),
        ({"files": [("file", b"1"), ("file", b"2")]}, 400, "one field 'file'"),
        ({"content": b"--x", "headers": FORM}, 400, "boundary"),
        ({"content": b"no", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400, "damaged"),
        ({"content": b"%!PS-Adobe"}, 415, "begins with b'%!PS-Adobe'"),
        ({"content": SEVEN.read_bytes()[:3000]}, 422, "damaged, cut short"),
        ({"content": b"%PDF-1.7 and no more"}, 422, "damaged"),
        ({"params": {"min_confidence": 2}}, 422, "min_confidence"),
        ({"params": {"min_confidence": "nan"}}, 422, "min_confidence"),
        ({"url": "/v1/explain", "params": {"step": ["lines", "line"]}}, 422, "found|kept|lines"),
        ({"url": "/v1/explain?step="}, 422, "found|kept|lines"),
        ({"url": "/v1/explain?step=line"}, 422, "no step 'line'. Accepted: up"),
        ({"url": "/v1/explain?page=0"}, 422, "page"),
        ({"content": bytes(1_000_001)}, 413, "1,000,001 bytes. Accepted: at most 1,000,000"),
    ],
)
def test_errors_are_problem_details(client, request_, status, words):
    """What was received, what is accepted, and the status that says so."""
    response = client.request(**{"method": "POST", "url": "/v1/read", **request_})
    assert response.status_code == status
    assert words in problem(response)["detail"]


@pytest.mark.parametrize("form", ["PNG", "PDF"])
@pytest.mark.parametrize("path", ["/v1/read", "/v1/classify"])
def test_picture_of_too_many_pixels_is_refused(client, path, form):
    """A small file can be a large picture; no option is named that the service has not."""
    file = io.BytesIO()
    Image.new("L", (2000, 2000), 255).save(file, format=form)
    details = problem(client.post(path, content=file.getvalue()))
    assert details["status"] == 422
    assert details["detail"].endswith(
        "4,000,000 pixels, more than the limit of 3,000,000. Send a smaller picture."
    )
    assert re.match("The picture has|Page 1 of the picture can't", details["detail"])


def test_failure_of_the_service_is_a_problem_too(serving):
    """A bug gives a 500 with what every answer carries, and is counted."""

    class Broken(Reader):
        def classify(self, *_, **__):
            raise RuntimeError

    with serving(create_app(Broken())) as address:
        response = httpx.post(f"{address}/v1/classify", content=SEVEN.read_bytes())
        assert problem(response)["status"] == 500
        assert response.headers["x-content-type-options"] == "nosniff"
        assert metric(address, r'inkdigits_requests_total\{path="/v1/classify",status="500"\}') == 1


def test_every_problem_is_shown_with_its_own_example(client):
    """A 401 in /openapi.json looks like one, and so on."""
    shown = [
        (status, answer["content"]["application/problem+json"]["example"])
        for operations in client.get("/openapi.json").json()["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if "application/problem+json" in answer.get("content", {})
    ]
    assert {status for status, _ in shown} >= {"400", "401", "408", "413", "415", "422", "503", "504"}
    for status, example in shown:
        assert example["status"] == int(status)
        assert example["title"] == HTTPStatus(int(status)).phrase


def test_document_of_too_many_pages_is_refused(client):
    """A small file can have many pages."""
    file = io.BytesIO()
    white = Image.fromarray(np.full((10, 10), 255, np.uint8))
    white.save(file, format="TIFF", save_all=True, append_images=[white] * 3)
    assert "more than 3 pages" in problem(client.post("/v1/read", content=file.getvalue()))["detail"]


def test_undeclared_size_is_limited(client):
    """A body without a length is refused once it is too large, and not kept."""
    pieces = (bytes(100_000) for _ in range(30))
    assert "more than 1,000,000 bytes" in problem(client.post("/v1/read", content=pieces))["detail"]
    assert "inkdigits_held_bytes 0.0" in client.get("/metrics").text


# Who may come in


@pytest.fixture(scope="module")
def guarded(reader, serving):
    """A client of a server that asks for a token and lets one web site in."""
    app = create_app(reader, token=TOKEN, allow_origin="https://example.org")
    with serving(app) as address, httpx.Client(base_url=address) as each:
        yield each


@pytest.mark.parametrize("shown", [None, "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \xe9\xff"])
def test_wrong_token_is_refused(guarded, shown):
    """Without the token nothing is read, whatever is shown instead."""
    headers = {"Authorization": shown.encode("latin-1")} if shown else {}
    response = guarded.post("/v1/classify", content=SEVEN.read_bytes(), headers=headers)
    assert problem(response)["status"] == 401
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/v1/model", "/metrics"])
def test_token_opens(guarded, path):
    """With the token everything answers; without it these do not."""
    assert guarded.get(path).status_code == 401
    assert guarded.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/health", "/health/ready", "/openapi.json"])
def test_page_and_health_need_no_token(guarded, path):
    """The page asks for it, and who watches the service need not know it."""
    assert guarded.get(path).status_code == 200


def test_one_origin_is_allowed(guarded, client):
    """Scripts of the web site that was named may ask; without --allow-origin none may."""
    for server, origin, answer in [
        (guarded, "https://example.org", "https://example.org"),
        (guarded, "https://example.com", None),
        (client, "https://example.org", None),
    ]:
        response = server.get("/health", headers={"Origin": origin})
        assert response.headers.get("access-control-allow-origin") == answer


def test_origin_may_end_with_a_slash(reader, serving):
    """As the address of a web site does; browsers leave it out."""
    with serving(create_app(reader, allow_origin="https://example.org/")) as address:
        response = httpx.get(f"{address}/health", headers={"Origin": "https://example.org"})
    assert response.headers["access-control-allow-origin"] == "https://example.org"


@pytest.mark.parametrize("site", ["https://example.org/app/", "example.org", "ftp://example.org"])
def test_origin_has_a_scheme_and_no_path(reader, site):
    """What no browser sends is refused, rather than never met."""
    with pytest.raises(ArgumentError, match=rf"https:// and without a path, .* '{re.escape(site)}'"):
        create_app(reader, allow_origin=site)


def test_other_origin_is_refused_with_a_problem(guarded):
    """Browsers ask before they send a picture for another web site."""
    asking = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    refused = guarded.options("/v1/read", headers=asking)
    assert "--allow-origin" in problem(refused)["detail"]
    assert refused.headers["x-content-type-options"] == "nosniff"
    allowed = guarded.options("/v1/read", headers=asking | {"Origin": "https://example.org"})
    assert allowed.status_code == 200


@pytest.mark.parametrize("path", ["/", "/page/style.css", "/health", "/nothing", "/openapi.json"])
def test_answers_carry_what_browsers_should_know(client, path):
    """No script or style from elsewhere or within the page, and no guessing of types."""
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


# Load


@pytest.fixture
def waiting(serving):
    """A reader that waits, the address of a server with one worker and room for one more, and its clients."""
    reader = Waiting()
    app = create_app(reader, limits=Limits(workers=1, queue=1, seconds=10))
    try:
        with serving(app) as address:
            yield reader, address
            reader.go_on.set()
    finally:
        reader.go_on.set()


def metric(address: str, name: str) -> float:
    """Return one of the figures of a server."""
    return float(re.search(rf"^{name} (\S+)", httpx.get(f"{address}/metrics").text, re.MULTILINE)[1])


def wait_for(address: str, name: str, value: float) -> None:
    """Wait until a figure has a value."""
    end = time.monotonic() + 10
    while metric(address, name) != value:
        assert time.monotonic() < end, f"{name} is not {value}"
        time.sleep(0.02)


def post(address: str, answers: list) -> threading.Thread:
    """Send a digit in a thread, which appends the response or the error."""

    def send() -> None:
        try:
            answers.append(httpx.post(f"{address}/v1/classify", content=SEVEN.read_bytes(), timeout=30))
        except httpx.HTTPError as error:
            answers.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_full_queue_is_said(waiting):
    """One is read, one waits, the third is told when to come back; then both are answered."""
    reader, address = waiting
    answers = []
    threads = [post(address, answers)]
    reader.begun.acquire()
    threads.append(post(address, answers))
    wait_for(address, "inkdigits_queue", 1)
    refused = httpx.post(f"{address}/v1/classify", content=SEVEN.read_bytes())
    assert problem(refused)["status"] == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert httpx.get(f"{address}/health/ready").status_code == 503
    assert httpx.get(f"{address}/health").status_code == 200
    reader.go_on.set()
    for thread in threads:
        thread.join()
    assert [answer.json()["value"] for answer in answers] == [7, 7]


def test_who_hangs_up_leaves_the_queue(waiting):
    """A request whose client has gone before its turn is not read."""
    reader, address = waiting
    answers = []
    thread = post(address, answers)
    reader.begun.acquire()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{address}/v1/classify", content=SEVEN.read_bytes(), timeout=httpx.Timeout(30, read=0.2))
    wait_for(address, "inkdigits_queue", 0)
    reader.go_on.set()
    thread.join()
    assert not reader.begun.acquire(timeout=0.2)
    assert metric(address, "inkdigits_held_bytes") == 0


def test_time_limit(serving):
    """What takes too long is given up, and said so."""
    reader = Waiting()
    with serving(create_app(reader, limits=Limits(workers=1, seconds=0.2))) as address:
        response = httpx.post(f"{address}/v1/classify", content=SEVEN.read_bytes())
        reader.go_on.set()
    assert problem(response)["status"] == 504


def test_bodies_in_memory_are_limited(reader, serving):
    """All bodies together have a limit, too."""
    with serving(create_app(reader, limits=Limits(held=1000))) as address:
        response = httpx.post(f"{address}/v1/classify", content=SEVEN.read_bytes())
        assert problem(response)["status"] == 503
        assert metric(address, "inkdigits_held_bytes") == 0


def test_uploads_are_never_written(client, monkeypatch, tmp_path):
    """No file is made of an upload, however large its form."""
    import tempfile

    def refuse(*_args: object, **_options: object) -> None:
        raise AssertionError("a temporary file was made")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    noise = np.random.default_rng(0).integers(0, 255, (900, 1000), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, format="BMP")
    assert client.post("/v1/classify", files={"file": file.getvalue()}).status_code == 200
