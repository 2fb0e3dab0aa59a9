"""``python -m inkdigits`` is the command line, as ``inkdigits`` is."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it with a word also while it is still being imported."""
    try:
        from inkdigits import cli
    except KeyboardInterrupt:
        print("Error: Stopped.", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
