"""The tone controls of guitar amplifiers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero import lpv
from polezero._conversions.forms import Pair
from polezero._lfilter import lfilter
from polezero.nn._biquad import Numbers
from polezero.nn._checks import number
from polezero.nn._frames import Timeline
from polezero.nn._module import Memory, Options, Values
from polezero.nn._polynomials import Polynomials
from polezero.nn.parametrizations import Range

__all__ = ["ToneStack"]

# Ohms and farads: treble, bass and middle pot, slope resistor; treble, bass and middle capacitor.
BASSMAN = {"R1": 250e3, "R2": 1e6, "R3": 25e3, "R4": 56e3, "C1": 250e-12, "C2": 20e-9, "C3": 20e-9}
TAPER = 3.4  # of the bass pot: exp(TAPER (bass - 1)) of its resistance
# (1 - z^-1)^k (1 + z^-1)^(3 - k), by powers of z^-1.
_BILINEAR = ((1.0, 3.0, 3.0, 1.0), (1.0, 1.0, -1.0, -1.0), (1.0, -1.0, -1.0, 1.0), (1.0, -3.0, 3.0, -1.0))


def _numerator(R1: float, R2: float, R3: float, R4: float, C1: float, C2: float, C3: float) -> list[list[float]]:
    """Of s^0 .. s^3, the factors of 1, t, m, l, m^2, lm, tm and tl."""
    C = C1 * C2 * C3
    return [
        [0.0] * 8,
        [(C1 + C2) * R3, C1 * R1, C3 * R3, (C1 + C2) * R2, 0.0, 0.0, 0.0, 0.0],
        [
            C1 * C2 * R1 * R3 + C1 * C2 * R3 * R4 + C1 * C3 * R3 * R4,
            C1 * (C2 + C3) * R1 * R4,
            C1 * C3 * R1 * R3 + (C1 + C2) * C3 * R3**2,
            C1 * C2 * R1 * R2 + C1 * (C2 + C3) * R2 * R4,
            -(C1 + C2) * C3 * R3**2,
            (C1 + C2) * C3 * R2 * R3,
            0.0,
            0.0,
        ],
        [
            0.0,
            C * R1 * R3 * R4,
            C * (R1 + R4) * R3**2,
            0.0,
            -C * (R1 + R4) * R3**2,
            C * (R1 + R4) * R2 * R3,
            -C * R1 * R3 * R4,
            C * R1 * R2 * R4,
        ],
    ]


def _denominator(R1: float, R2: float, R3: float, R4: float, C1: float, C2: float, C3: float) -> list[list[float]]:
    C = C1 * C2 * C3
    return [
        [1.0, *[0.0] * 7],
        [C1 * (R1 + R3) + C2 * (R3 + R4) + C3 * R4, 0.0, C3 * R3, (C1 + C2) * R2, 0.0, 0.0, 0.0, 0.0],
        [
            C1 * R1 * (C2 * R4 + C3 * R4 + C2 * R3) + (C1 * C2 + C1 * C3 + C2 * C3) * R3 * R4,
            0.0,
            C1 * C3 * R1 * R3 - C2 * C3 * R3 * R4 + (C1 + C2) * C3 * R3**2,
            C1 * C2 * R2 * (R1 + R4) + (C1 + C2) * C3 * R2 * R4,
            -(C1 + C2) * C3 * R3**2,
            (C1 + C2) * C3 * R2 * R3,
            0.0,
            0.0,
        ],
        [
            C * R1 * R3 * R4,
            0.0,
            C * ((R1 + R4) * R3**2 - R1 * R3 * R4),
            C * R1 * R2 * R4,
            -C * (R1 + R4) * R3**2,
            C * (R1 + R4) * R2 * R3,
            0.0,
            0.0,
        ],
    ]


class ToneStack(Polynomials):
    r"""The passive bass, middle and treble circuit of a guitar amplifier, that of the Fender Bassman of 1959.

    .. math::

        H(s) = \frac{b_1 s + b_2 s^2 + b_3 s^3}{1 + a_1 s + a_2 s^2 + a_3 s^3}, \qquad
        s = 2 f_s \frac{1 - z^{-1}}{1 + z^{-1}}

    Its coefficients are polynomials of the positions of the three pots and of the components, which are linear in each
    of 1, t, m, l, m^2, lm, tm and tl: t and m are the treble and middle knob, and the bass pot is logarithmic, of
    :math:`l = e^{3.4 (\mathtt{bass} - 1)}`. The controls interact, as in the circuit, and none of their settings is
    flat.

    Args:
        bass: Position of the knob, 0 to 1.
        middle: Likewise.
        treble: Likewise.
        fs: Sampling frequency in Hz. The bilinear transform bends the highest frequencies: 88 kHz or more follows the
            circuit through all that is heard.
        components: Those that are others than the Bassman's, in ohms and farads: pots R1 (treble, 250 kOhm), R2 (bass,
            1 MOhm), R3 (middle, 25 kOhm), slope resistor R4 (56 kOhm), capacitors C1 (treble, 250 pF), C2 (bass, 20
            nF), C3 (middle, 20 nF). A Marshall JCM 800 has R1=220e3, R3=22e3, R4=33e3, C1=470e-12, C2=C3=22e-9.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, or one a channel. Stable for all positions, since
    the circuit is passive. Where they move it is the positions that are interpolated between two frames, so that each
    sample has the coefficients of a circuit. Errors: ValueError of one sentence where a knob is out of 0 to 1 or a
    component is not positive. Source: D. T. Yeh and J. O. Smith, "Discretization of the '59 Fender Bassman tone stack",
    DAFx 2006.

    Example:
        >>> import torch, polezero
        >>> stack = polezero.nn.ToneStack(bass=0.3, middle=0.2, treble=0.8, fs=96000)
        >>> y = stack(torch.randn(2, 9600))
    """

    def __init__(
        self,
        bass: Numbers = 0.5,
        middle: Numbers = 0.5,
        treble: Numbers = 0.5,
        *,
        fs: float,
        components: Mapping[str, float] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        given = {} if components is None else components
        if not isinstance(given, Mapping) or any(name not in BASSMAN for name in given):
            raise self.refused("components", f"positive values of {', '.join(BASSMAN)}", given)
        own = {name: number(self.refused, name, value, "a positive number", 0) for name, value in given.items()}
        self.components = {**BASSMAN, **own}
        for name, value in (("bass", bass), ("middle", middle), ("treble", treble)):
            self.declare(name, value, Range(0.0, 1.0))
        self._matrix = _to_digital(self.components, self.fs)
        self.declared()

    def polynomials(self, bass: Tensor, middle: Tensor, treble: Tensor) -> Pair:  # type: ignore[override]
        t, m = treble.double(), middle.double()
        low = torch.exp(TAPER * (bass.double() - 1))
        monomials = torch.broadcast_tensors(torch.ones_like(t), t, m, low, m * m, low * m, t * m, t * low)
        matrix = torch.tensor(self._matrix, dtype=torch.float64).to(t.device, non_blocking=True)
        polynomials = (torch.stack(monomials, -1) @ matrix).unflatten(-1, (2, 4))
        b, a = (polynomials / polynomials[..., 1:, :1]).unbind(-2)
        return b, a

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        if time.varies:
            knobs = zip(values, torch.broadcast_tensors(*values.values()))
            b, a = self.polynomials(**{name: time.between(value, 0) for name, value in knobs})
        else:
            b, a = self.polynomials(**values)
        run = lpv.lfilter if time.varies else lfilter
        if memory is None:
            return run(b, a, x), None
        y, zf = run(b, a, x, zi=memory[0])
        return y, (zf,)

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        return (torch.zeros(*x.shape[:-1], 3, dtype=torch.float64, device=x.device),)


def _to_digital(components: Mapping[str, float], fs: float) -> list[list[float]]:
    """The factors of both digital polynomials, ``[8 monomials, 2 x 4]``: the bilinear transform is linear in them."""
    rows = [[0.0] * 8 for _ in range(8)]
    for part, analog in enumerate((_numerator(**components), _denominator(**components))):
        for k, factors in enumerate(analog):
            for monomial, factor in enumerate(factors):
                for power, c in enumerate(_BILINEAR[k]):
                    rows[monomial][4 * part + power] += factor * (2 * fs) ** k * c
    return rows
