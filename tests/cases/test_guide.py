"""Each line of the guide's table is run, on a small input of that kind."""

import gzip
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pytest
from PIL import Image
from scipy.io import savemat

from latentspace.data.convert import convert
from latentspace.data.readers.idx import write_idx_folder
from makers import encoded, npy, random_pixels, write_folder, write_tar, write_zip
from materials import make_images
from runner import call

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "your-own-images.md"
COMMANDS = re.findall(
    r"^\|[^|]+\| `(latentspace data info [^`]+)` \|$", GUIDE.read_text(encoding="utf-8"), re.M
)


def pictures(count: int, side: int = 16, seed: int = 0) -> list[bytes]:
    return [encoded(random_pixels(side, side, seed=seed + number)) for number in range(count)]


def of_classes(*before: str) -> dict[str, bytes]:
    """Three images of each of two classes, in each of some folders."""
    places = [
        f"{part}{name}/{number}.png" for part in before for name in ("cat", "dog") for number in range(3)
    ]
    return dict(zip(places, pictures(len(places)), strict=True))


def sparse(place: Path) -> None:
    """Without the zeros at the end of each image."""
    rows = random_pixels(6, 784)[:, :780].tolist()
    pairs = (" ".join(f"{k}:{value / 255:.3g}" for k, value in enumerate(row, start=1)) for row in rows)
    place.write_text("".join(f"{k % 3} {one}\n" for k, one in enumerate(pairs)))


def flat(count: int = 6) -> dict[str, bytes]:
    return {f"{number}.png": content for number, content in enumerate(pictures(count))}


def labelled(below: str = "") -> dict[str, bytes]:
    lines = [f"{name},{'ab'[number % 2]}" for number, name in enumerate(flat())]
    files = {**flat(), "labels.csv": "\n".join(["path,label", *lines]).encode()}
    return {f"{below}{name}": content for name, content in files.items()}


def kaggle(place: Path) -> None:
    tests = {f"test/{number}.png": one for number, one in enumerate(pictures(2, seed=50))}
    write_folder(place, {**of_classes("train/"), **tests, "test.csv": b"id,label\n0.png,cat\n1.png,dog\n"})


def tiny_imagenet(place: Path) -> None:
    synsets = ("n01443537", "n01629819")
    names = [f"train/{name}/images/{name}_{number}.JPEG" for name in synsets for number in range(2)]
    names += [f"val/images/val_{number}.JPEG" for number in range(2)]
    files = {
        name: encoded(random_pixels(64, 64, 3, seed=number), "JPEG") for number, name in enumerate(names)
    }
    boxes = [f"val_{number}.JPEG\t{name}\t0\t0\t60\t60\n" for number, name in enumerate(synsets)]
    words = "n01443537\tgoldfish, Carassius auratus\nn01629819\tsalamander\n"
    texts = {"val/val_annotations.txt": "".join(boxes), "words.txt": words}
    write_folder(place, files | {name: text.encode() for name, text in texts.items()})


def listed(place: Path) -> None:
    write_folder(place.parent / "photos", flat())
    lines = [f"photos/{name},a,{number // 2},train" for number, name in enumerate(flat())]
    place.write_text("\n".join(["path,label,group,part", *lines]))


