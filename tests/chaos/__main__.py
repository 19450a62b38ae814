"""python -m chaos [--kills N] [--seed S] [--only training|search]: kill, go on, compare (`make chaos`)."""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from chaos import searching, training
from chaos.killing import ChaosError, clock
from materials import make_images


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of trainings, and as many of searches")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and of the trainings")
    parser.add_argument("--only", choices=("training", "search"))
    parser.add_argument("--epochs", type=int, default=60, help="of a training")
    parser.add_argument("--trials", type=int, default=12, help="of a search")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("latentspace").setLevel(logging.WARNING)
    say = clock()
    place = Path(tempfile.mkdtemp(prefix="chaos-"))
    images = make_images()
    data = place / "bars.npz"
    np.savez(data, images=images.pixels, labels=images.labels)

    try:
        if chosen.only != "search":
            many = training.chaos(chosen.kills, chosen.seed, data, place, epochs=chosen.epochs, say=say)
            say(f"{chosen.kills} kills of {many} trainings: every one ended as if it had never stopped")
        if chosen.only != "training":
            many = searching.chaos(
                chosen.kills, chosen.seed, data, place, trials=chosen.trials, epochs=25, say=say
            )
            say(f"{chosen.kills} kills of {many} searches: no trial lost, doubled or left running")
    except ChaosError as error:
        say(f"FAILED with --seed {chosen.seed}: {error}\nwhat is left lies in {place}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
