"""Equaliser sections, crossovers, emphasis, weightings and octave bands: designs out of parameters."""

import cmath
import math
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.case import CONCERNS, NO_SIGNAL, Bad, Case, Example
from cases.sentences import NO_ARRAY
from polezero import reference

DOUBLE = (torch.float64,)  # parameters are real
OWN_DTYPE = {**NO_SIGNAL, "promotion": "all is computed, and returned, in float64: test_audio.py"}
NUMBERS = dict.fromkeys(CONCERNS, "takes numbers alone: test_audio.py, test_weighting.py")


def values(*rows: Any) -> Any:
    return lambda dtype: tuple(torch.tensor(row, dtype=torch.float64) for row in rows)


# ---- crossovers, which are compared by their responses

OMEGA = [0.05, 0.4, 0.9, 2.5]


def response(sos: Tensor) -> Tensor:
    """Of the cascades ``[..., K, 6]`` at OMEGA."""
    z = torch.exp(-1j * torch.tensor(OMEGA, dtype=torch.float64))
    powers = torch.stack([z**0, z, z**2])
    b, a = sos[..., :3].to(z.dtype) @ powers, sos[..., 3:].to(z.dtype) @ powers
    return (b / a).prod(-2)


def crossover_response(frequencies: Tensor, order: int, ftype: str = "linkwitz-riley") -> Tensor:
    return response(polezero.crossover(order, frequencies, ftype, fs=1.0))


def true_crossover_response(frequencies: Tensor, order: int, ftype: str = "linkwitz-riley") -> Tensor:
    """From the poles of Butterworth filters, at s = j tan(omega / 2) / K."""
    squared = ftype == "linkwitz-riley"
    N = order // 2 if squared else order
    s = 1j * torch.tan(torch.tensor(OMEGA, dtype=torch.float64) / 2) / torch.tan(math.pi * frequencies)[..., None]
    poles = [1j * cmath.exp(1j * math.pi * (2 * k + 1) / (2 * N)) for k in range(N)]
    low = 1 / torch.stack([s - pole for pole in poles]).prod(0)
    high = low * s**N
    if squared:
        low, high = low**2, high**2 * (-1) ** N
    both = low + high if squared or N % 2 else torch.ones_like(low)
    splits = frequencies.shape[-1]
    bands = [
        torch.cat([high[..., :k, :], low[..., k : k + 1, :], both[..., k + 1 :, :]], -2).prod(-2)
        for k in range(splits + 1)
    ]
    return torch.stack(bands, -2)


# ---- emphasis, by solving for the powers of the numerator


def true_deemphasis(time_constant: Tensor, fs: float) -> Tensor:
    pole = torch.exp(-1 / (time_constant * fs))[..., None]
    omega = 2 * math.pi * torch.tensor([0.0, 0.3, 0.4], dtype=torch.float64)
    A = (1 - pole * torch.exp(-1j * omega)).abs().square()
    powers = A / (1 + (omega * fs * time_constant[..., None]).square())
    phi = torch.sin(omega / 2).square()
    system = torch.stack([1 - phi, phi, torch.sin(omega).square()], -1)
    B = powers @ torch.linalg.inv(system).T
    root = B[..., :2].sqrt()
    mean = root.mean(-1)
    b0 = (mean + (mean.square() + B[..., 2]).sqrt()) / 2
    b = [b0, (root[..., 0] - root[..., 1]) / 2, -B[..., 2] / (4 * b0)]
    return torch.stack([*b, torch.ones_like(b0), -pole[..., 0], torch.zeros_like(b0)], -1)[..., None, :]


def true_preemphasis(time_constant: Tensor, fs: float) -> Tensor:
    b, a = true_deemphasis(time_constant, fs).tensor_split(2, -1)
    return torch.cat([a, b], -1) / b[..., :1]


def true_riaa(time_constants: Tensor, fs: float) -> Tensor:
    low, zero, _ = torch.exp(-1 / (time_constants * fs)).unbind(-1)
    one, nothing = torch.ones_like(low), torch.zeros_like(low)
    shelf = torch.stack([one, -zero, nothing, one, -low, nothing], -1)[..., None, :]
    sos = torch.cat([shelf, true_deemphasis(time_constants[..., 2], fs)], -2)
    z = torch.exp(torch.tensor(-2j * math.pi * 1000 / fs, dtype=torch.complex128))
    powers = torch.stack([z**0, z, z**2])
    gain = ((sos[..., 3:] + 0j) @ powers / ((sos[..., :3] + 0j) @ powers)).prod(-1).abs()
    first = torch.cat([sos[..., :1, :3] * gain[..., None, None], sos[..., :1, 3:]], -1)
    return torch.cat([first, sos[..., 1:, :]], -2)


