import math

import pytest

from latentspace.training.schedules import SCHEDULES, cosine, one_cycle


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


def test_one_cycle_rises_to_1_and_falls():
    factors = [one_cycle(step, 100) for step in range(100)]
    assert factors[0] == pytest.approx(1 / 25)
    assert factors.index(max(factors)) == 30
    assert factors[30] == 1
    assert factors[:31] == sorted(factors[:31])
    assert factors[30:] == sorted(factors[30:], reverse=True)
    assert factors[-1] < 0.001
