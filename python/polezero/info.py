"""``python -m polezero.info`` prints what this installation of polezero is."""

import platform
import sys

import torch

import polezero
from polezero._C import build_info


def info() -> dict[str, str]:
    """What was built, for which torch, and what it runs on."""
    build = build_info()
    return {
        "polezero": build["version"],
        "built for torch": build["torch_version"],
        "running torch": torch.__version__,
        "CUDA architectures": build["cuda_archs"],
        "CPU capability": build["cpu_capability"],
        "threads": str(torch.get_num_threads()),
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
        "find_package prefix": polezero.cmake_prefix_path,
    }


if __name__ == "__main__":
    facts = info()
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:{width}}  {value}")
