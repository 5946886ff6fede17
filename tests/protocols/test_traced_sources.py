"""The source of a trial in source tracing, also where it is recorded and no codec made it."""

import pandas as pd

from codecfake.protocols import tracing

TRIALS = pd.DataFrame(
    [
        ("english", "F00", "u1", "bonafide"),
        ("mandarin", "F00", "u2", "bonafide"),
        ("vocoder", "F00", "u3", "bonafide"),
        ("vocoder", "F00", "u4", "spoof"),
        ("english", "F01", "u1", "spoof"),
        ("english", "F01", "u5", "bonafide"),  # by a label policy
    ],
    columns=["corpus", "source", "utterance_id", "key"],
)


def sources(*names: str) -> list[str | None]:
    column = tracing.traced_sources(TRIALS, names)
    return [None if pd.isna(value) else value for value in column]


def test_f00_is_all_bona_fide_recordings_but_those_that_another_source_names() -> None:
    assert sources("F00") == ["F00", "F00", "F00", None, None, None]
    assert sources("F00", "vocoder/bonafide") == ["F00", "F00", "vocoder/bonafide", None, None, None]


def test_recorded_spoofs_are_a_source_where_one_names_them() -> None:
    assert sources("F00", "vocoder/spoof") == ["F00", "F00", "F00", "vocoder/spoof", None, None]
    classes = {"recordings": ["english/bonafide"], "fakes": ["vocoder/spoof"]}
    trials = tracing.of_sources(TRIALS, tracing.sources_of(classes))
    assert trials["utterance_id"].tolist() == ["u1", "u4"]
    traced = tracing.traced_sources(trials, tracing.sources_of(classes))
    assert tracing.class_numbers(traced, classes).tolist() == [0, 1]


def test_coded_speech_is_of_its_source_whichever_its_key() -> None:
    assert sources("F01") == [None, None, None, None, "F01", "F01"]
