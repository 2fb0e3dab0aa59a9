"""The application: a reader behind a page and a REST service.

request -> token -> body in memory -> queue -> a thread reads -> JSON

The event loop only talks; decoding, reading and writing JSON happen in the threads of a `Pool`.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkdigits import __version__
from inkdigits.errors import ArgumentError, MissingExtraError, PictureError
from inkdigits.reading.reader import Options, Reader
from inkdigits.reading.sources import FORMATS, SHOWN_BYTES, SIGNATURE_BYTES, Page, find_pages, picture_format
from inkdigits.result import Failure, Reading
from inkdigits.web import schema
from inkdigits.web.intake import Intake, Upload
from inkdigits.web.limits import Limits
from inkdigits.web.metrics import Measured, Metrics
from inkdigits.web.pool import Pool
from inkdigits.web.problems import Problem, busy, for_clients, handle_problems
from inkdigits.web.steps import ACCEPTED, check_step, steps_of

PAGE = Path(__file__).parent / "page"
StepName = Annotated[str, AfterValidator(check_step)]
CLIENT_GONE = 499  # nginx's number; nobody is there to see it, but the figures are
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def create_app(
    reader: Reader,
    *,
    limits: Limits | None = None,
    token: str | None = None,
    allow_origin: str | None = None,
) -> FastAPI:
    """Make the application.

    Args:
        reader: reads every picture, from several threads at once.
        limits: how much it takes on; None for what a small machine can bear.
        token: what clients have to show (``Authorization: Bearer TOKEN``); None lets everybody in.
        allow_origin: the one web site, such as ``https://example.org``, whose scripts may call the service
            besides the page that comes with it; ``*`` for all, None for no other. A slash at its end does not
            count.

    Returns:
        An ASGI application. `inkdigits.web.server` serves it and refuses slow and oversized heads of
        requests too; other servers have settings for that.

    Raises:
        ArgumentError: ``allow_origin`` has no scheme, or a path.

    Example:
        >>> app = create_app(Reader())
        >>> sorted(app.openapi()["paths"])[-4:]
        ['/v1/classify', '/v1/explain', '/v1/model', '/v1/read']
    """
    service = _Service(reader, limits or Limits())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.pool.close()

    app = FastAPI(
        title="inkdigits",
        version=__version__,
        summary="Reads handwritten digits and numbers from pictures.",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    handle_problems(app)
    guarded = [Depends(_token_check(token)), Depends(_check_names)]
    takes_picture: dict[str, Any] = {
        "dependencies": guarded,
        "openapi_extra": schema.PICTURE_BODY,
        "response_class": JSONResponse,
    }

    @app.post(
        "/v1/read",
        summary="Read the numbers on a page",
        responses=schema.answers(schema.Pages, schema.PAGES_EXAMPLE, *schema.PICTURE_PROBLEMS),
        **takes_picture,
    )
    async def read(
        request: Request,
        min_confidence: Annotated[
            float | None,
            Query(
                ge=0,
                le=1,
                allow_inf_nan=False,
                description="Less sure is doubtful; else the model's threshold.",
            ),
        ] = None,
    ) -> Response:
        return await service.answer(request, partial(service.read, min_confidence=min_confidence))

    @app.post(
        "/v1/classify",
        summary="Name the one digit in a picture",
        responses=schema.answers(schema.NamedDigit, schema.DIGIT_EXAMPLE, *schema.PICTURE_PROBLEMS),
        **takes_picture,
    )
    async def classify(request: Request) -> Response:
        return await service.answer(request, service.classify)

    @app.post(
        "/v1/explain",
        summary="See the steps from a page to its numbers",
        responses=schema.answers(schema.ExplainedPages, schema.STEPS_EXAMPLE, *schema.PICTURE_PROBLEMS),
        **takes_picture,
    )
    async def explain(
        request: Request,
        step: Annotated[
            list[StepName] | None, Query(description=f"Only these steps. Accepted: {ACCEPTED}.")
        ] = None,
        page: Annotated[int | None, Query(ge=1, description="Only this page of a document.")] = None,
    ) -> Response:
        return await service.answer(request, partial(service.explain, names=step, number=page))

    @app.get(
        "/v1/model",
        summary="The cards of the models in use",
        dependencies=guarded,
        responses=schema.answers(schema.Models, schema.MODELS_EXAMPLE, 401),
    )
    async def model() -> JSONResponse:
        cards = {
            "classifier": reader.classifier.card,
            "finder": reader.finder.card,
            "lines": reader.lines.card,
        }
        return JSONResponse({part: card.to_dict() for part, card in cards.items()})

    # Each path of health twice: /openapi.json takes one method a function, the first one answers.
    @app.get(
        "/health",
        summary="Whether the service lives",
        responses=schema.answers(schema.Health, schema.HEALTH_EXAMPLE),
    )
    @app.api_route("/health", methods=["GET", "HEAD"], include_in_schema=False)
    async def health() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get(
        "/health/ready",
        summary="Whether it takes the next picture",
        responses=schema.answers(schema.Health, schema.HEALTH_EXAMPLE, 503),
    )
    @app.api_route("/health/ready", methods=["GET", "HEAD"], include_in_schema=False)
    async def ready() -> JSONResponse:
        if service.pool.is_full:
            raise busy("The queue is full.")
        return JSONResponse({"status": "ok"})

    @app.get(
        "/metrics",
        summary="Figures for Prometheus",
        dependencies=guarded,
        response_class=PlainTextResponse,
        responses=schema.problems(401),
    )
    async def figures() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    app.mount("/page", StaticFiles(directory=PAGE))
    paths = frozenset({"/", *app.openapi()["paths"]})
    if allow_origin:
        app.add_middleware(
            _Origins,
            allow_origins=[_origin(allow_origin)],
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Measured, metrics=service.metrics, paths=paths)
    return app


def warm_up(reader: Reader) -> None:
    """Read and classify a stroke, because whatever comes first takes longer than what comes after."""
    stroke = np.full((128, 96), 255, np.uint8)
    stroke[24:104, 44:52] = 0
    reader.read(stroke)
    reader.classify(stroke)


class _Service:
    """The reader, and what stands around it so that many can use it at once."""

    def __init__(self, reader: Reader, limits: Limits) -> None:
        self.reader = reader
        self.limits = limits
        self.pool = Pool(workers=limits.workers, queue=limits.queue)
        self.intake = Intake(limits)
        self.metrics = Metrics()
        watch = self.metrics.watch
        watch("inkdigits_queue", "Requests that wait for a free worker.", lambda: self.pool.waiting)
        watch("inkdigits_busy", "Pictures that are being read.", lambda: self.pool.busy)
        watch("inkdigits_held_bytes", "Bytes of the pictures in memory.", lambda: self.intake.held)

    async def answer(self, request: Request, work: Callable[[Upload, float], bytes]) -> Response:
        """Take the picture in, have it worked on before a deadline and send the JSON that this gives."""
        seconds = self.limits.seconds
        try:
            async with self.intake.upload(request) as upload:
                _check_format(upload)
                job = partial(work, upload, time.monotonic() + seconds)
                content = await _while_connected(request, self.pool.run(job), seconds)
        except ClientDisconnect:
            return Response(status_code=CLIENT_GONE)
        return Response(content, media_type="application/json")

    # In threads of the pool:

    def read(self, upload: Upload, deadline: float, *, min_confidence: float | None) -> bytes:
        """Read all pages. A document of which no page can be read is an error, as one picture is."""
        pages = self._pages(upload, deadline)
        options: Options = {"min_confidence": min_confidence, "max_pixels": self.limits.pixels}
        answers = [
            replace(each, error=for_clients(each.error)) if isinstance(each, Failure) else each
            for each in self.reader.read_many(pages, **options)
        ]
        if isinstance(answers[0], Failure) and all(isinstance(each, Failure) for each in answers):
            raise PictureError(answers[0].error)
        for each in answers:
            if isinstance(each, Reading):
                self.metrics.count_page(each)
        return _json({"pages": [each.to_dict() for each in answers]})

    def classify(self, upload: Upload, deadline: float) -> bytes:
        """Name the one digit, of a document that on the first page, and say how many pages there are."""
        first, *others = self._pages(upload, deadline)
        digit = self.reader.classify(first, max_pixels=self.limits.pixels)
        self.metrics.count_digits([digit])
        pages = {"pages": 1 + len(others)} if others else {}
        return _json({"source": upload.name, **digit.to_dict(), **pages})

    def explain(
        self, upload: Upload, deadline: float, *, names: list[str] | None, number: int | None
    ) -> bytes:
        """Show the steps of all pages or of one, all or these. Errors are told as by `read`."""
        pages: list[dict[str, Any]] = []
        failures = []
        for page in self._pages(upload, deadline, number):
            try:
                steps = list(steps_of(self.reader, page, names, max_pixels=self.limits.pixels))
                pages.append({"page": page.number, "steps": steps})
            except (PictureError, MissingExtraError) as error:
                failures.append(error)
                pages.append({"page": page.number, "error": for_clients(str(error))})
        if len(failures) == len(pages):
            raise failures[0]
        shown = {step["name"] for page in pages for step in page.get("steps", ())}
        if unseen := [name for name in names or () if name.startswith("heat-") and name not in shown]:
            detail = f"There is no step {unseen[0]!r}: no page was looked at so often. Ask for heat-1 and on."
            raise Problem(422, detail, parameter="step", received=unseen[0])
        return _json({"pages": pages})

    def _pages(self, upload: Upload, deadline: float, number: int | None = None) -> Iterator[Page]:
        """Yield the pages of a document or one, as many as are accepted, as long as there is time."""
        limits = self.limits
        found = find_pages(upload.content, source=upload.name, max_pixels=limits.pixels)
        pages = list(itertools.islice(found, limits.pages + 1))  # none is decoded yet
        if len(pages) > limits.pages:
            detail = f"The document has more than {limits.pages} pages, the most accepted. Split it."
            raise Problem(422, detail)
        if not pages:
            raise Problem(422, "The document has no pages. Save it again.")
        if number is not None:
            last = len(pages)
            pages = [page for page in pages if page.number == number]
            if not pages:
                detail = f"There is no page {number}: the last page is page {last}. Ask for one up to that."
                raise Problem(422, detail, parameter="page", received=number)
        for page in pages:
            if time.monotonic() > deadline:
                raise _too_long(limits.seconds)
            yield page


def _check_names(request: Request) -> None:
    """Refuse a parameter that an address doesn't have: a misspelled one would be passed over in silence."""
    accepted = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    if unknown := sorted(request.query_params.keys() - set(accepted)):
        raise Problem(
            422,
            f"{request.url.path} has no parameter {unknown[0]}. It takes {', '.join(accepted) or 'none'}.",
            received=unknown,
            accepted=accepted,
        )


