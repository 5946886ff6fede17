"""The readers of all forms, for checks: what a form has room for comes back, and the documents say what does not."""

import io
import re
from pathlib import Path

import pytest
import soundfile
from places import ROOT

from codecfake.publishing import FORMS, forms
from codecfake.publishing.clips import Clip, Place


@pytest.fixture(scope="module")
def clips(published_clips: tuple[Clip, ...]) -> dict[str, Clip]:
    return {clip.clip_id: clip for clip in published_clips}


@pytest.mark.parametrize("form", FORMS)
def test_the_reader_of_a_form_gives_back_every_clip(
    form: str, data_sets: dict[str, Path], clips: dict[str, Clip]
) -> None:
    read = {each.clip_id: each for each in forms.form(form).read(data_sets[form])}
    expected = {name: places for name, clip in clips.items() if (places := places_in(form, clip))}
    assert {name: set(one.places) for name, one in read.items()} == expected
    fields = ["key", *(set(LOST_IN_SOME) - set(forms.without(form)))]
    for name, one in read.items():
        assert {field: getattr(one, field) for field in fields} == {f: getattr(clips[name], f) for f in fields}
        assert samples(one.audio()) == samples(clips[name].audio())


@pytest.mark.parametrize("form", FORMS)
def test_what_a_form_is_without_is_not_in_its_files_and_is_named_in_the_documents(
    form: str, data_sets: dict[str, Path]
) -> None:
    lost = set(forms.without(form))
    assert lost <= set(LOST_IN_SOME)
    guessed = {"twin_id"}  # from names, for leaks
    for one in forms.form(form).read(data_sets[form]):
        assert not any(getattr(one, field) for field in lost - guessed)
    text = (ROOT / "docs/publishing.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{form}` +\| ([^|]*) \|$", text, re.MULTILINE)
    assert {LOST_IN_SOME[name] for name in lost} == set(row.split(", ")) & set(LOST_IN_SOME.values())


LOST_IN_SOME = {
    "corpus": "corpus",
    "codec": "codec and its settings",
    "speaker_id": "speaker",
    "utterance_id": "utterance id",
    "twin_id": "recording of a fake",
    "sha256": "digest of a clip",
}  # field of a clip -> its name in the documents


def places_in(form: str, clip: Clip) -> set[Place]:
    return {place for each in clip.places if (place := forms.place_of(form)(each)) is not None}


def samples(audio: bytes) -> bytes:
    return soundfile.read(io.BytesIO(audio), dtype="int16")[0].tobytes()
