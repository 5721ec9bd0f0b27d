"""`DCBlocker`, `PreEmphasis` and `Weighting`."""

from modules.case import ModuleCase
from polezero.nn import DCBlocker, PreEmphasis, Weighting


def emphasis(label: str, name: str, value: float, **own: object) -> ModuleCase:
    return ModuleCase(
        label=label,
        make=lambda **options: PreEmphasis(**{name: value} | {"fs": 48000} | own | options),
        typical={name: value},
        vary=0.02,
        bad=(
            (lambda: PreEmphasis(1.0), "PreEmphasis: coef: expected 0 to 0.999, got 1.0"),
            (
                lambda: PreEmphasis(0.5, time_constant=1e-5, fs=48000),
                "PreEmphasis: time_constant: expected None beside a coefficient, got 1e-05",
            ),
        ),
    )


CASES = [
    ModuleCase(
        label="DCBlocker",
        make=lambda **options: DCBlocker(**{"frequency": 100.0, "fs": 8000} | options),
        typical={"frequency": 100.0},
        bad=(
            (lambda: DCBlocker(R=1.0, fs=8000), "DCBlocker: frequency: expected * to 800 Hz, got 0.0"),
            (lambda: DCBlocker(10.0, R=0.99, fs=8000), "DCBlocker: R: expected None beside a frequency, got 0.99"),
        ),
    ),
    emphasis("PreEmphasis", "coef", 0.95),
    emphasis("PreEmphasis-inverse", "coef", 0.95, inverse=True),
    emphasis("PreEmphasis-seconds", "time_constant", 50e-6),
    emphasis("PreEmphasis-inverse-seconds", "time_constant", 50e-6, inverse=True),
    *(
        ModuleCase(
            label="Weighting" if curve == "A" else f"Weighting-{curve}",
            make=lambda curve=curve, **options: Weighting(curve, **{"fs": 48000} | options),
            bad=(
                (lambda: Weighting("D", fs=48000), "Weighting: curve: expected one of A, B, C, K, got 'D'"),
                (lambda: Weighting("A", fs=4000), "Weighting: fs: expected more than 4000 Hz, got 4000"),
            ),
            opt_out={"ensembles": "has nothing to stack"},
        )
        for curve in "ABCK"
    ),
]
