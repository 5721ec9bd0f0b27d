"""From a prototype to a low-pass, high-pass, band-pass or band-stop filter in s, and from s to z.

Roots come in pairs, as the factors s^2 - 2 m c s + m^2 of polynomials, so that everything is real. What becomes of a
real pole under a band transform may be two real roots or a conjugate pair: m and c do not ask.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from polezero._design.arithmetic import Arithmetic, Scalar, Values
from polezero._design.prototypes import WITH_ZEROS, Prototype, prototype

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
    """A filter in s."""

    modulus: Values  # of the poles
    cosine: Values  # of their angle; below -1 of two real ones
    zeros: Values  # moduli of those on the imaginary axis
    real: Scalar | None
    gain: Scalar


class Roots(NamedTuple):
    """The polynomials 1 + a_1 z^-1 + a_2 z^-2, or those of s, of pole pairs and then of zero pairs."""

    first: Values
    second: Values
    squares: Values  # of half the distances of the two roots, negative of real ones
    gain: Scalar
    real: Scalar | None


def roots(f: Arithmetic, d: Design, low: Scalar, high: Scalar | None, *decibels: Scalar) -> Roots:
    """``low`` and ``high`` are edges, of which a low-pass or high-pass filter has one."""
    if not d.analog:
        rate = math.pi / (2 if d.fs is None else d.fs)
        low, high = f.tan(low * rate), None if high is None else f.tan(high * rate)
    p = prototype(f, d.family, d.N, *decibels)
    if d.inverted:
        p = p.inverted(f)
    factors = _scaled(f, d, p, low) if high is None else _split(f, d, p, low, high)
    return _analog(f, factors) if d.analog else _digital(f, factors)


def _scaled(f: Arithmetic, d: Design, p: Prototype, edge: Scalar) -> Factors:
    def polar(x: Scalar, y: Scalar) -> tuple[Scalar, Scalar]:
        modulus = f.hypot(x, y)
        return modulus * edge, x / modulus

    modulus, cosine = f.each(2, polar, p.x, p.y)
    (zeros,) = f.each(1, lambda w: (w * edge,), p.zeros)
    gain = p.gain if d.inverted or not d.degree else p.gain * edge**d.degree
    return Factors(modulus, cosine, zeros, None if p.real is None else p.real * edge, gain)


def _split(f: Arithmetic, d: Design, p: Prototype, low: Scalar, high: Scalar) -> Factors:
    """The roots of s / w + w / s = x + jy, where w is the centre of the band.

    In elliptic coordinates with foci at -2 and 2, x = 2 u cos t and y = 2 v sin t, where 4 u is the sum of the
    distances to the foci and v^2 = u^2 - 1, the two have the moduli w (u + v) and w / (u + v) and the angle t, or -t.
    Nothing cancels.
    """
    width, centre = high - low, f.sqrt(low * high)
    relative = width / centre

    def pole(x: Scalar, y: Scalar) -> tuple[Scalar, ...]:
        x, y = x * relative, y * relative
        u = (f.hypot(x - 2, y) + f.hypot(x + 2, y)) / 4
        cosine = x / (2 * u)
        outer = u + y / (2 * f.sqrt(1 - cosine * cosine))
        return centre * outer, centre / outer, cosine

    def zero(y: Scalar) -> tuple[Scalar, Scalar]:
        y = y * relative
        outer = (f.sqrt(y * y + 4) + y) / 2
        return centre * outer, centre / outer

    *moduli, cosine = f.each(3, pole, p.x, p.y)
    cosines, zeros = [cosine, cosine], [*f.each(2, zero, p.zeros)]
    if p.real is not None:
        moduli.append(f.repeated(centre, 1))
        cosines.append(f.repeated(p.real * relative / 2, 1))
    if d.inverted:
        zeros.append(f.repeated(centre, d.degree))
    gain = p.gain if d.inverted or not d.degree else p.gain * width**d.degree
    return Factors(f.joined(*moduli), f.joined(*cosines), f.joined(*zeros), None, gain)


def _analog(f: Arithmetic, s: Factors) -> Roots:
    def pole(m: Scalar, c: Scalar) -> tuple[Scalar, ...]:
        return -2 * m * c, m * m, m * m * (1 - c * c)

    first, second, squares = f.each(3, pole, s.modulus, s.cosine)
    none, zeros = f.each(2, lambda m: (0 * m, m * m), s.zeros)
    return Roots(f.joined(first, none), f.joined(second, zeros), f.joined(squares, zeros), s.gain, s.real)


def _digital(f: Arithmetic, s: Factors) -> Roots:
    """By z = (1 + s) / (1 - s), of which 1 - 2 m c + m^2 are left before z^2, 2 m^2 - 2 and 1 + 2 m c + m^2."""

    def pole(m: Scalar, c: Scalar) -> tuple[Scalar, ...]:
        inverse = 1 / m
        sum_ = m + inverse
        lead = sum_ - 2 * c
        return 2 * (m - inverse) / lead, (sum_ + 2 * c) / lead, m * lead, 4 * (1 - c * c) / (lead * lead)

    def zero(m: Scalar) -> tuple[Scalar, ...]:
        inverse = 1 / m
        lead = m + inverse
        return 2 * (m - inverse) / lead, m / m, m * lead, 4 / (lead * lead)

    *poles, lead, squares = f.each(4, pole, s.modulus, s.cosine)
    *zeros, zeros_lead, zeros_squares = f.each(4, zero, s.zeros)
    gain, real = s.gain * f.product(zeros_lead) / f.product(lead), None
    if s.real is not None:
        gain, real = gain / (1 - s.real), (1 + s.real) / (1 - s.real)
    first, second = (f.joined(*both) for both in zip(poles, zeros))
    return Roots(first, second, f.joined(squares, zeros_squares), gain, real)
