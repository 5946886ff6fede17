"""Updates of the strategies: closed forms, and what a second pass may not touch."""

from collections.abc import Callable
from typing import Any

import pytest
import small_back_ends
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from codecfake.base.settings import SettingsError
from codecfake.training.strategies import SAMPLERS, STRATEGIES, UPDATES, update_settings
from codecfake.training.updates import Update

TWO_PASSES = [name for name, strategy in STRATEGIES.items() if strategy.update != "base"]


class Numbers(nn.Module):
    """Parameters and nothing else."""

    def __init__(self, **values: Tensor) -> None:
        super().__init__()
        for name, value in values.items():
            setattr(self, name, nn.Parameter(value.clone()))


def update_of(strategy: str, optimizer: Optimizer, model: nn.Module, **changes: Any) -> Update:
    return UPDATES.part(STRATEGIES[strategy].update).load()(optimizer, model, update_settings(strategy, changes))


def backward(model: nn.Module, loss: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """The closure of a loss."""

    def closure() -> Tensor:
        model.zero_grad()
        value = loss()
        value.backward()
        return value.detach()

    return closure


def stepped(strategy: str, model: nn.Module, loss: Callable[[], Tensor], **changes: Any) -> list[dict[str, Tensor]]:
    """The weights at which each pass was, of one step of gradient descent at rate 0.1."""
    states = []

    def recorded() -> Tensor:
        states.append({name: weight.detach().clone() for name, weight in model.named_parameters()})
        return loss()

    update_of(strategy, SGD(model.parameters(), lr=0.1), model, **changes).step(backward(model, recorded))
    return states


def quadratic(model: nn.Module) -> Tensor:
    """Gradient at w: 2 w of `weight`, 3 w of `bias`."""
    return (model.weight**2).sum() + 1.5 * (model.bias**2).sum()


@pytest.fixture
def numbers() -> Numbers:
    return Numbers(weight=torch.tensor([1.0, -2.0], dtype=torch.float64), bias=torch.tensor([0.5], dtype=torch.float64))


def test_sam_takes_its_gradient_rho_up_the_slope(numbers: Numbers) -> None:
    (start, ascended) = stepped("sam", numbers, lambda: quadratic(numbers), rho=0.3)
    norm = (2.0**2 + 4.0**2 + 1.5**2) ** 0.5  # of the gradient (2, -4; 1.5): over all tensors together
    assert start["weight"].tolist() == [1, -2]
    assert ascended["weight"].tolist() == pytest.approx([1 + 0.3 * 2 / norm, -2 - 0.3 * 4 / norm])
    assert ascended["bias"].tolist() == pytest.approx([0.5 + 0.3 * 1.5 / norm])
    stepped_to = start["weight"] - 0.1 * 2 * ascended["weight"]
    assert numbers.weight.tolist() == pytest.approx(stepped_to.tolist())
    assert numbers.bias.item() == pytest.approx(0.5 - 0.1 * 3 * ascended["bias"].item())


def test_the_released_asam_stretches_the_ball_by_every_weight(numbers: Numbers) -> None:
    (_, ascended) = stepped("asam", numbers, lambda: quadratic(numbers), rho=0.3)
    norm = (2.0**2 + 8.0**2 + 0.75**2) ** 0.5  # of |w| g = (1 x 2, 2 x -4; 0.5 x 1.5)
    assert ascended["weight"].tolist() == pytest.approx([1 + 0.3 * 2 / norm, -2 - 0.3 * 16 / norm])
    assert ascended["bias"].tolist() == pytest.approx([0.5 + 0.3 * 0.375 / norm])


def test_the_official_asam_stretches_it_by_weights_alone_and_eta_more(numbers: Numbers) -> None:
    (_, ascended) = stepped("asam-official", numbers, lambda: quadratic(numbers))
    norm = ((1.01 * 2) ** 2 + (2.01 * 4) ** 2 + 1.5**2) ** 0.5
    assert ascended["weight"].tolist() == pytest.approx([1 + 0.5 * 1.01**2 * 2 / norm, -2 - 0.5 * 2.01**2 * 4 / norm])
    assert ascended["bias"].tolist() == pytest.approx([0.5 + 0.5 * 1.5 / norm])


@pytest.mark.parametrize(("strategy", "is_invariant"), [("asam", True), ("asam-official", True), ("sam", False)])
def test_asam_without_eta_ascends_as_far_however_weights_are_scaled(strategy: str, is_invariant: bool) -> None:
    # 8 w1 and w2 / 8 give the same network; powers of two are exact.
    torch.manual_seed(0)
    inputs, targets = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
    first, second = torch.randn(4, 3, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    losses = []
    for scale in (1.0, 8.0):
        model = Numbers(first_weight=first * scale, second_weight=second / scale)

        def loss(model: nn.Module = model) -> Tensor:
            value = F.mse_loss((inputs @ model.first_weight.T).relu() @ model.second_weight.T, targets)
            losses.append(value.item())
            return value

        eta = {} if strategy == "sam" else {"eta": 0.0}
        stepped(strategy, model, loss, rho=0.5, **eta)
    assert losses[0] == pytest.approx(losses[2])
    assert losses[1] > losses[0]
    assert (losses[1] == pytest.approx(losses[3])) == is_invariant


@pytest.mark.parametrize("strategy", TWO_PASSES)
def test_a_step_starts_from_the_very_weights_that_were_left(strategy: str) -> None:
    # Far from 1, adding and subtracting again would lose digits.
    torch.manual_seed(0)
    model = Numbers(weight=1000 * torch.randn(50), bias=1e-3 * torch.randn(50))
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    update_of(strategy, SGD(model.parameters(), lr=0.0), model).step(backward(model, lambda: quadratic(model)))
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())


@pytest.mark.parametrize("strategy", TWO_PASSES)
def test_the_gradient_of_a_step_is_that_of_the_second_pass(strategy: str, numbers: Numbers) -> None:
    (_, ascended) = stepped(strategy, numbers, lambda: quadratic(numbers))
    assert torch.equal(numbers.weight.grad, 2 * ascended["weight"])
    assert torch.equal(numbers.bias.grad, 3 * ascended["bias"])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_step_gives_the_loss_of_the_weights_before_it(strategy: str, numbers: Numbers) -> None:
    update = update_of(strategy, SGD(numbers.parameters(), lr=0.1), numbers)
    assert update.step(backward(numbers, lambda: quadratic(numbers))).item() == 5.375


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_gradient_of_zero_moves_nothing(strategy: str) -> None:
    model = Numbers(weight=torch.zeros(3), bias=torch.zeros(1))
    update_of(strategy, SGD(model.parameters(), lr=0.1), model).step(backward(model, lambda: quadratic(model)))
    assert model.weight.tolist() == [0, 0, 0]


@pytest.mark.parametrize("strategy", TWO_PASSES)
def test_a_weight_without_gradient_stays_in_both_passes(strategy: str) -> None:
    model = Numbers(weight=torch.ones(2), bias=torch.ones(1), unused_weight=torch.ones(3))
    states = stepped(strategy, model, lambda: quadratic(model))
    assert [weights["unused_weight"].tolist() for weights in states] == [[1, 1, 1]] * 2
    assert model.unused_weight.tolist() == [1, 1, 1]


@pytest.mark.parametrize("strategy", TWO_PASSES)
def test_an_error_in_the_second_pass_leaves_the_weights_and_the_model_as_they_were(strategy: str) -> None:
    torch.manual_seed(0)
    model = small_back_ends.back_end("lcnn")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    passes = iter((True, False))

    def loss() -> Tensor:
        if not next(passes):
            raise RuntimeError("not finite")
        return model.eval()(torch.randn(4, 40, 32)).square().sum()

    with pytest.raises(RuntimeError, match="not finite"):
        update_of(strategy, Adam(model.parameters()), model).step(backward(model, loss))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(module.track_running_stats for module in model.modules() if isinstance(module, nn.BatchNorm2d))


def batch(back_end: str) -> tuple[Tensor, Tensor]:
    return small_back_ends.features(back_end, 6), torch.tensor([0, 1, 0, 1, 0, 0])


def trained(back_end: str, strategy: str, steps: int = 3, **changes: Any) -> dict[str, Tensor]:
    """A back-end, and Adam's moments, after some steps with dropout and BatchNorm on."""
    torch.manual_seed(1)
    model = small_back_ends.back_end(back_end).train()
    optimizer = Adam(model.parameters(), lr=1e-3, weight_decay=5e-4)
    update = update_of(strategy, optimizer, model, **changes)
    for _ in range(steps):
        features, classes = batch(back_end)
        update.step(backward(model, lambda: F.cross_entropy(model(features), classes)))  # noqa: B023
    moments = {f"moment{n}.{name}": t for n, s in optimizer.state_dict()["state"].items() for name, t in s.items()}
    return model.state_dict() | moments


@pytest.mark.parametrize("strategy", ["sam", "asam", "asam-official", "csam"])
@pytest.mark.parametrize("back_end", small_back_ends.SMALL)
def test_a_ball_without_radius_gives_the_base_optimizer_bit_for_bit(back_end: str, strategy: str) -> None:
    expected, ours = trained(back_end, "erm"), trained(back_end, strategy, rho=0.0)
    assert len(expected) == len(ours)
    assert all(torch.equal(ours[name], expected[name]) for name in expected)


@pytest.mark.parametrize("strategy", TWO_PASSES)
def test_running_statistics_are_those_of_the_first_pass(strategy: str) -> None:
    # After one step they depend on the first weights alone, so ERM's are the same.
    expected, ours = trained("lcnn", "erm", steps=1), trained("lcnn", strategy, steps=1, rho=1.0)
    statistics = [name for name in expected if "running_" in name or "num_batches" in name]
    assert len(statistics) == 3 * 6
    assert all(torch.equal(ours[name], expected[name]) for name in statistics)
    assert ours["conv2.2.num_batches_tracked"] == 1
    assert not torch.equal(ours["conv1.0.weight"], expected["conv1.0.weight"])


def test_the_second_pass_normalizes_by_its_batch() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)).train()
    means = []

    def loss() -> Tensor:
        output = model(torch.randn(8, 3) + 5)
        means.append(output.mean().abs().item())
        return (output**3).sum()

    update_of("sam", Adam(model.parameters()), model, rho=0.01).step(backward(model, loss))
    assert max(means) < 0.02
    assert len(means) == 2


