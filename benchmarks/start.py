"""How long a command takes to begin: `latentspace --help`, and `latentspace train ae` to its first step.

    python benchmarks/start.py [--data glyphs:8000] [--rounds 5] [--out benchmarks/results]

The first step begins when the first epoch's record was written, less the seconds that the epoch took. The
data lie in the cache, or where --data says, before the first round. Writes start-DATE.md and .json, with the
hardware.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from speed.hardware import hardware, keep, sentence, today

COMMAND = str(Path(sys.executable).with_name("latentspace"))


def to_help() -> float:
    began = time.perf_counter()
    subprocess.run([COMMAND, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def to_first_step(data: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        began = time.time()
        subprocess.run(
            [COMMAND, "train", "ae", "--data", data, "--epochs", "1", "--out", str(out), "-q"], check=True
        )
        metrics = out / "metrics.jsonl"
        (record,) = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
        return metrics.stat().st_mtime - record["seconds"] - began


def table(found: dict[str, Any]) -> str:
    lines = [
        f"# Start, {found['date']}",
        "",
        sentence(found["hardware"]),
        "Whole processes. `python benchmarks/start.py` makes this file.",
        "",
        "| | median, s | lowest to highest | wanted |",
        "|---|---:|---|---:|",
    ]
    for name, seconds, wanted in (
        ("`latentspace --help`", found["help_s"], 0.3),
        (f"`latentspace train ae` on {found['data']}, to its first step", found["first_step_s"], 4),
    ):
        median = statistics.median(seconds)
        lines.append(f"| {name} | {median:.2f} | {min(seconds):.2f} to {max(seconds):.2f} | {wanted} |")
    return "\n".join(lines) + "\n"


def main(*words: str) -> None:
    ask = argparse.ArgumentParser(description="How long a command takes to begin.")
    ask.add_argument("--data", default="glyphs:8000")
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = ask.parse_args(words)
    subprocess.run([COMMAND, "data", "info", given.data], check=True, stdout=subprocess.DEVNULL)
    found = {
        "date": today(),
        "hardware": hardware(),
        "data": Path(given.data).name,
        "help_s": [to_help() for _ in range(given.rounds)],
        "first_step_s": [to_first_step(given.data) for _ in range(given.rounds)],
    }
    keep("start", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
