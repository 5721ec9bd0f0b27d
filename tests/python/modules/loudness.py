"""`Loudness` and `PCEN`."""

from torch import Tensor

from modules.case import ModuleCase
from polezero.nn import PCEN, Loudness

MIXED = "channels are what it adds up, and the result has no axis for them"
SHORT = "12 samples are no block: test_nn_loudness.py has the gradients of some"
RUNNING = "a chunk's result is the loudness of all so far: test_nn_loudness.py compares the last with that of the whole"


def loudness(kind: str) -> ModuleCase:
    runs = kind in ("momentary", "short-term")
    own = {} if runs else {"streams_equal": RUNNING, "stateful": RUNNING}
    return ModuleCase(
        label="Loudness" if kind == "integrated" else f"Loudness-{kind}",
        make=lambda **options: Loudness(kind, **{"fs": 4001} | options),
        samples=2400 if kind in ("integrated", "momentary") else 14000,
        bad=(
            (lambda: Loudness("peak", fs=8000), "Loudness: kind: expected one of integrated, *, got 'peak'"),
            (lambda: Loudness(rate=20, fs=8000), "Loudness: rate: expected 10 for the integrated kind, got 20"),
            (lambda: Loudness("momentary", rate=25, fs=8000), "Loudness: rate: expected a multiple of 10, got 25"),
        ),
        opt_out={
            "signals_have": MIXED,
            "channels_have": MIXED,
            "gradients": SHORT,
            "ensembles": "has nothing to stack",
        }
        | own,
    )


class Energies(ModuleCase):
    """A case whose signals are not negative."""

    def signal(self, *leading: int, **options: object) -> Tensor:
        return super().signal(*leading, **options).square() + 0.01  # type: ignore[arg-type]


TYPICAL = {"alpha": 0.8, "delta": 2.0, "r": 0.4, "eps": 1e-3, "s": 0.05}
CASES = [
    *map(loudness, ("integrated", "momentary", "short-term", "range")),
    Energies(
        label="PCEN",
        make=lambda **options: PCEN(**TYPICAL | options),
        typical=TYPICAL,
        bad=(
            (lambda: PCEN(1.5), "PCEN: alpha: expected 0 to 1, got 1.5"),
            (lambda: PCEN(s=0.1, time_constant=0.4), "PCEN: time_constant: expected None beside s, got 0.4"),
            (lambda: PCEN(initial="last"), "PCEN: initial: expected a number or 'first', got 'last'"),
        ),
    ),
    Energies(label="PCEN-number", make=lambda **options: PCEN(**TYPICAL | {"initial": 1.0} | options), typical=TYPICAL),
]
