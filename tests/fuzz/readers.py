"""One class a reader: it makes good files once, and then, of a draw, bad ones, which it reads."""

import gzip
import hashlib
import io
import json
import random
import shutil
import struct
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

import numpy as np
import tomli_w
from PIL import Image

from fuzz.arrays import ArrayFolders, BinaryVersions, Compressed, Hdf5, Matlab
from fuzz.mutations import mistaken, mutated
from fuzz.shards import WebDatasets
from fuzz.stored import Stored
from fuzz.tables import Parquet, TextTables
from latentspace.core.config import overrides, read_toml
from latentspace.data.config import DataConfig
from latentspace.data.readers.idx import read_idx, write_idx_folder
from latentspace.data.readers.registry import READERS as READERS_OF_FORMATS
from latentspace.data.sources import load_images
from latentspace.evaluation.evaluate import evaluate
from latentspace.experiment.config import Experiment
from latentspace.experiment.named_recipes import RECIPES
from latentspace.experiment.recipe import Recipe
from latentspace.inference.denoise import file_names
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.runs.directory import Run
from latentspace.runs.table import compare, find_runs
from latentspace.training.train import resume, start, train
from makers import encoded, npy, random_pixels, write_tar, write_zip
from materials import make_images


class Reader(Protocol):
    """What is fuzzed. `write` makes the input in an empty folder, `read` reads all that stands there."""

    def write(self, draw: random.Random, place: Path) -> None: ...

    def read(self, place: Path) -> None: ...


