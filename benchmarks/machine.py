"""What the figures were measured on and with."""

import datetime
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import torch


def _cpu_model() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", info.split("\n\n")[0], re.MULTILINE))
    name = fields.get("model name", platform.machine())
    family, model = fields.get("cpu family"), fields.get("model")
    return f"{name} (family {family}, model {model})" if family else name


def _caches() -> str:
    sizes = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        if (index / "type").read_text().strip() != "Instruction":
            sizes.append(f"L{(index / 'level').read_text().strip()} {(index / 'size').read_text().strip()}")
    return ", ".join(sizes)


def _commit() -> str:
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # on the path, not installed
        return "?"


def versions(*packages: str) -> str:
    """Of those that are installed."""
    return ", ".join(f"{package} {version(package)}" for package in packages if is_installed(package))


def polezero_capability() -> str | None:
    """The instruction set that polezero chose, None where polezero is not installed."""
    if not is_installed("polezero"):
        return None
    return str(importlib.import_module("polezero._C").build_info()["cpu_capability"])


def _driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def describe_gpu() -> dict[str, Any]:
    """`describe` and the GPU that torch takes first."""
    gpu = torch.cuda.get_device_properties(0)
    build_info = importlib.import_module("polezero._C").build_info()
    return {
        **describe(),
        "gpu": gpu.name,
        "compute_capability": f"{gpu.major}.{gpu.minor}",
        "multiprocessors": gpu.multi_processor_count,
        "l2_bytes": gpu.L2_cache_size,
        "memory_bytes": gpu.total_memory,
        "driver": _driver(),
        "cuda": torch.version.cuda,
        "kernels_for": build_info["cuda_archs"],
    }


def describe() -> dict[str, Any]:
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "caches": _caches(),
        "capability": polezero_capability(),
        "torch": torch.__version__,
        "torch_capability": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()),
        "commit": _commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "load_average": os.getloadavg()[0],
    }
