"""Vocos from files in the released form gives what its package gives."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

pytest.importorskip("vocos", reason="pip install 'codecfake[generators]'")

from codecfake.generators import GeneratorError, vocoder  # noqa: E402
from codecfake.generators.vocoder import RANDOM_BACKBONE, RANDOM_HEAD, Vocoder, random_vocoder  # noqa: E402


def released(folder: Path, network: Vocoder, **changes: str) -> None:
    parts = {
        "backbone": {"class_path": vocoder.BACKBONE, "init_args": RANDOM_BACKBONE},
        "head": {"class_path": vocoder.HEAD, "init_args": RANDOM_HEAD},
    }
    for part, class_path in changes.items():
        parts[part]["class_path"] = class_path
    (folder / "config.yaml").write_text(yaml.safe_dump(parts))
    encoder = {f"{vocoder.ENCODER}weight": torch.zeros(1)}
    torch.save(network.state_dict() | encoder, folder / "pytorch_model.bin")


def test_a_waveform_is_that_of_the_package(tmp_path: Path) -> None:
    from vocos import Vocos

    network = random_vocoder(8)
    released(tmp_path, network)
    codes = torch.randint(0, 1024, (8, 20), generator=torch.Generator().manual_seed(1))
    features = torch.nn.Module()
    features.codebook_weights = network.feature_extractor.codebook_weights
    features.encodec = SimpleNamespace(quantizer=SimpleNamespace(bins=1024))
    package = Vocos(features, network.backbone, network.head)
    theirs = sum(features.codebook_weights[codes[book] + 1024 * book] for book in range(8)).T[None]
    expected = package.decode(theirs, bandwidth_id=torch.tensor([2]))[0]
    ours = vocoder.load(str(tmp_path))(codes)
    assert ours.shape == (320 * 20,)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)


def test_another_network_is_refused(tmp_path: Path) -> None:
    released(tmp_path, random_vocoder(8), backbone="os.system")
    with pytest.raises(GeneratorError, match="backbone is not a vocos.models.VocosBackbone"):
        vocoder.load(str(tmp_path))


def test_a_folder_without_weights_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("{}")
    with pytest.raises(GeneratorError, match=r"the folder has no pytorch_model.bin. Download it .*hf download"):
        vocoder.load(str(tmp_path))
