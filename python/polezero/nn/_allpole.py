"""All-pole filters, as linear prediction finds them in speech and synthesis trains them."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor
from typing_extensions import Self, Unpack

from polezero import lpv
from polezero._arguments import doubles, readable
from polezero._conversions.forms import Pair
from polezero._conversions.roots import roots
from polezero._lattice import lattice
from polezero._lpc.analysis import Method, lpc
from polezero._signatures import Coefficients
from polezero.nn._allpole_forms import FORMS, Form
from polezero.nn._checks import choice, named, real, refusal, whole
from polezero.nn._frames import Timeline
from polezero.nn._framing import centred, hann, overlapped
from polezero.nn._module import Memory, Options, Values
from polezero.nn._polynomials import Polynomials
from polezero.nn.parametrizations import Decibels

__all__ = ["AllPole"]

Structure: TypeAlias = Literal["triangle", "reflection", "lsf"]

_APART = 16  # samples, in which no parameter of speech or music moves far


class AllPole(Polynomials):
    r"""An all-pole filter with a gain: a vocal tract, a body, what :func:`polezero.lpc` finds in a signal.

    .. math::

        H(z) = \frac{G}{A(z)} = \frac{G}{1 + a_1 z^{-1} + \dots + a_N z^{-N}}

    It has one of three sets of parameters, each of which is stable for all values, and begins with a flat response
    (``"triangle"``: within 1 dB), unless :meth:`from_a` or :meth:`from_lpc` makes it:

    ``"reflection"``
        ``reflection``, N reflection coefficients between -1 and 1. The one to take, if there is no reason for another.
    ``"lsf"``
        ``lsf``, N line spectral frequencies, ascending, in Hz: two that are close are a resonance between them. They
        move most evenly from frame to frame, which shows where frames are 10 ms apart or more.
    ``"triangle"``
        ``sections``, N / 2 second-order sections a_1, a_2 inside the triangle of stability: resonances, which are
        trained one by one. Of a signal that is analysed in frames they need not belong together from one frame to the
        next. The starting ones are spread over all frequencies.

    All are filtered by one structure, the normalised lattice of :func:`polezero.lattice`, which stays stable **however
    fast they move**. Up to order 40 and poles of radius 0.9999 the result is that of the cascade to 1e-10 of its peak,
    of a float32 signal to 1e-7.

    A filter that changes with time is one of two kinds:

    - **Sample by sample**, a call with ``hop=``: each sample has its own coefficients. One signal goes through one
      filter: it has the frames' spectra, and no frames. :meth:`residual` is its exact inverse. Between frames
      parameters are interpolated as they are, at every 16th sample or more often (the greatest divisor of ``hop``),
      and reflection coefficients from there to there.
    - **Frame by frame**, :meth:`overlap_add`: the signal is cut into overlapping frames, each of which has a constant
      filter, all at once. What comes of them differs in phase where they overlap: of the residual of speech it is
      speech with an error 17 dB below it (``examples/lpc_resynthesis.py``).

    :meth:`analyse` finds the parameters for both in a signal.

    Args:
        order: N; even for ``"triangle"``. As many as kHz of the sampling frequency, and 4 more, suit speech.
        parametrization: ``"reflection"``, ``"lsf"`` or ``"triangle"``.
        gain: G, a factor.
        fs: Sampling frequency in Hz; 2 where frequencies are parts of Nyquist's.
        gain_range: Least and greatest gain in dB. A gain that is given to a call may be 0.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; ``gain`` is a number, ``reflection`` and ``lsf`` have ``[order]``,
    ``sections`` has ``[order / 2, 2]``, after a dimension of channels where there are some. Errors: ValueError of one
    sentence where an argument or a parameter is out of its range, which it names. Source: J. D. Markel and A. H. Gray,
    "Linear Prediction of Speech", Springer 1976; C.-Y. Yu and G. Fazekas, "GOLF: a singing voice synthesiser with
    glottal flow wavetables and LPC filters", TISMIR 7(1), 2024 (order 22 at 24 kHz, in frames), and "Differentiable
    time-varying linear prediction in the context of end-to-end analysis-by-synthesis", Interspeech 2024 (in samples).

    Example:
        >>> import torch, polezero
        >>> voice, x, hop = polezero.nn.AllPole(18, fs=16000), torch.randn(2, 4000), 80
        >>> frames = voice.analyse(x, hop=hop)
        >>> {name: list(value.shape) for name, value in frames.items()}
        {'reflection': [2, 51, 18], 'gain': [2, 51]}
        >>> excitation = voice.residual(x, hop=hop, **frames)
        >>> torch.testing.assert_close(voice(excitation, hop=hop, **frames), x)
    """

    _form: Form

    def __init__(
        self,
        order: int,
        parametrization: Structure = "reflection",
        *,
        gain: float | list[float] | Tensor = 1.0,
        fs: float = 2.0,
        gain_range: tuple[float, float] = (-120.0, 60.0),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        order = whole(self.refused, "order", order)
        choice(self.refused, "parametrization", parametrization, FORMS)
        if parametrization == "triangle" and order % 2:
            raise self.refused("order", "an even number for sections of second order", order)
        self.order, self.parametrization = order, parametrization
        self._form = FORMS[parametrization](order, self.fs)
        self.declare(self._form.name, self._form.start, self._form.parametrization, self._form.shape)
        self.declare("gain", gain, self.ranged("gain", Decibels, gain_range))
        self.declared()

    # ---- made of predictors

    @classmethod
    def from_a(
        cls,
        a: Coefficients,
        gain: float | list[float] | Tensor = 1.0,
        parametrization: Structure = "reflection",
        *,
        fs: float = 2.0,
        **options: Any,
    ) -> Self:
        """The filter of a denominator, shape ``[order + 1]``, or ``[channels, order + 1]``.

        It is divided by ``a[..., 0]``. All its roots have to be inside the unit circle. ``options`` are those of the
        class.
        """
        (predictor,) = doubles(cls.__name__, a=a)
        begins = not readable(predictor) or bool((predictor[..., :1] != 0).all())
        if predictor.is_complex() or not predictor.shape[-1] or not begins:
            raise refusal(cls.__name__)("a", "real numbers with a_0 other than 0", predictor.tolist())
        module = cls(predictor.shape[-1] - 1, parametrization, gain=gain, fs=fs, **options)
        if readable(predictor) and (radius := roots(predictor).abs().max().item()) >= 1:
            raise module.refused("a", "all roots inside the unit circle", f"one of radius {radius:.6g}")
        setattr(module, module._form.name, module._form.of_polynomial(predictor))
        return module

    @classmethod
    def from_lpc(
        cls,
        x: Tensor,
        order: int,
        parametrization: Structure = "reflection",
        *,
        method: Method = "autocorrelation",
        fs: float = 2.0,
        **options: Any,
    ) -> Self:
        """The filter that unit noise would have to pass to be like ``x``, shape ``[T]``, or ``[channels, T]``.

        ``x`` is one frame, as :meth:`analyse` has them. ``options`` are those of the class.
        """
        order = whole(refusal(cls.__name__), "order", order)
        signal = real(refusal(cls.__name__), "x", x)
        if not signal.dim():
            raise refusal(cls.__name__)("x", "a frame of shape [T], or [channels, T]", list(signal.shape))
        a, gain = named(cls.__name__, _predicted, signal, order, method)
        return cls.from_a(a.detach(), gain.detach(), parametrization, fs=fs, **options)

    # ---- what it is

    def polynomials(self, **values: Tensor) -> Pair:
        """The gain ``[..., 1]``, and A ``[..., order + 1]``."""
        return values["gain"].unsqueeze(-1), self._form.polynomial(values[self._form.name])

    def extra_repr(self) -> str:
        return f"{self.order}, {self.parametrization!r}, {super().extra_repr()}"

    # ---- sample by sample

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        k, gain = self._over_time(values, time)
        x = x * gain.to(x.dtype)
        run = lpv.lattice if time.varies else lattice
        if memory is None:
            return run(k, x), None
        y, zf = run(k, x, memory[0])
        return y, (zf,)

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        return (torch.zeros(*x.shape[:-1], self.order, dtype=x.dtype, device=x.device),)

    def residual(self, y: Tensor, *, hop: int | None = None, **values: Tensor | float) -> Tensor:
        r"""The prediction error filter, A(z) / G: what a call with the same parameters makes ``y`` of.

        The inverse holds for parameters that change with time too, since it is that of the structure: the filter of the
        residual is ``y`` to rounding. Where the gain is 0, the residual is.
        """
        y = self.checked(y)
        placed, time = self._beside(y, 0, hop, values)
        k, gain = self._over_time(placed, time)
        is_silent = gain == 0
        excitation = _inverse(k if time.varies else k.unsqueeze(-2), y) / torch.where(is_silent, 1.0, gain).to(y.dtype)
        return torch.where(is_silent, 0.0, excitation)

    def _over_time(self, values: Values, time: Timeline) -> Pair:
        """Reflection coefficients, and the gain with an axis of time; what does not change has one sample there."""
        form, own, gain = self._form, values[self._form.name].double(), values["gain"].double()
        if not time.varies:
            return form.reflections(own), gain.unsqueeze(-1)
        rank = len(form.shape)
        frames, levels = own.shape[-1 - rank], gain.shape[-1]
        if levels > 1 or frames == 1:
            gain = time.between(gain, 0)
        if frames == 1 < levels:
            return form.reflections(own), gain
        if self.parametrization != "reflection":
            own, time = time.refined(own, rank, _APART)
        return time.between(form.reflections(own), 1), gain

    # ---- frame by frame

    def overlap_add(
        self, x: Tensor, *, hop: int, overlap: int = 4, tail: int | None = None, **values: Tensor | float
    ) -> Tensor:
        r"""Filter ``x`` in overlapping frames, each by a constant filter, all frames at once.

        .. math:: y = \sum_f \frac{G_f}{A_f(z)} (w_f x), \qquad \sum_f w_f[n] = 1

        Frame f has the parameters ``[.., f]`` and Hann's window about sample ``f * hop``; the last one holds on. Each
        filter rings ``tail`` samples on after its window. So, of parameters that all frames share, the result is that
        of a call, but for what rings longer.

        Args:
            x: Signal, as in a call.
            hop: Samples from frame to frame.
            overlap: How many frames there are at each sample, 2 or more; 4 is 75 % of overlap.
            tail: None for as long as the window, ``overlap * hop``.
            values: As in a call with ``hop``.
        """
        self._check_sizes(hop=(hop, 1), overlap=(overlap, 2), tail=(0 if tail is None else tail, 0))
        x = self.checked(x)
        placed, time = self._beside(x, 0, hop, values)
        if not time.varies:
            return self._run(x, None, 0, hop, values)[0]
        T, size = x.shape[-1], overlap * hop
        first, last = -(overlap // 2), -(-(T + size // 2) // hop)
        which = torch.arange(first, last, device=x.device)
        frames = {name: self._frames(value, self._ranks[name], which, T, hop) for name, value in placed.items()}
        window = hann(size, x).unflatten(0, (overlap, hop))
        window = (window / window.sum(0)).flatten().to(x.dtype)
        parts = centred(x, size, hop, first, last - first) * window * frames["gain"].unsqueeze(-1).to(x.dtype)
        parts = torch.nn.functional.pad(parts, (0, size if tail is None else tail))
        done = lattice(self._form.reflections(frames[self._form.name].double()), parts)
        begin = size // 2 - first * hop
        y: Tensor = overlapped(done, hop)[..., begin : begin + T]
        return y

    def _check_sizes(self, **sizes: tuple[int, int]) -> None:
        """Each, and the least that it may be."""
        for name, (value, least) in sizes.items():
            whole(self.refused, name, value, f"an int from {least} on", least)

    def _frames(self, value: Tensor, rank: int, which: Tensor, T: int, hop: int) -> Tensor:
        """Parameters of the frames in question, of which those before the first and after the last hold on."""
        axis = value.dim() - rank - 1
        count, needed = value.shape[axis], -(-T // hop)
        if count == 1:
            return value
        if count < needed:
            raise self.refused("hop", f"{needed} frames of {hop} samples for {T} samples", count)
        return value.index_select(axis, which.clamp(0, count - 1))

    # ---- analysis

    def analyse(self, x: Tensor, *, hop: int, size: int | None = None, method: Method = "autocorrelation") -> Values:
        """The parameters of ``x`` in frames, ``[..., T // hop + 1, *own]`` each, as a call with ``hop`` takes them.

        Frame f has its middle at sample ``f * hop``, so that the ends are half empty. It is predicted by
        :func:`polezero.lpc`, under Hann's window where the method is ``"autocorrelation"``. Of the others
        ``"covariance"`` may find unstable filters. A silent frame has a gain of 0 and a flat filter. The parameters
        are differentiable.

        Args:
            x: Signal, shape ``[..., T]``.
            hop: Samples from frame to frame.
            size: Samples of a frame, above ``order``; None for ``4 * hop``.
            method: That of :func:`polezero.lpc`.
        """
        x, size = self.checked(x), 4 * hop if size is None else size
        self._check_sizes(hop=(hop, 1), size=(size, self.order + 1))
        a, gain = _predicted(centred(x, size, hop, 0, x.shape[-1] // hop + 1), self.order, method)
        return {self._form.name: self._form.of_polynomial(a), "gain": gain}


def _inverse(k: Tensor, y: Tensor) -> Tensor:
    """The stages of :func:`polezero.lpv.lattice`, solved for what goes in; each knows what is delayed, of all times."""
    k = k.movedim(-1, 0).contiguous()
    c = (1 - k.square()).sqrt()
    f = g = y.to(torch.promote_types(y.dtype, torch.float64))
    for k_i, c_i in zip(k, c):
        delayed = torch.nn.functional.pad(g, (1, 0))[..., :-1]
        f = (f + k_i * delayed) / c_i
        g = k_i * f + c_i * delayed
    return (c.prod(0) * f).to(y.dtype)


def _predicted(frames: Tensor, order: int, method: Method) -> Pair:
    """Predictors and gains. A window's power is 1, so that the gain is that of the frame without it."""
    if method == "autocorrelation":
        frames = frames * hann(frames.shape[-1], frames) * math.sqrt(8 / 3)
    a, error = lpc(frames, order, method)
    is_silent = error <= 0
    return a, torch.where(is_silent, 0.0, torch.where(is_silent, 1.0, error).sqrt())
