"""Responses of filters: Python over torch, in double precision."""

from polezero._responses.analog import freqs, freqs_zpk
from polezero._responses.delays import group_delay
from polezero._responses.digital import freqz, freqz_sos, freqz_zpk, sosfreqz
from polezero._responses.simulation import dimpulse, dlsim, dstep, impulse_response, step_response
from polezero._responses.stability import is_stable, pole_radius, poles

__all__ = [
    "dimpulse",
    "dlsim",
    "dstep",
    "freqs",
    "freqs_zpk",
    "freqz",
    "freqz_sos",
    "freqz_zpk",
    "group_delay",
    "impulse_response",
    "is_stable",
    "pole_radius",
    "poles",
    "sosfreqz",
    "step_response",
]
