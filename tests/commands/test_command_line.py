"""The command line as people meet it: groups, help, examples, suggestions."""

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

import codec_wrappers.__main__
from codecfake import __version__, commands
from codecfake.__main__ import main
from codecfake.commands import parsing, running
from codecfake.experiment import listing

TOP = commands.parser()
CODECS = {parser.prog: parser for parser in parsing.parsers(codec_wrappers.__main__._parser())}
PARSERS = {parser.prog: parser for parser in parsing.parsers(TOP)}
STEPS = {name: parser for name, parser in PARSERS.items() if name.startswith("codecfake step ")}
FOR_PEOPLE = {name: parser for name, parser in PARSERS.items() if not name.startswith("codecfake step")}


@pytest.mark.parametrize("name", PARSERS | CODECS)
def test_every_option_and_argument_has_a_help_text(name: str) -> None:
    for action in (PARSERS | CODECS)[name]._actions:
        assert action.help and action.help.strip() and action.help != argparse.SUPPRESS, action.dest


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_every_command_for_people_ends_with_examples_that_it_understands(name: str) -> None:
    epilog = FOR_PEOPLE[name].epilog
    assert epilog is not None
    block = re.search(r"^examples?:\n((?:  .+(?:\n|\Z))+)", epilog, re.MULTILINE)
    assert block is not None
    for example in map(str.strip, block[1].splitlines()):
        assert example.startswith(name)
        words, _ = running.split(shlex.split(example.partition(" > ")[0])[1:])
        assert TOP.parse_args(words).parser is FOR_PEOPLE[name]


def test_the_examples_of_the_main_help_are_understood() -> None:
    examples = re.findall(r"^  codecfake (.+?)(?:   .*)?$", TOP.epilog or "", re.MULTILINE)
    assert len(examples) == 3
    for example in examples:
        TOP.parse_args(shlex.split(example))


def test_the_main_help_lists_every_command_for_people_in_a_group_and_no_step() -> None:
    text = TOP.format_help()
    names = re.findall(r"^  ([a-z][a-z-]+) {2,}", text, re.MULTILINE)
    assert [f"codecfake {name}" for name in names] == list(FOR_PEOPLE)
    assert re.findall(r"^([a-z ]+):$", text, re.MULTILINE)[1:-1] == list(commands.GROUPS)


@pytest.mark.parametrize("name", PARSERS)
def test_help_names_the_default_of_every_option_that_has_one(name: str) -> None:
    text = " ".join(PARSERS[name].format_help().split())
    for action in PARSERS[name]._actions:
        none = action.default in (None, False, argparse.SUPPRESS, "") or action.default == []
        if action.option_strings and not none:
            assert "default" in text.partition(f" {action.option_strings[0]}")[2], action.dest


def test_every_rule_calls_a_step_that_exists_with_options_that_it_has() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules").glob("*.smk")))
    shells = re.findall(r'shell:\n((?: +"[^\n]*"\n)+)', text)
    lines = [" ".join(re.findall(r'"([^"]*)"', shell)) for shell in shells]
    ours = [line for line in lines if line.startswith("python -m codecfake ")]
    assert len(ours) > 10
    for line in ours:
        step = re.match(r"python -m codecfake step ([\w-]+)", line)
        assert step, line
        parser = STEPS[f"codecfake step {step[1]}"]
        assert isinstance(parser, parsing.Parser)
        assert set(re.findall(r" (--[\w-]+)", line)) <= set(parser.option_names()), line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plam"], "unknown command 'plam'; did you mean 'plan'?"),
        (["nothing-like-it"], "unknown command 'nothing-like-it'; choose from run, demo, "),
        (["plan", "--exeriment", "demo"], "unknown argument '--exeriment'; did you mean '--experiment'?"),
        (["list", "codec"], "unknown kind 'codec'; did you mean 'codecs'?"),
        (["step", "ingst"], "unknown step 'ingst'; did you mean 'ingest'?"),
        (["score", "a.wav", "--model", "m", "--device", "gpu"], "unknown device 'gpu'; did you mean 'cpu'?"),
        (["watch", "--ru", "x"], "unknown argument '--ru'; did you mean '--run'?"),  # and no abbreviation
    ],
)
def test_a_mistyped_word_is_answered_with_the_one_that_was_meant(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert "--help`" in error


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"codecfake {__version__}\n"


@pytest.mark.parametrize("kind", [kind for kind in listing.KINDS if kind != "models"])  # of which there may be none
def test_a_list_has_the_same_names_for_people_and_for_programs(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["list", kind])
    text = capsys.readouterr().out
    main(["list", kind, "--json"])
    names = [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert len(names) >= 3
    assert names == [line.split()[0] for line in text.splitlines()[2:]]


def test_experiments_of_the_current_folder_are_listed_among_those_that_are_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "mine.yaml").write_text("title: Mine\n")
    monkeypatch.chdir(tmp_path)
    main(["list", "experiments", "--json"])
    rows = {row["name"]: row["title"] for row in json.loads(capsys.readouterr().out)}
    assert rows["mine"] == "Mine"
    assert "xie2025" in rows


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_the_commands_and_their_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    main(["completion", shell])
    script = capsys.readouterr().out
    assert "import-checkpoint" in script
    assert "--bonafide-digit" in script
    assert "ingest" not in script  # steps are out of sight


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_help_and_the_parsing_of_every_command_import_nothing_heavy() -> None:
    loaded = python("import sys; from codecfake import commands; commands.parser().format_help(); print(*sys.modules)")
    heavy = {"torch", "numpy", "pandas", "yaml", "snakemake", "matplotlib", "scipy", "tqdm", "shtab"}
    assert heavy & set(loaded.split()) == set()


def test_a_pipe_that_is_closed_early_is_no_error() -> None:
    lines = [sys.executable, "-m", "codecfake", "list", "checkpoints"]
    with subprocess.Popen(lines, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_the_codec_packages_are_installed_by_one_line_that_can_be_read_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["install-codecs", "--print"])
    words = shlex.split(capsys.readouterr().out)
    assert words[:5] == [sys.executable, "-m", "pip", "install", "--no-deps"]
    assert "funcodec==" in Path(words[-1]).read_text(encoding="utf-8")
