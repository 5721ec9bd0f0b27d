"""Holds the registers of every CUDA kernel against a recorded budget, or records them anew.

    python cmake/cuda_budget.py [--write] [--cuobjdump PATH] registers.txt OBJECT.cu.o...

The build runs it (cmake/CudaBudget.cmake). A budget is the most registers, and the most bytes of stack
frame, that a thread may have on sm_90. What nvcc gives is rounded up to 8 registers: a multiprocessor hands
them to a warp 8 a thread at a time, so that the rest of the 8 costs nothing.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ARCH = "sm_90"
STEP = 8  # registers
TYPES = ("float", "double", "complex<float>", "complex<double>")  # the columns
HEADER = f"""\
# The most registers that a thread of each kernel may have on {ARCH}, by nvcc 13.0 (multiples of {STEP}); 48+80:
# and 80 bytes of stack frame. T is the first scalar type in a kernel's name; a kernel without one has a
# single figure. A build that needs more, or has another set of kernels, fails. What it has now is recorded by
#
#     cmake --build build/dev --target cuda_budget
#
# (python cmake/cuda_budget.py --write); the difference belongs in the commit, with its reason.
"""


class Kernel(NamedTuple):
    """`name` is without namespaces and parameters, and has T for `type`; without a scalar type that is ''."""

    file: str
    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.file}: {self.name}" + (f", T = {self.type}" if self.type else "")


class Use(NamedTuple):
    registers: int
    stack: int

    def __str__(self) -> str:
        return f"{self.registers}+{self.stack}" if self.stack else str(self.registers)


Budget = dict[Kernel, Use]


# ---- objects


def run(*command: str | Path, text: str = "") -> str:
    try:
        done = subprocess.run(list(map(str, command)), input=text, capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"cuda_budget: {command[0]}: {error.strerror}")
    if done.returncode != 0:
        sys.exit(f"cuda_budget: {' '.join(map(str, command))}: {(done.stdout + done.stderr).strip()}")
    return done.stdout


def kernel(file: str, demangled: str) -> Kernel:
    name = re.sub(r"(?:\(anonymous namespace\)|\b[A-Za-z_]\w*)::", "", demangled)
    while "> >" in name:
        name = name.replace("> >", ">>")
    found = re.search(r"\bcomplex<(?:float|double)>|\b(?:float|double)\b", name)
    if found is None:
        return Kernel(file, name, "")
    # complex<double> is another type than double, also where T is double
    whole = re.escape(found[0])
    return Kernel(file, re.sub(rf"(?<!complex<)\b{whole}(?!\w)", "T", name), found[0])


def used(cuobjdump: Path, objects: list[Path]) -> Budget:
    """The registers of every kernel, rounded up, and its stack frame; of overloads the most."""
    uses: Budget = {}
    for path in objects:
        dump = run(cuobjdump, "--dump-resource-usage", "-arch", ARCH, path)
        found = re.findall(r"Function (\S+):\s+REG:(\d+) STACK:(\d+)", dump)
        demangled = run("c++filt", "-p", text="".join(f"{symbol}\n" for symbol, _, _ in found)).splitlines()
        for name, (_, registers, stack) in zip(demangled, found, strict=True):
            key = kernel(path.name.removesuffix(".o"), name)
            before = uses.get(key, Use(0, 0))
            rounded = -(-int(registers) // STEP) * STEP
            uses[key] = Use(max(before.registers, rounded), max(before.stack, int(stack)))
    if not uses:
        sys.exit(f"cuda_budget: expected kernels for {ARCH} in the objects, found none ({cuobjdump})")
    return uses


# ---- the recorded file: [file], then a line a kernel, its fields two spaces or more apart


def line(name: str, budget: dict[str, Use], width: int = 0) -> str:
    types = [""] if "" in budget else list(TYPES)
    cells = [str(budget.get(type_, "-")) for type_ in types]
    return f"{name:<{width}}" + "".join(f"  {cell:>{len(type_)}}" for cell, type_ in zip(cells, types))


def rows(budget: Budget) -> dict[tuple[str, str], dict[str, Use]]:
    """By file and name, sorted."""
    found: dict[tuple[str, str], dict[str, Use]] = {}
    for key in sorted(budget):
        found.setdefault((key.file, key.name), {})[key.type] = budget[key]
    return found


def write(path: Path, budget: Budget) -> None:
    width = max(len(key.name) for key in budget)
    text = HEADER
    file = ""
    for (of, name), row in rows(budget).items():
        if of != file:
            file = of
            text += "\n" + f"[{file}]".ljust(width) + "".join(f"  {type_}" for type_ in TYPES) + "\n"
        text += line(name, row, width) + "\n"
    path.write_text(text)


def read(path: Path) -> Budget:
    budget: Budget = {}
    file = ""
    for number, text in enumerate(path.read_text().splitlines(), start=1):
        name, *cells = re.split(r"\s{2,}", text.strip())
        if not name or name.startswith("#"):
            continue
        if name.startswith("["):
            file = name.strip("[]")
            continue
        if len(cells) not in (1, len(TYPES)) or not all(re.fullmatch(r"-|\d+(\+\d+)?", cell) for cell in cells):
            sys.exit(
                f"{path}:{number}: expected a kernel and 1 or {len(TYPES)} budgets, each two spaces or more from the "
                f"last, got {text!r}"
            )
        for type_, cell in zip(TYPES if len(cells) > 1 else [""], cells):
            if cell != "-":
                registers, _, stack = cell.partition("+")
                budget[Kernel(file, name, type_)] = Use(int(registers), int(stack or 0))
    return budget


# ---- the check


def complaints(budget: Budget, uses: Budget) -> list[str]:
    """A sentence for each kernel."""
    found = []
    for key, use in uses.items():
        limit = budget.get(key)
        if limit is None:
            row = {k.type: v for k, v in uses.items() if k[:2] == key[:2]}
            row |= {k.type: v for k, v in budget.items() if k[:2] == key[:2]}
            found.append(f"{key}: has no budget; its line under [{key.file}]: {line(key.name, row)}")
        elif use.registers > limit.registers:
            found.append(f"{key}: expected at most {limit.registers} registers, got {use.registers}")
        elif use.stack > limit.stack:
            found.append(f"{key}: expected at most {limit.stack} bytes of stack frame, got {use.stack}")
    found += [f"{key}: has a budget of {budget[key]}, but there is no such kernel" for key in budget.keys() - uses]
    return sorted(found)


def main() -> None:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="record what the objects use")
    parser.add_argument("--cuobjdump", type=Path, default=Path("cuobjdump"))
    parser.add_argument("recorded", type=Path)
    parser.add_argument("objects", type=Path, nargs="+")
    arguments = parser.parse_args()
    uses = used(arguments.cuobjdump, arguments.objects)
    if arguments.write:
        write(arguments.recorded, uses)
        return
    if found := complaints(read(arguments.recorded), uses):
        sys.exit("\n".join([*found, "Where that is meant: cmake --build <build folder> --target cuda_budget"]))


if __name__ == "__main__":
    main()
