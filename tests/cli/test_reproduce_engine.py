"""reproduce --engine: its searches have the executor of that engine."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from latentspace.cli import progress, reproduce
from runner import call


@pytest.mark.parametrize(("room", "workers"), [(None, 3), (4, None)])
def test_a_search_has_as_many_workers_as_the_engine_has_room_for(monkeypatch, room, workers):
    seen = []
    monkeypatch.setattr(progress, "run", lambda study, executor, workers: seen.append((executor, workers)))
    step = SimpleNamespace(
        open=lambda: (nullcontext(), 3), final_training=lambda study: None, name="a", place="b"
    )
    executor = SimpleNamespace(room=room)
    reproduce._search(step, executor)
    assert seen == [(executor, workers)]


def test_an_engine_that_is_none_is_refused_before_anything_is_made(tmp_path):
    code, out, err = call(["reproduce", "--engine", "nobody", "--out", str(tmp_path / "all")])
    assert (code, out) == (2, "")
    assert "the engine must be a known one" in err
    assert not (tmp_path / "all").exists()
