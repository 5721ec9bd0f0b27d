"""From a prototype to a low-pass, high-pass, band-pass or band-stop filter in s, and from s to z.

Roots come in pairs, as the factors s^2 - 2 m c s + m^2 of polynomials, so that everything is real. What becomes of a
real pole under a band transform may be two real roots or a conjugate pair: m and c do not ask.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from polezero._design.arithmetic import Arithmetic, Scalar, Values
from polezero._design.families import WITH_ZEROS
from polezero._design.prototypes import Prototype

BTYPES = {
    **dict.fromkeys(("lowpass", "low", "lp", "l"), "lowpass"),
    **dict.fromkeys(("highpass", "high", "hp", "h"), "highpass"),
    **dict.fromkeys(("bandpass", "band", "pass", "bp"), "bandpass"),
    **dict.fromkeys(("bandstop", "bands", "stop", "bs"), "bandstop"),
}


class Design(NamedTuple):
    """What is known of a filter before its numbers are."""

    family: str
    N: int
    btype: str
    analog: bool = False
    fs: float | None = None
    with_roots: bool = False  # whether they are asked for, and not sections or coefficients

    @property
    def banded(self) -> bool:
        """Band-pass or band-stop: the order of its poles depends on values."""
        return self.btype in ("bandpass", "bandstop")

    @property
    def inverted(self) -> bool:
        return self.btype in ("highpass", "bandstop")

    @property
    def degree(self) -> int:
        """By how many the poles of the prototype outnumber its zeros."""
        return self.N % 2 if self.family in WITH_ZEROS else self.N

    @property
    def pairs(self) -> int:
        """Of poles."""
        return self.N if self.banded else self.N // 2

    @property
    def single(self) -> bool:
        """Whether there is a real pole without a partner."""
        return not self.banded and self.N % 2 == 1

    @property
    def splits(self) -> bool:
        """Whether the last of the pole pairs may be two real ones."""
        return self.banded and self.N % 2 == 1

    @property
    def zero_pairs(self) -> int:
        """Away from 0 and from infinity."""
        found = (self.N - self.degree) // 2
        return 2 * found + (self.degree if self.inverted else 0) if self.banded else found

    @property
    def repeated(self) -> bool:
        """Whether all zero pairs are the same."""
        return self.btype == "bandstop" and self.family not in WITH_ZEROS

    @property
    def at_zero(self) -> int:
        return self.degree if self.btype in ("highpass", "bandpass") else 0

    @property
    def at_infinity(self) -> int:
        return self.degree if self.btype in ("lowpass", "bandpass") else 0


class Factors(NamedTuple):
    """A filter in s: of pole pairs, and then of zero pairs, the modulus and the cosine of the angle."""

    modulus: Values
    cosine: Values  # 0 of zeros, and below -1 of two real poles
    real: Scalar | None
    gain: Scalar


class Roots(NamedTuple):
    """The polynomials 1 + a_1 z^-1 + a_2 z^-2, or those of s."""

    first: Values
    second: Values
    squares: Values | None  # of half the distances of two roots, negative of real ones
    gain: Scalar
    real: Scalar | None


def roots(f: Arithmetic, d: Design, p: Prototype, edges: Values) -> Roots:
    """``edges`` are two, or one of a low-pass or high-pass filter."""
    if not d.analog:
        rate = math.pi / (2 if d.fs is None else d.fs)
        (edges,) = f.each(1, lambda edge: (f.tan(edge * rate),), edges)
    if d.inverted:
        p = p.inverted(f)
    factors = _split(f, d, p, *f.apart(edges)) if d.banded else _scaled(f, d, p, *f.apart(edges))
    return _analog(f, d, factors) if d.analog else _digital(f, d, factors)


def _scaled(f: Arithmetic, d: Design, p: Prototype, edge: Scalar) -> Factors:
    def polar(x: Scalar, y: Scalar) -> tuple[Scalar, Scalar]:
        modulus = f.hypot(x, y)
        return modulus * edge, x / modulus

    modulus, cosine = f.each(2, polar, p.x, p.y)
    if d.zero_pairs:
        (zeros,) = f.each(1, lambda w: (w * edge,), p.zeros)
        modulus, cosine = f.joined(modulus, zeros), f.joined(cosine, [0.0] * d.zero_pairs)
    gain = p.gain if d.inverted or not d.degree else p.gain * edge**d.degree
    return Factors(modulus, cosine, None if p.real is None else p.real * edge, gain)


def _split(f: Arithmetic, d: Design, p: Prototype, low: Scalar, high: Scalar) -> Factors:
    """The roots of s / w + w / s = 2 (x + jy), where w is the centre of the band.

    In elliptic coordinates with foci at -1 and 1, x = u cos t and y = v sin t, where 2 u is the sum of the
    distances to the foci and v^2 = u^2 - 1, the two have the moduli w (u + v) and w / (u + v) and the angle t, or -t.
    Nothing cancels.
    """
    width, centre = high - low, f.sqrt(low * high)
    relative = width / (2 * centre)

    def pole(x: Scalar, y: Scalar) -> tuple[Scalar, ...]:
        x, y = x * relative, y * relative
        u = (f.hypot(x - 1, y) + f.hypot(x + 1, y)) / 2
        cosine = x / u
        outer = u + y / f.sqrt(1 - cosine * cosine)
        return centre * outer, centre / outer, cosine

    def zero(y: Scalar) -> tuple[Scalar, Scalar]:
        y = y * relative
        outer = f.sqrt(y * y + 1) + y
        return centre * outer, centre / outer

    *moduli, cosine = f.each(3, pole, p.x, p.y)
    cosines = [cosine, cosine]
    if p.real is not None:
        moduli.append(f.repeated(centre, 1))
        cosines.append(f.repeated(p.real * relative, 1))
    if d.family in WITH_ZEROS:
        moduli.extend(f.each(2, zero, p.zeros))
    if d.inverted:
        moduli.append(f.repeated(centre, d.degree))
    cosines.append([0.0] * d.zero_pairs)
    gain = p.gain if d.inverted or not d.degree else p.gain * width**d.degree
    return Factors(f.joined(*moduli), f.joined(*cosines), None, gain)


def _analog(f: Arithmetic, d: Design, s: Factors) -> Roots:
    first, second = f.each(2, lambda m, c: (-2 * m * c, m * m), s.modulus, s.cosine)
    squares = f.each(1, lambda c, P: (P * (1 - c * c),), s.cosine, second)[0] if d.with_roots else None
    return Roots(first, second, squares, s.gain, s.real)


def _digital(f: Arithmetic, d: Design, s: Factors) -> Roots:
    """By z = (1 + s) / (1 - s), of which 1 - 2 m c + m^2 are left before z^2, 2 m^2 - 2 and 1 + 2 m c + m^2."""

    def factor(m: Scalar, c: Scalar) -> tuple[Scalar, ...]:
        inverse, c = 1 / m, 2 * c
        outer = m + inverse
        lead = outer - c
        return 2 * (m - inverse) / lead, (outer + c) / lead, m * lead

    first, second, lead = f.each(3, factor, s.modulus, s.cosine)
    squares, real = None, None
    if d.with_roots:
        (squares,) = f.each(1, lambda m, c, lead: ((1 - c * c) * (2 * m / lead) ** 2,), s.modulus, s.cosine, lead)
    gain = s.gain * f.quotient(lead, d.pairs)
    if s.real is not None:
        gain, real = gain / (1 - s.real), (1 + s.real) / (1 - s.real)
    return Roots(first, second, squares, gain, real)
