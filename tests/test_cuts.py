"""A short `make cuts`: some file operations of each kind of work, failed in turn and gone on with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
EVERY = {"training": 17, "evaluation": 4, "report": 13, "search": 80}  # 10 to 25 cuts each


@pytest.mark.parametrize("work", EVERY)
def test_what_is_cut_and_gone_on_with_ends_as_if_it_never_was(work, tmp_path):
    command = [sys.executable, "-m", "cuts", "--only", work, "--first", "2", "--every", str(EVERY[work])]
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
    assert f"{work}: " in done.stdout
    assert "cuts, each gone on with: the same weights, the same results, and nothing left over" in done.stdout
    assert not list(tmp_path.iterdir())
