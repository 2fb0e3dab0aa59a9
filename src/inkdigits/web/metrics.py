"""What the service has done, in Prometheus's text format: counts and times, nothing of the pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkdigits.result import Digit, Reading

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "inkdigits_requests", "Requests answered.", ["path", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "inkdigits_request_seconds",
            "From the request's head to the end of its answer.",
            ["path"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.pages = Counter("inkdigits_pages", "Pages read.", registry=self._registry)
        self.digits = Counter("inkdigits_digits", "Digits named.", registry=self._registry)
        self.doubtful = Counter("inkdigits_doubtful", "Digits of these in doubt.", registry=self._registry)

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Show a value that is asked for whenever the figures are."""
        Gauge(name, text, registry=self._registry).set_function(value)

    def count_page(self, reading: Reading) -> None:
        """Count a page and its digits."""
        self.pages.inc()
        self.count_digits(digit for number in reading.numbers for digit in number.digits)

    def count_digits(self, digits: Iterable[Digit]) -> None:
        """Count digits, and how many of them are doubtful."""
        for digit in digits:
            if digit.value is not None:
                self.digits.inc()
                self.doubtful.inc(digit.doubtful)

    def text(self) -> bytes:
        """Return all figures in the text format 0.0.4."""
        return generate_latest(self._registry)


class Measured:
    """Counts and times requests. Paths that do not exist are counted as one, for there is no end of them."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else "other"
        status, begun = "aborted", time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.requests.labels(path, status).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - begun)
