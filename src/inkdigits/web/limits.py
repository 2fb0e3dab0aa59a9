"""How much the service takes on."""

from __future__ import annotations

from dataclasses import dataclass, field

from inkdigits.reading.model import available_cores


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request, and all together, may ask for. More is refused, with a status that says so.

    Attributes:
        upload: bytes of one request's body (413).
        pages: of one document (422).
        pixels: width times height of a picture, checked before it is decoded (422).
        held: bytes of all bodies in memory at once (503).
        workers: pictures that are read at the same time.
        queue: requests that wait for a free worker (503).
        seconds: from the end of a body to the answer, waiting included (504).
        chunk_seconds: from one piece of a body to the next (408).
        body_seconds: for a whole body (408).
    """

    upload: int = 20_000_000
    pages: int = 100
    pixels: int = 50_000_000
    held: int = 256_000_000
    workers: int = field(default_factory=available_cores)
    queue: int = 256
    seconds: float = 60
    chunk_seconds: float = 10
    body_seconds: float = 120