# ---- what is refused


def bad(sentence: str, *arguments: Any, exception: type[Exception] = ValueError, **options: Any) -> Bad:
    name = sentence.partition(":")[0]
    return Bad(lambda: getattr(polezero, name)(*arguments, **options), exception, sentence)


F0 = "biquad: f0: expected frequencies between 0 and fs / 2 ="
BAD_BIQUAD = {
    "btype": bad("biquad: btype: expected one of 'lowpass', *'highshelf', got 'peak'", "peak", 0.5),
    "f0_in_hertz": bad(f"{F0} 1 (in hertz? then say fs), got 1000", "lowpass", 1000.0),
    "f0_above_nyquist": bad(f"{F0} 24000, got 24000", "lowpass", [100.0, 24000.0], fs=48000),
    "f0_zero": bad(f"{F0} 24000, got 0", "lowpass", 0.0, fs=48000),
    "f0_nan": bad(f"{F0} 24000, got nan", "lowpass", math.nan, fs=48000),
    "f0_text": bad(f"biquad: f0: {NO_ARRAY} 'abc'", "lowpass", "abc"),
    "f0_complex": bad("biquad: f0: expected real numbers, got complex ones", "lowpass", 0.5j, exception=TypeError),
    "Q_negative": bad("biquad: Q: expected positive numbers, got -1", "notch", 0.5, Q=-1.0),
    "Q_and_bandwidth": bad(
        "biquad: bandwidth: expected one of Q, bandwidth and slope, got Q and bandwidth",
        *("notch", 0.5),
        Q=1.0,
        bandwidth=1.0,
    ),
    "slope": bad("biquad: slope: expected None for a notch, got 1.0 (only shelves have one)", "notch", 0.5, slope=1.0),
    "gain": bad("biquad: gain: expected None for a notch, which has no gain, got 3.0", "notch", 0.5, gain=3.0),
    "no_gain": bad("biquad: gain: expected decibels for a peaking, got None", "peaking", 0.5),
    "fs": bad("biquad: fs: expected a positive number, got 0.0", "notch", 0.5, fs=0.0),
    "fs_tensor": bad(
        "biquad: fs: expected a number, got tensor(2.)", "notch", 0.5, fs=torch.tensor(2.0), exception=TypeError
    ),
    "rows": bad(
        "biquad: f0: expected leading dimensions that broadcast, got f0 [2], Q [3]",
        "notch",
        [0.1, 0.2],
        Q=[1.0, 2.0, 3.0],
    ),
}
BAD_CROSSOVER = {
    "order_odd": bad("crossover: order: expected an even number for Linkwitz-Riley, got 3", 3, 0.5),
    "order_zero": bad("crossover: order: expected a number >= 1, got 0", 0, 0.5, "butterworth"),
    "order_float": bad("crossover: order: expected an int, got 4.0", 4.0, 0.5, exception=TypeError),
    "ftype": bad("crossover: ftype: expected one of 'linkwitz-riley', 'butterworth', got 'bessel'", 4, 0.5, "bessel"),
    "in_hertz": bad(
        "crossover: frequencies: expected frequencies between 0 and fs / 2 = 1 (in hertz? then say fs), got 500",
        4,
        500.0,
    ),
    "falling": bad("crossover: frequencies: expected them to rise along the last axis, got [0.5, 0.2]", 4, [0.5, 0.2]),
    "none": bad("crossover: frequencies: expected at least 1 along the last axis, got shape [0]", 4, []),
}
BOTH = "time_constant: expected None beside a coefficient, got 5e-05"
SECONDS = "expected positive numbers of seconds, got"
BAD_PREEMPHASIS = {"both": bad(f"preemphasis: {BOTH}", 0.9, time_constant=50e-6, fs=48000)}
BAD_DEEMPHASIS = {
    "both": bad(f"deemphasis: {BOTH}", 0.9, time_constant=50e-6, fs=48000),
    "unstable": bad("deemphasis: coef: expected numbers between -1 and 1, got 1", 1.0),
    "no_fs": bad("deemphasis: fs: expected a number beside a time constant, got None", time_constant=50e-6),
    "negative": bad(f"deemphasis: time_constant: {SECONDS} -5e-05", time_constant=-50e-6, fs=48000),
}
BAD_RIAA = {
    "fs": bad("riaa: fs: expected more than 2000, as the gain is 1 at 1 kHz, got 1000", fs=1000),
    "iec": bad(
        "riaa: iec: expected False for a recording, as the amendment is of playback, got True",
        *(),
        fs=48000,
        record=True,
        iec=True,
    ),
    "two": bad("riaa: time_constants: expected 3 along the last axis, got shape [2]", [1e-3, 1e-4], fs=48000),
    "negative": bad(f"riaa: time_constants: {SECONDS} -0.001", [1e-3, -1e-3, 1e-4], fs=48000),
}
BAD_WEIGHTING = {
    "curve": bad("weighting: curve: expected one of 'A', 'B', 'C', 'K', got 'D'", "D", 48000),
    "fs": bad("weighting: fs: expected more than 4000 Hz, got 4000", "A", 4000),
    "fs_text": bad("weighting: fs: expected a number, got '48000'", "A", "48000", exception=TypeError),
}
BAD_OCTAVES = {
    "fraction": bad("octave_bands: fraction: expected a number >= 1, got 0", 0, fs=48000),
    "order": bad("octave_bands: order: expected a number >= 1, got 0", 3, fs=48000, order=0),
    "fraction_float": bad("octave_bands: fraction: expected an int, got 0.5", 0.5, fs=48000, exception=TypeError),
    "fmax": bad(
        "octave_bands: fmax: expected an upper edge below fs / 2 = 22050, got one of 22387", 3, fs=44100, fmax=20000
    ),
    "fmin": bad(
        "octave_bands: fmin: expected less than the highest band's frequency, got 9000", 3, fs=44100, fmin=9e3, fmax=100
    ),
}


