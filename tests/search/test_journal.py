"""A journal with foreign lines, values of other types, or cut anywhere: refused by name, or gone on with."""

import copy
import json
import random
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from latentspace.core.errors import LatentspaceError, RunError
from latentspace.search.best import write_recipes
from latentspace.search.heartbeat import FOLDER, Heartbeat
from latentspace.search.load import read_study
from latentspace.search.plan import StudyPlan
from latentspace.search.trials import begin, join
from runner import call
from small_search import run_all, small_study

LINES = (
    b"5",
    b"[]",
    b"null",
    b'"x"',
    b"{}",
    b"NaN",
    b"",
    b"\xff",
    b'{"op_code":99,"worker_id":"x"}',
    b'{"op_code":[],"worker_id":"x"}',
    b'{"op_code":8,"worker_id":"x","trial_id":"0","user_attr":{"a":1}}',
    b'{"op_code":4,"worker_id":"x","study_id":0,"datetime_start":"yesterday"}',
    b'{"op_code":6,"worker_id":"x","trial_id":0,"state":77,"values":null}',
    b"[" * 100_000,
    b'{"op_code":' * 100_000,
)
VALUES: tuple[Any, ...] = (None, 5, -1, float("inf"), "x", [], {}, True, [1, 2], {"a": 1}, 10**30)


@pytest.fixture(scope="module")
def whole(archive, tmp_path_factory) -> Path:
    """A study of two trials, and one before them whose worker was killed; a third may follow."""
    trials = small_study(archive, tmp_path_factory.mktemp("journal") / "study", trials=2)
    (trials.directory / FOLDER).mkdir()
    (trials.directory / FOLDER / "a.lock").touch()
    trials.next(Heartbeat(f"1@{socket.gethostname()}", "a.lock"))
    run_all(trials)
    search = trials.plan.search.model_copy(update={"trials": 3})
    trials.plan.model_copy(update={"search": search}).save(trials.directory)
    return trials.directory


@pytest.fixture
def study(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "study"))


def lines_of(study: Path) -> list[bytes]:
    return (study / "journal.log").read_bytes().splitlines()


def write(study: Path, lines: list[bytes]) -> None:
    (study / "journal.log").write_bytes(b"".join(line + b"\n" for line in lines))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of everything that can be replaced in a line."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(value[key], (*path, key))


def changed(line: bytes, path: tuple[Any, ...], value: Any) -> bytes:
    content = copy.deepcopy(json.loads(line))
    below = content
    for key in path[:-1]:
        below = below[key]
    below[path[-1]] = value
    return json.dumps(content).encode()


def use(study: Path) -> None:
    """What the commands do with a study, short of training."""
    read_study(study)
    with join(study, None) as trials:
        trials.give_up_lost()
        if trials.progress().best:
            write_recipes(trials)
        trials.next(Heartbeat("1@elsewhere", "none"))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:30].decode("latin1"))
@pytest.mark.parametrize("last", [False, True])
def test_a_line_that_is_none_is_refused_by_its_number(study, line, last):
    lines = lines_of(study)
    at = len(lines) if last else 7
    write(study, [*lines[:at], line, *lines[at:]])
    before = (study / "journal.log").read_bytes()
    with pytest.raises(RunError, match=r"journal\.log must be a whole journal") as caught:
        use(study)
    impossible = line.startswith(b'{"op_code":4,')  # though of the right form
    assert impossible or caught.value.found.startswith(f"line {at + 1}: ")
    assert (study / "journal.log").read_bytes() == before


def test_the_commands_say_so_without_a_traceback(study):
    write(study, [*lines_of(study), b"5"])
    for command in (["search", "--out", study, "--resume", "--no-final"], ["report", study]):
        code, out, said = call([str(one) for one in command])
        assert (code, out) == (2, "")
        assert "must be a whole journal" in said
        assert "Traceback" not in said


def test_a_line_that_comes_while_the_study_is_open_is_refused_too(study):
    with join(study, None) as trials:
        with (study / "journal.log").open("ab") as file:
            file.write(b"[]\n")
        with pytest.raises(RunError, match="must be a whole journal"):
            trials.progress()


def test_values_of_other_types_are_refused_or_mean_nothing(study, whole):
    """Two hundred of all replacements of one value in one line by another; the seed draws which."""
    lines = lines_of(whole)
    cases = [
        (at, path, value)
        for at, line in enumerate(lines)
        for path in places(json.loads(line))
        for value in VALUES
    ]
    refused = 0
    for at, path, value in random.Random(0).sample(cases, 200):
        write(study, [*lines[:at], changed(lines[at], path, value), *lines[at + 1 :]])
        try:
            use(study)
        except LatentspaceError:
            refused += 1
    assert refused > 100


def test_a_trial_that_repeats_itself_is_refused(study):
    lines = [line.replace(b'"retry_of":0', b'"retry_of":1') for line in lines_of(study)]
    write(study, lines)
    with pytest.raises(RunError, match="repeats trial 1, which is no earlier one"):
        use(study)


def test_a_journal_cut_short_anywhere_is_gone_on_with_at_once(study, whole):
    """No trial is waited for whose worker has ended: with a journal, each has its sign in the directory."""
    lines, plan = lines_of(whole), StudyPlan.load(whole)
    for kept in range(len(lines) + 1):
        (study / "journal.log").write_bytes(b"".join(line + b"\n" for line in lines[:kept]) + b'{"op_code":4')
        with begin(plan, study, None, resume=True) as trials:
            trials.give_up_lost()
            assert trials.progress().count("running") == 0
            assert trials.next(Heartbeat("1@elsewhere", "none")) is not None
