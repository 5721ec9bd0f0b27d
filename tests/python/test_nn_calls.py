"""What users give to calls of modules: frames, numbers, and what is refused by one sentence."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from support import assert_close

from polezero.nn import Biquad, Crossover, DCBlocker, FilterBank, FilterModule, GraphicEQ, ParametricEQ


def bell(**options: Any) -> Biquad:
    return Biquad("peaking", 1000.0, gain=3.0, fs=8000, **options)


@pytest.mark.parametrize("hop", [0, -8, 2.5, "8", True])
def test_a_hop_is_a_positive_number_of_samples(hop: Any) -> None:
    for frames in ({}, {"gain": torch.zeros(2, 9)}):
        with pytest.raises(ValueError, match=f"^Biquad: hop: expected None or a positive int, got {hop!r}$"):
            bell()(torch.randn(2, 64), hop=hop, **frames)


def test_a_hop_may_be_longer_than_the_signal_and_of_numpy() -> None:
    module, x, gain = bell(), torch.randn(2, 64), torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    assert_close(module(x, hop=10**12, gain=gain[:, :1]), module(x, gain=gain[:, 0]))  # no memory of a hop's size
    ramp = gain[:, :1] + (gain[:, 1:] - gain[:, :1]) * torch.arange(64) / 1000
    frames = module(x, hop=1000, gain=gain)
    assert_close(frames[:, :1], module(x, gain=ramp)[:, :1])
    stream = module.stream()
    assert_close(torch.cat([stream(part, hop=1000, gain=gain) for part in x.split(7, -1)], -1), frames)
    assert_close(module(x, hop=np.int64(8), gain=torch.ones(2, 9)), module(x, gain=1.0))  # type: ignore[arg-type]


def test_no_samples_need_no_frames() -> None:
    for frames in (0, 1):
        assert bell()(torch.randn(2, 0), hop=8, gain=torch.zeros(2, frames)).shape == (2, 0)


def test_frames_of_all_parameters_are_as_many() -> None:
    with pytest.raises(ValueError, match=r"^Biquad: hop: expected as many frames of each .*, got 9 of gain, 8 of Q$"):
        bell()(torch.randn(2, 64), hop=8, gain=torch.zeros(2, 9), Q=torch.ones(2, 8))


def test_one_number_is_that_of_all_bands() -> None:
    x = torch.randn(3, 2, 64)
    for eq in (ParametricEQ(fs=48000), ParametricEQ(fs=48000, channels=2), GraphicEQ(fs=48000)):
        own = eq.gain.shape[-1]
        assert_close(eq(x, gain=3.0), eq(x, gain=torch.full((own,), 3.0)))
        assert torch.equal(eq.sos(gain=3.0), eq.sos(gain=torch.full((own,), 3.0)))


def test_what_is_no_number_is_refused() -> None:
    for value in ("3", 1j, [1.0, "2"]):
        with pytest.raises(ValueError, match=r"^Biquad: gain: expected (real )?numbers, got "):
            bell()(torch.randn(2, 64), gain=value)  # type: ignore[arg-type]


def test_none_stands_for_the_modules_own() -> None:
    module, x = bell(channels=2), torch.randn(3, 2, 64)
    assert torch.equal(module(x, gain=None), module(x))  # type: ignore[arg-type]


@pytest.mark.parametrize("fs", [8000, np.int64(8000), np.float32(8000)])
def test_rates_and_channels_may_be_numbers_of_numpy(fs: Any) -> None:
    module = Biquad("lowpass", 100.0, fs=fs, channels=np.int64(2))  # type: ignore[arg-type]
    assert type(module.fs) is float and module.fs == 8000.0
    assert type(module.channels) is int and module.frequency.shape == (2,)


@pytest.mark.parametrize("fs", ["8000", True, None, torch.tensor(8000.0)])
def test_rates_that_are_no_numbers_are_refused_as_they_are(fs: Any) -> None:
    with pytest.raises(ValueError, match=r"^Biquad: fs: expected a positive number of Hz, got ") as error:
        Biquad("lowpass", 100.0, fs=fs)
    assert str(error.value).endswith(repr(fs))


@pytest.mark.parametrize("trainable", ["gain", "Q", None, 1, iter(["gain"])])
def test_trainable_is_a_truth_or_a_list_of_names(trainable: Any) -> None:
    with pytest.raises(ValueError, match=r"^Biquad: trainable: expected True, False or a list of names, got "):
        bell(trainable=trainable)


def test_complex_numbers_are_not_assigned_in_part() -> None:
    module = bell()
    with pytest.raises(ValueError, match=r"^Biquad: gain: expected real numbers, got "):
        module.gain = torch.tensor(1.0 + 2.0j)
    assert round(module.gain.item(), 6) == 3.0


@pytest.mark.parametrize(
    "make, sentence",
    [
        (
            lambda: Biquad("lowpass", 500.0, fs=8000, frequency_range=(20.0, 4000.0)),
            r"frequency_range: .* above 0 and b",
        ),
        (
            lambda: Biquad("lowpass", 500.0, fs=8000, frequency_range=(2000.0, 60.0)),
            "frequency_range: expected two ris",
        ),
        (
            lambda: Biquad("lowpass", 500.0, fs=8000, frequency_range=(20.0, 60.0, 80.0)),
            "frequency_range: expected two",
        ),
        (
            lambda: Biquad("lowpass", 500.0, fs=8000, Q_range=(-1.0, 3.0)),
            "Q_range: expected two rising numbers above 0, ",
        ),
        (lambda: bell(gain_range=(float("nan"), 3.0)), "gain_range: expected two rising numbers, got "),
        (
            lambda: ParametricEQ(fs=48000, frequency_range=(20.0, 60000.0)),
            "frequency_range: .* below fs / 2 = 24000 Hz, ",
        ),
        (
            lambda: Crossover(500.0, fs=8000, frequency_range=(20.0, 6000.0)),
            "frequency_range: .* below fs / 2 = 4000 Hz",
        ),
        (
            lambda: DCBlocker(20.0, fs=8000, frequency_range=(20.0, 6000.0)),
            "frequency_range: .* below fs / 2 = 4000 Hz, ",
        ),
        (
            lambda: FilterBank.eeg(fs=250, trainable="edges", edge_range=(0.1, 200.0)),
            "edge_range: .* fs / 2 = 125 Hz, ",
        ),
    ],
)
def test_ranges_are_two_rising_numbers_below_half_the_rate(make: Callable[[], FilterModule], sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"^[A-Za-z]*: {sentence}"):
        make()


def test_the_borders_of_a_crossovers_range_belong_to_it() -> None:
    split = Crossover([20.0, 21600.0], fs=48000, frequency_range=(20.0, 21600.0))
    assert_close(split.frequency.detach(), torch.tensor([20.0, 21600.0], dtype=torch.float64))
    assert bool(torch.isfinite(split.parametrizations.frequency.original).all())


@pytest.mark.parametrize("make", [bell, lambda: Crossover(500.0, fs=8000)])
def test_a_module_is_compiled_with_dynamic_shapes_from_the_start(make: Callable[[], FilterModule]) -> None:
    module, x = make(), torch.randn(2, 64)
    torch.compiler.reset()
    assert_close(torch.compile(module, fullgraph=True, dynamic=True, backend="aot_eager")(x), module(x))


def test_modules_are_made_without_memory() -> None:
    module = Biquad("peaking", 1000.0, gain=3.0, fs=48000, device="meta")
    assert module.gain.is_meta and "fs=48000" in repr(module)
    module.to_empty(device="cpu").load_state_dict(Biquad("peaking", 500.0, gain=2.0, fs=48000).state_dict())
    torch.testing.assert_close(module.gain.detach(), torch.tensor(2.0, dtype=torch.float64))


def test_a_compiled_function_of_a_stream_has_one_graph_for_all_places() -> None:
    stream, whole = (
        Biquad("lowpass", 500.0, fs=8000).stream(),
        Biquad("lowpass", 500.0, fs=8000),
    )
    compiled = torch.compile(lambda x: stream(x), fullgraph=True, backend="aot_eager")
    x = torch.randn(2, 240)
    y = torch.cat([compiled(part) for part in x.split(20, -1)], -1)
    torch.testing.assert_close(y, whole(x))
