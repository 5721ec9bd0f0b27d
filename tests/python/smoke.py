"""What `make sanitize` runs: every case and its gradients, at sizes around the edges of a block, in seconds."""

from collections.abc import Sequence

import torch
from cases import EXAMPLES, SIZED
from cases.case import is_variable

import polezero


def signal(*shape: int, dtype: torch.dtype) -> torch.Tensor:
    return (torch.rand(*shape, dtype=dtype) - 0.5).requires_grad_()


for dtype in (torch.float32, torch.float64, torch.complex64, torch.complex128):
    for order in (0, 1, 2, 3, 8, 17):
        b = signal(order + 1, dtype=dtype)
        a = (torch.cat([torch.ones(1), torch.full((order,), 0.5 / max(order, 1))])).to(dtype).requires_grad_()
        for rows, time in ((1, 0), (1, 1), (3, 15), (3, 16), (17, 33), (2, 1000), (1, 70000)):
            x, zi = signal(rows, time, dtype=dtype), signal(rows, order, dtype=dtype)
            for backward in ("one_pass", "two_pass"):
                for out in (
                    polezero.lfilter(b, a, x, zi=zi, backward=backward),
                    polezero.allpole(a[1:], x, zi=zi, backward=backward),
                ):
                    sum(t.abs().sum() for t in out).backward()
            polezero.sensitivity(b, a, x)
            if order <= 3 and time <= 1000:
                varying = (0.1 * torch.ones(time, order)).to(dtype).requires_grad_()
                torch.ops.polezero.allpole_forward(varying, x, zi).abs().sum().backward()


def backward_of(outputs: Sequence[torch.Tensor]) -> None:
    torch.stack([t.abs().sum() for t in outputs]).sum().backward()


def with_gradients(inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: t.requires_grad_(is_variable(t)) for name, t in inputs.items()}


for dtype in (torch.float32, torch.float64, torch.complex64, torch.complex128):
    for example in SIZED:
        for rows, time in ((1, 0), (1, 1), (3, 15), (9, 17), (17, 65), (2, 600), (1, 5000)):
            if example.reason_against("smoke") is None and time >= example.call.shortest:
                backward_of(example.run(with_gradients(example.sized(rows, time, dtype))))
    for example in EXAMPLES:
        if example.reason_against("smoke") is None and dtype in (torch.float32, torch.complex64):
            backward_of(example.run(with_gradients(example.small(dtype))))

b, x = signal(3, dtype=torch.float64), signal(4, 50, dtype=torch.float64)
a = torch.tensor([1.0, -0.5, 0.2], dtype=torch.float64)
torch.func.jacfwd(polezero.lfilter)(b, a, x)
torch.func.hessian(lambda b: polezero.lfilter(b, a, x).square().sum())(b)
torch.func.vmap(polezero.lfilter, in_dims=(None, None, 0))(b, a, x)
polezero.freq.lfilter(b, a, x.requires_grad_(), "truncate").sum().backward()
residues, poles, direct = polezero.parallel_form(b, a.requires_grad_())
(polezero.modal_bank(poles, residues, x) + polezero.lfilter(direct, [1.0], x)).sum().backward()
x = x.detach()
for bad in (float("nan"), float("inf")):
    polezero.lfilter(b, a, x.index_fill(-1, torch.tensor([20]), bad))
print("smoke: no error found")
