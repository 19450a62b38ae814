"""How long the report's plain loop and ours take to reach given errors, in turn on one machine.

    python benchmarks/time_to_quality.py [--data SPEC] [--tasks ae vae] [--preset default]
                                         [--epochs 2 5 12 30] [--plain-epochs 50] [--limit 8000]
                                         [--held-out 0.2] [--threads 2] [--seed 0] [--out benchmarks/results]

The images are divided as in quality.py. The plain loop (`speed/sides.py`) trains the report's network at its
settings and is evaluated after each epoch. Ours is evaluated once a training, since its learning rate falls
to 0 at the end: several lengths give the curve. Times are those of epochs, without evaluation. The errors:
for `ae` the mean squared error per pixel, for `vae` the loss with the mean code decoded, in nats per image,
each on images that were not learned from. Writes time-to-quality-DATE.md and .json.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from latentspace.core.wording import counted
from processes import apart, latentspace
from quality import divided, evaluated_run
from speed.hardware import hardware, keep, sentence, today

SCORES = {"ae": "mse", "vae": "mean_code_loss"}
PUBLISHED = {"ae": 0.0311, "vae": 188.6}
DIGITS = {"ae": 4, "vae": 1}


def plain_curve(task: str, file: str, epochs: int, threads: int, seed: int) -> list[tuple[float, float]]:
    """(seconds so far, error) after each epoch of the plain loop."""
    import torch

    from speed.sides import Samples, plain_loop

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    with np.load(file) as arrays:
        learned, evaluated = arrays["x_train"], torch.from_numpy(arrays["x_test"]).float() / 255
    epoch, network = plain_loop(task, Samples(learned, np.zeros(len(learned), np.int64)))
    found, seconds = [], 0.0
    for _ in range(epochs):
        began = time.perf_counter()
        epoch()
        seconds += time.perf_counter() - began
        network.eval()
        with torch.no_grad():
            errors = [plain_error(task, network, batch) * len(batch) for batch in evaluated.split(500)]
        found.append((seconds, sum(errors) / len(evaluated)))
        print(task, "plain", *found[-1], flush=True)
    return found


def plain_error(task: str, network: Any, images: Any) -> float:
    """The mean over the images, with the mean code decoded."""
    from torch.nn import functional

    if task == "ae":
        return float(functional.mse_loss(network(images), images))
    logits, mu, logvar = network(images)  # a network that is evaluated decodes its mean code
    bce = functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    return float(bce - 0.5 * (1 + logvar - mu.square() - logvar.exp()).sum()) / len(images)


def reached(curve: list[tuple[float, float]], error: float) -> float | None:
    """The first time at which the error is no larger."""
    times = [seconds for seconds, found in curve if found <= error]
    return min(times) if times else None


def table(found: dict[str, Any]) -> str:
    lines = [
        f"# Time to quality, {found['date']}",
        "",
        sentence(found["hardware"]),
        f"{found['data']}; seed {found['seed']}, {counted(found['threads'], 'thread')}, "
        f"preset {found['preset']}. Seconds of epochs until images that were not learned from have "
        "an error so small. "
        "`python benchmarks/time_to_quality.py` makes this.",
        "",
        "| task | error | plain loop, s | ours, s | plain / ours |",
        "|---|---:|---:|---:|---:|",
    ]
    for task, curves in found["tasks"].items():
        for error in curves["errors"]:
            times = [reached(curves[side], error) for side in ("plain", "ours")]
            shown = ["not reached" if one is None else f"{one:.0f}" for one in times]
            plain, ours = times
            ratio = f"{plain / ours:.1f}" if plain and ours else ""
            lines.append(f"| {task} | {error:.{DIGITS[task]}f} | {shown[0]} | {shown[1]} | {ratio} |")
    lines += ["", "| task | side | seconds: error |", "|---|---|---|"]
    for task, curves in found["tasks"].items():
        for side in ("plain", "ours"):
            curve = curves[side]
            some = curve if len(curve) <= 8 else [*curve[:: max(1, len(curve) // 8)], curve[-1]]
            words = ", ".join(f"{seconds:.0f}: {error:.{DIGITS[task]}f}" for seconds, error in some)
            lines.append(f"| {task} | {side} | {words} |")
    return "\n".join(lines) + "\n"


def main(*words: str) -> None:
    ask = argparse.ArgumentParser(description="Seconds to given errors: the plain loop, and ours.")
    ask.add_argument("--data", help="by default ../shared/data/notmnist where it is, else rendered letters")
    ask.add_argument("--limit", type=int, default=8000)
    ask.add_argument("--held-out", type=float, default=0.2)
    ask.add_argument("--tasks", nargs="+", default=list(SCORES), choices=list(SCORES))
    ask.add_argument("--preset", default="default")
    ask.add_argument("--epochs", nargs="+", type=int, default=[2, 5, 12, 30])
    ask.add_argument("--plain-epochs", type=int, default=50)
    ask.add_argument("--threads", type=int, default=2)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = ask.parse_args(words)
    tasks: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        data, said = divided(given.data, given.limit, given.held_out, Path(place))
        for task in given.tasks:
            ours = []
            for epochs in given.epochs:
                out = Path(place) / f"{task}-{epochs}"
                own = ["train", task, "--preset", given.preset, "--epochs", str(epochs), "--out", str(out)]
                shared = ["--data", str(data), "--learn-from", "train+validation", "--code-size", "10", "-q"]
                with_seed = ["--threads", str(given.threads), "--seed", str(given.seed)]
                apart(latentspace, [*own, *shared, *with_seed])
                found = apart(evaluated_run, str(out))
                ours.append((found["epochs_s"], found[SCORES[task]]))
                print(task, "ours", epochs, *ours[-1], flush=True)
            arguments = (task, str(data), given.plain_epochs, given.threads, given.seed)
            plain = apart(plain_curve, *arguments)
            best = min(error for _, error in plain)
            errors = sorted({PUBLISHED[task], best, *(error for _, error in ours)}, reverse=True)
            tasks[task] = {"ours": ours, "plain": plain, "errors": errors}
    found = {
        "date": today(),
        "hardware": hardware(given.threads),
        "data": said,
        "preset": given.preset,
        "seed": given.seed,
        "threads": given.threads,
        "tasks": tasks,
    }
    keep("time-to-quality", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
