"""What `make gpu` runs under compute-sanitizer: every case, forward and backward, small, as gpu_stress.py has them.

python tests/python/gpu_small.py [cpu]
"""

import sys
from collections.abc import Mapping

import torch
from cases import SIZED
from cases.case import Bound, is_variable
from torch import Tensor

RADIUS = 0.9999  # of the poles: a sample is felt 30 tiles later, so that a lost message shows
SAMPLES = (1, 300, 9000, 300_000)
ON_GPU = {bound.id: bound for bound in SIZED if bound.reason_against("cuda") is None}
WAITING_FOR_NOTHING = [name for name in ON_GPU if ON_GPU[name].case.name != "decimate"]  # which designs its filter


def inputs_of(example: Bound, rows: int, samples: int, dtype: torch.dtype) -> dict[str, Tensor]:
    return example.sized(rows, max(samples, example.call.shortest), dtype, RADIUS)


def on(device: str, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: t.to(device) for name, t in inputs.items()}


def results(example: Bound, inputs: Mapping[str, Tensor]) -> list[Tensor]:
    """The outputs, and the gradients of half their squares to all inputs."""
    leaves = {name: t.detach().requires_grad_(is_variable(t)) for name, t in inputs.items()}
    outputs = example.run(leaves)
    values = [y.detach() for y in outputs]
    return [*values, *torch.autograd.grad(outputs, [t for t in leaves.values() if t.requires_grad], values)]


def main(device: str) -> None:
    torch.manual_seed(0)
    sizes = [(2, T, torch.float32) for T in SAMPLES]
    sizes += [(2, 9000, dtype) for dtype in (torch.float64, torch.complex64, torch.complex128)]
    processors = torch.cuda.get_device_properties(0).multi_processor_count if device == "cuda" else 1
    sizes.append((2 * processors + 1, 5000, torch.float32))  # rows enough for a block each, of two tiles
    sizes.append((67, 30, torch.float32))  # short ones: several in a warp
    for example in ON_GPU.values():
        for size in sizes:
            results(example, on(device, inputs_of(example, *size)))
    if device == "cuda":
        torch.cuda.synchronize()
    print(f"ran {len(ON_GPU)} cases on {device}")


if __name__ == "__main__":
    if sys.argv[1:] != ["cpu"] and not torch.cuda.is_available():
        sys.exit("gpu_small.py: no NVIDIA GPU was found")
    main(*(sys.argv[1:] or ["cuda"]))
