"""Storages: a journal that survives kills and full disks, URLs, and what is said where none can be had."""

import json
import os
import signal
import subprocess
import sys
import time

import optuna
import pytest

from latentspace.core.errors import ConfigurationError, OutputError, RunError
from latentspace.search import journal as journal_module
from latentspace.search.journal import Journal
from latentspace.search.storage import address_of, open_storage, without_password


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_that_was_cut_short_is_taken_away_before_the_next(tmp_path):
    path = tmp_path / "journal.log"
    study = optuna.create_study(storage=open_storage(tmp_path, None), study_name="x")
    study.ask()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":4,"worker')
    again = optuna.load_study(study_name="x", storage=open_storage(tmp_path, None))
    again.ask()
    assert path.read_bytes().startswith(whole + b'{"op_code":4,')
    assert [one.number for one in optuna.load_study(
        study_name="x", storage=open_storage(tmp_path, None)
    ).trials] == [0, 1]  # fmt: skip
    assert len(lines(path)) == len(whole.splitlines()) + 1


def test_a_journal_of_one_torn_line_is_empty(tmp_path):
    path = tmp_path / "journal.log"
    path.write_bytes(b"x" * (journal_module.BLOCK + 10))
    Journal(path).append_logs([{"a": 1}])
    assert lines(path) == [{"a": 1}]


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    path = tmp_path / "journal.log"
    journal = Journal(path)
    journal.append_logs([{"a": 1}])

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal_module.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        journal.append_logs([{"a": 2}])
    monkeypatch.undo()
    journal.append_logs([{"a": 3}])
    assert lines(path) == [{"a": 1}, {"a": 3}]


HOLDER = """
import filelock, sys, time
lock = filelock.FileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path, monkeypatch):
    def wait(seconds: float) -> None:
        raise AssertionError(f"it waits for {seconds} seconds")

    journal = Journal(tmp_path / "journal.log")
    lock = tmp_path / ".journal.log.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, lock], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    monkeypatch.setattr(time, "sleep", wait)
    journal.append_logs([{"a": 1}])


def test_optuna_reads_the_journal_with_its_own_storage(tmp_path):
    study = optuna.create_study(storage=open_storage(tmp_path, None), study_name="x")
    study.tell(study.ask(), 2.0)
    plain = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(tmp_path / "journal.log"))
    )
    theirs = optuna.load_study(study_name="x", storage=plain)
    assert theirs.best_value == 2.0
    theirs.set_user_attr("note", "written by another program")
    study.tell(study.ask(), 1.0)
    assert study.user_attrs["note"] == "written by another program"
    assert theirs.best_value == 1.0


def test_a_damaged_journal_is_named(tmp_path):
    (tmp_path / "journal.log").write_bytes(b'not json\n{"op_code":0}\n')
    with pytest.raises(RunError, match=r"journal\.log must be a whole journal"):
        open_storage(tmp_path, None)


def test_a_journal_where_nothing_can_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match="must be writable"):
        open_storage(tmp_path / "missing", None)


def test_urls():
    assert str(address_of("postgresql://me@host/base")) == "postgresql+psycopg://me@host/base"
    assert address_of("sqlite:///trials.db").database == os.path.abspath("trials.db")  # noqa: PTH100
    assert without_password("postgresql://me:secret@host/base") == "postgresql+psycopg://me@host/base"
    assert without_password("postgresql://me@host:5/base?password=secret&sslmode=require") == (
        "postgresql+psycopg://me@host:5/base?sslmode=require"
    )
    assert without_password(None) is None


UNREACHABLE = {
    "no URL": ("trials", ConfigurationError, "takes the URL"),
    "no such database": ("oracle9://host/x", OutputError, "oracle9"),
    "no server": ("postgresql://me:secret@127.0.0.1:1/x", OutputError, "me:***@127.0.0.1"),
    "no folder": ("sqlite:////nowhere/at/all/x.db", OutputError, "unable to open"),
    "no driver": ("mysql://me:secret@127.0.0.1/x", ConfigurationError, "needs a driver"),
}


@pytest.mark.parametrize("case", UNREACHABLE)
def test_a_storage_that_cannot_be_reached_is_explained_without_its_password(case, tmp_path):
    url, error, expected = UNREACHABLE[case]
    if case == "no server":
        pytest.importorskip("psycopg")
    with pytest.raises(error) as caught:
        open_storage(tmp_path, url)
    assert expected in str(caught.value)
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
