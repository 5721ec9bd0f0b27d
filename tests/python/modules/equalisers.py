"""Parametric equalisers."""

from modules.case import ModuleCase
from polezero.nn import GraphicEQ, ParametricEQ, ShelvingEQ

SIX = {
    "frequency": [300.0, 1500.0, 120.0, 2500.0, 3000.0, 60.0],
    "Q": [1.0, 2.0, 0.7, 0.7, 0.7, 1.2],
    "gain": [6.0, -4.0, 3.0, 5.0],
}
WITHOUT = {"frequency": [200.0, 900.0], "Q": [0.7, 3.0]}
OCTAVES = {"gain": [3.0, -4.0, 5.0, 1.0, -2.0, 6.0, 4.0]}  # to 2 kHz, at 8 kHz
SHELVES = {"frequency": [200.0, 2000.0], "Q": [0.7, 0.6], "gain": [6.0, -4.0]}

CASES = [
    ModuleCase(
        label="ParametricEQ",
        make=lambda **options: ParametricEQ(**SIX | {"fs": 8000} | options),
        typical=SIX,
        bad=(
            (lambda: ParametricEQ(["bell"], fs=8000), "ParametricEQ: bands: expected types out of *, got *'bell'*"),
            (lambda: ParametricEQ("peaking", fs=8000), "ParametricEQ: bands: expected types out of *, got 'peaking'"),
            (lambda: ParametricEQ([], fs=8000), "ParametricEQ: bands: expected types out of *, one at least, got []"),
            (lambda: ParametricEQ(["notch"], gain=3.0, fs=8000), "ParametricEQ: gain: expected None for notch, got 3*"),
            (
                lambda: ParametricEQ(gain=[0.0] * 6, fs=8000),
                "ParametricEQ: gain: expected a value that broadcasts to [[]4], got [[]6]",
            ),
            (
                lambda: ParametricEQ(frequency=4000.0, fs=8000),
                "ParametricEQ: frequency: expected * to 3600 Hz, got [[]4000.0, *",
            ),
        ),
    ),
    ModuleCase(
        label="ParametricEQ-without-gain",
        make=lambda **options: ParametricEQ(**{"bands": ["highpass", "notch"], "fs": 8000} | WITHOUT | options),
        typical=WITHOUT,
    ),
    ModuleCase(
        label="ShelvingEQ", make=lambda **options: ShelvingEQ(**SHELVES | {"fs": 8000} | options), typical=SHELVES
    ),
    ModuleCase(
        label="GraphicEQ",
        make=lambda **options: GraphicEQ("octave", **OCTAVES | {"fs": 8000} | options),
        typical=OCTAVES,
        bad=(
            (lambda: GraphicEQ("fifth", fs=8000), "GraphicEQ: spacing: expected one of octave, *, bark, got 'fifth'"),
            (lambda: GraphicEQ(fs=10), "GraphicEQ: fs: expected a rate at which there are bands, got 10"),
            (lambda: GraphicEQ(fs=8000, corrections=-1), "GraphicEQ: corrections: expected an int from 0 on, got -1"),
            (lambda: GraphicEQ(gain=13.0, fs=8000), "GraphicEQ: gain: expected -12 to 12 dB, got *"),
        ),
    ),
]
