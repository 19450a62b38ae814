import math

import pytest

from latentspace.experiment.training import TrainingConfig
from latentspace.training.schedules import SCHEDULES, constant, cosine, one_cycle, schedule_of


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_stays_between_0_and_1(name):
    for steps in (1, 2, 3, 10, 1000):
        factors = [SCHEDULES[name](step, steps) for step in range(steps)]
        assert all(0 <= one <= 1 for one in factors)
        assert max(factors) > 0


def test_cosine_values():
    assert [cosine(step, 4) for step in range(4)] == pytest.approx(
        [1, 0.5 + math.sqrt(2) / 4, 0.5, 0.5 - math.sqrt(2) / 4]
    )


def test_a_warm_up_rises_in_a_straight_line():
    assert [constant(step, 8, 0.5) for step in range(8)] == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]
    assert [cosine(step, 4, 0.5) for step in range(4)] == pytest.approx([1 / 3, 2 / 3, 1, 0.5])
    assert [cosine(step, 4, 0.9) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_the_warm_up_that_is_not_set_is_the_schedules_own():
    for name, share in {"constant": 0.0, "cosine": 0.0, "one-cycle": 0.3}.items():
        unset, same = (schedule_of(TrainingConfig(schedule=name, warmup=one), 50) for one in (None, share))
        assert [unset(step) for step in range(50)] == [same(step) for step in range(50)]
    early = schedule_of(TrainingConfig(schedule="one-cycle", warmup=0.1), 50)
    assert max(range(50), key=early) == 5


def test_one_cycle_rises_to_1_and_falls():
    factors = [one_cycle(step, 100) for step in range(100)]
    assert factors[0] == pytest.approx(1 / 25)
    assert factors.index(max(factors)) == 30
    assert factors[30] == 1
    assert factors[:31] == sorted(factors[:31])
    assert factors[30:] == sorted(factors[30:], reverse=True)
    assert factors[-1] < 0.001
