"""What designs refuse, and what they say."""

import math
from typing import Any

import torch

import polezero
from cases.case import Bad
from cases.sentences import NO_ARRAY


def bad(sentence: str, *arguments: Any, exception: type[Exception] = ValueError, **options: Any) -> Bad:
    name = sentence.partition(":")[0]
    return Bad(lambda: getattr(polezero, name)(*arguments, **options), exception, sentence)


BAD_BUTTER = {
    "N": bad("butter: N: expected a whole number, the order, got 2.5", 2.5, 0.3, exception=TypeError),
    "N_negative": bad("butter: N: expected an order of 0 or more, got -1", -1, 0.3),
    "in_hertz": bad(
        "butter: Wn: expected frequencies below 1, which is half the sampling rate, got 440 (in Hz without fs?)", 2, 440
    ),
    "above_nyquist": bad("butter: Wn: expected frequencies below fs / 2 = 500, got 600", 2, 600.0, fs=1000),
    "zero": bad("butter: Wn: expected frequencies above 0 and finite, got 0", 2, 0.0),
    "nan": bad("butter: Wn: expected frequencies above 0 and finite, got nan", 2, math.nan),
    "infinite": bad("butter: Wn: expected frequencies above 0 and finite, got inf", 2, math.inf, analog=True),
    "reversed": bad(
        "butter: Wn: expected the lower edge before the upper, got [0.5, 0.25]", 2, [0.5, 0.25], "bandpass"
    ),
    "one_of_a_batch": bad(
        "butter: Wn: expected the lower edge before the upper, got [0.5, 0.25]",
        2,
        torch.tensor([[0.1, 0.2], [0.5, 0.25]]),
        "bandpass",
    ),
    "one_edge": bad(
        "butter: Wn: expected two edges [..., 2] of a bandstop filter, got shape [1]; a lowpass or highpass filter has"
        " one",
        2,
        0.3,
        "bandstop",
    ),
    "two_edges": bad(
        "butter: Wn: expected one frequency of a lowpass filter, or a tensor of those of a batch, got [0.2, 0.3]"
        " (btype='bandpass' has two)",
        2,
        [0.2, 0.3],
    ),
    "text": bad(f"butter: Wn: {NO_ARRAY} 'abc'", 2, "abc"),
    "btype": bad("butter: btype: expected lowpass, highpass, bandpass or bandstop, got 'notch'", 2, 0.3, "notch"),
    "output": bad("butter: output: expected ba, zpk or sos, got 'ss'", 2, 0.3, output="ss"),
    "fs_of_analog": bad(
        "butter: fs: expected None of an analog filter, whose Wn is in rad/s, got 8000", 2, 0.3, analog=True, fs=8000
    ),
    "fs": bad("butter: fs: expected a positive sampling rate, got -1", 2, 0.3, fs=-1),
    "fs_list": bad("butter: fs: expected one number, the sampling rate, got [1, 2]", 2, 0.3, fs=[1, 2]),
}
BAD_ELLIP = {
    "rows": bad(
        "ellip: rp: expected leading dimensions that broadcast, got rp [2], Wn [3]",
        *(2, [1.0, 2.0], 40.0, torch.tensor([0.1, 0.2, 0.3])),
    ),
    "rows_of_ripples": bad(
        "ellip: rp: expected leading dimensions that broadcast, got rp [2], rs [3]",
        *(2, [1.0, 2.0], [40.0, 50.0, 60.0], 0.3),
    ),
    "rs_complex": bad("ellip: rs: expected real numbers, got complex ones", 2, 1.0, 40j, 0.3, exception=TypeError),
    "rp": bad("ellip: rp: expected decibels above 0, got 0", 2, 0.0, 40.0, 0.3),
    "rp_none": bad("ellip: rp: expected decibels, which ellip needs, got None", 2, None, 40.0, 0.3),
    "rs": bad("ellip: rs: expected decibels above 0, got -40", 2, 1.0, -40.0, 0.3),
    "rs_below_rp": bad(
        "ellip: rs: expected more decibels in the stop band than rp, those of the pass band, got rp=3 and rs=2",
        2,
        3.0,
        2.0,
        0.3,
    ),
}


def bad_order(name: str) -> dict[str, Bad]:
    return {
        "gpass": bad(f"{name}: gpass: expected decibels above 0, got 0", 0.2, 0.3, 0, 40),
        "gstop": bad(
            f"{name}: gstop: expected more decibels than gpass, which is 41, got 40", 0.2, 0.3, gpass=41, gstop=40
        ),
        "wp": bad(f"{name}: wp: expected one edge, or two of a band, got [0.1, 0.2, 0.3]", [0.1, 0.2, 0.3], 0.3, 1, 40),
        "wp_in_hertz": bad(
            f"{name}: wp: expected frequencies below 1, which is half the sampling rate, got 200 (in Hz without fs?)",
            *(200, 300, 1, 40),
        ),
        "ws_zero": bad(f"{name}: ws: expected frequencies above 0 and finite, got 0", 0.2, 0, 1, 40),
        "ws_two": bad(f"{name}: ws: expected as many edges as wp, got 2 beside 1", 0.2, [0.1, 0.3], 1, 40),
        "same": bad(f"{name}: ws: expected an edge beside that of wp, got 0.2 twice", 0.2, 0.2, 1, 40),
        "bands": bad(
            f"{name}: ws: expected the edges of one band inside those of the other, got [0.2, 0.4] and [0.3, 0.5]",
            *([0.2, 0.4], [0.3, 0.5], 1, 40),
        ),
        "gradient": bad(
            f"{name}: wp: expected numbers, got a tensor that requires grad (an order has none)",
            *(torch.tensor(0.2, requires_grad=True), 0.3, 1, 40),
            exception=TypeError,
        ),
    }


W0 = "expected a frequency between 0 and fs / 2 ="
BAD_NOTCH = {
    "w0_in_hertz": bad(f"iirnotch: w0: {W0} 1, got 50 (in Hz without fs?)", 50.0, 10.0),
    "w0": bad(f"iirnotch: w0: {W0} 100, got 0", 0.0, 10.0, 200),
    "rows": bad(
        "iirnotch: w0: expected leading dimensions that broadcast, got w0 [2], Q [3]", [0.1, 0.2], [1.0, 2.0, 3.0]
    ),
    "Q": bad("iirnotch: Q: expected a quality above 0, got -1", 0.5, -1.0),
}
BAD_COMB = {
    "w0": bad(f"iircomb: w0: {W0} 1, got 1", 1.0, 10.0),
    "divisor": bad("iircomb: w0: expected a frequency of which fs, 200, is a multiple, got 60", 60.0, 10.0, fs=200),
    "ftype": bad("iircomb: ftype: expected notch or peak, got 'pass'", 50.0, 10.0, "pass", 200),
    "gradient": bad(
        "iircomb: w0: expected a number, got a tensor that requires grad (the order is fs / w0)",
        *(torch.tensor(50.0, requires_grad=True), 10.0),
        exception=TypeError,
    ),
}
BAD_GAMMATONE = {
    "fir": bad(
        "gammatone: ftype: expected 'iir', got 'fir' (an FIR filter is a convolution: scipy.signal.gammatone designs"
        " it)",
        *(0.1, "fir"),
    ),
    "output": bad("gammatone: output: expected ba or sos, got 'zpk'", 0.1, "iir", output="zpk"),
    "freq": bad(f"gammatone: freq: {W0} 1, got 440 (in Hz without fs?)", 440.0, "iir"),
}
