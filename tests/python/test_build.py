"""The build and what it installs: versions, find_package, and what the objects export."""

import importlib.metadata
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

import polezero
from polezero import _C, _build, _library
from polezero.info import info

ROOT = Path(__file__).parents[2]
BUILD = ROOT / os.environ.get("POLEZERO_BUILD_DIR", "build/dev")
COMMANDS = BUILD / "compile_commands.json"
needs_build = pytest.mark.skipif(not COMMANDS.exists(), reason="needs the build folder of make")
needs_cmake = pytest.mark.skipif(not shutil.which("cmake"), reason="needs CMake")


@pytest.fixture(params=["with_nvcc", "without_nvcc"])
def env(request) -> dict[str, str]:
    """An environment with CUDA's compiler on the PATH, and one that knows of no CUDA."""
    folders = os.environ["PATH"].split(os.pathsep)
    if request.param == "with_nvcc":
        nvcc = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")
        if nvcc is None:
            pytest.skip("nvcc is not installed")
        return os.environ | {"PATH": os.pathsep.join([os.path.dirname(nvcc), *folders])}
    folders = [d for d in folders if not os.access(os.path.join(d, "nvcc"), os.X_OK)]
    return {k: v for k, v in os.environ.items() if not k.startswith("CUDA")} | {"PATH": os.pathsep.join(folders)}


def run(*command: str, **kwargs) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=600, **kwargs)


# ---- versions


def test_one_version_everywhere():
    assert importlib.metadata.version("polezero") == _build.VERSION == _C.build_info()["version"]


def test_metadata_pins_the_torch_minor():
    minor = ".".join(torch.__version__.split(".")[:2])
    assert importlib.metadata.requires("polezero") == [f"torch=={minor}.*"]


def test_another_torch_is_named_in_one_sentence():
    done = run(sys.executable, "-c", "import torch; torch.__version__ = '1.13.1'; import polezero")
    assert done.returncode == 1
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("ImportError: this polezero was built for torch " + _build.TORCH_VERSION)
    assert "torch 1.13.1 is installed" in message
    assert "undefined symbol" not in done.stderr


def test_patch_and_local_versions_of_torch_do_not_matter():
    _library.check_torch("2.11.0", "2.11.3+cpu")


def test_other_platforms_are_named():
    with pytest.raises(ImportError, match=r"runs on Linux.*got platform 'win32'"):
        _library.check_platform("win32")


# ---- the wheel

