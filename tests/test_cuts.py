"""A short `make cuts`: some file operations of each kind of work, failed in turn and gone on with."""

import pytest

from preloaded import run_module

EVERY = {"training": 73, "evaluation": 17, "report": 37, "search": 175}  # 5 or 6 cuts each


@pytest.mark.parametrize("work", EVERY)
def test_what_is_cut_and_gone_on_with_ends_as_if_it_never_was(work, tmp_path_factory):
    folder, logs = (tmp_path_factory.mktemp(name) for name in (work, "logs"))
    arguments = ["--only", work, "--first", "2", "--every", str(EVERY[work])]
    code, said = run_module("cuts", *arguments, folder=folder, logs=logs)
    assert code == 0, said
    assert f"{work}: " in said
    assert "cuts, each gone on with: the same weights, the same results, and nothing left over" in said
    # A process that dies leaves its temporary files, as every program does; nothing else is left.
    assert not [one for one in folder.iterdir() if not one.name.startswith("tmp")]
