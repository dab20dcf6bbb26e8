"""Measure every line in a process of its own, print the table, write `bench.json`.

A line is CPU seconds (or milliseconds) of ours beside those of a peer measured in the same run on the same input; what
counts is the ratio, because absolute figures belong to a machine.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.bench.lines import LINES


def main() -> int:
    """Run the chosen lines; exit 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("lines", nargs="*", choices=[[], *LINES], help="which lines (default: all)")
    parser.add_argument("--rows", type=int, default=10_000_000, help="transactions in the generated statements (default: 10 M)")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    parser.add_argument("--measure", choices=LINES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(LINES[asked.measure](asked.rows)))
        return 0
    results = []
    for name in asked.lines or LINES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "tests.bench", "--measure", name, "--rows", str(asked.rows)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        results += json.loads(done.stdout.splitlines()[-1])
    asked.out.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))
    return 0 if all(result["ok"] for result in results) else 1


def table(results: list[dict[str, object]]) -> str:
    """Lay the results out: name, value, peer, ratio, bar, verdict."""
    rows = [("what", "value", "beside", "ratio", "bar", "")]
    for line in results:
        ratio = "" if line["ratio"] is None else f"{line['ratio']:.2f}×"
        beside = "" if line["beside"] is None else f"{line['beside_value']:.3g} {line['unit']} ({line['beside']})"
        rows.append(
            (str(line["name"]), f"{line['value']:.3g} {line['unit']}", beside, ratio, str(line["bar"]), "ok" if line["ok"] else "MISSED")
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


if __name__ == "__main__":
    sys.exit(main())
