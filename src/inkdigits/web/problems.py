"""What went wrong, as problem details for programs and people (RFC 9457)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkdigits.errors import ArgumentError, MissingExtraError, PictureError

MEDIA_TYPE = "application/problem+json"
CLOSE = {"Connection": "close"}
TOO_MUCH = "Ask again after the seconds in Retry-After, or send fewer requests at once."


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """A request that can't be answered.

    Args:
        status: of the response, 400 to 599.
        detail: what failed, what was received, what is accepted and what to do next.
        headers: to send along.
        **members: more for programs to read, such as ``received`` and ``accepted``.
    """

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.members = members

    def response(self) -> Response:
        """Return the problem as ``application/problem+json``."""
        title = HTTPStatus(self.status).phrase
        content = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return JSONResponse(
            content | self.members, self.status, headers=dict(self.headers or {}), media_type=MEDIA_TYPE
        )


def busy(detail: str) -> Problem:
    """Return the answer of a service that has enough to do (503)."""
    return Problem(503, f"{detail} {TOO_MUCH}", headers={"Retry-After": "1"})


def for_clients(message: str) -> str:
    """Return a message with what a client can do where reading's own names an option the service has not.

    Example:
        >>> for_clients("It has too many pixels. Raise the limit with --max-pixels (max_pixels= in Python).")
        'It has too many pixels. Send a smaller picture.'
        >>> for_clients("Page 2 of The picture given as bytes can't be decoded.")
        "Page 2 of the picture can't be decoded."
    """
    message = re.sub(r"\bThe (picture given as bytes|open file)\b", "The picture", message)
    message = message.replace(" of The picture", " of the picture")
    return re.sub(r"[^.]*(\bmax_pixels= in Python|\(--workers\)).*", " Send a smaller picture.", message)


def handle_problems(app: FastAPI) -> None:
    """Let every error of an application leave it as problem details."""

    async def problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path, method = request.url.path, request.method
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if error.status_code == 405:
            allow = headers["allow"] = ", ".join(sorted(headers.get("allow", "GET, HEAD").split(", ")))
            detail = f"{path} does not answer {method}. It answers {allow}."
            return Problem(
                405, detail, headers=headers, received=method, accepted=allow.split(", ")
            ).response()
        if error.status_code == 404:
            detail = f"There is nothing at {path}. /openapi.json lists what there is."
            return Problem(404, detail, headers=headers, received=path).response()
        return Problem(error.status_code, str(error.detail), headers=headers).response()

    async def validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][1:])
        detail = f"The parameter {name} can't be used: {first['msg']}."
        return Problem(422, detail, parameter=name, received=str(first["input"])[:200]).response()

    async def picture(_: Request, error: Exception) -> Response:
        return Problem(422, for_clients(str(error))).response()

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(PictureError, picture)
    app.add_exception_handler(ArgumentError, picture)
    app.add_exception_handler(MissingExtraError, picture)
    app.add_middleware(_Unexpected)


class _Unexpected:
    """Answers 500 where the application fails; Starlette's own handler is outside all other middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            if not begun and scope["type"] == "http":
                detail = "The service failed. This is a bug in it: please report what you sent."
                await Problem(500, detail).response()(scope, receive, send)
            raise  # the server logs it
