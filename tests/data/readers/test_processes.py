"""Files read by several processes come out as by one, in order; what goes wrong there is said here."""

import math
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from latentspace.core.errors import DataError
from latentspace.data.readers import processes, reading, rows
from latentspace.data.readers.decode import decoding
from latentspace.data.readers.places import Source
from latentspace.data.readers.reading import Task
from makers import encoded, load, random_pixels, write_folder, write_tar, write_zip

FILES = {
    f"{'ab'[number % 2]}/{number}.png": encoded(random_pixels(6, 5, seed=number)) for number in range(300)
}
FILES["a/200.png"] = encoded(random_pixels(6, 5, 3, seed=200))
FILES["a/17.png"] = b"no image"


LARGER = ("zip", "tar", "parquet")  # kinds of files that many images lie in


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0)
    monkeypatch.setattr(processes, "COUNT", 16)
    monkeypatch.setattr(processes, "cores", lambda: 2)


@pytest.fixture(scope="module")
def two() -> Iterator[Sequence[processes.Reader]]:
    """Two processes for all tests that do not look at how they begin and end."""
    with processes._workers(2) as readers:
        yield [partial(_in_turn, Lock(), one) for one in readers]


def _in_turn(lock: AbstractContextManager[bool], reader: processes.Reader, task: Task) -> reading.Answer:
    """Where a reading has ended early, its last task is done first."""
    with lock:
        return reader(task)


