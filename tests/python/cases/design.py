"""Classical designs, compared by their power responses, which textbooks give without a pole or a zero."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import scipy.signal
import torch
from torch import Tensor

import polezero
from cases.bad_design import BAD_BUTTER, BAD_COMB, BAD_ELLIP, BAD_GAMMATONE, BAD_NOTCH, bad, bad_order
from cases.case import CONCERNS, NO_SIGNAL, Bad, Case, Example

OMEGA = torch.tensor([0.3, 0.9, 1.4, 2.2], dtype=torch.float64)

OWN_DTYPE = {**NO_SIGNAL, "promotion": "all is computed, and returned, in float64: test_design.py"}
OF_NUMBERS = dict.fromkeys(CONCERNS, "takes numbers alone: test_design.py, test_design_orders.py")
AS_BUTTER = OWN_DTYPE | dict.fromkeys(
    ("autograd", "compile", "functorch"),
    "the operations are those of butter and ellip, and test_design_gradients.py differentiates all families",
)


def on_circle(b: Tensor, a: Tensor) -> Tensor:
    """|H|^2 at OMEGA, of polynomials in 1/z."""
    powers = [torch.exp(-1j * OMEGA.to(b.device)[:, None] * torch.arange(c.shape[-1], device=b.device)) for c in (b, a)]
    return ((b + 0j) @ powers[0].mT / ((a + 0j) @ powers[1].mT)).abs().square()


def power(sos: Tensor) -> Tensor:
    return on_circle(sos[..., :3], sos[..., 3:]).prod(-2)


def power_of_zpk(z: Tensor, p: Tensor, k: Tensor) -> Tensor:
    """At s = j OMEGA."""
    s = 1j * OMEGA.to(p.device)[:, None]
    return (k[..., None] * (s - z[..., None, :]).prod(-1) / (s - p[..., None, :]).prod(-1)).abs().square()


def prototype_frequency(Wn: Tensor, btype: str) -> Tensor:
    """Where the low-pass prototype has the response that the filter has at OMEGA."""
    at, w = torch.tan(OMEGA.to(Wn.device) / 2), torch.tan(Wn * (math.pi / 2))[..., None]
    if btype == "lowpass":
        return at / w
    low, high = w[..., 0, :], w[..., 1, :]
    return (at**2 - low * high) / ((high - low) * at)


def excess(decibels: Tensor) -> Tensor:
    return (10 ** (decibels / 10) - 1)[..., None]


def chebyshev(x: Tensor, N: int) -> Tensor:
    before, now = torch.ones_like(x), x
    for _ in range(N - 1):
        before, now = now, 2 * x * now - before
    return now


def true_butter(Wn: Tensor, N: int = 2, btype: str = "bandpass") -> Tensor:
    return 1 / (1 + prototype_frequency(Wn, btype) ** (2 * N))


def true_cheby1(Wn: Tensor, rp: Tensor) -> Tensor:
    return 1 / (1 + excess(rp) * chebyshev(prototype_frequency(Wn, "lowpass"), 3) ** 2)


def true_cheby2(Wn: Tensor, rs: Tensor) -> Tensor:
    return 1 / (1 + excess(rs) / chebyshev(1 / prototype_frequency(Wn, "lowpass"), 3) ** 2)


def elliptic_power(x: Tensor, rp: Tensor, rs: Tensor) -> Tensor:
    """Of order 2, whose rational function and discrimination are algebraic."""
    discrimination = (excess(rs) / excess(rp)).sqrt()
    selectivity = (discrimination.sqrt() + 1 / discrimination.sqrt()) / 2
    t = (1 - 1 / selectivity**2).sqrt()
    return 1 / (1 + excess(rp) * (((t + 1) * x**2 - 1) / ((t - 1) * x**2 + 1)) ** 2)


def true_ellip(Wn: Tensor, rp: Tensor, rs: Tensor) -> Tensor:
    return elliptic_power(prototype_frequency(Wn, "lowpass"), rp, rs)


def true_bessel(Wn: Tensor) -> Tensor:
    """3 / (s^2 + 3 s + 3) at sqrt(3) s."""
    x = prototype_frequency(Wn, "lowpass") ** 2
    return 1 / (1 + x + x**2)


def true_legendre(Wn: Tensor) -> Tensor:
    x = prototype_frequency(Wn, "lowpass") ** 2
    return 1 / (1 + x - 3 * x**2 + 3 * x**3)


def true_notch(w0: Tensor, Q: Tensor, peak: bool = False) -> Tensor:
    """(s^2 + w^2) / (s^2 + c s + w^2), or what is missing in it."""
    w = torch.tan(math.pi * w0 / 2)
    width = (1 + w**2) * torch.tan(math.pi * w0 / Q / 2)
    s = 1j * torch.tan(OMEGA.to(w0.device) / 2)
    above = width[..., None] * s if peak else s**2 + w[..., None] ** 2
    return (above / (s**2 + width[..., None] * s + w[..., None] ** 2)).abs().square()


def true_comb(Q: Tensor) -> Tensor:
    """The notch at 0 of one width, (1 - u) / (1 - u + c (1 + u)), with u = z^-5."""
    u = torch.exp(-5j * OMEGA.to(Q.device))
    c = torch.tan(math.pi / (2 * Q))[..., None]
    return ((1 - u) / (1 - u + c * (1 + u))).abs().square()


def true_gammatone(freq: Tensor) -> Tensor:
    """The real part of (1 - p/z)^4 over |1 - p/z|^8, as polynomials, which is 1 at the centre."""
    centre = math.pi * freq[..., None]
    p = torch.polar(torch.exp(-2 * math.pi * 1.019 * (24.7 + freq[..., None] / 9.26449) / 2), centre)

    def response(omega: Tensor) -> Tensor:
        below, above = (1 - p * torch.exp(-1j * omega)) ** 4, (1 - p.conj() * torch.exp(-1j * omega)) ** 4
        return ((below + above) / (below * above)).abs().square()

    return response(OMEGA.to(freq.device)) / response(centre)


def values(*rows: Any) -> Callable[[torch.dtype], tuple[Tensor, ...]]:
    return lambda dtype: tuple(torch.tensor(row, dtype=torch.float64) for row in rows)


def example(arguments: str, inputs: Any, function: Any, **others: Any) -> Example:
    return Example(inputs=inputs, arguments=arguments, function=function, dtypes=(torch.float64,), **others)


# ---- cases


def alike(name: str, arguments: str, truth: Any, inputs: Any, function: Any, refused: dict[str, Bad]) -> Case:
    """One example, of the operations of others."""
    return Case(
        name,
        truth,
        arguments,
        signal=None,
        examples={"rows" if arguments else "numbers": example(arguments, inputs, function)},
        opt_out=AS_BUTTER if arguments else OF_NUMBERS,
        bad=refused,
    )


def bandpass(Wn: Tensor) -> Tensor:
    return power(polezero.butter(2, Wn, "bandpass", output="sos"))


EDGES = values([0.3, 0.6])
CASES = [
    Case(
        "butter",
        true_butter,
        "Wn",
        signal=None,
        examples={
            "rows": example("Wn", values([[0.2, 0.45], [0.3, 0.8]]), bandpass),
            "odd": example(
                *("Wn", values([0.2, 0.6]), lambda Wn: power(polezero.butter(3, Wn, output="sos"))),
                truth=partial(true_butter, N=3, btype="lowpass"),
            ),
        },
        opt_out=OWN_DTYPE,
        bad=BAD_BUTTER,
    ),
    Case(
        "ellip",
        true_ellip,
        "Wn rp rs",
        signal=None,
        examples={
            "rows": example(
                *("Wn rp rs", values([0.3, 0.6], 1.5, [10.0, 14.0])),
                lambda Wn, rp, rs: power(polezero.ellip(2, rp, rs, Wn, output="sos")),
            )
        },
        opt_out=OWN_DTYPE | {"compile": "a graph of a thousand operations: test_design_gradients.py, by Dynamo alone"},
        bad=BAD_ELLIP,
    ),
    alike(
        *("cheby1", "Wn rp", true_cheby1, values([0.3, 0.6], [1.5, 0.2])),
        lambda Wn, rp: power(polezero.cheby1(3, rp, Wn, output="sos")),
        {"rp": bad("cheby1: rp: expected decibels above 0, got -1", 2, -1.0, 0.3)},
    ),
    alike(
        *("cheby2", "Wn rs", true_cheby2, values([0.3, 0.6], [30.0, 50.0])),
        lambda Wn, rs: power(polezero.cheby2(3, rs, Wn, output="sos")),
        {"rs": bad("cheby2: rs: expected decibels above 0, got nan", 2, math.nan, 0.3)},
    ),
    alike(
        *("bessel", "Wn", true_bessel, EDGES, lambda Wn: power(polezero.bessel(2, Wn, output="sos"))),
        {"norm": bad("bessel: norm: expected phase, delay or mag, got 'peak'", 2, 0.3, norm="peak")},
    ),
    alike(
        *("legendre", "Wn", true_legendre, EDGES, lambda Wn: power(polezero.legendre(3, Wn, output="sos"))),
        {"edges": bad("legendre: Wn: expected two edges [..., 2] of a bandpass*", 2, 0.3, "bandpass")},
    ),
    alike(
        *("iirfilter", "Wn", partial(true_butter, btype="lowpass"), EDGES),
        lambda Wn: power(polezero.iirfilter(2, Wn, btype="lowpass", output="sos")),
        {
            "ftype": bad("iirfilter: ftype: expected one of butter, *, got 'gauss'", 2, 0.3, ftype="gauss"),
            "rp": bad(
                "iirfilter: rp: expected decibels, which cheby1 needs, got None",
                *(2, [0.1, 0.2]),
                ftype="cheby1",
            ),
        },
    ),
    alike(
        *("buttap", "", lambda: 1 / (1 + OMEGA**6), values(), lambda: power_of_zpk(*polezero.buttap(3))),
        {"N": bad("buttap: N: expected an order of 0 or more, got -1", -1)},
    ),
    alike(
        *("besselap", "", lambda: 1 / (1 + OMEGA**2 + OMEGA**4), values()),
        lambda: power_of_zpk(*polezero.besselap(2)),
        {"norm": bad("besselap: norm: expected phase, delay or mag, got 'peak'", 2, "peak")},
    ),
    alike(
        *("legendreap", "", lambda: 1 / (1 + OMEGA**4), values(), lambda: power_of_zpk(*polezero.legendreap(2))),
        {"N": bad("legendreap: N: expected a whole number, the order, got 'two'", "two", exception=TypeError)},
    ),
    alike(
        *("cheb1ap", "rp", lambda rp: 1 / (1 + excess(rp) * chebyshev(OMEGA, 3) ** 2), values([0.5, 2.0])),
        lambda rp: power_of_zpk(*polezero.cheb1ap(3, rp)),
        {"rp": bad("cheb1ap: rp: expected decibels above 0, got -1", 2, -1.0)},
    ),
    alike(
        *("cheb2ap", "rs", lambda rs: 1 / (1 + excess(rs) / chebyshev(1 / OMEGA, 3) ** 2), values([20.0, 40.0])),
        lambda rs: power_of_zpk(*polezero.cheb2ap(3, rs)),
        {"rs": bad("cheb2ap: rs: expected decibels above 0, got -1", 2, -1.0)},
    ),
    alike(
        *("ellipap", "rp rs", lambda rp, rs: elliptic_power(OMEGA, rp, rs), values([0.5, 2.0], [20.0, 40.0])),
        lambda rp, rs: power_of_zpk(*polezero.ellipap(2, rp, rs)),
        {"rs": bad("ellipap: rs: expected more decibels in the stop band than rp, *, got *", 2, 2.0, 1.0)},
    ),
    *(
        alike(
            *(name, "", lambda name=name: torch.tensor(getattr(scipy.signal, name)(0.2, 0.3, 1, 40)[1]), values()),
            lambda name=name: getattr(polezero, name)(0.2, 0.3, 1, 40)[1],
            bad_order(name),
        )
        for name in ("buttord", "cheb1ord", "cheb2ord", "ellipord")
    ),
    alike(
        *("iirdesign", "", lambda: torch.tensor(scipy.signal.iirdesign(0.2, 0.3, 1, 40, output="sos")), values()),
        lambda: polezero.iirdesign(0.2, 0.3, 1, 40, output="sos"),
        {
            "bessel": bad(
                "iirdesign: ftype: expected butter, cheby1, cheby2 or ellip, got 'bessel'; of this family no order can"
                " be estimated: iirfilter takes it",
                *(0.2, 0.3, 1, 40),
                ftype="bessel",
            ),
            "ftype": bad(
                "iirdesign: ftype: expected butter, cheby1, cheby2 or ellip, got 'fir'", 0.2, 0.3, 1, 40, ftype="fir"
            ),
        },
    ),
    alike(
        *("iirnotch", "w0 Q", true_notch, values([0.2, 0.5], [2.0, 30.0])),
        lambda w0, Q: on_circle(*polezero.iirnotch(w0, Q)),
        BAD_NOTCH,
    ),
    alike(
        *("iirpeak", "w0 Q", partial(true_notch, peak=True), values([0.2, 0.5], [2.0, 30.0])),
        lambda w0, Q: on_circle(*polezero.iirpeak(w0, Q)),
        {"Q": bad("iirpeak: Q: expected a quality above 0, got 0", 0.5, 0.0)},
    ),
    alike(
        *("iircomb", "Q", true_comb, values([3.0, 30.0]), lambda Q: on_circle(*polezero.iircomb(1.0, Q, fs=5.0))),
        BAD_COMB,
    ),
    alike(
        *("gammatone", "freq", true_gammatone, values([0.2, 0.4])),
        lambda freq: power(polezero.gammatone(freq, "iir", output="sos")),
        BAD_GAMMATONE,
    ),
]
