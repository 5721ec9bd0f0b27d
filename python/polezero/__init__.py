"""Differentiable recursive filters for PyTorch.

The functions have the names, arguments and meaning of :mod:`scipy.signal`, on tensors, and are
differentiable in reverse and forward mode, to any order, under every transform of torch.
"""

from polezero._library import cmake_prefix_path, load

load()

from polezero import freq, lpv, reference  # noqa: E402  (after the ops are registered)
from polezero._build import VERSION as __version__  # noqa: E402
from polezero.banks import diagonalise, modal_bank, parallel_form  # noqa: E402
from polezero.cascade import sosfilt  # noqa: E402
from polezero.delays import allpass_comb, comb_filter, feedforward_comb, sparse_allpole  # noqa: E402
from polezero.functional import (  # noqa: E402
    allpole,
    lfilter,
    lfilter_zi,
    lfiltic,
    sensitivity,
)
from polezero.recurrences import linear_recurrence, state_space, tdf2_ssm  # noqa: E402
from polezero.splines import (  # noqa: E402
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

__all__ = [
    "__version__",
    "allpass_comb",
    "allpole",
    "cmake_prefix_path",
    "comb_filter",
    "cspline1d",
    "cspline1d_eval",
    "cspline2d",
    "cubic_spline",
    "diagonalise",
    "feedforward_comb",
    "freq",
    "lfilter",
    "lfilter_zi",
    "lfiltic",
    "linear_recurrence",
    "lpv",
    "modal_bank",
    "parallel_form",
    "qspline1d",
    "qspline1d_eval",
    "qspline2d",
    "reference",
    "sensitivity",
    "sosfilt",
    "sparse_allpole",
    "state_space",
    "symiirorder1",
    "symiirorder2",
    "tdf2_ssm",
]
