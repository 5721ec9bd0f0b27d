"""polezero.compat.torchaudio gives what torchaudio 2.11.0 gave (record_torchaudio.py), gradients too."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import record_torchaudio as recorded
import torch
from record_torchaudio import CALLS, DTYPES, inputs_of, results
from support import assert_close, ids
from torch import Tensor

import polezero.compat.torchaudio as F

# torchaudio rounds its state in each sample, to float32 beside a float32 waveform, and its poles amplify that: 3.8e-6
# and 1.7e-14 of the largest value were measured for the shelf of 100 Hz, 1.2e-5 and 1.1e-13 for gradients to a Q.
TOLERANCE = {torch.float32: 5e-6, torch.float64: 5e-14}
GRADIENT_TOLERANCE = {torch.float32: 2e-5, torch.float64: 5e-13}


@cache
def arrays() -> dict[str, Tensor]:
    with np.load(recorded.FILE) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("label", CALLS)
def test_results_and_gradients_are_those_of_torchaudio(label: str, dtype: torch.dtype) -> None:
    call = CALLS[label]
    prefix = f"{label}/{str(dtype).removeprefix('torch.')}/"
    got = results(getattr(F, call.name), call, inputs_of(call, arrays()["waveform"], dtype))
    for name, value in got.items():
        expected = arrays()[prefix + name]
        assert value.dtype == dtype
        assert_close(value, expected, TOLERANCE[dtype] if name == "y" else GRADIENT_TOLERANCE[dtype])
