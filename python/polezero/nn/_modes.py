"""Reverbs that ring in modes: any, and those of a plate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero._allpole import linear_recurrence
from polezero._modal import modal_bank
from polezero.nn._checks import number, real, whole
from polezero.nn._frames import Timeline, over_time
from polezero.nn._magnitude import Magnitude, frequencies
from polezero.nn._module import Memory, Options, Values
from polezero.nn.parametrizations import LogRange, Range

__all__ = ["ModalReverb", "PlateReverb", "thin_plate_modes"]

Numbers = float | list[float] | Tensor
Bounds = tuple[float, float]

FALL = 3 * math.log(10)  # of an amplitude by 60 dB, in nepers


class Modes(Magnitude):
    """What modules share that are banks of modes, which `modes` makes of the parameters."""

    count: int

    def modes(self, **values: Tensor) -> Values:
        """Of parameters ``[..., *own]``, numbers ``[..., modes]`` in float64.

        They are ``omega``, angular frequencies in radians, and ``fall``, decays in nepers, of a sample; ``gain`` and
        ``quadrature``, the amplitudes of the cosine and of the sine.
        """
        raise NotImplementedError

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        if not time.varies:
            poles, gains = complex_modes(self.modes(**values))
            if memory is None:
                return modal_bank(poles, gains, x), None
            y, zf = modal_bank(poles, gains, x, memory[0])
            return y, (zf,)
        poles, gains = complex_modes(over_time(self.modes(**values), time, 1))
        zi = (torch.zeros((), dtype=poles.dtype, device=x.device) if memory is None else memory[0]).unsqueeze(-1)
        rows = x.unsqueeze(-2).expand(*x.shape[:-1], self.count, x.shape[-1])
        states, zf = linear_recurrence(poles.transpose(-1, -2), rows, zi.expand(*rows.shape[:-1], 1))
        y = (gains.transpose(-1, -2) * states).sum(-2).real.to(x.dtype)
        return y, (None if memory is None else (zf.squeeze(-1),))

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        # In float64 beside any signal: one of float32 is rounded from chunk to chunk.
        return (torch.zeros(*x.shape[:-1], self.count, dtype=torch.complex128, device=x.device),)

    def sos(self, **values: Tensor | float) -> Tensor:
        """The modes now as sections ``[..., modes, 6]`` in float64, which :func:`polezero.parallel` adds up."""
        poles, gains = torch.broadcast_tensors(*complex_modes(self.modes(**self.values(**values))))
        one, zero = torch.ones_like(poles.real), torch.zeros_like(poles.real)
        b = [gains.real, -(gains * poles.conj()).real, zero]
        return torch.stack([*b, one, -2 * poles.real, poles.abs().square()], -1)

    def freqz(self, worN: int | Tensor = 512, **values: Tensor | float) -> tuple[Tensor, Tensor]:
        poles, gains = (c.unsqueeze(-2) for c in complex_modes(self.modes(**self.values(**values))))
        hertz = frequencies(worN, self.fs, poles)
        late = torch.exp(-2j * math.pi / self.fs * hertz.double()).unsqueeze(-1)
        both = gains / (1 - poles * late) + gains.conj() / (1 - poles.conj() * late)
        return hertz, both.sum(-1) / 2


def complex_modes(modes: Values) -> tuple[Tensor, Tensor]:
    """Poles and gains of a bank."""
    fall, omega = torch.broadcast_tensors(modes["fall"], modes["omega"])
    gain, quadrature = torch.broadcast_tensors(modes["gain"], modes["quadrature"])
    return torch.exp(torch.complex(-fall, omega)), torch.complex(gain, -quadrature)


class ModalReverb(Modes):
    r"""A room, a plate or a bell as a sum of modes, each with a frequency, a decay and gains of its own.

    .. math::

        h[n] = \sum_k r_k^n \left(g_k \cos \omega_k n + q_k \sin \omega_k n\right), \quad
        \omega_k = \frac{2 \pi f_k}{f_s}, \quad r_k = 10^{-3 / (T_k f_s)}, \qquad
        H(z) = \sum_k \operatorname{Re}_z \frac{g_k - j q_k}{1 - r_k e^{j \omega_k} z^{-1}}

    with :math:`\operatorname{Re}_z` half the sum of a term and that with conjugate coefficients. The response depends
    on gains linearly, so they are learned easily, from 0 too; a frequency is learned from nearby, as far as modes have
    turned by less than half a cycle more or less than wanted in the time that is compared.

    Args:
        frequency: f_k in Hz, one a mode.
        decay: T_k, the time to fall by 60 dB in seconds.
        gain: g_k, the amplitude of the cosine.
        quadrature: q_k, that of the sine.
        fs: Sampling frequency in Hz.
        frequency_range: Least and greatest frequency; None for 20 Hz (fs / 2000 where that is less) to 0.49 fs.
        decay_range: Least and greatest decay.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, or one a mode, ``[modes]``, or ``[channels,
    modes]``. Stable for all parameters in their ranges, and however they move. Frames of frequencies, of decays per
    second and of gains are interpolated as they are; parameters that change with time take memory of modes times T,
    others none. Errors: ValueError of one sentence where a parameter is out of its range. Source: J.-M. Adrien, "The
    Missing Link: Modal Synthesis", in "Representations of Musical Signals", MIT Press 1991; J. S. Abel, S. Coffin and
    K. Spratt, "A Modal Architecture for Artificial Reverberation with Application to Room Acoustics Modeling", AES
    137, 2014.

    Example:
        >>> import torch, polezero
        >>> bell = polezero.nn.ModalReverb([220.0, 523.0, 661.0], [3.0, 2.0, 1.0], fs=8000)
        >>> y = bell(torch.randn(2, 800))
        >>> bell.decay = 2.5
        >>> bell
        ModalReverb(frequency=[220, 523, 661], decay=[2.5, 2.5, 2.5], gain=[1, 1, 1], quadrature=[0, 0, 0], fs=8000)
    """

    def __init__(
        self,
        frequency: list[float] | Tensor,
        decay: Numbers = 1.0,
        gain: Numbers = 1.0,
        quadrature: Numbers = 0.0,
        *,
        fs: float,
        frequency_range: Bounds | None = None,
        decay_range: Bounds = (0.01, 60.0),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        shape = real(self.refused, "frequency", frequency).shape
        if not shape or not shape[-1]:
            raise self.refused("frequency", "a number of Hz for each of the modes", frequency)
        self.count = shape[-1]
        own = (min(20.0, self.fs / 2000), 0.49 * self.fs) if frequency_range is None else frequency_range
        self.declare("frequency", frequency, self.ranged("frequency", LogRange, own, "Hz"), shape[-1:])
        self.declare("decay", decay, self.ranged("decay", LogRange, decay_range, "s"), shape[-1:])
        self.declare("gain", gain, None, shape[-1:])
        self.declare("quadrature", quadrature, None, shape[-1:])
        self.declared()

    def modes(self, **values: Tensor) -> Values:
        now = {name: value.double() for name, value in values.items()}
        return {
            "omega": 2 * math.pi / self.fs * now["frequency"],
            "fall": FALL / self.fs / now["decay"],
            "gain": now["gain"],
            "quadrature": now["quadrature"],
        }


def thin_plate_modes(
    orders: tuple[int, int],
    *,
    Lx: Tensor,
    Ly: Tensor,
    thickness: Tensor,
    tension: Tensor,
    density: Tensor,
    young: Tensor,
    decay: Tensor,
    decay_ratio: Tensor,
    input: Tensor,
    output: Tensor,
    poisson: float = 0.25,
    loss_frequency: float = 500.0,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""The modes of a thin rectangular plate under tension with simply supported edges.

    .. math::

        \omega_{mn}^2 &= \frac{T_0}{\rho h} \gamma_{mn} + \frac{D}{\rho h} \gamma_{mn}^2, \qquad
        \gamma_{mn} = \left(\frac{m \pi}{L_x}\right)^2 + \left(\frac{n \pi}{L_y}\right)^2, \qquad
        D = \frac{E h^3}{12 (1 - \nu^2)} \\
        \sigma_{mn} &= \alpha + \beta \omega_{mn}^2, \qquad \alpha = \frac{3 \ln 10}{\tau_0}, \qquad
        \beta = \frac{3 \ln 10}{(2 \pi f_1)^2} \left(\frac{1}{\tau_1} - \frac{1}{\tau_0}\right) \\
        b_{mn} &= \frac{16}{\rho h L_x^2 L_y^2}
            \sin m \pi x_i \, \sin n \pi y_i \, \sin m \pi x_o \, \sin n \pi y_o

    An impulse of force moves the plate by :math:`\sum_{mn} b_{mn} e^{-\sigma_{mn} t} \sin(\omega_{mn} t) /
    \omega_{mn}`, with b scaled as the challenge has it (a point force has a quarter of the plate's area times that).

    Args:
        orders: How many m and n, from 1 on.
        Lx, Ly: Sides in metres, shape ``[...]``, as all but positions.
        thickness: h in metres.
        tension: T_0 in newtons per metre.
        density: rho in kilograms per cubic metre.
        young: E, Young's modulus in pascals.
        decay: tau_0, the time to fall by 60 dB at 0 Hz, in seconds.
        decay_ratio: tau_1 / tau_0, at most 1.
        input, output: Where it is struck and heard, x and y as parts of the sides, shape ``[..., 2]``.
        poisson: nu, Poisson's ratio.
        loss_frequency: f_1 in Hz, where tau_1 is.

    Returns:
        Frequencies in Hz, the times to fall by 60 dB in seconds, and gains b, each of shape ``[..., M N]``, n fastest;
        differentiable in all tensors. No mode is left out, whatever its frequency.

    Source: the plate of M. Ducceschi and L. Gabrielli's First DAFx Parameter Estimation Challenge, 2026
    (github.com/LOGUNIVPM/1st-DAFx-Challenge); S. Bilbao, "Numerical Sound Synthesis", Wiley 2009, chapter 12.

    Example:
        >>> import torch, polezero
        >>> number, there = torch.tensor, torch.tensor([0.3, 0.4])
        >>> frequency, decay, gain = polezero.nn.thin_plate_modes(
        ...     (2, 2), Lx=number(1.0), Ly=number(2.0), thickness=number(1e-3), tension=number(0.0),
        ...     density=number(7850.0), young=number(2e11), decay=number(6.0), decay_ratio=number(0.3),
        ...     input=there, output=there)
        >>> frequency  # in the proportions of m^2 + n^2 / 4
        tensor([ 2.9548,  4.7277, 10.0465, 11.8194])
    """
    names = (Lx, Ly, thickness, tension, density, young, decay, decay_ratio)
    Lx, Ly, h, T0, rho, E, tau, ratio = (value.unsqueeze(-1) for value in names)
    m = torch.arange(1, orders[0] + 1, device=Lx.device, dtype=Lx.dtype).repeat_interleave(orders[1])
    n = torch.arange(1, orders[1] + 1, device=Lx.device, dtype=Lx.dtype).repeat(orders[0])
    gamma = (math.pi * m / Lx) ** 2 + (math.pi * n / Ly) ** 2
    squared = gamma * (T0 + E * h**3 / (12 * (1 - poisson**2)) * gamma) / (rho * h)
    sigma = FALL / tau * (1 + (1 / ratio - 1) * squared / (2 * math.pi * loss_frequency) ** 2)
    sines = [
        torch.sin(math.pi * m * place[..., :1]) * torch.sin(math.pi * n * place[..., 1:]) for place in (input, output)
    ]
    gain = 16 * sines[0] * sines[1] / (rho * h * (Lx * Ly) ** 2)
    return torch.sqrt(squared) / (2 * math.pi), FALL / sigma, gain


