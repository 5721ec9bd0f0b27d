"""Every public function by its name below polezero, and a small call of each."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from cases.tensors import random_filter
from torch import Tensor

import polezero
from polezero import freq, lpv
from polezero.compat import torchaudio

FUNCTIONS: dict[str, Callable[..., Any]] = {
    prefix + name: getattr(module, name)
    for module, prefix in ((polezero, ""), (lpv, "lpv."), (freq, "freq."), (torchaudio, "compat.torchaudio."))
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
}
# A, B, C, D and the time between samples, in lists: torch.fx has no tensors in a tuple.
SYSTEM = [[0.4, 0.1], [-0.2, 0.5]], [[1.0, 0.0], [0.5, 1.0]], [[1.0, 2.0]], None, 0.5


def small_calls() -> dict[str, dict[str, Any]]:
    """The arguments of each, but ``zi``, in their order: T = 5, two rows, orders of 2, of double precision."""
    (b, a), x = random_filter(2, 2), torch.randn(2, 5, dtype=torch.float64)
    sos, k, taps = torch.stack([torch.cat([b, a])] * 3), 0.5 * torch.rand_like(b[1:]), torch.randn_like(b)
    A, B, C, D = 0.4 * torch.randn(2, 2).double(), torch.randn(2, 2).double(), torch.randn(1, 2).double(), None
    number, delay = torch.tensor(0.5, dtype=torch.float64), torch.tensor(2)
    poles, gains = torch.tensor([0.5j, -0.3j]), torch.randn(2) + 0j
    spline = {"x": x, "lamb": 0.0}
    specification = {"wp": 0.2, "ws": 0.3, "gpass": 1.0, "gstop": 40.0}
    r = torch.tensor([0.5, -0.25], dtype=torch.float64)
    zpk = {"z": r, "p": r + 0.125, "k": number}

    def over_time(*values: Tensor) -> tuple[Tensor, ...]:
        return tuple(v.expand(5, *v.shape).clone() for v in values)

    bt, at, kt, tapst, sost, At, Bt, Ct = over_time(b, a, k, taps, sos, A, B, C)
    return {
        "allpass_comb": {"a": number, "delay": delay, "x": x},
        "allpole": {"a": a[1:], "x": x},
        "bessel": {"N": 2, "Wn": number},
        "besselap": {"N": 2},
        "buttap": {"N": 2},
        "butter": {"N": 2, "Wn": number},
        "buttord": specification,
        "cepstrum2poly": {"c": k},
        "cheb1ap": {"N": 2, "rp": number},
        "cheb1ord": specification,
        "cheb2ap": {"N": 2, "rs": 30 * number},
        "cheb2ord": specification,
        "cheby1": {"N": 2, "rp": number, "Wn": number},
        "cheby2": {"N": 2, "rs": 30 * number, "Wn": number},
        "bilinear": {"b": b, "a": a, "fs": number},
        "bilinear_zpk": zpk | {"fs": number},
        "comb_filter": {"a": number, "delay": delay, "x": x},
        "cont2discrete": {"system": ([1.0, 0.5], [1.0, 0.3, 0.2]), "dt": number},
        "biquad": {"btype": "peaking", "f0": number, "Q": 2 * number, "gain": 6 * number},
        "crossover": {"order": 4, "frequencies": torch.tensor([0.2, 0.5])},
        "cspline1d": spline,
        "cspline1d_eval": {"cj": x, "newx": torch.tensor([0.5, 2.25]).double()},
        "cspline2d": spline,
        "cubic_spline": {"x": x, "m": 2},
        "deemphasis": {"coef": number},
        "diagonalise": {"A": A, "B": B, "C": C},
        "ellip": {"N": 2, "rp": number, "rs": 30 * number, "Wn": number},
        "ellipap": {"N": 2, "rp": number, "rs": 30 * number},
        "ellipord": specification,
        "feedforward_comb": {"b": number, "delay": delay, "x": x},
        "gammatone": {"freq": number, "ftype": "iir"},
        "iircomb": {"w0": 0.5, "Q": 4 * number},
        "iirdesign": specification,
        "iirfilter": {"N": 2, "Wn": number, "btype": "lowpass"},
        "iirnotch": {"w0": number, "Q": 4 * number},
        "iirpeak": {"w0": number, "Q": 4 * number},
        "dimpulse": {"system": SYSTEM, "x0": A[0], "n": 5},
        "dlsim": {"system": SYSTEM, "u": x.mT},
        "dstep": {"system": SYSTEM, "x0": A[0], "n": 5},
        "invres": {"r": r, "p": r / 2, "k": number},
        "invresz": {"r": r, "p": r / 2, "k": number},
        "latc2tf": {"k": k, "v": taps},
        "freqs": {"b": b, "a": a, "worN": number},
        "freqs_zpk": {"z": poles, "p": poles - 1, "k": number, "worN": number},
        "freqz": {"b": b, "a": a, "worN": 5},
        "freqz_sos": {"sos": sos, "worN": 5},
        "freqz_zpk": {"z": poles, "p": poles / 2, "k": number, "worN": 5},
        "group_delay": {"system": sos, "w": 5},
        "impulse_response": {"b": b, "a": a, "n": 5},
        "is_stable": {"system": sos},
        "lar2rc": {"g": k},
        "lattice": {"k": k, "x": x, "taps": taps},
        "legendre": {"N": 2, "Wn": number},
        "legendreap": {"N": 2},
        "levinson": {"r": torch.stack([number + 1, number, number / 2])},
        "lfilter": {"b": b, "a": a, "x": x},
        "lfilter_zi": {"b": b, "a": a},
        "lfiltic": {"b": b, "a": a, "y": x[:, :2], "x": x[:, 2:4]},
        "linear_recurrence": {"a": number, "x": x},
        "lp2bp": {"b": b, "a": a, "wo": number, "bw": number},
        "lp2bp_zpk": zpk | {"wo": number, "bw": number},
        "lp2bs": {"b": b, "a": a, "wo": number, "bw": number},
        "lp2bs_zpk": zpk | {"wo": number, "bw": number},
        "lp2hp": {"b": b, "a": a, "wo": number},
        "lp2hp_zpk": zpk | {"wo": number},
        "lp2lp": {"b": b, "a": a, "wo": number},
        "lp2lp_zpk": zpk | {"wo": number},
        "lpc": {"x": x, "order": 2},
        "lsf2poly": {"lsf": torch.tensor([0.5, 1.5, 2.0]).double()},
        "modal_bank": {"poles": poles, "gains": gains, "x": x},
        "normalize": {"b": b, "a": a},
        "parallel": {"sos": sos, "x": x},
        "parallel_form": {"b": b, "a": a},
        "pole_radius": {"system": sos},
        "poles": {"system": sos},
        "poly2cepstrum": {"a": a, "error": number},
        "poly2lsf": {"a": a},
        "poly2rc": {"a": a, "efinal": number},
        "qspline1d": spline,
        "qspline1d_eval": {"cj": x, "newx": torch.tensor([0.5, 2.25]).double()},
        "qspline2d": spline,
        "rc2lar": {"k": k},
        "rc2poly": {"k": k, "r0": number},
        "residue": {"b": b, "a": a},
        "residuez": {"b": b, "a": a},
        "octave_bands": {"fraction": 1, "fs": 8000.0},
        "preemphasis": {"coef": number},
        "riaa": {"time_constants": torch.tensor([3180e-6, 318e-6, 75e-6]), "fs": 48000.0},
        "sensitivity": {"b": b, "a": a, "x": x},
        "sos2ss": {"sos": sos},
        "sos2tf": {"sos": sos},
        "sos2zpk": {"sos": sos},
        "sosfilt": {"sos": sos, "x": x},
        "sosfreqz": {"sos": sos, "worN": 5},
        "sparse_allpole": {"a": k, "delays": torch.tensor([2, 3]), "x": x},
        "ss2tf": {"A": A, "B": B, "C": C},
        "ss2zpk": {"A": A, "B": B[:, :1], "C": C, "D": number},
        "state_space": {"A": A, "B": B, "C": C, "D": D, "x": x},
        "step_response": {"b": b, "a": a, "n": 5},
        "symiirorder1": {"x": x, "c0": 1.0, "z1": 0.5},
        "symiirorder2": {"x": x, "r": 0.5, "omega": 1.0},
        "tdf2_ssm": {"b": b, "a": a, "x": x},
        "tf2latc": {"num": b, "den": a},
        "tf2sos": {"b": b, "a": a},
        "tf2ss": {"num": b, "den": a},
        "tf2zpk": {"b": b, "a": a},
        "unique_roots": {"p": r},
        "zpk2sos": zpk,
        "zpk2ss": zpk,
        "zpk2tf": zpk,
        "weighting": {"curve": "A", "fs": 48000.0},
        "lpv.allpole": {"a": at[:, 1:], "x": x},
        "lpv.fir": {"b": bt, "x": x},
        "lpv.lattice": {"k": kt, "x": x, "taps": tapst},
        "lpv.lfilter": {"b": bt, "a": at, "x": x},
        "lpv.parallel": {"sos": sost, "x": x},
        "lpv.sosfilt": {"sos": sost, "x": x},
        "lpv.state_space": {"A": At, "B": Bt, "C": Ct, "D": D, "x": x},
        "lpv.tdf2_ssm": {"b": bt, "a": at, "x": x},
        "decimate": {"x": x.repeat(1, 2), "q": 2, "n": 1},
        "deconvolve": {"signal": b, "divisor": a},
        "filtfilt": {"b": b, "a": a, "x": x, "padlen": 3},
        "sosfiltfilt": {"sos": sos, "x": x, "padlen": 3},
        "sosfilt_zi": {"sos": sos},
        "freq.apply": {"b": b, "a": a, "X": torch.fft.rfft(x)},
        "freq.comb": {"a": number, "delay": number + 1, "n": 8},
        "freq.lfilter": {"b": b, "a": a, "x": x},
        "freq.response": {"b": b, "a": a, "n": 8},
        **{f"compat.torchaudio.{name}": {"waveform": x} | others for name, others in _of_torchaudio(b, a).items()},
    }


def _of_torchaudio(b: Tensor, a: Tensor) -> dict[str, dict[str, Any]]:
    at, f, gain = {"sample_rate": 44100}, torch.tensor(2000.0), torch.tensor(3.0)
    of_coefficients = {"a_coeffs": a, "b_coeffs": b}
    central, cutoff = {**at, "central_freq": f}, {**at, "cutoff_freq": f}
    return {
        "allpass_biquad": central,
        "band_biquad": central,
        "bandpass_biquad": central,
        "bandreject_biquad": central,
        "bass_biquad": {**at, "gain": gain},
        "biquad": {"b0": b[0], "b1": 0.5, "b2": 0.25, "a0": a[0], "a1": -0.5, "a2": 0.25},
        "deemph_biquad": at,
        "deemphasis": {"coeff": 0.9},
        "equalizer_biquad": {**at, "center_freq": f, "gain": gain},
        "filtfilt": of_coefficients,
        "flanger": at,
        "highpass_biquad": cutoff,
        "lfilter": of_coefficients,
        "lowpass_biquad": cutoff,
        "overdrive": {"gain": 20},
        "preemphasis": {"coeff": 0.9},
        "phaser": at,
        "riaa_biquad": at,
        "treble_biquad": {**at, "gain": gain},
    }


def takes_zi(name: str) -> bool:
    return "zi" in inspect.signature(FUNCTIONS[name]).parameters