# ---- the cases


def example(function: Any, truth: Any, arguments: str, *rows: Any, **options: Any) -> Example:
    return Example(
        function=function,
        truth=truth,
        arguments=arguments,
        inputs=values(*rows),
        options=options,
        dtypes=DOUBLE,
    )


def of_type(btype: str, arguments: str, *rows: Any) -> Example:
    return Example(arguments=arguments, inputs=values(*rows), options={"btype": btype, "fs": 48.0}, dtypes=DOUBLE)


def of_crossover(*frequencies: Any, **options: Any) -> Example:
    return example(crossover_response, true_crossover_response, "frequencies", *frequencies, **options)


AS_PREEMPHASIS = dict.fromkeys(("autograd", "functorch", "compile", "semantics"), "the inverse of deemphasis")
OF_50_US = {"inputs": values([50e-6, 1e-3]), "options": {"fs": 48000.0}, "dtypes": DOUBLE}

CASES = [
    Case(
        "biquad",
        reference.biquad,
        "f0 Q gain",
        signal=None,
        opt_out=OWN_DTYPE,
        examples={
            "peaking": of_type("peaking", "f0 Q gain", [1.0, 7.0], 0.8, [3.0, -9.0]),
            "shelf": of_type("highshelf", "f0 slope gain", [1.0, 7.0], [0.5, 1.0], 6.0),
            "bandwidth": of_type("bandpass", "f0 bandwidth", 3.0, [0.5, 2.0]),
        },
        bad=BAD_BIQUAD,
    ),
    Case(
        "crossover",
        true_crossover_response,
        "frequencies",
        signal=None,
        opt_out=OWN_DTYPE | {"semantics": "an expanded row does not rise, as the frequencies have to"},
        examples={
            "order_6": of_crossover([0.1, 0.2], order=6),
            "odd_butterworth": of_crossover([0.1, 0.2], order=3, ftype="butterworth"),
        },
        bad=BAD_CROSSOVER,
    ),
    Case(
        "deemphasis",
        true_deemphasis,
        "time_constant",
        signal=None,
        opt_out=OWN_DTYPE,
        examples={"time_constant": Example(**OF_50_US)},
        bad=BAD_DEEMPHASIS,
    ),
    Case(
        "preemphasis",
        true_preemphasis,
        "time_constant",
        signal=None,
        opt_out=OWN_DTYPE | AS_PREEMPHASIS,
        examples={"time_constant": Example(**OF_50_US)},
        bad=BAD_PREEMPHASIS,
    ),
    Case(
        "riaa",
        true_riaa,
        "time_constants",
        signal=None,
        opt_out=OWN_DTYPE,
        examples={
            "playback": Example(inputs=values([3e-3, 3e-4, 1e-4]), options={"fs": 48000.0}, dtypes=DOUBLE),
        },
        bad=BAD_RIAA,
    ),
    *(
        Case(
            name,
            getattr(polezero, name),
            "",
            signal=None,
            opt_out=NUMBERS,
            examples={"numbers": Example(inputs=values(), options=options, dtypes=DOUBLE)},
            bad=refused,
        )
        for name, options, refused in (
            ("weighting", {"curve": "A", "fs": 48000.0}, BAD_WEIGHTING),
            ("octave_bands", {"fraction": 3, "fs": 48000.0}, BAD_OCTAVES),
        )
    ),
]
