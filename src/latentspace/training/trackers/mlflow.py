"""MLflow: a run of the experiment `latentspace`, where MLFLOW_TRACKING_URI says or MLflow itself decides."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Final, final

from PIL import Image

from ...core.errors import TrainingError
from ...runs.directory import Run
from .protocol import Tracker

EXPERIMENT: Final = "latentspace"
_EPOCH: Final = "epoch"
_AT_ONCE: Final = 100  # parameters that MLflow takes in one call
_LONGEST: Final = 500  # characters of a parameter


@final
class MLflow(Tracker):
    """A run of MLflow; one whose history is longer than the training's is left, and another begun."""

    module: ClassVar = "mlflow"

    def __init__(self, run: Run, notes: Mapping[str, str] | None, done: int) -> None:
        with _errors():
            from mlflow import MlflowClient

            self._client = MlflowClient()
            self.last = 0
            if notes is not None:
                self._run = notes["run"]
                history = self._client.get_metric_history(self._run, _EPOCH)
                self.last = max((one.step for one in history), default=0)
            self.is_new = notes is None or self.last > done
            if self.is_new:
                self._run, self.last = self._new(run.path.resolve().name), 0
            self._client.update_run(self._run, status="RUNNING")
        self.notes = {"run": self._run}

    def _new(self, name: str) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        place = found.experiment_id if found else self._client.create_experiment(EXPERIMENT)
        return str(self._client.create_run(place, run_name=name).info.run_id)

    def settings(self, values: Mapping[str, str]) -> None:
        from mlflow.entities import Param

        with _errors():
            known = [Param(name, one[:_LONGEST]) for name, one in values.items()]
            for first in range(0, len(known), _AT_ONCE):
                self._client.log_batch(self._run, params=known[first : first + _AT_ONCE])

    def scalars(self, values: Mapping[str, float], epoch: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        with _errors():
            # the epoch is among them, and written last: an epoch that was cut short is written again
            every = [Metric(name, one, now, epoch) for name, one in {**values, _EPOCH: epoch}.items()]
            self._client.log_batch(self._run, metrics=every)

    def picture(self, name: str, image: Image.Image, epoch: int) -> None:
        with _errors():
            self._client.log_image(self._run, image, f"{name}-{epoch}.png")

    def close(self, *, finished: bool) -> None:
        with _errors():
            self._client.set_terminated(self._run, "FINISHED" if finished else "KILLED")


@contextmanager
def _errors() -> Iterator[None]:
    """Within the block what MLflow refuses is an error of ours."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        raise TrainingError(
            "MLflow must take what is tracked",
            found=" ".join(str(error).split())[:300],
            do="set MLFLOW_TRACKING_URI to where it keeps runs, and go on with latentspace train --resume; "
            "without the run's tracking.json it goes on untracked",
        ) from error
