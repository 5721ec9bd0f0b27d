"""`IIRFilter`: the design at the start, poles and zeros, and stability."""

import itertools
import math

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

import polezero
from polezero.nn import IIRFilter
from polezero.nn._designs import DECIBELS
from polezero.nn._iir import FORMS

STABLE = [form for form in FORMS if form != "coefficients"]


def close(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance * float(expected.detach().abs().max()))


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


# ---- the design at the start


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", DECIBELS)
def test_a_design_is_kept_by_every_parametrization(name: str, form: str) -> None:
    x = noise(400)
    for order, (btype, Wn) in itertools.product(
        (1, 2, 3, 4, 7), (("lowpass", 0.3), ("highpass", 0.6), ("bandpass", [0.2, 0.5]), ("bandstop", [0.3, 0.4]))
    ):
        module = IIRFilter.from_design(name, order, Wn, btype, parametrization=form)
        sos = getattr(polezero, name)(order, *DECIBELS[name].values(), Wn, btype, output="sos")
        close(module(x), polezero.sosfilt(sos, x), 1e-12)
        assert module.sos().shape == sos.shape


def test_defaults_are_those_of_the_seed_and_may_be_said() -> None:
    x = noise(300)
    for name, decibels in (("cheby1", (1,)), ("cheby2", (20,)), ("ellip", (1, 40))):
        sos = getattr(scipy.signal, name)(5, *decibels, 3e3, fs=16e3, output="sos")
        expected = torch.from_numpy(scipy.signal.sosfilt(sos, x.numpy()))
        close(IIRFilter.from_design(name, 5, 3e3, fs=16000)(x), expected, 1e-11)
    sos = scipy.signal.ellip(4, 0.2, 70, [0.2, 0.4], "bandstop", output="sos")
    module = IIRFilter.from_design("ellip", 4, [0.2, 0.4], "bandstop", rp=0.2, rs=70.0)
    close(module(x), torch.from_numpy(scipy.signal.sosfilt(sos, x.numpy())), 1e-11)
    sos = scipy.signal.bessel(4, 0.2, norm="mag", output="sos")
    close(
        IIRFilter.from_design("bessel", 4, 0.2, norm="mag")(x),
        torch.from_numpy(scipy.signal.sosfilt(sos, x.numpy())),
        1e-11,
    )


@pytest.mark.parametrize("form", FORMS)
def test_narrow_and_low_designs_are_kept_up_to_the_border(form: str) -> None:
    x = noise(2000)
    for cutoff in (30.0, 100.0, 1000.0, 23900.0):  # Hz at 48 kHz; radii up to 0.9985
        sos = polezero.butter(4, cutoff, output="sos", fs=48000)
        close(IIRFilter(sos, parametrization=form, fs=48000)(x), polezero.sosfilt(sos, x), 1e-10)  # 4e-12
    for radius in (1 - 1e-4, 1 - 1.5e-6):
        sos = [[1.0, 0.5, 0.2, 1.0, -2 * radius * math.cos(0.5), radius**2]]
        close(IIRFilter(sos, parametrization=form)(x), polezero.sosfilt(sos, x), 1e-11)  # 3e-13


