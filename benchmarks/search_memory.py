"""Does a worker grow? `python benchmarks/search_memory.py [TRIALS] [IMAGES]`.

Runs short trials of the report's space (1 epoch each) one after another in this process, as a worker
does, and prints its resident memory after each; then the peak, and the growth over the last two thirds.
"""

import os
import resource
import statistics
import sys
import tempfile
from pathlib import Path

from latentspace.search.executors.memory import ENVIRONMENT
from latentspace.search.heartbeat import own_heartbeat
from latentspace.search.request import SearchRequest, draft
from latentspace.search.trainings import TrainerHere
from latentspace.search.trial import run_trial
from latentspace.search.trials import begin
from latentspace.training.context import prepare

MIB = 1 << 20


def resident() -> float:
    """MiB of this process in memory now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def main(trials: int = 30, images: int = 1700, recipe: str | None = None) -> None:
    os.environ.update(ENVIRONMENT)  # as a worker has it; read at the first convolution
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "study"
        changes = {"data": {"spec": f"glyphs:{images}"}, "threads": 1}
        request = SearchRequest(kind="ae", recipe=recipe, changes=changes, trials=trials, epochs=1, workers=1)
        plan, _ = draft(request, out, resume=False)
        study = begin(plan, out, None, resume=False)
        context = prepare(plan.experiment)
        sizes = []
        with own_heartbeat(out) as heartbeat:
            while (trial := study.next(heartbeat)) is not None:
                run_trial(trial, study, TrainerHere(context), lambda: False)
                sizes.append(resident())
                weights = trial.user_attrs.get("weights", 0)
                print(f"trial {trial.number:>3}  {sizes[-1]:7.1f} MiB  {weights:>9,} weights")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    third = max(1, len(sizes) // 3)
    growth = statistics.median(sizes[-third:]) - statistics.median(sizes[third : 2 * third])
    print(f"peak {peak:.0f} MiB; the last third of the trials lies {growth:+.1f} MiB beside the middle one")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
