"""What `make sanitize` runs: every op and derivative once, at sizes around the edges of a block, in seconds."""

import torch

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

b, x = signal(3, dtype=torch.float64), signal(4, 50, dtype=torch.float64)
a = torch.tensor([1.0, -0.5, 0.2], dtype=torch.float64)
torch.func.jacfwd(polezero.lfilter)(b, a, x)
torch.func.hessian(lambda b: polezero.lfilter(b, a, x).square().sum())(b)
torch.func.vmap(polezero.lfilter, in_dims=(None, None, 0))(b, a, x)
for bad in (float("nan"), float("inf")):
    polezero.lfilter(b, a, x.index_fill(-1, torch.tensor([20]), bad))
print("smoke: no error found")
