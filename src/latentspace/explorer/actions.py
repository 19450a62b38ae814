"""What the page asks the machine for: neighbours, a classifier of the labels, tables and copies of images."""

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..core.atomic_files import exists, make_folder
from ..core.errors import DataError
from ..core.types import CodeArray, Int64Array
from ..core.wording import counted
from ..data.given import FURTHEST
from ..inference.code_classes import LinearClassifier, of_labels, suggested
from ..inference.group_folders import copy_images
from ..inference.nearest import Exact
from ..inference.tables import CODE, parquet
from .contents import Contents, File
from .labels import Labels
from .subject import Category, Subject, predicted

BY_YOURS: Final = " by your labels"
PARQUET: Final = "application/vnd.apache.parquet"
MOST_NEAR: Final = 1_000
MOST_SUGGESTED: Final = 1_000


class Asked(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Near(Asked):
    """The images nearest to a code."""

    code: list[Annotated[float, Field(ge=-FURTHEST, le=FURTHEST)]]
    count: Annotated[int, Field(ge=1, le=MOST_NEAR)]


class Encoded(Asked):
    """An image of one's own: its values, channel after channel, each row after row."""

    pixels: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=1)]


class Chosen(Asked):
    """Images by their numbers."""

    images: Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], Field(min_length=1)]


class Suggested(Asked):
    """How many images to label next."""

    count: Annotated[int, Field(ge=1, le=MOST_SUGGESTED)]


class Labelled(Asked):
    """A classifier of the labels that a person gave."""


class Actions:
    """The answers, of what is shown now.

    Args:
        contents: what is shown; it may be replaced while a training goes on.
        copies: the folder that images are copied into, in a new folder for each selection.
    """

    def __init__(self, contents: Callable[[], Contents], labels: Labels, copies: Path) -> None:
        self.contents, self.labels, self.copies = contents, labels, copies
        self._searched: tuple[CodeArray, Exact] | None = None
        self._learned: tuple[CodeArray, LinearClassifier] | None = None
        self._one = Lock()  # computes and copies, one after another

    def answers(self) -> Mapping[str, tuple[type[Asked], Callable[[Any], dict[str, Any] | File]]]:
        """By the name of each: what it is asked with, and what answers."""
        return {
            "code": (Encoded, self.code),
            "nearest": (Near, self.nearest),
            "classifier": (Labelled, self.classifier),
            "suggestions": (Suggested, self.suggestions),
            "table": (Chosen, self.table),
            "copies": (Chosen, self.copy),
        }

    def code(self, asked: Encoded) -> dict[str, Any]:
        """The code of an image, refined as those of the others are."""
        trained, shape = self._subject.autoencoder, self._subject.images.shape
        if trained is None:
            raise DataError("there must be a network", found="none yet", do="wait until it has learned")
        if len(asked.pixels) != np.prod(shape):
            raise DataError(
                f"an image has {counted(int(np.prod(shape)), 'value')}",
                found=f"{len(asked.pixels)}",
                do="load the page again",
            )
        with self._one:
            codes = trained.encode(np.array(asked.pixels, dtype=np.uint8).reshape(1, *shape))
        return {"code": codes[0].tolist()}

    def nearest(self, asked: Near) -> dict[str, Any]:
        """The images with the nearest codes, the nearest first."""
        codes = self._codes()
        if len(asked.code) != codes.shape[1]:
            raise DataError(
                f"a code has {counted(codes.shape[1], 'number')}",
                found=f"{len(asked.code)}",
                do="load the page again",
            )
        with self._one:
            if self._searched is None or self._searched[0] is not codes:
                self._searched = (codes, Exact(codes))
            among = self._searched[1]
        given = np.array([asked.code], dtype=np.float32)
        found = among.search(given, min(asked.count, len(codes)))
        return {"images": found.rows[0].tolist(), "distances": found.distances[0].tolist()}

    def classifier(self, _: Labelled) -> dict[str, Any]:
        """The linear classifier of all labels that were given."""
        codes, names = self._codes(), self._subject.images.names
        with self._one:
            found = of_labels(codes, names, self.labels.read())
            if found is None:
                raise DataError(
                    "a classifier learns from labels of at least two kinds",
                    found="fewer",
                    do="label some images first",
                )
            self._learned = (codes, found)
        return found.about()

    def suggestions(self, asked: Suggested) -> dict[str, Any]:
        """Which images to label next."""
        codes, names, labels = self._codes(), self._subject.images.names, self.labels.read()
        unlabelled = np.array([row for row, name in enumerate(names) if name not in labels], dtype=np.int64)
        with self._one:
            known = of_labels(codes, names, labels)
            found = suggested(codes, unlabelled, asked.count, known)
        words = "spread over the codes" if known is None else "the least certain ones, spread over the codes"
        return {"images": found.tolist(), "words": f"{counted(len(found))} to label: {words}"}

    def table(self, asked: Chosen) -> File:
        """Names, columns, labels and codes of images, as Parquet."""
        subject, rows = self._subject, self._rows(asked)
        labels, names = self.labels.read(), subject.images.names_of(rows)
        columns: dict[str, Any] = {"name": list(names)}
        shown, learned = [*self.contents().columns], self._learned
        if learned is not None and learned[0] is subject.codes:
            shown += predicted(learned[1].probabilities(learned[0]), learned[1].names, BY_YOURS)
        for one in shown:
            if isinstance(one, Category):
                numbers = one.numbers[rows].tolist()
                columns[one.name] = [None if number < 0 else one.names[number] for number in numbers]
            else:
                columns[one.name] = one.values[rows]
        columns["your label"] = [labels.get(name) for name in names]
        if subject.codes is not None:
            columns[CODE] = np.asarray(subject.codes[rows], dtype=np.float32)
        return File(parquet(columns), PARQUET)

    def copy(self, asked: Chosen) -> dict[str, Any]:
        """Copies of images' files in a new folder."""
        subject, rows = self._subject, self._rows(asked)
        with self._one:
            make_folder(self.copies)
            numbered = (self.copies / f"selection-{number}" for number in range(1, 1_000_000))
            folder = next(one for one in numbered if not exists(one))
            copy_images(subject.images, rows, folder, subject.folder)
        return {"folder": str(folder), "count": len(rows)}

    @property
    def _subject(self) -> Subject:
        return self.contents().subject

    def _codes(self) -> CodeArray:
        codes = self._subject.codes
        if codes is None:
            raise DataError("there must be codes", found="none yet", do="wait until the network has learned")
        return codes

    def _rows(self, asked: Chosen) -> Int64Array:
        rows = np.unique(np.array(asked.images, dtype=np.int64))
        if rows[-1] >= len(self._subject.images):
            raise DataError(
                "images are named by their numbers", found=f"{rows[-1]}", do="load the page again"
            )
        return rows
