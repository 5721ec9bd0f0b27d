"""`Crossover`, `ToneStack` and `NonlinearBiquad`."""

import torch

from modules.case import ModuleCase
from polezero.nn import Crossover, NonlinearBiquad, ToneStack

SPLITS = {"frequency": [300.0, 1200.0]}
KNOBS = {"bass": 0.4, "middle": 0.6, "treble": 0.7}
CELL = {"frequency": 1000.0, "Q": 2.0, "gain": 6.0}

CASES = [
    ModuleCase(
        label="Crossover",
        make=lambda **options: Crossover(**SPLITS | {"fs": 8000} | options),
        typical=SPLITS,
        bad=(
            (
                lambda: Crossover([500.0, 400.0], fs=8000),
                "Crossover: frequency: expected rising frequencies of * Hz, each at least 1.001 *, got [[]500.0, *",
            ),
            (lambda: Crossover([5000.0], fs=8000), "Crossover: frequency: expected rising * Hz, *, got [[]5000.0]"),
            (lambda: Crossover(500.0, 3, fs=8000), "Crossover: order: expected an even number for *, got 3"),
            (lambda: Crossover(500.0, 4, "bessel", fs=8000), "Crossover: ftype: expected one of *, got 'bessel'"),
            (lambda: Crossover([], fs=8000), "Crossover: frequency: expected at least one, got [[][]]"),
        ),
    ),
    ModuleCase(
        label="ToneStack",
        make=lambda **options: ToneStack(**KNOBS | {"fs": 48000} | options),
        typical=KNOBS,
        bad=(
            (lambda: ToneStack(1.5, fs=48000), "ToneStack: bass: expected 0 to 1, got 1.5"),
            (
                lambda: ToneStack(fs=48000, components={"R9": 1.0}),
                "ToneStack: components: expected positive values of R1, *, got {'R9': 1.0}",
            ),
        ),
    ),
    ModuleCase(
        label="NonlinearBiquad",
        make=lambda **options: NonlinearBiquad(
            "peaking", **CELL | {"activation": torch.tanh, "fs": 8000, "gain": 6.0} | options
        ),
        typical=CELL,
        samples=24,
        opt_out={
            "compiled_and_exported": "a graph of each sample, which takes 10 s; stateful ones are compiled all the same"
        },
        bad=(
            (
                lambda: NonlinearBiquad("lowpass", 500.0, activation="tanh", fs=8000),
                "NonlinearBiquad: activation: expected a function of tensors, got 'tanh'",
            ),
        ),
    ),
]
