"""Recurrent cells that are filters with a nonlinear feedback."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero._design.cookbook import BiquadType
from polezero.nn._biquad import Biquad, Numbers
from polezero.nn._frames import Timeline
from polezero.nn._module import Memory, Options, Values

__all__ = ["NonlinearBiquad"]


class NonlinearBiquad(Biquad):
    r"""A biquad whose output goes through a nonlinear function before it is fed back.

    .. math:: y[n] = f\bigl(b_0 x[n] + b_1 x[n-1] + b_2 x[n-2] - a_1 y[n-1] - a_2 y[n-2]\bigr)

    With f the identity it is :class:`Biquad`, of which it has H(z), ``sos``, ``freqz`` and ``plot``: those of small
    signals, where f has the slope 1. With f = tanh it is a recurrent cell of two states whose five weights are known
    functions of a frequency, a quality and a gain: a filter that saturates. **It is slow**: a loop in Python, some 30
    us a sample and 130 with the gradient, for signals of a few thousand samples; an op comes with the nonlinear
    recurrences.

    Args:
        btype: The type, one of the nine of :func:`polezero.biquad`.
        frequency: Cut-off or centre in Hz.
        Q: Quality.
        gain: Of a peaking filter or a shelf, in dB; other types have none.
        activation: f, of tensors, elementwise: a function or a module, whose parameters are trained too. To be pickled
            it must have a name, as ``torch.tanh`` has and a lambda has not.
        fs: Sampling frequency in Hz.
        options: All other keyword arguments of :class:`Biquad`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, or one a channel. Bounded where f is bounded, and
    where \|f(u)\| <= \|u\| as stable as the linear section for small signals. All is computed in float64. Errors are
    those of :class:`Biquad`, and ValueError where ``activation`` cannot be called. Source: the biquad as a recurrent
    cell; J. Chowdhury, "Stable structures for nonlinear biquad filters", DAFx 2020.

    Example:
        >>> import torch, polezero
        >>> cell = polezero.nn.NonlinearBiquad("lowpass", 1000.0, Q=4.0, activation=torch.tanh, fs=48000)
        >>> y = cell(10 * torch.randn(2, 48))
        >>> bool(y.abs().max() <= 1)
        True
    """

    def __init__(
        self,
        btype: BiquadType,
        frequency: Numbers,
        Q: Numbers = 0.5**0.5,
        gain: Numbers | None = None,
        *,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
        fs: float,
        frequency_range: tuple[float, float] | None = None,
        Q_range: tuple[float, float] = (0.1, 10.0),
        gain_range: tuple[float, float] = (-18.0, 18.0),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            btype,
            frequency,
            Q,
            gain,
            fs=fs,
            frequency_range=frequency_range,
            Q_range=Q_range,
            gain_range=gain_range,
            **options,
        )
        if not callable(activation):
            raise self.refused("activation", "a function of tensors", repr(activation))
        self.activation = activation

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        sos = time.between(self.design(**values), 2) if time.varies else self.design(**values).unsqueeze(-3)
        b0, b1, b2, _, a1, a2 = sos.squeeze(-2).unbind(-1)  # [..., T or 1]
        before, y1, y2 = self.rest(x, values, time) if memory is None else memory
        padded = torch.cat([before.expand(*x.shape[:-1], 2), x.double()], -1)
        excited = b0 * padded[..., 2:] + b1 * padded[..., 1:-1] + b2 * padded[..., :-2]
        y = []
        for v, first, second in zip(*(t.expand_as(excited).unbind(-1) for t in (excited, a1, a2))):
            y1, y2 = self.activation(v - first * y1 - second * y2), y1
            y.append(y1)
        result = torch.stack(y, -1) if y else excited
        return result.to(x.dtype), None if memory is None else (padded[..., -2:], y1, y2)

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        zero = torch.zeros(x.shape[:-1], dtype=torch.float64, device=x.device)
        return torch.stack([zero, zero], -1), zero, zero

    def extra_repr(self) -> str:
        name = getattr(self.activation, "__name__", None) or repr(self.activation)
        return f"{super().extra_repr()}, activation={name}"
