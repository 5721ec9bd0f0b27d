"""Modules that are trained: filters with parameters in physical units, which gradients reach.

All of them are :class:`FilterModule`, which says what they share; :mod:`polezero.nn.parametrizations` keeps their
parameters in range.
"""

from polezero.nn import parametrizations
from polezero.nn._biquad import Biquad
from polezero.nn._crossover import Crossover
from polezero.nn._delays import Allpass, Comb, KarplusStrong
from polezero.nn._equalisers import ParametricEQ, ShelvingEQ
from polezero.nn._graphic import GraphicEQ
from polezero.nn._modes import ModalReverb, PlateReverb, thin_plate_modes
from polezero.nn._modulation import Chorus, Flanger, Phaser
from polezero.nn._module import FilterModule
from polezero.nn._nonlinear import NonlinearBiquad
from polezero.nn._stream import Stream
from polezero.nn._tone_stack import ToneStack

__all__ = [
    "Allpass",
    "Biquad",
    "Chorus",
    "Comb",
    "Crossover",
    "FilterModule",
    "Flanger",
    "GraphicEQ",
    "KarplusStrong",
    "ModalReverb",
    "NonlinearBiquad",
    "ParametricEQ",
    "Phaser",
    "PlateReverb",
    "ShelvingEQ",
    "Stream",
    "ToneStack",
    "parametrizations",
    "thin_plate_modes",
]
