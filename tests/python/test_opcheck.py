"""torch.library.opcheck on every op that the dispatcher knows: test_cases.py fails where an op has no arguments."""

import pytest
import torch
from cases import ALL, OPS
from cases.case import is_variable
from cases.lfilter import backward_arguments

pytestmark = pytest.mark.usefixtures("filled_memory")  # opcheck reads what an operator of torch is to write

ops = torch.ops.polezero
# The names of functions come first, so that a list of arguments is among the tests of its function.
LISTS = [
    pytest.param(op, label, id=f"{case.name}-{op}-{label}")
    for case in ALL.values()
    for op, arguments in case.ops.items()
    for label in arguments
]


# Graphs of derivatives cost seconds each, whether sizes are numbers or symbols. That has nothing to do with real or
# complex arithmetic, so each of these has one of those.
@pytest.mark.parametrize(
    ("dtype", "gradients", "sizes"),
    [(torch.float32, False, "dynamic"), (torch.float32, True, "dynamic"), (torch.complex128, True, "static")],
    ids=["float32-no_grad", "float32", "complex128"],
)
@pytest.mark.parametrize(("op", "label"), LISTS)
def test_opcheck(op: str, label: str, dtype: torch.dtype, gradients: bool, sizes: str) -> None:
    arguments = tuple(
        t.detach().clone().requires_grad_(gradients and is_variable(t)) if isinstance(t, torch.Tensor) else t
        for t in OPS[op][label](dtype)
    )
    checks = ("test_schema", "test_autograd_registration", "test_faketensor", f"test_aot_dispatch_{sizes}")
    torch.library.opcheck(getattr(ops, op).default, arguments, test_utils=checks)


def test_backward_without_gradients_has_a_meta_kernel_for_every_choice() -> None:
    """The sizes that fake tensors promise for each subset of what is needed are those that come."""
    arguments = backward_arguments(torch.float32)[:8]
    on_meta = [t.to("meta") for t in arguments]
    for needs in range(16):
        flags = [bool(needs >> k & 1) for k in range(4)]
        real, meta = ops.lfilter_backward(*arguments, *flags), ops.lfilter_backward(*on_meta, *flags)
        assert [(t.shape, t.dtype) for t in real] == [(t.shape, t.dtype) for t in meta]
