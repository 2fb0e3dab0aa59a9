"""What reading gives back: small frozen values with one dictionary form.

The dictionaries are the same everywhere: in ``--json``, in files and in answers over the network.
A result never holds the picture it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle of pixels: top left corner, width and height.

    Example:
        >>> Box(x=4, y=8, width=20, height=30).to_list()
        [4, 8, 20, 30]
    """

    x: int
    y: int
    width: int
    height: int

    def to_list(self) -> list[int]:
        """Return ``[x, y, width, height]`` in pixels, the form used in JSON."""
        return [self.x, self.y, self.width, self.height]

    @classmethod
    def from_list(cls, values: list[int]) -> Self:
        """Make a box from ``[x, y, width, height]``."""
        x, y, width, height = values
        return cls(x, y, width, height)


@dataclass(frozen=True, slots=True)
class Digit:
    """One handwritten digit, as the network sees it.

    Attributes:
        value: 0 to 9, always the best guess; None only where there is no ink.
        confidence: calibrated probability that ``value`` is right, 0 to 1.
        doubtful: True where the confidence is below the model's threshold (on its card).
        probabilities: ten calibrated probabilities, of 0 to 9; they add up to 1.
        box: where the ink is, in pixels of the upright picture; None where there is no ink.

    Example:
        >>> Digit.blank().value is None
        True
    """

    value: int | None
    confidence: float
    doubtful: bool
    probabilities: tuple[float, ...]
    box: Box | None

    @classmethod
    def blank(cls) -> Self:
        """Return the answer to a picture without ink: no value, no confidence."""
        return cls(value=None, confidence=0.0, doubtful=True, probabilities=(0.1,) * 10, box=None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: value, confidence, doubtful, probabilities, box."""
        return {
            "value": self.value,
            "confidence": self.confidence,
            "doubtful": self.doubtful,
            "probabilities": list(self.probabilities),
            "box": self.box.to_list() if self.box else None,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a digit from what ``to_dict`` returned."""
        return cls(
            value=values["value"],
            confidence=values["confidence"],
            doubtful=values["doubtful"],
            probabilities=tuple(values["probabilities"]),
            box=Box.from_list(values["box"]) if values["box"] else None,
        )
