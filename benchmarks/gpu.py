"""polezero and its peers on a GPU against y.copy_(x): a table, and JSON in benchmarks/results/gpu.json.

    make gpu STAGES=bench                              builds for the GPU that is there, then every case
    python benchmarks/gpu.py --only sosfilt            some cases, with the polezero that is installed

benchmarks/README.md says what each case is and how it is measured.
"""

import argparse
import csv
import faulthandler
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from cases import GPU_CASES, SIGNALS_MOVED, Case, is_met
from implementations import GPU_PEERS, Implementation, find
from machine import describe_gpu
from measure_gpu import Contender, interleaved
from problems import noise
from render import slowest, table, title
from run import say

HERE = Path(__file__).parent
SECONDS_A_PEER, SECONDS_OF_OURS = 0.3, 0.7  # of turns, for one case and its copy
CASE_LIMIT_S, DRAM_LIMIT_S = 60, 60  # after which a case is given up
WARM_UP_SAMPLES = 1024
Figures = dict[str, Any]  # of one case and implementation: figures, or the reason why there are none


# Bytes a sample that a call moves to and from memory, and the reach.
DRAM_CASES = {"lfilter, 64 x 2^20": 8.5, "lfilter, forward + backward, 64 x 2^20": None}


def measure(case: Case, implementation: Implementation, seconds: float) -> Figures:
    if not implementation.has(case):
        return {"missing": f"{implementation.name} has no such function"}
    warm_up = replace(case, rows=min(case.rows, 2), samples=WARM_UP_SAMPLES)
    implementation.call(warm_up, noise(warm_up), "cuda")()
    problem = noise(case)
    x = problem.x.cuda()
    y = torch.empty_like(x)
    contenders = [
        Contender(lambda: y.copy_(x)),
        Contender(implementation.call(case, problem, "cuda"), implementation.can_be_captured),
    ]
    copy, own = interleaved(contenders, seconds)
    ratio = own.median_s / copy.median_s
    return {
        "figure": own.median_s * 1e6 if case.measure == "kernel" else ratio,
        "ratio_to_copy": ratio,
        "kernel_us": own.median_s * 1e6,
        "kernel_best_us": own.best_s * 1e6,
        "eager_us": own.eager_s * 1e6,
        "copy_us": copy.median_s * 1e6,
        "copy_median_over_best": copy.median_s / copy.best_s,
        "gb_per_s": SIGNALS_MOVED[case.direction] * x.nbytes / own.median_s / 1e9,
        "how": own.how,
        "timings": own.timings,
    }


# ---- one process for each implementation, and another after a crash


def work(name: str, file: Path, cases: list[Case]) -> None:
    """Write a line of JSON for the version, then one for each case as soon as it has been measured."""
    implementation = find(name)
    assert implementation is not None, name
    with file.open("a") as out:
        print(json.dumps(implementation.version), file=out, flush=True)
        for case in cases:
            faulthandler.dump_traceback_later(CASE_LIMIT_S, exit=True)  # even where a kernel never ends
            seconds = SECONDS_OF_OURS if name == "polezero" else SECONDS_A_PEER
            try:
                figures = measure(case, implementation, seconds)
            except Exception as error:
                torch.cuda.synchronize()  # throws where the GPU itself failed, and nothing more can be had here
                figures = {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}
            print(json.dumps(figures), file=out, flush=True)
            torch.cuda.empty_cache()
        faulthandler.cancel_dump_traceback_later()


def measure_all(name: str, cases: list[Case]) -> dict[str, Figures]:
    """Figures by case. The case in which a worker dies has failed, and the next worker goes on after it."""
    results: dict[str, Figures] = {}
    left = cases
    while left:
        say(f"{name}, {len(left)} cases")
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
            worker = [sys.executable, __file__, "--worker", name, file.name, *(case.name for case in left)]
            errors = subprocess.run(worker, stderr=subprocess.PIPE, text=True).stderr
            version, *lines = map(json.loads, Path(file.name).read_text().splitlines() or ["null"])
        for case, figures in zip(left, lines):
            results[case.name] = {**figures, "version": version}
        left = left[len(lines) :]
        if left:
            reason = _reason(errors)
            of_whom = left if version is None else left[:1]  # it cannot even be imported, or this case killed it
            results |= {case.name: {"failed": reason, "version": version} for case in of_whom}
            left = left[len(of_whom) :]
    return results


