"""Names of what a laundering ladder makes: `F01+noise_20` is the source F01 with noise, `C1+noise_20` its condition.

No name of an experiment file has a `+`, so a degraded source or condition cannot be taken for another one.
"""

MARK = "+"  # between the plain name and the degradation
SEPARATOR = "_"  # between a series of degradations and its value, which may begin with a minus sign
OF = "-"  # between a kind of degradation and the name of what it uses, such as a codec


def series(kind: str, name: str = "") -> str:
    """The name that the steps of a ladder share: `noise`, `codec-dac`."""
    return f"{kind}{OF}{name}" if name else kind


def kind_of(series: str) -> str:
    """The kind of degradation: `codec` for `codec-dac`."""
    return series.partition(OF)[0]


def label(series: str, value: int | str) -> str:
    """The name of a degradation: `noise_20`."""
    return f"{series}{SEPARATOR}{value}"


def parts(label: str) -> tuple[str, str]:
    """The series of a degradation and its value, which has no `_`, while the name of a codec may."""
    name, _, value = label.rpartition(SEPARATOR)
    return name, value


def with_degradation(name: str, degradation: str) -> str:
    """The name of a source or a condition after a degradation; without one (""), its own name."""
    return f"{name}{MARK}{degradation}" if degradation else name


def base_of(name: str) -> str:
    """The plain source or condition: the name itself if it is plain."""
    return name.partition(MARK)[0]


def degradation_of(name: str) -> str:
    """The degradation of a source or a condition; "" if it is plain."""
    return name.partition(MARK)[2]


def plain(names: list[str]) -> list[str]:
    """The names without a degradation, in their order."""
    return [name for name in names if not degradation_of(name)]