def _token_check(token: str | None) -> Callable[..., None]:
    """Return what lets a request pass, or answers 401."""

    def check(
        shown: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
    ) -> None:
        if token is None:
            return
        given = shown.credentials if shown else ""
        if not hmac.compare_digest(given.encode(), token.encode()):  # in the same time, however much is right
            detail = "The token is missing or wrong. Send the header 'Authorization: Bearer TOKEN'."
            raise Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})

    return check


def _origin(site: str) -> str:
    """Return what browsers call a web site: with its scheme, no slash at its end, and no path."""
    origin = site.removesuffix("/")
    if origin != "*" and not re.fullmatch("https?://[^/]+", origin):
        raise ArgumentError(
            "--allow-origin must be a web site with http:// or https:// and without a path, such as "
            "https://example.org, or * for all. "
            f"Received: {site!r}"
        )
    return origin


def _check_format(upload: Upload) -> None:
    """Refuse what is no picture before it waits in the queue."""
    if picture_format(upload.content[:SIGNATURE_BYTES]) is None:
        start, accepted = upload.content[:SHOWN_BYTES], ", ".join(FORMATS)
        detail = f"The file is no picture that can be read: it begins with {start!r}. Accepted: {accepted}."
        raise Problem(415, detail, received=repr(start), accepted=list(FORMATS))


