"""Differentiable recursive filters for PyTorch.

The functions have the names, arguments and meaning of :mod:`scipy.signal`, on tensors, and are
differentiable in reverse and forward mode, to any order, under every transform of torch.
:mod:`polezero.lpv` has filters that change with time, :mod:`polezero.freq` frequency sampling,
:mod:`polezero.compat` other packages' names, :mod:`polezero.reference` slow loops in plain PyTorch that say what is
meant.

Letters: ``T`` samples, ``M`` and ``N`` the orders of numerator ``b`` and denominator ``a``,
``P = max(M, N)``. Dtypes and errors are those that :func:`lfilter` describes.

All functions answer to ``__torch_function__``: :func:`torch.fx.symbolic_trace` makes one node of a call,
and tensor-likes and :class:`torch.overrides.TorchFunctionMode` get it whole. ``torch.jit.script`` cannot
read them; ``torch.jit.trace`` of them, and scripts that call ``torch.ops.polezero.*``, run in C++ too.
"""

from polezero._library import cmake_prefix_path, load

load()

from polezero import (  # noqa: E402  (after the ops are registered)
    compat,
    freq,
    lpv,
    plot,
    reference,
)
from polezero._allpole import allpole, linear_recurrence  # noqa: E402
from polezero._build import VERSION as __version__  # noqa: E402
from polezero._conversions import (  # noqa: E402
    bilinear,
    bilinear_zpk,
    cont2discrete,
    deconvolve,
    invres,
    invresz,
    latc2tf,
    lp2bp,
    lp2bp_zpk,
    lp2bs,
    lp2bs_zpk,
    lp2hp,
    lp2hp_zpk,
    lp2lp,
    lp2lp_zpk,
    normalize,
    residue,
    residuez,
    sos2ss,
    sos2tf,
    sos2zpk,
    ss2tf,
    ss2zpk,
    tf2latc,
    tf2sos,
    tf2ss,
    tf2zpk,
    unique_roots,
    zpk2sos,
    zpk2ss,
    zpk2tf,
)
from polezero._design.audio import biquad  # noqa: E402
from polezero._design.crossovers import crossover  # noqa: E402
from polezero._design.emphasis import deemphasis, preemphasis, riaa  # noqa: E402
from polezero._design.iir import bessel, butter, cheby1, cheby2, ellip, iirfilter, legendre  # noqa: E402
from polezero._design.lowpass import besselap, buttap, cheb1ap, cheb2ap, ellipap, legendreap  # noqa: E402
from polezero._design.octave import octave_bands  # noqa: E402
from polezero._design.orders import buttord, cheb1ord, cheb2ord, ellipord, iirdesign  # noqa: E402
from polezero._design.peaks import gammatone, iircomb, iirnotch, iirpeak  # noqa: E402
from polezero._design.weighting import weighting  # noqa: E402
from polezero._lattice import lattice  # noqa: E402
from polezero._lfilter import lfilter, lfilter_zi, lfiltic, sensitivity, tdf2_ssm  # noqa: E402
from polezero._lpc import (  # noqa: E402
    cepstrum2poly,
    lar2rc,
    levinson,
    lpc,
    lsf2poly,
    poly2cepstrum,
    poly2lsf,
    poly2rc,
    rc2lar,
    rc2poly,
)
from polezero._modal import diagonalise, modal_bank, parallel_form  # noqa: E402
from polezero._responses import (  # noqa: E402
    dimpulse,
    dlsim,
    dstep,
    freqs,
    freqs_zpk,
    freqz,
    freqz_sos,
    freqz_zpk,
    group_delay,
    impulse_response,
    is_stable,
    pole_radius,
    poles,
    sosfreqz,
    step_response,
)
from polezero._sosfilt import parallel, sosfilt  # noqa: E402
from polezero._sparse import allpass_comb, comb_filter, feedforward_comb, sparse_allpole  # noqa: E402
from polezero._spline import (  # noqa: E402
    cspline1d,
    cspline1d_eval,
    cspline2d,
    cubic_spline,
    qspline1d,
    qspline1d_eval,
    qspline2d,
    symiirorder1,
    symiirorder2,
)
from polezero._state_space import state_space  # noqa: E402
from polezero._zero_phase import decimate, filtfilt, sosfilt_zi, sosfiltfilt  # noqa: E402

__all__ = [
    "__version__",
    "allpass_comb",
    "allpole",
    "bessel",
    "besselap",
    "bilinear",
    "bilinear_zpk",
    "biquad",
    "buttap",
    "butter",
    "buttord",
    "cepstrum2poly",
    "cheb1ap",
    "cheb1ord",
    "cheb2ap",
    "cheb2ord",
    "cheby1",
    "cheby2",
    "cmake_prefix_path",
    "comb_filter",
    "compat",
    "cont2discrete",
    "crossover",
    "cspline1d",
    "cspline1d_eval",
    "cspline2d",
    "cubic_spline",
    "decimate",
    "deconvolve",
    "deemphasis",
    "diagonalise",
    "dimpulse",
    "dlsim",
    "dstep",
    "ellip",
    "ellipap",
    "ellipord",
    "feedforward_comb",
    "filtfilt",
    "freq",
    "freqs",
    "freqs_zpk",
    "freqz",
    "freqz_sos",
    "freqz_zpk",
    "gammatone",
    "group_delay",
    "iircomb",
    "iirdesign",
    "iirfilter",
    "iirnotch",
    "iirpeak",
    "impulse_response",
    "invres",
    "invresz",
    "is_stable",
    "lar2rc",
    "latc2tf",
    "lattice",
    "legendre",
    "legendreap",
    "levinson",
    "lfilter",
    "lfilter_zi",
    "lfiltic",
    "linear_recurrence",
    "lp2bp",
    "lp2bp_zpk",
    "lp2bs",
    "lp2bs_zpk",
    "lp2hp",
    "lp2hp_zpk",
    "lp2lp",
    "lp2lp_zpk",
    "lpc",
    "lpv",
    "lsf2poly",
    "modal_bank",
    "normalize",
    "octave_bands",
    "parallel",
    "parallel_form",
    "plot",
    "pole_radius",
    "poles",
    "poly2cepstrum",
    "poly2lsf",
    "poly2rc",
    "preemphasis",
    "qspline1d",
    "qspline1d_eval",
    "qspline2d",
    "rc2lar",
    "rc2poly",
    "reference",
    "residue",
    "residuez",
    "riaa",
    "sensitivity",
    "sos2ss",
    "sos2tf",
    "sos2zpk",
    "sosfilt",
    "sosfilt_zi",
    "sosfiltfilt",
    "sosfreqz",
    "sparse_allpole",
    "ss2tf",
    "ss2zpk",
    "state_space",
    "step_response",
    "symiirorder1",
    "symiirorder2",
    "tdf2_ssm",
    "tf2latc",
    "tf2sos",
    "tf2ss",
    "tf2zpk",
    "unique_roots",
    "weighting",
    "zpk2sos",
    "zpk2ss",
    "zpk2tf",
]
