"""Modules that are trained: filters with parameters in physical units, which gradients reach.

All of them are :class:`FilterModule`, which says what they share; :mod:`polezero.nn.parametrizations` keeps their
parameters in range.
"""

from polezero.nn import parametrizations
from polezero.nn._allpole import AllPole
from polezero.nn._bank import FilterBank
from polezero.nn._biquad import Biquad
from polezero.nn._corrections import DCBlocker, PreEmphasis, Weighting
from polezero.nn._crossover import Crossover
from polezero.nn._delays import Allpass, Comb, KarplusStrong
from polezero.nn._equalisers import ParametricEQ, ShelvingEQ
from polezero.nn._graphic import GraphicEQ
from polezero.nn._iir import IIRFilter
from polezero.nn._loudness import Loudness
from polezero.nn._modes import ModalReverb, PlateReverb, thin_plate_modes
from polezero.nn._modulation import Chorus, Flanger, Phaser
from polezero.nn._module import FilterModule
from polezero.nn._nonlinear import NonlinearBiquad
from polezero.nn._pcen import PCEN
from polezero.nn._smoothers import Envelope, Smoother
from polezero.nn._stream import Stream
from polezero.nn._tone_stack import ToneStack

__all__ = [
    "PCEN",
    "AllPole",
    "Allpass",
    "Biquad",
    "Chorus",
    "Comb",
    "Crossover",
    "DCBlocker",
    "Envelope",
    "FilterBank",
    "FilterModule",
    "Flanger",
    "GraphicEQ",
    "IIRFilter",
    "KarplusStrong",
    "Loudness",
    "ModalReverb",
    "NonlinearBiquad",
    "ParametricEQ",
    "Phaser",
    "PlateReverb",
    "PreEmphasis",
    "ShelvingEQ",
    "Smoother",
    "Stream",
    "ToneStack",
    "Weighting",
    "parametrizations",
    "thin_plate_modes",
]
