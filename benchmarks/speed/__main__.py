"""`make benchmark`: the plain loop against ours in turns, peers beside them, and what the machine could do.

    PYTHONPATH=benchmarks python -m speed [--only ae vae ...] [--rounds 5] [--threads 2] [--out FOLDER]

Each side is a process of its own, prepared and warm before the first round; only one computes at a time, and
who goes first changes from round to round. A round is an epoch, for a classifier the report's 30 epochs. A
ratio is the median over the rounds. Writes speed-DATE.md and .json, with the hardware.
"""

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Any

from latentspace.core.wording import counted
from processes import Steps

from .hardware import hardware, keep, sentence, today
from .networks import NETWORKS, loss_of
from .sides import rounds_of

HERE = Path(__file__).resolve().parent
# name: (kind, the side it is measured against, ours, images, the ratio wanted)
COMPARISONS: dict[str, tuple[str, str, str, int, float | None]] = {
    "ae": ("ae", "plain", "ours", 2660, 1.9),
    "dae": ("dae", "plain", "ours", 2525, None),
    "vae": ("vae", "plain", "ours", 768, 2.1),
    "classifier": ("classifier", "plain", "ours", 8000, 6.0),
    "classifier-tensors": ("classifier", "plain-tensors", "ours", 8000, 6.0),
    "encoding-32": ("ae", "one-by-one", "encode-ours", 4096, 10.0),
    "encoding-bf16": ("ae", "one-by-one", "encode-bf16", 4096, 10.0),
    "pythae": ("ae", "pythae", "ours", 2660, 2.2),
    "skorch-ae": ("ae", "skorch", "ours", 2660, None),
    "skorch-classifier": ("classifier", "skorch", "ours", 8000, None),
}


def compare(name: str, rounds: int, threads: int, images: int | None = None) -> dict[str, Any]:
    kind, theirs, ours, many, wanted = COMPARISONS[name]
    images = images or many
    threads = 1 if kind == "classifier" else threads
    sides = {side: Steps(rounds_of, side, kind, threads, images, threads=threads) for side in (theirs, ours)}
    pairs = []
    for number in range(rounds):
        order = (theirs, ours) if number % 2 == 0 else (ours, theirs)
        found = {side: speed(sides[side]) for side in order}
        pairs.append((found[theirs], found[ours]))
        print(
            f"{name:18} round {number + 1}: {theirs} {pairs[-1][0]:9.0f}  ours {pairs[-1][1]:9.0f} images/s"
            f"  {pairs[-1][1] / pairs[-1][0]:.2f}x",
            flush=True,
        )
    peaks = {side: one.close() for side, one in sides.items()}
    ratios = [ours_ / theirs_ for theirs_, ours_ in pairs]
    return {
        "name": name,
        "against": theirs,
        "threads": threads,
        "theirs_images_per_second": statistics.median(one for one, _ in pairs),
        "ours_images_per_second": statistics.median(one for _, one in pairs),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "wanted": wanted,
        "mflop_per_image": flops(name) / 1e6 if ours == "ours" and kind != "classifier" else None,
        "peak_mib": {"theirs": peaks[theirs], "ours": peaks[ours]},
    }


def speed(side: Steps) -> float:
    """Images a second of one round."""
    side.ask()
    images, seconds = side.answer()
    return images / seconds


def flops(name: str) -> float:
    """Forward and backward of one image of the plain network, by PyTorch's own counter."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    kind = COMPARISONS[name][0]
    network, images = NETWORKS[kind](), torch.rand(8, 1, 28, 28)
    with FlopCounterMode(display=False) as counter:
        loss_of(kind, network, images, None).backward()
    return counter.get_total_flops() / 8


def table(found: dict[str, Any]) -> str:
    where = found["hardware"]
    lines = [
        f"# Speed, {found['date']}",
        "",
        sentence(where),
        f"Precision {found['precision']}. Medians of {counted(found['rounds'], 'round')} in turns, each "
        "side a process of its own. `make benchmark` makes this file.",
        "",
        "| | against | theirs, images/s | ours, images/s | ratio | lowest to highest | wanted | GFLOP/s "
        "| of the product | peak MiB, theirs and ours |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found["comparisons"]:
        mflop = one["mflop_per_image"]
        rate = None if mflop is None else one["ours_images_per_second"] * mflop / 1e3
        lines.append(
            f"| {one['name']} | {one['against']} | {one['theirs_images_per_second']:,.0f} "
            f"| {one['ours_images_per_second']:,.0f} | **{one['ratio']:.2f}x** "
            f"| {min(one['ratios']):.2f} to {max(one['ratios']):.2f} "
            f"| {'' if one['wanted'] is None else one['wanted']} "
            f"| {'' if rate is None else format(rate, '.0f')} "
            f"| {'' if rate is None else format(rate / where['matmul_gflops'], '.0%')} "
            f"| {one['peak_mib']['theirs']:,} and {one['peak_mib']['ours']:,} |"
        )
    return "\n".join(lines) + "\n"


def main(*words: str) -> None:
    ask = argparse.ArgumentParser(description="The plain loop against ours, in turns.")
    ask.add_argument("--only", nargs="+", choices=COMPARISONS, default=list(COMPARISONS))
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--images", type=int, help="a round, instead of what each comparison has")
    ask.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    ask.add_argument("--out", type=Path, default=HERE.parent / "results")
    given = ask.parse_args(words)

    from latentspace.core.environment import has_native_bf16

    precision = "bf16" if has_native_bf16("cpu") else "32"
    where = hardware(given.threads, precision)
    comparisons = [compare(name, given.rounds, given.threads, given.images) for name in given.only]
    again = hardware(given.threads, precision)  # a shared machine: the better of before and after
    where["matmul_gflops"] = max(where["matmul_gflops"], again["matmul_gflops"])
    found = {
        "date": today(),
        "hardware": where,
        "precision": precision,
        "rounds": given.rounds,
        "comparisons": comparisons,
    }
    keep("speed", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
