"""`Biquad`."""

from modules.case import ModuleCase
from polezero._design.cookbook import TYPES, WITHOUT_GAIN
from polezero.nn import Biquad

TYPICAL = {"frequency": 1000.0, "Q": 2.0, "gain": 6.0}


def of_type(btype: str) -> ModuleCase:
    typical = {k: v for k, v in TYPICAL.items() if k != "gain" or btype not in WITHOUT_GAIN}
    return ModuleCase(
        label="Biquad" if btype == "peaking" else f"Biquad-{btype}",
        make=lambda **options: Biquad(btype, **typical | {"fs": 8000} | options),
        typical=typical,
        bad=()
        if btype != "peaking"
        else (
            (lambda: Biquad("bell", 100.0, fs=8000), "Biquad: btype: expected one of lowpass, *, got 'bell'"),
            (lambda: Biquad("lowpass", 5000.0, fs=8000), "Biquad: frequency: expected * to 3600 Hz, got 5000.0"),
            (lambda: Biquad("lowpass", 500.0, gain=3.0, fs=8000), "Biquad: gain: expected None for a lowpass, got 3.0"),
            (lambda: Biquad("peaking", 500.0, fs=8000), "Biquad: gain: expected dB for a peaking, got None"),
            (lambda: Biquad("lowpass", 500.0, fs=0), "Biquad: fs: expected a positive number of Hz, got 0"),
        ),
    )


CASES = [of_type("peaking"), *(of_type(t) for t in TYPES if t != "peaking")]
