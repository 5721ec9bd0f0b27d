"""`AllPole`: values beside SciPy and the definition, its inverse, synthesis in frames, and analysis."""

import math

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

import polezero
from polezero.nn import AllPole

FORMS = ("reflection", "lsf", "triangle")


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def predictor(order: int, *leading: int, seed: int = 0, largest: float = 0.8) -> Tensor:
    k = torch.rand(*leading, order, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return polezero.rc2poly(largest * (2 * k - 1))


def close(actual: Tensor, expected: Tensor | np.ndarray, tolerance: float = 1e-10) -> None:
    expected = torch.as_tensor(expected)
    scale = float(expected.detach().abs().max()) if expected.numel() else 0.0
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance * scale)


def moving(module: AllPole, F: int, *leading: int, seed: int = 1) -> dict[str, Tensor]:
    """Parameters of frames that have nothing to do with each other."""
    a = predictor(module.order, *leading, F, seed=seed)
    return {module._form.name: module._form.of_polynomial(a), "gain": noise(*leading, F, seed=seed).abs() + 0.1}


# ---- constant


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("order", [2, 10, 22])
def test_values_are_scipys_of_the_polynomial(form: str, order: int) -> None:
    a, x = predictor(order), noise(2, 300)
    module = AllPole.from_a(2 * a, 0.5, form, fs=24000)
    expected = scipy.signal.lfilter([0.5], a, x)
    close(module(x), expected)  # 2e-11 by line spectral frequencies, 1e-12 by others
    close(module(x.float()).double(), expected, 1e-6)  # 1e-7
    b, found = module.ba()
    close(found, a)
    close(b, torch.tensor([0.5], dtype=torch.float64), 1e-15)
    hertz, H = module.freqz(64)
    expected_hertz, expected_H = scipy.signal.freqz([0.5], a, 64, fs=24000)
    close(hertz, expected_hertz)
    close(H, expected_H)


