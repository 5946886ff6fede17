"""`codecfake publish`: writes and checks, and says what is withheld and how to correct a command."""

from pathlib import Path

import pytest

from codecfake.__main__ import main


def test_a_run_is_published_and_checked(finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "to"
    choices = ["--form", "audiofolder", "--licenses", "Apache-2.0", "--experiment", "tiny"]
    main(["publish", str(finished_run), "--to", str(to), *choices])
    output = capsys.readouterr().out
    assert f"32 clips written to {to}" in output
    assert "withheld: english/F01, 8 clips: license MIT and CC-BY-NC-4.0 is not among those to publish" in output
    main(["publish", "--check", str(to)])
    assert f"{to}: no faults" in capsys.readouterr().out
    (to / "README.md").write_text("", encoding="utf-8")
    with pytest.raises(SystemExit, match="faults in"):
        main(["publish", "--check", str(to)])
    assert "count: C1/eval: 0 bonafide clips, but publication.json says 4" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["RUN"], ["--to", "DIR"], ["--check", "DIR", "--to", "DIR"], ["--push", "OWNER/NAME"]]
)
def test_an_incomplete_command_says_what_to_give(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["publish", *arguments])
    assert "give RUN and --to DIR, or --check DIR alone, or --to DIR and --push OWNER/NAME" in capsys.readouterr().err


def test_a_mistyped_form_or_license_is_told(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["publish", str(finished_run), "--to", str(tmp_path), "--form", "webdatset"])
    assert "unknown form 'webdatset'; did you mean 'webdataset'?" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="--corpus-license x: write KEY=VALUE, e.g. vctk=CC-BY-4.0"):
        main(["publish", str(finished_run), "--to", str(tmp_path), "--experiment", "tiny", "--corpus-license", "x"])
