"""What a person sees: messages, errors and progress, all on standard error; results go to standard output."""

import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table
from rich.text import Text

from ..core.errors import LatentspaceError
from ..core.logs import OneLine
from ..core.printable import printable
from ..core.progress import Listener, heard_by
from ..core.wording import decimals

if TYPE_CHECKING:
    from ..training.loop import EpochRecord
    from ..training.train import Training
    from .bar import Bar

err = Console(stderr=True, highlight=False)
out = Console(highlight=False)
logger = logging.getLogger("latentspace")


def set_verbosity(level: int) -> None:
    """Show messages from `level` (of `logging`) up on standard error."""
    if not logger.handlers:
        handler: logging.Handler
        if err.is_terminal:
            handler = RichHandler(
                console=err, show_time=False, show_path=False, show_level=False, markup=False
            )
            handler.setFormatter(_Loud("%(message)s"))
        else:
            handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(_Loud("%(message)s"))
        logger.addHandler(handler)
    for handler in logger.handlers:
        handler.setLevel(level)  # the logger itself stays open: a run's own log wants what --quiet hides
    logger.setLevel(min(level, logging.INFO))


def quiet() -> bool:
    """Whether messages are hidden."""
    return bool(logger.handlers) and logger.handlers[0].level > logging.INFO


class _Loud(OneLine):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return f"warning: {text}" if record.levelno >= logging.WARNING else text


def show_error(error: LatentspaceError) -> None:
    """One screen: what must hold, what was found, what to do."""
    lines = Text()
    lines.append("error: ", style="bold red")
    lines.append(error.must)
    lines.append("\n  found: ", style="bold")
    lines.append(error.found)
    lines.append("\n  do:    ", style="bold")
    lines.append(error.do)
    err.print(lines, soft_wrap=True)


def say(text: str) -> None:
    """A message, unless --quiet."""
    logger.info("%s", text)


def note(text: str) -> None:
    """A message, also with --quiet."""
    err.print(printable(text), soft_wrap=True, markup=False)


def show(table: Table) -> None:
    """Show a table of the program's own text on standard output."""
    out.print(table)


def made(path: Path | str) -> None:
    """Where something was put: on standard output, so that scripts can read it."""
    text = printable(str(path)) if out.is_terminal else str(path)
    out.print(text, soft_wrap=True, markup=False)


