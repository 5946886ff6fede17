"""The command line: `codecfake COMMAND --help`, or `python -m codecfake`."""

import logging
import os
import sys

from codecfake import commands
from codecfake.base import usage
from codecfake.base.printing import printable_lines, show_any_name
from codecfake.commands import running


def main(arguments: list[str] | None = None) -> None:
    """Run one command; errors that a user can fix end in one message, without a traceback."""
    show_any_name()
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("codecfake").setLevel(logging.INFO)
    ours, of_snakemake = running.split(sys.argv[1:] if arguments is None else arguments)
    options = commands.parser().parse_args(ours)
    options.of_snakemake = of_snakemake
    try:
        options.run(options)
        if getattr(options, "is_step", False):
            usage.tell()
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (ValueError, OSError, RuntimeError) as error:
        logging.getLogger("codecfake").debug("", exc_info=True)
        sys.exit(printable_lines(f"{type(error).__name__}: {error}"))


if __name__ == "__main__":
    main()