class Idx:
    """IDX files with their companions, plain and in gzip, damaged inside and outside of it."""

    def __init__(self, place: Path) -> None:
        images = make_images(12, side=8)
        write_idx_folder(images, place / "grey")
        write_idx_folder(make_images(5, side=8, channels=3), place / "colour")
        np.savez(place / "unused.npz", images=images.pixels)
        self.sets = [
            {one.name: one.read_bytes() for one in (place / kind).iterdir()} for kind in ("grey", "colour")
        ]
        groups = b"\0\0\x0c\1" + struct.pack(">13i", 12, *(number // 3 for number in range(12)))
        self.sets[0]["groups-idx1-int.gz"] = gzip.compress(groups, mtime=0)
        self.others = tuple(content for files in self.sets for content in files.values())

    def write(self, draw: random.Random, place: Path) -> None:
        files = dict(draw.choice(self.sets))
        chosen = draw.choice(sorted(files))
        content = files.pop(chosen)
        if chosen.endswith(".gz") and draw.random() < 0.7:
            content = mutated(draw, gzip.decompress(content), self.others)
            if draw.random() < 0.5:
                chosen = chosen.removesuffix(".gz")
            else:
                content = gzip.compress(content, 1, mtime=0)
        else:
            content = mutated(draw, content, self.others)
        for name, whole in {**files, chosen: content}.items():
            (place / name).write_bytes(whole)

    def read(self, place: Path) -> None:
        first = None
        for resident in ("always", "never"):
            config = DataConfig(spec=str(place), resident=resident)
            first = _first_of(lambda config=config: load_images(config).content_hash, first)
        for one in place.glob("*idx*"):
            first = _first_of(lambda one=one: read_idx(one), first)
        if first is not None:
            raise first


class Arrays:
    """.npy and .npz, damaged inside and outside of the archive."""

    def __init__(self, place: Path) -> None:
        images = make_images(9, side=8)
        assert images.labels is not None
        names, grey = np.array(images.class_names), images.pixels[:, 0]
        self.sets: list[dict[str, np.ndarray]] = [
            {"images": images.pixels, "labels": images.labels, "class_names": names},
            {"x_train": grey[:6], "y_train": names[images.labels[:6]], "x_test": grey[6:]},
            {"x": images.pixels / np.float32(255), "y": images.labels[:, None], "groups": images.labels // 2},
            {"data": np.repeat(grey[..., None], 4, axis=3), "target": names.astype("S1")[images.labels]},
            {"arr_0": np.asfortranarray(grey / 255), "arr_1": images.labels.astype(">i2")},
            {"x": np.rec.fromarrays([grey, images.labels], dtype=[("image", "u1", (8, 8)), ("y", "i8")])},
        ]
        self.others = tuple(npy(array) for files in self.sets for array in files.values())

    def write(self, draw: random.Random, place: Path) -> None:
        arrays = draw.choice(self.sets)
        members = {f"{name}.npy": npy(array) for name, array in arrays.items()}
        if draw.random() < 0.3:
            (place / "one.npy").write_bytes(mutated(draw, draw.choice(list(members.values())), self.others))
            return
        inside = draw.random() < 0.6
        if inside:
            name = draw.choice(list(members))
            members[name] = mutated(draw, members[name], self.others)
            if draw.random() < 0.1:
                members[draw.choice(("images.npy", "labels.npy", "groups.npy", "class_names.npy"))] = members[
                    name
                ]
        archive = write_zip(place / "some.npz", members)
        if not inside:
            archive.write_bytes(mutated(draw, archive.read_bytes(), self.others))

    def read(self, place: Path) -> None:
        (path,) = place.iterdir()
        first = None
        for resident in ("always", "never"):
            config = DataConfig(spec=str(path), resident=resident)
            first = _first_of(lambda config=config: load_images(config).content_hash, first)
        if first is not None:
            raise first


class Pictures:
    """Folders, zip and tar of image files of many kinds, damaged inside and outside of the archives."""

    def __init__(self, place: Path) -> None:
        grey, colour = random_pixels(9, 9), random_pixels(9, 9, 3, seed=1)
        alpha, deep = random_pixels(9, 9, 4, seed=2), random_pixels(9, 9).astype(np.uint16) * 250
        palette = io.BytesIO()
        Image.fromarray(colour).quantize(8).save(palette, "PNG", transparency=1)
        film = io.BytesIO()
        frames = [Image.fromarray(random_pixels(9, 9, seed=number)) for number in range(3)]
        frames[0].save(film, "GIF", save_all=True, append_images=frames[1:])
        turned = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(colour).save(turned, "JPEG", exif=exif)
        self.files = {
            f"{name}.{kind.lower()}": encoded(pixels, kind)
            for name, pixels, kinds in (
                ("grey", grey, ("PNG", "BMP", "GIF", "TIFF", "PPM", "TGA")),
                ("colour", colour, ("PNG", "JPEG", "WEBP", "TIFF", "PCX", "SGI", "JPEG2000")),
                ("alpha", alpha, ("PNG", "WEBP", "TIFF", "ICO", "DDS")),
            )
            for kind in kinds
        } | {
            "deep.png": encoded(deep),
            "float.tiff": encoded(grey.astype(np.float32) / 255, "TIFF"),
            "palette.png": palette.getvalue(),
            "film.gif": film.getvalue(),
            "turned.jpeg": turned.getvalue(),
            "packed.bmp.gz": gzip.compress(encoded(grey, "BMP")),
        }
        self.others = tuple(self.files.values())

    def write(self, draw: random.Random, place: Path) -> None:
        names = draw.sample(sorted(self.files), draw.choice((2, 3)))
        files = {f"{draw.choice('AB')}/{name}": self.files[name] for name in names}
        form = draw.choice(("folder", "folder", "x.zip", "x.tar", "x.tar.gz", "x.tgz"))
        inside = form == "folder" or draw.random() < 0.4
        if inside:
            chosen = draw.choice(list(files))
            files[chosen] = mutated(draw, files[chosen], self.others)
        if form == "folder":
            for name, content in files.items():
                path = place / form / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            return
        path = (write_zip if form == "x.zip" else write_tar)(place / form, files)
        if not inside:
            content = path.read_bytes()
            if form != "x.zip" and path.suffix != ".tar" and draw.random() < 0.6:
                path.write_bytes(
                    gzip.compress(mutated(draw, gzip.decompress(content), self.others), 1, mtime=0)
                )
            else:
                path.write_bytes(mutated(draw, content, self.others))

    def read(self, place: Path) -> None:
        (path,) = place.iterdir()
        first = None
        for config in (
            DataConfig(spec=str(path)),
            DataConfig(spec=str(path), resize=(8, 12)),
            DataConfig(spec=str(path), strict=True),
        ):
            first = _first_of(lambda config=config: load_images(config), first)
        first = _first_of(lambda: file_names(load_images(DataConfig(spec=str(path), resize=(8, 8)))), first)
        if first is not None:
            raise first


class Stacks:
    """A file of several pages or frames, damaged."""

    def __init__(self, place: Path) -> None:
        self.good = {}
        for kind, deep in (("TIFF", False), ("TIFF", True), ("GIF", False), ("PNG", False), ("WEBP", False)):
            pages = random_pixels(3, 9, 9)
            frames = [Image.fromarray(one.astype(np.uint16) * 250 if deep else one) for one in pages]
            stream = io.BytesIO()
            frames[0].save(stream, kind, save_all=True, append_images=frames[1:])
            self.good[f"{'deep' if deep else 'stack'}.{kind.lower()}"] = stream.getvalue()
        self.others = tuple(self.good.values())

    def write(self, draw: random.Random, place: Path) -> None:
        name = draw.choice(sorted(self.good))
        (place / name).write_bytes(mutated(draw, self.good[name], self.others))

    def read(self, place: Path) -> None:
        (path,) = place.iterdir()
        first = _first_of(lambda: load_images(DataConfig(spec=str(path))), None)
        first = _first_of(lambda: load_images(DataConfig(spec=str(path), tiles="8x8")), first)
        if first is not None:
            raise first


class FromOutside:
    """Files of the reader that tests/stranger registers: the registry's path, as of a built-in one."""

    def __init__(self, place: Path) -> None:
        if "hex" not in READERS_OF_FORMATS:
            sys.path.append(str(Path(__file__).parents[1] / "stranger"))
            import plugin  # noqa: F401 - importing it registers the reader

        self.good = b"2 3\n000102030405\n060708090a0b\n"

    def write(self, draw: random.Random, place: Path) -> None:
        (place / "some.hex").write_bytes(mutated(draw, self.good, (b"-1", b"99999999 99999999", b"")))

    def read(self, place: Path) -> None:
        load_images(DataConfig(spec=str(place / "some.hex")))


class Recipes:
    """Recipes in TOML, plans in JSON, and `--set`."""

    def __init__(self, place: Path) -> None:
        self.recipes = [one.read_bytes() for one in RECIPES.values()]
        self.trees = [tomllib.loads(one.decode()) for one in self.recipes]
        kinds = ("ae", "dae", "vae", "classifier")
        self.plans = [Recipe().experiment(kind).model_dump(mode="json") for kind in kinds]  # type: ignore[arg-type]

    def write(self, draw: random.Random, place: Path) -> None:
        kind = draw.random()
        if kind < 0.5:
            content = mutated(draw, draw.choice(self.recipes), tuple(self.recipes))
        else:
            content = _toml(mistaken(draw, draw.choice(self.trees)))
        (place / "recipe.toml").write_bytes(content)
        plan = json.dumps(mistaken(draw, draw.choice(self.plans)))
        (place / "plan.json").write_text(plan)
        line = mutated(draw, b"training.learning_rate=0.003", (b"model.code_size=[1, 2]", b'data.spec="x"'))
        (place / "set").write_bytes(line)

    def read(self, place: Path) -> None:
        first = _first_of(lambda: Recipe.load(str(place / "recipe.toml")), None)
        first = _first_of(lambda: read_toml(place / "recipe.toml"), first)
        plan = json.loads((place / "plan.json").read_text())
        first = _first_of(lambda: Experiment.parse(plan, "the plan"), first)
        line = (place / "set").read_bytes().decode(errors="replace")
        first = _first_of(lambda: Recipe().experiment("ae", overrides([line])), first)
        if first is not None:
            raise first


class Runs:
    """Run directories, finished and broken off: all that Run.open and whoever goes on with them reads."""

    def __init__(self, place: Path) -> None:
        images = make_images(30)
        data = place / "bars.npz"
        np.savez(data, images=images.pixels, labels=images.labels)
        channels = {f"conv{number}_channels": 2 for number in (1, 2, 3)}
        plan: dict[str, Any] = {
            "data": {"spec": str(data)},
            "model": {"code_size": 2, "neurons": 4, **channels},
            "training": {"epochs": 3, "batch_size": 9, "keep": "best"},
            "threads": 1,
            "device": "cpu",
        }
        experiment = Experiment.parse(plan, "the plan")
        finished = train(experiment, place / "finished")
        evaluate(finished)
        training = start(experiment, place / "broken")
        records = training.records()
        next(records), next(records)
        records.close()  # type: ignore[attr-defined]
        self.runs = {
            name: {
                str(one.relative_to(place / name)): one.read_bytes()
                for one in sorted((place / name).rglob("*"))
                if one.is_file() and one.suffix != ".lock"
            }
            for name in ("finished", "broken")
        }

    def write(self, draw: random.Random, place: Path) -> None:
        files = dict(self.runs[draw.choice(("finished", "broken"))])
        for name in draw.sample(sorted(files), draw.choice((1, 1, 2))):
            files[name] = self._damaged(draw, name, files[name], tuple(files.values()))
        if draw.random() < 0.05:
            del files[draw.choice(sorted(files))]
        for name, content in files.items():
            path = place / "run" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def _damaged(self, draw: random.Random, name: str, content: bytes, others: tuple[bytes, ...]) -> bytes:
        if draw.random() < 0.5:
            return mutated(draw, content, others)
        if name.endswith(".json"):
            return json.dumps(mistaken(draw, json.loads(content))).encode()
        if name.endswith(".jsonl"):
            lines = content.splitlines()
            at = draw.randrange(len(lines))
            lines[at] = json.dumps(mistaken(draw, json.loads(lines[at]))).encode()
            return b"\n".join(lines) + b"\n"
        if name.endswith(".safetensors"):
            return _signed(draw, content)
        return mutated(draw, content, others)

    def read(self, place: Path) -> None:
        path = place / "run"
        first = None
        for look in (
            lambda run: run.experiment,
            lambda run: run.data,
            lambda run: run.split,
            lambda run: run.learned_from,
            lambda run: (run.environment, run.encoder_hash),
            lambda run: run.metrics,
            lambda run: run.weights_hash,
            lambda run: run.state,
            lambda run: run.results(),
            TrainedAutoencoder.load,
            evaluate,
        ):
            first = _first_of(lambda look=look: look(Run.open(path)), first)
        first = _first_of(lambda: compare(find_runs(place)), first)
        first = _first_of(lambda: _gone_on_with(path), first)
        if first is not None:
            raise first


def _gone_on_with(path: Path) -> None:
    """As `train --resume`, but for the epochs themselves: a damaged plan may ask for a million."""
    with mock.patch("latentspace.training.train.learn", return_value=(one for one in ())):
        for _ in resume(path).records():
            pass


def _signed(draw: random.Random, content: bytes) -> bytes:
    """Tensors with a header or a body that is not what was written, and a checksum that says they are."""
    end = 8 + int.from_bytes(content[:8], "little")
    header, body = json.loads(content[8:end]), content[end:]
    if draw.random() < 0.3:
        body = mutated(draw, body)
    if draw.random() < 0.8:
        header = mistaken(draw, header)
    if isinstance(header, dict) and isinstance(header.get("__metadata__"), dict):
        header["__metadata__"]["sha256"] = hashlib.sha256(body).hexdigest()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def _toml(tree: Any) -> bytes:
    try:
        return tomli_w.dumps(_tables(tree) if isinstance(tree, dict) else {"x": _tables(tree)}).encode(
            errors="replace"
        )
    except (TypeError, ValueError):
        return repr(tree).encode(errors="replace")


def _tables(tree: Any) -> Any:
    """Without None, which TOML has not."""
    if isinstance(tree, dict):
        return {key: _tables(value) for key, value in tree.items() if value is not None}
    return [_tables(one) for one in tree if one is not None] if isinstance(tree, list) else tree


def _first_of(read: Callable[[], Any], first: Exception | None) -> Exception | None:
    """Read, and keep the first of our own errors: each of the ways into a file is to be tried."""
    from latentspace.core.errors import LatentspaceError

    try:
        read()
    except LatentspaceError as error:
        str(error).encode("utf-8", "replace")
        return first or error
    return first


READERS: Mapping[str, Callable[[Path], Reader]] = {
    "stored": Stored,
    "idx": Idx,
    "arrays": Arrays,
    "array-folders": ArrayFolders,
    "compressed": Compressed,
    "hdf5": Hdf5,
    "matlab": Matlab,
    "binary": BinaryVersions,
    "webdataset": WebDatasets,
    "pictures": Pictures,
    "stacks": Stacks,
    "tables": TextTables,
    "parquet": Parquet,
    "outside": FromOutside,
    "recipes": Recipes,
    "runs": Runs,
}


def emptied(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place
