"""The bars of trainings, and of other long work, on a terminal."""

from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

# A terminal writes ^C where the cursor is. Beyond the last column that would begin a new line, and the bar,
# which is drawn once more at the end, would stand there twice.
FREE = 3


class Bar(Progress):
    """A line: title, bar, epochs, facts, time left. What does not fit is cut off at the end of the facts."""

    def __init__(self, console: Console, *, transient: bool = False) -> None:
        self.screen = console
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            _Epochs(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[facts]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            transient=transient,
        )

    def get_renderable(self) -> RenderableType:
        return Constrain(super().get_renderable(), max(1, self.screen.width - FREE))


class _Epochs(TextColumn):
    """How many whole ones are done, of all where that is known."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text(f"{int(task.completed)}")
        total = int(task.total)
        return Text(f"{int(task.completed):>{len(str(total))}}/{total}")
