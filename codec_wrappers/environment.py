"""The conda environment of a codec outside the package whose packages do not live with ours."""

from pathlib import Path

from codec_wrappers import CodecError, entry, module_of
from codecfake.base import plugins

SUFFIXES = (".yaml", ".yml")


def environment_of(wrapper: str) -> Path | None:
    """The environment file that the codec's entry names, beside its module; None: the package's own environment.

    Snakemake uses it with `--use-conda` alone. Raises CodecError if there is no such file, and the errors of `entry`.
    """
    name = entry(wrapper).environment
    if name is None or not plugins.is_outside(wrapper):
        return None
    path = Path(str(module_of(wrapper).__file__)).parent / name
    if path.suffix not in SUFFIXES or not path.is_file():
        raise CodecError(f"{wrapper}: ENTRY: environment: there is no file {path} (.yaml); add it, or correct the name")
    return path
