"""TensorBoard: event files in the run's own folder `tensorboard`."""

from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np
from PIL import Image

from ...runs.directory import Run
from .protocol import Tracker


@final
class TensorBoard(Tracker):
    """Event files, which `tensorboard --logdir runs` shows."""

    module: ClassVar = "tensorboard"

    def __init__(self, run: Run, notes: Mapping[str, str] | None, done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = run.path / "tensorboard"
        self.notes = {"folder": folder.name}
        self.is_new = notes is None or not folder.is_dir()
        self.last = 0 if self.is_new else min(done, _last(str(folder)))
        self._writer = SummaryWriter(str(folder), purge_step=self.last + 1)

    def settings(self, values: Mapping[str, str]) -> None:
        lines = ["| setting | value |", "|---|---|", *(f"| {name} | {one} |" for name, one in values.items())]
        self._writer.add_text("settings", "\n".join(lines), 0)

    def scalars(self, values: Mapping[str, float], epoch: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def picture(self, name: str, image: Image.Image, epoch: int) -> None:
        self._writer.add_image(name, np.asarray(image.convert("RGB")), epoch, dataformats="HWC")

    def close(self, *, finished: bool) -> None:  # noqa: ARG002
        self._writer.close()


def _last(folder: str) -> int:
    """The last epoch that the event files of a folder hold."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 1, "tensors": 1})
    events.Reload()
    return max((one.step for tag in events.Tags()["scalars"] for one in events.Scalars(tag)), default=0)
