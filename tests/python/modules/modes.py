"""`ModalReverb` and `PlateReverb`."""

from modules.case import ModuleCase
from polezero.nn import ModalReverb, PlateReverb

MODAL = {
    "frequency": [110.0, 230.0, 310.0],
    "decay": [0.2, 0.1, 0.3],
    "gain": [1.0, -0.5, 0.3],
    "quadrature": [0.4, 0.2, -0.7],
}
PLATE = {
    "Lx": 0.8,
    "Ly": 0.6,
    "thickness": 3e-3,
    "tension": 300.0,
    "density": 7000.0,
    "young": 1.5e11,
    "decay": 0.5,
    "decay_ratio": 0.5,
    "input": [0.34, 0.47],
    "output": [0.61, 0.73],
    "gain": 110.0,
}
SMALL = {"fs": 1000, "orders": (3, 3)}
CASES = [
    ModuleCase(
        label="ModalReverb",
        make=lambda **options: ModalReverb(**MODAL | {"fs": 1000} | options),
        typical=MODAL,
        bad=(
            (lambda: ModalReverb([500.0], fs=1000), "ModalReverb: frequency: expected * to 490 Hz, got *500.0*"),
            (
                lambda: ModalReverb(50.0, fs=1000),
                "ModalReverb: frequency: expected a number of Hz *, got 50.0",
            ),
            (lambda: ModalReverb([50.0], 0.0, fs=1000), "ModalReverb: decay: expected 0.01 to 60 s, got *0.0*"),
        ),
    ),
    ModuleCase(
        label="PlateReverb",
        make=lambda **options: PlateReverb(**PLATE | SMALL | options),
        typical=PLATE,
        vary=0.02,
        bad=(
            (lambda: PlateReverb(Ly=9.0, fs=1000), "PlateReverb: Ly: expected 0.1 to 5 m, got 9.0"),
            (
                lambda: PlateReverb(highest=500.0, fs=1000),
                "PlateReverb: highest: expected a frequency *, got 500.0",
            ),
            (
                lambda: PlateReverb(0.1, 0.1, 1e-2, fs=1000),
                "PlateReverb: highest: expected a plate with modes up to it *, or orders, got 450 Hz",
            ),
        ),
    ),
]
