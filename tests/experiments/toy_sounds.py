"""The same without prompts."""

from toy_speech import Toy

from codecfake.generators import GeneratorSettings

ENTRY = {"license": "Apache-2.0"}


def build(settings: GeneratorSettings, device: object) -> Toy:
    return Toy(False, settings.model.get("unreadable", ""))