@pytest.mark.parametrize("order", [4, 22, 40])
@pytest.mark.parametrize(("radius", "tolerance"), [(0.99, 1e-12), (0.9999, 1e-9)])  # 2e-13 and 1e-10
def test_resonances_near_the_circle_are_scipys(order: int, radius: float, tolerance: float) -> None:
    angles = math.pi * (torch.arange(order // 2) + 0.6).double() / (order // 2)
    sections = torch.stack([-2 * radius * angles.cos(), torch.full_like(angles, radius**2)], -1)
    module, x = AllPole(order, "triangle"), noise(4000)
    module.sections = sections
    one = torch.tensor([1.0, 0.0, 0.0]).expand(len(sections), 3)
    sos = torch.cat([one, torch.ones_like(one[:, :1]), sections], -1)
    expected = scipy.signal.sosfilt(sos[polezero._conversions.roots.spread(len(sos))], x)
    close(module(x), expected, tolerance)
    close(module(x.float()).double(), expected, 5e-7)  # 6e-8
    close(AllPole.from_a(module.ba()[1].detach(), parametrization="lsf")(x), expected, tolerance)


@pytest.mark.parametrize(("form", "deviation"), [("reflection", 1e-12), ("lsf", 1e-12), ("triangle", 1.0)])
@pytest.mark.parametrize("order", [2, 22])
def test_a_new_filter_is_flat(form: str, deviation: float, order: int) -> None:
    _, H = AllPole(order, form).freqz()
    assert float((20 * H.detach().abs().log10()).abs().max()) <= deviation


@pytest.mark.parametrize("form", FORMS)
def test_all_unconstrained_numbers_are_stable_filters(form: str) -> None:
    generator = torch.Generator().manual_seed(0)
    for size in (1.0, 10.0, 1000.0):
        module = AllPole(8, form)
        for p in module.parameters():
            p.data = size * torch.randn(p.shape, generator=generator, dtype=torch.float64)
        value = getattr(module, module._form.name).detach()
        if form == "reflection":
            assert bool((value.abs() < 1).all())
        elif form == "lsf":
            assert bool((torch.nn.functional.pad(value, (1, 1), value=0.0)[1:-1].diff() > 0).all())
            assert 0 < float(value.min()) and float(value.max()) < 1
        else:
            a1, a2 = value.unbind(-1)
            assert bool((a2 < 1).all() and (a1.abs() < 1 + a2).all())
        # Poles that crowd at the circle are not met to rounding, but what is filtered is stable, and so are gradients.
        y = module(torch.nn.functional.pad(torch.ones(1, dtype=torch.float64), (0, 999)))
        assert bool(y.isfinite().all())
        assert all(bool(g.isfinite().all()) for g in torch.autograd.grad(y.square().mean(), list(module.parameters())))


def test_real_poles_are_sections_of_two() -> None:
    radii = torch.tensor([0.9, -0.8, 0.5, 0.2], dtype=torch.float64)
    a = torch.as_tensor(np.poly(radii))
    module = AllPole.from_a(a, parametrization="triangle")
    close(module.ba()[1], a, 1e-13)


@pytest.mark.parametrize("form", FORMS)
def test_a_filter_of_a_signal_is_that_which_made_it(form: str) -> None:
    a, x = predictor(4), noise(2, 20000)
    y = polezero.lfilter([0.01], a, x)
    module = AllPole.from_lpc(y, 4, form, channels=2)
    b, found = module.ba()
    torch.testing.assert_close(b, torch.full((2, 1), 0.01, dtype=torch.float64), rtol=0.02, atol=0)
    torch.testing.assert_close(found, a.expand(2, -1), rtol=0, atol=0.03)
    assert not any(p.grad_fn for p in module.parameters())


def test_silence_has_no_filter() -> None:
    with pytest.raises(ValueError, match=r"^AllPole: gain: expected a factor of .*, got 0\.0$"):
        AllPole.from_lpc(torch.zeros(100), 4)


# ---- changing with time


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hop", [17, 30, 48])
def test_chunks_take_long_frames(form: str, hop: int) -> None:
    module, x = AllPole(6, form), noise(2, 200)
    for F in (-(-200 // hop), 200 // hop + 3):  # just enough, whose last one holds, and more
        frames = moving(module, F, 2)
        stream, position, parts = module.stream(), 0, []
        for part in x.split([1, 0, 46, 1, 32, 100, 20], -1):
            now = {name: v[:, position // hop :] for name, v in frames.items()}
            parts.append(stream(part, hop=hop, **now))
            position += part.shape[-1]
        close(torch.cat(parts, -1), module(x, hop=hop, **frames))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("T", [0, 1, 95])
def test_the_residual_is_the_inverse(form: str, T: int) -> None:
    module, x, hop = AllPole(6, form, fs=16000), noise(2, T), 10
    module.gain = 0.3
    for values in ({}, moving(module, 11, 2), {"gain": moving(module, 11, 2)["gain"]}):
        hops = {"hop": hop} if values else {}
        close(module.residual(module(x, **hops, **values), **hops, **values), x, 1e-10)
        close(module(module.residual(x, **hops, **values), **hops, **values), x, 1e-10)
    close(module.residual(x.float()).double(), module.residual(x), 1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("hop", "step"), [(7, 7), (16, 16), (30, 15), (48, 16), (17, 1)])
def test_frames_are_linear_in_their_own_parameters(form: str, hop: int, step: int) -> None:
    module, T = AllPole(6, form), 101
    frames, x = moving(module, T // hop + 1, 2), noise(2, T)
    n = np.arange(0, T, 1 if form == "reflection" else step)

    def linear(values: Tensor, at: np.ndarray, every: int) -> Tensor:
        rows = values.flatten(2).numpy() if values.dim() > 2 else values.unsqueeze(-1).numpy()
        grid = every * np.arange(values.shape[1])
        found = [[np.interp(at, grid, rows[b, :, i]) for i in range(rows.shape[-1])] for b in range(2)]
        return torch.as_tensor(np.array(found)).movedim(1, -1).reshape(2, len(at), *values.shape[2:])

    ends = np.append(n, n[-1] + step)
    own = linear(frames[module._form.name], ends, hop)
    k = linear(polezero.poly2rc(module.ba(**{module._form.name: own})[1]), np.arange(T), int(n[1]))
    expected = polezero.lpv.lattice(k, x * linear(frames["gain"], np.arange(T), hop))
    close(module(x, hop=hop, **frames), expected)


@pytest.mark.parametrize("form", FORMS)
def test_a_gain_of_zero_is_silence(form: str) -> None:
    module, x = AllPole(4, form), noise(40).requires_grad_()
    gain = torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0], dtype=torch.float64, requires_grad=True)
    y = module.residual(x, hop=10, gain=gain)
    assert bool((y[:21] == 0).all()) and float(y.detach().abs()[21:].min()) > 0
    assert all(bool(g.isfinite().all()) for g in torch.autograd.grad(y.sum(), [x, gain]))
    assert bool((module(x, hop=10, gain=gain)[:21] == 0).all())


@pytest.mark.parametrize("form", FORMS)
def test_filters_may_move_as_fast_as_they_like(form: str) -> None:
    module, T = AllPole(10, form), 5000
    k = 0.8 * torch.sign(noise(T, 10))
    impulse = torch.nn.functional.pad(torch.ones(1, dtype=torch.float64), (0, T - 1))
    y = module(impulse, **{module._form.name: module._form.of_polynomial(polezero.rc2poly(k))})
    # What goes in is divided by the product of c; from there on no state grows.
    assert 1 < float(y.detach().abs().max()) <= (1 - 0.8**2) ** -5 * (1 + 1e-6)


# ---- in frames


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("hop", "overlap"), [(16, 4), (25, 2), (10, 3), (7, 5)])
@pytest.mark.parametrize("T", [0, 3, 200])
def test_frames_that_are_alike_are_one_filter(form: str, hop: int, overlap: int, T: int) -> None:
    module, x = AllPole.from_a(predictor(6, largest=0.5), 0.7, form), noise(2, T)
    expected = module(x)
    frames = {name: v.expand(2, T // hop + 1, *v.shape) for name, v in module.values().items()}
    close(module.overlap_add(x, hop=hop, overlap=overlap, tail=T, **frames), expected, 1e-12)
    close(module.overlap_add(x, hop=hop, overlap=overlap, tail=T, gain=frames["gain"]), expected, 1e-12)
    close(module.overlap_add(x, hop=hop), expected)
    single = module.overlap_add(x.float(), hop=hop, overlap=overlap, tail=T, **frames)
    assert single.dtype == torch.float32
    close(single.double(), expected, 1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_each_frame_has_its_own_constant_filter(form: str) -> None:
    T, hop, F, reach, tail = 55, 10, 6, 20, 30
    module, x = AllPole(6, form), noise(2, T)
    frames = moving(module, F, 2)
    padded, n = np.pad(x, ((0, 0), (reach, 200))), np.arange(-reach, T + 200)
    expected = np.zeros_like(padded)
    for f in range(-1, 8):  # about sample 10 f; the first and the last hold on
        window = np.where(abs(n - f * hop) < reach, (1 + np.cos(np.pi * (n - f * hop) / reach)) / 4, 0)
        rings = n < f * hop + reach + tail
        for row in range(2):
            b, a = module.ba(**{name: v[row, min(max(f, 0), F - 1)] for name, v in frames.items()})
            expected[row] += scipy.signal.lfilter(b, a, padded[row] * window) * rings
    close(module.overlap_add(x, hop=hop, tail=tail, **frames), expected[:, reach : reach + T])


def test_channels_in_frames() -> None:
    module, x = AllPole(4, channels=2), noise(3, 2, 64)
    frames = moving(module, 5, 3, 2)
    y = module.overlap_add(x, hop=16, **frames)
    one = AllPole(4).overlap_add(x[1, 1], hop=16, **{name: v[1, 1] for name, v in frames.items()})
    close(y[1, 1], one)
    shared = {name: v[:, 0] for name, v in frames.items()}
    close(
        AllPole(4).overlap_add(x, hop=16, **shared)[2, 1],
        AllPole(4).overlap_add(x[2, 1], hop=16, **{name: v[2] for name, v in shared.items()}),
    )


@pytest.mark.parametrize("form", FORMS)
def test_gradients_of_frames_are_right(form: str) -> None:
    module, x = AllPole(4, form), noise(20).requires_grad_()
    values = {name: v.requires_grad_() for name, v in moving(module, 4).items()}

    def apply(method: str) -> None:
        def filtered(x: Tensor, *v: Tensor) -> Tensor:
            return getattr(module, method)(x, hop=6, **dict(zip(values, v)))

        assert torch.autograd.gradcheck(filtered, (x, *values.values()), fast_mode=True)

    for method in ("forward", "residual", "overlap_add"):
        apply(method)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"hop": 0}, "hop: expected an int from 1 on, got 0"),
        ({"hop": 8, "overlap": 1}, "overlap: expected an int from 2 on, got 1"),
        ({"hop": 8, "tail": -1}, "tail: expected an int from 0 on, got -1"),
        ({"hop": 8, "gain": torch.ones(3)}, "hop: expected 5 frames of 8 samples for 40 samples, got 3"),
    ],
)
def test_what_frames_refuse(arguments: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^AllPole: {sentence}$"):
        AllPole(4).overlap_add(noise(40), **arguments)


@pytest.mark.parametrize("form", FORMS)
def test_methods_are_batched_by_vmap(form: str) -> None:
    module, x, hop = AllPole(4, form), noise(3, 100), 20
    frames = moving(module, 6, 3)
    for method in (module.residual, module.overlap_add):
        batched = torch.func.vmap(lambda x, v, method=method: method(x, hop=hop, **v))(x, frames)
        close(batched, method(x, hop=hop, **frames))
    batched, expected = torch.func.vmap(lambda x: module.analyse(x, hop=hop))(x), module.analyse(x, hop=hop)
    for name, value in batched.items():
        close(value, expected[name])


def test_methods_are_compiled_as_one_graph() -> None:
    module, x = AllPole(4), noise(3, 100)

    def again(x: Tensor) -> Tensor:
        frames = module.analyse(x, hop=20)
        return module.overlap_add(module.residual(x, hop=20, **frames), hop=20, **frames)

    torch.compiler.reset()
    close(torch.compile(again, fullgraph=True, backend="aot_eager")(x), again(x))


@pytest.mark.parametrize("method", ["forward", "residual", "overlap_add", "analyse"])
def test_signals_are_checked_and_whole_numbers_are_floats(method: str) -> None:
    module, hops = AllPole(2, channels=2), {} if method in ("forward", "residual") else {"hop": 8}
    with pytest.raises(
        ValueError, match=r"^AllPole: x: expected a signal of shape \[\.\.\., 2, T\] for 2 channels, got"
    ):
        getattr(module, method)(noise(3, 40), **hops)
    with pytest.raises(TypeError, match=r"^AllPole: x: expected a torch\.Tensor, got list$"):
        getattr(module, method)([1.0, 2.0], **hops)
    whole = torch.arange(80).reshape(2, 40)
    found, expected = (getattr(module, method)(x, **hops) for x in (whole, whole.float()))
    if method == "analyse":
        found, expected = found["reflection"], expected["reflection"]
    assert torch.equal(found, expected) and bool((found != 0).any())


# ---- analysis


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("T", [0, 5, 128, 300])
def test_analysis_is_lpc_of_windowed_frames(form: str, T: int) -> None:
    module, x, hop, size = AllPole(6, form, fs=8000), noise(2, T), 32, 101
    found = module.analyse(x, hop=hop, size=size)
    F = T // hop + 1
    window = torch.as_tensor(scipy.signal.get_window("hann", size))
    padded = torch.nn.functional.pad(x, (size // 2, size))
    frames = torch.stack([padded[:, f * hop : f * hop + size] for f in range(F)], 1)
    a, error = polezero.lpc(frames * window, 6)
    b, polynomial = module.ba(**found)
    assert polynomial.shape == (2, F, 7)
    close(polynomial, a)
    close(b.squeeze(-1), (error / window.square().mean()).sqrt())
    close(module.residual(module(x, hop=hop, **found), hop=hop, **found), x, 1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_silent_frames_are_flat_and_have_finite_gradients(form: str) -> None:
    module = AllPole(6, form)
    x = torch.cat([noise(100), torch.zeros(200, dtype=torch.float64)]).requires_grad_()
    found = module.analyse(x, hop=20)
    assert found["gain"][-1] == 0 and float(found["gain"][0].detach()) > 0
    close(module.ba(**found)[1][-1], torch.tensor([1.0, 0, 0, 0, 0, 0, 0], dtype=torch.float64), 1e-12)
    (gradient,) = torch.autograd.grad(sum(v.sum() for v in found.values()), x)
    assert bool(gradient.isfinite().all()) and float(gradient.abs().max()) > 0


def test_analysis_has_gradients() -> None:
    module, x = AllPole(3), noise(30).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: tuple(module.analyse(x, hop=10).values()), (x,), fast_mode=True)


def test_what_analysis_refuses() -> None:
    for sizes, sentence in (
        ({"hop": 0}, "hop: expected an int from 1 on, got 0"),
        ({"hop": 2.5}, "hop: expected an int from 1 on, got 2.5"),
        ({"hop": 8, "size": 4}, "size: expected an int from 5 on, got 4"),
    ):
        with pytest.raises(ValueError, match=f"^AllPole: {sentence}$"):
            AllPole(4).analyse(noise(40), **sizes)


def test_methods_of_analysis() -> None:
    x = polezero.lfilter([1.0], predictor(4), noise(400))
    for method in ("burg", "covariance"):
        a, error = polezero.lpc(x[80:120], 4, method)
        b, found = AllPole(4).ba(**{n: v[2] for n, v in AllPole(4).analyse(x, hop=50, size=40, method=method).items()})
        close(found, a)
        close(b.squeeze(-1), error.sqrt())
