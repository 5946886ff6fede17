"""Checks before the first job that all packages that the jobs import are installed."""

from collections.abc import Collection, Iterable, Mapping
from importlib import metadata

from codecfake.base import installation
from codecfake.degradation.settings import Kind

# prefixes of the rules that run a codec; each is named after its codec
CODECS, SECOND_CODECS = "resynthesize_", "degrade_through_"
GENERATORS = "generate_"  # the same of generators
# rule -> the extra of the package that its job needs, and distributions whose presence shows that it is installed
NEEDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    CODECS: ("codecs", ("torch", "torchaudio", "safetensors", "einops")),
    SECOND_CODECS: ("codecs", ("torch", "torchaudio", "safetensors", "einops")),
    GENERATORS: ("codecs", ("torch", "torchaudio", "safetensors", "einops")),
    "train_codec": ("codecs", ("torch", "torchaudio", "safetensors", "einops")),
    "extract_features": ("detectors", ("torch", "transformers", "safetensors")),
    "train_detector": ("detectors", ("torch", "transformers", "safetensors")),
    "import_detector": ("detectors", ("torch", "transformers", "safetensors")),
    "calibrate_detector": ("detectors", ("torch", "transformers", "safetensors")),
    "score": ("detectors", ("torch", "transformers", "safetensors")),
    "train_tracer": ("detectors", ("torch", "transformers", "safetensors")),
    "score_segments": ("detectors", ("torch", "transformers", "safetensors")),
    "trace": ("detectors", ("torch", "transformers", "safetensors")),
    "degrade": ("aac", ()),  # and the packages of its kinds
    "quality": ("quality", ("librosa", "pystoi")),
    "audit": ("report", ("scikit-learn",)),
    "synthesize_demo": ("workflow", ("espeakng-loader", "librosa", "pyworld-prebuilt")),
}


def missing(
    rules: Collection[str],
    codec_packages: Iterable[str],
    generator_packages: Iterable[str] = (),
    degradations: Iterable[Kind] = (),
) -> list[str]:
    """A line for each extra or package that is not installed, with the command that installs it.

    `rules` are those with jobs in this run, `codec_packages` and `generator_packages` the distributions of its codecs
    and generators, `degradations` the kinds of its laundering ladders.
    """
    by_extra = {_extra(rule): names for rule in rules if (names := _absent(_needs(rule)[1]))}
    lines = [
        f"{', '.join(names)}: not installed; run `pip install 'codecfake[{extra}]'`"
        for extra, names in by_extra.items()
    ]
    if any(rule.startswith(GENERATORS) for rule in rules) and (names := _absent(sorted(set(generator_packages)))):
        lines.append(f"{', '.join(names)}: not installed; run `pip install 'codecfake[generators]'`")
    extras = {kind.package: kind.extra for kind in degradations if kind.package and "degrade" in rules}
    lines += [f"{name}: not installed; run `pip install 'codecfake[{extras[name]}]'`" for name in _absent(extras)]
    if any(_extra(rule) == "codecs" for rule in rules):
        lines += [f"{name}: not installed; run `{_remedy(name)}`" for name in _absent(sorted(set(codec_packages)))]
    return lines


def _remedy(package: str) -> str:
    ours = package in installation.codec_packages()
    return "codecfake install-codecs" if ours else f"pip install {package}"


def _extra(rule: str) -> str:
    return _needs(rule)[0]


def _needs(rule: str) -> tuple[str, tuple[str, ...]]:
    prefix = next((prefix for prefix in (CODECS, SECOND_CODECS, GENERATORS) if rule.startswith(prefix)), rule)
    return NEEDS.get(prefix, ("", ()))


def _absent(names: Iterable[str]) -> list[str]:
    return [name for name in names if not _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True
