"""Comb filters and filters of a few taps far apart. Letters, dtypes and errors are those of :mod:`polezero`.

A delay, like a coefficient, may be one number, one for each row, or one for each sample. It is in samples: whole
numbers, or, with ``interpolation``, floating-point ones, and then it has a gradient.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, overload

import torch
from torch import Tensor

from polezero._arguments import check_backward, run, signal, to_delays
from polezero._overrides import overridable
from polezero._signatures import Backward, Coefficients, Delay, Interpolation

__all__ = ["allpass_comb", "comb_filter", "feedforward_comb", "sparse_allpole"]

_ops = torch.ops.polezero


@overload
def comb_filter(
    a: Coefficients,
    delay: Delay,
    x: Tensor,
    zi: None = None,
    *,
    interpolation: Interpolation = ...,
    backward: Backward = ...,
) -> Tensor: ...
@overload
def comb_filter(
    a: Coefficients,
    delay: Delay,
    x: Tensor,
    zi: Coefficients,
    *,
    interpolation: Interpolation = ...,
    backward: Backward = ...,
) -> tuple[Tensor, Tensor]: ...
@overridable
def comb_filter(
    a: Coefficients,
    delay: Delay,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    interpolation: Interpolation = None,
    backward: Backward = "one_pass",
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Feed the output of a filter back to it after ``delay`` samples.

    .. math::

        y[n] = x[n] - a y[n - D], \qquad H(z) = \frac{1}{1 + a z^{-D}}

    A delay between samples reads between the outputs: ``"linear"`` from the two beside it (``D >= 1``),
    ``"lagrange3"`` with the polynomial through the four around it (``D >= 2``), ``"thiran"`` through an all-pass
    filter of first order, which keeps the gain of the loop at all frequencies (``D >= 1.5``; ``a`` and ``delay``
    constant, and no ``zi``: the all-pass has a state of its own, which the outputs do not tell). The gradient to the
    delay is that of the interpolation: at a whole delay, where it has a corner, the one of longer delays. "thiran" has
    corners of another kind: at k + 1/2 the all-pass gives one sample of its delay to the delay line, and the output
    jumps, so that a delay that is learned may be caught between two halves. The other two are continuous.

    Args:
        a: A number, shape ``[...]`` (of each row of x), or, with as many dimensions as x has, ``[..., T]``.
        delay: In samples, of the shapes of ``a``: integers >= 1, or real numbers where ``interpolation`` is given.
        x: Signal, shape ``[..., T]``.
        zi: The last outputs, newest first (``zi[k - 1] = y[-k]``), shape ``[..., D]`` with D at least the longest
            delay, or, between samples, ``floor(delay) + 1`` for "linear" and ``floor(delay) + 2`` for "lagrange3".
            Broadcast along rows; 0 is rest, with the D that the longest delay needs: delays that are a tensor are
            read for it, and a GPU is waited for.
        interpolation: None, ``"linear"``, ``"lagrange3"`` or ``"thiran"``.
        backward: As in :func:`lfilter`; ``"two_pass"`` for a constant ``a`` and a whole delay.

    Returns:
        ``y``, or ``(y, zf)`` with the last D outputs, newest first, when ``zi`` is given. ``y`` is kept for the
        gradient of ``a`` and ``delay``, as in :func:`lfilter`.

    Errors are those of :func:`lfilter`, and ``ValueError`` for a delay that is too short or NaN. On a GPU delays are
    not read: one that is too short becomes the shortest, and NaN gives a row of NaN. Source: J. O. Smith, "Physical
    Audio Signal Processing"; T. I. Laakso et al., "Splitting the Unit Delay", IEEE Signal Processing Magazine 13, 1996.

    Example:
        >>> import torch, polezero
        >>> polezero.comb_filter(-0.5, 2, torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0]))
        tensor([1.0000, 0.0000, 0.5000, 0.0000, 0.2500])
        >>> polezero.comb_filter(-0.5, 1.5, torch.tensor([1.0, 0.0, 0.0]), interpolation="linear")
        tensor([1.0000, 0.2500, 0.3125])

        A string whose pitch is learned (``examples/karplus_strong.py`` has a whole one):

        >>> period = torch.tensor(100.3, requires_grad=True)
        >>> note = polezero.comb_filter(-0.99, period, torch.randn(4000), interpolation="lagrange3")
        >>> note.square().mean().backward()
        >>> period.grad.isfinite()
        tensor(True)
    """
    check_backward("comb_filter", backward)
    return _run("comb_filter", delay, x, zi, interpolation, backward, a=a)