@pytest.mark.parametrize("form", FORMS)
def test_polynomials_are_those_of_lfilter(form: str) -> None:
    x = noise(200)
    for b, a in (
        ([1.0, 0.4], [2.0, -0.5]),
        ([0.5], [1.0, -0.9, 0.5, 0.1]),
        ([1.0, 0.2, -0.3, 0.1, 0.6], [1.0, -0.5]),
        ([3.0], [1.0]),
        ([0.2, 0.3, 0.4], [1.0]),
        ([-1.0, 0.4, 0.1], [-1.0, 0.5, 0.2]),
    ):
        close(IIRFilter.from_ba(b, a, parametrization=form)(x), polezero.lfilter(b, a, x), 1e-12)
    if form == "poles":
        return
    for b, a in (([0.0, 1.0], [1.0, -0.5]), ([0.0, 0.0, 0.0, 1.0, 0.5], [1.0, 0.2, 0.5]), ([0.0, 0.0], [1.0, 0.5])):
        close(IIRFilter.from_ba(b, a, parametrization=form)(x), polezero.lfilter(b, a, x), 1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_zeros_poles_and_gain_are_those_of_scipy(form: str) -> None:
    x = noise(300)
    z, p, k = scipy.signal.butter(5, 0.3, output="zpk")
    expected = scipy.signal.sosfilt(scipy.signal.zpk2sos(z, p, k), x.numpy())
    close(IIRFilter.from_zpk(z, p, k, parametrization=form)(x), torch.from_numpy(expected), 1e-12)


def test_channels_have_cut_offs_of_their_own() -> None:
    x, cutoffs = noise(2, 3, 200), torch.tensor([0.1, 0.3, 0.7], dtype=torch.float64)
    for form in FORMS:
        module = IIRFilter.from_design("cheby1", 3, cutoffs, channels=3, parametrization=form)
        for c, cutoff in enumerate(cutoffs):
            close(module(x)[:, c], IIRFilter.from_design("cheby1", 3, float(cutoff))(x[:, c]), 1e-12)
    mixed = torch.tensor([[[1, 0, 0, 1, 0, 0.5]], [[1, 0, 0, 1, 0, -0.5]]], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"^IIRFilter: sos: expected poles that are pairs, or real, in the same sec"):
        IIRFilter(mixed, channels=2, parametrization="tanh")
    with pytest.raises(ValueError, match=r"^IIRFilter: sos: expected real sections of shape \[K, 6\], got \[2, 1, 6\]"):
        IIRFilter(mixed)


def test_parameters_in_float32_keep_the_design_to_their_rounding() -> None:
    x = noise(300)
    expected = polezero.sosfilt(polezero.ellip(6, 1, 40, 0.3, output="sos"), x)
    for form in FORMS:
        module = IIRFilter.from_design("ellip", 6, 0.3, parametrization=form, dtype=torch.float32)
        assert module.sos().dtype == torch.float64
        close(module(x), expected, 1e-5)  # 4e-6


def test_float32_streams_of_low_filters_equal_the_whole() -> None:
    module, x = IIRFilter.from_design("butter", 4, 30.0, fs=48000, trainable=False), noise(2, 9600).float()
    cuts = x.split(64, -1)
    stream, varying = module.stream(), module.stream()
    y = torch.cat([stream(part) for part in cuts], -1)
    assert y.dtype == torch.float32 and stream.state[1][0].dtype == torch.float64
    close(y, module(x), 1e-6)  # 2e-7; 4e-5 where the state is float32
    b = module.b.expand(2, 10000, 2, 3)
    close(torch.cat([varying(part, b=b[:, : part.shape[-1]]) for part in cuts], -1), module(x), 1e-6)


# ---- poles and zeros


SECTIONS = [[0.5, 0.3, 0.2, 1.0, -0.6, 0.4], [-0.8, 0.1, 0.3, 1.0, -0.2, -0.3]]


@pytest.mark.parametrize("form", FORMS)
def test_poles_and_zeros_are_read_and_assigned(form: str) -> None:
    module = IIRFilter(SECTIONS, parametrization=form)
    z, p, _ = scipy.signal.sos2zpk(np.array(SECTIONS))
    for roots, expected in ((module.zeros, z), (module.poles, p)):
        assert np.allclose(np.sort_complex(roots.detach().numpy()), np.sort_complex(expected), atol=1e-14)
    gain = module.sos().detach()[:, 0].prod()
    poles = torch.tensor([0.2 + 0.7j, 0.2 - 0.7j, -0.9, 0.1], dtype=torch.complex128)
    zeros = torch.tensor([1.2 + 0.7j, 1.2 - 0.7j, -2.5, 0.0], dtype=torch.complex128)
    module.poles, module.zeros = poles, zeros
    close(module.poles.detach(), poles, 1e-14)
    close(module.zeros.detach(), zeros, 1e-14)
    close(module.sos().detach()[:, 0].prod(), gain, 1e-14)
    sos = polezero.zpk2sos(zeros, poles, gain)
    close(module(noise(100)), polezero.sosfilt(sos, noise(100)), 1e-12)


def test_roots_of_another_kind_are_refused_and_nothing_is_changed() -> None:
    for form in ("poles", "tanh"):
        module = IIRFilter(SECTIONS, parametrization=form)
        before = module.sos()
        for name, value, sentence in (
            ("poles", [0.5, 0.2, 0.1, 0.3], r"expected pairs in the sections \[0\] and real ones in \[1\], got others"),
            ("poles", [0.5j, -0.5j, 1.5, 0.3], "expected poles inside the unit circle, got a radius of 1.5"),
            ("poles", [0.5j, 0.5j, 0.5, 0.3], "expected a conjugate pair or two real numbers of each section"),
            ("poles", [0.5, 0.3], r"expected 4 finite numbers, two of a section, got \[2\]"),
            ("zeros", [0.5j, -0.5j, math.nan, 0.3], "expected 4 finite numbers"),
        ):
            with pytest.raises(ValueError, match=f"^IIRFilter: {name}: {sentence}"):
                setattr(module, name, value)
        assert torch.equal(module.sos(), before)
    module = IIRFilter(SECTIONS, parametrization="poles")
    with pytest.raises(ValueError, match=r"^IIRFilter: gain: expected numbers of the sign .*, got 1.0"):
        module.gain = 1.0
    module.gain = -2.0
    close(module.sos().detach()[:, 0].prod(), torch.tensor(-2.0).double(), 1e-14)


def test_double_roots_and_those_at_zero_are_kept() -> None:
    x = noise(100)
    for sos in (
        [[1.0, 2.0, 1.0, 1.0, -1.2, 0.36]],
        [[1.0, -2.0, 1.0, 1.0, 1.2, 0.36]],
        [[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]],
        [[2.0, 1.0, 0.0, 1.0, 0.5, 0.0]],
        [[1.0, 1e-9, 0.0, 1.0, 0.0, 1e-18]],
    ):
        for form in FORMS:
            close(IIRFilter(sos, parametrization=form)(x), polezero.sosfilt(sos, x), 1e-14)


def test_the_pole_at_zero_of_a_first_order_section_is_trained() -> None:
    for form in FORMS:
        module = IIRFilter.from_design("butter", 1, 0.3, parametrization=form)
        module(noise(50)).square().sum().backward()
        assert float(module.poles.detach().abs().min()) < 1e-15
        torch.optim.SGD(module.parameters(), 1e-3).step()
        assert float(module.poles.detach().abs().min()) > 1e-6


def test_designs_that_float64_does_not_hold_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^IIRFilter: order: expected a design whose gain float64 holds, got 200$"):
        IIRFilter.from_design("butter", 200, 0.001)
    with pytest.raises(ValueError, match=r"^IIRFilter: N: expected an order of at most 150, got 151$"):
        IIRFilter.from_design("bessel", 151, 0.3)
    assert bool(torch.isfinite(IIRFilter.from_design("bessel", 150, 0.3).sos().detach()).all())


def test_roots_that_do_not_fit_change_nothing() -> None:
    module = IIRFilter.from_zpk([0.8j, -0.8j, 0.1, 0.2], [0.5j, -0.5j, 0.3, 0.4], 1.0, parametrization="poles")
    module = IIRFilter(module.sos().detach(), parametrization="poles", dtype=torch.float32)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    wrong = module.zeros.detach().clone()
    wrong[wrong.imag != 0] *= 1.1
    wrong[wrong.imag == 0] *= 1e200  # the pair fits, and these are beyond float32
    with pytest.raises(ValueError, match=r"^IIRFilter: real_zeros: expected finite numbers, got "):
        module.zeros = wrong
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


# ---- stability


@pytest.mark.parametrize("form", STABLE)
def test_unstable_sections_are_refused_with_their_radius_or_projected(form: str) -> None:
    x, inside = noise(100), [1.0, 0.0, 0.0, 1.0, -0.6, 0.4]
    for a1, a2, radius in ((0.0, 1.21, "1.1"), (-2.0, 0.75, "1.5"), (-1.0, 0.0, "1"), (0.3, 1.0, "1"), (0, -4, "2")):
        sos = [inside, [1.0, 0.5, 0.0, 1.0, a1, a2]]
        sentence = (
            rf"^IIRFilter: sos: expected poles inside the unit circle for '{form}' .*radius {radius} in section 1$"
        )
        with pytest.raises(ValueError, match=sentence):
            IIRFilter(sos, parametrization=form)
        module = IIRFilter(sos, parametrization=form, project=True)
        limit = 1 - 2**-19
        poles, given = module.poles.detach(), polezero.poles(torch.tensor(sos, dtype=torch.float64))
        expected = torch.where(given.abs() > 1, given / given.abs() * limit, given)
        expected = torch.where(given.abs() == 1, given * limit, expected)
        key = [torch.view_as_real(t[2:]).sum(-1).argsort() for t in (poles, expected)]
        # The coefficients k_1 and k_2 end before 1 too, which moves poles by 4e-6.
        close(poles[2:][key[0]], expected[2:][key[1]], 1e-5 if form == "reflection" else 1e-8)
        close(module.sos().detach()[0], torch.tensor(inside, dtype=torch.float64), 1e-15)
        assert bool(torch.isfinite(module(x)).all()) and bool(polezero.is_stable(module.sos().detach()))


def test_reflection_coefficients_have_their_own_border() -> None:
    sos = polezero.butter(2, 5.0, output="sos", fs=48000)
    assert float(polezero.pole_radius(sos)) < 1 - 4e-4
    with pytest.raises(
        ValueError, match=r"^IIRFilter: sos: expected reflection coefficients .* by 2.-20 .*, got 0.9999"
    ):
        IIRFilter(sos, parametrization="reflection", fs=48000)
    assert bool(polezero.is_stable(IIRFilter(sos, parametrization="reflection", project=True).sos().detach()))


@pytest.mark.parametrize("form", STABLE)
def test_training_leaves_it_stable(form: str) -> None:
    module = IIRFilter.from_design("ellip", 5, 0.2, parametrization=form)
    optimiser = torch.optim.SGD(module.parameters(), 1.0)
    random = torch.Generator().manual_seed(1)
    for _ in range(20):
        for parameter in module.parameters():
            parameter.grad = 3 * torch.randn(parameter.shape, generator=random, dtype=torch.float64)
        optimiser.step()
        sos = module.sos().detach()
        assert bool(polezero.is_stable(sos))
    assert bool(torch.isfinite(module(noise(5000))).all())


def test_a_gain_may_fade_to_nothing_and_comes_in_a_dtype_that_has_it() -> None:
    lowpass = IIRFilter.from_design("butter", 4, 0.01, parametrization="poles", dtype=torch.float32)
    with torch.no_grad():
        lowpass.parametrizations.gain.original.fill_(-300.0)
    lowpass.gain = lowpass.gain
    assert lowpass.gain == 0.0 and bool(torch.isfinite(lowpass.parametrizations.gain.original))
    with pytest.raises(ValueError, match=r"^IIRFilter: gain: expected numbers of the sign that they had at first, 1.0"):
        lowpass.gain = -1e-30
    with pytest.raises(
        ValueError, match=r"^IIRFilter: dtype: expected float64 for a gain of 8.426e-51, got torch.float32$"
    ):
        IIRFilter.from_design("butter", 20, 0.002, parametrization="poles", dtype=torch.float32)
