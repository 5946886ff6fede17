"""Common parts of all commands: help with defaults and examples, and errors with a hint."""

import argparse
import difflib
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NoReturn

from codecfake.base.counts import count
from codecfake.base.home import expand_options

Commands = Any  # argparse's own class is not public
DEVICES = ("cpu", "cuda", "auto")


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help that keeps the lines of examples and shows every default."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        has_default = "%(default)" in text or "default" in text
        if action.default in (None, False, argparse.SUPPRESS, "") or action.default == [] or has_default:
            return text
        return f"{text} (default: %(default)s)"


class Parser(argparse.ArgumentParser):
    """A parser that accepts no abbreviations and suggests corrections of mistyped words."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"formatter_class": HelpFormatter, "allow_abbrev": False, **settings})

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> argparse.Namespace:  # type: ignore[override]
        """Like argparse, but for an unknown option it suggests the most similar one."""
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parser: Parser = getattr(options, "parser", self)
            parser.error(f"unknown argument {unknown[0]!r}{did_you_mean(unknown[0], parser.option_names())}")
        return expand_options(options)

    def option_names(self) -> list[str]:
        """Every option of this command, as typed."""
        return [name for action in self._actions for name in action.option_strings if name.startswith("--")]

    def error(self, message: str) -> NoReturn:
        """Exit with status 2, the message and a reference to the help."""
        self.exit(2, f"{self.prog}: {message}\nSee `{self.prog} --help`.\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            kind = action.metavar if isinstance(action.metavar, str) else action.dest
            raise argparse.ArgumentError(
                None, f"unknown {kind.lower()} {value!r}{did_you_mean(str(value), choices) or _choices(choices)}"
            )


def did_you_mean(word: str, choices: Collection[str]) -> str:
    """`; did you mean 'x'?`, or nothing if no choice is similar."""
    near = difflib.get_close_matches(word.split("=")[0], list(choices), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], None], text: str, *examples: str
) -> argparse.ArgumentParser:
    """A command for people: it calls `run` with its options, and its help ends with the examples."""
    title = "example" if len(examples) == 1 else "examples"
    lines = "".join(f"\n  {example}" for example in examples)
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=_sentence(text), epilog=f"{title}:{lines}"
    )
    parser.set_defaults(run=run, parser=parser)
    return parser


def step(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], None], text: str, settings: bool = True
) -> argparse.ArgumentParser:
    """A command that a rule of the workflow calls; `settings`: whether it needs the step's settings as JSON."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=_sentence(text))
    parser.set_defaults(run=run, parser=parser)
    if settings:
        parser.add_argument("--settings", required=True, help="the step's settings as a JSON object", metavar="JSON")
    return parser


def add_run(parser: argparse.ArgumentParser, text: str = "the run directory") -> None:
    """Add the option for a run directory, which has the same name everywhere."""
    from pathlib import Path

    parser.add_argument("--run", type=Path, default=Path(), help=text, metavar="DIR", dest="directory")


def add_json(parser: argparse.ArgumentParser, text: str = "print one JSON object") -> None:
    """Add the option for output that programs read."""
    parser.add_argument("--json", action="store_true", help=text)


def add_file(parser: argparse.ArgumentParser, name: str, text: str, **settings: Any) -> None:
    """Add an option or argument for a file, or for several with `nargs`."""
    from pathlib import Path

    parser.add_argument(name, type=Path, help=text, **{"metavar": "FILE", **settings})


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add options for the device of networks."""
    _add_device(parser)
    parser.add_argument("--threads", type=count, default=os.cpu_count() or 1, help="threads on a CPU")


def add_job(parser: argparse.ArgumentParser, several_gpus: bool = False) -> None:
    """Add options for the device of a job's networks, as the workflow sets them."""
    _add_device(parser)
    rule: dict[str, Any] = {"type": count} if several_gpus else {"type": int, "choices": (0, 1)}
    parser.add_argument("--gpus", help="GPUs that the workflow assigns to this job", **rule)
    parser.add_argument("--threads", type=int, default=1, help="threads on a CPU")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", choices=DEVICES, help="where networks run")


def key_values(option: str, items: Sequence[str], example: str) -> dict[str, Any]:
    """Items `KEY=VALUE` of an option, the values as YAML. Raises ValueError, with the example, for another form."""
    import yaml

    for item in items:
        if "=" not in item:
            raise ValueError(f"{option} {item}: write KEY=VALUE, e.g. {example}")
    return {item.partition("=")[0]: yaml.safe_load(item.partition("=")[2]) for item in items}


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser of every command below this one."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield below
                yield from parsers(below)


def _choices(choices: Collection[str]) -> str:
    return f"; choose from {', '.join(choices)}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
