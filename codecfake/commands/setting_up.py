"""Commands that complete an installation."""

import argparse

from codecfake.commands.parsing import Commands, command


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    install = command(
        commands, "install-codecs", _install_codecs, "install the codec packages without their declared dependencies",
        "codecfake install-codecs",
    )  # fmt: skip
    install.add_argument("--print", action="store_true", help="only print the pip command", dest="show")
    completion = command(
        commands, "completion", _completion, "print the completion script of a shell",
        "codecfake completion bash > ~/.local/share/bash-completion/completions/codecfake",
    )  # fmt: skip
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"), metavar="SHELL", help="bash, zsh or tcsh")


def _install_codecs(options: argparse.Namespace) -> None:
    import shlex
    import subprocess
    import sys

    from codecfake.base import installation

    words = installation.install_codecs()
    print(shlex.join(words), flush=True)
    if not options.show:
        sys.exit(subprocess.run(words).returncode)


def _completion(options: argparse.Namespace) -> None:
    import shtab

    from codecfake.commands import parser

    print(shtab.complete(parser(), shell=options.shell))
