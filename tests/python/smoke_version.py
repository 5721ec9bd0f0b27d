"""What `make smoke` runs: polezero loads beside the torch that it was built for, one op has the values and gradients of
the plain reference, and torch finds its registration in order.
"""

import torch

import polezero
from polezero import reference

b = torch.tensor([0.2, 0.3, 0.2], dtype=torch.float64, requires_grad=True)
a = torch.tensor([1.0, -1.2, 0.5], dtype=torch.float64, requires_grad=True)
x = torch.randn(2, 20, dtype=torch.float64, requires_grad=True)
zi = torch.randn(2, 2, dtype=torch.float64, requires_grad=True)
inputs = (b, a, x, zi)
grad_y = torch.randn(2, 20, dtype=torch.float64)

y, zf = polezero.lfilter(b, a, x, zi=zi)
expected_y, expected_zf = reference.lfilter(b, a, x, zi=zi)
torch.testing.assert_close((y, zf), (expected_y, expected_zf))
torch.testing.assert_close(
    torch.autograd.grad(y, inputs, grad_y),
    torch.autograd.grad(expected_y, inputs, grad_y),
)
torch.library.opcheck(torch.ops.polezero.lfilter_forward.default, inputs)
print(f"smoke_version: lfilter is right under torch {torch.__version__}")
