"""Plain-PyTorch recursive filters, one sample at a time: the truth that the tests compare with.

Nothing here calls the C++ library. Every step is an ordinary differentiable, out-of-place torch operation, so
autograd, torch.func and vmap give the true derivatives of any order. The loops cost tens of microseconds a sample;
use the functions of :mod:`polezero` for anything but checking. ``lpv_*`` are those of :mod:`polezero.lpv`.
"""

from polezero.reference._allpole import allpole, linear_recurrence, lpv_allpole
from polezero.reference._audio import biquad
from polezero.reference._forms import lpv_fir, lpv_lfilter
from polezero.reference._lattice import lattice, lpv_lattice
from polezero.reference._lfilter import lfilter
from polezero.reference._lpc import (
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
from polezero.reference._modal import modal_bank
from polezero.reference._responses import freqs, freqs_zpk, freqz, freqz_sos, freqz_zpk, group_delay
from polezero.reference._sosfilt import lpv_parallel, lpv_sosfilt, parallel, sosfilt
from polezero.reference._sparse import allpass_comb, comb_filter, feedforward_comb, sparse_allpole
from polezero.reference._spline import (
    cspline1d,
    cspline1d_eval,
    cubic_spline,
    qspline1d,
    qspline1d_eval,
    symiirorder1,
    symiirorder2,
)
from polezero.reference._state_space import lpv_state_space, state_space
from polezero.reference._zero_phase import filtfilt, sosfilt_zi, sosfiltfilt

__all__ = [
    "allpass_comb",
    "allpole",
    "biquad",
    "cepstrum2poly",
    "comb_filter",
    "cspline1d",
    "cspline1d_eval",
    "cubic_spline",
    "feedforward_comb",
    "filtfilt",
    "freqs",
    "freqs_zpk",
    "freqz",
    "freqz_sos",
    "freqz_zpk",
    "group_delay",
    "lar2rc",
    "lattice",
    "levinson",
    "lfilter",
    "linear_recurrence",
    "lpc",
    "lpv_allpole",
    "lpv_fir",
    "lpv_lattice",
    "lpv_lfilter",
    "lpv_parallel",
    "lpv_sosfilt",
    "lpv_state_space",
    "lsf2poly",
    "modal_bank",
    "parallel",
    "poly2cepstrum",
    "poly2lsf",
    "poly2rc",
    "qspline1d",
    "qspline1d_eval",
    "rc2lar",
    "rc2poly",
    "sosfilt",
    "sosfilt_zi",
    "sosfiltfilt",
    "sparse_allpole",
    "state_space",
    "symiirorder1",
    "symiirorder2",
]
