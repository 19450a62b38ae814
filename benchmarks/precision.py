"""Is bfloat16 as good as float32? Final validation losses of each network in both, over seeds.

    python benchmarks/precision.py [--data SPEC] [--seeds 0 1 2] [--epochs ae=50 dae=50 vae=5] [--share 1]
                                   [--out benchmarks/results]

Each network is the report's, with its batch size; `--share 4` gives the variational one a quarter of its
channels. The losses are always computed in float32; the difference of the means stands beside the spread over
the seeds. Where the processor has no native bfloat16 PyTorch emulates it: the same numbers, slower.
Writes precision-DATE.md and .json, with the hardware.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from latentspace.experiment.config import Experiment
from latentspace.training.train import train
from speed.hardware import hardware, keep, sentence, today

PRECISIONS = ("32", "bf16")


def plan_of(kind: str, precision: str, seed: int, epochs: int, data: str, share: int) -> Experiment:
    model = {"conv1_channels": 200 // share, "conv2_channels": 400 // share} if kind == "vae" else {}
    return Experiment.model_validate(
        {
            "kind": kind,
            "seed": seed,
            "device": "cpu",
            "precision": precision,
            "data": {"spec": data},
            "model": model,
            "training": {"epochs": epochs},
        }
    )


def losses(kind: str, epochs: int, seeds: list[int], data: str, share: int) -> dict[str, Any]:
    found: dict[str, list[float]] = {one: [] for one in PRECISIONS}
    for seed in seeds:
        for precision in PRECISIONS:
            plan = plan_of(kind, precision, seed, epochs, data, share)
            with tempfile.TemporaryDirectory() as folder:
                run = train(plan, Path(folder) / "run")
                found[precision].append(run.metrics[-1]["validation"][plan.task.score])
            print(kind, precision, seed, found[precision][-1], flush=True)
    return {
        "kind": kind,
        "score": plan.task.score,
        "epochs": epochs,
        "share": share,
        "seeds": seeds,
        "losses": found,
    }


def table(found: dict[str, Any]) -> str:
    lines = [
        f"# bfloat16 and float32, {found['date']}",
        "",
        sentence(found["hardware"]),
        f"Validation losses after the last epoch, in float32, on `{found['data']}` split 60/20/20; means "
        "over seeds. `python benchmarks/precision.py` makes this file.",
        "",
        "| network | epochs | seeds | score | float32 | bfloat16 | difference | spread over seeds, each |",
        "|---|---:|---:|---|---:|---:|---:|---|",
    ]
    for one in found["networks"]:
        plain, less = (one["losses"][name] for name in PRECISIONS)
        digits = 2 if one["kind"] == "vae" else 5
        spread = ", ".join(f"{max(each) - min(each):.{digits}f}" for each in (plain, less))
        name = one["kind"] if one["share"] == 1 or one["kind"] != "vae" else f"vae, 1/{one['share']} channels"
        means = statistics.mean(plain), statistics.mean(less)
        lines.append(
            f"| {name} | {one['epochs']} | {len(one['seeds'])} | {one['score']} | {means[0]:.{digits}f} "
            f"| {means[1]:.{digits}f} | {means[1] - means[0]:+.{digits}f} | {spread} |"
        )
    return "\n".join(lines) + "\n"


def main(*words: str) -> None:
    ask = argparse.ArgumentParser(description="Final losses in both precisions.")
    ask.add_argument("--data", default="glyphs:2000")
    ask.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    ask.add_argument("--epochs", nargs="+", default=["ae=50", "dae=50", "vae=5"])
    ask.add_argument("--share", type=int, default=1)
    ask.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = ask.parse_args(words)
    networks = []
    for one in given.epochs:
        kind, _, epochs = one.partition("=")
        networks.append(losses(kind, int(epochs), given.seeds, given.data, given.share))
    found = {
        "date": today(),
        "hardware": hardware(precision="bf16"),
        "data": Path(given.data).name,
        "networks": networks,
    }
    keep("precision", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
