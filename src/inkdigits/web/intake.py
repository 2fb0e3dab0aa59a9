"""A request's body -> the picture in it, in memory only.

Starlette's own form parser spools large files to disk. So the body is taken chunk by chunk here, under limits
of size and time, and a form is taken apart with python-multipart's parser afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from inkdigits.web.limits import Limits
from inkdigits.web.problems import CLOSE, Problem, busy

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELD = "file"
MOST_PARTS = 100
LONGEST_NAME = 255
HOW = f"Send the picture as the body, or as the field '{FIELD}' of a form (multipart/form-data)."


@dataclass(frozen=True, slots=True)
class Upload:
    """What was sent: the file's content, and its name if the client gave one."""

    content: bytes
    name: str | None


class Intake:
    """Takes bodies into memory, no more at once than there is room for."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.held = 0  # bytes

    @asynccontextmanager
    async def upload(self, request: Request) -> AsyncIterator[Upload]:
        """Give the picture in a request's body.

        Raises:
            Problem: the body is too large (413), too slow (408), empty or no well-formed form (400), or there
                is no room for it now (503).
        """
        declared = int(request.headers.get("content-length", 0))
        if declared > self.limits.upload:
            # Who asks first does not send it; what others send still runs in and is thrown away, for a
            # connection closed too early takes the answer with it.
            raise self._too_large(f"{declared:,} bytes", CLOSE if "expect" in request.headers else {})
        body = bytearray()
        try:
            await self._take(body, request)
            # A form of a few megabytes takes the parser a second: not on the event loop.
            upload = await asyncio.to_thread(
                _picture_in, bytes(body), request.headers.get("content-type", "")
            )
        except BaseException:
            self.held -= len(body)
            raise
        held = len(body)
        del body  # of which the upload has what is needed
        try:
            yield upload
        finally:
            self.held -= held

    async def _take(self, body: bytearray, request: Request) -> None:
        """Collect a request's body, as long as it comes quickly enough."""
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                async for chunk in self._chunks(request):
                    self._hold(body, chunk)
        except TimeoutError:
            detail = (
                f"The body came too slowly: {len(body):,} bytes, then nothing for "
                f"{self.limits.chunk_seconds:g} seconds, or not all in {self.limits.body_seconds:g}. "
                "Send it again."
            )
            raise Problem(408, detail, headers=CLOSE) from None

    async def _chunks(self, request: Request) -> AsyncIterator[bytes]:
        chunks = request.stream()
        while True:
            async with asyncio.timeout(self.limits.chunk_seconds):
                try:
                    chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
            yield chunk

    def _hold(self, body: bytearray, chunk: bytes) -> None:
        if len(body) + len(chunk) > self.limits.upload:
            raise self._too_large(f"more than {self.limits.upload:,} bytes", {})
        if self.held + len(chunk) > self.limits.held:
            raise busy(f"The pictures sent at this moment fill the {self.limits.held:,} bytes kept for them.")
        body += chunk
        self.held += len(chunk)

    def _too_large(self, received: str, headers: dict[str, str]) -> Problem:
        limit = self.limits.upload
        detail = (
            f"The body has {received}. Accepted: at most {limit:,} bytes. Send a smaller or more compressed "
            "picture, or start the service with a larger --max-upload."
        )
        return Problem(413, detail, headers=headers, accepted=limit)


def _picture_in(body: bytes, content_type: str) -> Upload:
    kind, options = parse_options_header(content_type)
    if kind.lower() == b"multipart/form-data":
        return _file_in_form(body, options.get(b"boundary", b""))
    if not body:
        raise Problem(400, f"The body is empty. {HOW}")
    return Upload(body, None)


def _file_in_form(body: bytes, boundary: bytes) -> Upload:
    if not boundary:
        raise Problem(
            400, "The form has no boundary in its Content-Type. Let the HTTP library write this header."
        )
    parts = _Parts()
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Problem(400, f"The form is damaged: {error}. {HOW}") from error
    files = [part for part in parts.found if part.options.get(b"name") == FIELD.encode()]
    if len(files) != 1 or not files[0].content:
        names = [
            part.options.get(b"name", b"").decode(errors="replace")[:LONGEST_NAME] for part in parts.found
        ]
        detail = f"The form must have one field '{FIELD}' with a file that is not empty. {HOW}"
        raise Problem(400, detail, received=names, accepted=[FIELD])
    name = files[0].options.get(b"filename", b"").decode(errors="replace")[:LONGEST_NAME]
    return Upload(bytes(files[0].content), name or None)


class _Part:
    """One field of a form."""

    def __init__(self) -> None:
        self.options: dict[bytes, bytes] = {}
        self.content = bytearray()


class _Parts:
    """Collects the fields of a form as the parser comes upon them."""

    def __init__(self) -> None:
        self.found: list[_Part] = []
        self._name = self._value = b""

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
        }

    def _begin(self) -> None:
        if len(self.found) == MOST_PARTS:
            raise FormParserError(f"it has more than {MOST_PARTS} fields")
        self.found.append(_Part())

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.found[-1].content += data[start:end]

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, self.found[-1].options = parse_options_header(self._value)
        self._name = self._value = b""