def json_lines(place: Path) -> None:
    write_folder(place.parent / "photos", flat())
    rows = [{"path": f"photos/{name}", "label": "a", "group": row // 2} for row, name in enumerate(flat())]
    place.write_text("\n".join(map(json.dumps, rows)))


def imagefolder(place: Path) -> None:
    rows = [{"file_name": name, "label": "ab"[row % 2]} for row, name in enumerate(flat())]
    write_folder(place, {**flat(), "metadata.jsonl": "\n".join(map(json.dumps, rows)).encode()})


def listed_labels(place: Path) -> None:
    rows = {name: "ab"[row % 2] for row, name in enumerate(flat())}
    write_folder(place, {**flat(), "labels.json": json.dumps(rows).encode()})


def described(place: Path) -> None:
    said = {f"{row}.json": json.dumps({"label": "ab"[row % 2]}).encode() for row in range(6)}
    write_folder(place, {**flat(), **said})


def table_of_images(seed: int = 0) -> pa.Table:
    cells = [{"bytes": one, "path": f"{row}.png"} for row, one in enumerate(pictures(6, seed=seed))]
    return pa.table({"image": cells, "label": list("ababab")})


def saved(place: Path) -> None:
    for part, seed in (("train", 0), ("test", 9)):
        (place / part).mkdir(parents=True)
        table = table_of_images(seed)
        with pa.ipc.new_stream(place / part / "data-00000-of-00001.arrow", table.schema) as stream:
            stream.write_table(table)
        (place / part / "state.json").write_text("{}")
    (place / "dataset_dict.json").write_text("{}")


def stl10(place: Path) -> None:
    files = {}
    for part, seed in (("train", 0), ("test", 9)):
        files[f"{part}_X.bin"] = random_pixels(6, 3 * 96 * 96, seed=seed).tobytes()
        files[f"{part}_y.bin"] = bytes([1, 2, 1, 2, 1, 2])
    write_folder(place, {**files, "class_names.txt": b"airplane\nbird\n"})


def paths(place: Path) -> None:
    write_folder(place.parent / "photos", flat())
    place.write_text("\n".join(f"photos/{name}" for name in flat()))


def pixels(place: Path) -> None:
    head = ",".join(["label", *(f"pixel{number}" for number in range(64))])
    rows = random_pixels(6, 64).tolist()
    place.write_text(
        "\n".join([head, *(",".join(map(str, [place % 2, *row])) for place, row in enumerate(rows))])
    )


def mixed(place: Path) -> None:
    write_folder(place, {f"{side}.png": pictures(1, side)[0] for side in (20, 30, 40)})


def scans(place: Path) -> None:
    place.mkdir()
    for number in range(4):
        values = np.random.default_rng(number).integers(0, 4096, (16, 16)).astype(np.uint16)
        Image.fromarray(values).save(place / f"{number}.tif")


def arrays(place: Path) -> None:
    np.savez(place, x_train=random_pixels(6, 16, 16), y_train=np.arange(6) % 2)


def colour(place: Path) -> None:
    write_folder(
        place,
        {f"{number}.jpg": encoded(random_pixels(16, 16, 3, seed=number), "JPEG") for number in range(4)},
    )


def shards(place: Path) -> None:
    place.mkdir()
    for part, seed in (("train", 0), ("test", 9)):
        images = make_images(6, seed=seed)
        images = replace(images, parts=None, groups=None, files=None, rows=None)
        convert(images, place / f"{part}-00000-of-00001.parquet")


def webdataset(place: Path) -> None:
    place.mkdir()
    for shard in range(2):
        files = {}
        for number, picture in enumerate(pictures(4, seed=9 * shard)):
            files |= {f"{shard}{number}.png": picture, f"{shard}{number}.cls": b"%d" % (number % 2)}
        write_tar(place / f"{shard:06}.tar", files)


def galaxies(place: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(place, "w") as file:
        file["images"], file["ans"] = random_pixels(6, 16, 16, 3), np.arange(6) % 3


def emnist(place: Path) -> None:
    write_idx_folder(make_images(12), place.parent)
    start = place.name.partition("images")[0]
    (place.parent / "images-idx3-ubyte.gz").rename(place)
    (place.parent / "labels-idx1-ubyte.gz").rename(place.parent / f"{start}labels-idx1-ubyte.gz")
    (place.parent / "classes.txt").unlink()
    mapping = "".join(f"{number} {65 + number}\n" for number in range(26))
    (place.parent / "emnist-letters-mapping.txt").write_text(mapping)


def cifar(place: Path) -> None:
    place.mkdir()
    for name in ("data_batch_1.bin", "test_batch.bin"):
        records = random_pixels(10, 3073, seed=len(name))
        records[:, 0] = np.arange(10)
        (place / name).write_bytes(records.tobytes())


def cifar_100(place: Path) -> None:
    for part in (0, 1):
        records = random_pixels(3, 2 + 3072, seed=part)
        records[:, :2] = (1, 7)
        write_folder(place, {f"{('train', 'test')[part]}.bin": records.tobytes()})


def quickdraw(place: Path) -> None:
    place.mkdir()
    for name in ("cat", "dog"):
        np.save(place / f"full_numpy_bitmap_{name}.npy", random_pixels(6, 784, seed=len(name)))


def stack(place: Path) -> None:
    pages = [Image.fromarray(one) for one in random_pixels(6, 16, 16)]
    pages[0].save(place, save_all=True, append_images=pages[1:])


def joined(place: Path) -> None:
    write_zip(place.parent / "animals.zip", of_classes(""))
    write_folder(place.parent / "more", of_classes(""))


def icons(place: Path) -> None:
    pixels = random_pixels(4, 16, 16, 4)
    pixels[..., :3] = 0
    write_folder(place, {f"{number}.png": encoded(one) for number, one in enumerate(pixels)})


MADE: dict[str, Callable[[Path], object]] = {
    "animals/": lambda place: write_folder(place, of_classes("")),
    "photos/": lambda place: write_folder(place, flat()),
    "published/": lambda place: write_folder(place, of_classes("train/", "test/")),
    "kaggle/": kaggle,
    "tiny-imagenet-200/": tiny_imagenet,
    "animals.zip": lambda place: write_zip(place, of_classes("")),
    "labelled/": lambda place: write_folder(place, labelled()),
    "labelled.zip": lambda place: write_zip(place, labelled("labelled/")),
    "files.csv": listed,
    "files.jsonl": json_lines,
    "listed/": listed_labels,
    "imagefolder/": imagefolder,
    "described/": described,
    "paths.txt": paths,
    "train.csv": pixels,
    "zip.train": lambda place: place.write_text(
        "\n".join(
            f"{k % 2}.0 " + " ".join(map(str, row)) for k, row in enumerate(random_pixels(6, 64).tolist())
        )
    ),
    "mnist.scale": sparse,
    "images.parquet": lambda place: convert(make_images(12), place),
    "shards/": shards,
    "images.feather": lambda place: feather.write_feather(table_of_images(), place),
    "saved/": saved,
    "webdataset/": webdataset,
    "stack.npy": lambda place: np.save(place, random_pixels(6, 16, 16)),
    "stack.npy.gz": lambda place: place.write_bytes(gzip.compress(npy(random_pixels(6, 16, 16)))),
    "arrays.npz": arrays,
    "by-class.npz": lambda place: np.savez(
        place, cat=random_pixels(4, 16, 16), dog=random_pixels(2, 16, 16, seed=1)
    ),
    "galaxies.h5": galaxies,
    "train_32x32.mat": lambda place: savemat(
        place, {"X": random_pixels(16, 16, 3, 6), "y": np.arange(6)[:, None] % 3}
    ),
    "mnist_all.mat": lambda place: savemat(
        place,
        {f"{part}{k}": random_pixels(3, 784, seed=k) for part in ("train", "test") for k in range(2)},
    ),
    "turned.npz": lambda place: np.savez(
        place, X=random_pixels(40, 3, 16, 16).transpose(1, 2, 3, 0), y=np.arange(40) % 2
    ),
    "mnist/": lambda place: write_idx_folder(make_images(12), place),
    "emnist/emnist-letters-train-images-idx3-ubyte.gz": emnist,
    "cifar-10-batches-bin/": cifar,
    "cifar-100-binary/": cifar_100,
    "stl10_binary/": stl10,
    "quickdraw/": quickdraw,
    "stack.tif": stack,
    "https://example.org/animals.zip": lambda place: None,
    "animals.zip + more/": joined,
    "mixed/": mixed,
    "scans/": scans,
    "icons/": icons,
    "colour/": colour,
    "large/": lambda place: write_folder(
        place, {"a.png": pictures(1, 64)[0], "b.png": pictures(1, 96, 9)[0]}
    ),
    "patients/": lambda place: write_folder(
        place, {f"p{number // 3:02}_{number % 3}.png": one for number, one in enumerate(pictures(6))}
    ),
    "named/": lambda place: write_folder(
        place, {f"{['cat', 'dog'][k % 2]}.{k}.jpg": one for k, one in enumerate(pictures(6))}
    ),
    "copied/": lambda place: write_folder(place, {**flat(), "copy.png": pictures(1)[0]}),
    "glyphs:100": lambda place: None,
}


SAID = {
    "animals/": "classes 2, 3 images each: cat (3), dog (3)",
    "published/": "parts train 6, test 6",
    "kaggle/": "parts train 6, test 2",
    "tiny-imagenet-200/": "classes 2, 3 images each: goldfish (3), salamander (3)",
    "cifar-100-binary/": "classes 1, 6 images each: 1 (6)",
    "labelled/": "classes 2, 3 images each: a (3), b (3)",
    "labelled.zip": "classes 2, 3 images each: a (3), b (3)",
    "files.csv": "groups 3, of 2 to 2 images",
    "files.jsonl": "groups 3, of 2 to 2 images",
    "listed/": "classes 2, 3 images each: a (3), b (3)",
    "imagefolder/": "classes 2, 3 images each: a (3), b (3)",
    "described/": "classes 2, 3 images each: a (3), b (3)",
    "mnist_all.mat": "parts train 6, test 6",
    "turned.npz": "images 40, 16x16, colour",
    "images.feather": "classes 2, 3 images each: a (3), b (3)",
    "saved/": "parts train 6, test 6",
    "stl10_binary/": "classes 2, 6 images each: airplane (6), bird (6)",
    "train.csv": "classes 2, 3 images each: 0 (3), 1 (3)",
    "zip.train": "classes 2, 3 images each: 0 (3), 1 (3)",
    "images.parquet": "images 12,",
    "shards/": "parts train 6, test 6",
    "webdataset/": "classes 2, 4 images each: 0 (4), 1 (4)",
    "by-class.npz": "cat (4), dog (2)",
    "galaxies.h5": "images 6, 16x16, colour",
    "train_32x32.mat": "images 6, 16x16, colour",
    "emnist/emnist-letters-train-images-idx3-ubyte.gz": "classes 26",
    "cifar-10-batches-bin/": "parts train 10, test 10",
    "stack.tif": "images 6, 16x16, grey",
    "quickdraw/": "classes 2, 6 images each: cat (6), dog (6)",
    "https://example.org/animals.zip": "classes 2, 3 images each: cat (3), dog (3)",
    "animals.zip + more/": "classes 2, 6 images each: cat (6), dog (6)",
    "mixed/": "sizes 20x20 (1), 30x30 (1), 40x40 (1)",
    "icons/": "laid over white",
    "colour/": "images 4, 16x16, grey",
    "large/": "images 13, 32x32",
    "patients/": "groups 2, of 3 to 3 images",
    "mnist.scale": "images 6, 28x28, grey",
    "named/": "classes 2, 3 images each: cat (3), dog (3)",
    "copied/": "copies dropped 1",
}


def test_the_table_has_a_command_for_each_kind():
    assert [shlex.split(command)[3] for command in COMMANDS] == list(MADE)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[3])
def test_each_command_reads_what_the_line_says(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LATENTSPACE_CACHE", str(tmp_path / "cache"))
    arguments = shlex.split(command)[1:]
    write_zip(tmp_path / "fetched.zip", of_classes(""))  # what is at an address; tests of remote fetch it
    monkeypatch.setattr("latentspace.data.sources.local_copy", lambda _: tmp_path / "fetched.zip")
    MADE[arguments[2]](tmp_path / arguments[2])
    code, out, err = call(arguments)
    assert code == 0, err
    assert out.splitlines()[-1].endswith("-samples.png")
    assert "warning" not in err
    assert SAID.get(arguments[2], "") in " ".join(out.split())
