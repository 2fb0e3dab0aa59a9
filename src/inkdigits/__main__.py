"""``python -m inkdigits`` is the command line."""

from inkdigits.cli import main

main()
