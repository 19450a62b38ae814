"""Files and folders that are whole or not there, whoever else is at work, and whatever fails."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from latentspace.core.atomic_files import new_folder, refuse_taken, replacing, sweep, write_text
from latentspace.core.errors import LatentspaceError, OutputError, RunError
from latentspace.core.output_files import folder_in_place_of, made_file, made_folder, write_file
from latentspace.runs.directory import Run
from latentspace.training.train import resume, start, train

ROUNDS = 10


def names(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*"))


def made_by_two(make, path: Path) -> tuple[int, list[LatentspaceError]]:
    """How many of two that meet before the directory is made have made it, and what the others were told."""
    barrier, refused, done = threading.Barrier(2, timeout=20), [], []

    def one(number: int) -> None:
        try:
            make(path, number, barrier)
        except LatentspaceError as error:
            refused.append(error)
        else:
            done.append(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done), refused


@pytest.mark.parametrize("empty", [False, True])
def test_of_two_that_make_one_folder_one_does_and_the_other_is_told(tmp_path, empty):
    def fill(path: Path, number: int, barrier: threading.Barrier) -> None:
        with new_folder(path) as folder:
            write_text(folder / "who", str(number))
            write_text(folder / "again", str(number))
            barrier.wait()

    for number in range(ROUNDS):
        place = tmp_path / str(number) / "place"
        if empty:
            place.mkdir(parents=True)
        made, refused = made_by_two(fill, place)
        assert made == 1
        assert [one.found for one in refused] == ["something is there already"]
        assert (place / "who").read_text() == (place / "again").read_text()
        assert names(place.parent) == ["place", "place/again", "place/who"]


@pytest.mark.parametrize("links", [True, False])
def test_of_two_that_make_one_file_one_does_and_the_other_is_told(tmp_path, monkeypatch, links):
    def fill(path: Path, number: int, barrier: threading.Barrier) -> None:
        with made_file(path, force=False) as file:
            file.write(str(number).encode())
            barrier.wait()

    def link(*_):
        raise PermissionError(errno.EPERM, "no links on this file system")

    if not links:
        monkeypatch.setattr("os.link", link)
    for number in range(ROUNDS):
        place = tmp_path / str(number) / "file"
        made, refused = made_by_two(fill, place)
        assert made == 1
        assert [one.found for one in refused] == ["a file of that name"]
        assert place.read_text() in ("0", "1")
        assert names(place.parent) == ["file"]
    write_file(place, "again", force=True)
    assert place.read_text() == "again"


def test_a_name_that_was_taken_is_given_back_where_the_file_cannot_follow(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(errno.EIO, "a disk that fails")

    monkeypatch.setattr("os.link", fails)
    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OutputError):
        write_file(tmp_path / "file", "whole", force=False)
    assert not (tmp_path / "file").exists()


def test_of_two_trainings_with_one_out_one_wins_and_the_other_is_told_that_it_exists(
    plan, tmp_path, monkeypatch
):
    ready = threading.Barrier(2, timeout=60)
    real = Run.create.__func__

    def create(cls, path, *others):
        ready.wait()  # both have read their images, and find nothing at the place
        return real(cls, path, *others)

    monkeypatch.setattr(Run, "create", classmethod(create))
    for number in range(ROUNDS):
        place = tmp_path / str(number) / "run"
        made, refused = made_by_two(lambda path, seed, _: start(seeded(plan, seed), path), place)
        assert made == 1
        assert [type(one) for one in refused] == [RunError]
        assert "never overwritten" in refused[0].must
        assert Run.open(place).experiment.seed == Run.open(place).environment["seed"]
        assert [one.name for one in place.parent.iterdir()] == ["run"]


def seeded(plan, seed):
    return plan.model_copy(update={"seed": seed})


def test_a_folder_is_open_to_others_as_one_that_mkdir_makes(tmp_path):
    (tmp_path / "plain").mkdir()
    with new_folder(tmp_path / "made") as folder:
        write_text(folder / "file", "x")
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "plain").stat().st_mode
    )


def test_a_block_that_fails_leaves_no_folder(tmp_path):
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "place") as folder:
        write_text(folder / "half", str(1 // 0))
    assert not names(tmp_path)


def test_the_working_directory_cannot_be_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="working directory"):
        refuse_taken(tmp_path)
    with pytest.raises(OutputError, match="a name of its own"):
        refuse_taken(Path())


def test_a_killed_makers_folder_is_swept_away_and_a_living_ones_is_not(tmp_path):
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from latentspace.core.atomic_files import new_folder, write_text\n"
        "with new_folder(Path(sys.argv[1])) as folder:\n"
        "    write_text(folder / 'half', 'x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    place = tmp_path / "place"
    done = subprocess.run([sys.executable, "-c", script, str(place)], timeout=200, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [one.endswith(".part") for one in names(tmp_path)] == [True, False]
    with new_folder(place) as folder:
        write_text(folder / "whole", "x")
        sweep(tmp_path, "place")
        assert [one.endswith(".part") for one in names(tmp_path)] == [True, False]
    assert names(tmp_path) == ["place", "place/whole"]


def test_names_as_long_as_a_disk_takes(tmp_path):
    write_text(tmp_path / ("x" * 255), "whole")
    with new_folder(tmp_path / ("y" * 255)) as folder:
        write_text(folder / ("\u00e9" * 127), "whole")
    assert len(names(tmp_path)) == 3


def test_the_folder_above_is_not_made_anew(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        write_text(tmp_path / "gone" / "results" / "test.json", "x")
    assert not names(tmp_path)


def test_a_sweep_leaves_what_is_written_now_and_what_is_not_half_made(tmp_path):
    (tmp_path / ".mine").write_text("x")
    (tmp_path / ".old.x.part").write_text("x")
    with replacing(tmp_path / "new") as file:
        file.write(b"x")
        sweep(tmp_path)
    assert names(tmp_path) == [".mine", "new"]


@pytest.mark.parametrize("what", ["moved", "deleted", "replaced"])
def test_a_run_that_goes_away_while_it_trains_stops_it_and_is_not_made_anew(plan, tmp_path, what):
    whole = train(plan, tmp_path / "whole")
    training = start(plan, tmp_path / "run")
    records = training.records()
    next(records)
    if what == "deleted":
        shutil.rmtree(tmp_path / "run")
    else:
        (tmp_path / "run").rename(tmp_path / "elsewhere")
    if what == "replaced":
        (tmp_path / "run").mkdir()
    before = names(tmp_path)
    with pytest.raises(RunError, match="must stay where it is while it is trained"):
        list(records)
    assert names(tmp_path) == before
    if what != "deleted":
        again = resume(tmp_path / "elsewhere")
        list(again.records())
        assert again.run.weights_hash == whole.weights_hash


def test_a_run_that_goes_away_just_before_a_write_is_not_made_anew(plan, tmp_path, monkeypatch):
    training = start(plan, tmp_path / "run")
    records = training.records()
    next(records)
    real = Path.mkdir

    def mkdir(self, *arguments, **options):
        if self.name == "state":
            shutil.rmtree(tmp_path / "run")
        real(self, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(RunError, match="must stay where it is"):
        next(records)
    assert not (tmp_path / "run").exists()


def test_a_resumed_run_that_is_gone_is_not_made_by_its_lock(plan, tmp_path):
    training = start(plan, tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(RunError, match="must be a run directory"):
        list(training.records())
    assert not (tmp_path / "run").exists()


def test_a_death_between_the_weights_and_the_end_leaves_no_state(plan, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("latentspace.runs.checkpoint.States.clear", lambda self: None)
        run = train(plan, tmp_path / "run")
    assert list((run.path / "state").iterdir())
    list(resume(run.path).records())
    assert not (run.path / "state").exists()


def test_a_state_that_cannot_be_removed_costs_its_space_alone(plan, tmp_path, monkeypatch, caplog):
    def unlink(self, missing_ok=False):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        run = train(plan, tmp_path / "run")
    assert run.finished
    assert "needed no more, but cannot be removed: Input/output error" in caplog.text
    list(resume(run.path).records())
    assert not (run.path / "state").exists()


@pytest.mark.parametrize("what", ["cannot be opened", "cannot be written"])
def test_a_log_that_fails_is_said_once_and_the_training_goes_on(plan, tmp_path, monkeypatch, caplog, what):
    training = start(plan, tmp_path / "run")
    log = training.run.path / "run.log"
    log.unlink()
    if what == "cannot be opened":
        log.mkdir()
    else:
        log.symlink_to("/dev/full")
    plan = training.experiment
    list(training.records())
    again = resume(training.run.path)
    with monkeypatch.context() as patch:
        patch.setattr(Run, "finished", False)
        with again.run.writing():
            import logging

            for number in range(3):
                logging.getLogger("latentspace.test").warning("word %d", number)
    assert training.run.metrics[-1]["epoch"] == plan.training.epochs
    assert caplog.text.count("run.log cannot be written") == 1


def test_a_log_that_cannot_be_begun_does_not_stop_a_training(plan, tmp_path, monkeypatch, caplog):
    real = Path.open

    def refusing(self, *arguments, **options):
        if self.name == "run.log":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refusing)
    assert start(plan, tmp_path / "run").run.experiment == plan
    assert caplog.text.count("run.log cannot be written: Permission denied") == 1


def test_an_old_folder_stays_until_the_new_one_is_filled(tmp_path):
    place = tmp_path / "place"
    with new_folder(place) as folder:
        write_text(folder / "old", "old")
    with suppress(KeyboardInterrupt), folder_in_place_of(place) as folder:
        write_text(folder / "new", "new")
        raise KeyboardInterrupt
    assert [one.name for one in place.iterdir()] == ["old"]
    with folder_in_place_of(place) as folder:
        write_text(folder / "new", "new")
    assert [one.name for one in place.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [place]


def test_a_folder_of_results_is_replaced_through_a_link_and_never_below_the_working_directory(
    tmp_path, monkeypatch
):
    place, link = tmp_path / "place", tmp_path / "link"
    with made_folder(place) as folder:
        write_text(folder / "old", "old")
    link.symlink_to(place)
    with made_folder(link, force=True) as folder:
        write_text(folder / "new", "new")
    assert link.is_symlink()
    assert [one.name for one in place.glob("[!.]*")] == ["new"]
    monkeypatch.chdir(place)
    with pytest.raises(OutputError, match="nothing is overwritten"), made_folder(place, force=True):
        pass
    assert (place / "new").exists()
