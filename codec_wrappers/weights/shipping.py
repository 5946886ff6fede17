"""Copies the codecs that a run of `experiments/demo-weights.yaml` trained into the package, each with a card."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from codec_wrappers.weights import shipped
from codec_wrappers.weights.checkpoints import WEIGHTS
from codecfake.base import files

SUFFIX = "-small"  # of names in the package: encodec becomes encodec-small
COPIED = (WEIGHTS, "history.tsv", "quality.tsv", shipped.SETTINGS)
CREDITS = Path(__file__).with_name("shipped") / "credits.md"
METRICS = {
    "pesq": "PESQ",
    "si_sdr_db": "SI-SDR (dB)",
    "mel_distance": "mel distance",
    "f0_error_cents": "F0 error (cents)",
    "voicing_error": "voicing error",
}


def ship(run: Path, target: Path) -> list[str]:
    """Copy every codec of the run directory `run` into a folder of `target`; returns the names of the folders.

    Raises FileError for a codec whose files are damaged, and ShippedError if the run has no codecs or no measures.
    """
    codecs = sorted(path.parent for path in (run / "results/codecs").glob(f"*/{WEIGHTS}"))
    tables = [files.read_tsv(path) for path in sorted((run / "results/quality").glob("*.tsv"))]
    if not codecs or not tables:
        raise shipped.ShippedError(f"{run}: no trained codecs, or no results/quality; finish the run first")
    quality = pd.concat(tables)
    return [_ship(codec, quality[quality["codec"] == codec.name], target) for codec in codecs]


def _ship(codec: Path, quality: pd.DataFrame, target: Path) -> str:
    name = codec.name + SUFFIX
    folder = target / name
    folder.mkdir(parents=True, exist_ok=True)
    for each in COPIED:
        files.require_seal(codec / each)
        shutil.copyfile(codec / each, folder / each)
        files.seal(folder / each)
    files.write_text(folder / shipped.CARD, "\n".join(_card(name, folder, quality)) + "\n")
    return name


def _experiment(settings: Mapping[str, Any]) -> str:
    """The experiment that trained the weights, with the digest of those that it started from."""
    if settings.get("start_from") is None:
        return "`experiments/demo-weights.yaml`"
    return f"`experiments/demo-weights-continued.yaml`, from the weights {settings['start_from']} of `demo-weights`,"


def _card(name: str, folder: Path, quality: pd.DataFrame) -> Iterator[str]:
    settings = files.read_json(folder / shipped.SETTINGS)
    recipe = settings["resolved_recipe"]
    yield f"# {name}\n"
    yield (
        f"A small {settings['wrapper']}, trained for {recipe['steps']} steps by {_experiment(settings)} with "
        f"the seed {settings['seed']}; it is not the published model. The whole recipe is in `settings.json`, the "
        f"course of the training in `history.tsv`.\n"
    )
    yield f"- sha256 of the weights: {files.sha256(folder / WEIGHTS)}"
    yield f"- size: {(folder / WEIGHTS).stat().st_size / 1e6:.2f} MB, {settings['stored']}"
    yield f"- license: {shipped.LICENSE}\n"
    yield "## Quality\n"
    yield from _measures(quality)
    yield "\n## Recordings\n"
    yield CREDITS.read_text(encoding="utf-8").strip()


def _measures(quality: pd.DataFrame) -> Iterator[str]:
    speakers, utterances = quality["speaker_id"].nunique(), quality["utterance_id"].nunique()
    yield (
        f"Medians over {utterances} recordings of VCTK and AISHELL-3 by {speakers} speakers; neither the speakers nor "
        f"the corpora were in the training.\n"
    )
    yield "| quantizers | kbit/s | " + " | ".join(METRICS.values()) + " |"
    yield "|" + " ---: |" * (len(METRICS) + 2)
    keys = (*METRICS, "bitrate_kbps", "quantizers")
    numbers = quality.assign(**{key: quality[key].replace("", "nan").astype(float) for key in keys})  # "": no value
    for (quantizers, kbps), rows in numbers.groupby(["quantizers", "bitrate_kbps"]):
        cells = [f"{rows[key].median():.3g}" for key in METRICS]
        yield f"| {quantizers:.0f} | {kbps:g} | " + " | ".join(cells) + " |"
