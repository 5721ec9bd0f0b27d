"""polezero and its peers against x.clone(): a table, and JSON in benchmarks/results/.

    make bench                                          every case, every peer that is installed
    python benchmarks/run.py --only 'order' --quick     some of it, roughly
    python benchmarks/run.py --capability avx2          the same on another instruction set

benchmarks/README.md says what each case is and how it is measured.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cases import CASES, SIGNALS_MOVED, Case, Op, is_met
from implementations import HOW_TO_INSTALL, PEERS, Implementation, find
from machine import describe
from measure import Contender, Timing, interleaved, keep_memory
from peak_memory import peak_signals
from problems import SILENCE_RADII, noise, silence
from render import table, title

HERE = Path(__file__).parent
SECONDS_A_PEER, SECONDS_OF_OURS = 1.0, 2.0  # for one case and its clone
QUICK = 0.2  # times these
AGREEMENT = 1e-4  # of a peer, whose state may be float32: another filter, not another rounding
Figures = dict[str, Any]  # of one case and implementation, as in the JSON


def measure(case: Case, implementation: Implementation, seconds: float) -> Figures | None:
    """The case's figure and what it was made from; None where the implementation cannot do the case."""
    if not implementation.has(case):
        return None
    if case.measure == "memory":
        return {"figure": peak_signals(case, implementation.name)}
    if case.measure == "threads":
        return _two_threads(case, implementation, seconds) if implementation.name == "polezero" else None
    if case.measure == "silence":
        return _silence_over_noise(case, implementation, seconds)
    return _over_clone(case, implementation, seconds)


def _over_clone(case: Case, implementation: Implementation, seconds: float) -> Figures:
    problem = noise(case)
    calls = [problem.x.clone, implementation.call(case, problem)]
    if case.measure == "sosfilt":
        calls.append(_polezero().call(replace(case, op=Op.SOSFILT), problem))
    clone, own, *sosfilt = interleaved([Contender(call, case.threads) for call in calls], seconds)
    ratio = own.best_s / clone.best_s
    figures = {"call": own.best_s * 1e6, "mode": own.best_s / case.size / case.order * 1e9}
    if sosfilt:
        figures["sosfilt"] = own.best_s / sosfilt[0].best_s
    return {
        "figure": figures.get(case.measure, ratio),
        "ratio_to_clone": ratio,
        "clone_ns_per_sample": clone.best_s / case.size * 1e9,
        "clone_median_over_best": clone.median_s / clone.best_s,
        **_rates(case, own, problem.x.element_size()),
    }


def _polezero() -> Implementation:
    found = find("polezero")
    assert found is not None
    return found


def check_agreement(case: Case, peer: Implementation) -> None:
    """Stop unless a peer filters a row of the case as polezero does."""
    case = replace(case, rows=1, direction="forward")
    problem = noise(case)
    ours, theirs = (np.asarray(i.call(case, problem)()) for i in (_polezero(), peer))
    error = np.linalg.norm(theirs - ours) / np.linalg.norm(ours)
    if not error < AGREEMENT:
        sys.exit(f"{case.name}: {peer.name} differs from polezero by {error:.1g}, relative RMS")


def _two_threads(case: Case, implementation: Implementation, seconds: float) -> Figures:
    problem = noise(case)
    call = implementation.call(case, problem)
    one, two = interleaved([Contender(call), Contender(call, threads=2)], 2 * seconds)  # both cores must be free
    return {"figure": one.best_s / two.best_s, **_rates(case, two, problem.x.element_size())}


def _silence_over_noise(case: Case, implementation: Implementation, seconds: float) -> Figures:
    worst: Figures = {"figure": 0.0}
    for radius in SILENCE_RADII:
        quiet, loud = (implementation.call(case, problem) for problem in silence(case, radius))
        quiet_time, loud_time = interleaved([Contender(quiet), Contender(loud)], seconds / len(SILENCE_RADII))
        figure = quiet_time.best_s / loud_time.best_s
        if figure > worst["figure"]:
            worst = {"figure": figure, "pole_radius": radius, **_rates(case, quiet_time, 4)}
    return worst


def _rates(case: Case, timing: Timing, bytes_a_sample: int) -> Figures:
    ns_per_sample = timing.best_s / case.size * 1e9
    return {
        "ns_per_sample": ns_per_sample,
        "gb_per_s": SIGNALS_MOVED[case.direction] * bytes_a_sample / ns_per_sample,
        "page_faults": timing.page_faults,
        "timings": timing.timings,
    }


