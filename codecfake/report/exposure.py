"""What a training set knows of the spoofs of a condition: their source, only its codec, or neither."""

from collections.abc import Mapping
from dataclasses import dataclass

from codecfake.base import files
from codecfake.protocols.lists import RECORDINGS
from codecfake.report.answer import attacks_of
from codecfake.report.inputs import ReportInputs
from codecfake.report.materials import CodecRow

IN_TRAINING, OTHER_SETTINGS, NEVER = "seen", "other-settings", "never"
UNKNOWN = "unknown"  # of released detectors whose training data the experiment does not name


@dataclass(frozen=True)
class Spoofs:
    """The spoofs of a list of trials."""

    attacks: frozenset[str]
    codecs: frozenset[str]  # of the attacks that a codec coded
    others: frozenset[str]  # attacks without a codec: vocoders, text to speech, controls
    others_coded: bool = False  # whether codecs coded all spoofs of these attacks afterwards

    @property
    def all_coded(self) -> bool:
        return bool(self.codecs) and not self.others


@dataclass(frozen=True)
class Exposure:
    """The spoofs of every training set that is known, and of every condition, in their order."""

    trained: Mapping[str, Spoofs]
    evaluated: Mapping[str, Spoofs]

    def of(self, training_set: str, condition: str) -> str:
        """IN_TRAINING: the same source; OTHER_SETTINGS: its codec at another bit rate or with other weights; NEVER; or
        UNKNOWN.
        """
        if training_set not in self.trained:
            return UNKNOWN
        training, spoofs = self.trained[training_set], self.evaluated[condition]
        if training.attacks & spoofs.attacks:
            return IN_TRAINING
        return OTHER_SETTINGS if training.codecs & spoofs.codecs else NEVER

    def of_all(self, training_set: str, conditions: tuple[str, ...]) -> str:
        """The same for several conditions; "" where they differ."""
        kinds = {self.of(training_set, condition) for condition in conditions}
        return kinds.pop() if len(kinds) == 1 else ""

    def codec_conditions(self, training_set: str = "", kind: str = "") -> tuple[str, ...]:
        """Conditions with codec fakes alone, each set of attacks once; only those of a kind, if one is given."""
        first_of: dict[frozenset[str], str] = {}
        for name, spoofs in self.evaluated.items():
            if spoofs.all_coded:
                first_of.setdefault(spoofs.attacks, name)
        names = first_of.values()
        return tuple(name for name in names if not kind or self.of(training_set, name) == kind)


def exposure_of(inputs: ReportInputs, codecs: list[CodecRow]) -> Exposure:
    """Reads the protocols of all training sets and conditions that the report shows."""
    codec_of = {row.source: row.codec for row in codecs if row.is_coded}
    protocols_of = inputs.training_protocols
    sets = [name for name in dict.fromkeys(name.split("/")[1] for name in inputs.models) if name in protocols_of]
    return Exposure(
        {name: _spoofs(inputs, protocols_of[name], codec_of) for name in sets},
        {name: _spoofs(inputs, [f"eval/{name}"], codec_of) for name in inputs.conditions},
    )


def _spoofs(inputs: ReportInputs, protocols: list[str], codec_of: Mapping[str, str]) -> Spoofs:
    attacks = frozenset[str]().union(*(attacks_of(inputs, protocol) for protocol in protocols))
    coded = attacks & codec_of.keys()
    others = attacks - coded
    others_coded = bool(others) and all(_are_coded(inputs, protocol, others) for protocol in protocols)
    return Spoofs(attacks, frozenset(codec_of[attack] for attack in coded), others, others_coded)


def _are_coded(inputs: ReportInputs, protocol: str, attacks: frozenset[str]) -> bool:
    table = files.read_tsv(inputs.results / "protocols" / f"{protocol}.tsv")
    return RECORDINGS not in set(table.loc[table["attack"].isin(attacks), "source"])
