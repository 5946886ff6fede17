"""How well trivial features alone tell the sources of a run apart, as a Markdown table.

    python benchmarks/tracing_shortcuts.py RUN --corpus mandarin --sources F00 F01 F02

Source tracing that is no better than this may have learned levels and bands instead of codecs. The features are those
of the audit, which do not describe speech. The classifier is a linear discriminant (Fisher 1936), trained on three
quarters of the speakers and evaluated on the others, in turn.
"""

import argparse
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from codecfake.audit.features import NAMES
from codecfake.audit.measurement import measure

FOLDS = 4
RIDGE = 1e-3  # on the diagonal of the covariance of standardized features, some of which are equal in all files
GROUPS = {
    "all": NAMES,
    "level": ("rms", "peak", "clipped"),
    "offset and bits": ("dc", "odd_share", "effective_bits", "used_levels"),
    "band": ("bandwidth", "rolloff", "bytes_per_sample"),
    "silence and runs": ("lead_silence", "trail_silence", "head_run", "tail_run", "tail_repeat"),
    "length and header": ("duration", "length_grid", "sample_rate", "bits", "block_size", "header_bytes", "encoder"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run directory with audio")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--sources", nargs="+", required=True)
    options = parser.parse_args()
    features, classes, speakers = read(options.run / "results", options.corpus, options.sources)
    print(f"| features | accuracy (%), chance {100 / len(options.sources):.1f} |\n| --- | --- |")
    for name, group in GROUPS.items():
        columns = [NAMES.index(feature) for feature in group]
        print(f"| {name} | {100 * accuracy(features[:, columns], classes, speakers):.1f} |")


def read(results: Path, corpus: str, sources: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features `[N, D]`, class indices `[N]` and speakers `[N]` of all files of the sources."""
    table = pd.read_parquet(results / f"corpora/{corpus}/utterances.parquet").set_index("utterance_id")
    features, classes, speakers = [], [], []
    for number, source in enumerate(sources):
        for path in sorted((results / f"audio/{corpus}/{source}").glob("*.tar")):
            with tarfile.open(path) as tar:
                for member in tar:
                    file = tar.extractfile(member)
                    assert file is not None
                    features.append(measure(file.read()))
                    classes.append(number)
                    speakers.append(table.loc[Path(member.name).stem.removeprefix(f"{source}_"), "speaker_id"])
    return np.array(features), np.array(classes), np.array(speakers)


def accuracy(features: np.ndarray, classes: np.ndarray, speakers: np.ndarray) -> float:
    """The share of files whose class a discriminant predicts that heard other speakers alone."""
    fold_of = {name: number % FOLDS for number, name in enumerate(np.unique(speakers))}
    folds = np.array([fold_of[name] for name in speakers])
    hits = [
        predict(features[folds != fold], classes[folds != fold], features[folds == fold]) == classes[folds == fold]
        for fold in np.unique(folds)
    ]
    return float(np.concatenate(hits).mean())


def predict(features: np.ndarray, classes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The class with the nearest mean, in the metric of the covariance within classes."""
    center, spread = features.mean(axis=0), features.std(axis=0)
    standard, others = ((part - center) / np.where(spread > 0, spread, 1) for part in (features, others))
    names = np.unique(classes)
    means = np.stack([standard[classes == name].mean(axis=0) for name in names])
    residuals = standard - means[np.searchsorted(names, classes)]
    covariance = residuals.T @ residuals / len(standard) + RIDGE * np.eye(standard.shape[1])
    weights = np.linalg.solve(covariance, means.T)
    return names[(others @ weights - 0.5 * (means.T * weights).sum(axis=0)).argmax(axis=1)]


if __name__ == "__main__":
    main()
