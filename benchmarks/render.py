"""Tables from the JSON of run.py and gpu.py; run by hand, it puts them into benchmarks/README.md.

python benchmarks/render.py avx512 avx2        results/avx512.json and results/avx2.json, in this order
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
UNITS = {
    **{"clone": "x", "call": " us", "threads": "x faster", "memory": " signals", "silence": "x noise"},
    **{"mode": " ns/mode", "sosfilt": "x sosfilt"},
    **{"copy": "x", "kernel": " us"},
}
PEERS = ("scipy", "torchaudio", "philtorch")
GPU_PEERS = ("torchaudio", "cupyx", "philtorch", "torchlpc")
MET = {True: "yes", False: "NO", None: ""}  # no reach, no verdict
SLOWEST = 5


def title(report: dict[str, Any]) -> str:
    return _gpu_title(report) if "gpu" in report["machine"] else _cpu_title(report)


def table(report: dict[str, Any]) -> str:
    return _gpu_table(report) if "gpu" in report["machine"] else _cpu_table(report)


def _cpu_title(report: dict[str, Any]) -> str:
    m = report["machine"]
    own = [row["implementations"]["polezero"] for row in report["results"]]
    noise = max([figures.get("clone_median_over_best", 1.0) for figures in own], default=1.0)
    faults = max([figures.get("page_faults", 0.0) for figures in own], default=0.0)
    return "\n".join(
        [
            *machine_lines(m, _versions(report)),
            f"clone's median at most {noise:.2f} times its best, at most {faults:.0f} page faults in a best timing",
        ]
    )


def machine_lines(m: dict[str, Any], versions: str) -> list[str]:
    """What `machine.describe` found, and the versions of what was measured."""
    return [
        f"{m['cpu']}, {m['cores']} cores, {m['caches']}; {m['libc']}, Python {m['python']},",
        f"torch {m['torch']} ({m['torch_capability']}); polezero on {m['capability']}, commit {m['commit']};",
        f"{versions};",
        f"{m['date']}, load at the start {m['load_average']:.1f};",
    ]


def _gpu_title(report: dict[str, Any]) -> str:
    m = report["machine"]
    own = [row["implementations"]["polezero"] for row in report["results"]]
    noise = max([figures.get("copy_median_over_best", 1.0) for figures in own], default=1.0)
    lines = [
        f"{m['gpu']} (sm_{m['compute_capability'].replace('.', '')}), {m['multiprocessors']} multiprocessors, "
        f"L2 {m['l2_bytes'] / 2**20:.0f} MiB; driver {m['driver']}, torch {m['torch']}, CUDA {m['cuda']};",
        f"{m['cpu']}, Python {m['python']}; polezero for sm_{m['kernels_for']}, commit {m['commit']};",
        f"{_versions(report)}" + "".join(f"; {name} is not installed" for name in report["peers_not_installed"]) + ";",
        f"{m['date']}; copy's median at most {noise:.2f} times its best; * between events, not a graph's replay",
    ]
    for case, found in report["dram"].items():
        if "failed" in found:
            lines.append(f"DRAM bytes of {case}: not measured: {found['failed']}")
        else:
            reach = "" if found["reach"] is None else f" (reach <= {found['reach']:g})"
            lines.append(f"DRAM bytes a sample of {case}: {_number(found['bytes_per_sample'])}{reach}")
    return "\n".join(lines)


def _versions(report: dict[str, Any]) -> str:
    versions = {name: f.get("version") for row in report["results"] for name, f in row["implementations"].items()}
    return ", ".join(f"{name} {version or '(does not load)'}" for name, version in versions.items())


def _cpu_table(report: dict[str, Any]) -> str:
    peers = [p for p in PEERS if any(p in row["implementations"] for row in report["results"])]
    header = ["case", "clone ns", "ns/sample", "GB/s", "measured", "reach", "met", *peers]
    return aligned([header] + [_row(row, peers) for row in report["results"]])


def _gpu_table(report: dict[str, Any]) -> str:
    peers = [p for p in GPU_PEERS if any("figure" in row["implementations"].get(p, {}) for row in report["results"])]
    header = ["case", "copy us", "kernel us", "GB/s", "measured", "reach", "met", "eager us", *peers]
    return aligned([header] + [_gpu_row(row, peers) for row in report["results"]])


def slowest(report: dict[str, Any]) -> str:
    """The figures that are furthest above their reach, and what has no figure."""
    rows = [row for row in report["results"] if row["reach"] is not None]
    measured = [row for row in rows if "figure" in row["implementations"]["polezero"]]
    measured.sort(key=_over_reach, reverse=True)
    lines = ["slowest against their reach:" if measured else "nothing was measured"]
    for row in measured[:SLOWEST]:
        figure = f"{_number(row['implementations']['polezero']['figure'])}{UNITS[row['measure']]}"
        lines.append(f"  {_number(_over_reach(row))} times the reach  {row['case']}: {figure}, reach {row['reach']:g}")
    lines += [
        f"  no figure: {row['case']}: {_why(row['implementations']['polezero'])}" for row in rows if row not in measured
    ]
    return "\n".join(lines)


def _over_reach(row: dict[str, Any]) -> float:
    return float(row["implementations"]["polezero"]["figure"] / row["reach"])


def _why(figures: dict[str, Any]) -> str:
    return str(figures.get("missing") or f"failed: {figures['failed']}")


def aligned(rows: list[list[str]]) -> str:
    """A Markdown table with its columns aligned, so that it reads well in a terminal too."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    rule = "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths))
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def _line(cells: list[str], widths: list[int]) -> str:
    padded = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return "| " + " | ".join(padded) + " |"


