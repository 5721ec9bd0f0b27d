"""`Comb`, `Allpass` and `KarplusStrong`."""

import torch

from modules.case import ModuleCase
from polezero.nn import Allpass, Comb, KarplusStrong

FS = 1000  # so that a range of delays is read in 64 samples
DELAYS = {"fs": FS, "delay_range": (0.003, 0.03)}
COMPILED = {test: "its graph is compiled as the first case's is" for test in ("compiled", "stateful")}


def comb(kind: str, interpolation: str) -> ModuleCase:
    typical = {"delay": 0.0056, "gain": -0.6}
    first = (kind, interpolation) == ("feedback", "lagrange3")
    return ModuleCase(
        label="Comb" if first else f"Comb-{kind}-{interpolation}",
        make=lambda **options: Comb(**typical | DELAYS | {"kind": kind, "interpolation": interpolation} | options),
        typical=typical,
        opt_out={} if first else COMPILED,
        bad=(
            (lambda: Comb(0.05, kind="echo", fs=FS), "Comb: kind: expected one of feedback, feedforward, got 'echo'"),
            (
                lambda: Comb(0.1, fs=8000)(torch.zeros(9), delay=1e-4),
                "Comb: delay: expected 0.001 to 1 s, got 0.0001",
            ),
            (
                lambda: Comb(0.1, fs=8000).stream()(torch.zeros(9), delay=1.1),
                "Comb: delay: expected 0.001 to 1 s, got 1.1",
            ),
            (lambda: Comb(2.0, fs=8000), "Comb: delay: expected 0.001 to 1 s, got 2.0"),
            (lambda: Comb(0.1, 1.0, fs=8000), "Comb: gain: expected -0.99 to 0.99, got 1.0"),
            (lambda: Comb(0.1, gain_range=(0, 1), fs=8000), "Comb: gain_range: expected gains * below 1, got (0, 1)"),
            (
                lambda: Comb(0.1, fs=FS),
                "Comb: delay_range: expected delays of at least 2 samples (0.002 s) for 'lagrange3', got 1 samples",
            ),
            (
                lambda: Comb(0.1, fs=FS, interpolation="cubic"),
                "Comb: interpolation: expected one of linear, lagrange3, got 'cubic'",
            ),
        ),
    )


ALLPASS = {"delay": 0.0056, "gain": 0.6}
STRING = {"frequency": 110.0, "decay": 0.3, "damping": 0.2}
CASES = [
    comb("feedback", "lagrange3"),
    comb("feedback", "linear"),
    comb("feedforward", "lagrange3"),
    ModuleCase(
        label="Allpass",
        make=lambda **options: Allpass(**ALLPASS | DELAYS | options),
        typical=ALLPASS,
        bad=(
            (lambda: Allpass(0.05, 1.5, fs=8000), "Allpass: gain: expected -0.99 to 0.99, got 1.5"),
            (
                lambda: Allpass(0.05, gain_range=(-1, 1), fs=8000),
                "Allpass: gain_range: expected gains of magnitudes below 1, got (-1, 1)",
            ),
        ),
    ),
    ModuleCase(
        label="KarplusStrong",
        make=lambda **options: KarplusStrong(**STRING | {"fs": FS, "frequency_range": (40.0, 125.0)} | options),
        typical=STRING,
        bad=(
            (
                lambda: KarplusStrong(90.0, fs=4000).stream()(torch.zeros(9), frequency=1.0),
                "KarplusStrong: frequency: expected 2 to 500 Hz, got 1.0",
            ),
            (lambda: KarplusStrong(900.0, fs=4000), "KarplusStrong: frequency: expected 2 to 500 Hz, got 900.0"),
            (
                lambda: KarplusStrong(90.0, damping_range=(0, 1), fs=4000),
                "KarplusStrong: damping_range: expected ascending numbers from 0 to 0.5, got (0, 1)",
            ),
            (
                lambda: KarplusStrong(90.0, frequency_range=(20, 1999), fs=4000),
                "KarplusStrong: frequency_range: expected delays of at least 2 samples *, got 1.501 samples",
            ),
        ),
    ),
    ModuleCase(
        label="KarplusStrong-linear",
        make=lambda **options: KarplusStrong(
            **STRING | {"fs": FS, "frequency_range": (40.0, 125.0), "interpolation": "linear"} | options
        ),
        typical=STRING,
        opt_out=COMPILED,
    ),
]
