from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from polezero.reference._forms import pad
from polezero.reference._lfilter import lfilter
from polezero.reference._promotion import promote

__all__ = ["filtfilt", "sosfilt_zi", "sosfiltfilt"]

Forward = Callable[[Tensor, Tensor], Tensor]


def filtfilt(
    b: Any,
    a: Any,
    x: Any,
    axis: int = -1,
    padtype: str | None = "odd",
    padlen: int | None = None,
    method: str = "pad",
    irlen: int | None = None,
) -> Tensor:
    """Filter ``x`` along ``axis``, turn it round, filter it with conjugate coefficients and turn it round again.

    Method "pad": what is filtered has ``padlen`` samples more at both ends, and each way begins as if its first sample
    had always been there. Method "gust": the states u and v in which the two ways begin are the least squares solution
    of forth-and-back(x; u, v) = back-and-forth(x; u, v).
    """
    (b, a, x, _), dtype, _ = promote(x, b, a, x)
    taps = max(b.shape[-1], a.shape[-1])
    b, a = (pad(c / a[..., :1], taps) for c in (b, a))
    length = 3 * taps if padlen is None else padlen
    y = _both_ways(
        lambda b, a, x, zi: lfilter(b, a, x, zi=zi)[0], (b, a), _steady(b, a), x, axis, padtype, length, method, irlen
    )
    return y.to(dtype)


def _steady(b: Tensor, a: Tensor) -> Tensor:
    """The state that an input of 1, and so an output of H(1), leave as it is."""
    gain = b.sum(-1, keepdim=True) / a.sum(-1, keepdim=True)
    return (b - gain * a)[..., 1:].flip(-1).cumsum(-1).flip(-1)


def _both_ways(
    run: Callable[..., Tensor],
    filter: tuple[Tensor, Tensor],
    steady: Tensor,
    x: Tensor,
    axis: int,
    padtype: str | None,
    length: int,
    method: str,
    irlen: int | None,
) -> Tensor:
    x = x.movedim(axis, -1)

    def forth(x: Tensor, zi: Tensor) -> Tensor:
        return run(*filter, x, zi)

    def back(x: Tensor, zi: Tensor) -> Tensor:
        return run(*(c.conj() for c in filter), x.flip(-1), zi).flip(-1)

    if method == "gust":
        return _gust(forth, back, steady.shape[-1], x, irlen).movedim(-1, axis)
    T, first, last = x.shape[-1], x[..., :1], x[..., -1:]
    length = length if padtype else 0
    ahead, behind = x[..., 1 : length + 1].flip(-1), x[..., T - 1 - length : T - 1].flip(-1)
    ends = {
        "odd": (2 * first - ahead, 2 * last - behind),
        "even": (ahead, behind),
        "constant": (first.expand_as(ahead), last.expand_as(behind)),
        None: (x[..., :0], x[..., :0]),
    }[padtype]
    extended = torch.cat([ends[0], x, ends[1]], -1)
    y = forth(extended, steady * extended[..., :1])
    return back(y, steady.conj() * y[..., -1:])[..., length : length + T].movedim(-1, axis)


def _gust(forth: Forward, back: Forward, states: int, x: Tensor, irlen: int | None) -> Tensor:
    T, rest = x.shape[-1], x.new_zeros(states)
    m = T if irlen is None or T <= 2 * irlen else irlen
    one_way, other_way = back(forth(x, rest), rest), forth(back(x, rest), rest)
    silence, units = x.new_zeros(m), torch.eye(states, dtype=x.dtype)
    u = torch.stack([forth(silence, unit) for unit in units], -1)  # [.., m, P]
    v = torch.stack([back(silence, unit) for unit in units], -1)
    answer_of_u = torch.stack([back(column, rest) for column in u.unbind(-1)], -1)
    answer_of_v = torch.stack([forth(column, rest) for column in v.unbind(-1)], -1)
    ends = (0, 0, 0, T - m), (0, 0, T - m, 0)  # of u and v: what is not within m samples of an end is taken to be zero
    of_u, at_first, of_v, at_last = (
        torch.nn.functional.pad(t, end)
        for t, end in zip((answer_of_u, answer_of_u - u, v, v - answer_of_v), (ends[0], ends[0], ends[1], ends[1]))
    )
    solution = torch.linalg.pinv(torch.cat([at_first, at_last], -1)) @ (other_way - one_way)[..., None]
    answer: Tensor = torch.cat([of_u, of_v], -1) @ solution
    return one_way + answer[..., 0]


def sosfiltfilt(
    sos: Any,
    x: Any,
    axis: int = -1,
    padtype: str | None = "odd",
    padlen: int | None = None,
    method: str = "pad",
    irlen: int | None = None,
) -> Tensor:
    """:func:`filtfilt` of the products of the sections' polynomials."""
    (sos, x, _), dtype, _ = promote(x, sos, x)
    if padlen is None:
        missing = [int((sos[..., tap] == 0).reshape(-1, sos.shape[-2]).all(0).sum()) for tap in (2, 5)]
        padlen = 3 * (2 * sos.shape[-2] + 1 - min(missing))
    b, a = (_product(part) for part in (sos[..., :3], sos[..., 3:]))
    return filtfilt(b, a, x, axis, padtype, padlen, method, irlen).to(dtype)


def _product(sections: Tensor) -> Tensor:
    product = sections[..., 0, :]
    for section in sections.unbind(-2)[1:]:
        lagged = [torch.nn.functional.pad(product, (k, 2 - k)) for k in range(3)]
        product = (section[..., None] * torch.stack(lagged, -2)).sum(-2)
    return product


def sosfilt_zi(sos: Tensor) -> Tensor:
    """Section by section, the state that the steady output of those before it leaves as it is."""
    b, a = sos[..., :3] / sos[..., 3:4], sos[..., 3:] / sos[..., 3:4]
    states, level = [], torch.ones_like(sos[..., 0, 0])
    for k in range(sos.shape[-2]):
        states.append(_steady(b[..., k, :], a[..., k, :]) * level[..., None])
        level = level * b[..., k, :].sum(-1) / a[..., k, :].sum(-1)
    return torch.stack(states)
