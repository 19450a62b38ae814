"""Fuzzers of tables: of pixels, of files, beside a folder of images."""

import gzip
import random
from pathlib import Path

from fuzz.mutations import mutated
from latentspace.core.errors import LatentspaceError
from latentspace.data.config import DataConfig
from latentspace.data.sources import load_images
from makers import encoded, random_pixels


class TextTables:
    """CSV, TSV and lists, plain and in gzip, and the folders that they stand in."""

    def __init__(self, place: Path) -> None:
        pictures = [random_pixels(5, 5, seed=number) for number in range(6)]
        self.images = {f"{number}.png": encoded(one) for number, one in enumerate(pictures)}
        rows = [[str(number % 3), *map(str, one.ravel().tolist())] for number, one in enumerate(pictures)]
        header = ["label", *(f"pixel{number}" for number in range(25))]
        labels = "".join(
            f"{name},{number % 2},g{number % 3},train\n" for number, name in enumerate(self.images)
        )
        joined = "".join(f"{row[0]},{' '.join(row[1:])},Training\n" for row in rows)
        self.tables = {
            "pixels.csv": "".join(",".join(row) + "\n" for row in [header, *rows]).encode(),
            "bare.tsv": "".join("\t".join(row) + "\n" for row in rows).encode(),
            "joined.csv": ("emotion,pixels,Usage\n" + joined).encode(),
            "labels.csv": ("path,label,group,part\n" + labels).encode(),
            "list.txt": "".join(f"{name} {number % 2}\n" for number, name in enumerate(self.images)).encode(),
            "wide.csv": ("\ufeffimage;a;b\n" + "".join(f'"{name}";1;0\n' for name in self.images)).encode(
                "utf-16"
            ),
        }
        self.others = tuple(self.tables.values())

    def write(self, draw: random.Random, place: Path) -> None:
        name = draw.choice(sorted(self.tables))
        content = mutated(draw, self.tables[name], self.others)
        if draw.random() < 0.2:
            name, content = f"{name}.gz", gzip.compress(content, 1, mtime=0)
            content = mutated(draw, content, self.others) if draw.random() < 0.5 else content
        (place / name).write_bytes(content)
        if draw.random() < 0.8:
            for file, picture in self.images.items():
                (place / file).write_bytes(picture)

    def read(self, place: Path) -> None:
        first = None
        for spec in (place, *(one for one in place.iterdir() if one.suffix != ".png")):
            try:
                load_images(DataConfig(spec=str(spec)))
            except LatentspaceError as error:
                str(error).encode("utf-8", "replace")
                first = first or error
        if first is not None:
            raise first
