"""Faults of a cluster, one after the other: python benchmarks/ray_faults.py [--only TEXT ...] [--out FOLDER]

Twenty-three times a search, a table of codes or a training is begun on a cluster of hosts (`hosts.py`) by the
command line, and in its middle, or before it begins, something goes wrong. A command that ends with an error
is given again with --resume. Each must come to exactly the trials, rows or epochs that were asked for, none
lost and none doubled, with the results of this machine, and leave no process behind. Writes
ray-faults-DATE.md and .json.
"""

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

import hosts
from latentspace.core.errors import LatentspaceError
from latentspace.core.wording import counted
from speed.hardware import hardware, keep, sentence, today

COMMANDS: Any = multiprocessing.get_context("forkserver")
COMMANDS.set_forkserver_preload(
    ["latentspace.cli.main", "latentspace.search.run", "latentspace.training.train"]
)
PIECE: Final = 1100  # images of a piece, shared by 1 + REFINE
REFINE: Final = 10
ROWS: Final = 2_000
TRIALS: Final = 2
LENGTH: Final = 40  # epochs of a trial
EPOCHS: Final = 6
LONGEST: Final = 400.0  # seconds that a command may take
CALLS: Final = 4
SMALL: Final = [f"model.conv{layer}_channels=4" for layer in (1, 2, 3)]
RECIPE: Final = """
[ae.search]
startup_trials = 9
[ae.search.space]
"training.learning_rate" = { low = 1e-4, high = 1e-2, log = true }
"""


class Command:
    """`latentspace` with these words, in a process of its own."""

    def __init__(self, words: list[str], log: Path) -> None:
        self._process = COMMANDS.Process(target=_command, args=(words, str(log), os.environ["RAY_ADDRESS"]))
        self._process.start()

    @property
    def running(self) -> bool:
        return bool(self._process.is_alive())

    def signal(self, number: int) -> None:
        os.killpg(self._process.pid, number)

    def end(self) -> int:
        """Its exit code."""
        self._process.join(LONGEST)
        if self.running:
            self.signal(signal.SIGKILL)
            raise TimeoutError(f"the command did not end within {LONGEST:.0f} s")
        return int(self._process.exitcode)


def _command(words: list[str], log: str, address: str) -> None:
    from latentspace.cli import main
    from latentspace.inference import encoding

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for one in (1, 2):
        os.dup2(descriptor, one)
    os.environ["RAY_ADDRESS"] = address
    encoding.PIECE = PIECE
    sys.argv = ["latentspace", *words]
    main.main()


class Work:
    """What is asked of the cluster, and whether it was done."""

    name: str
    hosts = 1

    def __init__(self, data: Path, folder: Path) -> None:
        self.data, self.folder = data, folder

    def words(self, *, resume: bool) -> list[str]:
        raise NotImplementedError

    def going(self) -> bool:
        """Whether it is in its middle."""
        raise NotImplementedError

    def wrong(self) -> str:
        """What is lost or doubled, or differs from this machine; empty: nothing."""
        raise NotImplementedError


class Search(Work):
    name = "search"

    def words(self, *, resume: bool) -> list[str]:
        if resume:
            return [
                "search",
                "--out",
                str(self.folder / "study"),
                "--resume",
                "--no-final",
                "--engine",
                "ray",
            ]
        recipe = self.folder / "recipe.toml"
        recipe.write_text(RECIPE)
        asked = ["--trials", str(TRIALS), "--epochs", str(LENGTH), "--recipe", str(recipe), "--no-final"]
        settings = [word for one in (*SMALL, "model.code_size=4") for word in ("--set", one)]
        out = ["--data", str(self.data), "--out", str(self.folder / "study"), "--preset", "report"]
        return ["search", "ae", *out, *asked, *settings, "--threads", "1", "--engine", "ray"]

    def _trials(self) -> list[Any]:
        from latentspace.search.trials import join

        with join(self.folder / "study", None) as trials:
            return list(trials.all())

    def going(self) -> bool:
        with suppress(LatentspaceError, OSError):  # not there yet
            return any(one.state == "running" and len(one.reports) > 2 for one in self._trials())
        return False

    def wrong(self) -> str:
        trials = self._trials()
        done = [one for one in trials if one.state == "complete"]
        again = [one.notes.retry_of for one in done if one.notes.retry_of is not None]
        others = {one.state for one in trials} - {"complete", "lost"}
        if len(done) != TRIALS or len(set(again)) != len(again) or others:
            return f"{counted(len(done), 'trial')} of {TRIALS}, {again} again, others {others or 'none'}"
        short = [one.number for one in done if len(one.reports) != LENGTH]
        return f"not all epochs of the trials {short}" if short else ""


