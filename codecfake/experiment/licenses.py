"""The licenses that an experiment refuses, of codecs, generators and released detectors."""

from collections.abc import Iterator, Mapping

from codec_wrappers.weights.checkpoints import PERMISSIVE
from codecfake.base.settings import Fault
from codecfake.experiment import generators, ladders, released
from codecfake.experiment.schema import Experiment


def license_faults(experiment: Experiment) -> Iterator[Fault]:
    """One fault that names everything in use whose licenses are refused, if there is anything."""
    if experiment.license != "permissive":
        return
    made_with = {name: generators.licenses_of(item) for name, item in experiment.generated().items()}
    used = ladders.codecs_used(experiment)
    codecs = [each for name in used for each in _not_permissive(name, experiment.licenses_of(name))]
    fakes = [each for name, identifiers in made_with.items() for each in _not_permissive(name, identifiers)]
    forms = released.licenses(experiment).items()
    fakes += [each for form, identifiers in forms for each in _not_permissive(f"the released {form}", identifiers)]
    if codecs or fakes:
        trained = "Train these codecs (`weights: trained`), leave them out" if codecs else "Leave them out"
        text = (
            f"permissive refuses {', '.join([*codecs, *fakes])}. Permissive are {', '.join(sorted(PERMISSIVE))}. "
            f"{trained}, or write `license: any`"
        )
        yield Fault(("license",), text)


def _not_permissive(name: str, licenses: Mapping[str, str]) -> list[str]:
    return [f"{name} ({kind}: {identifier})" for kind, identifier in licenses.items() if identifier not in PERMISSIVE]
