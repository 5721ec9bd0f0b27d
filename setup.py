"""Runs CMake for pip, so that Python and C++ users get the same library.

    pip install --no-build-isolation .        (-e . for an editable one)

Environment: CMAKE_ARGS (more arguments for CMake), POLEZERO_BUILD_DIR (where to build), MAX_JOBS or
CMAKE_BUILD_PARALLEL_LEVEL (how many compilers run at once; without them one for each CPU that this process may use).
"""

import importlib
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


def find_program(name: str, folder: str) -> str | None:
    """CMake or ninja: the environment's own, else the one on the PATH.

    Their PyPI packages name the folder of the program. pip may be called by its path, and on the PATH are then the
    system's programs, which may be too old, or none.
    """
    try:
        own = getattr(importlib.import_module(name), folder)
    except (ImportError, AttributeError):  # without CMake's package our own folder cmake is what Python finds
        own = ""
    return shutil.which(name, path=own) or shutil.which(name)


def jobs() -> int:
    """How many compilers run at once. Each takes up to a gigabyte, and make knows no limit of its own."""
    for variable in ("MAX_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL"):  # the first is what torch's own extensions read
        if value := os.environ.get(variable):
            if not value.isdecimal() or int(value) == 0:
                sys.exit(f"polezero: {variable}: expected a number of jobs, 1 or more, got {value!r}")
            return int(value)
    return len(os.sched_getaffinity(0))


def commands(build: str, prefix: Path) -> list[list[str]]:
    """What is run, in ROOT: CMake configures in the folder `build`, builds there and installs below `prefix`."""
    cmake, ninja = find_program("cmake", "CMAKE_BIN_DIR"), find_program("ninja", "BIN_DIR")
    if cmake is None or not (ninja or shutil.which("make")):
        sys.exit(
            f"polezero builds with CMake and ninja, and {'ninja' if cmake else 'CMake'} is neither in the environment "
            f"of {sys.executable} nor on the PATH: run `{sys.executable} -m pip install cmake ninja nlohmann-json`"
        )
    configure = [cmake, "-S", ".", "-B", build, f"-DPython_EXECUTABLE={sys.executable}"]
    if ninja and not (ROOT / build / "CMakeCache.txt").exists():
        configure += ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
    return [
        configure + shlex.split(os.environ.get("CMAKE_ARGS", "")),
        [cmake, "--build", build, "--parallel", str(jobs())],
        [cmake, "--install", build, "--prefix", str(prefix)],
    ]


class CMakeBuild(build_ext):
    """Builds with CMake and installs into the package: the library, headers, CMake files and polezero._C."""

    def run(self) -> None:
        tag = f"torch{TORCH_MINOR}-{sys.implementation.cache_tag}"
        build = os.environ.get("POLEZERO_BUILD_DIR", f"build/{tag}")
        package = ROOT / "python" if self.inplace or self.editable_mode else Path(self.build_lib).resolve()
        for command in commands(build, package / "polezero"):
            subprocess.run(command, cwd=ROOT, check=True)

    def get_outputs(self) -> list[str]:
        return []

    def get_output_mapping(self) -> dict[str, str]:
        return {}


if __name__ == "__main__":  # pip runs this file; the tests load it
    setup(
        version=version(),
        install_requires=[f"torch=={TORCH_MINOR}.*"],
        ext_modules=[Extension("polezero._C", sources=[])],  # makes the wheel one for a platform
        cmdclass={"build_ext": CMakeBuild},
    )
