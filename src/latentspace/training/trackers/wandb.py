"""Weights & Biases: a run of the project `latentspace`, or WANDB_PROJECT; offline with WANDB_MODE=offline."""

import os
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar, final

from PIL import Image

from ...core.errors import TrainingError
from ...runs.directory import Run
from .protocol import Tracker


@final
class WeightsAndBiases(Tracker):
    """A run of Weights & Biases, kept in the run's folder `wandb` before it is sent."""

    module: ClassVar = "wandb"

    def __init__(self, run: Run, notes: Mapping[str, str] | None, done: int) -> None:
        import wandb

        before = int(notes["last"]) if notes is not None else 0
        self.is_new = notes is None or before > done
        self.last = 0 if self.is_new else before
        name = secrets.token_hex(4) if notes is None or self.is_new else notes["run"]
        self.notes = {"run": name, "last": str(self.last)}
        try:
            self._run: Any = wandb.init(
                project=os.environ.get("WANDB_PROJECT", "latentspace"),
                name=run.path.resolve().name,
                id=name,
                dir=str(run.path),
                resume="allow",
            )
        except wandb.Error as error:
            raise TrainingError(
                "Weights & Biases must take what is tracked",
                found=" ".join(str(error).split())[:300],
                do="log in with: wandb login, or track offline: WANDB_MODE=offline",
            ) from error

    def settings(self, values: Mapping[str, str]) -> None:
        self._run.config.update(dict(values), allow_val_change=True)

    def scalars(self, values: Mapping[str, float], epoch: int) -> None:
        self._run.log(dict(values), step=epoch)
        self.notes = {**self.notes, "last": str(epoch)}

    def picture(self, name: str, image: Image.Image, epoch: int) -> None:
        import wandb

        self._run.log({name: wandb.Image(image)}, step=epoch)

    def close(self, *, finished: bool) -> None:
        self._run.finish(exit_code=0 if finished else 1)
