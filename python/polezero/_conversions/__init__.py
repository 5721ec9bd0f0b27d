"""From one form of a filter to another: Python over torch, in double precision."""

from polezero._conversions.analog import bilinear, lp2bp, lp2bs, lp2hp, lp2lp, normalize
from polezero._conversions.analog_zpk import bilinear_zpk, lp2bp_zpk, lp2bs_zpk, lp2hp_zpk, lp2lp_zpk
from polezero._conversions.discrete import cont2discrete
from polezero._conversions.ladder import latc2tf, tf2latc
from polezero._conversions.residues import invres, invresz, residue, residuez, unique_roots
from polezero._conversions.spaces import sos2ss, ss2tf, ss2zpk, tf2ss, zpk2ss
from polezero._conversions.transfer import sos2tf, sos2zpk, tf2sos, tf2zpk, zpk2sos, zpk2tf

__all__ = [
    "bilinear",
    "bilinear_zpk",
    "cont2discrete",
    "invres",
    "invresz",
    "latc2tf",
    "lp2bp",
    "lp2bp_zpk",
    "lp2bs",
    "lp2bs_zpk",
    "lp2hp",
    "lp2hp_zpk",
    "lp2lp",
    "lp2lp_zpk",
    "normalize",
    "residue",
    "residuez",
    "sos2ss",
    "sos2tf",
    "sos2zpk",
    "ss2tf",
    "ss2zpk",
    "tf2latc",
    "tf2sos",
    "tf2ss",
    "tf2zpk",
    "unique_roots",
    "zpk2sos",
    "zpk2ss",
    "zpk2tf",
]
