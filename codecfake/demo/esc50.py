"""Sound events in the layout of ESC-50: eight classes, five folds; all takes of a source are in one fold."""

from string import ascii_uppercase

from codecfake.demo import FOLDERS
from codecfake.demo.plan import Plan, SoundTake
from codecfake.demo.settings import DemoSettings
from codecfake.demo.sounds import EVENTS, SAMPLE_RATE

ROOT = FOLDERS["esc50"]
FOLDS = 5
FIRST_SOURCE = 900001  # larger than the numbers of recordings in ESC-50, so that nobody takes one for the other
HEADER = "filename,fold,target,category,esc10,src_file,take\n"


def plan(settings: DemoSettings) -> Plan:
    """The corpus in the size of `settings`.

    Classes and folds both go round from source to source; their numbers have no common divisor, so that 40 sources
    have every class in every fold.
    """
    takes, lines = [], []
    for place in range(settings.sound_sources):
        event, fold, source = EVENTS[place % len(EVENTS)], place % FOLDS + 1, FIRST_SOURCE + place
        for letter in ascii_uppercase[: settings.sounds_per_source]:
            name = f"{fold}-{source}-{letter}-{event.number}"
            takes.append(SoundTake(name, f"freesound-{source}", event, f"{ROOT}/audio/{name}.wav", SAMPLE_RATE))
            # 1-100032-A-0.wav,1,0,dog,True,100032,A
            lines.append(f"{name}.wav,{fold},{event.number},{event.name},False,{source},{letter}\n")
    return Plan(tuple(takes), {f"{ROOT}/meta/esc50.csv": "".join([HEADER, *lines])})


def split(take: SoundTake) -> str:
    """As the layout has it by default: fold 4 is dev, fold 5 is eval."""
    return {"4": "dev", "5": "eval"}.get(take.utterance_id[0], "train")
