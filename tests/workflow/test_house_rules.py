"""Rules that no single module can keep: one set of pins, one direction of imports, no pickles, no addresses."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import import_graph
import pytest
import yaml
from places import ROOT

import codec_wrappers

ENVS = ROOT / "envs"
SOURCES = sorted([*ROOT.glob("codecfake/**/*.py"), *ROOT.glob("codec_wrappers/**/*.py")])
WORKFLOW = sorted([ROOT / "Snakefile", *ROOT.glob("rules/*.smk")])
PICKLES_AS_DATA = ROOT / "codecfake/base/restricted_unpickling.py"  # which calls nothing that a file names

PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")


def pins(path: Path) -> dict[str, str]:
    return {name.lower().replace("_", "-"): version for name, version in PIN.findall(path.read_text(encoding="utf-8"))}


def main_pins() -> dict[str, str]:
    names = ("torch.txt", "requirements.txt", "no-deps.txt", "generators.txt", "optional.txt", "aac.txt")
    return {package: version for name in names for package, version in pins(ENVS / name).items()}


@pytest.mark.parametrize("name", ["codecs.post-deploy.sh", "quality.post-deploy.sh", "data.post-deploy.sh"])
def test_what_is_added_to_an_environment_has_the_pins_of_the_main_one(name: str) -> None:
    ours = pins(ENVS / name)
    assert ours
    assert {package: main_pins()[package] for package in ours} == ours


def test_no_two_files_of_tests_have_one_name() -> None:
    names = sorted(path.name for path in ROOT.glob("tests/**/*.py") if path.name not in ("conftest.py", "__init__.py"))
    assert names == sorted(set(names))  # pytest imports them by their name alone


def test_constraints_hold_every_pin_and_no_address() -> None:
    text = (ENVS / "constraints.txt").read_text(encoding="utf-8")
    resolved = pins(ENVS / "constraints.txt")
    wanted = pins(ENVS / "torch.txt") | pins(ENVS / "requirements.txt") | pins(ENVS / "optional.txt")
    assert {package: resolved.get(package) for package in wanted} == wanted
    assert "://" not in text


def test_torch_and_torchaudio_are_of_one_version() -> None:
    torch = pins(ENVS / "torch.txt")
    assert torch["torch"] == torch["torchaudio"]


def test_every_rule_has_an_environment_that_exists() -> None:
    used = {name for path in WORKFLOW for name in re.findall(r'"\.\./envs/([\w.]+)"', path.read_text(encoding="utf-8"))}
    assert used == {"data.yaml", "codecs.yaml", "detectors.yaml", "quality.yaml"}
    for name in used:
        assert yaml.safe_load((ENVS / name).read_text(encoding="utf-8"))["dependencies"]


RULE = re.compile(r"^( *)rule ?(\w*):\n((?:\1 +.*\n|\n)+)", re.MULTILINE)  # head, and what is indented below it
PATH_OF = r'{}:\n +f?"(.+)",?\n'


def rules() -> dict[str, str]:
    """Name -> text of every rule that has a command; names and paths of generated rules as in the rule's own text."""
    texts = [text.replace("{{", "{").replace("}}", "}") for text in (p.read_text(encoding="utf-8") for p in WORKFLOW)]
    found = [(name, body) for text in texts for _, name, body in RULE.findall(text) if "shell:" in body]
    return {name or re.findall(PATH_OF.format("name"), body)[0]: body for name, body in found}


def test_every_rule_is_found() -> None:
    commands = sum(path.read_text(encoding="utf-8").count(" shell:\n") for path in WORKFLOW)
    assert len(rules()) == commands > 15


@pytest.mark.parametrize("name", rules())
def test_a_job_has_a_log_and_a_record_of_its_time_named_as_its_rule_and_wildcards(name: str) -> None:
    (log,) = re.findall(PATH_OF.format("log"), rules()[name])
    (record,) = re.findall(PATH_OF.format("benchmark"), rules()[name])
    wildcards = r"/(seed)?\{\w+\}(\.(seed)?\{\w+\})*"
    assert re.fullmatch(rf"logs/{re.escape(name)}({wildcards})?\.log", log)
    assert record == log.replace("logs/", "results/benchmarks/").replace(".log", ".tsv")


