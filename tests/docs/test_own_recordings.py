"""docs/own-recordings.md, carried out: its table is read, and its experiment passes all checks before the jobs."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from places import ROOT
from whole_runs import jobs_by_rule, snakemake

from codecfake.corpora import listed

PAGE = (ROOT / "docs/own-recordings.md").read_text(encoding="utf-8")
EXPERIMENT, SITE = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder with the table of the page, and what it lists."""
    (table,) = re.findall(r"^```\n(path,.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    root = tmp_path / "ours"
    for line in table.splitlines()[1:]:
        path = root / line.partition(",")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * np.sin(np.arange(16_000) / 10), 16_000)
    (root / "list.csv").write_text(table, encoding="utf-8")
    return root


def test_the_table_of_the_page_is_read(recordings: Path) -> None:
    corpus = listed.utterances(recordings, yaml.safe_load(EXPERIMENT)["corpora"]["ours"]["options"])
    assert [one.speaker_id for one in corpus.utterances] == ["anna", "anna", "ben"]
    assert {(one.key, one.language) for one in corpus.utterances} == {("bonafide", "en")}
    assert corpus.rejections == ()


@pytest.mark.long
def test_the_experiment_of_the_page_passes_every_check_before_the_first_job(recordings: Path, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(EXPERIMENT, encoding="utf-8")
    roots = yaml.safe_load(SITE)["corpora"]
    assert list(roots) == ["ours"]
    config = ("device=cpu", f"corpora={{ours: {recordings}}}")
    process = snakemake(tmp_path / "run", tmp_path / "own.yaml", "all", options=("--dry-run",), config=config)
    assert process.returncode == 0, process.stdout + process.stderr
    assert jobs_by_rule(process.stdout + process.stderr)["ingest_corpus"] == 1
