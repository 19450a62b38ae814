"""The fuzzer of WebDataset tars."""

import gzip
import json
import random
from pathlib import Path

from fuzz.mutations import mutated
from latentspace.data.config import DataConfig
from latentspace.data.sources import load_images
from makers import encoded, random_pixels, write_tar


class WebDatasets:
    """A folder of two shards, damaged in a member, in the tar, or in its compression."""

    def __init__(self, place: Path) -> None:
        said: list[tuple[str, bytes]] = [
            ("cls", b"3"),
            ("txt", b"cat"),
            ("json", json.dumps({"label": "cat", "group": 1, "split": "train"}).encode()),
        ]
        self.samples = [
            {f"{number}.png": encoded(random_pixels(5, 5, seed=number)), f"{number}.{ending}": content}
            for number in range(4)
            for ending, content in said
        ]
        self.others = tuple(content for sample in self.samples for content in sample.values())

    def write(self, draw: random.Random, place: Path) -> None:
        for name in ("train-0.tar", "test-0.tar.gz"):
            files: dict[str, bytes] = {}
            for sample in draw.sample(self.samples, 3):
                files |= sample
            inside = draw.random() < 0.4
            if inside:
                chosen = draw.choice(sorted(files))
                files[chosen] = mutated(draw, files[chosen], self.others)
            path = write_tar(place / name, files)
            if inside or draw.random() < 0.4:
                continue
            content = path.read_bytes()
            if name.endswith(".gz") and draw.random() < 0.6:
                damaged = mutated(draw, gzip.decompress(content), self.others)
                path.write_bytes(gzip.compress(damaged, 1, mtime=0))
            else:
                path.write_bytes(mutated(draw, content, self.others))

    def read(self, place: Path) -> None:
        load_images(DataConfig(spec=str(place)))
