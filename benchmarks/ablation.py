"""What each hand-written speed-up saves a user: whole commands with all of them, and without one.

    python benchmarks/ablation.py [--data SPEC] [--images 4000] [--epochs ae=6 vae=3 classifier=30 search=10]
                                  [--trials 100] [--rounds 3] [--threads 2] [--out benchmarks/results]

Each measurement is a process: the imports, then `latentspace train` or `latentspace search`, to its end. They
take turns; who goes first changes from round to round. A search runs its trials one after the other in its
own process, so that its workers are measured without their imports. Nothing in the package knows of it:
what is left out is replaced from here. Writes ablation-DATE.md and .json, with hardware, data and seed.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from latentspace.core.wording import counted
from processes import apart, latentspace
from speed.hardware import hardware, keep, sentence, today

SEED = 0
NOTMNIST = Path(__file__).resolve().parents[2] / "shared" / "data" / "notmnist"
EPOCHS = {"ae": 6, "vae": 3, "classifier": 30, "search": 10}


def without_im2col() -> None:
    from latentspace.models.layers import conv, im2col

    conv.choose = lambda *_: im2col.Choice()


def without_numpy_head() -> None:
    from latentspace.training import loop
    from latentspace.training.steps.autograd import by_autograd

    loop.ManualBackward = lambda m, **_: partial(by_autograd, m)


def without_dropout_bits() -> None:
    import torch

    from latentspace.models.layers import dropout

    def kept(activations: torch.Tensor, p: float, generator: torch.Generator) -> torch.Tensor:
        return torch.empty_like(activations, dtype=torch.float32).uniform_(generator=generator) >= p

    dropout._kept = kept


# what is left out: (words for the table, how, the commands that it is measured in)
PARTS: dict[str, tuple[str, Callable[[], None], tuple[str, ...]]] = {
    "im2col": ("matrix-product convolutions (`models/layers/im2col.choose`)", without_im2col, ("ae", "vae")),
    "head": ("NumPy head (`training/steps/numpy_head.py`)", without_numpy_head, ("classifier", "search")),
    "dropout": ("dropout bits (`models/layers/dropout._kept`)", without_dropout_bits, ("vae",)),
}


def command(part: str, words: list[str]) -> None:
    """`latentspace` with these words, without the part; empty: with all of them."""
    from latentspace.search import run
    from latentspace.search.executors.local import LocalExecutor
    from latentspace.search.executors.worker import work

    if part:
        PARTS[part][1]()
    run.LOOKING = 0.0
    LocalExecutor.submit = lambda _, task: work(task, lambda: False)
    latentspace(words)


def seconds(part: str, words: list[str], out: Path) -> dict[str, float]:
    """Of the whole process; of a training also the seconds of its epochs alone."""
    began = time.perf_counter()
    apart(command, part, [*words, "--out", str(out), "-q"])
    found = {"command_s": time.perf_counter() - began}
    if words[0] == "train":
        from latentspace.runs.directory import Run

        found["epochs_s"] = sum(one["seconds"] for one in Run.open(out).metrics)
    return found


def letters(spec: str | None, count: int, folder: Path) -> tuple[Path, str]:
    """A file of `count` of the images, drawn at random, with their labels; and what they are."""
    from latentspace.data.config import DataConfig
    from latentspace.data.sources import load_images

    spec = spec or (str(NOTMNIST) if NOTMNIST.is_dir() else f"glyphs:{count}")
    images = load_images(DataConfig(spec=spec))
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(images))[:count])
    labels = np.array(images.class_names)[images.labels[chosen]]
    np.savez(folder / "letters.npz", images=images.pixels[chosen], labels=labels)
    return folder / "letters.npz", f"{counted(len(chosen))} of {images.source}"


def commands(
    data: Path, encoder: Path, epochs: dict[str, int], trials: int, threads: int
) -> dict[str, list[str]]:
    """The words of each command, but for the place of what it makes."""
    shared = ["--preset", "report", "--threads", str(threads), "--device", "cpu", "--seed", str(SEED)]
    own = ["--encoder", str(encoder)]
    many = {name: ["--epochs", str(number)] for name, number in epochs.items()}
    return {
        "ae": ["train", "ae", "--data", str(data), *shared, *many["ae"]],
        "vae": ["train", "vae", "--data", str(data), *shared, *many["vae"]],
        "classifier": ["train", "classifier", *own, *shared, *many["classifier"]],
        "search": [
            *("search", "classifier", *own, *shared, *many["search"]),
            *("--trials", str(trials), "--workers", "1", "--no-final"),
        ],
    }


def table(found: dict[str, Any]) -> str:
    epochs, cases = found["epochs"], found["cases"]
    threads, rounds, trials = (counted(found[f"{one}s"], one) for one in ("thread", "round", "trial"))
    lines = [
        f"# What each speed-up saves, {found['date']}",
        "",
        sentence(found["hardware"]),
        f"{found['data']}, split 60/20/20, seed {found['seed']}, {threads}, precision auto. Medians of "
        f"{rounds} in turns. Whole commands, imports included: `train` with "
        f"{counted(epochs['ae'], 'epoch')} of the report's autoencoder, {epochs['vae']} of the variational "
        f"one and {epochs['classifier']} of the classifier on codes; a classifier search of {trials} of "
        f"{counted(epochs['search'], 'epoch')}, one after the other. `python benchmarks/ablation.py` makes "
        "this.",
        "",
        "| without | command | with all, s | without it, s | it saves | lowest to highest | epochs alone |",
        "|---|---|---:|---:|---:|---|---:|",
    ]
    for part, (words, _, measured) in PARTS.items():
        for name in measured:
            pairs = list(zip(cases[name][""], cases[name][part], strict=True))
            every, less = (statistics.median(pair[at]["command_s"] for pair in pairs) for at in (0, 1))
            saved = [1 - one["command_s"] / other["command_s"] for one, other in pairs]
            alone = ""
            if "epochs_s" in pairs[0][0]:
                shares = [1 - one["epochs_s"] / other["epochs_s"] for one, other in pairs]
                alone = f"{statistics.median(shares):.0%}"
            lines.append(
                f"| {words} | {name} | {every:.1f} | {less:.1f} | **{statistics.median(saved):.0%}** "
                f"| {min(saved):.0%} to {max(saved):.0%} | {alone} |"
            )
    lines += ["", "Saved: 1 - with / without, the median over the rounds; of the command, and of its epochs."]
    return "\n".join(lines) + "\n"


def main(*words: str) -> None:
    ask = argparse.ArgumentParser(description="Whole commands with every speed-up, and without one.")
    ask.add_argument("--data", help="by default ../shared/data/notmnist where it is, else rendered letters")
    ask.add_argument("--images", type=int, default=4000)
    ask.add_argument("--epochs", nargs="+", default=[])
    ask.add_argument("--trials", type=int, default=100)
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--threads", type=int, default=2)
    ask.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = ask.parse_args(words)
    epochs = {**EPOCHS, **{name: int(many) for name, _, many in (one.partition("=") for one in given.epochs)}}
    cases: dict[str, dict[str, list[dict[str, float]]]] = {name: {} for name in EPOCHS}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data, described = letters(given.data, given.images, folder)
        every = commands(data, folder / "encoder", epochs, given.trials, given.threads)
        apart(command, "", [*every["ae"], "--epochs", "1", "--out", str(folder / "encoder"), "-q"])
        for number in range(given.rounds):
            for name, words_of in every.items():
                order = ["", *(part for part, (*_, measured) in PARTS.items() if name in measured)]
                for part in order[number % len(order) :] + order[: number % len(order)]:
                    out = folder / f"{name}-{part or 'all'}-{number}"
                    cases[name].setdefault(part, []).append(seconds(part, words_of, out))
                    print(f"round {number + 1}: {name} without {part or 'nothing'}", cases[name][part][-1])
    found = {
        "date": today(),
        "hardware": hardware(given.threads),
        "data": described,
        "seed": SEED,
        "threads": given.threads,
        "rounds": given.rounds,
        "epochs": epochs,
        "trials": given.trials,
        "cases": cases,
    }
    keep("ablation", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
