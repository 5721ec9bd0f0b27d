"""`Smoother` and `Envelope`."""

from modules.case import ModuleCase
from polezero.nn import Envelope, Smoother

TYPICAL = {"time_constant": 0.003}


def smoother(label: str, **own: object) -> ModuleCase:
    return ModuleCase(
        label=label, make=lambda **options: Smoother(**TYPICAL | {"fs": 8000} | own | options), typical=TYPICAL
    )


def envelope(label: str, detector: str, **own: object) -> ModuleCase:
    return ModuleCase(
        label=label,
        make=lambda **options: Envelope(detector, **TYPICAL | {"fs": 8000} | own | options),
        typical=TYPICAL,
        bad=(
            (lambda: Envelope("mean", fs=8000), "Envelope: detector: expected one of rms, absolute, peak, got 'mean'"),
        ),
    )


CASES = [
    ModuleCase(
        label="Smoother",
        make=lambda **options: Smoother(**TYPICAL | {"fs": 8000} | options),
        typical=TYPICAL,
        bad=(
            (lambda: Smoother(20.0, fs=8000), "Smoother: time_constant: expected 0.0001 to 10 s, got 20.0"),
            (lambda: Smoother(initial="last", fs=8000), "Smoother: initial: expected a number or 'first', got 'last'"),
            (lambda: Smoother(fs=0), "Smoother: fs: expected a positive number of Hz, got 0"),
        ),
    ),
    smoother("Smoother-first", initial="first"),
    smoother("Smoother-number", initial=0.5),
    envelope("Envelope", "rms"),
    envelope("Envelope-absolute", "absolute", initial="first"),
    envelope("Envelope-decibels", "peak", decibels=True, initial=1.0),
]