def masks(dropout: str, seed: int) -> list[Tensor]:
    """What dropout lets through in the passes of two steps."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.Dropout(0.5)).train()
    update = update_of("sam", SGD(model.parameters(), lr=0.0), model, dropout=dropout)
    outputs = []

    def loss() -> Tensor:
        output = model(torch.ones(1, 64))
        outputs.append(output.detach() != 0)
        return output.sum()

    for _ in range(2):
        update.step(backward(model, loss))
    return outputs


def test_dropout_is_the_same_in_both_passes_and_another_in_the_next_step() -> None:
    first, second, next_first, next_second = masks("same", seed=0)
    assert torch.equal(first, second)
    assert torch.equal(next_first, next_second)
    assert not torch.equal(first, next_first)


def test_dropout_is_drawn_again_for_the_second_pass_where_asked() -> None:
    first, second, *_ = masks("redrawn", seed=0)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("dropout", ["same", "redrawn"])
def test_dropout_depends_on_the_seed_alone(dropout: str) -> None:
    first, second = masks(dropout, seed=3), masks(dropout, seed=3)
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_every_strategy_is_made_of_an_update_and_a_sampler_that_exist() -> None:
    for strategy in STRATEGIES.values():
        assert strategy.update in UPDATES
        assert strategy.sampler in SAMPLERS


def test_the_strategies_of_the_papers_have_their_published_settings() -> None:
    assert vars(update_settings("sam", {})) == {"rho": 0.05, "dropout": "same"}
    assert vars(update_settings("csam", {})) == {"rho": 0.05, "dropout": "same"}
    assert vars(update_settings("csam-released", {})) == {"rho": 0.05, "dropout": "redrawn"}
    released = {"rho": 0.05, "dropout": "same", "eta": 0.0, "scaled": "all"}
    official = {"rho": 0.5, "dropout": "same", "eta": 0.01, "scaled": "weight"}
    assert vars(update_settings("asam", {})) == released
    assert vars(update_settings("asam-official", {})) == official


def test_one_setting_of_a_strategy_changes_and_the_others_stay() -> None:
    assert vars(update_settings("asam-official", {"rho": 2}))["eta"] == 0.01
    assert vars(update_settings("asam-official", {"rho": 2}))["rho"] == 2.0


@pytest.mark.parametrize(
    ("strategy", "changes", "message"),
    [
        ("erm", {"rho": 0.1}, "unknown setting 'rho'; known settings: none"),
        ("sam", {"eta": 0.1}, "unknown setting 'eta'.*nown settings: dropout, rho"),
        ("sam", {"rho": "large"}, "rho: expected a number, found 'large'"),
    ],
)
def test_settings_that_an_update_does_not_know_are_refused(
    strategy: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        update_settings(strategy, changes)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rho", -0.1), ("rho", float("nan")), ("dropout", "none"), ("eta", -1.0), ("eta", float("inf")), ("scaled", "x")],
)
def test_settings_of_updates_out_of_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name}.* {value!r}"):
        update_settings("asam", {name: value})