class Encode(Work):
    name = "encode"

    @property
    def _table(self) -> Path:
        return self.folder / ("usual.npz" if self.folder == self.data.parent else "codes.npz")

    @property
    def _pieces(self) -> Path:
        return self._table.with_name(f"{self._table.name}.pieces")

    def words(self, *, resume: bool, engine: str = "ray") -> list[str]:
        what = ["encode", str(self.data.parent / "run"), str(self.data), "--out", str(self._table)]
        how = ["--refine", str(REFINE), "--engine", engine, "--precision", "32"]
        return [*what, *how, *(["--resume"] if resume and self._pieces.exists() else [])]

    def going(self) -> bool:
        return len(list(self._pieces.glob("*.npz"))) > 1

    def wrong(self) -> str:
        with np.load(self._table) as found, np.load(self.data.parent / "usual.npz") as usual:
            if found.files != usual.files:
                return f"columns {found.files}"
            others = [one for one in usual.files if not np.array_equal(found[one], usual[one])]
            return f"other columns than this machine's: {others}" if others else ""


class Train(Work):
    name, hosts = "train", 2

    def words(self, *, resume: bool) -> list[str]:
        run = self.folder / "run"
        on = ["--engine", "ray"]
        if resume and (run / "config.json").exists():
            return ["train", "--resume", str(run), *on]
        return [*training(self.data, run), "--devices", "2", *on]

    def _losses(self, path: Path) -> list[Any]:
        from latentspace.runs.directory import Run

        return [(one["epoch"], one["train"], one["validation"]) for one in Run.open(path).metrics]

    def going(self) -> bool:
        with suppress(LatentspaceError, OSError):
            return len(self._losses(self.folder / "run")) > 0
        return False

    def wrong(self) -> str:
        found, usual = (self._losses(one) for one in (self.folder / "run", self.data.parent / "of-two"))
        if [one[0] for one in found] != list(range(1, EPOCHS + 1)):
            return f"epochs {[one[0] for one in found]}"
        return "" if found == usual else "other losses than of two processes on this machine"


def training(data: Path, run: Path) -> list[str]:
    settings = [word for one in (*SMALL, "model.code_size=4") for word in ("--set", one)]
    out = ["--data", str(data), "--out", str(run), "--preset", "report", "--epochs", str(EPOCHS)]
    return ["train", "ae", *out, *settings, "--threads", "1"]


class Scene(NamedTuple):
    """Where it goes wrong; without a command: before it begins."""

    cluster: hosts.Cluster
    command: Command | None = None


Fault = Callable[[Scene], None]


def process_killed(on: Scene) -> None:
    _, process = next(iter(on.cluster.workers()))
    os.kill(process, signal.SIGKILL)


def node_killed(on: Scene) -> None:
    host, _ = next(iter(on.cluster.workers()))
    on.cluster.kill(host)
    on.cluster.add()


def node_late(on: Scene) -> None:
    on.cluster.add()


def cut_and_healed(on: Scene) -> None:
    host, _ = next(iter(on.cluster.workers()))
    host.cut()
    time.sleep(3)
    host.cut(healed=True)


def cut_off(on: Scene) -> None:
    host, _ = next(iter(on.cluster.workers()))
    host.cut()
    on.cluster.add()
    time.sleep(25)  # it is given up meanwhile
    host.cut(healed=True)
    time.sleep(5)
    on.cluster.kill(host)


def head_lost(on: Scene) -> None:
    on.cluster.lose()


def disk_full(on: Scene) -> None:
    host, _ = next(iter(on.cluster.workers()))
    host.fill()


def full_before(on: Scene) -> None:
    on.cluster.keep(len(on.cluster.hosts) + 1)
    on.cluster.hosts[0].fill()


def interrupted(on: Scene) -> None:
    assert on.command is not None
    on.command.signal(signal.SIGINT)


def command_killed(on: Scene) -> None:
    assert on.command is not None
    on.command.signal(signal.SIGKILL)


class Case(NamedTuple):
    """A fault during some work."""

    work: type[Work]
    fault: Fault
    words: str


FAULTS: Final = [
    (process_killed, "a process is killed", (Search, Encode, Train)),
    (interrupted, "Ctrl-C", (Search, Encode)),
    (node_killed, "a node is killed, another comes", (Search, Encode, Train)),
    (node_late, "a node comes late", (Search, Encode)),
    (cut_and_healed, "the network of a node is cut for 3 s", (Search, Encode)),
    (disk_full, "the disk of a node is full", (Search, Encode)),
    (full_before, "the disk of one node more is full before it begins", (Search, Encode, Train)),
    (cut_off, "the network of a node is cut until it is given up", (Search, Encode)),
    (head_lost, "the head is lost, a new one begun", (Search, Encode, Train)),
    (command_killed, "the command is killed", (Train,)),
]
BEFORE: Final = {full_before}  # the command begins
CASES: Final = [Case(work, fault, words) for fault, words, works in FAULTS for work in works]


