"""Modules that are trained: filters with parameters in physical units, which gradients reach.

All of them are :class:`FilterModule`, which says what they share; :mod:`polezero.nn.parametrizations` keeps their
parameters in range.
"""

from polezero.nn import parametrizations
from polezero.nn._allpole import AllPole
from polezero.nn._biquad import Biquad
from polezero.nn._module import FilterModule
from polezero.nn._stream import Stream

__all__ = [
    "AllPole",
    "Biquad",
    "FilterModule",
    "Stream",
    "parametrizations",
]
