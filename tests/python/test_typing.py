"""What type checkers know of the functions: this file is one of mypy's (`make lint`), and runs as well."""

import torch
from torch import Tensor
from typing_extensions import assert_type

import polezero
from polezero import lpv

X = torch.ones(2, 4)
Z = torch.zeros(1)


def unpack(out: Tensor | tuple[Tensor, Tensor], *, states: bool) -> None:
    """The types that mypy has found are those that come."""
    assert isinstance(out, tuple) == states
    assert all(isinstance(t, Tensor) for t in (out if isinstance(out, tuple) else (out,)))


def test_a_filter_returns_y_or_y_and_zf_where_zi_is_given() -> None:
    y = polezero.lfilter([1.0], [1.0, -0.5], X)
    unpack(assert_type(y, Tensor), states=False)
    unpack(assert_type(polezero.lfilter(b=1.0, a=[1.0, -0.5], x=X, axis=-1, zi=None), Tensor), states=False)
    pair = polezero.lfilter([1.0], [1.0, -0.5], X, zi=Z)
    unpack(assert_type(pair, tuple[Tensor, Tensor]), states=True)
    unpack(assert_type(polezero.lfilter([1.0], [1.0, -0.5], X, -1, [0.0]), tuple[Tensor, Tensor]), states=True)
    unpack(assert_type(polezero.allpole([0.5], X), Tensor), states=False)
    unpack(assert_type(polezero.allpole([0.5], X, Z, backward="two_pass"), tuple[Tensor, Tensor]), states=True)


def test_a_state_that_may_be_none_gives_either() -> None:
    zi: Tensor | None
    for zi in (None, Z):
        out = polezero.lfilter([1.0], [1.0, -0.5], X, zi=zi)
        unpack(assert_type(out, Tensor | tuple[Tensor, Tensor]), states=zi is not None)


def test_coefficients_that_change_give_the_same() -> None:
    a, k = torch.full((1, 1), 0.5), torch.full((1, 1), -0.5)
    unpack(assert_type(lpv.allpole(a, X), Tensor), states=False)
    unpack(assert_type(lpv.allpole(a=a, x=X, zi=Z), tuple[Tensor, Tensor]), states=True)
    unpack(assert_type(lpv.lattice(k, X, taps=torch.ones(1, 2)), Tensor), states=False)
    unpack(assert_type(lpv.lattice(k, X, Z, torch.ones(1, 2)), tuple[Tensor, Tensor]), states=True)
    system = torch.full((1, 1, 1), 0.5), torch.ones(1, 1, 1)
    unpack(assert_type(lpv.state_space(*system, None, None, X[:1]), Tensor), states=False)
    unpack(assert_type(lpv.state_space(*system, C=None, D=None, x=X[:1], zi=Z), tuple[Tensor, Tensor]), states=True)