def show_table(
    title: str,
    columns: Iterable[str],
    rows: Iterable[Iterable[str]],
    to: Console = out,
    *,
    whole: bool = False,
) -> None:
    """A table, whose words are whole where they fit the screen.

    Args:
        whole: no cell is broken, even where its lines become longer than the screen is wide.
    """
    columns, rows = [printable(one) for one in columns], [[printable(one) for one in row] for row in rows]
    widths = _widths(list(zip(columns, *rows, strict=True)), to.width)
    heading = Text(printable(title), style="table.title") if title else None
    table = Table(title=heading, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(
            Text(column),
            justify="left" if number == 0 else "right",
            overflow="fold",
            no_wrap=whole,
            width=None if whole else widths[number],
        )
    for row in rows:
        table.add_row(*map(Text, row))
    if whole:
        wide = Console(stderr=to.stderr, highlight=False, width=UNBROKEN)
        to = wide if wide.measure(table).minimum > to.width else to
    to.print(table)


def _widths(columns: list[tuple[str, ...]], screen: int) -> list[int] | list[None]:
    """How wide each column is so that no word is broken; None of each where that is Rich's to say."""
    words = [max(cell_len(word) for cell in column for word in cell.split(" ")) for column in columns]
    wanted = [max(map(cell_len, column)) - word for column, word in zip(columns, words, strict=True)]
    spare = screen - sum(words) - 2 * (len(words) - 1)
    if not 0 <= spare < sum(wanted):
        return [None] * len(columns)
    return [word + spare * more // sum(wanted) for word, more in zip(words, wanted, strict=True)]


def show_facts(title: str, rows: Iterable[Iterable[str]]) -> None:
    """A table of names and what is said of each, in whole lines."""
    table = Table(
        title=Text(printable(title), style="table.title"),
        title_justify="left",
        box=None,
        show_header=False,
        pad_edge=False,
    )
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    out.print(table)


SHOWN = 40  # rows of a table of results on the terminal
FIRST = 4  # columns of it that always stand there


def show_rows(facts: Mapping[str, Any], columns: Mapping[str, Any], name: str, *, json: bool) -> None:
    """The first rows of a table, given by its columns; or all as JSON, called `name`, beside `facts`.

    Every cell is whole: columns that do not fit the screen are named below.
    """
    every = zip(*(one if isinstance(one, list) else one.tolist() for one in columns.values()), strict=True)
    if json:
        show_json({**facts, name: [dict(zip(columns, row, strict=True)) for row in every]})
        return
    first = [
        {key: one if isinstance(one, str) else number(one) for key, one in zip(columns, row, strict=True)}
        for row in islice(every, SHOWN)
    ]
    chosen, left = fitting(list(columns)[:FIRST], list(columns)[FIRST:], first)
    show_table(str(facts["run"]), chosen, [[row[key] for key in chosen] for row in first], whole=True)
    more = sum(1 for _ in every)
    rest = [f"{more:,} more"] * bool(more) + [f"more columns ({', '.join(left)})"] * bool(left)
    if rest:
        say(f"{' and '.join(rest)}: --out FILE.csv or --json has all of them")


UNBROKEN = 100_000  # characters of a line that nothing breaks


def fitting(
    first: Sequence[str], others: Sequence[str], rows: Sequence[Mapping[str, str]]
) -> tuple[list[str], list[str]]:
    """The columns that `show_table` has room for, if nothing is broken, `first` in any case; and the rest."""
    texts = {name: [name, *(row[name] for row in rows)] for name in (*first, *others)}
    widths = {name: max(map(cell_len, cells)) + 2 for name, cells in texts.items()}
    chosen, left = list(first), list(others)
    while left and sum(widths[name] for name in (*chosen, left[0])) - 2 <= out.width:
        chosen.append(left.pop(0))
    return chosen, left


def show_json(content: Any) -> None:
    """One JSON value on standard output."""
    out.print(json.dumps(content), soft_wrap=True, markup=False)


def follow_training(training: "Training", title: str, records: "Iterable[EpochRecord] | None" = None) -> None:
    """Run a training to its end, or to where it ends from where it was interrupted, and show how it goes.

    Args:
        records: of the training, where something else looks at them too; None: its own.
    """
    state, epochs = training.run.state, training.experiment.training.epochs
    follow(records or training.records(), epochs, state.epoch if state else 0, title)


def follow(records: "Iterable[EpochRecord]", epochs: int, done: int, title: str) -> None:
    """Run a training to its end and show how it goes: a bar on a terminal, else a line an epoch.

    Args:
        epochs: how many there are in all.
        done: how many of them were done before.
    """
    if err.is_terminal and not quiet():
        _with_a_bar(records, epochs, done, title)
    else:
        _with_lines(records, epochs, done, title)


def _with_lines(records: "Iterable[EpochRecord]", epochs: int, done: int, title: str) -> None:
    """A line an epoch, and within a long epoch a line now and then."""
    began = last = time.monotonic()
    first = epoch = done

    def within(what: str, step: int, steps: int) -> None:
        nonlocal last
        if time.monotonic() - last >= SILENT:
            last = time.monotonic()
            say(f"{title} epoch {epoch + 1}/{epochs}: step {step:,} of {steps:,} of the {what}")

    with heard_by(within):
        for record in records:
            epoch, last = record.epoch, time.monotonic()
            left = (last - began) / (epoch - first) * (epochs - epoch)
            say(f"{title} epoch {epoch}/{epochs}  {facts(record)}  {clock(left)} left")


SILENT = 30.0  # seconds after which an epoch, or other long work, says how far it is


def _with_a_bar(records: "Iterable[EpochRecord]", epochs: int, done: int, title: str) -> None:
    """A bar that moves within an epoch too."""
    from .bar import Bar

    with Bar(err) as bar:
        task = bar.add_task(title, total=epochs, completed=done, facts="")
        epoch, shown = done, 0.0

        def within(what: str, step: int, steps: int) -> None:
            nonlocal shown
            if what == "training" and time.monotonic() - shown >= BETWEEN:
                shown = time.monotonic()
                bar.update(task, completed=epoch + step / steps)

        with heard_by(within):
            for record in records:
                epoch = record.epoch
                bar.update(task, completed=epoch, facts=facts(record))


BETWEEN = 0.1  # seconds between two movements of the bar


@contextmanager
def following() -> Iterator[None]:
    """Inside the block, progress that is told of is shown: a bar on a terminal, else now and then a line."""
    if quiet():
        yield
    elif err.is_terminal:
        from .bar import Bar

        with Bar(err, transient=True) as bar, heard_by(_moving(bar)):
            yield
    else:
        with heard_by(_lines()):
            yield


def _moving(bar: "Bar") -> Listener:
    task, before, shown = bar.add_task("", facts="", visible=False), "", 0.0

    def show(what: str, done: int, total: int) -> None:
        nonlocal before, shown
        now = time.monotonic()
        if what != before:
            bar.reset(task, description=what, total=total or None, visible=True)
        elif now - shown < BETWEEN:
            return
        before, shown = what, now
        bar.update(task, completed=done)

    return show


def _lines() -> Listener:
    last = time.monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= SILENT:
            last = time.monotonic()
            say(f"{what}: {done:,} of {total:,}" if total else f"{what}: {done:,}")

    return show


def facts(record: "EpochRecord") -> str:
    """`loss 0.5123, accuracy 0.831  validation 0.5504, accuracy 0.810  45,000 images/s`"""
    parts = [f"loss {_scores(record.train)}"]
    if record.validation is not None:
        parts.append(f"validation {_scores(record.validation)}")
    parts.append(f"{record.images_per_second:,.0f} images/s")
    return "  ".join(parts)


def _scores(terms: Mapping[str, float]) -> str:
    accuracy = f", accuracy {terms['accuracy']:.3f}" if "accuracy" in terms else ""
    return f"{decimals(terms['loss'])}{accuracy}"


def clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def number(value: Any) -> str:
    """A figure for a table: four significant digits, thousands apart."""
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else printable(str(value))
