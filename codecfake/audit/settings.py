"""The experiment's part in an audit: what its splits promise, and which findings are accepted."""

from dataclasses import dataclass, field

from codecfake.audit.features import CODECS_CHANGE, HANDLING, NAMES
from codecfake.base.degraded_names import base_of
from codecfake.base.settings import Fault, FaultsError
from codecfake.base.suggestions import unknown

CHECKS = ("speakers", "utterances", "audio", "codec_training", "duplicates", "twins", "silence")


class AuditError(ValueError):
    """The audit found faults."""


@dataclass(frozen=True)
class Limits:
    """When a finding is a fault. The report shows the reasons next to the exceptions that they justify."""

    max_shortcut_auc: float = 0.7
    utterances: int = 200  # recordings to probe, the same ones for every source
    # feature, or source/feature, where the source may be a degraded one -> why a probe may use it
    exempt: dict[str, str] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)  # check -> why its faults are accepted

    def __post_init__(self) -> None:
        faults = []
        if not 0.5 <= self.max_shortcut_auc <= 1:
            faults.append(Fault(("max_shortcut_auc",), f"{self.max_shortcut_auc} is out of range; 0.5 (chance) to 1"))
        if self.utterances < 2:
            faults.append(Fault(("utterances",), f"{self.utterances} is too few; give at least 2, better 200"))
        for key, entries, names in (("exempt", self.exempt, (*NAMES, HANDLING)), ("accepted", self.accepted, CHECKS)):
            for name, reason in entries.items():
                if (name.split("/")[-1] if key == "exempt" else name) not in names:
                    faults.append(Fault((key,), unknown("feature" if key == "exempt" else "check", name, names), name))
                if not reason.strip():
                    faults.append(Fault((key, name), "give a reason; the report shows it"))
        if faults:
            raise FaultsError("audit", faults)

    def reasons(self, source: str) -> dict[str, str]:
        """The features that are never a fault for a source, with reasons; those of a plain source hold degraded too."""
        reasons = dict(CODECS_CHANGE)
        for key, why in self.exempt.items():
            of, _, feature = key.rpartition("/")
            if of in ("", base_of(source), source):
                reasons[feature] = why
        return reasons


@dataclass(frozen=True)
class AuditedDomain:
    """A domain, and what its split promises: `speaker` and `listed` separate speakers, the others only utterances."""

    split_by: str


@dataclass(frozen=True)
class AuditedCondition:
    domains: list[str]  # the domains of its trials; none for corpora that are only evaluated
    all_of: list[str] = field(default_factory=list)  # keys whose utterances are all evaluated, including training data
    speakers_of: dict[str, str] = field(default_factory=dict)  # changes for this condition's trials


@dataclass(frozen=True)
class AuditSettings:
    domains: dict[str, AuditedDomain]
    conditions: dict[str, AuditedCondition]
    training_sets: dict[str, list[str]]  # training set -> its domains
    corpora: list[str]  # used for training or evaluation
    codec_training: list[str] = field(default_factory=list)  # corpora that codecs are trained on
    aliases: dict[str, str] = field(default_factory=dict)  # source -> the source whose audio it shares
    controls: list[str] = field(default_factory=list)  # sources that return recordings unchanged
    limits: Limits = field(default_factory=Limits)
    seed: int = 1
    speakers_of: dict[str, str] = field(default_factory=dict)  # see `people.SpeakersOf`
