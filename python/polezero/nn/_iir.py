"""A filter of any design, whose coefficients, or poles and zeros, are trained."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor
from typing_extensions import Self, Unpack

from polezero._arguments import doubles
from polezero._conversions.transfer import sos2zpk, zpk2sos
from polezero._responses.stability import poles as poles_of
from polezero._signatures import Coefficients
from polezero.nn import _roots
from polezero.nn._checks import FS, choice, named, number, refusal, truth, whole
from polezero.nn._designs import DECIBELS, OPTIONS, designed, is_silent, of_polynomials
from polezero.nn._module import Options
from polezero.nn._ranges import MARGIN, Parametrization
from polezero.nn._roots import Kinds
from polezero.nn._sections import Sections
from polezero.nn.parametrizations import PoleRadius, Reflection, Tanh, Triangle

__all__ = ["IIRFilter"]

Form = Literal["coefficients", "triangle", "reflection", "tanh", "poles"]
FORMS = get_args(Form)


class IIROptions(Options, total=False):
    """The keyword arguments of :class:`IIRFilter`, for what makes one of a design."""

    parametrization: Form
    project: bool
    zero_phase: bool
    fs: float


class IIRFilter(Sections):
    r"""A cascade of second-order sections that is trained, from any design.

    .. math::

        H(z) = \prod_{k=1}^{K} \frac{b_{k0} + b_{k1} z^{-1} + b_{k2} z^{-2}}{1 + a_{k1} z^{-1} + a_{k2} z^{-2}}

    At the start it is the design, to rounding. What is trained, and reads and writes as an attribute, is said by
    ``parametrization``:

    ================ =========================================================== =====================================
    parametrization  attributes                                                  stable
    ================ =========================================================== =====================================
    ``coefficients`` ``b`` [K, 3] and ``a`` [K, 2], which is a_1 and a_2         no: as far as training leaves it so
    ``triangle``     ``b`` and ``a``, by :class:`~parametrizations.Triangle`     yes; any stable section
    ``reflection``   ``b`` and ``reflection`` [K, 2], of a_1 = k_1 (1 + k_2) and yes; any stable section
                     a_2 = k_2, by :class:`~parametrizations.Reflection`
    ``tanh``         ``b``, ``pole_pairs`` [P, 2], real and imaginary part of    yes; pairs stay pairs, and real poles
                     one pole each, by :class:`~parametrizations.Tanh`, and      stay real
                     ``real_poles`` [R, 2], two of a section
    ``poles``        ``radius`` [P] (:class:`~parametrizations.PoleRadius`),     yes; likewise
                     ``angle`` [P] in radians, ``real_poles`` [R, 2]; of zeros
                     ``zero_radius``, ``zero_angle``, ``real_zeros``; ``gain``
    ================ =========================================================== =====================================

    ``poles`` and ``zeros`` read as complex tensors ``[2 K]`` in all of them, and may be assigned. A section of first
    order has a pole at 0 as its second, which is trained like others. Zeros are free; so is the ``gain`` of ``poles``,
    by its logarithm, which keeps its sign and lets it be as small as that of a low cut-off. Zeros at one place,
    as those of a Butterworth filter, are a pair there; by symmetry its angle has no gradient, so that it stays on the
    real axis until ``zero_angle`` is assigned another. Those of the other parametrizations, in ``b``, are free of that.

    Args:
        sos: Sections ``b_0 b_1 b_2 a_0 a_1 a_2``, shape ``[K, 6]``, or ``[channels, K, 6]``. `from_sos` is the same;
            `from_ba`, `from_zpk` and `from_design` make them.
        parametrization: One of the above.
        project: Whether poles outside of a stable parametrization are moved inside, along their rays to the radius
            1 - 2^-19, instead of being refused.
        zero_phase: Whether to filter forth and back, by :func:`polezero.sosfiltfilt`: with ``|H|^2``, without delay,
            but a whole signal at a time.
        fs: Sampling frequency in Hz; by default frequencies are in units of Nyquist's.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; parameters that are given to a call have the shapes above after batch and
    channels. Errors: ValueError of one sentence, which for an unstable section names the radius of its pole.

    Source: S. Nercessian, A. Sarroff and K. J. Werner, "Lightweight and interpretable neural modeling of an audio
    distortion effect using hyperconditioned differentiable biquads", ICASSP 2021, for the triangle. In place of
    ``ml4gw.transforms.IIRFilter(N, Wn, btype="band", ftype="butter", fs=fs)``, which filters with one polynomial of
    high order forth and back, take ``IIRFilter.from_design("butter", N, Wn, "bandpass", fs=fs, zero_phase=True)``.

    Example:
        >>> import torch, polezero
        >>> lowpass = polezero.nn.IIRFilter.from_design("legendre", 3, 0.3, parametrization="poles")
        >>> y = lowpass(torch.randn(2, 1000))
        >>> lowpass.zero_angle = 2.5
        >>> lowpass
        IIRFilter(poles, radius=[0.7473], angle=[0.8803], real_poles=[0.5197, 0], zero_radius=[1], zero_angle=[2.5],
                  real_zeros=[-1, 0], gain=0.03642, fs=2)
    """

    b: Tensor
    a: Tensor
    reflection: Tensor

    def __init__(
        self,
        sos: Coefficients,
        *,
        parametrization: Form = "coefficients",
        project: bool = False,
        zero_phase: bool = False,
        fs: float = 2.0,
        **options: Unpack[Options],
    ) -> None:
        if isinstance(sos, Tensor):
            options.setdefault("device", sos.device)
        super().__init__(fs, **options)
        self.filter_forth_and_back(zero_phase)
        choice(self.refused, "parametrization", parametrization, FORMS)
        truth(self.refused, "project", project)
        (t,) = doubles(self._get_name(), sos=sos)
        t = t.detach()
        shapes = "[K, 6] or [channels, K, 6]" if self.channels else "[K, 6]"
        if t.is_complex() or not 2 <= t.dim() <= (3 if self.channels else 2) or t.shape[-1] != 6 or not t.numel():
            raise self.refused("sos", f"real sections of shape {shapes}", list(t.shape))
        if not bool(torch.isfinite(t).all() & (t[..., 3] != 0).all()):
            raise self.refused("sos", "finite numbers with a_0 other than 0", t.tolist())
        self.form, self._sections = parametrization, t.shape[-2]
        t = t / t[..., 3:4]
        b, a = t[..., :3], t[..., 4:]
        if parametrization != "coefficients":
            a = self._stable(a, project)
        if parametrization != "poles":
            self.declare("b", b, None, (self._sections, 3))
        self._declare_poles(a)
        if parametrization == "poles":
            self._declare_zeros(b)
        self.declared()

    # ---- from designs

    @classmethod
    def from_sos(cls, sos: Coefficients, **arguments: Unpack[IIROptions]) -> Self:
        """Of second-order sections ``[K, 6]``."""
        return cls(sos, **arguments)

    @classmethod
    def from_ba(cls, b: Coefficients, a: Coefficients, **arguments: Unpack[IIROptions]) -> Self:
        """Of the polynomials that :func:`polezero.lfilter` takes; leading zeros of b, which delay, are kept."""
        b, a = doubles(cls.__name__, b=b, a=a)
        if b.dim() != 1 or a.dim() != 1 or not b.numel() or not a.numel():
            got = f"shapes {list(b.shape)} and {list(a.shape)}"
            raise ValueError(f"{cls.__name__}: b: expected the two polynomials of one filter, got {got}")
        if a[0] == 0:
            raise ValueError(f"{cls.__name__}: a: expected a_0 other than 0, got {a.tolist()}")
        return cls(named(cls.__name__, of_polynomials, b.detach(), a.detach()), **arguments)

    @classmethod
    def from_zpk(cls, z: Coefficients, p: Coefficients, k: Coefficients, **arguments: Unpack[IIROptions]) -> Self:
        """Of zeros, poles and gain, as :func:`polezero.zpk2sos` puts them into sections."""
        return cls(named(cls.__name__, zpk2sos, z, p, k).detach(), **arguments)

    @classmethod
    def from_design(
        cls,
        name: str,
        order: int,
        Wn: Coefficients,
        btype: str = "lowpass",
        *,
        rp: float | None = None,
        rs: float | None = None,
        norm: Literal["phase", "delay", "mag"] | None = None,
        **arguments: Unpack[IIROptions],
    ) -> Self:
        """Of ``butter``, ``cheby1``, ``cheby2``, ``ellip``, ``bessel`` or ``legendre``.

        Where they are not said, a Chebyshev filter has 1 dB of ripple or 20 dB of attenuation, an elliptic one 1 dB and
        40 dB; of Bessel's the phase is normalised. ``Wn`` is in Hz, and with ``channels`` may be one for each.
        """
        refused = refusal(cls.__name__)
        choice(refused, "name", name, DECIBELS)
        order, fs = whole(refused, "order", order), number(refused, "fs", arguments.get("fs", 2.0), FS, 0)
        given = {key: v for key, v in {"rp": rp, "rs": rs, "norm": norm}.items() if v is not None}
        for key, value in given.items():
            if key not in OPTIONS[name]:
                raise refused(key, f"None for {name}", repr(value))
        sos = named(cls.__name__, designed, name, order, Wn, btype, fs, **given)
        if is_silent(sos):
            raise refused("order", "a design whose gain float64 holds", order)
        return cls(sos.detach(), **arguments)

    # ---- parameters

    def _stable(self, a: Tensor, project: bool) -> Tensor:
        """The denominators with all poles inside the unit circle, or an error."""
        if project:
            a = _roots.projected(a)
        radii = _roots.radius(a)
        worst = int(radii.flatten().argmax()) % self._sections
        inside = f"poles inside the unit circle for {self.form!r} (project=True moves them there)"
        if not bool((radii <= 1 - MARGIN + 2 * torch.finfo(a.dtype).eps).all()):
            raise self.refused("sos", inside, f"one of radius {float(radii.max()):.9g} in section {worst}")
        if self.form == "reflection":
            k = _roots.reflection(a)
            if project:
                a = _roots.of_reflection(k.clamp(-_roots.FARTHEST, _roots.FARTHEST))
            elif not Reflection().fits(k):
                least = f"reflection coefficients of {Reflection.expected} by 2^-20"
                hint = "(poles next to 1 or -1 have none: 'poles' or 'triangle' keep them, project=True moves them)"
                raise self.refused("sos", f"{least} {hint}", f"{float(k.abs().max()):.9g}")
        return a

    def _declare_poles(self, a: Tensor) -> None:
        K = self._sections
        if self.form == "coefficients":
            self.declare("a", a, None, (K, 2))
        elif self.form == "triangle":
            self.declare("a", a, Triangle(), (K, 2))
        elif self.form == "reflection":
            self.declare("reflection", _roots.reflection(a), Reflection(), (K, 2))
        else:
            self._poles = self._kinds("poles", a, double_is_pair=False)
            kinds: dict[str, Parametrization | None] = {
                "radius": PoleRadius(),
                "angle": None,
                "pole_pairs": Tanh(),
                "real_poles": _Real(),
            }
            for name, value in self._of_poles(a).items():
                self.declare(name, value, kinds[name], tuple(value.shape[a.dim() - 2 :]))

    def _declare_zeros(self, b: Tensor) -> None:
        if not bool((b[..., 0] != 0).all()):
            raise self.refused("sos", "b_0 other than 0 for 'poles' (zeros at infinity are not trained)", b.tolist())
        c = b[..., 1:] / b[..., :1]
        self._zeros = self._kinds("zeros", c, double_is_pair=True)
        for name, value in self._of_zeros(c).items():
            self.declare(name, value, None, tuple(value.shape[c.dim() - 2 :]))
        gain = b[..., 0].prod(-1)
        if not bool((gain.to(self._like.dtype) != 0).all()):
            raise self.refused("dtype", f"float64 for a gain of {float(gain.abs().min()):.4g}", self._like.dtype)
        self.declare("gain", gain, _OfSign(gain, self._like))

    def _kinds(self, name: str, c: Tensor, *, double_is_pair: bool) -> Kinds:
        kinds = Kinds.of(c, double_is_pair=double_is_pair)
        if kinds is None:
            raise self.refused("sos", f"{name} that are pairs, or real, in the same sections of all channels", "others")
        return kinds

    def _of_poles(self, a: Tensor) -> dict[str, Tensor]:
        """The parameters of denominators."""
        pairs, real = (_roots.chosen(a, places, -2) for places in self._poles)
        values: dict[str, Tensor] = {}
        if self._poles.pairs:
            radius, angle = _roots.polar(pairs)
            if self.form == "poles":
                values.update(radius=radius, angle=angle)
            else:
                values["pole_pairs"] = torch.stack([radius * angle.cos(), radius * angle.sin()], -1)
        if self._poles.real:
            values["real_poles"] = _roots.real(real)
        return values

    def _of_zeros(self, c: Tensor) -> dict[str, Tensor]:
        pairs, real = (_roots.chosen(c, places, -2) for places in self._zeros)
        values: dict[str, Tensor] = {}
        if self._zeros.pairs:
            values["zero_radius"], values["zero_angle"] = _roots.polar(pairs)
        if self._zeros.real:
            values["real_zeros"] = _roots.real(real)
        return values

    # ---- sections

    def design(self, **values: Tensor) -> Tensor:
        values = {name: value.double() for name, value in values.items()}
        b, a = self._numerators(values), self._denominators(values)
        return _roots.side_by_side(-1, [b, a.new_ones(1), a])

    def _denominators(self, values: dict[str, Tensor]) -> Tensor:
        if "a" in values:
            return values["a"]
        if "reflection" in values:
            return _roots.of_reflection(values["reflection"])
        pairs, real = None, None
        if "radius" in values:
            pairs = _roots.of_polar(values["radius"], values["angle"])
        if "pole_pairs" in values:
            pairs = _roots.of_points(values["pole_pairs"])
        if "real_poles" in values:
            real = _roots.of_real(values["real_poles"])
        return _roots.together(self._poles, pairs, real)

    def _numerators(self, values: dict[str, Tensor]) -> Tensor:
        if "b" in values:
            return values["b"]
        pairs, real = None, None
        if "zero_radius" in values:
            pairs = _roots.of_polar(values["zero_radius"], values["zero_angle"])
        if "real_zeros" in values:
            real = _roots.of_real(values["real_zeros"])
        c = _roots.together(self._zeros, pairs, real)
        b = _roots.side_by_side(-1, [c.new_ones(1), c])
        return _roots.side_by_side(-2, [b[..., :1, :] * values["gain"][..., None, None], b[..., 1:, :]])

    def sections(self) -> int:
        return self._sections

    # ---- roots

    @property
    def poles(self) -> Tensor:
        """All poles, complex, ``[..., 2 K]``: two of each section, 0 where it has fewer."""
        return poles_of(self.sos())

    @poles.setter
    def poles(self, value: Coefficients) -> None:
        a = self._polynomials("poles", value)
        if self.form in ("coefficients", "triangle"):
            self.a = a
            return
        if self.form == "reflection":
            self.reflection = _roots.reflection(a)
            return
        radius = float(_roots.radius(a).max())
        if not radius <= 1 - MARGIN:
            raise self.refused("poles", "poles inside the unit circle", f"a radius of {radius:.9g}")
        self._assign("poles", self._poles, Kinds.of(a, double_is_pair=False), self._of_poles(a))

    @property
    def zeros(self) -> Tensor:
        """All zeros, complex, ``[..., 2 K]``: two of each section, 0 where it has fewer."""
        return sos2zpk(self.sos())[0]

    @zeros.setter
    def zeros(self, value: Coefficients) -> None:
        c = self._polynomials("zeros", value)
        if self.form != "poles":
            b = self.b.detach()
            self.b = torch.cat([b[..., :1], b[..., :1] * c.to(b)], -1)
            return
        self._assign("zeros", self._zeros, Kinds.of(c, double_is_pair=True), self._of_zeros(c))

    def _polynomials(self, name: str, value: Coefficients) -> Tensor:
        (roots,) = doubles(self._get_name(), **{name: value})
        roots = torch.complex(roots, torch.zeros_like(roots)) if not roots.is_complex() else roots
        if roots.shape[-1:] != (2 * self._sections,) or not bool(torch.isfinite(torch.view_as_real(roots)).all()):
            raise self.refused(name, f"{2 * self._sections} finite numbers, two of a section", list(roots.shape))
        p, q = roots.detach().unflatten(-1, (-1, 2)).unbind(-1)
        c = torch.stack([-(p + q), p * q], -1)
        if not bool((c.imag.abs() <= 1e-12 * (1 + c.abs())).all()):
            raise self.refused(name, "a conjugate pair or two real numbers of each section", roots.tolist())
        return c.real

    def _assign(self, name: str, own: Kinds, given: Kinds | None, values: dict[str, Tensor]) -> None:
        """Pairs and real roots where there are such; nothing is changed where they are others."""
        if given != own:
            expected = f"pairs in the sections {list(own.pairs)} and real ones in {list(own.real)}"
            raise self.refused(name, expected, "others")
        for attribute, value in values.items():
            self._fitting(attribute, value, getattr(self, attribute), self._ours(attribute))
        for attribute, value in values.items():
            setattr(self, attribute, value)

    def extra_repr(self) -> str:
        return f"{self.form}, {super().extra_repr()}"


class _Real(Reflection):
    """Real poles are the reflection coefficients of sections of first order, but for the sign."""

    expected = "real poles between -1 and 1"


class _OfSign(Parametrization):
    """A factor by its logarithm, which keeps its sign; 0 is its border."""

    sign: Tensor

    def __init__(self, value: Tensor, like: Tensor) -> None:
        super().__init__()
        sign = torch.sign(value)
        self.register_buffer("sign", sign.to(like))
        self.expected = f"numbers of the sign that they had at first, {sign.tolist()}"

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        return not margin or bool((value * self.sign >= 0).all())

    def forward(self, original: Tensor) -> Tensor:
        return self.sign * torch.exp(original)

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        end = math.log(torch.finfo(value.dtype).smallest_normal * torch.finfo(value.dtype).eps) - 1
        return value.abs().log().clamp(min=end)
