"""Is bfloat16 as good as float32? `python benchmarks/precision.py [--epochs 5] [--seeds 3] [--data SPEC]`.

Trains each network in both precisions from the same seeds, and compares the final validation losses, which
are always computed in float32: the difference of the means beside the spread over the seeds. Where the
processor has no native bfloat16 PyTorch emulates it: the same numbers, slower.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from latentspace.experiment import Experiment
from latentspace.training.train import train

MODELS = {
    "ae": {},
    "dae": {},
    "vae": {"conv1_channels": 50, "conv2_channels": 100},  # a quarter of the report's: emulation is slow
}


def main() -> None:
    ask = argparse.ArgumentParser()
    ask.add_argument("--epochs", type=int, default=5)
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--data", default="glyphs:2000")
    ask.add_argument("--batch", type=int, default=128)
    given = ask.parse_args()
    print("| network | score | float32 | bfloat16 | difference | spread over seeds, float32 and bfloat16 |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for kind, model in MODELS.items():
            found: dict[str, list[float]] = {}
            for precision in ("32", "bf16"):
                for seed in range(given.seeds):
                    plan = Experiment.model_validate(
                        {
                            "kind": kind,
                            "seed": seed,
                            "device": "cpu",
                            "precision": precision,
                            "data": {"spec": given.data},
                            "model": model,
                            "training": {"epochs": given.epochs, "batch_size": given.batch},
                        }
                    )
                    run = train(plan, Path(folder) / f"{kind}-{precision}-{seed}")
                    score = run.metrics[-1]["validation"][plan.purpose.score]
                    found.setdefault(precision, []).append(score)
            one, other = statistics.mean(found["32"]), statistics.mean(found["bf16"])
            spread = ", ".join(f"{statistics.stdev(found[name]):.5g}" for name in ("32", "bf16"))
            print(
                f"| {kind} | {plan.purpose.score} | {one:.5g} | {other:.5g} | {other - one:+.2g} "
                f"| {spread} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
