"""``python -m inkdigits`` is the command line, as ``inkdigits`` is."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it with a word also while it is still being imported."""
    try:
        from inkdigits import cli
    except KeyboardInterrupt:
        if sys.stderr is not None:  # or it would be printed as a result
            sys.stderr.write("Error: Stopped.\n")
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