class PlateReverb(Modes):
    r"""A plate reverb by the physics of its plate: a thin one, under tension, struck at a point and heard at another.

    .. math::

        h[n] = 10^{G / 20}\, T^2 \sum_{mn} b_{mn} \frac{\sin \omega_{mn} T n}{\sin \omega_{mn} T}
            e^{-\sigma_{mn} T n}, \qquad
        H(z) = 10^{G / 20}\, T^2 \sum_{mn} \frac{b_{mn} e^{-\sigma_{mn} T} z^{-1}}
            {1 - 2 e^{-\sigma_{mn} T} \cos(\omega_{mn} T)\, z^{-1} + e^{-2 \sigma_{mn} T} z^{-2}}, \quad T = 1 / f_s

    with the modes' angular frequencies, decays and gains of :func:`thin_plate_modes`. The response is the displacement
    in metres; ``gain``, G, takes it to the level of audio.

    Args:
        Lx, Ly: Sides in metres.
        thickness: In metres.
        tension: In newtons per metre.
        density: In kilograms per cubic metre.
        young: Young's modulus in pascals.
        decay: Time to fall by 60 dB at 0 Hz, in seconds.
        decay_ratio: That at ``loss_frequency``, as a part of ``decay``.
        input, output: Where it is struck and heard, x and y as parts of the sides.
        gain: In dB: 120 for micrometres.
        fs: Sampling frequency in Hz.
        poisson: Poisson's ratio, a number.
        loss_frequency: In Hz, a number.
        highest: The frequency in Hz above which modes are silent; None for 10 kHz, or 0.45 fs where that is less.
        orders: How many m and n there are; None for all that the plate of these arguments has up to ``highest``. A
            plate that grows in training gets more of them, and wants the orders of the largest one.
        Lx_range, Ly_range, thickness_range, tension_range, density_range, young_range, decay_range,
            decay_ratio_range, gain_range: Least and greatest values.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, positions are two, or one or two a channel (two
    outputs make it stereo). Stable for all parameters in their ranges. Not all of them are told by the sound: it
    depends on density times thickness, and on tension and stiffness over that; ``trainable=`` says which are learned.
    Frames and memory are as in :class:`ModalReverb`, between the modes of two frames. Errors: ValueError of one
    sentence where a parameter is out of its range, or there is no mode up to ``highest``. Source: that of
    :func:`thin_plate_modes`.

    Example:
        >>> import torch, polezero
        >>> plate = polezero.nn.PlateReverb(0.8, 0.5, thickness=2e-3, fs=8000, trainable=["Ly", "tension"])
        >>> y = plate(torch.randn(2, 800))
        >>> plate.orders
        (22, 13)
        >>> plate.tension = 500.0
    """

    def __init__(
        self,
        Lx: Numbers = 2.0,
        Ly: Numbers = 1.0,
        thickness: Numbers = 5e-4,
        tension: Numbers = 600.0,
        density: Numbers = 7850.0,
        young: Numbers = 2e11,
        decay: Numbers = 6.0,
        decay_ratio: Numbers = 0.5,
        input: list[float] | Tensor = (0.335, 0.467),  # type: ignore[assignment]
        output: list[float] | Tensor = (0.61, 0.73),  # type: ignore[assignment]
        gain: Numbers = 120.0,
        *,
        fs: float,
        poisson: float = 0.25,
        loss_frequency: float = 500.0,
        highest: float | None = None,
        orders: tuple[int, int] | None = None,
        Lx_range: Bounds = (0.1, 5.0),
        Ly_range: Bounds = (0.1, 5.0),
        thickness_range: Bounds = (1e-4, 1e-2),
        tension_range: Bounds = (1e-2, 1e4),
        density_range: Bounds = (1e3, 2.3e4),
        young_range: Bounds = (1e9, 5e11),
        decay_range: Bounds = (0.1, 30.0),
        decay_ratio_range: Bounds = (0.01, 1.0),
        gain_range: Bounds = (0.0, 200.0),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        highest = min(1e4, 0.45 * self.fs) if highest is None else highest
        between = f"a frequency between 0 and {self.fs / 2:g} Hz"
        self.highest = number(self.refused, "highest", highest, between, 0, self.fs / 2)
        self.poisson = number(self.refused, "poisson", poisson, "a number between -1 and 1/2", -1, 0.5)
        self.loss_frequency = number(self.refused, "loss_frequency", loss_frequency, "a positive number of Hz", 0)
        self.declare("Lx", Lx, self.ranged("Lx", LogRange, Lx_range, "m"))
        self.declare("Ly", Ly, self.ranged("Ly", LogRange, Ly_range, "m"))
        self.declare("thickness", thickness, self.ranged("thickness", LogRange, thickness_range, "m"))
        self.declare("tension", tension, self.ranged("tension", LogRange, tension_range, "N/m"))
        self.declare("density", density, self.ranged("density", LogRange, density_range, "kg/m^3"))
        self.declare("young", young, self.ranged("young", LogRange, young_range, "Pa"))
        self.declare("decay", decay, self.ranged("decay", LogRange, decay_range, "s"))
        self.declare("decay_ratio", decay_ratio, self.ranged("decay_ratio", LogRange, decay_ratio_range))
        self.declare("input", input, Range(0.0, 1.0), (2,))
        self.declare("output", output, Range(0.0, 1.0), (2,))
        self.declare("gain", gain, self.ranged("gain", Range, gain_range, "dB"))
        self.declared()
        plate = {"Lx": Lx, "Ly": Ly, "thickness": thickness, "tension": tension, "density": density, "young": young}
        if orders is None:  # of what was given: in a module without memory the parameters have no values
            self.orders = self._all_orders({name: real(self.refused, name, value) for name, value in plate.items()})
        else:
            self.orders = self._given_orders(orders)
        if not min(self.orders) > 0:
            expected = "a plate with modes up to it (it is too small or too stiff), or orders"
            raise self.refused("highest", expected, f"{self.highest:g} Hz")
        self.count = self.orders[0] * self.orders[1]

    def _given_orders(self, orders: Any) -> tuple[int, int]:
        if not isinstance(orders, Sequence) or len(orders) != 2:
            raise self.refused("orders", "None or two positive ints", repr(orders))
        m, n = (whole(self.refused, "orders", order, "None or two positive ints") for order in orders)
        return m, n

    def all_orders(self) -> tuple[int, int]:
        """How many m and n the plate now has below ``highest``."""
        return self._all_orders(self.values())

    def _all_orders(self, plate: Values) -> tuple[int, int]:
        now = {name: value.detach().double() for name, value in plate.items()}
        stiffness = now["young"] * now["thickness"] ** 3 / (12 * (1 - self.poisson**2))
        squared = (2 * math.pi * self.highest) ** 2 * now["density"] * now["thickness"]
        gamma = (torch.sqrt(now["tension"] ** 2 + 4 * stiffness * squared) - now["tension"]) / (2 * stiffness)
        most = [int((now[side] * gamma.sqrt() / math.pi).floor().max()) for side in ("Lx", "Ly")]
        return most[0], most[1]

    def plate_modes(self, **values: Tensor | float) -> tuple[Tensor, Tensor, Tensor]:
        """Those of :func:`thin_plate_modes` now; of given parameters instead of the module's own."""
        now = {name: value.double() for name, value in self.values(**values).items() if name != "gain"}
        constant = {"poisson": self.poisson, "loss_frequency": self.loss_frequency}
        return thin_plate_modes(self.orders, **now, **constant)  # type: ignore[arg-type]

    def modes(self, **values: Tensor) -> Values:
        hertz, decay, b = self.plate_modes(**values)
        heard = hertz <= self.highest
        omega = torch.where(heard, 2 * math.pi / self.fs * hertz, math.pi / 2)
        level = 10 ** (values["gain"].double().unsqueeze(-1) / 20) / self.fs**2
        return {
            "omega": omega,
            "fall": FALL / self.fs / decay,
            "gain": torch.zeros((), dtype=omega.dtype, device=omega.device).expand_as(omega),
            "quadrature": torch.where(heard, level * b / torch.sin(omega), 0.0),
        }

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, highest={self.highest:g}, orders={self.orders}"
