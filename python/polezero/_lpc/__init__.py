"""Linear prediction, and the forms that a predictor has: Python over torch, in double precision."""

from polezero._lpc.analysis import lpc
from polezero._lpc.cepstrum import cepstrum2poly, poly2cepstrum
from polezero._lpc.recursion import levinson
from polezero._lpc.reflection import lar2rc, poly2rc, rc2lar, rc2poly
from polezero._lpc.spectral import lsf2poly, poly2lsf

__all__ = [
    "cepstrum2poly",
    "lar2rc",
    "levinson",
    "lpc",
    "lsf2poly",
    "poly2cepstrum",
    "poly2lsf",
    "poly2rc",
    "rc2lar",
    "rc2poly",
]
