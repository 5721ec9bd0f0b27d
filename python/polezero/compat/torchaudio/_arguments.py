"""What the functions do with their arguments."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor

from polezero._arguments import signal, to_tensor

Number: TypeAlias = "float | Tensor"  # a tensor has one element


def check_waveform(function: str, waveform: Tensor, *, channels: bool = False) -> None:
    signal(function, waveform, "waveform")
    if not waveform.is_floating_point():
        kind = str(waveform.dtype).removeprefix("torch.")
        raise TypeError(f"{function}: waveform: expected a real floating-point tensor, got {kind}")
    if waveform.dim() < 1 + channels:
        shape = "[..., channel, time]" if channels else "[..., time]"
        raise ValueError(f"{function}: waveform: expected shape {shape}, got {list(waveform.shape)}")


def working_dtype(waveform: Tensor) -> torch.dtype:
    """Of coefficients, which torchaudio rounds to that of the waveform; it has no filters of half precision."""
    return torch.promote_types(waveform.dtype, torch.float32)


def numbers(function: str, waveform: Tensor, **values: Number) -> list[Tensor]:
    """Each a tensor without dimensions, rounded as torchaudio rounds it and where the waveform is."""
    check_waveform(function, waveform)
    dtype, device = working_dtype(waveform), waveform.device
    tensors = []
    for name, value in values.items():
        tensor = to_tensor(f"{function}: {name}", value, dtype, device)
        if tensor.numel() != 1:
            got = list(tensor.shape)
            raise ValueError(f"{function}: {name}: expected a number or a tensor of one element, got shape {got}")
        tensors.append(tensor.to(device, dtype).reshape(()))
    return tensors


def check_sample_rate(function: str, sample_rate: int, *known: int) -> None:
    if sample_rate not in known:
        among = f"{', '.join(map(str, known[:-1]))} or {known[-1]}"
        raise ValueError(f"{function}: sample_rate: expected {among}, got {sample_rate!r}")


def check_choice(function: str, name: str, value: str, *known: str) -> None:
    if value not in known:
        raise ValueError(f"{function}: {name}: expected {' or '.join(map(repr, known))}, got {value!r}")