def measure_all(cases: list[Case], names: list[str], is_quick: bool) -> dict[str, dict[str, Figures]]:
    """Figures by case and implementation, of those that are importable here."""
    torch.set_num_threads(1)
    implementations = [found for name in names if (found := find(name)) is not None]
    results: dict[str, dict[str, Figures]] = {}
    for case in cases:
        for implementation in implementations:
            say(f"{implementation.name:10} {case.name}")
            if implementation.name != "polezero" and implementation.has(case) and find("polezero") is not None:
                check_agreement(case, implementation)
            seconds = SECONDS_OF_OURS if implementation.name == "polezero" else SECONDS_A_PEER
            figures = measure(case, implementation, seconds * (QUICK if is_quick else 1))
            if figures is not None:
                results.setdefault(case.name, {})[implementation.name] = {**figures, "version": implementation.version}
    return results


def measure_elsewhere(python: Path, name: str, arguments: list[str]) -> dict[str, dict[str, Figures]]:
    """`measure_all` for one implementation under another interpreter, whose torch has its own clone."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [str(python), __file__, "--worker", name, file.name, *arguments]
        subprocess.run(command, env=os.environ | {"PYTHONWARNINGS": "ignore"}, check=True)
        answer: dict[str, dict[str, Figures]] = json.load(file)
    return answer


def say(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="REGEX", default="", help="cases whose name matches or has this in it")
    parser.add_argument("--quick", action="store_true", help="a fifth of the repeats; written as scratch.json")
    parser.add_argument("--capability", choices=["baseline", "avx2", "avx512"], help="force polezero's instruction set")
    parser.add_argument(
        "--peers",
        nargs="?",
        const="all",
        default="installed",
        help="a comma list, 'none', 'installed' (default) or, with no value, all of them, none of which may be missing",
    )
    parser.add_argument("--name", help="of the file in benchmarks/results/ (default: the instruction set)")
    parser.add_argument("--philtorch-python", type=Path, default=HERE.parent / ".venv-philtorch/bin/python")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def wanted_peers(options: argparse.Namespace) -> list[str]:
    """The peers to measure; says which are missing."""
    names = {"none": [], "installed": list(PEERS), "all": list(PEERS)}.get(options.peers, options.peers.split(","))
    if unknown := set(names) - set(PEERS):
        sys.exit(f"--peers: expected names of {', '.join(PEERS)}, got {', '.join(sorted(unknown))}")
    missing = [n for n in names if find(n) is None and not (n == "philtorch" and options.philtorch_python.exists())]
    for name in missing:
        print(f"{name} is not installed: {HOW_TO_INSTALL[name]}", file=sys.stderr)
    if missing and options.peers != "installed":
        sys.exit(1)
    return [name for name in names if name not in missing]


def main() -> None:
    options = parse(sys.argv[1:])
    keep_memory(**({"POLEZERO_CPU_CAPABILITY": options.capability} if options.capability else {}))
    cases = [case for case in CASES if options.only in case.name or re.search(options.only, case.name)]
    if options.worker:
        name, file = options.worker
        Path(file).write_text(json.dumps(measure_all(cases, [name], options.quick)))
        return

    start = time.monotonic()
    if find("polezero") is None:
        sys.exit(f"polezero is not installed: {HOW_TO_INSTALL['polezero']}")
    peers = wanted_peers(options)
    machine = describe()
    figures = measure_all(cases, ["polezero", *peers], options.quick)
    if "philtorch" in peers and find("philtorch") is None:
        same = ["--only", options.only, *(["--quick"] if options.quick else [])]
        for case_name, found in measure_elsewhere(options.philtorch_python, "philtorch", same).items():
            figures[case_name].update(found)
    say("")
    results = [
        {
            "case": case.name,
            "measure": case.measure,
            "reach": case.reach,
            "met": is_met(case, figures[case.name]["polezero"]["figure"]),
            "implementations": figures[case.name],
        }
        for case in cases
    ]
    report = {"machine": machine, "seconds": round(time.monotonic() - start), "results": results}
    name = options.name or ("scratch" if options.quick or options.only else machine["capability"])
    path = HERE / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")
    print(title(report))
    print(table(report))
    print(f"\n{report['seconds']} s; written to {path.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