# setup.py, but the library is the one that is imported here instead of one that CMake would build.
PACK = """
import distutils.core, shutil, sys
from pathlib import Path
from setuptools.command.build_ext import build_ext

class CopyBuilt(build_ext):
    def run(self):
        built, package = Path(sys.argv[1]), Path(self.build_lib) / "polezero"
        for folder in ("lib", "include", "share"):
            shutil.copytree(built / folder, package / folder)
        for file in (built / "_build.py", *built.glob("_C.*.so")):
            shutil.copy(file, package)

setup = distutils.core.run_setup("setup.py", ["--quiet", "bdist_wheel"], stop_after="commandline")
setup.cmdclass["build_ext"] = CopyBuilt
setup.run_commands()
"""
IMPORT_ALL = """
import sys; sys.path.insert(0, sys.argv[1])
import importlib, pkgutil, torch, polezero
modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(polezero.__path__, "polezero.")]
print(*(m.__file__ for m in modules))
print(polezero.lfilter([1.0], [1.0, -0.5], torch.tensor([1.0, 0.0])).tolist())
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for file in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "CMakeLists.txt"):
        shutil.copy(ROOT / file, source)
    ignored = shutil.ignore_patterns("lib", "include", "share", "_build.py", "_C.*.so", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "python", source / "python", ignore=ignored)
    done = run(sys.executable, "-c", PACK, str(Path(polezero.__file__).parent), cwd=source)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (source / "dist").glob("*.whl")
    return path


def test_the_wheel_has_every_module(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(p.relative_to(ROOT / "python")) for p in (ROOT / "python" / "polezero").rglob("*.py")}
    assert {"polezero/reference/__init__.py", "polezero/lpv.py"} <= modules
    assert modules | {"polezero/py.typed", "polezero/lib/libpolezero.so"} <= packed
    assert not [name for name in packed if name.startswith(("tests", "csrc")) or name.endswith((".pyc", ".cpp"))]


def test_the_wheel_is_imported_without_the_sources(wheel, tmp_path):
    done = run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", tmp_path, wheel
    )
    assert done.returncode == 0, done.stderr
    done = run(sys.executable, "-I", "-c", IMPORT_ALL, str(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files, filtered = done.stdout.splitlines()
    assert filtered == "[1.0, 0.5]"
    assert len(files.split()) > 20 and all(Path(file).is_relative_to(tmp_path) for file in files.split())


# ---- polezero.info


def test_info_prints_every_fact():
    done = run(sys.executable, "-m", "polezero.info")
    assert done.returncode == 0, done.stderr
    for name, value in info().items():
        assert re.search(rf"^{re.escape(name)} +{re.escape(value)}$", done.stdout, re.M)


def test_info_shows_the_forced_cpu_capability():
    env = os.environ | {"POLEZERO_CPU_CAPABILITY": "baseline"}
    done = run(sys.executable, "-m", "polezero.info", env=env)
    assert re.search(r"^CPU capability +baseline$", done.stdout, re.M), done.stderr


def test_unknown_cpu_capability_is_an_error():
    env = os.environ | {"POLEZERO_CPU_CAPABILITY": "avx1024"}
    done = run(sys.executable, "-m", "polezero.info", env=env)
    assert "POLEZERO_CPU_CAPABILITY: expected one of" in done.stderr and "avx1024" in done.stderr


# ---- setup.py


@pytest.fixture(scope="module")
def setup() -> dict[str, Any]:
    """What setup.py defines."""
    return runpy.run_path(str(ROOT / "setup.py"))


@pytest.fixture
def programs(tmp_path) -> Path:
    """A folder with programs for the PATH, as a system has them."""
    for name in ("cmake", "ninja"):
        (tmp_path / name).write_text("#!/bin/sh\necho 0.1\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


both_programs = pytest.mark.parametrize("name, folder", [("cmake", "CMAKE_BIN_DIR"), ("ninja", "BIN_DIR")])


@both_programs
def test_setup_takes_the_programs_of_the_environment_whatever_is_on_the_path(
    setup, monkeypatch, programs, name, folder
):
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"this environment has no {name} of PyPI")
    for path in ("", str(programs)):
        monkeypatch.setenv("PATH", path)
        found = setup["find_program"](name, folder)
        assert version in run(found, "--version", env={}).stdout


@both_programs
def test_setup_takes_programs_of_the_path_where_the_environment_has_none(setup, monkeypatch, programs, name, folder):
    monkeypatch.setitem(sys.modules, name, None)  # import fails
    monkeypatch.setenv("PATH", str(programs))
    assert setup["find_program"](name, folder) == str(programs / name)
    monkeypatch.setenv("PATH", "")
    assert setup["find_program"](name, folder) is None


@pytest.mark.parametrize("missing", [["cmake"], ["cmake", "ninja"], ["ninja"]])
def test_setup_says_what_to_install_where_there_is_no_cmake_or_ninja(missing):
    """setup.py runs as pip runs it, with nothing on the PATH."""
    code = f"""
