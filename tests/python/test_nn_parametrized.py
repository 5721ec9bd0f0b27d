"""Modules whose parameters torch parametrizes: what a user, a subclass or a diverged training does with them."""

import copy
import gc
import math
import pickle
import weakref

import pytest
import torch
from torch import Tensor
from torch.nn.utils import parametrize

from polezero.nn import Biquad, FilterBank, parametrizations


def bell(gain: float = 3.0, **options: object) -> Biquad:
    return Biquad("peaking", 1000.0, gain=gain, fs=8000, **options)  # type: ignore[arg-type]


class Symmetric(torch.nn.Module):
    def forward(self, b: Tensor) -> Tensor:
        return (b + b.flip(-1)) / 2

    def right_inverse(self, b: Tensor) -> Tensor:
        return b


class Doubled(torch.nn.Module):
    def forward(self, value: Tensor) -> Tensor:
        return 2 * value

    def right_inverse(self, value: Tensor) -> Tensor:
        return value / 2


class Driven(Biquad):
    """With a parameter more than the class above it."""

    def __init__(self) -> None:
        super().__init__("lowpass", 1000.0, fs=8000)
        self.declare("drive", 1.0, parametrizations.Range(0.0, 4.0))
        self.declared()


def test_modules_of_one_kind_are_cached_each_for_itself() -> None:
    first, second = bell(3.0), bell(-6.0)
    with parametrize.cached():
        assert first.gain is first.gain
        assert (round(first.gain.item(), 6), round(second.gain.item(), 6)) == (3.0, -6.0)
        first.gain = 1.0
        assert round(first.gain.item(), 6) == 1.0


def test_a_module_that_nobody_has_is_freed() -> None:
    module = Driven()
    ended = weakref.ref(module)
    del module
    gc.collect()
    assert ended() is None


def test_a_parametrization_of_the_users_is_of_that_module_alone() -> None:
    first, second = (FilterBank.eeg(fs=250, trainable="coefficients") for _ in range(2))
    b = second.b.detach().clone()
    parametrize.register_parametrization(first, "b", Symmetric())
    for module in (first, pickle.loads(pickle.dumps(first)), copy.deepcopy(first)):
        assert torch.equal(module.b, module.b.flip(-1)) and module.b.shape == b.shape
        module.b = torch.ones(3)
        assert bool((module.b == 1).all())
    assert isinstance(second.b, torch.nn.Parameter) and torch.equal(second.b, b)


def test_a_second_parametrization_is_pickled_too() -> None:
    module = bell(3.0)
    parametrize.register_parametrization(module, "gain", Doubled())
    for loaded in (pickle.loads(pickle.dumps(module)), copy.deepcopy(module)):
        assert torch.equal(loaded.gain, module.gain) and round(loaded.gain.item(), 6) == 6.0
        loaded.gain = -8.0
        assert round(loaded.gain.item(), 6) == -8.0


@pytest.mark.parametrize("keep", [True, False])
def test_a_parametrization_may_be_removed(keep: bool) -> None:
    module, other = bell(3.0), bell(3.0)
    parametrize.remove_parametrizations(module, "gain", leave_parametrized=keep)
    assert isinstance(module.gain, torch.nn.Parameter)
    assert "gain" in dict(module.named_parameters())
    expected = 3.0 if keep else 2 * math.atanh(3.0 / 18.0)
    for of in (module, pickle.loads(pickle.dumps(module))):
        assert math.isclose(of.gain.item(), expected, rel_tol=1e-9)
    module.gain = 30.0  # free now
    assert module.gain.item() == 30.0 and math.isclose(other.gain.item(), 3.0, rel_tol=1e-9)
    for name in ("frequency", "Q"):
        parametrize.remove_parametrizations(module, name)
    assert type(module) is Biquad and module(torch.ones(4)).shape == (4,)


def test_subclasses_declare_more_parameters() -> None:
    first, second = Driven(), Driven()
    first.drive = 2.0
    assert round(second.drive.item(), 6) == 1.0
    assert round(pickle.loads(pickle.dumps(first)).drive.item(), 6) == 2.0
    assert type(first) is type(second) and not hasattr(bell(), "drive")


def test_what_diverged_is_loaded_to_be_looked_at() -> None:
    module = bell()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(math.nan)
    for loaded in (pickle.loads(pickle.dumps(module)), copy.deepcopy(module)):
        assert loaded.gain.isnan()
