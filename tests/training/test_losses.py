"""Losses of trials: closed forms, and the official numbers of OC-Softmax."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tones
import torch
import torch.nn.functional as F
from golden_vectors import Vector, assert_close
from torch import Tensor

from codecfake.base import files, plugins
from codecfake.base.settings import SettingsError
from codecfake.detectors import BONAFIDE, SPOOF
from codecfake.detectors.heads import Cosine
from codecfake.detectors.settings import DetectorSettings
from codecfake.training import loop
from codecfake.training.loss_settings import LOSSES
from codecfake.training.settings import TrainSettings

LIMIT = 1e-6  # relative to the standard deviation, of losses and their gradients
WEIGHTS = torch.tensor([0.3, 10.0])
MEL_LCNN = DetectorSettings({"name": "mel"}, {"name": "lcnn"})


def loss(name: str, **settings: Any) -> Any:
    part = LOSSES.part(name)
    return part.load()(part.build_settings(settings))


@pytest.fixture
def logits() -> Tensor:
    return 3 * torch.randn(40, 2, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def classes() -> Tensor:
    return torch.randint(2, (40,), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_falls_as_the_logits_turn_to_the_class(name: str) -> None:
    for kind, sign in ((BONAFIDE, 1), (SPOOF, -1)):
        cosines = sign * torch.linspace(-1, 1, 21)
        losses = loss(name)(torch.stack((-cosines, cosines), dim=1), torch.full((21,), kind))
        assert losses.shape == (21,)
        assert (losses.diff() < 0).all()


def test_weighted_cross_entropy_has_the_bits_of_torch_s_own(logits: Tensor, classes: Tensor) -> None:
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    losses = WEIGHTS[classes] * loss("cross_entropy")(ours, classes)
    expected = F.cross_entropy(theirs, classes, WEIGHTS, reduction="none")
    assert torch.equal(losses, expected)
    for value in (losses, expected):
        (value.sum() / WEIGHTS[classes].sum()).backward()
    assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_is_cross_entropy_times_a_power_of_the_doubt(gamma: float, logits: Tensor, classes: Tensor) -> None:
    probability = logits.softmax(dim=1)[torch.arange(40), classes]
    alpha = torch.where(classes == BONAFIDE, 0.25, 0.75)
    expected = -alpha * (1 - probability) ** gamma * probability.log()
    torch.testing.assert_close(loss("focal", gamma=gamma)(logits, classes), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_has_finite_gradients_where_nothing_is_in_doubt(gamma: float) -> None:
    logits = torch.tensor([[-200.0, 200.0], [200.0, -200.0]], requires_grad=True)
    for classes in ([BONAFIDE, SPOOF], [SPOOF, BONAFIDE]):
        loss("focal", gamma=gamma)(logits, torch.tensor(classes)).sum().backward()
        assert logits.grad.isfinite().all()


def test_oc_softmax_at_its_margins_is_the_logarithm_of_2() -> None:
    cosines = torch.tensor([0.9, 0.2])
    losses = loss("oc_softmax")(torch.stack((-cosines, cosines), dim=1), torch.tensor([BONAFIDE, SPOOF]))
    torch.testing.assert_close(losses, torch.full((2,), 2.0).log())


def test_oc_softmax_gives_the_loss_and_gradients_of_the_official_code(golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, "losses")
    head = Cosine(32)
    head.load_state_dict({"weight": vector.weights("ocsoftmax")["center"].T})
    embeddings = torch.from_numpy(vector["embeddings"]).requires_grad_()
    # the official classes are the other way round
    classes = torch.where(torch.from_numpy(vector["labels"]) == 0, BONAFIDE, SPOOF)
    logits = head(embeddings)
    mean = loss("oc_softmax")(logits, classes).mean()
    mean.backward()
    assert mean.item() == pytest.approx(vector["ocsoftmax_loss"].item(), rel=LIMIT)
    assert_close(logits[:, BONAFIDE], vector["ocsoftmax_scores"], LIMIT)
    assert_close(embeddings.grad, vector["ocsoftmax_grad_embeddings"], LIMIT)
    assert_close(head.weight.grad.T, vector["ocsoftmax_grad_center"], LIMIT)


def test_oc_softmax_gives_the_loss_of_antideepfake(golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, "antideepfake")
    logits = torch.from_numpy(vector["w2v_ocsoftmax_cos"])
    mean = loss("oc_softmax")(logits, torch.tensor([BONAFIDE, SPOOF])).mean()
    assert mean.item() == pytest.approx(vector["w2v_ocsoftmax_loss_for_labels_1_0"].item(), rel=LIMIT)


# settings


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("crossentropy", {}, "loss: unknown loss 'crossentropy'; did you mean 'cross_entropy'"),
        ("focal", {"gama": 1}, "loss_settings: unknown setting 'gama'; did you mean 'gamma'"),
        ("focal", {"gamma": -1.0}, "loss_settings.gamma: gamma is -1.0; it must be at least 0"),
        ("focal", {"alpha": 1.0}, "loss_settings.alpha: alpha is 1.0; it must be between 0 and 1"),
        ("oc_softmax", {"spoof_margin": 0.9}, "spoof_margin is 0.9 and bonafide_margin 0.9; they must be cosines"),
        ("oc_softmax", {"scale": 0.0}, "loss_settings.scale: scale is 0.0; it must be positive"),
        ("oc_softmax", {}, "loss: oc_softmax compares cosines, but the logits of the back-end lcnn are not cosines"),
    ],
)
def test_settings_that_make_no_loss_are_refused(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        TrainSettings(MEL_LCNN, loss=name, loss_settings=settings)


OWN = """
from dataclasses import dataclass


