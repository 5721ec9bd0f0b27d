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


def backward_of(outputs: tuple[torch.Tensor, ...]) -> None:
    torch.stack([t.abs().sum() for t in outputs]).sum().backward()


for dtype in (torch.float32, torch.float64, torch.complex64, torch.complex128):
    for order in (1, 2, 3, 5, 9):
        for rows, time in ((1, 0), (1, 1), (3, 15), (9, 17), (17, 65), (2, 600)):
            x, zi = signal(rows, time, dtype=dtype), signal(rows, order, dtype=dtype)
            for times in (time, 1):
                k = signal(times, order, dtype=dtype)
                backward_of(polezero.lpv.allpole(k, x, zi))
                backward_of(polezero.lpv.fir(signal(times, order + 1, dtype=dtype), x, zi))
                backward_of(polezero.lpv.lattice(k, x, zi))
                backward_of(polezero.lpv.lattice(k, x, zi, signal(times, order + 1, dtype=dtype)))
                for form in ("df2", "tdf2"):
                    taps = [torch.cat([torch.ones(times, 1), k], -1) for _ in "ba"]
                    backward_of(polezero.lpv.lfilter(*taps, x, zi, form))
                A, B, C = (signal(times, *size, dtype=dtype) for size in ((order, order), (order, 1), (2, order)))
                backward_of(polezero.lpv.state_space(A, B, C, None, x[:, None], zi))
            backward_of(polezero.state_space(A[0], B[0], C[0, :1], None, x[:, None], zi))
            sos = (torch.eye(6)[3] + 0.3 * torch.rand(order, 6)).to(dtype).requires_grad_()
            backward_of(polezero.sosfilt(sos, x, zi=signal(order, rows, 2, dtype=dtype)))
            backward_of(polezero.lpv.parallel(0.5 * sos[None], x, signal(order, rows, 2, dtype=dtype)))

for dtype in (torch.float32, torch.float64, torch.complex64, torch.complex128):
    for rows, time in ((1, 0), (1, 1), (3, 15), (9, 17), (2, 600), (1, 5000)):
        a, x, zi = signal(1, dtype=dtype), signal(rows, time, dtype=dtype), signal(rows, 130, dtype=dtype)
        many = signal(1, time, 3, dtype=dtype)
        moving = torch.randint(1, 130, (rows, time))
        for delay in (1, 9, 100, moving):
            backward_of(polezero.comb_filter(a, delay, x, zi))
            backward_of(polezero.allpass_comb(a, delay, x, zi))
            polezero.sparse_allpole(a.expand(3) / 3, torch.tensor([9, 64, 129]), x).abs().sum().backward()
            polezero.sparse_allpole(0.6 * many, torch.randint(1, 900, (1, time, 3)), x).abs().sum().backward()
            for how in ("linear", "lagrange3"):
                for between in (torch.tensor([[31.7]]), moving.clamp(2, 120) + torch.rand(rows, time)):
                    d = between.expand(rows, -1).clone().requires_grad_()
                    backward_of(polezero.comb_filter(a, d, x, zi, interpolation=how))
                    polezero.feedforward_comb(a, d, x, interpolation=how).abs().sum().backward()
        polezero.cspline1d(x, 0.5).abs().sum().backward()
        points = torch.linspace(-3, time + 9, 50).requires_grad_()
        for m in (1, 4, 9):
            if time > 0:
                polezero.cubic_spline(x, m, ("reflect", "scipy")[m % 2]).abs().sum().backward()
                polezero.cspline1d_eval(x, points).abs().sum().backward()
                polezero.qspline1d_eval(x, points).abs().sum().backward()

for dtype in (torch.float32, torch.float64):
    for modes in (0, 1, 17):
        for rows, time in ((1, 0), (3, 31), (2, 128), (2, 600)):
            poles, gains, zi = (signal(*size, modes, dtype=dtype) for size in ((), (rows,), (rows,)))
            x = signal(rows, time, dtype=dtype)
            backward_of(polezero.modal_bank(poles, gains, x, zi))
            polezero.modal_bank(poles, gains, torch.full_like(x, float("nan")))

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
