"""Trainings, each killed again and again until it ends, beside the same training never interrupted."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from chaos.killing import ChaosError, Victim, moment
from latentspace.runs.directory import Run
from studies import timeless

RECIPE = """
[ae.model]
code_size = 3
conv1_channels = 4
conv2_channels = 4
conv3_channels = 4
neurons = 8
"""
VARIANTS = (  # what a resumed training has to get right, one after the other
    ["--set", "training.schedule=one-cycle"],
    ["--keep", "best", "--set", "training.learning_rate=0.03"],
    ["--set", "training.optimizer=rmsprop", "--set", "training.clip_norm=0.5"],
)


def chaos(
    kills: int, seed: int, data: Path, place: Path, epochs: int, say: Callable[[str], None], span: float = 1.5
) -> int:
    """Kill `kills` times, over as many trainings as that takes; the number of trainings that were compared.

    Args:
        span: seconds within which a training is killed after its first words.

    Raises:
        ChaosError: weights or metrics that differ, a file left over, or a training that cannot be resumed.
    """
    draw = random.Random(seed)
    recipe = place / "recipe.toml"
    recipe.write_text(RECIPE)
    done = compared = 0
    while done < kills:
        out = place / f"training-{compared}"
        begin = [
            *("train", "ae", "--data", str(data), "--recipe", str(recipe)),
            *("--epochs", str(epochs), "--threads", "1", "--device", "cpu", "--seed", str(seed + compared)),
            *("--set", "training.batch_size=25", *VARIANTS[compared % len(VARIANTS)]),
        ]
        met = _to_the_end([*begin, "--out", str(out)], out, kills - done, draw, span)
        done += met.total()
        whole = place / f"whole-{compared}"
        _to_the_end([*begin, "--out", str(whole)], whole, 0, draw, span)
        run = Run.open(out)
        _compare(run, Run.open(whole))
        compared += 1
        where = ", ".join(f"{many} {name}" for name, many in sorted(met.items())) or "none"
        say(
            f"training {compared}: {epochs} epochs, kills: {where}; the same weights "
            f"({run.weights_hash[:12]}) and metrics as without; {done}/{kills}"
        )
    return compared


def _to_the_end(begin: list[str], out: Path, kills: int, draw: random.Random, span: float) -> Counter[str]:
    """Begin, kill and resume until the training ends by itself; where it stood at each kill."""
    met: Counter[str] = Counter()
    while True:
        there = (out / "config.json").exists()
        if out.exists() and not there:
            raise ChaosError(f"{out} is half-made")
        victim = Victim(["train", "--resume", str(out)] if there else begin, out.with_suffix(".log"))
        if met.total() < kills:
            victim.wait_for_words()
            if victim.sleep(moment(draw, span)):
                victim.kill()
                met[_stands(out)] += 1
                continue
        if code := victim.end():
            raise ChaosError(f"exit code {code}: {victim.last_words}")
        return met


def _stands(out: Path) -> str:
    """In words for a person."""
    if not (out / "config.json").exists():
        return "before the run was made"
    if (out / "weights.safetensors").exists():
        return "after the weights"
    if not any((out / "state").glob("*.safetensors")):
        return "before a saved epoch"
    return "between epochs"


def _compare(killed: Run, whole: Run) -> None:
    if killed.weights_hash != whole.weights_hash:
        raise ChaosError(f"the weights of {killed.path} and {whole.path} differ")
    if timeless(killed) != timeless(whole):
        raise ChaosError(f"the metrics of {killed.path} and {whole.path} differ")
    left = [str(one.relative_to(killed.path)) for one in killed.path.rglob("*.part")]
    left += [one.name for one in killed.path.glob("state/*")]
    if left:
        raise ChaosError(f"left over in {killed.path}: {', '.join(left)}")
