"""A search against its own trials in a plain loop.

    PYTHONPATH=benchmarks python benchmarks/search_trials.py [DATA] [TRIALS] [EPOCHS]

First `latentspace search ae` as a user starts it, on all cores, start-up, data and split included. Then the
networks that it drew, one after the other, in the plain loop of speed/sides.py with all threads and the same
validation after each epoch; reading the data is not counted there. Prints both times and their ratio.
"""

import re
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

from latentspace.data.sources import DataConfig, load_images
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


def main(data: str = "glyphs:8000", trials: int = 12, epochs: int = 5) -> None:
    images = load_images(DataConfig(spec=data))
    pixels = np.asarray(images.pixels).reshape(len(images), 1, 28, 28)
    order = np.random.default_rng(0).permutation(len(pixels))
    first, second = int(0.6 * len(pixels)), int(0.8 * len(pixels))
    parts = [Samples(pixels[one], np.zeros(len(one))) for one in (order[:first], order[first:second])]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "study"
        command = [str(Path(sys.executable).with_name("latentspace")), "search", "ae", "--data", data]
        command += ["--out", str(out), "--trials", str(trials), "--epochs", str(epochs), "--no-final", "-q"]
        began = time.perf_counter()
        subprocess.run(command, check=True)
        ours = time.perf_counter() - began
        storage = JournalStorage(JournalFileBackend(str(out / "journal.log")))
        (name,) = optuna.study.get_all_study_names(storage)
        finished = optuna.load_study(study_name=name, storage=storage).trials
        print(f"search: {ours:.1f} s, {len(finished)} trials", flush=True)
        began = time.perf_counter()
        for one in finished:
            score = plain(one.params, *parts, epochs)
            print(f"trial {one.number}: {one.value} in the search, {score:.5f} in the plain loop", flush=True)
        theirs = time.perf_counter() - began
    threads = torch.get_num_threads()
    print(f"plain loop: {theirs:.1f} s with {threads} threads; the search is {theirs / ours:.2f}x as fast")


if __name__ == "__main__":
    main(*[int(one) if one.isdigit() else one for one in sys.argv[1:]])
