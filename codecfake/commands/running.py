"""Commands about a whole run: what it will take, how far it is, whether what it made is still whole."""

import argparse
import json
import os
import shlex
import sys
from pathlib import Path

from codecfake.commands.parsing import Commands, command


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    plan = command(commands, "plan", _plan, "what a run will take: jobs, hours, disk", settings=False)
    plan.add_argument("--config", type=Path, default=Path("config.yaml"), help="the site, as Snakemake reads it")
    plan.add_argument("--experiment", help="another experiment than the site's")
    plan.add_argument("--directory", type=Path, default=Path(), help="the run directory: what is made there is counted")
    plan.add_argument("--optional", action="store_true", help="as if all optional corpora were there")
    plan.add_argument("--device", choices=("cpu", "cuda"), help="where networks run; by default where the site says")
    plan.add_argument("--rates", type=Path, help="YAML of rates of your own, as benchmarks/rates.py prints them")
    plan.add_argument("--rate", nargs="+", default=[], help="single ones, NAME=NUMBER", metavar="RATE")
    plan.add_argument("--json", action="store_true", help="print one JSON object")

    watch = command(commands, "watch", _watch, "show how far a run is, from beside it", settings=False)
    watch.add_argument("--directory", type=Path, default=Path(), help="the run's, as given to Snakemake")
    watch.add_argument("--every", type=float, metavar="SECONDS", help="show it again and again until the run ends")

    check = command(commands, "check", _check, "hold all that is finished to its digests; 1 if damaged", settings=False)
    check.add_argument("--results", type=Path, default=Path("results"))
    check.add_argument(
        "--delete", action="store_true", help="delete what is damaged, for the workflow to make it again"
    )
    check.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that read a shard each")


def _plan(options: argparse.Namespace) -> None:
    from codecfake.base.validation import read_yaml
    from codecfake.running.planning import costs, rates, rendering

    config = read_yaml(options.config)
    config |= {"experiment": options.experiment} if options.experiment else {}
    device = options.device or config.get("device", "auto")
    known = rates.given(rates.shipped(), options.rates, options.rate)
    base = Path(__file__).parents[2]
    experiment = costs.planned(config, base, options.optional)
    roots = {name: base / root for name, root in (config.get("corpora") or {}).items() if root}
    plan = costs.plan(experiment, options.directory, known, "cpu" if device == "cpu" else "gpu", roots)
    needed = costs.left(plan, options.directory)
    outcome = (plan, needed, options.directory, costs.free_bytes(options.directory))
    print(json.dumps(rendering.as_json(*outcome), indent=2) if options.json else rendering.as_text(*outcome))
    costs.require_room(needed, options.directory)


def _watch(options: argparse.Namespace) -> None:
    from codecfake.running.watching.following import watch

    watch(options.directory, options.every)


def _check(options: argparse.Namespace) -> None:
    from codecfake.running.check import check, delete

    damages = list(check(options.results, options.workers))
    for damage in damages:
        print(f"{damage.path}: {damage.what}")
    if not damages:
        print(f"{options.results}: all that is finished is what was written")
    elif options.delete:
        gone = [path.relative_to(options.results.parent) for path in delete(damages)]
        print("\nDeleted. To make it again, and nothing else (add the --config of your run, if it had one):")
        print(f"snakemake --directory {shlex.quote(str(options.results.parent))} -- {shlex.join(map(str, gone))}")
    else:
        sys.exit(f"{len(damages)} damaged; --delete deletes what is to be made again")