@dataclass(frozen=True)
class HingeSettings:
    margin: float = 1.0


class Hinge:
    def __init__(self, settings: HingeSettings) -> None:
        self.margin = settings.margin

    def __call__(self, logits, classes):
        return (self.margin - (2 * classes - 1) * (logits[:, 1] - logits[:, 0])).clamp_min(0)
"""


def test_a_loss_beside_the_experiment_is_built_from_its_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hinge.py").write_text(OWN, encoding="utf-8")
    monkeypatch.setenv(plugins.VARIABLE, str(tmp_path))
    settings = TrainSettings(MEL_LCNN, loss="hinge.py:Hinge", loss_settings={"margin": 3.0})
    assert settings.code() == [tmp_path / "hinge.py"]
    logits = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    losses = loss("hinge.py:Hinge", **settings.complete()["loss_settings"])(logits, torch.tensor([BONAFIDE, SPOOF]))
    assert losses.tolist() == [2.0, 4.0]


def test_complete_settings_spell_out_those_of_the_loss() -> None:
    cosine = DetectorSettings({"name": "mel"}, {"name": "lcnn", "head": "cosine"})
    settings = TrainSettings(cosine, loss="oc_softmax", loss_settings={"scale": 10.0})
    assert settings.complete()["loss_settings"] == {"bonafide_margin": 0.9, "spoof_margin": 0.2, "scale": 10.0}
    assert replace(settings, loss="cross_entropy", loss_settings={}).complete()["loss_settings"] == {}


@pytest.mark.long
@pytest.mark.parametrize("name", LOSSES)
def test_a_detector_learns_with_every_loss(name: str, tmp_path: Path) -> None:
    audio = tones.write_audio(tmp_path / "audio", num_utterances=18)
    train, dev = (tones.write_protocol(tmp_path / f"{n}.tsv", who) for n, who in enumerate((range(14), range(14, 18))))
    head = "cosine" if LOSSES.part(name).of_cosines else "linear"
    detector = DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125, "head": head})
    settings = TrainSettings(
        detector, crop_samples=4_000, batch_size=8, epochs=6, learning_rate=2e-3, loss=name, tensorboard=False
    )
    loop.train([train], [dev], audio, tmp_path / "model", settings, torch.device("cpu"))
    losses = files.read_tsv(tmp_path / "model/history.tsv")["train_loss"].astype(float)
    assert losses.iloc[-1] < 0.8 * losses.iloc[0]
