"""A short `make chaos`: trainings and a search of two workers, killed, gone on with, and compared."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("only", "last"), [("training", "as if it had never stopped"), ("search", "no trial")]
)
def test_what_is_killed_and_gone_on_with_ends_as_if_it_never_was(only, last, tmp_path):
    command = [sys.executable, "-m", "chaos", "--kills", "3", "--only", only]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kills of" in done.stdout
    assert last in done.stdout