async def _while_connected(request: Request, work: Coroutine[Any, Any, bytes], seconds: float) -> bytes:
    """Wait for work as long as the client does, and no longer than the limit.

    Raises:
        Problem: the time is up (504).
        ClientDisconnect: the client has gone; work still in the queue is dropped.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if leaving.done():
            raise ClientDisconnect
        raise _too_long(seconds)
    finally:
        working.cancel()
        leaving.cancel()


def _too_long(seconds: float) -> Problem:
    return Problem(504, f"It was not read after {seconds:g} seconds. Send less, or ask again later.")


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


class _Origins(CORSMiddleware):
    """Lets other web sites in, and refuses them with problem details."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a browser that asks whether a site may send a request."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            return answer
        detail = f"{bytes(answer.body).decode()}. Start the service with --allow-origin for this site."
        return Problem(400, detail, headers={"Vary": "Origin"}).response()


class SecurityHeaders:
    """Adds what browsers should know to every answer; answers to questions are not kept by anybody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                caching = (
                    b"no-cache" if scope["path"].startswith("/page") or scope["path"] == "/" else b"no-store"
                )
                message["headers"] = [*message["headers"], *self._headers, (b"cache-control", caching)]
            await send(message)

        await self._app(scope, receive, adding if scope["type"] == "http" else send)
