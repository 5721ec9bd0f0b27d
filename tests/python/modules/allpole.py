"""`AllPole`."""

from collections.abc import Sequence

from modules.case import ModuleCase
from polezero.nn import AllPole

AS_THE_FIRST = {"stateful_modules": "compiles, which takes 5 s; the state is that of the first case's lattice"}
REFLECTION = [-0.7, 0.6, -0.3, 0.2]


def of_form(parametrization: str, name: str, typical: Sequence[object], **more: object) -> ModuleCase:
    def make(**options: object) -> AllPole:
        module = AllPole(4, parametrization, **{"fs": 8000, "gain": 0.5} | options)
        setattr(module, name, typical)
        return module

    label = "AllPole" if parametrization == "reflection" else f"AllPole-{parametrization}"
    return ModuleCase(label=label, make=make, typical={name: typical, "gain": 0.5}, **more)


CASES = [
    of_form(
        "reflection",
        "reflection",
        REFLECTION,
        bad=(
            (lambda: AllPole(0), "AllPole: order: expected a positive int, got 0"),
            (lambda: AllPole(4, "poles"), "AllPole: parametrization: expected one of triangle, *, got 'poles'"),
            (lambda: AllPole(5, "triangle"), "AllPole: order: expected an even number *, got 5"),
            (lambda: AllPole(4, gain=0.0), "AllPole: gain: expected a factor of -120 to 60 dB *, got 0.0"),
            (lambda: AllPole.from_a([1.0, -1.25]), "AllPole: a: expected all roots inside *, got one of radius 1.25"),
        ),
    ),
    of_form("lsf", "lsf", [600.0, 1000.0, 1800.0, 2600.0], opt_out=AS_THE_FIRST),
    of_form("triangle", "sections", [[-1.2, 0.7], [0.4, 0.5]], opt_out=AS_THE_FIRST),
]
