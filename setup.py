"""Runs CMake for pip, so that Python and C++ users get the same library.

    pip install --no-build-isolation .        (-e . for an editable one)

Environment: CMAKE_ARGS (more arguments for CMake), POLEZERO_BUILD_DIR (where to build).
"""

import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()

if sys.platform != "linux":
    sys.exit(f"polezero builds on Linux (x86-64, arm64), got platform {sys.platform!r}")
try:
    TORCH_MINOR = ".".join(importlib.metadata.version("torch").split(".")[:2])
except importlib.metadata.PackageNotFoundError:
    sys.exit(
        "polezero builds against the torch that is installed, and there is none here: install torch first, then "
        "run `pip install --no-build-isolation .` (build isolation hides the installed torch)"
    )


def version() -> str:
    match = re.search(r"project\(polezero VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())
    assert match, "CMakeLists.txt names the version in project()"
    return match[1]


class CMakeBuild(build_ext):
    """Builds with CMake and installs into the package: the library, headers, CMake files and polezero._C."""

    def run(self) -> None:
        tag = f"torch{TORCH_MINOR}-{sys.implementation.cache_tag}"
        build = os.environ.get("POLEZERO_BUILD_DIR", f"build/{tag}")
        package = ROOT / "python" if self.inplace or self.editable_mode else Path(self.build_lib).resolve()
        configure = ["cmake", "-S", ".", "-B", build, f"-DPython_EXECUTABLE={sys.executable}"]
        if shutil.which("ninja") and not (ROOT / build / "CMakeCache.txt").exists():
            configure += ["-G", "Ninja"]
        for command in (
            configure + shlex.split(os.environ.get("CMAKE_ARGS", "")),
            ["cmake", "--build", build, "--parallel"],
            ["cmake", "--install", build, "--prefix", str(package / "polezero")],
        ):
            subprocess.run(command, cwd=ROOT, check=True)

    def get_outputs(self) -> list[str]:
        return []

    def get_output_mapping(self) -> dict[str, str]:
        return {}


setup(
    version=version(),
    install_requires=[f"torch=={TORCH_MINOR}.*"],
    ext_modules=[Extension("polezero._C", sources=[])],  # makes the wheel one for a platform
    cmdclass={"build_ext": CMakeBuild},
)
