"""The form of every answer, for /openapi.json: the dictionaries of `inkdigits.result`, field by field."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from inkdigits import result


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Digit(_Form):
    """One handwritten digit."""

    value: int | None = Field(
        ge=0, le=9, description="Always the best guess; null only where there is no ink."
    )
    confidence: float = Field(ge=0, le=1, description="Calibrated probability that the value is right.")
    doubtful: bool = Field(
        description="Whether the confidence is below the model's threshold, or on a page one of the two "
        "networks did not see the digit."
    )
    probabilities: list[float] = Field(min_length=10, max_length=10, description="Of 0 to 9.")
    box: list[int] | None = Field(
        min_length=4, max_length=4, description="x, y, width, height, in pixels of the upright picture."
    )


class NamedDigit(Digit):
    """The one digit in a picture."""

    source: str | None = Field(description="The name of the file, where it was sent as a form.")
    pages: int | None = Field(
        None, ge=2, description="Of a document with several, of which the first one's digit is named."
    )


class Number(_Form):
    """One handwritten number."""

    text: str = Field(description="Its digits and the signs . , - / : of it.")
    region: str | None = Field(description="Null: the whole page was read.")
    line: int = Field(ge=1)
    column: int = Field(ge=1, description="Numbers that stand below each other share it.")
    confidence: float = Field(ge=0, le=1)
    doubtful: bool
    box: list[int] = Field(min_length=4, max_length=4, description="x, y, width, height, in pixels.")
    digits: list[Digit] = Field(description="From left to right; signs have no entry.")


class Page(_Form):
    """All handwritten numbers of one page, in reading order."""

    source: str | None
    page: int = Field(ge=1)
    width: int = Field(ge=1, description="Of the upright picture, in pixels.")
    height: int = Field(ge=1)
    text: str = Field(description="Numbers parted by spaces, lines by newlines.")
    numbers: list[Number]


class FailedPage(_Form):
    """A page of a document that could not be read; its other pages were."""

    source: str | None
    page: int = Field(ge=1)
    error: str


class Pages(_Form):
    """The pages of a document; a picture has one."""

    pages: list[Page | FailedPage]


class Step(_Form):
    """A picture of what the reader did."""

    name: str = Field(
        description="upright-gray, heat-1 (and on, a look at the page in each size), found, kept or lines; "
        "digit, the ink as the network for one digit sees it, only if asked for."
    )
    text: str = Field(description="What is seen, in a sentence.")
    png: str = Field(description="The picture, a PNG file in Base64.")


class ExplainedPage(_Form):
    """The steps from a page to its numbers, in their order."""

    page: int = Field(ge=1)
    steps: list[Step]


class UnexplainedPage(_Form):
    """A page of a document that could not be read; its other pages were."""

    page: int = Field(ge=1)
    error: str


class ExplainedPages(_Form):
    """The pages of a document; a picture has one."""

    pages: list[ExplainedPage | UnexplainedPage]


class Models(_Form):
    """The cards of the models in use."""

    classifier: dict[str, Any]
    finder: dict[str, Any]
    lines: dict[str, Any]


class Health(_Form):
    """Whether the service is well."""

    status: Literal["ok"]


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What failed, what was received, what is accepted, what to do next.")


_DIGIT = result.Digit(
    value=7,
    confidence=0.9957,
    doubtful=False,
    probabilities=(0.0, 0.0012, 0.0002, 0.0002, 0.0004, 0.0, 0.0, 0.9957, 0.0, 0.0023),
    box=result.Box(x=41, y=30, width=52, height=80),
)
_NUMBER = result.Number("7", 1, 1, 0.9931, doubtful=False, box=result.Box(41, 30, 52, 80), digits=(_DIGIT,))
DIGIT_EXAMPLE = {"source": "seven.png", **_DIGIT.to_dict()}
PAGES_EXAMPLE = {"pages": [result.Reading("seven.png", 1, 140, 140, (_NUMBER,)).to_dict()]}
STEPS_EXAMPLE = {
    "pages": [{"page": 1, "steps": [{"name": "lines", "text": "The 2 lines, ...", "png": "iVBORw0KGgo..."}]}]
}

HEALTH_EXAMPLE = {"status": "ok"}
MODELS_EXAMPLE = {part: {"name": part, "...": "..."} for part in ("classifier", "finder", "lines")}

PICTURE_BODY = {
    "requestBody": {
        "required": True,
        "description": "A picture, as the body or as a form's one field. Its first bytes tell the format.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def answers(model: type[BaseModel], example: Any, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of an operation: its answer with an example, and what can go wrong."""
    success = {"model": model, "content": {"application/json": {"example": example}}}
    return {200: success} | problems(*statuses)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of what can go wrong, each with an example."""
    form = ProblemDetails.model_json_schema()
    return {
        status: {
            "description": _MEANINGS[status][0],
            "content": {
                "application/problem+json": {
                    "schema": form,
                    "example": {
                        "type": "about:blank",
                        "title": HTTPStatus(status).phrase,
                        "status": status,
                        "detail": _MEANINGS[status][1],
                    },
                }
            },
        }
        for status in statuses
    }


PICTURE_PROBLEMS = (400, 401, 408, 413, 415, 422, 503, 504)
_MEANINGS = {
    400: (
        "The request is empty or damaged.",
        "The body is empty. Send the picture as the body, or as the field 'file' of a form.",
    ),
    401: (
        "The token is missing or wrong.",
        "The token is missing or wrong. Send the header 'Authorization: Bearer TOKEN'.",
    ),
    408: (
        "The body came too slowly.",
        "The body came too slowly: 4,096 bytes, then nothing for 10 seconds, or not ...",
    ),
    413: (
        "The body is too large.",
        "The body has 31,457,280 bytes. Accepted: at most 20,000,000 bytes. Send a smaller picture, ...",
    ),
    415: (
        "The file is of a format that is not accepted.",
        "The file is no picture that can be read: it begins with b'<html>'. Accepted: PNG, JPEG, ...",
    ),
    422: (
        "The picture or a parameter can't be used.",
        "The picture is damaged or cut short. Save it again, or take another one.",
    ),
    503: (
        "The service has enough to do; Retry-After says when to ask again.",
        "2 pictures are being read and 256 wait, the most accepted. Ask again after ...",
    ),
    504: (
        "The picture took too long to read.",
        "It was not read after 60 seconds. Send less, or ask again later.",
    ),
}
