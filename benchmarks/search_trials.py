"""A search against its own trials in a plain loop, in turns.

    python benchmarks/search_trials.py [--data SPEC] [--trials 12] [--epochs 5] [--rounds 5]
                                       [--out benchmarks/results]

First `latentspace search ae` as a user starts it, on all cores, start-up, data and split included. Then the
networks that it drew, one after the other, in the plain loop of speed/sides.py with all threads, for as many
epochs as each had, and the same validation after each; reading the data is not counted there. Writes
search-DATE.md and .json, with the hardware.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from torch import nn
from torch.utils.data import DataLoader

from latentspace.core.environment import has_native_bf16
from latentspace.core.wording import counted
from latentspace.data.config import DataConfig
from latentspace.data.sources import load_images
from latentspace.data.splits import Shares, split
from speed.hardware import hardware, keep, sentence, today
from speed.sides import Samples


def value(params: dict[str, Any], pattern: str) -> Any:
    (found,) = [one for name, one in params.items() if re.search(pattern, name)]
    return found


def network(params: dict[str, Any]) -> nn.Module:
    one, two, three = (value(params, f"conv{number}") for number in (1, 2, 3))
    neurons, code = value(params, "neurons"), value(params, "code_size")
    return nn.Sequential(
        nn.Conv2d(1, one, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(one, two, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(two, three, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(9 * three, neurons),
        nn.ReLU(),
        nn.Linear(neurons, code),
        nn.Linear(code, neurons),
        nn.ReLU(),
        nn.Linear(neurons, 9 * three),
        nn.ReLU(),
        nn.Unflatten(1, (three, 3, 3)),
        nn.ConvTranspose2d(three, two, 3, stride=2),
        nn.ReLU(),
        nn.ConvTranspose2d(two, one, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(one, 1, 3, stride=2, padding=1, output_padding=1),
        nn.Sigmoid(),
    )


def plain(params: dict[str, Any], train: Samples, validation: Samples, epochs: int) -> float:
    model = network(params)
    batch = value(params, "batch")
    optimizer = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}[value(params, "optim").lower()](
        model.parameters(), lr=value(params, "rate"), weight_decay=1e-5
    )
    score = float("nan")
    for _ in range(epochs):
        model.train()
        for images, _ in DataLoader(train, batch_size=batch, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(images), images)
            loss.backward()
            optimizer.step()
            loss.item()
        model.eval()
        with torch.no_grad():
            losses = [
                nn.functional.mse_loss(model(images), images).item()
                for images, _ in DataLoader(validation, batch_size=batch)
            ]
        score = float(np.mean(losses))
    return score


def one_search(data: str, out: Path, trials: int, epochs: int) -> float:
    """Seconds of the command, on all cores, as a user starts it."""
    command = [str(Path(sys.executable).with_name("latentspace")), "search", "ae", "--data", data]
    command += ["--preset", "report", "--near-copies", "off"]  # as the plain loop
    command += ["--out", str(out), "--trials", str(trials), "--epochs", str(epochs), "--no-final", "-q"]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began


def drawn(study: Path) -> list[optuna.trial.FrozenTrial]:
    storage = JournalStorage(JournalFileBackend(str(study / "journal.log")))
    (name,) = optuna.study.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage).trials


def one_round(data: str, parts: list[Samples], trials: int, epochs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        ours = one_search(data, Path(folder) / "study", trials, epochs)
        finished = drawn(Path(folder) / "study")
    run = [len(one.intermediate_values) for one in finished]  # a trial that was pruned is as short here
    began = time.perf_counter()
    scores = [plain(one.params, *parts, count) for one, count in zip(finished, run, strict=True)]
    theirs = time.perf_counter() - began
    best = min(one.value for one in finished if one.value is not None)
    return {
        "search_s": ours,
        "plain_s": theirs,
        "ratio": theirs / ours,
        "epochs": sum(run),
        "best": best,
        "best_plain": min(scores),
    }


def table(found: dict[str, Any]) -> str:
    lines = [
        f"# A search against its own trials, {found['date']}",
        "",
        sentence(found["hardware"]),
        f"{counted(found['trials'], 'trial')} of at most {counted(found['epochs'], 'epoch')} on "
        f"{found['data']}, 60/20/20. The search is the command, start-up and reading included, on all "
        "cores. The plain loop trains the same networks for as many epochs, one after the other, with all "
        "threads. `python benchmarks/search_trials.py` makes this file.",
        "",
        "| round | search, s | plain loop, s | ratio | epochs run | best of the search | best of the loop |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for number, one in enumerate(found["rounds"], start=1):
        lines.append(
            f"| {number} | {one['search_s']:.1f} | {one['plain_s']:.1f} | {one['ratio']:.2f} "
            f"| {one['epochs']} | {one['best']:.4f} | {one['best_plain']:.4f} |"
        )
    median = statistics.median(one["ratio"] for one in found["rounds"])
    return "\n".join([*lines, "", f"Median ratio: **{median:.2f}x** (wanted: 2)."]) + "\n"


def main(*words: str) -> None:
    ask = argparse.ArgumentParser(description="A search against its own trials in a plain loop.")
    ask.add_argument("--data", default="glyphs:4000")
    ask.add_argument("--trials", type=int, default=12)
    ask.add_argument("--epochs", type=int, default=5)
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = ask.parse_args(words)
    images = load_images(DataConfig(spec=given.data))
    shares = split(images, Shares.parse("60/20/20"), 0)  # the search's own
    parts = [Samples(images.pixels[one], np.zeros(len(one))) for one in (shares.train, shares.validation)]
    rounds = []
    for _ in range(given.rounds):
        rounds.append(one_round(given.data, parts, given.trials, given.epochs))
        print(rounds[-1], flush=True)
    found = {
        "date": today(),
        "hardware": hardware(precision="bf16" if has_native_bf16("cpu") else "32"),
        "data": images.source,
        "trials": given.trials,
        "epochs": given.epochs,
        "rounds": rounds,
    }
    keep("search", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
