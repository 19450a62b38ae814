"""The pieces of a table of codes, each a file of its own, so that an interrupted encoding goes on."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from ..core.atomic_files import make_folder, refusals, remove, replacing, write_json
from ..core.errors import OutputError
from ..core.output_files import alone_at
from ..core.progress import counted_from, tell
from ..core.types import CodeArray, Int64Array
from ..core.wording import option, reason_of
from .computing import Computed
from .tables import refuse_table

if TYPE_CHECKING:
    from .encoding import EncodingPlan

ENCODED: Final = "images encoded"  # what is counted as progress
LOCK: Final = ".lock"  # in their folder


class Piece(NamedTuple):
    """Some rows of a table; errors are empty where none were asked for, or no code was refined."""

    rows: Int64Array
    codes: CodeArray
    errors: np.ndarray
    before: np.ndarray


class Pieces:
    """The pieces of a table, in a folder beside it, which one process at a time writes to."""

    def __init__(self, out: Path, plan: "EncodingPlan") -> None:
        self.out, self.plan = out, plan
        self.folder = out.with_name(f"{out.name}.pieces")
        self.count = -(-len(plan.rows) // plan.piece)

    @contextmanager
    def begun(self, *, resume: bool, force: bool) -> Iterator[None]:
        """Begin, or go on; no other process writes there within the block."""
        about = self.plan.about
        _ = self.plan.pixels  # what does not fit the run is refused before anything is made
        make_folder(self.folder)
        with alone_at(self.out, self.folder / LOCK):
            there = self._contents()
            try:
                refuse_table(self.out, force=force)  # another may have made it by now
            except OutputError:
                if not there:
                    self.remove()
                raise
            if there:
                self._refuse_others(about, resume=resume, force=force)
            write_json(self.folder / "plan.json", about)
            yield

    def _contents(self) -> list[Path]:
        with refusals(self.folder):
            return [one for one in self.folder.iterdir() if one.name != LOCK]

    def _refuse_others(self, about: Mapping[str, Any], *, resume: bool, force: bool) -> None:
        """Pieces that are there are gone on with, where they are of this plan, or removed, or refused."""
        if not resume and not force:
            raise OutputError(
                f"{self.out} was begun and not ended",
                found=f"pieces of it in {self.folder}",
                do=f"go on with {option('resume', True)}, or begin anew with {option('force', True)}",
            )
        if not (resume and self._begun() == about):
            if not force:
                raise OutputError(
                    f"the pieces in {self.folder} must be of the same run, images and settings",
                    found="others",
                    do=f"encode as before, or begin anew with {option('force', True)}",
                )
            for one in self._contents():
                remove(one)

    def _begun(self) -> Any:
        with suppress(OSError, ValueError):
            return json.loads((self.folder / "plan.json").read_text(encoding="utf-8"))
        return None

    def _place(self, number: int) -> tuple[Int64Array, Path]:
        return self.plan.rows[
            number * self.plan.piece : (number + 1) * self.plan.piece
        ], self.folder / f"{number:06}.npz"

    def compute(self, computed: Computed) -> None:
        """Make the pieces that are not there."""
        places = {number: self._place(number) for number in range(self.count)}
        missing = {number: rows for number, (rows, path) in places.items() if not path.exists()}
        done = len(self.plan.rows) - sum(map(len, missing.values()))
        progress = counted_from(lambda: done, len(self.plan.rows))
        with closing(computed(self.plan, missing)) as columns_of, progress:
            for number, columns in columns_of:
                with replacing(places[number][1]) as file:
                    np.savez(file, **columns)  # type: ignore[arg-type]
                done += len(missing[number])
                tell(ENCODED, 0, 0)  # of the next piece

    def mean(self, name: Literal["errors", "before"]) -> float:
        """Over all images: of their errors, or of those before their codes were refined."""
        parts = (getattr(self.read(number), name) for number in range(self.count))
        return sum(float(one.sum(dtype=np.float64)) for one in parts) / len(self.plan.rows)

    def read(self, number: int) -> Piece:
        rows, path = self._place(number)
        try:
            with np.load(path) as kept:
                return Piece(rows, kept["codes"], kept["errors"], kept["before"])
        except (OSError, ValueError, KeyError) as error:
            raise OutputError(
                f"{path} must be a whole piece",
                found=reason_of(error),
                do=f"begin anew with {option('force', True)}",
            ) from error

    def remove(self) -> None:
        with refusals(self.folder):
            shutil.rmtree(self.folder)
