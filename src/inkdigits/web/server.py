"""An application at an address of this machine, until it is told to stop."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from inkdigits.errors import ArgumentError, InkdigitsError
from inkdigits.web.limits import Limits
from inkdigits.web.problems import CLOSE, Problem

HEAD_SECONDS = 10  # for a request line and its headers, and between two requests
HEAD_BYTES = 64 * 1024
TOO_LARGE = f"The request's head has more than {HEAD_BYTES:,} bytes, the most accepted."
ANSWER_SECONDS = 30  # for a client to take what is on its way to it, some ten kilobytes at a time
BACKLOG = 2048
SHORTEST_TOKEN = 16  # characters
NEW_TOKEN = "python3 -c 'import secrets; print(secrets.token_urlsafe())' > token"


def read_token(path: Path) -> str:
    """Return the token in a file: its first line.

    Raises:
        ArgumentError: the file can't be read, or what is in it is too short to be a secret.
    """
    try:
        token = path.read_text("ascii").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(f"The token file {path} can't be read: {error}. Make one: {NEW_TOKEN}") from error
    if len(token) < SHORTEST_TOKEN:
        raise ArgumentError(
            f"The token in {path} has {len(token)} characters. Accepted: at least {SHORTEST_TOKEN}, on the "
            f"first line. Make one: {NEW_TOKEN}"
        )
    return token


def check_exposure(host: str, token: str | None) -> None:
    """Refuse an address that other machines reach while nobody has to show a token.

    Raises:
        ArgumentError: the address is not this machine's alone.

    Example:
        >>> check_exposure("127.0.0.1", None)
        >>> check_exposure("0.0.0.0", "a secret of some length")
    """
    if token is None and not _is_loopback(host):
        raise ArgumentError(
            f"At {host} other machines could use the service, and no token is asked for. Give one with "
            f"--token-file token (make it: {NEW_TOKEN}), or stay on this machine with --host 127.0.0.1."
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def limits_for(max_upload: str) -> Limits:
    """Return the usual limits, with this much for one upload, such as "20MB".

    Raises:
        ArgumentError: it is no size from 1 KB to 1 GB.

    Example:
        >>> limits_for("1.5MB").upload
        1500000
    """
    size = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG])B?", max_upload.strip(), re.IGNORECASE)
    upload = round(float(size[1]) * 1000 ** " KMG".index(size[2].upper())) if size else 0
    if not 1_000 <= upload <= 1_000_000_000:
        raise ArgumentError(f"--max-upload must be from 1KB to 1GB, such as 20MB. Received: {max_upload!r}")
    usual = Limits(upload=upload)
    return replace(usual, held=max(usual.held, 4 * upload))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes any that is free.

    Raises:
        InkdigitsError: the address can't be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise InkdigitsError(
            f"The service can't listen at {host}, port {port}: {error.strerror or error}. "
            "Choose another --port or --host."
        ) from error
    # Connections inherit it. With Nagle's algorithm an answer's body waits 40 ms for its head to be noticed.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def url_of(listening: socket.socket) -> str:
    """Return the address of a listening socket, for a browser on this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(app: FastAPI) -> uvicorn.Server:
    """Return a server that finishes what was begun when it is told to stop; run it with ``sockets=[...]``."""
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        loop="asyncio",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=HEAD_SECONDS,
        timeout_graceful_shutdown=60,
    )
    return uvicorn.Server(config)


def serve(app: FastAPI, listening: socket.socket, *, on_start: Callable[[str], None]) -> None:
    """Serve an application until Ctrl-C or SIGTERM.

    Args:
        app: what `create_app` made.
        listening: from `listen`.
        on_start: called with the address when it can be opened.
    """
    for name in ("inkdigits", "python_multipart"):  # which remark on what was sent, a line a request
        logging.getLogger(name).setLevel(logging.ERROR)
    server = make_server(app)
    on_start(url_of(listening))
    server.run(sockets=[listening])


class Connection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with limits on what it waits for forever: a whole head, and who takes no answer."""

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _head_bytes: int | None = None  # of the head that is being received; None while there is none
    _is_behind: bool = False  # whether the piece just taken began with another request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Give the client some time to take what has been written."""
        super().pause_writing()
        self._abort_later()

    def resume_writing(self) -> None:
        """Go on writing."""
        if self._unread:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request."""
        self._is_behind = False
        super().data_received(data)
        if self._head_bytes is not None and not self._is_behind and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(431, TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Hand the request to the application, if its head is not too large; a whole one was not counted."""
        self._head_bytes = None
        self._stop_waiting()
        headers = sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)
        if len(self.url) + headers > HEAD_BYTES:
            self.app = Problem(431, TOO_LARGE, headers=CLOSE).response()  # in its turn
            self.url = b"/"  # a URL of this size can't be parsed
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Leave the next head uncounted until more of it comes: how much is here already is not known."""
        super().on_message_complete()
        self._is_behind = True

    def on_response_complete(self) -> None:
        """Begin to wait for the next head."""
        super().on_response_complete()
        if self.transport.is_closing():  # as soon as the client has taken all
            self._abort_later()
        elif self.cycle.response_complete:
            self._await_head()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(400, f"{msg} Send HTTP/1.1.")

    def _await_head(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if self._head_bytes is not None:
            self._refuse(408, f"The request's head was not complete after {HEAD_SECONDS} seconds.")
        elif not self.transport.is_closing():
            self.transport.close()
            self._abort_later()

    def _abort_later(self) -> None:
        if not self._unread:
            self._unread = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)

    def _refuse(self, status: int, detail: str) -> None:
        """Send a problem without the application and close."""
        if self.transport.is_closing():
            return
        response = Problem(status, detail, headers=CLOSE).response()
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        head += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", bytes(response.body)]))
        self.transport.close()
        self._abort_later()
