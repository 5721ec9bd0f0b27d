"""From one form of a filter to another: Python over torch, in double precision."""

from polezero._conversions.transfer import sos2tf, sos2zpk, tf2sos, tf2zpk, zpk2sos, zpk2tf

__all__ = ["sos2tf", "sos2zpk", "tf2sos", "tf2zpk", "zpk2sos", "zpk2tf"]