def survived(case: Case, cluster: hosts.Cluster, data: Path, folder: Path) -> dict[str, Any]:
    """What became of the work."""
    folder.mkdir()
    work, began, log = case.work(data, folder), time.monotonic(), folder / "said"
    cluster.keep(work.hosts)
    if case.fault in BEFORE:
        case.fault(Scene(cluster))
    command = Command(work.words(resume=False), log)
    exits: list[int] = []
    wrong = ""
    try:
        hosts.waited(lambda: work.going() or not command.running, LONGEST, "its middle")
        if not command.running:
            wrong = "it ended before its middle; "
        if case.fault not in BEFORE:
            case.fault(Scene(cluster, command))
        exits.append(command.end())
        while exits[-1] != 0 and len(exits) < CALLS:
            if case.fault not in BEFORE:
                cluster.keep(work.hosts)
            exits.append(Command(work.words(resume=True), log).end())
        wrong += work.wrong() if exits[-1] == 0 else "it does not go on"
        with suppress(TimeoutError):
            hosts.waited(lambda: not list(cluster.workers()), 30, "the end of all processes")
        wrong += f"; left running: {list(cluster.workers())}" * bool(list(cluster.workers()))
    except (OSError, RuntimeError, LatentspaceError, StopIteration) as error:
        wrong += f"{type(error).__name__}: {error}"
        cluster.lose()
    cluster.renew()
    seconds = round(time.monotonic() - began)
    found = {"work": work.name, "fault": case.words, "exits": exits, "wrong": wrong, "seconds": seconds}
    print(f"{work.name}: {case.words}: {wrong or 'survived'}, exit codes {exits}, {seconds} s", flush=True)
    return found


def prepared(folder: Path, log: Path) -> Path:
    """The images, and what this machine makes of them."""
    draw = np.random.default_rng(0)
    coarse = draw.integers(0, 256, (ROWS, 7, 7), np.uint8)
    data, few = folder / "images.npz", folder / "few.npz"
    images = np.kron(coarse, np.ones((1, 4, 4), np.uint8))
    np.savez(data, images=images)
    np.savez(few, images=images[:400])
    words = {
        "run": training(few, folder / "run"),
        "of-two": [*training(few, folder / "of-two"), "--devices", "2"],
        "usual.npz": Encode(data, folder).words(resume=False, engine="local"),
    }
    for name, one in words.items():
        if not (folder / name).exists() and Command(one, log).end():
            raise SystemExit(log.read_text())
    return data


def table(found: dict[str, Any]) -> str:
    lines = [
        "# Faults of a cluster",
        "",
        f"`python benchmarks/ray_faults.py`: {sentence(found['hardware'])}",
        "",
        f"{found['survived']} of {len(found['faults'])} faults survived. An exit code other than 0 is a",
        "command that ended with an error, and was given again with `--resume`.",
        "",
        "| work | what goes wrong | what came of it | exit codes | seconds |",
        "|---|---|---|---|---|",
    ]
    for one in found["faults"]:
        exits = ", ".join(map(str, one["exits"]))
        cells = (one["work"], one["fault"], one["wrong"] or "all there, once", exits, one["seconds"])
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])


def main(*words: str) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", nargs="*", default=[""], help="cases with one of these texts in their words"
    )
    parser.add_argument("--folder", type=Path, help="where the work lies; it stays")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args(words)
    hosts.alone()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="faults"))
    folder.mkdir(parents=True, exist_ok=True)
    few = folder / "few.npz"
    chosen = [one for one in CASES if any(text in f"{one.work.name}: {one.words}" for text in asked.only)]
    cluster = hosts.Cluster(folder)
    data = prepared(folder, folder / "said")
    kept: dict[str, Any] = {"date": today(), "hardware": hardware(1), "faults": []}
    try:
        for number, case in enumerate(chosen):
            images = data if case.work is Encode else few
            kept["faults"].append(survived(case, cluster, images, folder / f"case{number}"))
            kept["survived"] = sum(not one["wrong"] for one in kept["faults"])
            keep("ray-faults", kept, table, asked.out)  # what was seen stays, whatever comes
    finally:
        cluster.lose()


if __name__ == "__main__":
    main(*sys.argv[1:])