def _reach(row: dict[str, Any], unit: str) -> str:
    sign = ">=" if row["measure"] == "threads" else "<="
    return "" if row["reach"] is None else f"{sign} {row['reach']:g}{unit}"


def _row(row: dict[str, Any], peers: list[str]) -> list[str]:
    own = row["implementations"]["polezero"]
    unit = UNITS[row["measure"]]
    return [
        row["case"],
        _number(own.get("clone_ns_per_sample")),
        _number(own.get("ns_per_sample")),
        _number(own.get("gb_per_s")),
        _number(own["figure"]) + unit,
        _reach(row, ""),
        MET[row["met"]],
        *(_peer(row["implementations"].get(peer), own) for peer in peers),
    ]


def _gpu_row(row: dict[str, Any], peers: list[str]) -> list[str]:
    own = row["implementations"]["polezero"]
    reach = _reach(row, "" if row["measure"] == "copy" else UNITS[row["measure"]])
    if "figure" not in own:
        measured = "failed" if "failed" in own else own["missing"]
        return [row["case"], "", "", "", measured, reach, "", "", *(_gpu_peer(row, peer) for peer in peers)]
    return [
        row["case"],
        _number(own["copy_us"]),
        _number(own["kernel_us"]) + _star(own),
        _number(own["gb_per_s"]),
        _number(own["figure"]) + UNITS[row["measure"]],
        reach,
        MET[row["met"]],
        _number(own["eager_us"]),
        *(_gpu_peer(row, peer) for peer in peers),
    ]


def _gpu_peer(row: dict[str, Any], peer: str) -> str:
    figures, own = row["implementations"].get(peer, {}), row["implementations"]["polezero"]
    if "failed" in figures:
        return "failed"
    if "figure" not in figures:
        return ""
    return (_peer(figures, own) if "figure" in own else _number(figures["figure"])) + _star(figures)


def _star(figures: dict[str, Any]) -> str:
    return "" if figures["how"] == "graph" else "*"


def _peer(figures: dict[str, Any] | None, own: dict[str, Any]) -> str:
    """The peer's own figure and, in brackets, how many times polezero's it is."""
    if figures is None:
        return ""
    return f"{_number(figures['figure'])} ({_number(figures['figure'] / own['figure'])}x)"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _part(path: Path) -> str:
    if path.with_suffix(".txt").exists():  # what kernels_bench, or another program, printed
        return f"```\n{path.with_suffix('.txt').read_text().rstrip()}\n```"
    report = json.loads(path.with_suffix(".json").read_text())
    return f"{title(report)}\n\n{table(report)}"


def main(names: list[str]) -> None:
    parts = []
    for name in names:
        parts.append(f"### {name}\n\n{_part(HERE / 'results' / name)}\n")
    readme = HERE / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n\n" + "\n".join(parts) + f"\n{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1:] or sys.exit(__doc__))
