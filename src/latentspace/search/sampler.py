"""Which parameters next, and with which seeds: functions of the study's seed and the trial's number."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..experiment.search_space import SearchConfig, Settings
from .combinations import Combinations
from .notes import trials_of

Stream: TypeAlias = Literal["suggestion", "training", "replication"]
STREAMS: Final[dict[Stream, int]] = {"suggestion": 0, "training": 1, "replication": 2}
SUGGESTIONS: Final = 20  # that may be repeats, before a combination is drawn among those that were not tried
RANDOM_TRIALS: Final = 10  # drawn at random before the estimator takes over, as Optuna's default


def seed_of(seed: int, stream: Stream, number: int) -> int:
    """A 32-bit seed; another stream or number gives an unrelated one (NumPy's SeedSequence).

    Not `core.randomness.derive`, which gives other numbers, of 63 bits: a study that goes on would suggest
    other parameters, and a lost trial would be run again from another seed than its first attempt. Samplers
    take 32 bits.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(STREAMS[stream], number))
    return int(sequence.generate_state(1)[0])


class NumberedSampler(BaseSampler):
    """The tree-structured Parzen estimator, seeded anew for each trial from (seed, its number).

    One sampler that draws on and on would give a trial other parameters after every interruption, and
    each worker its own. Here a suggestion is a function of the seed, the number, and the trials that the
    storage shows at that moment; with several workers the last of these depends on who was faster.

    Where the space is finite, no combination is suggested twice: the estimator is asked again, and in the
    end one of those that were not tried is drawn.

    Args:
        space: in Optuna's words, where it is finite.
        combinations: of that space.
    """

    def __init__(
        self,
        seed: int,
        objectives: int,
        space: Mapping[str, BaseDistribution] | None = None,
        combinations: Combinations | None = None,
    ) -> None:
        self._seed = seed
        self._objectives = objectives
        self._space = {name: one for name, one in (space or {}).items() if not one.single()}
        self._combinations = combinations
        self._current: tuple[int, TPESampler] | None = None

    def _of(self, trial: FrozenTrial) -> TPESampler:
        if self._current is None or self._current[0] != trial.number:
            sampler = TPESampler(
                n_startup_trials=RANDOM_TRIALS,
                n_ei_candidates=24,
                seed=seed_of(self._seed, "suggestion", trial.number),
                multivariate=self._objectives == 1,  # Optuna's choice since 5.0
                group=False,
                constant_liar=True,  # running trials repel, so that workers do not try the same
            )
            self._current = trial.number, sampler
        return self._current[1]

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if self._combinations is not None:
            return self._space
        return self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if self._combinations is not None:
            return self._untried(self._combinations, study, trial)
        return self._of(trial).sample_relative(study, trial, search_space)

    def _untried(self, combinations: Combinations, study: Study, trial: FrozenTrial) -> Settings:
        """A combination that no trial has had; empty where all were tried."""
        tried = combinations.tried(trials_of(study))
        sampler = self._of(trial)
        for _ in range(SUGGESTIONS if len(tried) < combinations.count else 0):
            related = sampler.infer_relative_search_space(study, trial)
            chosen = sampler.sample_relative(study, trial, related)
            for name, distribution in self._space.items():
                if name not in chosen:
                    chosen[name] = sampler.sample_independent(study, trial, name, distribution)
            only = {name: values[0] for name, values in combinations.values.items() if len(values) == 1}
            if combinations.key({**only, **chosen}) not in tried:
                return chosen
        return combinations.another(tried, seed_of(self._seed, "suggestion", trial.number))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._of(trial).sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._of(trial).before_trial(study, trial)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._of(trial).after_trial(study, trial, state, values)


def pruner_of(search: SearchConfig, objectives: int) -> BasePruner:
    """The median rule: a trial stops when its best score so far is worse than the median of the complete
    trials' scores in that epoch.

    Epochs are counted from 1, so `warmup_steps` epochs are spared.
    With several objectives nothing is pruned: Optuna has no intermediate values there.
    """
    if objectives > 1:
        return NopPruner()
    return MedianPruner(
        n_startup_trials=search.startup_trials,
        n_warmup_steps=search.warmup_steps + 1,
        interval_steps=1,
        n_min_trials=1,
    )
