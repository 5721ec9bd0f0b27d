"""Loads the op library, after saying in a sentence why it cannot be loaded, where it cannot."""

import sys
from pathlib import Path

import torch

#: The folder for CMAKE_PREFIX_PATH with which ``find_package(polezero)`` finds this package.
cmake_prefix_path = str(Path(__file__).parent / "share" / "cmake")
library_path = Path(__file__).parent / "lib" / "libpolezero.so"


def check_platform(platform: str) -> None:
    """Raise ImportError on a platform that polezero does not run on."""
    if platform != "linux":
        raise ImportError(f"polezero runs on Linux (x86-64, arm64), got platform {platform!r}")


def check_torch(built_for: str, installed: str) -> None:
    """Raise ImportError unless the two torch versions have the same minor version."""
    expected, got = (version.split(".")[:2] for version in (built_for, installed))
    if expected != got:
        raise ImportError(
            f"this polezero was built for torch {built_for}, but torch {installed} is installed: "
            f"install torch=={'.'.join(expected)}.* or rebuild polezero with "
            "`pip install --no-build-isolation`"
        )


def load() -> None:
    """Register ``torch.ops.polezero``."""
    check_platform(sys.platform)
    try:
        from polezero._build import TORCH_VERSION
    except ImportError:
        raise ImportError(
            f"polezero is not built in {Path(__file__).parent}: run `make test`, or "
            "`pip install --no-build-isolation -e .` beside an installed torch"
        ) from None
    # The versions are compared before loading: the library of another minor version ends in an undefined symbol.
    check_torch(TORCH_VERSION, torch.__version__)
    torch.ops.load_library(str(library_path))
