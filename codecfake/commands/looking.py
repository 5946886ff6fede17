"""Commands that show the cost of a run, its progress, and the available choices."""

import argparse
import json
from pathlib import Path

from codecfake.base.counts import positive
from codecfake.commands.parsing import Commands, add_file, add_json, add_run, command

DEFAULT_CONFIG = Path("config.yaml")


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    _add_plan(commands)
    _add_watch(commands)
    _add_list(commands)


def _add_plan(commands: Commands) -> None:
    plan = command(
        commands, "plan", _plan, "show the cost of a run: jobs, hours, disk",
        "codecfake plan --experiment xie2025 --optional",
    )  # fmt: skip
    plan.add_argument("--experiment", help="its name or YAML file; by default the one in config.yaml")
    add_run(plan, "the run directory, whose finished files are taken into account")
    add_file(plan, "--config", "the site's config.yaml; by default the current folder's, or else the shipped one")
    plan.add_argument("--optional", action="store_true", help="plan as if all optional corpora were available")
    plan.add_argument("--device", choices=("cpu", "cuda"), help="where networks run; by default as in config.yaml")
    plan.add_argument("--gpu-model", metavar="NAME", help="a GPU of the plan's table, such as A100; by default H200")
    plan.add_argument(
        "--gpus", nargs="+", type=positive, metavar="NUMBER", help="show the wall time on these numbers of GPUs"
    )
    add_file(plan, "--rates", "YAML file of your own rates, as printed by benchmarks/rates.py")
    plan.add_argument("--rate", nargs="+", default=[], help="single rates, NAME=NUMBER", metavar="RATE")
    add_json(plan)


def _add_watch(commands: Commands) -> None:
    watch = command(
        commands, "watch", _watch, "show the progress of a run while it works", "codecfake watch --run runs/xie"
    )
    add_run(watch)
    watch.add_argument("--every", type=float, metavar="SECONDS", help="repeat at this interval until the run ends")


def _add_list(commands: Commands) -> None:
    from codecfake.experiment.listing import KINDS

    parser = command(commands, "list", _list, "list the choices of one kind", "codecfake list checkpoints --json")
    parser.add_argument("kind", choices=tuple(KINDS), metavar="KIND", help=f"one of {', '.join(KINDS)}")
    add_json(parser, "print a JSON list of objects")


def _plan(options: argparse.Namespace) -> None:
    from codecfake.base import installation
    from codecfake.base.validation import read_yaml
    from codecfake.experiment import configuration, site
    from codecfake.running.planning import disk, rates, rendering, run_plan
    from codecfake.running.planning.operations import DEFAULT_GPU

    shipped = installation.workflow_folder() / DEFAULT_CONFIG
    config = read_yaml(options.config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else shipped))
    config |= {"experiment": options.experiment} if options.experiment else {}
    device = options.device or config.get("device", "auto")
    rate_table = rates.load(options.rates, options.rate, options.gpu_model or DEFAULT_GPU)
    base = configuration.folder(config) or Path()
    experiment = site.read_without_corpora(config, base, options.optional)
    folders = {name: base / root for name, root in configuration.plain(config).get("corpora", {}).items() if root}
    plan = run_plan.plan(experiment, options.directory, rate_table, "cpu" if device == "cpu" else "gpu", folders)
    room = plan.to_write(options.directory)
    outcome = (plan, room, options.directory, disk.free_bytes(options.directory), options.gpus or rendering.GPUS)
    print(json.dumps(rendering.as_json(*outcome), indent=2) if options.json else rendering.as_text(*outcome))
    disk.require_room(room, options.directory)


def _watch(options: argparse.Namespace) -> None:
    from codecfake.running.watching.following import watch

    watch(options.directory, options.every)


def _list(options: argparse.Namespace) -> None:
    from codecfake.experiment import listing

    rows = listing.KINDS[options.kind]()
    print(json.dumps(rows, indent=2, ensure_ascii=False) if options.json else listing.as_text(rows))
