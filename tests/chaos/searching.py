"""Searches by two workers, of which one, or all with the search itself, are killed again and again."""

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import preloaded
from chaos.killing import ChaosError, Victim, elsewhere, moment
from latentspace.search.plan import StudyPlan
from latentspace.search.results import COUNTED, Trial
from latentspace.search.space import experiment_of
from latentspace.search.trials import LOSSES, join
from latentspace.training.context import prepare
from latentspace.training.loop import learn
from small_search import write_recipe

WORKERS = 2
DRAWN = 3  # trials that are trained again


def chaos(
    kills: int,
    seed: int,
    data: Path,
    place: Path,
    trials: int,
    epochs: int,
    say: Callable[[str], None],
    span: float = 4.0,
) -> int:
    """Kill `kills` times, over as many searches as that takes; the number of searches.

    Args:
        span: seconds within which the next kill comes.

    Raises:
        ChaosError: a trial that is missing, doubled, left running, or gives other values when trained again.
    """
    draw = random.Random(seed)
    recipe = write_recipe(place, epochs=epochs, startup_trials=3, warmup_steps=epochs // 3)
    done = searches = 0
    while done < kills:
        out = place / f"study-{searches}"
        begin = [
            *("search", "ae", "--data", str(data), "--out", str(out), "--recipe", str(recipe)),
            *("--trials", str(trials), "--workers", str(WORKERS), "--threads", "1", "--device", "cpu"),
            *("--seed", str(seed + searches), "--no-final"),
        ]
        met = _to_the_end(begin, out, kills - done, draw, span)
        done += met.total()
        searches += 1
        found = check(out, trials)
        again = elsewhere(trained_again, out, draw.randrange(2**32))
        where = ", ".join(f"{many} {name}" for name, many in sorted(met.items())) or "none"
        say(
            f"search {searches}: kills: {where}; {found}; trained again to the same values: "
            f"{', '.join(map(str, again))}; {done}/{kills}"
        )
    return searches


def _to_the_end(begin: list[str], out: Path, kills: int, draw: random.Random, span: float) -> Counter[str]:
    met: Counter[str] = Counter()
    while True:
        there = (out / "study.json").exists()
        again = ["search", "--out", str(out), "--workers", str(WORKERS), "--resume", "--no-final"]
        victim = Victim(again if there else begin, out.with_suffix(".log"), before=preloaded.forked_workers)
        victim.wait_for_words()
        while met.total() < kills and victim.sleep(moment(draw, span)):
            workers = victim.children()
            if workers and draw.random() < 0.5:
                with suppress(ProcessLookupError):
                    os.kill(draw.choice(workers), signal.SIGKILL)
                met["of a worker"] += 1
                continue
            victim.kill()
            met["of the search with its workers"] += 1
            break
        else:
            code = victim.end()
            if code == 2 and "killed one after another" in " ".join(victim.said.split()):
                continue  # it has given up, and says that it can be gone on with
            if code:
                raise ChaosError(f"exit code {code}: {victim.last_words}")
            return met


def check(out: Path, asked: int) -> str:
    """Exactly `asked` trials are finished and none is lost, doubled or left over; in words.

    Raises:
        ChaosError: it is not so.
    """
    with join(out, None) as study:
        trials = study.all()
    outcomes = Counter(one.state for one in trials)
    if [one.number for one in trials] != list(range(len(trials))):
        raise ChaosError("the numbers of the trials have gaps")
    if (counted := sum(outcomes[one] for one in COUNTED)) != asked:
        raise ChaosError(f"{counted} trials are finished, not {asked}: {dict(outcomes)}")
    if left := outcomes["running"] + outcomes["waiting"]:
        raise ChaosError(f"{left} trials are left: {dict(outcomes)}")
    _check_repeats(trials)
    given_up = [one for one in trials if one.state == "failed"]
    if any(f"attempt number {LOSSES}" not in one.notes.reason for one in given_up):
        raise ChaosError(f"trials failed by themselves: {[one.notes for one in given_up]}")
    return (
        f"{counted} of {asked} trials finished ({outcomes['complete']} complete, "
        f"{outcomes['pruned']} pruned, {len(given_up)} given up after {LOSSES} kills), "
        f"{outcomes['lost']} lost and run again"
    )


def _check_repeats(trials: Sequence[Trial]) -> None:
    """Each lost trial that had parameters was run again once, from its seed, and went the same way."""
    repeats: dict[int, list[Trial]] = {}
    for one in trials:
        if one.notes.retry_of is not None:
            repeats.setdefault(one.notes.retry_of, []).append(one)
    for number, again in repeats.items():
        if len(again) > 1 or trials[number].state != "lost":
            raise ChaosError(f"trial {number} was doubled")
    for lost in (one for one in trials if one.state == "lost" and one.params):
        if lost.number not in repeats:
            raise ChaosError(f"trial {lost.number} was lost and not run again")
        (again,) = repeats[lost.number]
        same = {name: again.params.get(name) for name in lost.params} == lost.params
        shared = min(len(lost.reports), len(again.reports))
        same &= lost.reports[:shared] == again.reports[:shared]
        if not same:
            raise ChaosError(f"trial {again.number} does not repeat trial {lost.number}")


def trained_again(out: Path, seed: int) -> list[int]:
    """The numbers of finished trials, drawn at random, whose training gave the same values again.

    Raises:
        ChaosError: one did not.
    """
    plan = StudyPlan.load(out)
    with join(out, None) as study:
        ended = [one for one in study.all() if one.state in ("complete", "pruned")]
    context = prepare(plan.experiment)
    drawn = sorted(random.Random(seed).sample(ended, min(DRAWN, len(ended))), key=lambda one: one.number)
    for trial in drawn:
        experiment = experiment_of(trial.params, plan.experiment, trial.notes.seed)
        scores = {
            record.epoch: (record.validation or {})[experiment.task.score]
            for record in learn(experiment, context.components(experiment))
        }
        if any(scores[epoch] != score for epoch, score in trial.reports):
            raise ChaosError(f"trial {trial.number} gives other scores when it is trained again")
        if trial.state == "complete" and trial.values != (scores[plan.experiment.training.epochs],):
            raise ChaosError(f"trial {trial.number} gives another value when it is trained again")
    return [one.number for one in drawn]
