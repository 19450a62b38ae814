"""Planted strangers found: python benchmarks/anomalies.py RUN [--digits SPEC] [--strangers 50] [--first 100]

RUN is a finished run of letters. To its own images, those learned from among them, strangers of one kind are
added: digits (of SPEC, as MNIST's; without one scikit-learn's, of 8x8, brought to their size), noise (uniform
bytes), blank images (greys from black to white, but those that are letters already), and letters of the run
turned upside down. Said is how many of them are among the first, by each score, and the area under the ROC
curve. Writes anomalies-DATE.md and .json in --out.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from latentspace.core.wording import counted
from speed.hardware import hardware, keep, sentence, today

SCORES = ("error", "distance", "appearance", "combined")


def digits(spec: str | None, count: int, size: tuple[int, int], draw: np.random.Generator) -> np.ndarray:
    if spec is not None:
        import latentspace

        given = latentspace.load_data(spec, resize=size).pixels
        return given[draw.permutation(len(given))[:count]]
    from sklearn.datasets import load_digits

    found = load_digits().images
    chosen = found[draw.permutation(len(found))[:count]]
    pictures = [Image.fromarray((one / 16 * 255).astype(np.uint8)) for one in chosen]
    shape = size[::-1]
    return np.stack([np.asarray(one.resize(shape, Image.Resampling.BILINEAR)) for one in pictures])[:, None]


def strangers(letters: np.ndarray, count: int, spec: str | None) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    shape = (count, *letters.shape[1:])
    held = {one.flat[0] for one in letters if one.min() == one.max()}  # blank images that are no strangers
    others = np.array([grey for grey in range(256) if grey not in held], np.uint8)
    greys = others[np.linspace(0, len(others) - 1, count).astype(int)][:, None, None, None]
    turned = letters[draw.permutation(len(letters))[:count], :, ::-1, ::-1]
    return {
        "digits": np.broadcast_to(digits(spec, count, shape[2:], draw), shape),
        "noise": draw.integers(0, 256, shape, np.uint8),
        "blank": np.broadcast_to(greys, shape),
        "black": np.zeros(shape, np.uint8),
        "upside-down letters": turned,
    }


def measured(run: str, count: int, first: int, spec: str | None) -> dict[str, Any]:
    from sklearn.metrics import roc_auc_score

    import latentspace
    from latentspace.inference.anomalies import find_anomalies, ranked
    from latentspace.inference.run_images import own_or_other

    trained = latentspace.load(run, "cpu")
    own, _ = own_or_other(latentspace.Run.open(run), None)
    found: dict[str, Any] = {}
    for kind, planted in strangers(own.pixels, count, spec).items():
        result = find_anomalies(trained, np.concatenate([own.pixels, planted]), own=own)
        strange = np.arange(len(result.images)) >= len(own)
        found[kind] = {}
        for name in SCORES:
            score = getattr(result, name)
            order, ranks = ranked(score, result.images.image_hashes)
            top = order[ranks <= first]
            found[kind][name] = {
                "among_the_first": int(strange[top].sum()),
                "auroc": float(roc_auc_score(strange, score)),
            }
        found[kind]["flagged"] = int(result.flagged[strange].sum())
        print(kind, found[kind], flush=True)
    return found


def table(found: dict[str, Any]) -> str:
    lines = [
        "# Planted strangers",
        "",
        f"`python benchmarks/anomalies.py`: {found['about']} {sentence(found['hardware'])}",
        "",
        f"Of {found['strangers']} strangers: among the first {found['first']} (and the area under",
        "the ROC curve), and how many are flagged at a rate of false alarms of 0.01.",
        "",
        f"| strangers | {' | '.join(SCORES)} | flagged |",
        f"|---|{'---:|' * (len(SCORES) + 1)}",
    ]
    for kind, scores in found["kinds"].items():
        cells = [f"{scores[name]['among_the_first']} ({scores[name]['auroc']:.3f})" for name in SCORES]
        lines.append(f"| {kind} | {' | '.join(cells)} | {scores['flagged']} |")
    return "\n".join(lines) + "\n"


def main(*words: str) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--digits", metavar="SPEC")
    parser.add_argument("--strangers", type=int, default=50)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args(words)
    import latentspace

    run = latentspace.Run.open(given.run)
    plan, last = run.experiment, run.metrics[-1]
    size = plan.model.model_dump()["code_size"]
    about = (
        f"{counted(run.data.images)} of {run.data.source}, a run of kind {plan.kind}, network "
        f"{plan.model.name}, {counted(len(run.metrics), 'epoch')}, code of {size}, validation loss "
        f"{last['validation']['loss']:.4f}, seed {plan.seed}."
    )
    found = {
        "date": today(),
        "hardware": hardware(1),
        "about": about,
        "strangers": given.strangers,
        "first": given.first,
        "kinds": measured(given.run, given.strangers, given.first, given.digits),
    }
    keep("anomalies", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
