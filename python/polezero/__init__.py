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

from polezero import compat, freq, lpv, reference  # noqa: E402  (after the ops are registered)
from polezero._allpole import allpole, linear_recurrence  # noqa: E402
from polezero._build import VERSION as __version__  # noqa: E402
from polezero._lattice import lattice  # noqa: E402
from polezero._lfilter import lfilter, lfilter_zi, lfiltic, sensitivity, tdf2_ssm  # noqa: E402
from polezero._modal import diagonalise, modal_bank, parallel_form  # noqa: E402
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

__all__ = [
    "__version__",
    "allpass_comb",
    "allpole",
    "cmake_prefix_path",
    "comb_filter",
    "compat",
    "cspline1d",
    "cspline1d_eval",
    "cspline2d",
    "cubic_spline",
    "diagonalise",
    "feedforward_comb",
    "freq",
    "lattice",
    "lfilter",
    "lfilter_zi",
    "lfiltic",
    "linear_recurrence",
    "lpv",
    "modal_bank",
    "parallel",
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
