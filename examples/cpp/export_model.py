"""Compile a model that contains polezero's op to a package that a C++ program runs.

python export_model.py model.pt2
"""

import sys

import torch

import polezero


class Model(torch.nn.Module):
    def forward(self, b: torch.Tensor, a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return polezero.lfilter(b, a, x).tanh()


def main(path: str) -> None:
    channels, samples = torch.export.Dim("channels", max=64), torch.export.Dim("samples", min=2)
    example = (torch.rand(1), torch.tensor([1.0, -1.2, 0.5]), torch.rand(3, 1000))
    program = torch.export.export(Model(), example, dynamic_shapes=({}, {}, {0: channels, 1: samples}))
    print("wrote", torch._inductor.aoti_compile_and_package(program, package_path=path))


if __name__ == "__main__":
    main(sys.argv[1])
