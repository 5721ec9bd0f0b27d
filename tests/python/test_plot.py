"""Figures are drawn, and what they show of a filter is right."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from support import assert_close

import polezero
from polezero import plot
from polezero._responses.shapes import frequencies_of, shape_of

mpl = pytest.importorskip("matplotlib", reason="matplotlib is no requirement; it is one of the group `test`")
mpl.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402  (after the backend is chosen)

BUTTER = scipy.signal.butter(5, 0.3)
SYSTEMS: dict[str, Any] = {
    "ba": BUTTER,
    "zpk": scipy.signal.ellip(4, 1, 50, (0.2, 0.4), "bandpass", output="zpk"),
    "sos": torch.from_numpy(scipy.signal.cheby2(5, 40, 0.3, output="sos")).requires_grad_(),
    "complex": ([1.0, 0.5j], [1.0, -0.5j]),
    "late": ([], [0.5, 0.2], 0.4),
    "fir": (np.ones(5) / 5, [1.0]),
    "unstable": ([1.0], [1.0, -1.01]),
}
DRAW = {
    "response": plot.response,
    "group_delay": plot.group_delay,
    "impulse": plot.impulse,
    "pole_zero": lambda system, fs=None: plot.pole_zero(system),
}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def assert_drawn(figure: Any) -> None:
    figure.draw_without_rendering()
    assert isinstance(figure, plt.Figure)
    assert all(np.isfinite(line.get_ydata()).all() for ax in figure.axes for line in ax.lines)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("fs", [None, 48000], ids=["angles", "hertz"])
@pytest.mark.parametrize("name", DRAW)
def test_a_filter_is_drawn(name: str, fs: float | None) -> None:
    assert_drawn(DRAW[name](SYSTEMS["ba" if fs else "sos"], fs=fs))


@pytest.mark.filterwarnings("error")
def test_every_form_is_drawn_beside_others() -> None:
    assert_drawn(plot.compare(SYSTEMS, 48000))
    for system in SYSTEMS.values():
        assert_drawn(plot.pole_zero(system))
        assert_drawn(plot.impulse(system))


def test_axes_may_be_given() -> None:
    figure, axes = plt.subplots(3, 2)
    assert plot.compare({"one": BUTTER}, axes=axes[:, 0]) is figure
    assert plot.response(BUTTER, axes=axes[:2, 1]) is figure
    assert plot.pole_zero(BUTTER, ax=axes[2, 1]) is figure
    assert all(ax.lines for ax in axes.flat)


def test_the_look_is_that_of_all_figures_of_the_project() -> None:
    look = mpl.rc_params_from_file(Path(__file__).parents[2] / "docs" / "figures.mplstyle", use_default_template=False)
    colours = dict(look)["axes.prop_cycle"].by_key()["color"]
    assert plot.STYLE == {name: value for name, value in look.items() if name != "axes.prop_cycle"}
    assert list(plot.COLOURS) == colours


def test_what_cannot_be_drawn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"^plot.response: system: expected one filter, got a batch, of shapes "):
        plot.response((torch.ones(2, 1), [1.0]))
    with pytest.raises(ValueError, match=r"^plot.compare: systems: expected at least one filter, got none$"):
        plot.compare({})
    with pytest.raises(ValueError, match=r"^plot.response: axes: expected 2, got 1$"):
        plot.response(BUTTER, axes=[plt.gca()])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"^polezero.plot: expected matplotlib, got none \(pip install matplotlib\)$"):
        plot.response(BUTTER)


# ---- what is drawn


@pytest.mark.parametrize("form", ["ba", "zpk", "sos"])
def test_repeated_roots_are_counted(form: str) -> None:
    shape = shape_of("plot", scipy.signal.butter(4, (0.2, 0.4), "bandpass", output=form))
    found = sorted((round(root.real, 6), count) for root, count in shape.zeros)
    assert found == [(-1.0, 4), (1.0, 4)]
    assert [count for _, count in shape.poles] == [1] * 8


def test_poles_that_are_close_are_no_repeated_ones() -> None:
    shape = shape_of("plot", scipy.signal.butter(4, 0.002, output="zpk"))
    assert [count for _, count in shape.poles] == [1] * 4


def test_what_sections_have_at_the_origin_of_both_is_cancelled() -> None:
    shape = shape_of("plot", [[1.0, 0.0, 0.0, 1.0, -0.5, 0.0]])
    assert shape.zeros == [(0j, 1)] and [p for p, _ in shape.poles] == [0.5]


@pytest.mark.parametrize("name", SYSTEMS)
def test_phases_are_those_of_the_response(name: str) -> None:
    shape = shape_of("plot", SYSTEMS[name])
    w = torch.linspace(0.01, 3.0, 300, dtype=torch.float64)
    z = torch.polar(torch.ones_like(w), w)
    zeros, poles = (
        torch.stack([torch.ones_like(z), *(z - root for root, count in roots for _ in range(count))]).prod(0)
        for roots in (shape.zeros, shape.poles)
    )
    phase = torch.deg2rad(shape.degrees(w, 2 * math.pi))
    expected = torch.angle(shape.gain * zeros / poles)
    assert_close(torch.polar(torch.ones_like(phase), phase - expected), torch.ones_like(z), 1e-6)
    assert abs(phase[0]) <= math.pi


def test_a_phase_jumps_up_at_zeros_on_the_circle_and_nowhere_else() -> None:
    shape = shape_of("plot", scipy.signal.ellip(5, 1, 60, 0.3, output="sos"))
    steps = shape.degrees(torch.linspace(0, 3.1, 4000, dtype=torch.float64), 2 * math.pi).diff()
    jumps = steps[steps.abs() > 20]
    assert len(jumps) == 2 and (jumps > 170).all()


def test_frequencies_show_narrow_resonances() -> None:
    b, a = scipy.signal.iirpeak(1000, 1e4, fs=48000)
    w = frequencies_of([shape_of("plot", (b, a))], 48000)
    assert_close(w[[0, -1]], torch.tensor([20.0, 24000.0]).double())
    assert abs(shape_of("plot", (b, a)).decibels(w, 48000).max()) < 1e-4  # its peak is 0.1 Hz wide


def test_impulses_end_where_they_have_died_away() -> None:
    assert len(shape_of("plot", ([1.0], [1.0, -0.99])).impulse(None)) == int(1.1 * 527) + 2
    assert len(shape_of("plot", ([1.0], [1.0])).impulse(None)) == 20
    late = shape_of("plot", SYSTEMS["late"]).impulse(4)
    assert_close(late, polezero.impulse_response([0.0, 0.0, 0.4], [1.0, -0.7, 0.1], 4), 1e-12)