def _reason(errors: str) -> str:
    lines = [line for line in errors.splitlines() if line.strip()] or ["the process died"]
    return f"not done after {CASE_LIMIT_S} s" if any(line.startswith("Timeout") for line in lines) else lines[-1]


# ---- DRAM bytes


def dram_bytes(case: Case) -> Figures:
    """Bytes a sample that a call reads from and writes to DRAM, by ncu's counters."""
    if shutil.which("ncu") is None:
        return {"failed": "ncu is not on the PATH"}
    metrics = "dram__bytes_read.sum,dram__bytes_write.sum"
    command = ["ncu", "--csv", "--print-units", "base", "--metrics", metrics, "--profile-from-start", "off"]
    command += ["--clock-control", "none", sys.executable, __file__, "--once", case.name]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=DRAM_LIMIT_S)
    except subprocess.TimeoutExpired:
        return {"failed": f"ncu was not done after {DRAM_LIMIT_S} s"}
    try:
        kernels = read_counters(run.stdout)
    except (KeyError, ValueError) as error:
        return {"failed": f"ncu's table was not understood: {error!r}"}
    if run.returncode or not kernels:
        said = [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("==ERROR==")]
        return {"failed": said[0] if said else f"ncu counted nothing (status {run.returncode})"}
    return {"bytes_per_sample": sum(kernels.values()) / case.size, "reach": DRAM_CASES[case.name], "kernels": kernels}


def read_counters(output: str) -> dict[str, float]:
    """Bytes by kernel, from ncu's CSV, which has a line for each kernel and metric and other lines around."""
    rows = csv.DictReader(line for line in output.splitlines() if line.startswith('"'))
    kernels: dict[str, float] = {}
    for row in rows:
        kernel = row["Kernel Name"]
        kernels[kernel] = kernels.get(kernel, 0) + float(row["Metric Value"].replace(",", ""))
    return kernels


def call_once(case: Case) -> None:
    implementation = find("polezero")
    assert implementation is not None
    call = implementation.call(case, noise(case), "cuda")
    call()
    torch.cuda.synchronize()
    torch.cuda.cudart().cudaProfilerStart()
    call()
    torch.cuda.synchronize()
    torch.cuda.cudart().cudaProfilerStop()


# ---- the program


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="REGEX", default="", help="cases whose name matches or has this in it")
    parser.add_argument("--peers", default=",".join(GPU_PEERS), help="a comma list, or '' (default: all installed)")
    parser.add_argument("--out", type=Path, help="the JSON (default: gpu.json in benchmarks/results; some cases: none)")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--once", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main() -> int:
    options = parse(sys.argv[1:])
    if not torch.cuda.is_available():
        sys.exit("benchmarks/gpu.py: no NVIDIA GPU was found (torch.cuda.is_available() is False)")
    by_name = {case.name: case for case in GPU_CASES}
    if options.worker:
        name, file, *names = options.worker
        work(name, Path(file), [by_name[n] for n in names])
        return 0
    if options.once:
        call_once(by_name[options.once])
        return 0

    start = time.monotonic()
    cases = [case for case in GPU_CASES if options.only in case.name or re.search(options.only, case.name)]
    wanted = [name for name in options.peers.split(",") if name]
    peers = [name for name in wanted if importlib.util.find_spec(name) is not None]
    figures = {name: measure_all(name, cases) for name in ("polezero", *peers)}
    dram = {}
    for case in cases:
        if case.name in DRAM_CASES and "figure" in figures["polezero"][case.name]:
            say(f"ncu, {case.name}")
            dram[case.name] = dram_bytes(case)
    report = {
        "machine": describe_gpu(),
        "seconds": round(time.monotonic() - start),
        "peers_not_installed": [name for name in wanted if name not in peers],
        "results": [_result(case, {name: of_name[case.name] for name, of_name in figures.items()}) for case in cases],
        "dram": dram,
    }
    say("")
    out = options.out or (None if options.only else HERE / "results" / "gpu.json")
    if out is not None:
        out.write_text(json.dumps(report, indent=2) + "\n")
    print(f"{title(report)}\n\n{table(report)}\n\n{slowest(report)}")
    return int(any("failed" in of_case for of_case in figures["polezero"].values()))


def _result(case: Case, implementations: dict[str, Figures]) -> Figures:
    figure = implementations["polezero"].get("figure")
    return {
        "case": case.name,
        "measure": case.measure,
        "reach": case.reach,
        "met": None if figure is None else is_met(case, figure),
        "implementations": implementations,
    }


if __name__ == "__main__":
    sys.exit(main())
