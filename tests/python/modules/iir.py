"""`IIRFilter`."""

from typing import Any

from modules.case import ModuleCase
from polezero.nn import IIRFilter

# A pair of poles and zeros, and a section with real ones, in both orders.
SOS = [[0.5, 0.3, 0.2, 1.0, -0.6, 0.4], [0.8, 0.1, -0.3, 1.0, -0.2, -0.3], [1.0, -0.4, 0.6, 1.0, 0.5, 0.3]]
UNSTABLE = [[1.0, 0.0, 0.0, 1.0, -0.5, 0.0], [1.0, 0.0, 0.0, 1.0, 0.0, 1.21]]

B = [row[:3] for row in SOS]
TYPICAL: dict[str, dict[str, Any]] = {
    "coefficients": {"b": B, "a": [row[4:] for row in SOS]},
    "triangle": {"b": B, "a": [row[4:] for row in SOS]},
    "reflection": {"b": B, "reflection": [[-0.4, 0.4], [-0.3, -0.3], [0.4, 0.3]]},
    "tanh": {"b": B, "pole_pairs": [[0.3, 0.5], [-0.2, 0.5]], "real_poles": [[0.6, -0.4]]},
    "poles": {
        "gain": 0.4,
        "radius": [0.6, 0.5],
        "angle": [1.0, 2.0],
        "real_poles": [[0.6, -0.4]],
        "zero_radius": [0.6, 0.7],
        "zero_angle": [1.5, 1.2],
        "real_zeros": [[0.5, -0.6]],
    },
}


def of_form(form: str) -> ModuleCase:
    return ModuleCase(
        label="IIRFilter" if form == "coefficients" else f"IIRFilter-{form}",
        make=lambda **options: IIRFilter(SOS, **{"parametrization": form} | options),
        typical=TYPICAL[form],
        bad=BAD if form == "coefficients" else (),
    )


BAD = (
    (lambda: IIRFilter(SOS, parametrization="polar"), "IIRFilter: parametrization: expected one of *, got 'polar'"),
    (lambda: IIRFilter(SOS[0]), "IIRFilter: sos: expected real sections of shape [[]K, 6], got [[]6]"),
    (lambda: IIRFilter([[1.0, 0, 0, 0, 1.0, 0]]), "IIRFilter: sos: expected * a_0 other than 0, got *"),
    (
        lambda: IIRFilter(UNSTABLE, parametrization="triangle"),
        "IIRFilter: sos: expected poles inside the unit circle for 'triangle' *, got one of radius 1.1 in section 1",
    ),
    (
        lambda: IIRFilter([[0.0, 1, 0, 1, 0, 0]], parametrization="poles"),
        "IIRFilter: sos: expected b_0 other than 0 for 'poles' *",
    ),
    (
        lambda: IIRFilter.from_design("elliptic", 4, 0.3),
        "IIRFilter: name: expected one of butter, *, got 'elliptic'",
    ),
    (lambda: IIRFilter.from_design("butter", 4, 3.0, fs=4), "IIRFilter: Wn: expected frequencies below *, got 3"),
    (lambda: IIRFilter.from_design("butter", 4, 0.3, rp=1.0), "IIRFilter: rp: expected None for butter, got 1.0"),
    (lambda: IIRFilter.from_ba([1.0], [0.0, 1.0]), "IIRFilter: a: expected a_0 other than 0, got [[]0.0, 1.0]"),
    (lambda: IIRFilter.from_zpk([0.5j], [0.5], 1.0), "IIRFilter: z: expected real numbers and conjugate pairs, got *"),
    (lambda: IIRFilter.from_ba([[1.0]], [1.0, 0.5]), "IIRFilter: b: expected the two polynomials of one filter, got *"),
)

CASES = [of_form(form) for form in TYPICAL]