import runpy, sys
sys.modules |= dict.fromkeys({missing})
sys.argv = ["setup.py", "build_ext"]
runpy.run_path("setup.py", run_name="__main__")
"""
    done = run(sys.executable, "-c", code, cwd=ROOT, env=os.environ | {"PATH": ""})
    assert done.returncode == 1
    message = done.stderr.strip().splitlines()[-1]
    absent = "CMake" if "cmake" in missing else "ninja"
    assert f"{absent} is neither in the environment of {sys.executable} nor on the PATH" in message
    assert "pip install cmake ninja nlohmann-json" in message


def test_setup_runs_no_more_compilers_at_once_than_there_are_cpus(setup, monkeypatch, programs):
    def parallel() -> list[str]:
        _, build, _ = setup["commands"]("build/none", ROOT)
        return build[build.index("--parallel") + 1 :]

    monkeypatch.setenv("PATH", str(programs))
    for name in ("MAX_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 7})
    assert parallel() == ["3"]
    monkeypatch.setenv("CMAKE_BUILD_PARALLEL_LEVEL", "5")
    assert parallel() == ["5"]
    monkeypatch.setenv("MAX_JOBS", "2")
    assert parallel() == ["2"]
    monkeypatch.setenv("MAX_JOBS", "many")
    with pytest.raises(SystemExit, match="MAX_JOBS: expected a number of jobs, 1 or more, got 'many'"):
        parallel()


# ---- CMake

CONSUMER = """
cmake_minimum_required(VERSION 3.22)
project(consumer LANGUAGES CXX)
find_package(polezero REQUIRED)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE polezero::polezero)
"""


@pytest.fixture
def configure(tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(CONSUMER)
    (tmp_path / "main.cpp").write_text(
        "#include <polezero/version.h>\n#include <cstdio>\nint main() { std::puts(POLEZERO_VERSION); }\n"
    )

    def call(torch_dir: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        arguments = [f"-DCMAKE_PREFIX_PATH={polezero.cmake_prefix_path}", f"-DPOLEZERO_TORCH_DIR={torch_dir}"]
        return run("cmake", "-S", tmp_path, "-B", tmp_path / "build", *arguments, env=env)

    return call


@needs_cmake
def test_find_package_builds_a_program_that_runs_without_python(configure, tmp_path, env):
    done = configure(Path(torch.__file__).parent, env)
    assert done.returncode == 0, done.stderr
    done = run("cmake", "--build", tmp_path / "build", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(tmp_path / "build" / "consumer", env={})
    assert done.stdout.strip() == _build.VERSION, done.stderr
    libraries = run("ldd", tmp_path / "build" / "consumer", env={"PATH": os.environ["PATH"]}).stdout
    assert "libpolezero" in libraries and "libpython" not in libraries and "not found" not in libraries


@needs_cmake
def test_find_package_names_both_versions_of_torch(configure, tmp_path):
    header = tmp_path / "torch" / "include" / "torch" / "headeronly" / "version.h"
    header.parent.mkdir(parents=True)
    parts = {"MAJOR": 2, "MINOR": 99, "PATCH": 1}
    header.write_text("".join(f"#define TORCH_VERSION_{part} {n}\n" for part, n in parts.items()))
    (tmp_path / "torch" / "lib").mkdir()
    (tmp_path / "torch" / "lib" / "libtorch_cpu.so").touch()
    done = configure(tmp_path / "torch")
    message = " ".join(done.stderr.split())
    minor = ".".join(_build.TORCH_VERSION.split(".")[:2])
    assert done.returncode != 0
    assert f"built for torch {minor}" in message and "is 2.99.1" in message


@needs_cmake
def test_find_package_says_where_it_looked_for_torch(configure, tmp_path):
    done = configure(tmp_path / "nothing")
    assert done.returncode != 0
    assert f"was not found in '{tmp_path / 'nothing'}'" in " ".join(done.stderr.split())


@needs_build
def test_configures_with_cuda_kernels_where_nvcc_is_and_without_elsewhere(tmp_path, env):
    arguments = [f"-DPython_EXECUTABLE={sys.executable}", f"-DPOLEZERO_TORCH_DIR={Path(torch.__file__).parent}"]
    done = run("cmake", "-S", ROOT, "-B", tmp_path, *arguments, env=env)
    assert done.returncode == 0, done.stderr
    assert ("CUDA kernels for sm_" in done.stdout) == bool(shutil.which("nvcc", path=env["PATH"])), done.stdout
    assert ("No CUDA kernels: nvcc was not found" in done.stdout) == (not shutil.which("nvcc", path=env["PATH"]))


@pytest.mark.parametrize("env", ["with_nvcc"], indirect=True)
def test_a_cmake_that_is_too_old_for_nvcc_is_named(tmp_path, env):
    cmake = shutil.which("cmake", path="/usr/bin")
    version = re.search(r"[\d.]+", run(cmake, "--version").stdout)[0] if cmake else "none"
    if cmake is None or tuple(map(int, version.split("."))) >= (3, 25, 2):
        pytest.skip(f"needs a system whose CMake is older than 3.25.2, got {version}")
    done = run(cmake, "-S", ROOT, "-B", tmp_path, f"-DPython_EXECUTABLE={sys.executable}", env=env)
    assert done.returncode != 0
    assert f"CMake {version} does not know of nvcc: install CMake 3.25.2 or newer" in " ".join(done.stderr.split())


# ---- objects


def compile_commands() -> dict[str, list[str]]:
    """Those of the project: ptxrun, which `make emulated` adds, is compiled for this machine alone."""
    entries = json.loads(COMMANDS.read_text())
    return {e["output"]: shlex.split(e["command"]) for e in entries if "tests/ptxrun/" not in e["output"]}


def isa_objects() -> dict[tuple[str, str], Path]:
    """The object files of kernels by instruction set and op."""
    return {
        (isa, Path(output).name.removesuffix(".cpp.o")): BUILD / output
        for output, command in compile_commands().items()
        for isa in ("baseline", "avx2", "avx512")
        if f"-DPOLEZERO_ISA={isa}" in command
    }


@needs_build
def test_objects_of_an_instruction_set_export_only_their_table():
    objects = isa_objects()
    assert ("baseline", "lfilter") in objects
    for (isa, op), path in objects.items():
        lines = run("nm", "-gC", "--defined-only", path).stdout.splitlines()
        names = [line.split(maxsplit=2)[2] for line in lines]
        # that is no code, but the address of the C++ runtime's, for exceptions of new
        assert set(names) - {"DW.ref.__gxx_personality_v0"} == {f"polezero::{isa}::{op}_table"}


@needs_build
def test_only_those_objects_use_an_instruction_set_and_none_sees_torch():
    for output, command in compile_commands().items():
        flags = [f for f in command if f.startswith("-m")]
        if any(f.startswith("-DPOLEZERO_ISA=") for f in command) and output.endswith(".cpp.o"):
            assert not any("torch" in f for f in command if f.startswith("-I") or f == "-isystem")
        else:
            assert flags == []
        assert not {"-march=native", "-ffast-math", "-Ofast"} & set(command)


@needs_build
def test_the_library_needs_no_python():
    needed = run("readelf", "-d", _library.library_path).stdout
    assert "libtorch_cpu.so" in needed and "libtorch_python" not in needed and "libpython" not in needed


# ---- sources

# The folders of csrc from the ground floor up; those of one floor do not see each other.
FLOORS = [
    ["math"],
    ["params"],
    ["kernels/cpu/tile", "kernels/cuda/tile"],
    ["kernels/cpu", "kernels/cuda"],
    ["ops"],
    ["autograd"],
    ["functional"],
    [""],
    ["python"],
]


def test_includes_only_go_downwards():
    floor = {folder: k for k, folders in enumerate(FLOORS) for folder in folders}
    source = ROOT / "csrc"

    def folder_of(path: Path) -> str:
        """The innermost of the folders above that the file is in."""
        parents = (str(p) for p in path.relative_to(source).parents)
        return next(p for p in (parent.removeprefix(".") for parent in parents) if p in floor)

    files = [p for p in source.rglob("*") if p.suffix in (".h", ".cpp", ".cu", ".cuh")]
    assert len(files) > 100
    for path in files:
        for name in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M):
            if not (source / name).exists():  # of include/polezero
                continue
            here, there = folder_of(path), folder_of(source / name)
            assert here == there or floor[there] < floor[here], f"{path.relative_to(ROOT)} includes {name}"
