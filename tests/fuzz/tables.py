"""Fuzzers of tables: of pixels, of files, beside a folder of images."""

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import feather, parquet

from fuzz.mutations import mutated
from latentspace.core.errors import LatentspaceError
from latentspace.data.config import DataConfig
from latentspace.data.sources import load_images
from makers import encoded, random_pixels


class Parquet:
    """Parquet and Arrow files, and streams, of encoded images, of numbers and of paths."""

    def __init__(self, place: Path) -> None:
        pictures = [random_pixels(5, 5, seed=number) for number in range(6)]
        files = [{"bytes": encoded(one), "path": f"{number}.png"} for number, one in enumerate(pictures)]
        labels = [number % 2 for number in range(6)]
        features = {"info": {"features": {"label": {"names": ["a", "b"], "_type": "ClassLabel"}}}}
        tables = [
            pa.table({"image": files, "label": labels}).replace_schema_metadata(
                {"huggingface": json.dumps(features)}
            ),
            pa.table({"img": [one.tolist() for one in pictures], "category": list("abcabc")}),
            pa.table({"path": [f"{number}.png" for number in range(6)], "split": ["train"] * 6}),
            pa.table({"label": labels, **{f"p{place}": [place * 2] * 6 for place in range(64)}}),
            pa.table({"image": files, "labels": [[0, 1]] * 6}),
            pa.table({"image": [one.tobytes() for one in pictures], "height": [5] * 6, "width": [5] * 6}),
        ]
        self.files = []
        for table in tables:
            for compression in ("none", "snappy"):
                parquet.write_table(table, place / "x.parquet", compression=compression)
                self.files.append((place / "x.parquet").read_bytes())
            for compression in ("uncompressed", "lz4", "zstd"):
                feather.write_feather(table, place / "x.feather", compression=compression)
                self.files.append((place / "x.feather").read_bytes())
            stream = pa.BufferOutputStream()
            with pa.ipc.new_stream(stream, table.schema) as writer:
                writer.write_table(table)
            self.files.append(stream.getvalue().to_pybytes())

    def write(self, draw: random.Random, place: Path) -> None:
        content = draw.choice(self.files)
        name = "x.parquet" if content.startswith(b"PAR1") else "x.arrow"
        (place / name).write_bytes(mutated(draw, content, tuple(self.files)))

    def read(self, place: Path) -> None:
        (path,) = place.iterdir()
        load_images(DataConfig(spec=str(path)))


class TextTables:
    """CSV, TSV, JSON Lines and lists, plain and in gzip, and the folders that they stand in."""

    def __init__(self, place: Path) -> None:
        pictures = [random_pixels(8, 8, seed=number) for number in range(6)]
        self.images = {f"{number}.png": encoded(one) for number, one in enumerate(pictures)}
        rows = [[str(number % 3), *map(str, one.ravel().tolist())] for number, one in enumerate(pictures)]
        header = ["label", *(f"pixel{number}" for number in range(64))]
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
        lines = [{"path": name, "label": row % 2, "part": "train"} for row, name in enumerate(self.images)]
        self.tables["lines.jsonl"] = "\n".join(map(json.dumps, lines)).encode()
        rows_of_pixels = [{"pixels": one.ravel().tolist(), "label": "a"} for one in pictures]
        self.tables["pixels.ndjson"] = "\n".join(map(json.dumps, rows_of_pixels)).encode()
        self.tables["labels.json"] = json.dumps({name: row for row, name in enumerate(self.images)}).encode()
        self.tables["rows.json"] = json.dumps(lines).encode()
        coco = {
            "images": [{"id": row, "file_name": name} for row, name in enumerate(self.images)],
            "annotations": [{"image_id": row, "category_id": row % 2} for row in range(6)],
            "categories": [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}],
        }
        self.tables["coco.json"] = json.dumps(coco).encode()
        sparse = [[f"{k}:{v}" for k, v in enumerate(one.ravel().tolist(), start=1)] for one in pictures]
        self.tables["sparse.t"] = "".join(f"{k} {' '.join(one)}\n" for k, one in enumerate(sparse)).encode()
        self.tables["train_test_split.txt"] = b"".join(b"%d %d\n" % (k, k % 2) for k in range(6))
        self.tables["images.txt"] = b"".join(b"%d %d.png\n" % (k, k) for k in range(6))
        self.tables["emnist-letters-train.csv"] = self.tables["pixels.csv"]
        self.tables["emnist-letters-mapping.txt"] = b"0 65 97\n1 66 98\n2 67\n"
        np.save(place / "source.npy", np.stack(pictures))
        rows_kept = "".join(f"{number},keep,,{place / 'source.npy'}\n" for number in range(6))
        self.tables["cleaned.csv"] = ("name,keep,reason,source\n" + rows_kept).encode()
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
