"""Runs the benchmarks, prints a table of each and keeps the figures as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .tables import Rows

ROOT = Path(__file__).resolve().parent.parent
QUICK: Final = ["pipeline", "memory"]
"""What runs when none is named: some three minutes together."""
LONG: Final[Mapping[str, str | None]] = {
    "soak": "minutes",
    "disconnects": "faults",
    "failover": "repeats",
    "decode": None,
    "sockets": None,
    "viewers": None,
    "visits": None,
    "faces": None,
    "rekognition": None,
    "matches": None,
    "gallery": None,
    "attendance": None,
    "occupancy": None,
    "plates": None,
    "shifted": "annotations",
    "gate": None,
}
"""Run only by name; each with the option that says how much, if it has one."""


def main() -> None:
    options = arguments()
    shared = Path(os.environ.get("FACTORY_SHARED", ROOT.parent / "shared"))
    if not shared.is_dir():
        sys.exit(f"The benchmarks need the real clips and weights of {shared}.")
    for name in options.names or QUICK:
        option = LONG.get(name)
        much = {option: getattr(options, option)} if option else {}
        tables = import_module(f"bench.{name}").run(shared, **much)
        for title, rows in tables.items():
            show(title, rows)
        keep(name, tables)


def arguments() -> argparse.Namespace:
    known = [*QUICK, *LONG]
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(known))
    parser.add_argument("--minutes", type=float, default=10, help="of soak")
    parser.add_argument("--faults", type=int, default=200, help="of disconnects")
    parser.add_argument("--repeats", type=int, default=5, help="of failover")
    parser.add_argument("--annotations", type=Path, help="folder of shifted")
    options = parser.parse_args()
    if unknown := set(options.names) - set(known):
        parser.error(f"unknown: {', '.join(unknown)}. Known: {', '.join(known)}.")
    return options


def show(title: str, rows: Rows) -> None:
    columns = list(rows[0])
    cells = [[str(row[column]) for column in columns] for row in rows]
    widths = [
        max(len(text) for text in (column, *(row[i] for row in cells)))
        for i, column in enumerate(columns)
    ]
    print(f"\n{title}")
    for line in (columns, *cells):
        print(
            "  ".join(
                text.ljust(width) for text, width in zip(line, widths, strict=True)
            )
        )


def keep(name: str, tables: Mapping[str, Rows]) -> None:
    folder = ROOT / "bench" / "results"
    folder.mkdir(exist_ok=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    figures = {"machine": machine, "tables": tables}
    (folder / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