@pytest.mark.parametrize("name", rules())
def test_a_command_gets_folders_of_results_from_the_files_that_its_rule_names(name: str) -> None:
    """With a storage, they are elsewhere; a cache is local, and no other job reads it."""
    command = rules()[name].partition("shell:\n")[2]
    assert "results" not in re.sub(r"--feature-cache results/features|\{params\.results:q\}|--results", "", command)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_weights_are_loaded_without_running_code(path: Path) -> None:
    tools = {"dill", "joblib"} if path == PICKLES_AS_DATA else {"pickle", "dill", "joblib"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            assert not tools & {name.split(".")[0] for name in names}
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            assert "weights_only=True" in ast.unparse(node)


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_librosa_is_imported_where_one_process_at_a_time_builds_it() -> None:
    for path in SOURCES:
        assert not {name for name in imports(path) if name.split(".")[0] == "librosa"}, f"{path}: see librosa_cache"


# A room imports rooms of earlier lines alone. The wrappers, each a module of its own, are one line.
LAYERS = """
codecfake codecfake/base codecfake/statistics
codecfake/audio/containers codec_wrappers/codec codec_wrappers/settings codec_wrappers/transformers_settings
codecfake/audio codec_wrappers/inference_settings
codec_wrappers codecfake/corpora codecfake/protocols codecfake/demo
codec_wrappers/environment codec_wrappers/networks codec_wrappers/weights
codecfake/detectors
WRAPPERS codec_wrappers/resynthesis codecfake/features
codecfake/generators codecfake/degradation
codec_wrappers/training codec_wrappers/contract codecfake/scoring codecfake/quality codecfake/audit
codecfake/training codecfake/tables codecfake/verification
codecfake/experiment
codecfake/running
codecfake/report codecfake/publishing codec_wrappers/__main__
codecfake/api
codecfake/commands
codecfake/__main__
"""
LAYER = {room: layer for layer, line in enumerate(LAYERS.splitlines()) for room in line.split()}


def layer_of(room: str) -> int:
    return LAYER["WRAPPERS" if room.removeprefix("codec_wrappers/") in codec_wrappers.names() else room]


def test_no_room_is_part_of_a_circle_of_imports() -> None:
    assert import_graph.cycles(import_graph.arrows(ROOT)) == []


def test_imports_go_down_the_layers() -> None:
    for room, targets in import_graph.arrows(ROOT).items():
        assert {target for target in targets if layer_of(target) >= layer_of(room)} == set(), room


def test_the_codec_wrappers_use_only_what_a_codec_environment_holds() -> None:
    graph = import_graph.arrows(ROOT)
    for room in (name for name in graph if name.startswith("codec_wrappers/") and name != "codec_wrappers/__main__"):
        ours = {target for target in graph[room] if target.startswith("codecfake")}
        assert ours <= {"codecfake", "codecfake/base", "codecfake/audio"}, room


@pytest.mark.parametrize(
    "modules",
    [
        "codecfake.corpora.ingest, codecfake.audio.recordings, codecfake.protocols.lists, codecfake.audio.export",
        "codecfake.demo.corpora, codecfake.experiment.site",
        "codecfake.tables, codecfake.quality.step, codecfake.report.page",
    ],
)
def test_corpora_protocols_tables_and_report_need_no_torch(modules: str) -> None:
    code = f"import sys; import {modules}; sys.exit(bool({{'torch', 'transformers', 'encodec'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_processes_that_decode_audio_need_no_pandas() -> None:
    """They are spawned, so that each imports the module of the function that it calls."""
    code = "import sys, codecfake.corpora.inspection, codecfake.scoring.reading; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


# codecs whose names are those of packages, which other parts use and name
ALSO_PACKAGES = {"transformers", "vocos"}


def test_a_codec_of_the_package_is_named_in_its_entry_and_its_module_alone() -> None:
    """Facts about one codec stand in `codecs.yaml`; any list or table of codecs is filled from there."""
    names = set(codec_wrappers.names()) - ALSO_PACKAGES
    settings = {ROOT / f"codec_wrappers/{part}settings.py" for part in ("", "inference_", "transformers_")}
    allowed = {ROOT / "codec_wrappers" / f"{name}.py" for name in names | ALSO_PACKAGES} | settings
    for path in set(SOURCES) - allowed:
        constants = {node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if is_text(node)}
        assert not constants & names, path
    for path in [*WORKFLOW, *ROOT.glob("codecfake/**/*.schema.yaml")]:
        assert not re.findall(rf"['\"\[ ]({'|'.join(names)})['\",\]]", path.read_text(encoding="utf-8")), path


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
