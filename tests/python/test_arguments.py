"""What messages say of the order of arguments, of np.longdouble, and of a rest that cannot be known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from cases.tensors import X, zeros

import polezero
from polezero import lpv

Refused = tuple[Callable[[], Any], type[Exception], str, tuple[str, ...]]
ORDER: dict[str, Refused] = {
    "list_for_x": (
        lambda: polezero.lfilter(X, [1.0, 0.5], [1.0]),
        TypeError,
        "lfilter: x",
        ("list", "order of arguments is b, a, x"),
    ),
    "number_for_x": (
        lambda: polezero.comb_filter(X, 0.5, 2),
        TypeError,
        "comb_filter: x",
        ("int", "is a, delay, x)"),
    ),
    "sosfilt": (
        lambda: polezero.sosfilt(zeros(2, 9), zeros(2, 6)),
        ValueError,
        "sosfilt: sos",
        ("[2, 9]", "sos has 9 values along its last axis and x 6; the order of arguments is sos, x)"),
    ),
    "lpv": (lambda: lpv.allpole(X, zeros(5, 3)), ValueError, "lpv.allpole: a", ("order of arguments is a, x)",)),
    "lattice": (lambda: polezero.lattice(X, [0.5]), TypeError, "lattice: x", ("order of arguments is k, x)",)),
}
LONGDOUBLE: dict[str, Refused] = {
    "b": (lambda: polezero.lfilter(np.ones(2, np.longdouble), [1.0], X), TypeError, "lfilter: b", ("np.longdouble",)),
    "a_complex": (
        lambda: polezero.allpole([np.clongdouble(1)], X),
        TypeError,
        "allpole: a",
        ("np.clongdouble", "complex128"),
    ),
    "zi": (
        lambda: polezero.allpole([0.5], X, np.ones(1, np.longdouble)),
        TypeError,
        "allpole: zi",
        ("np.longdouble",),
    ),
    "x": (lambda: polezero.allpole([0.5], np.ones(3, np.longdouble)), TypeError, "allpole: x", ("np.longdouble",)),
    "points": (
        lambda: polezero.cspline1d_eval(X, np.ones(3, np.longdouble)),
        TypeError,
        "cspline1d_eval: newx",
        ("np.longdouble",),
    ),
}
UNKNOWN_REST: dict[str, Refused] = {
    "meta": (
        lambda: polezero.sparse_allpole(
            zeros(1, device="meta"), torch.ones(1, dtype=torch.long, device="meta"), X.to("meta"), 0
        ),
        ValueError,
        "sparse_allpole: zi",
        ("cannot be read", "got 0"),
    ),
    "vmap": (
        lambda: torch.vmap(lambda d: polezero.comb_filter(0.5, d, X, 0))(torch.tensor([1, 2])),
        ValueError,
        "comb_filter: zi",
        ("cannot be read", "got 0"),
    ),
}


@pytest.mark.parametrize(
    "refused", [pytest.param(v, id=k) for table in (ORDER, LONGDOUBLE, UNKNOWN_REST) for k, v in table.items()]
)
def test_the_sentence_says_what_was_mixed_up(refused: Refused) -> None:
    call, exception, begin, parts = refused
    with pytest.raises(exception) as raised:
        call()
    message = str(raised.value)
    assert type(raised.value) is exception and message.startswith(f"{begin}: expected ") and "\n" not in message
    for part in parts:
        assert part in message
