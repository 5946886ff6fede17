"""The command line that `codecfake run` hands to Snakemake."""

import sys
from pathlib import Path

import pytest

from codecfake.base import installation
from codecfake.base.validation import ConfigurationError
from codecfake.running import launching
from codecfake.running.launching import Launch, LaunchError


def after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_the_run_s_own_options_come_first_and_snakemake_s_last(tmp_path: Path) -> None:
    words = launching.command(
        Launch(tmp_path, "demo", tmp_path / "run", "3", ["device=cpu"], ["--dry-run", "protocols"])
    )
    assert words[:5] == [sys.executable, "-m", "snakemake", "--snakefile", str(installation.snakefile())]
    assert after(words, "--directory") == str(tmp_path / "run")
    start = words.index("--config") + 1
    assert words[start:] == [
        *(f"relative_to={tmp_path}", "experiment=demo", "device=cpu"),
        *("--cores", "3", "--dry-run", "protocols"),
    ]
    assert "--configfile" not in words


def test_the_current_folder_s_config_is_read_unless_the_run_directory_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("experiment: tiny\n")
    run = tmp_path / "run"
    assert after(launching.command(Launch(tmp_path)), "--configfile") == str(tmp_path / "config.yaml")
    assert after(launching.command(Launch(tmp_path, directory=run)), "--configfile") == str(tmp_path / "config.yaml")
    run.mkdir()
    (run / "config.yaml").write_text("experiment: demo\n")
    assert "--configfile" not in launching.command(Launch(tmp_path, directory=run))


def test_settings_of_the_command_line_win_over_ours(tmp_path: Path) -> None:
    words = launching.command(Launch(tmp_path, config=["relative_to=/data", "experiment=mine.yaml"]))
    assert [word for word in words if word.startswith(("relative_to=", "experiment="))] == [
        "relative_to=/data",
        "experiment=mine.yaml",
    ]


@pytest.mark.parametrize(
    ("launch", "message"),
    [
        (Launch(Path(), config=["xie2025"]), "--config xie2025: write NAME=VALUE"),
        (Launch(Path(), "demo", config=["experiment=tiny"]), "the experiment is already 'demo'"),
        (Launch(Path(), of_snakemake=["--config", "a=b"]), "--config: give --config, --run and the experiment before"),
        (Launch(Path(), of_snakemake=["--directory=x"]), "--directory=x: give"),
    ],
)
def test_what_would_undo_our_options_is_refused(launch: Launch, message: str) -> None:
    with pytest.raises(LaunchError, match=message):
        launching.command(launch)


@pytest.mark.parametrize("folder", [".", "run"])
def test_a_config_that_is_not_yaml_is_named_with_its_line(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "config.yaml").write_text("experiment: demo\n\tdevice: cpu\n")
    with pytest.raises(ConfigurationError, match=r"config.yaml:2: not valid YAML: .*indent with spaces, not with tabs"):
        launching.command(Launch(tmp_path, directory=tmp_path / "run"))


def test_a_run_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(LaunchError, match=r"--run .*run: this is a file; name a folder"):
        launching.command(Launch(tmp_path, directory=tmp_path / "run"))


def test_without_snakemake_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(installation.InstallationError, match=r"pip install 'codecfake\[workflow\]'"):
        launching.command(Launch(Path()))


def test_jobs_find_the_python_of_this_process_first() -> None:
    path = launching.environment({"PATH": "/usr/bin", "HOME": "/home"})
    assert path == {"PATH": f"{Path(sys.executable).parent}:/usr/bin", "HOME": "/home"}
