"""A fuzzer of every form that the contract of sources writes, for readers that have none of their own."""

import random
from pathlib import Path

from contracts.test_every_source import STORED
from fuzz.mutations import mutated
from latentspace.data.config import DataConfig
from latentspace.data.readers.registry import READERS, reader_of
from latentspace.data.sources import load_images
from materials import make_images

# The fuzzer of each reader of images that has one of its own.
OWN = {
    **{
        "npy": "arrays",
        "npz": "arrays",
        "hdf5": "hdf5",
        "matlab": "matlab",
        "binary": "binary",
        "idx": "idx",
    },
    **{"array_folder": "array-folders", "archive": "pictures", "folder": "pictures"},
    **{"parquet": "parquet", "table": "tables", "cleaned": "tables", "webdataset": "webdataset"},
    **{"libsvm": "tables", "pages": "stacks"},
    **{"compressed": "compressed"},
    **{"pickle": "array-folders"},  # which is never opened, by its name or its start
}


class Stored:
    """What STORED writes for readers without a fuzzer of their own, else all of it; one file damaged."""

    def __init__(self, place: Path) -> None:
        images, sets, alone = make_images(9, side=8), {}, {}
        for number, store in enumerate(STORED):
            folder = place / str(number)
            folder.mkdir()
            path = store(images, folder)
            if not path.exists():  # several, with + between
                continue
            files = {
                one.relative_to(place).as_posix(): one.read_bytes()
                for one in sorted(folder.rglob("*"))
                if one.is_file()
            }
            reader = reader_of(path)
            known = reader is not None and READERS.name_of(reader) in OWN
            (sets if known else alone)[path.relative_to(place)] = files
        self.sets = alone or sets
        self.others = tuple(content for files in self.sets.values() for content in files.values())

    def write(self, draw: random.Random, place: Path) -> None:
        files = dict(self.sets[draw.choice(list(self.sets))])
        chosen = draw.choice(sorted(files))
        files[chosen] = mutated(draw, files[chosen], self.others)
        for name, content in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)

    def read(self, place: Path) -> None:
        (path,) = (place / one for one in self.sets if (place / one).exists())
        load_images(DataConfig(spec=str(path)))
