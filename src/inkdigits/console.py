"""How every command speaks: answers on standard output, all else in sentences on standard error."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import stat
import sys
from collections.abc import Iterator
from typing import IO, Any

import click

from inkdigits.errors import ArgumentError, InkdigitsError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
INTERRUPTED = 130  # the exit status of what Ctrl-C ended


class Failure(click.ClickException):
    """An error as one sentence on standard error: exit status 1 for failure, 2 for misuse."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = exit_code  # a class variable in click


class Command(click.Command):
    """A command whose errors reach people as sentences, and developers as tracebacks if they ask."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(["--quiet"], is_flag=True, help="Print results and errors only."),
            click.Option(["--traceback"], is_flag=True, help="On an error, show where in the code it arose."),
        ]

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Take words for options, and answer ``--help``."""
        with _told_before_a_command():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever it raises ends in a sentence and an exit status."""
        quiet, traceback = ctx.params.pop("quiet"), ctx.params.pop("traceback")
        ctx.obj = (lambda _: None) if quiet else say
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # names are shown as well as the terminal's encoding can
                stream.reconfigure(errors="replace")
        try:
            with _notes(quiet=quiet):
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            # Ctrl-C may also be the cause of an error, while a compiled module is imported.
            if isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
                raise Failure("Stopped.", INTERRUPTED) from None
            unwritable = (
                _unwritable(error) if isinstance(error, OSError) and error.errno in DISK_FULL else None
            )
            if traceback:
                raise
            if unwritable:
                raise unwritable from error
            if isinstance(error, InkdigitsError):
                raise Failure(str(error), 2 if isinstance(error, ArgumentError) else 1) from error
            kind = type(error).__name__
            raise Failure(
                f"Unexpected {kind}: {error}. Run again with --traceback to see where, and please report it."
            ) from error


class Group(click.Group):
    """A group of commands whose help reaches people, or a sentence does."""

    command_class = Command

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Take words for options, and answer ``--help`` and ``--version``."""
        with _told_before_a_command():
            return super().make_context(*args, **kwargs)


@contextlib.contextmanager
def _told_before_a_command() -> Iterator[None]:
    """Say in a sentence what ends the program while it takes its words."""
    try:
        yield
    except KeyboardInterrupt:
        raise Failure("Stopped.", INTERRUPTED) from None
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> Failure:
    """Return what to say where the disk behind standard output is full."""
    # What is left in the buffer goes nowhere, or the interpreter would fail over it once more.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Failure(f"The output can't be written: {error.strerror}.")


def say(sentence: str) -> None:
    """Tell people what is being done, apart from the results."""
    click.echo(sentence, err=True)


def is_quiet() -> bool:
    """Tell whether the command was asked to print results and errors only."""
    return click.get_current_context().obj is not say


def is_terminal(stream: IO[str] | None) -> bool:
    """Tell whether somebody watches a stream; one that was closed before the program began is None."""
    return stream is not None and stream.isatty()


def is_file(stream: IO[str] | None) -> bool:
    """Tell whether a stream goes into a file, so that nobody's screen shows it."""
    try:
        return stream is not None and stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):  # no file at all
        return False


def printable(text: str) -> str:
    """Replace what a terminal can't show: the bytes of a file name that are no text."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


@contextlib.contextmanager
def _notes(*, quiet: bool) -> Iterator[None]:
    """Show what the library remarks on, such as a GIF of which only the first frame is used."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("note: %(message)s"))
    handler.setLevel(logging.ERROR if quiet else logging.WARNING)
    logger = logging.getLogger("inkdigits")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
