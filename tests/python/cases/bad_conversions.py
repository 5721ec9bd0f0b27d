"""What conversions refuse, and what they say."""

from functools import partial
from typing import Any

import torch

import polezero
from cases.case import Bad
from cases.sentences import NO_TAPS
from cases.tensors import zeros


def bad(name: str, sentence: str, *arguments: Any, exception: type[Exception] = ValueError, **options: Any) -> Bad:
    return Bad(lambda: getattr(polezero, name)(*arguments, **options), exception, f"{name}: {sentence}")


def bad_tf(name: str, names: str = "b a") -> dict[str, Bad]:
    b, a = names.split()
    rows = f"{b}: expected leading dimensions that broadcast, got {b} [3, 2], {a} [2, 2]"
    return {
        "b_empty": bad(name, f"{b}: {NO_TAPS} [0]", [], [1.0]),
        "a_empty": bad(name, f"{a}: {NO_TAPS} [2, 0]", [1.0], zeros(2, 0)),
        "a_zero": bad(name, f"{a}: expected a coefficient that is not 0, got none", [1.0], [0.0, 0.0]),
        "rows": bad(name, rows, torch.ones(3, 2), torch.ones(2, 2)),
    }


def bad_zpk(name: str, *others: float) -> dict[str, Bad]:
    rows = "z: expected leading dimensions that broadcast, got z [3, 1], p [2, 2], k [1]"
    return {"rows": bad(name, rows, zeros(3, 1), zeros(2, 2), 1.0, *others)}


def bad_sos(name: str) -> dict[str, Bad]:
    return {"sos": bad(name, "sos: expected shape [..., sections, 6], got [2, 5]", zeros(2, 5))}


def bad_values(name: str, count: int, first: str) -> dict[str, Bad]:
    """Batches, and tensors without values, where the shape of the result depends on them."""
    what = f"{first}: expected one filter of values on the CPU, on which the shape of the result depends (at most *-D)"
    batch, traced = torch.ones(3, 2, 2), torch.ones(2, device="meta")
    return {
        "batch": bad(name, f"{what}, got shape [3, 2, 2]", *[batch] * count),
        "no_values": bad(name, f"{what}, got shape [2] on meta, traced or transformed", *[traced] * count),
    }


RTYPE = "rtype: expected 'min', 'minimum', 'max', 'maximum', 'avg' or 'mean', got 'least'"
LONE = "expected real numbers and conjugate pairs, got one without another"
BAD_TF2ZPK = bad_tf("tf2zpk") | {
    "a_zero_in_a_row": bad(
        "tf2zpk",
        "a: expected a first coefficient that is not 0 in all rows, after the zeros that all have, got 0 in some",
        [1.0],
        [[1.0, 0.5], [0.0, 0.5]],
    )
}
BAD_ZPK2SOS = bad_zpk("zpk2sos") | {
    "lone_zero": bad("zpk2sos", f"z: {LONE}", [1j], [0.5], 1.0),
    "lone_pole": bad("zpk2sos", f"p: {LONE}", [], [0.5 + 0.1j, 0.5 - 0.2j], 1.0),
    "gain": bad("zpk2sos", "k: expected a real gain, got *", [], [0.5], 1j),
    "pairing": bad(
        "zpk2sos", "pairing: expected 'nearest', 'keep_odd' or 'minimal', got 'best'", [], [0.5], 1.0, "best"
    ),
    "analog": bad(
        "zpk2sos", "pairing: expected 'minimal' of an analog filter, got 'nearest'", [], [], 1.0, "nearest", analog=True
    ),
    "minimal": bad(
        "zpk2sos", "z: expected no more zeros than poles for 'minimal', got 1 and 0", [1.0], [], 1.0, "minimal"
    ),
}
SYSTEM = ([[0.5]], [[1.0]], [[1.0]], [[1.0]])


def bad_systems(name: str) -> dict[str, Bad]:
    rows = "A: expected leading dimensions that broadcast, got A [3, 1, 1], B [2, 1, 1], C [1, 1], D [1, 1]"
    return {
        "A": bad(name, "A: expected [..., 2, 2], got shape [1, 2]", [1.0, 2.0], zeros(2, 1), zeros(1, 2)),
        "B": bad(name, "B: expected [..., 1, 1], got shape [2, 1]", [[0.5]], zeros(2, 1), [[1.0]]),
        "C": bad(name, "C: expected [..., 1, 1], got shape [1, 2]", [[0.5]], [[1.0]], zeros(1, 2)),
        "D": bad(name, "D: expected [..., 1, 1], got shape [1, 2]", [[0.5]], [[1.0]], [[1.0]], zeros(1, 2)),
        "rows": bad(name, rows, zeros(3, 1, 1), zeros(2, 1, 1), [[1.0]]),
        "input": bad(name, "input: expected a number from 0 to 0, got 1", *SYSTEM, 1),
    }


STEPS = (
    "dt: expected a number, or a shape that broadcasts with the leading dimensions of A, got shape [3] beside [2, 1, 1]"
)
C2D = partial(bad, "cont2discrete")
BAD_C2D = {
    "alpha": C2D("alpha: expected a number from 0 to 1 for 'gbt', got None", SYSTEM, 0.1, "gbt"),
    "alpha_2": C2D("alpha: expected a number from 0 to 1, got 2.0", SYSTEM, 0.1, "gbt", 2.0),
    "impulse": C2D("system: expected D = 0 for method 'impulse', got 1", SYSTEM, 0.1, "impulse"),
    "method": C2D("method: expected one of 'gbt', *, 'impulse', got 'exact'", SYSTEM, 0.1, "exact"),
    "parts": C2D("system: expected (num, den), (z, p, k) or (A, B, C, D), got 1 of them", ([1.0],), 0.1),
    "dt": C2D("dt: expected real numbers, got complex ones", SYSTEM, 1j, exception=TypeError),
    "steps": C2D(STEPS, (zeros(2, 1, 1), *SYSTEM[1:]), [0.1, 0.2, 0.3]),
}
BAD_TF2LATC = {
    "circle": bad("tf2latc", "den: expected reflection coefficients with |k| != 1, got 1", 1.0, [1.0, 1.0]),
    "num": bad("tf2latc", "num: expected num[..., 0] != 0, got 0", [0.0, 1.0]),
    "den": bad("tf2latc", "den: expected den[..., 0] != 0, got 0", [1.0], [0.0, 1.0]),
}
BAD_LATC2TF = {
    "word": bad("latc2tf", "v: expected taps, 'fir', 'allpole' or 'allpass', got 'iir'", [0.5], "iir"),
    "taps": bad("latc2tf", "v: expected at most 2 taps, got shape [3]", [0.5], [1.0, 2.0, 3.0]),
}
TO_STATES = {
    "longer": bad("tf2ss", "num: expected no more coefficients than den has, got 3 and 2", [1.0] * 3, [1.0] * 2)
}
ONE_OUTPUT = {"outputs": bad("ss2zpk", "C: expected one output, got 2", [[0.5]], [[1.0]], [[1.0], [1.0]])}
NO_A0 = {"a0": bad("sos2ss", "sos: expected sos[..., 3] != 0, got 0", [[1.0, 0.0, 0.0, 0.0, 1.0, 0.5]])}


def improper(name: str, *others: float) -> dict[str, Bad]:
    return {"improper": bad(name, "z: expected no more zeros than poles, got 2 and 1", [1.0, 2.0], [1.0], 1.0, *others)}


def choice(name: str, *arguments: Any) -> dict[str, Bad]:
    return {"rtype": bad(name, RTYPE, *arguments, rtype="least")}