@pytest.fixture
def begun(several: None, two: Sequence[processes.Reader], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_workers", lambda count: nullcontext(two[:count]))


def stored(path: Path, kind: str, files: dict[str, bytes]) -> Path:
    """The files as a set of this kind; in Parquet a group of rows is no multiple of a task."""
    if kind == "folder":
        return write_folder(path / "set", files)
    if kind == "parquet":
        rows = [{"bytes": content, "path": name} for name, content in files.items()]
        parquet.write_table(pa.table({"image": rows}), path / "x.parquet", row_group_size=70)
        return path / "x.parquet"
    return (write_zip if kind == "zip" else write_tar)(path / f"x.{kind}", files)


@pytest.mark.parametrize("kind", ["folder", *LARGER])
@pytest.mark.parametrize("sizes", ["one", "many"])
def test_the_same_to_the_bit(tmp_path: Path, kind: str, sizes: str, request: pytest.FixtureRequest) -> None:
    files = dict(FILES)
    if sizes == "many":
        files["b/250.png"] = encoded(random_pixels(40, 9))
        files |= {f"a/x{number}.png": encoded(random_pixels(8, 8 + number)) for number in range(60)}
    path = stored(tmp_path, kind, files)
    alone = load(path)
    request.getfixturevalue("several" if (kind, sizes) == ("folder", "one") else "begun")
    together = load(path)
    assert together.content_hash == alone.content_hash
    assert together.names == alone.names
    assert together.record == alone.record
    assert [one.name for one in together.record.unreadable] == ["a/17.png"]
    with pytest.raises(DataError, match=r"a/17\.png" if kind != "parquet" else "row 300"):
        load(path, strict=True)


def test_a_process_that_dies_is_an_error(
    tmp_path: Path, several: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = processes.begin_piped

    def dead(*module: str) -> "subprocess.Popen[bytes]":
        process = begun(*module)
        process.kill()
        process.wait()
        return process

    monkeypatch.setattr(processes, "begin_piped", dead)
    with pytest.raises(DataError, match="every process that reads images must finish"):
        load(write_folder(tmp_path / "set", FILES))


def test_what_one_process_reads_soon_enough_begins_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PATIENCE", math.inf)
    monkeypatch.setattr(processes, "cores", lambda: 2)
    monkeypatch.setattr(processes, "begin_piped", _interrupted)
    assert len(load(write_folder(tmp_path / "set", FILES))) == len(FILES) - 1


def test_many_files_are_not_begun_by_one_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PATIENCE", math.inf)
    monkeypatch.setattr(processes, "COUNT", 16)
    monkeypatch.setattr(processes, "MANY", len(FILES))
    monkeypatch.setattr(processes, "cores", lambda: 2)
    monkeypatch.setattr(processes, "begin_piped", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        load(write_folder(tmp_path / "set", FILES))


def test_an_interruption_ends_at_once_and_leaves_no_process(tmp_path: Path, several: None) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    start = processes.begin_piped
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "begin_piped", lambda *module: begun.append(start(*module)) or begun[-1])
        patch.setattr(processes, "read", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(write_folder(tmp_path / "set", FILES))
    assert all(process.poll() is not None for process in begun)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_ctrl_c_on_the_command_line(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "set", {f"{number}.png": encoded(random_pixels(64, 64)) for number in range(3000)}
    )
    script = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # whoever began us
        "from latentspace.data.readers import processes as p\n"
        "p.PATIENCE = 0; p.cores = lambda: 2\n"
        "from latentspace.data.config import DataConfig; from latentspace.data.sources import load_images\n"
        "print('begun', flush=True); load_images(DataConfig(spec=sys.argv[1]))"
    )
    command = [sys.executable, "-c", script, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(
        tmp_path, {"1.png": encoded(random_pixels(6, 5)), "2.png": encoded(random_pixels(6, 5, seed=2))}
    )
    decode = reading.decode

    def slow(content: bytes | Path) -> object:
        (tmp_path / "2.png").write_bytes(encoded(np.zeros((6, 5), np.uint8)) + b" ")
        return decode(content)

    monkeypatch.setattr(reading, "decode", slow)
    (one,) = load(tmp_path).record.unreadable
    assert (one.name, one.reason) == ("2.png", "changed while it was read")


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    from latentspace.data.readers.folders import list_folder, read_listing

    write_folder(tmp_path, {"1.png": encoded(random_pixels(6, 5)), "2.png": encoded(random_pixels(6, 5))})
    listing = list_folder(tmp_path)
    (tmp_path / "2.png").unlink()
    (one,) = read_listing(listing).record.unreadable
    assert (one.name, one.reason) == ("2.png", "No such file or directory")


@pytest.mark.parametrize("kind", LARGER)
def test_a_larger_file_is_read_elsewhere_where_it_is_the_same_and_here_where_not(
    tmp_path: Path, kind: str
) -> None:
    from latentspace.data.readers.on_nodes import ReadingProcess

    path = stored(tmp_path, kind, dict(list(FILES.items())[:9]))
    tasks: list[Task] = []
    read = reading.read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "read", lambda task: tasks.append(task) or read(task))
        load(path)
    (task,) = tasks
    assert not any(isinstance(one.content, bytes | str) for one in task.files)
    assert len(pickle.dumps(task)) < 150 * len(task.files)
    with decoding():
        usual, there = reading.read(task), ReadingProcess().read(task, None)
    assert there is not None
    np.testing.assert_array_equal(there.results.pixels, usual.results.pixels)  # type: ignore[union-attr]
    rows.forget()
    os.utime(path, (1, 1))
    assert ReadingProcess().read(task, None) is None
    with pytest.raises(DataError, match=f"x.{kind} must stay as it is while it is read"):
        reading.read(task)
    rows.forget()
    path.unlink()
    assert ReadingProcess().read(task, None) is None


@pytest.mark.parametrize("kind", LARGER)
def test_a_larger_file_that_changes_meanwhile_ends_the_reading(
    tmp_path: Path, kind: str, begun: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stored(tmp_path, kind, FILES)
    read = processes.read

    def changing(task: Task) -> object:
        os.utime(path, (1, 1))
        return read(task)

    monkeypatch.setattr(processes, "read", changing)
    with pytest.raises(DataError, match="must stay as it is while it is read"):
        load(path)


def test_a_damaged_member_that_a_process_meets_ends_the_reading(tmp_path: Path, begun: None) -> None:
    path = stored(tmp_path, "zip", FILES)
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 16] ^= 1  # the last checksum in the directory
    path.write_bytes(content)
    with pytest.raises(DataError, match="must be a whole zip") as damaged:
        load(path)
    assert damaged.value.found == f"Bad CRC-32 for file {list(FILES)[-1]!r}"


def test_a_damaged_group_of_rows_that_a_node_meets_is_left_to_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from latentspace.data.readers.on_nodes import ReadingProcess

    path = stored(tmp_path, "parquet", dict(list(FILES.items())[:9]))
    tasks: list[Task] = []
    read = reading.read
    monkeypatch.setattr(processes, "read", lambda task: tasks.append(task) or read(task))
    load(path)
    rows.forget()
    content = bytearray(path.read_bytes())
    content[4:40] = bytes(36)  # how the first page begins
    path.write_bytes(content)
    with pytest.raises(DataError, match="must hold whole Parquet files"):
        load(path)
    found = Source.of(path, path.stat())
    group = tasks[0].files[0].content.group._replace(source=found)  # type: ignore[union-attr]
    damaged = [
        one._replace(content=one.content._replace(group=group))  # type: ignore[union-attr, call-arg]
        for one in tasks[0].files
    ]
    assert ReadingProcess().read(replace(tasks[0], files=tuple(damaged)), None) is None
