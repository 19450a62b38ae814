"""A short `make chaos`: trainings and a search of two workers, killed, gone on with, and compared."""

import pytest

from preloaded import Process, run_module


@pytest.mark.parametrize(
    ("only", "last"),
    [
        (("training", "--epochs", "30"), "as if it had never stopped"),
        (("search", "--trials", "6"), "no trial"),
    ],
    ids=["training", "search"],
)
def test_what_is_killed_and_gone_on_with_ends_as_if_it_never_was(only, last, tmp_path_factory):
    folder, logs = (tmp_path_factory.mktemp(name) for name in (only[0], "logs"))
    code, said = run_module("chaos", "--kills", "2", "--only", *only, folder=folder, logs=logs)
    assert code == 0, said
    assert "2 kills of" in said
    assert last in said


def test_a_fork_has_loaded_what_is_kept(tmp_path):
    out = tmp_path / "out"
    assert Process(exec, "import sys; print('kept' in sys.modules)", out=str(out)).wait(100) == 0
    assert out.read_text() == "True\n"
