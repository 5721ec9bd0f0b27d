"""Whatever a constructor, an assignment or a call of a module is given, what it refuses it refuses by one sentence."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from test_nn import MODULES

from polezero.nn import AllPole, FilterBank, FilterModule, IIRFilter

WRONG = [
    None, "x", [], [[1.0, 2.0], [3.0]], {"a": 1}, float("nan"), float("inf"), -1, 1e300, 10**400, 2.5, (3.0, 1.0),
    [None], torch.zeros(3, 5, 7), torch.tensor(1j), 1j, object(), b"x",
]  # fmt: skip
OPTIONS = ("channels", "trainable", "stateful", "save_state", "dtype", "device")
NEEDED: dict[str, dict[str, Any]] = {
    "AllPole": {"order": 4},
    "Allpass": {"delay": 0.01},
    "Biquad": {"btype": "peaking", "frequency": 500.0, "gain": 3.0},
    "Comb": {"delay": 0.1},
    "Crossover": {"frequency": [500.0]},
    "FilterBank": {"bands": [{"ftype": "butter", "order": 2, "cutoff": 300.0}], "trainable": "edges"},
    "IIRFilter": {"sos": [[1.0, 0.0, 0.0, 1.0, 0.1, 0.2]], "parametrization": "poles"},
    "KarplusStrong": {"frequency": 110.0},
    "ModalReverb": {"frequency": [100.0, 200.0]},
    "NonlinearBiquad": {"btype": "peaking", "frequency": 500.0, "gain": 3.0},
    "PlateReverb": {"Lx": 0.8, "Ly": 0.5, "thickness": 2e-3, "orders": (3, 3)},
    "Weighting": {"curve": "A"},
}
BUTTER, BELL = {"ftype": "butter", "order": 2, "cutoff": 300.0}, {"ftype": "peaking", "cutoff": 300.0, "gain": 1.0}
BESSEL = {**BUTTER, "ftype": "bessel", "norm": "mag"}
CROSSOVER = {"ftype": "linkwitz-riley", "order": 4, "cutoff": [300.0]}
PRESETS: list[tuple[str, Callable[..., object], dict[str, Any]]] = [
    ("FilterBank", FilterBank.octave, {"fraction": 1, "fmin": 20.0, "fmax": None, "order": 4, "fs": 8000}),
    ("FilterBank", FilterBank.gammatone, {"bands": 8, "scale": "erb", "fmin": 50.0, "fmax": None, "fs": 8000}),
    ("FilterBank", FilterBank.eeg, {"order": 4, "fs": 250}),
    ("FilterBank", FilterBank.crossover, {"frequencies": [0.2, 0.4], "order": 4, "fs": 2.0}),
    ("IIRFilter", IIRFilter.from_ba, {"b": [1.0, 0.5], "a": [1.0, -0.5]}),
    ("IIRFilter", IIRFilter.from_zpk, {"z": [0.5], "p": [0.3], "k": 1.0}),
    ("IIRFilter", IIRFilter.from_design, {"name": "butter", "order": 2, "Wn": 0.3, "btype": "lowpass", "rp": None}),
    ("AllPole", AllPole.from_a, {"a": [1.0, -0.5], "gain": 1.0, "parametrization": "lsf"}),
    ("AllPole", AllPole.from_lpc, {"x": torch.ones(64).cumsum(0).sin(), "order": 4, "method": "burg"}),
    *(
        ("FilterBank", lambda **band: FilterBank([band], fs=8000, trainable="edges"), band)
        for band in (BUTTER, BELL, BESSEL, CROSSOVER)
    ),
]


def refused_by_one_sentence(name: str, call: Callable[[], object]) -> bool:
    """Whether it is refused; some wrong values are fit for some arguments."""
    try:
        call()
    except (TypeError, ValueError) as error:
        assert re.fullmatch(rf"{name}: [^\n]*expected [^\n]*, got [^\n]*", str(error)), str(error)
        return True
    return False


def made(name: str, **arguments: Any) -> FilterModule:
    rate = {"fs": 48000} if name not in ("IIRFilter", "AllPole", "PCEN") else {}
    return MODULES[name](**rate | NEEDED.get(name, {}) | arguments)


@pytest.mark.parametrize("name", MODULES)
def test_constructors_assignments_and_calls(name: str) -> None:
    arguments = [n for n in inspect.signature(MODULES[name].__init__).parameters if n not in ("self", "options")]
    for argument in (*arguments, *OPTIONS):
        found = [refused_by_one_sentence(name, lambda: made(name, **{argument: v})) for v in WRONG]  # noqa: B023
        assert sum(found) > 4 or argument.endswith("_range"), argument  # a range that is of no parameter here
    module, x = made(name), torch.zeros(2, 48)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    for wrong in WRONG:
        for parameter in module.values():
            if not refused_by_one_sentence(name, lambda: setattr(module, parameter, wrong)):  # noqa: B023
                module.load_state_dict(before)
            refused_by_one_sentence(name, lambda: module(x, **{parameter: wrong}))  # noqa: B023
            refused_by_one_sentence(name, lambda: module.values(**{parameter: wrong}))  # noqa: B023
        refused_by_one_sentence(name, lambda: module(wrong))  # noqa: B023
        refused_by_one_sentence(name, lambda: module(x, hop=wrong))  # noqa: B023
        refused_by_one_sentence(name, lambda: module.stream(fs=wrong))  # noqa: B023
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


@pytest.mark.parametrize(("name", "make", "arguments"), PRESETS)
def test_presets_and_bands(name: str, make: Callable[..., object], arguments: dict[str, Any]) -> None:
    make(**arguments)
    for argument in arguments:
        found = [refused_by_one_sentence(name, lambda: make(**arguments | {argument: v})) for v in WRONG]  # noqa: B023
        assert sum(found) > 4, argument
