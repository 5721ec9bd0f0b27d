"""Tables from the JSON of run.py; run by hand, it puts them into benchmarks/README.md.

python benchmarks/render.py avx512 avx2        results/avx512.json and results/avx2.json, in this order
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
UNITS = {"clone": "x", "call": " us", "threads": "x faster", "memory": " signals", "silence": "x noise"}
PEERS = ("scipy", "torchaudio", "philtorch")


def title(report: dict[str, Any]) -> str:
    m = report["machine"]
    own = [row["implementations"]["polezero"] for row in report["results"]]
    noise = max([figures.get("clone_median_over_best", 1.0) for figures in own], default=1.0)
    faults = max([figures.get("page_faults", 0.0) for figures in own], default=0.0)
    versions = {name: f["version"] for row in report["results"] for name, f in row["implementations"].items()}
    return "\n".join(
        [
            f"{m['cpu']}, {m['cores']} cores, {m['caches']}; {m['libc']}, Python {m['python']},",
            f"torch {m['torch']} ({m['torch_capability']}); polezero on {m['capability']}, commit {m['commit']};",
            f"{', '.join(f'{name} {version}' for name, version in versions.items())};",
            f"{m['date']}, load at the start {m['load_average']:.1f};",
            f"clone's median at most {noise:.2f} times its best, at most {faults:.0f} page faults in a best timing",
        ]
    )


def table(report: dict[str, Any]) -> str:
    """A Markdown table with its columns aligned, so that it reads well in a terminal too."""
    peers = [p for p in PEERS if any(p in row["implementations"] for row in report["results"])]
    header = ["case", "clone ns", "ns/sample", "GB/s", "measured", "reach", "met", *peers]
    rows = [header] + [_row(row, peers) for row in report["results"]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = [_line(row, widths) for row in rows]
    rule = "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths))
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def _line(cells: list[str], widths: list[int]) -> str:
    padded = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return "| " + " | ".join(padded) + " |"


def _row(row: dict[str, Any], peers: list[str]) -> list[str]:
    own = row["implementations"]["polezero"]
    unit = UNITS[row["measure"]]
    sign = ">=" if row["measure"] == "threads" else "<="
    return [
        row["case"],
        _number(own.get("clone_ns_per_sample")),
        _number(own.get("ns_per_sample")),
        _number(own.get("gb_per_s")),
        _number(own["figure"]) + unit,
        "" if row["reach"] is None else f"{sign} {row['reach']:g}",
        {True: "yes", False: "NO", None: ""}[row["met"]],
        *(_peer(row["implementations"].get(peer), own) for peer in peers),
    ]


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
    if path.with_suffix(".txt").exists():  # what kernels_bench printed
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
