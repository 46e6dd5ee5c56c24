"""Runs the benchmarks, prints a table of each and keeps the figures as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ["pipeline", "memory"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or BENCHMARKS
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(unknown)}. Known: {', '.join(BENCHMARKS)}.")
    shared = Path(os.environ.get("FACTORY_SHARED", ROOT.parent / "shared"))
    if not shared.is_dir():
        sys.exit(f"The benchmarks need the real clips and weights of {shared}.")
    for name in names:
        rows = import_module(f"bench.{name}").run(shared)
        show(name, rows)
        keep(name, rows)


def show(name: str, rows: list[dict[str, object]]) -> None:
    columns = list(rows[0])
    cells = [[str(row[column]) for column in columns] for row in rows]
    widths = [
        max(len(text) for text in (column, *(row[i] for row in cells)))
        for i, column in enumerate(columns)
    ]
    print(f"\n{name}")
    for line in (columns, *cells):
        print(
            "  ".join(
                text.ljust(width) for text, width in zip(line, widths, strict=True)
            )
        )


def keep(name: str, rows: list[dict[str, object]]) -> None:
    folder = ROOT / "bench" / "results"
    folder.mkdir(exist_ok=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    figures = {"machine": machine, "rows": rows}
    (folder / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