@overload
def feedforward_comb(
    b: Coefficients, delay: Delay, x: Tensor, zi: None = None, *, interpolation: Interpolation = ...
) -> Tensor: ...
@overload
def feedforward_comb(
    b: Coefficients, delay: Delay, x: Tensor, zi: Coefficients, *, interpolation: Interpolation = ...
) -> tuple[Tensor, Tensor]: ...
@overridable
def feedforward_comb(
    b: Coefficients,
    delay: Delay,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    interpolation: Interpolation = None,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Add to a signal itself, ``delay`` samples later: an echo, and with a moving delay a flanger.

    .. math::

        y[n] = x[n] + b x[n - D], \qquad H(z) = 1 + b z^{-D}

    Args:
        b: As ``a`` of :func:`comb_filter`.
        delay: As in :func:`comb_filter`.
        x: Signal, shape ``[..., T]``.
        zi: The last inputs, newest first, shape ``[..., D]``. Broadcast along rows; 0 is rest, as in
            :func:`comb_filter`.
        interpolation: None, ``"linear"`` or ``"lagrange3"``.

    Returns:
        ``y``, or ``(y, zf)`` with the last D inputs, newest first, when ``zi`` is given.

    Errors are those of :func:`comb_filter`. Source: the definition.

    Example:
        >>> import torch, polezero
        >>> polezero.feedforward_comb(0.5, 2, torch.tensor([1.0, 0.0, 0.0, 0.0]))
        tensor([1.0000, 0.0000, 0.5000, 0.0000])

        A flanger, its delay from 2 to 42 samples once a second at 48 kHz:

        >>> n = torch.arange(48000)
        >>> delay = 22 + 20 * torch.sin(2 * torch.pi * n / 48000)
        >>> polezero.feedforward_comb(0.7, delay, torch.randn(48000), interpolation="lagrange3").shape
        torch.Size([48000])
    """
    return _run("feedforward_comb", delay, x, zi, interpolation, b=b)


@overload
def allpass_comb(
    a: Coefficients, delay: Delay, x: Tensor, zi: None = None, *, interpolation: Interpolation = ...
) -> Tensor: ...
@overload
def allpass_comb(
    a: Coefficients, delay: Delay, x: Tensor, zi: Coefficients, *, interpolation: Interpolation = ...
) -> tuple[Tensor, Tensor]: ...
@overridable
def allpass_comb(
    a: Coefficients,
    delay: Delay,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    interpolation: Interpolation = None,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Delay a signal with feedback and keep the magnitude of its spectrum: Schroeder's all-pass section.

    .. math::

        w[n] &= x[n] - a w[n - D] \\
        y[n] &= a w[n] + w[n - D], \qquad H(z) = \frac{a + z^{-D}}{1 + a z^{-D}}

    Args:
        a: As in :func:`comb_filter`; real ones keep the magnitude.
        delay: As in :func:`comb_filter`; between samples the filter is an all-pass only as far as the interpolation
            keeps the magnitude.
        x: Signal, shape ``[..., T]``.
        zi: The last values of w, newest first, shape ``[..., D]``. Broadcast along rows; 0 is rest, as in
            :func:`comb_filter`.
        interpolation: None, ``"linear"`` or ``"lagrange3"``.

    Returns:
        ``y``, or ``(y, zf)`` with the last D values of w, newest first, when ``zi`` is given.

    Errors are those of :func:`comb_filter`. Source: M. R. Schroeder, "Natural Sounding Artificial Reverberation",
    Journal of the AES 10, 1962.

    Example:
        >>> import torch, polezero
        >>> polezero.allpass_comb(0.5, 2, torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0]))
        tensor([ 0.5000,  0.0000,  0.7500,  0.0000, -0.3750])
    """
    return _run("allpass_comb", delay, x, zi, interpolation, a=a)


@overload
def sparse_allpole(a: Coefficients, delays: Delay, x: Tensor, zi: None = None) -> Tensor: ...
@overload
def sparse_allpole(a: Coefficients, delays: Delay, x: Tensor, zi: Coefficients) -> tuple[Tensor, Tensor]: ...
@overridable
def sparse_allpole(
    a: Coefficients, delays: Delay, x: Tensor, zi: Coefficients | None = None
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with a few taps of feedback at delays far apart, which may change with time.

    .. math::

        y[n] = x[n] - \sum_{l=1}^{L} a_l[n] \, y[n - d_l[n]]

    That is :func:`allpole` with ``a`` zero elsewhere, but neither time nor memory grows with the delays.

    Args:
        a: Shape ``[..., L]``, or, with one dimension more than x, ``[..., T, L]``.
        delays: Integers >= 1, of the shapes of ``a``.
        x: Signal, shape ``[..., T]``.
        zi: The last outputs, newest first, shape ``[..., D]``, D at least the longest delay. Broadcast along rows; 0
            is rest, as in :func:`comb_filter`.

    Returns:
        ``y``, or ``(y, zf)`` with the last D outputs, newest first, when ``zi`` is given. ``y`` is kept for the
        gradient of ``a``, as in :func:`lfilter`.

    Errors are those of :func:`comb_filter`. Source: the definition; its adjoint hands samples on to where they came
    from (docs/maths_structures.md).

    Example:
        >>> import torch, polezero
        >>> polezero.sparse_allpole([-0.5, 0.25], [2, 3], torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0]))
        tensor([ 1.0000,  0.0000,  0.5000, -0.2500,  0.2500])
    """
    delays = to_delays("sparse_allpole", "delays", delays, signal("sparse_allpole", x))
    return run(
        "sparse_allpole",
        _ops.sparse_allpole.default,
        x,
        zi,
        states=partial(_past, "sparse_allpole"),
        of_samples=True,
        a=a,
        delays=delays,
    )


def _run(
    function: str,
    delay: Delay,
    x: Tensor,
    zi: Coefficients | None,
    interpolation: Interpolation,
    *options: object,
    **coefficient: Coefficients,
) -> Tensor | tuple[Tensor, Tensor]:
    if interpolation is not None and not isinstance(interpolation, str):
        raise TypeError(
            f"{function}: interpolation: expected None, 'linear', 'lagrange3' or 'thiran', got {interpolation!r}"
        )
    op = getattr(_ops, function).default
    number = delay if isinstance(delay, (int, float)) else None  # need not be read from a GPU
    delay = to_delays(function, "delay", delay, signal(function, x))

    def states(c: Tensor, delay: Tensor) -> tuple[int]:
        return _past(function, c, delay if number is None else number, interpolation)

    keywords: dict[str, Any] = {"states": states, "of_samples": True, **coefficient, "delay": delay}
    return run(function, op, x, zi, interpolation, *options, **keywords)


def _past(function: str, _: Tensor, delay: Tensor | float, interpolation: str | None = None) -> tuple[int]:
    """How many samples are read again. A delay that no filter can have is for the op to refuse."""
    if isinstance(delay, Tensor):
        try:
            delay = delay.max().item() if delay.numel() and not delay.is_complex() else 1
        except RuntimeError:  # on meta, under vmap
            raise ValueError(f"{function}: zi: expected a tensor beside delays that cannot be read, got 0") from None
    longest = max(int(delay), 1) if math.isfinite(delay) else 1
    return (longest + {"linear": 1, "lagrange3": 2}.get(interpolation or "", 0),)
