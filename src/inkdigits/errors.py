"""Everything inkdigits raises on purpose, in one tree.

InkdigitsError            catch this one to catch them all
    ArgumentError         a parameter has a value that is not accepted (also a ValueError)
    PictureError          a picture can't be opened, decoded or is larger than the limit
    ModelError            a model folder is missing, damaged, foreign or of another schema
    DataError             MNIST or a folder of labeled pictures can't be found or verified
    RunError              a run folder can't be written, resumed or overwritten
    ExportError           a trained network and its exported file don't give the same numbers
    MissingExtraError     an optional part of inkdigits is not installed

Each message says what failed, what was received, what is accepted and what to do next.
"""


class InkdigitsError(Exception):
    """Base class of every error that inkdigits raises on purpose."""


class ArgumentError(InkdigitsError, ValueError):
    """A parameter has a value that is not accepted."""


class PictureError(InkdigitsError):
    """A picture can't be opened, decoded or is larger than the limit."""


class ModelError(InkdigitsError):
    """A model folder is missing, damaged, foreign or of another schema."""


class DataError(InkdigitsError):
    """MNIST or a folder of labeled pictures can't be found or verified."""


class RunError(InkdigitsError):
    """A run folder can't be written, resumed or overwritten."""


class ExportError(InkdigitsError):
    """A trained network and its exported file don't give the same numbers."""


class MissingExtraError(InkdigitsError, ImportError):
    """An optional part of inkdigits is not installed."""
