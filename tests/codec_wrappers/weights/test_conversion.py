"""Official files that mean harm, though torch executes nothing in them: refused by name before torch reads them."""

import zipfile
from pathlib import Path

import pytest
import torch
from released_files import value, write_program

from codec_wrappers.weights import conversion
from codec_wrappers.weights.conversion import ConversionError

NESTED = value(1) + b"".join(bytes([ord("q"), k, ord("h"), k]) + b"\x86" for k in range(60))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickle_that_would_not_end_is_refused(zipped: bool, tmp_path: Path) -> None:
    path = write_program(tmp_path / "codec.pt", b"}" + NESTED + b"Ns", zipped)
    with pytest.raises(ConversionError, match=f"^{path}: its pickle has a tuple of more than 100,000 parts"):
        conversion.read(path, "")


def test_a_packed_pickle_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "codec.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 24))
    with pytest.raises(ConversionError, match=f"^{path}: 'archive/data.pkl' is compressed"):
        conversion.read(path, "")


def test_names_with_control_characters_are_refused_and_shown_without_them(tmp_path: Path) -> None:
    path = tmp_path / "codec.pt"
    torch.save({"\x1b[2J": torch.zeros(1)}, path)
    with pytest.raises(ConversionError, match=r"the name of a tensor is '\\x1b\[2J': .*not printable"):
        conversion.read(path, "")
    with pytest.raises(ConversionError, match=r"no key 'model' of 'model'; found the keys \\x1b\[2J"):
        conversion.read(path, "model")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_checkpoint_with_an_optimizer_is_read(zipped: bool, tmp_path: Path) -> None:
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(3)).sum().backward()
    optimizer.step()
    content = {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "losses": [0.5] * 10_000}
    torch.save(content, tmp_path / "codec.pt", _use_new_zipfile_serialization=zipped)
    assert torch.equal(conversion.read(tmp_path / "codec.pt", "model")["weight"], network.weight)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [*a]\n", "is not YAML .*contains itself"),
        (f"a: {'9' * 6000}\n", "is not YAML .*a number of 6,000 digits"),
        ("- a\n", "expected the settings of a network"),
    ],
)
def test_a_configuration_that_means_harm_is_refused_with_its_file(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConversionError, match=f"(?s)config.yaml: {message}"):
        conversion.read_yaml(tmp_path / "config.yaml")
