"""`Flanger`, `Chorus` and `Phaser`."""

from modules.case import ModuleCase
from modules.delays import COMPILED, FS
from polezero.nn import Chorus, Flanger, Phaser

FLANGER = {"delay": 0.008, "depth": 0.4, "rate": 9.0, "phase": 0.5, "feedback": 0.4, "mix": 0.6}
CHORUS = {"delay": 0.012, "depth": 0.15, "rate": 9.0, "phase": 0.5, "mix": 0.6}
PHASER = {"frequency": 60.0, "depth": 0.8, "rate": 9.0, "phase": 0.5, "feedback": 0.4, "mix": 0.6}
RATES = {"fs": FS, "rate_range": (1.0, 20.0)}
DELAYS = RATES | {"delay_range": (0.006, 0.02), "depth_range": (0.0, 0.5)}
CASES = [
    ModuleCase(
        label="Flanger",
        make=lambda **options: Flanger(**FLANGER | DELAYS | options),
        typical=FLANGER,
        bad=(
            (lambda: Flanger(0.5, fs=44100), "Flanger: delay: expected 0.001 to 0.01 s, got 0.5"),
            (
                lambda: Flanger(fs=8000, delay_range=(1e-3, 1e-2)),
                "Flanger: delay_range: expected delays of at least 1 samples *, got 0.8 samples",
            ),
            (lambda: Flanger(fs=44100, waveform="saw"), "Flanger: waveform: expected one of sine, triangle, got 'saw'"),
            (
                lambda: Flanger(fs=44100, feedback_range=(0, 1)),
                "Flanger: feedback_range: expected gains of magnitudes below 1, got (0, 1)",
            ),
        ),
    ),
    ModuleCase(
        label="Flanger-triangle",
        make=lambda **options: Flanger(
            **FLANGER | DELAYS | {"waveform": "triangle", "interpolation": "lagrange3"} | options
        ),
        typical=FLANGER,
        opt_out=COMPILED,
    ),
    ModuleCase(
        label="Chorus",
        make=lambda **options: Chorus(**CHORUS | DELAYS | options),
        typical=CHORUS,
        opt_out={"stateful": "its oscillator and its delay line keep their state as the flanger's do"},
        bad=(
            (lambda: Chorus(voices=0, fs=44100), "Chorus: voices: expected a positive int, got 0"),
            (lambda: Chorus(depth=0.5, fs=44100), "Chorus: depth: expected 0 to 0.25, got 0.5"),
        ),
    ),
    ModuleCase(
        label="Phaser",
        make=lambda **options: Phaser(**PHASER | RATES | {"frequency_range": (20.0, 110.0)} | options),
        typical=PHASER,
        bad=(
            (lambda: Phaser(stages=0, fs=44100), "Phaser: stages: expected a positive int, got 0"),
            (
                lambda: Phaser(fs=8000, frequency_range=(100, 2000)),
                "Phaser: frequency_range: expected frequencies below 1000 Hz, which 2 octaves take to fs / 2, got *",
            ),
            (
                lambda: Phaser(fs=8000, feedback_range=(0, 1)),
                "Phaser: feedback_range: expected gains of magnitudes below 1, got (0, 1)",
            ),
        ),
    ),
]
