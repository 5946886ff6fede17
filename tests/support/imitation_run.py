"""An imitation of a run's results, of any size: every file that a report reads, with made-up numbers in it."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from places import PUBLISHED
from safetensors.numpy import save

from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import files
from codecfake.base.utterances import COLUMNS
from codecfake.quality.step import SummarySettings, write_summary
from codecfake.report.inputs import ReportInputs
from codecfake.scoring import verdicts
from codecfake.scoring.calibration import Calibration
from codecfake.scoring.verdicts import DevResult
from codecfake.tables import TableSettings, evaluate
from codecfake.tables.breakdown import write_breakdown
from codecfake.tables.comparisons import write_comparisons
from codecfake.tables.cross import write_cross
from codecfake.tables.error_rates import ErrorRates, write_error_rates
from codecfake.tables.held_out import write_held_out
from codecfake.tables.papers import write_papers
from codecfake.tables.published import Published
from codecfake.tables.taxonomy import write_taxonomy

SAMPLE_RATE = 16000


@dataclass
class ImitationRun:
    """`distance` of model and condition sets the error rate: bona fide and spoof scores lie that far apart."""

    results: Path
    detectors: list[str] = field(default_factory=lambda: ["mel-lcnn", "w2v2-aasist"])
    training_sets: list[str] = field(default_factory=lambda: ["vocoder", "codec"])
    seeds: list[int] = field(default_factory=lambda: [1])
    conditions: dict[str, str] = field(default_factory=lambda: {"C1": "F01", "C7": "F07", "19LA": "A07"})
    corpora: list[str] = field(default_factory=lambda: ["english", "mandarin"])
    codecs: dict[str, str] = field(default_factory=lambda: {"F01": "soundstream", "F07": "dac"})
    random_front_ends: tuple[str, ...] = ("w2v2-aasist",)
    released: dict[str, str] = field(default_factory=dict)  # as in ReportSettings: models beside the trained ones
    held_out: dict[str, list[str]] = field(default_factory=dict)  # as in TableSettings
    trained: dict[str, list[str]] = field(default_factory=dict)
    kinds: dict[str, dict[str, str]] = field(  # as in TableSettings
        default_factory=lambda: {
            "F01": {"quantizer": "rvq", "auxiliary": "none", "decoder": "time"},
            "F07": {"quantizer": "rvq", "auxiliary": "none", "decoder": "frequency"},
        }
    )
    layer_weights: dict[str, list[float]] = field(default_factory=dict)  # tensors in every model's weights
    num_trials: int = 40
    num_epochs: int = 4
    papers: dict[str, str] = field(default_factory=lambda: {"xie2025_table6": "A paper, Table VI: trained on codecs"})
    speech: dict[str, np.ndarray] = field(default_factory=dict)
    measured: dict[str, tuple[str, int]] = field(  # source -> codec and quantizers
        default_factory=lambda: {
            "F01": ("soundstream", 8), "F01-16": ("soundstream", 16), "F07": ("dac", 9), "P00": ("passthrough", 1),
        }
    )  # fmt: skip

    def write(self) -> ReportInputs:
        """Write every file, and say what a report of them should show."""
        self._rng = np.random.default_rng(0)
        for corpus in self.corpora:
            self._write_corpus(corpus)
            for source in ("F00", *self.codecs):
                self._write_shard(corpus, source)
        for codec in self.codecs.values():
            self._write_codec_training(codec)
        self._write_lists_and_models()
        for source in self.measured:
            self._write_quality(source)
        write_summary(
            SummarySettings(list(self.measured), list(self.measured)), self.results / "quality", self.results / "tables"
        )
        error_rates = self._write_error_rates()
        roots, tables = (self.results / "scores", self.results / "protocols/eval"), self.results / "tables"
        write_comparisons(*roots, self._table_settings(), ["vocoder"], tables)
        write_papers(
            Published(PUBLISHED), list(self.papers), error_rates, self.results / "protocols", tables, "Imitation run"
        )
        return self.inputs()

    def write_numbers(self) -> ReportInputs:
        """Write models, scores and the tables of them alone: no audio, codecs, comparisons and papers."""
        self._rng = np.random.default_rng(0)
        self._write_lists_and_models()
        self._write_error_rates()
        return self.inputs()

    def _write_lists_and_models(self) -> None:
        for training_set in self.training_sets:
            attack = "F01" if training_set == "codec" else "A01"
            self._write_protocol(f"{training_set}/train", attack)
        for condition, attack in self.conditions.items():
            self._write_protocol(f"eval/{condition}", attack)
        for model in self.models:
            self._write_model(model)

    def _table_settings(self) -> TableSettings:
        held_out = {"held_out": self.held_out, "trained": self.trained}
        return TableSettings(self.models, list(self.conditions), resamples=200, kinds=self.kinds, **held_out)

    def _write_error_rates(self) -> ErrorRates:
        scores, protocols, tables = (self.results / name for name in ("scores", "protocols/eval", "tables"))
        settings = self._table_settings()
        error_rates = evaluate(scores, protocols, settings)
        write_error_rates(error_rates, tables)
        write_cross(scores, protocols, settings, error_rates, tables)
        write_breakdown(scores, protocols, settings, tables)
        write_held_out(error_rates, settings, tables)
        write_taxonomy(scores, protocols, settings, tables)
        return error_rates

    @property
    def models(self) -> list[str]:
        trained = [f"{d}/{t}/erm/seed{n}" for t in self.training_sets for d in self.detectors for n in self.seeds]
        return [*trained, *self.released]

    def inputs(self) -> ReportInputs:
        return ReportInputs(
            results=self.results,
            title="Imitation run",
            description="Made-up numbers in the places of real ones.",
            models=self.models,
            conditions=list(self.conditions),
            averages={
                "C1–C6": [name for name in self.conditions if name in ("C1", "C2", "C3", "C4", "C5", "C6")],
                "C7": ["C7"],
            },
            training_protocols={name: [f"{name}/train"] for name in self.training_sets},
            corpora=self.corpora,
            protocols=[f"{name}/train" for name in self.training_sets] + [f"eval/{name}" for name in self.conditions],
            sources={corpus: ["F00", *self.codecs] for corpus in self.corpora},
            excerpts={corpus: f"{corpus}_000" for corpus in self.corpora},
            experiment={"title": "Imitation run", "seed": 7, "detectors": {name: {} for name in self.detectors}},
            trained_codecs={source: codec for source, codec in self.codecs.items() if codec != "dac"},
            printed_kbps={"F01": 4.0},
            aliases={"C3-3": "F01"},
            quality=list(self.measured),
            papers=self.papers,
            not_run={"A3": "corpus audiocaps has no root in config.yaml"},
            notes=["All speech here is <synthetic>."],
            released=self.released,
        )

    def _utterances(self, corpus: str) -> list[str]:
        return [f"{corpus}_{number:03d}" for number in range(self.num_trials)]

    def _write_corpus(self, corpus: str) -> None:
        names = self._utterances(corpus)
        table = pd.DataFrame({name: [None] * len(names) for name in COLUMNS})
        table = table.assign(
            utterance_id=names, corpus=corpus, language=corpus[:2], key="bonafide", attack="-", path="x.wav",
            speaker_id=[f"s{number % 5}" for number in range(len(names))], channels=1, sha256="",
            sample_rate=SAMPLE_RATE, num_samples=9 * SAMPLE_RATE,
        )  # fmt: skip
        files.write_parquet(self.results / "corpora" / corpus / "utterances.parquet", table)
        rejected = pd.DataFrame(
            {"path": ["a.wav", "b.wav", "c.wav"], "reason": ["empty", "cannot be decoded", "empty"]}
        )
        files.write_tsv(self.results / "corpora" / corpus / "rejected.tsv", rejected)

    def _write_shard(self, corpus: str, source: str) -> None:
        codec = self.codecs.get(source, "none")
        digest = hashlib.sha256(codec.encode()).hexdigest() if source != "F00" else ""
        provenance = Provenance(codec, 8, 4.0, digest, "0.1.0")
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
        wav = self.speech.get(corpus, tone)
        noise = 0.0 if source == "F00" else 10.0 ** -(1.5 + int(source[-1]) / 4)
        with ShardWriter(self.results / "audio" / corpus / source / "0.tar", f"{source}_", provenance) as shard:
            shard.add(f"{corpus}_000", wav + noise * self._rng.standard_normal(len(wav)), SAMPLE_RATE)

    def _write_codec_training(self, codec: str) -> None:
        folder = self.results / "codecs" / codec
        steps = np.arange(0, 301, 10)
        mel = [3 * np.exp(-step / 100) + 0.8 if step % 50 == 0 else "" for step in steps]
        loss = 9 * np.exp(-steps / 90) + 1 + 0.1 * self._rng.standard_normal(len(steps))
        si_sdr = ["" if distance == "" else 5 - distance for distance in mel]
        history = {"step": steps, "loss": loss, "mel_distance": mel, "si_sdr_db": si_sdr}
        files.write_tsv(folder / "history.tsv", pd.DataFrame(history))
        quality = {
            "state": ["start", "trained"],
            "si_sdr_db": [-31.2, 4.56],
            "mel_distance": [3.8, 0.91],
            "num_utterances": 16,
        }
        files.write_tsv(folder / "quality.tsv", pd.DataFrame(quality))

    def _write_quality(self, source: str) -> None:
        """Sources of longer names are better, but by PESQ and voicing they are worse; a control is perfect."""
        codec, quantizers = self.measured[source]
        rows = []
        for number, utterance in enumerate(self._utterances(self.corpora[0])[:6]):
            step = len(source) * (1 + 0.1 * number)
            values = {
                "pesq": 4 - 0.2 * step, "stoi": 0.1 * step, "estoi": 0.08 * step, "si_sdr_db": step - 5.95,
                "mel_distance": 1 / step, "log_spectral_distance_db": 20 / step, "f0_error_cents": 60 / step,
                "voicing_error": 0.02 * step, "bandwidth_error_hz": 0.0, "bandwidth_hz": 7500.0,
                "bonafide_bandwidth_hz": 7500.0,
            }  # fmt: skip
            if codec == "passthrough":
                values |= {"pesq": 4.644, "si_sdr_db": np.inf}
            texts = {name: f"{value:.6g}" for name, value in values.items()}
            lost = source == "F07" and number == 0
            rows.append(
                {
                    "source": source, "corpus": self.corpora[0], "utterance_id": utterance, "speaker_id": "s1",
                    "codec": codec, "quantizers": quantizers,
                    "bitrate_kbps": 0 if codec == "passthrough" else quantizers / 2,
                    **texts, **({"pesq": ""} if lost else {}), "note": "pesq: no speech found" if lost else "",
                }
            )  # fmt: skip
        files.write_tsv(self.results / "quality" / f"{source}.tsv", pd.DataFrame(rows))

    def _write_protocol(self, name: str, attack: str) -> None:
        rows = [
            {
                "speaker_id": f"{corpus}_s1", "trial_id": utterance if key == "bonafide" else f"{attack}_{utterance}",
                "utterance_id": utterance, "source": "F00" if key == "bonafide" else attack, "key": key,
                "corpus": corpus, "language": corpus[:2], "attack": "-" if key == "bonafide" else attack,
            }
            for key in ("bonafide", "spoof")
            for corpus in self.corpora
            for utterance in self._utterances(corpus)
        ]  # fmt: skip
        files.write_tsv(self.results / "protocols" / f"{name}.tsv", pd.DataFrame(rows))

    def _write_model(self, model: str) -> None:
        detector, training_set, _, _ = model.split("/")
        folder = self.results / "models" / model
        weights = "random" if detector in self.random_front_ends else "none"
        record: dict[str, object] = {"detector": detector, "front_end_weights": weights}
        if model in self.released:
            record["released"] = {"detector": detector, "file": "A.pth", "sha256": "0123456789", "license": "MIT"}
        files.write_text(folder / "settings.json", json.dumps(record))
        tensors = {name: np.array(values, np.float32) for name, values in self.layer_weights.items()}
        (folder / "weights.safetensors").write_bytes(
            save({"model": np.frombuffer(model.encode(), np.uint8), **tensors})
        )
        if model not in self.released:
            self._write_history(folder)
        if self.released.get(model) != "":
            verdicts.write(folder / verdicts.CALIBRATION, DevResult(0.1, 0.2, Calibration(1.5, -0.2, 0.5, 30, 60)))
        for condition, attack in self.conditions.items():
            matched = (attack[0] != "A") == (training_set == "codec")
            distance = (3.3 if matched else 0.4) + 0.6 * self.detectors.index(detector) - 0.25 * int(attack[-1])
            self._write_scores(model, condition, max(distance, -0.1))

    def _write_history(self, folder: Path) -> None:
        epochs = np.arange(1, self.num_epochs + 1)
        best = epochs == self.num_epochs - 1
        loss = 0.6 * np.exp(-epochs / 3)
        history = {
            "epoch": epochs,
            "train_loss": loss,
            "dev_loss": 1.2 * loss + 0.05,
            "dev_eer": loss / 9,
            "learning_rate": 1e-3,
            "is_best": best,
        }
        files.write_tsv(folder / "history.tsv", pd.DataFrame(history))

    def _write_scores(self, model: str, condition: str, distance: float) -> None:
        trials = files.read_tsv(self.results / "protocols/eval" / f"{condition}.tsv")
        centers = np.where(trials["key"] == "bonafide", distance / 2, -distance / 2)
        scores = trials[["trial_id"]].assign(score=centers + self._rng.standard_normal(len(trials)))
        files.write_tsv(self.results / "scores" / model / f"{condition}.tsv", scores)
