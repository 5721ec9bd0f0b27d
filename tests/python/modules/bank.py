"""`FilterBank`."""

from modules.case import ModuleCase
from polezero.nn import FilterBank

BANDS = [
    {"ftype": "butter", "order": 1, "cutoff": 300.0, "gain": -2.0},
    {"ftype": "butter", "order": 2, "cutoff": [400.0, 900.0], "btype": "bandpass"},
    {"ftype": "peaking", "cutoff": 800.0, "Q": 2.0, "gain": 4.0},
]
EDGES = {"cutoff": [300.0, 800.0], "edges": [[400.0, 900.0]], "gain": [-2.0, 4.0], "Q": [2.0]}
SECTIONS = [[[0.5, 0.3, 0.2, 1.0, -0.6, 0.4], [1.0, 0.2, 0.1, 1.0, 0.5, 0.3]], [[0.4, -0.1, 0.3, 1.0, -0.2, -0.3]]]
COEFFICIENTS = {
    "b": [[[0.5, 0.3, 0.2], [1.0, 0.2, 0.1]], [[0.4, -0.1, 0.3], [1.0, 0.1, 0.1]]],
    "a": [[[-0.6, 0.4], [0.5, 0.3]], [[-0.2, -0.3], [0.1, 0.1]]],
}


def bank(spec: dict[str, object], **options: object) -> FilterBank:
    return FilterBank([spec], **{"fs": 8000, "trainable": "edges"} | options)


BAD = (
    (lambda: FilterBank([]), "FilterBank: bands: expected dictionaries, or sections of each band, got [[][]]"),
    (lambda: FilterBank(BANDS[0]), "FilterBank: bands: expected dictionaries, or sections of each band, got {*"),
    (lambda: FilterBank(["butter"]), "FilterBank: bands[[]0]: expected a tensor, a number or *, got 'butter'"),
    (lambda: FilterBank(SECTIONS, trainable="edges"), "FilterBank: trainable: expected 'none' or * sections, *"),
    (lambda: FilterBank(SECTIONS, trainable="all"), "FilterBank: trainable: expected none, coefficients or edges, *"),
    (lambda: FilterBank([[1.0, 2.0]]), "FilterBank: bands[[]0]: expected real sections [[]K, 6] *, got [[]2]"),
    (lambda: bank({"cutoff": 100.0}), "FilterBank: bands[[]0]: ftype: expected one of butter, *, got None"),
    (
        lambda: bank({"ftype": "butter", "order": 2, "cutoff": 100.0, "rp": 1.0}),
        "FilterBank: bands[[]0]: expected keys out of ftype, order, cutoff, btype, gain for butter, got 'rp'",
    ),
    (
        lambda: bank({"ftype": "butter", "order": 2, "cutoff": 5000.0}),
        "FilterBank: bands[[]0]: cutoff: expected frequencies between 0 and fs / 2 = 4000, got 5000",
    ),
    (
        lambda: bank({"ftype": "butter", "order": 2, "cutoff": [10.0, 20.0]}),
        "FilterBank: bands[[]0]: cutoff: expected one frequency, got [[]10.0, 20.0]",
    ),
    (
        lambda: bank({"ftype": "butter", "order": 2, "cutoff": [20.0, 10.0], "btype": "bandpass"}),
        "FilterBank: bands[[]0]: cutoff: expected rising frequencies, got *",
    ),
    (
        lambda: bank({"ftype": "butter", "order": 2, "cutoff": 5.0, "btype": ["low"]}),
        "FilterBank: bands[[]0]: btype: expected lowpass, highpass, bandpass or bandstop, got *",
    ),
    (
        lambda: bank({"ftype": "bessel", "order": 2, "cutoff": 5.0, "norm": "loud"}),
        "FilterBank: bands[[]0]: norm: expected one of phase, delay, mag, got 'loud'",
    ),
    (
        lambda: bank({"ftype": "butter", "cutoff": 5.0}),
        "FilterBank: bands[[]0]: order: expected a whole *, got None",
    ),
    (lambda: bank({"ftype": "peaking", "cutoff": 50.0}), "FilterBank: bands[[]0]: gain: expected dB *, got None"),
    (
        lambda: bank({"ftype": "linkwitz-riley", "order": 3, "cutoff": [50.0]}),
        "FilterBank: bands: order: expected an even number for Linkwitz-Riley, got 3",
    ),
    (
        lambda: bank({"ftype": "butter", "order": 2, "cutoff": 3999.0}),
        "FilterBank: cutoff: expected 0.16 to 3960 Hz, got [[]3999.0]",
    ),
)

CASES = [
    ModuleCase(
        label="FilterBank",
        make=lambda **options: FilterBank(BANDS, **{"fs": 8000, "trainable": "edges"} | options),
        typical=EDGES,
        bad=BAD,
    ),
    ModuleCase(
        label="FilterBank-crossover",
        make=lambda **options: FilterBank.crossover([0.2, 0.5], 2, **{"fs": 2.0, "trainable": "edges"} | options),
        typical={"splits": [0.2, 0.5]},
        opt_out={
            "compiled": "takes 5 s; test_compile.py has polezero.crossover, and the first case the bank",
            "stateful": "compiles too; the first case has the bank's state",
        },
    ),
    ModuleCase(
        label="FilterBank-coefficients",
        make=lambda **options: FilterBank(SECTIONS, **{"trainable": "coefficients"} | options),
        typical=COEFFICIENTS,
    ),
]
