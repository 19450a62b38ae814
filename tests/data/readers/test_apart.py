"""Reading apart: what ends the process that reads is an error here, and the next file is read."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from latentspace.core import child_processes
from latentspace.core.child_processes import child_environment
from latentspace.data.readers import apart, apart_process
from latentspace.data.readers.apart import ApartError, read_apart

scipy_io = pytest.importorskip("scipy.io")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such signals")


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    path = tmp_path / "letters.mat"
    scipy_io.savemat(path, {"x": np.arange(12.0).reshape(3, 4), "said": "one"})
    return path


def test_one_process_reads_file_after_file(letters: Path):
    names, kinds, *shapes = read_apart("listed", letters)
    assert names.tolist() == ["x", "said"]
    assert kinds.tolist() == ["double", "char"]
    assert [one.tolist() for one in shapes] == [[3, 4], [1]]
    first = apart._OF_PROCESS[os.getpid()].child
    names, values = read_apart("matlab", letters, ["x"])
    assert names.tolist() == ["x"]
    assert np.array_equal(values, np.arange(12.0).reshape(3, 4))
    assert apart._OF_PROCESS[os.getpid()].child is first


def test_a_process_that_a_file_ends_is_an_error_and_another_one_reads_on(letters: Path, monkeypatch):
    ending = "import os, signal, sys; sys.stdin.readline(); os.kill(os.getpid(), signal.SIGSEGV)"
    apart._OF_PROCESS.pop(os.getpid(), None)
    with monkeypatch.context() as patched:
        patched.setattr(child_processes, "module_command", lambda _: [sys.executable, "-c", ending])
        with pytest.raises(ApartError, match="ended by signal 11"):
            read_apart("matlab", letters, ["x"])
    assert len(read_apart("matlab", letters, ["x"])) == 2


def test_a_process_that_ended_between_two_files_is_no_files_fault(letters: Path):
    read_apart("listed", letters)
    child = apart._OF_PROCESS[os.getpid()].child
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert len(read_apart("matlab", letters, ["x"])) == 2


def test_what_is_wrong_is_said_in_a_line(tmp_path: Path):
    path = tmp_path / "broken.mat"
    path.write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    with pytest.raises(ApartError) as raised:
        read_apart("listed", path)
    assert "\n" not in str(raised.value)


def test_an_interruption_ends_the_process(letters: Path, monkeypatch):
    read_apart("listed", letters)
    child = apart._OF_PROCESS[os.getpid()].child

    def interrupted() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(child.stdout, "readline", interrupted, raising=False)
    with pytest.raises(KeyboardInterrupt):
        read_apart("matlab", letters, ["x"])
    assert child.poll() is not None
    assert apart._OF_PROCESS[os.getpid()].child is None


def test_a_file_that_takes_far_too_long_ends_its_reader():
    code = f"import {apart_process.__name__} as one; one.PATIENCE = 1; one.limit_time(0)\nwhile True: pass"
    done = subprocess.run([sys.executable, "-c", code], env=child_environment(), check=False, timeout=60)
    assert "too long" in apart._ended(done.returncode)
