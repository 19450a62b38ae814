"""How good a preset's networks are, and how long they take: errors of images that were not learned from.

    python benchmarks/quality.py [--data SPEC] [--tasks ae vae] [--presets report default] [--seeds 0]
                                 [--held-out 0.2] [--limit 8000] [--code-size 10] [--threads 2]
                                 [--minutes M] [--pythae] [--set KEY=VALUE ...] [--out benchmarks/results]

The images are divided once, as they were published or else at random by seed 0, into those that are learned
from and those that are evaluated; nothing is chosen by the latter. PCA with as many numbers is fitted to the
former. Each training is a process of its own. With `--minutes` each has the same time; with `--pythae` the
default autoencoder of pythae stands beside (`pip install pythae`), for as long. Writes quality-DATE.md and
.json, with hardware, data, seeds, and every setting that was named.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from latentspace.core.wording import counted
from processes import apart, latentspace
from speed.hardware import hardware, keep, sentence, today

NOTMNIST = Path(__file__).resolve().parents[2] / "shared" / "data" / "notmnist"
TASKS = ("ae", "dae", "vae")
NEIGHBOURS = 10
TEST = 2  # the number of the test part


def divided(spec: str | None, limit: int, evaluated: float, folder: Path) -> tuple[Path, str]:
    """A file of the images with their two parts, and what they are."""
    from latentspace.data.config import DataConfig
    from latentspace.data.sources import load_images

    if not 0 < evaluated < 1:
        raise SystemExit(f"--held-out is a share of the images, between 0 and 1, not {evaluated:g}")
    spec = spec or (str(NOTMNIST) if NOTMNIST.is_dir() else "glyphs:8000")
    images = load_images(DataConfig(spec=spec, deduplicate=True))
    order = np.random.default_rng(0).permutation(len(images))[:limit]
    last = round(len(order) * evaluated)
    parts = {"train": np.sort(order[last:]), "test": np.sort(order[:last])}
    if images.parts is not None:  # the publisher's, so that what belongs together stays together
        own = images.parts[order]
        parts = {"train": np.sort(order[own != TEST]), "test": np.sort(order[own == TEST])}
    columns: dict[str, np.ndarray] = {}
    for part, rows in parts.items():
        columns[f"x_{part}"] = images.pixels[rows]
        if images.labels is not None:
            columns[f"y_{part}"] = np.array(images.class_names)[images.labels[rows]]
    np.savez(folder / "images.npz", **columns)  # type: ignore[arg-type]
    said = f"{len(parts['train']):,} learned from and {len(parts['test']):,} evaluated, of {images.source}"
    return folder / "images.npz", said


def evaluated_run(run: str) -> dict[str, float]:
    """What `evaluate` says of the test part, and nearest neighbours on the codes."""
    import latentspace as package
    from latentspace.data.sources import load_images

    trained = package.load(run)
    opened = package.Run.open(run)
    found = {
        name: value for name, value in package.evaluate(run).metrics.items() if isinstance(value, int | float)
    }
    images = load_images(opened.experiment.data)
    if images.labels is not None:
        learned, test = np.concatenate([opened.split.train, opened.split.validation]), opened.split.test
        codes = [trained.encode(images.pixels[part]) for part in (learned, test)]
        found["neighbours"] = neighbours(*codes, images.labels[learned], images.labels[test])
    return {
        **found,
        "epochs_s": sum(one["seconds"] for one in opened.metrics),
        "weights": float(sum(one.numel() for one in trained.model.parameters())),
        "code_size": float(trained.code_size),
    }


def neighbours(learned: Any, evaluated: Any, labels: Any, own: Any) -> float:
    """The share of the evaluated codes whose ten nearest learned ones tell their class."""
    from sklearn.neighbors import KNeighborsClassifier

    return float(KNeighborsClassifier(NEIGHBOURS).fit(learned, labels).score(evaluated, own))


def pca_error(file: str, size: int) -> float:
    """The mean squared error a pixel of the evaluated images from `size` principal components."""
    from sklearn.decomposition import PCA

    with np.load(file) as arrays:
        learned, evaluated = (
            arrays[f"x_{part}"].reshape(len(arrays[f"x_{part}"]), -1) / np.float32(255)
            for part in ("train", "test")
        )
    fitted = PCA(size, random_state=0).fit(learned)
    return float(((fitted.inverse_transform(fitted.transform(evaluated)) - evaluated) ** 2).mean())


def pythae(file: str, size: int, minutes: float, threads: int, seed: int, folder: str) -> dict[str, float]:
    """Its default autoencoder, at its default settings but the rate of its examples, for as many minutes."""
    import torch
    from pythae.data.datasets import BaseDataset
    from pythae.models import AE, AEConfig
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    with np.load(file) as arrays:
        named = {name: arrays[name] for name in arrays.files}
    learned, evaluated = (torch.from_numpy(named[f"x_{part}"]).float() / 255 for part in ("train", "test"))

    labels = torch.zeros(len(learned))

    def trained(epochs: int) -> tuple[AE, float]:
        model = AE(AEConfig(input_dim=tuple(learned.shape[1:]), latent_dim=size))
        settings = BaseTrainerConfig(
            output_dir=folder, num_epochs=epochs, learning_rate=1e-3, no_cuda=True, seed=seed
        )
        began = time.perf_counter()
        BaseTrainer(model, BaseDataset(learned, labels), training_config=settings).train()
        return model, time.perf_counter() - began

    _, seconds = trained(2)
    model, seconds = trained(max(1, round(2 * 60 * minutes / seconds)))
    with torch.no_grad():
        codes = [model.encoder(part).embedding for part in (learned, evaluated)]
        drawn = model.decoder(codes[1]).reconstruction
    found = {
        "mse": float((drawn - evaluated).square().mean()),
        "epochs_s": seconds,
        "weights": float(sum(one.numel() for one in model.parameters())),
        "code_size": float(size),
    }
    if "y_train" in named:
        found["neighbours"] = neighbours(*codes, named["y_train"], named["y_test"])
    return found


def table(found: dict[str, Any]) -> str:
    minutes = found["minutes"]
    length = f"{minutes:g} min each." if minutes else "Each for its own epochs."
    lines = [
        f"# Quality of the presets, {found['date']}",
        "",
        sentence(found["hardware"]),
        f"{found['data']}; seeds {', '.join(map(str, found['seeds']))}: mean, and lowest to highest. "
        f"{counted(found['threads'], 'thread')}. Named besides: {found['settings'] or 'nothing'}. "
        f"{length} Times are the epochs' "
        "alone. `python benchmarks/quality.py` makes this.",
        "",
        "| task | preset | score | | PCA | of PCA's | neighbours | seconds | weights |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in found["cases"]:
        runs = one["runs"]

        def spread(name: str, digits: int, runs: list[dict[str, float]] = runs) -> str:
            values = [run[name] for run in runs if name in run]
            if not values:
                return ""
            middle = f"{statistics.mean(values):.{digits}f}"
            return (
                middle
                if len(values) == 1
                else f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"
            )

        scores = [
            name for name in ("mse", "mse_from_noisy", "mean_code_loss", "elbo_loss") if name in runs[0]
        ]
        for number, name in enumerate(scores):
            digits = 5 if name.startswith("mse") else 1
            pca = found["pca"][str(int(runs[0]["code_size"]))]
            share = f"{statistics.mean(run['mse'] for run in runs) / pca:.2f}" if name == "mse" else ""
            rest = (
                f"| {pca:.5f} | {share} | {spread('neighbours', 3)} "
                f"| {spread('epochs_s', 0)} | {runs[0]['weights']:,.0f} |"
            )
            lines.append(
                f"| {one['task']} | {one['preset']} | {name} | **{spread(name, digits)}** "
                + (rest if number == 0 else "| | | | | |")
            )
    return "\n".join(lines) + "\n"


def main(*words: str) -> None:
    ask = argparse.ArgumentParser(description="Errors and times of the presets' networks.")
    ask.add_argument("--data", help="by default ../shared/data/notmnist where it is, else rendered letters")
    ask.add_argument("--limit", type=int, default=8000)
    ask.add_argument("--held-out", type=float, default=0.2)
    ask.add_argument("--tasks", nargs="+", default=list(TASKS))
    ask.add_argument("--presets", nargs="+", default=["report", "default"])
    ask.add_argument("--seeds", nargs="+", type=int, default=[0])
    ask.add_argument("--code-size", type=int)
    ask.add_argument("--set", nargs="+", default=[], dest="settings")
    ask.add_argument("--minutes", type=float, help="the same for each training, in place of its own epochs")
    ask.add_argument("--pythae", action="store_true", help="its default autoencoder too (needs --minutes)")
    ask.add_argument("--threads", type=int, default=2)
    ask.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = ask.parse_args(words)
    if given.pythae and not given.minutes:
        ask.error("--pythae needs --minutes, so that each has the same time")
    cases = []
    pca: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data, said = divided(given.data, given.limit, given.held_out, folder)
        shared = [
            "--data",
            str(data),
            "--threads",
            str(given.threads),
            "--learn-from",
            "train+validation",
            "-q",
        ]
        shared += [word for one in given.settings for word in ("--set", one)]
        if given.minutes:
            shared += ["--minutes", str(given.minutes)]
        if given.code_size:
            shared += ["--code-size", str(given.code_size)]
        for task in given.tasks:
            for preset in given.presets:
                runs = []
                for seed in given.seeds:
                    out = folder / f"{task}-{preset}-{seed}"
                    own = ["train", task, "--preset", preset, "--seed", str(seed), "--out", str(out)]
                    began = time.perf_counter()
                    apart(latentspace, [*own, *shared])
                    runs.append({**apart(evaluated_run, str(out)), "command_s": time.perf_counter() - began})
                    size = int(runs[-1]["code_size"])
                    if str(size) not in pca:
                        pca[str(size)] = apart(pca_error, str(data), size)
                    print(task, preset, seed, runs[-1], "pca", pca[str(size)], flush=True)
                cases.append({"task": task, "preset": preset, "runs": runs})
        if given.pythae:
            size = max(map(int, pca))
            runs = [
                apart(pythae, str(data), size, given.minutes, given.threads, seed, str(folder))
                for seed in given.seeds
            ]
            cases.append({"task": "ae", "preset": "pythae's AE", "runs": runs})
            print(cases[-1], flush=True)
    found = {
        "date": today(),
        "hardware": hardware(given.threads),
        "data": said,
        "seeds": given.seeds,
        "threads": given.threads,
        "settings": " ".join(given.settings),
        "minutes": given.minutes,
        "pca": pca,
        "cases": cases,
    }
    keep("quality", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
