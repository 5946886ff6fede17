"""The command line behind the workflow's rules: `python -m codecfake COMMAND --help`."""

import argparse
import logging
import sys

from codecfake import commands


def main(arguments: list[str] | None = None) -> None:
    """Run one command; errors that a user can mend end in one message, without a traceback."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("codecfake").setLevel(logging.INFO)
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError, RuntimeError) as error:
        logging.getLogger("codecfake").debug("", exc_info=True)
        sys.exit(f"{type(error).__name__}: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codecfake", description=__doc__)
    commands.add_all(parser.add_subparsers(required=True, metavar="COMMAND"))
    return parser


if __name__ == "__main__":
    main()
