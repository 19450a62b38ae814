"""Planted faults that the doctor finds: python benchmarks/doctor.py DATA [--digits SPEC]

DATA are letters; their own copies and blank images are left out first. Faults are planted among the rest,
each in images of its own: flipped labels and near copies that are moved into the test part (1 % each), blank,
blurred and turned images, copies, and scikit-learn's digits (EACH of each), and a grey border around one
class. For each finding: how many of the planted ones it names (recall), and how many of those that it names
were planted (precision). Scikit-learn's digits are enlarged from 8x8, so they are blurred too: a row of their
own counts them as that; --digits names others, as MNIST's. Blur is planted among photographs as well, tiles
of those of scikit-learn and matplotlib; there, what is out of focus by itself counts as wrong. --cleanvision
names an interpreter that has cleanvision, which then looks at the same images, as PNG files. Writes
doctor-DATE.md and .json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from anomalies import digits
from latentspace.core.wording import counted
from near_copies import photographs
from speed.hardware import hardware, keep, sentence, today

BLUR = 3.0  # pixels of 28
SIDE, STRIDE = 32, 16  # of tiles of photographs
NAMED = ("blank", "blurred", "labels", "leaks")
FIRST = 0.02  # of the images: those whose labels are most probably wrong


# cleanvision: FOLDER -> the numbers of the images that have each of its issues, and the seconds, as JSON.
PEER = """
import json, sys, time
from cleanvision import Imagelab
began, computed = time.perf_counter(), time.process_time()
lab = Imagelab(data_path=sys.argv[1])
lab.find_issues(n_jobs=1, verbose=False)
spent = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - computed}
number = lambda path: int(path.rsplit("/", 1)[1].split(".")[0])
found = {
    name[3:-6]: sorted(map(number, lab.issues.index[lab.issues[name]]))
    for name in lab.issues.columns
    if name.startswith("is_") and name.endswith("_issue")
}
print(json.dumps({"found": found, **spent}))
"""
# What it calls the faults, and the row of ours.
PEERS_NAMES = {
    "blank": ("low_information", "dark", "light"),
    "blurred": ("blurry",),
    "copies": ("exact_duplicates",),
    "leaks": ("near_duplicates",),
}


def planted(images: Any, each: int, strange: np.ndarray) -> tuple[Any, dict[str, np.ndarray], int]:
    """The images with faults, which ones have which, and the class with a border; `strange`: the digits."""
    draw = np.random.default_rng(0)
    pixels, labels = images.pixels.copy(), images.labels.copy()
    many = max(1, len(images) // 100)
    parts = np.zeros(len(images), dtype=np.int64)
    order = draw.permutation(len(images))
    test, rest = order[: len(order) // 5], order[len(order) // 5 :]
    parts[test] = 2
    sizes = {"labels": many, "leaks": many, "blank": each, "blurred": each, "turned": each, "copies": each}
    ends = np.cumsum([*sizes.values(), each])
    chosen = dict(zip([*sizes, "digits"], np.split(rest[: ends[-1]], ends[:-1]), strict=True))
    classes = len(images.class_names)
    labels[chosen["labels"]] = (labels[chosen["labels"]] + draw.integers(1, classes, many)) % classes
    pixels[chosen["blank"]] = draw.integers(0, 256, each, dtype=np.uint8)[:, None, None, None]
    some = pixels[chosen["blurred"]].astype(np.float32)
    pixels[chosen["blurred"]] = gaussian_filter(some, (0, 0, BLUR, BLUR)).astype(np.uint8)
    pixels[chosen["turned"]] = np.rot90(pixels[chosen["turned"]], axes=(2, 3))
    pixels[chosen["digits"]] = strange
    sources = rest[ends[-1] :]
    for name, rows in (("copies", chosen["copies"]), ("leaks", chosen["leaks"])):
        taken, sources = sources[: len(rows)], sources[len(rows) :]
        chosen[f"originals of {name}"] = taken
        pixels[rows] = pixels[taken] if name == "copies" else np.roll(pixels[taken], 1, axis=3)
        labels[rows] = labels[taken]
    parts[chosen["leaks"]] = 2
    bordered = int(np.bincount(labels).argmax())
    within = np.flatnonzero(labels == bordered)
    within = np.setdiff1d(within, np.concatenate([*chosen.values()]))
    for edge in (np.s_[:2], np.s_[-2:]):
        own = pixels[within]
        own[:, :, edge], own[:, :, :, edge] = 128, 128
        pixels[within] = own
    return replace(images, pixels=pixels, labels=labels, parts=parts), chosen, bordered


def clean(images: Any) -> Any:
    """The images without copies, near copies and blank ones of their own: what is named was planted."""
    from latentspace.data.cleaning import blank, first_of_each

    kept = np.zeros(len(images), dtype=bool)
    kept[first_of_each(images.image_hashes)] = True
    kept[images.near_copies.second] = False
    kept[blank(images.pixels)] = False
    return images.subset(np.flatnonzero(kept))


def blurred_photographs(each: int, width: float) -> dict[str, float]:
    """What the finding is worth on tiles of photographs, `each` of them blurred by so many pixels."""
    from latentspace.data.imageset import ImageSet
    from latentspace.evaluation.doctor.blurred import BLURRED
    from latentspace.evaluation.doctor.statistics import statistics_of
    from latentspace.evaluation.doctor.subject import Subject

    tiles = []
    for path in photographs():
        picture = np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1)
        for y in range(0, picture.shape[1] - SIDE + 1, STRIDE):
            corners = range(0, picture.shape[2] - SIDE + 1, STRIDE)
            tiles += [picture[:, y : y + SIDE, x : x + SIDE] for x in corners]
    pixels = np.stack(tiles)
    visible = np.flatnonzero(statistics_of(pixels).contrast > 10)
    chosen = np.random.default_rng(0).permutation(visible)[:each]
    some = pixels[chosen].astype(np.float32)
    pixels[chosen] = gaussian_filter(some, (0, 0, width, width)).astype(np.uint8)
    images = ImageSet(pixels, source="tiles of photographs")
    found = BLURRED.find(Subject(images, "tiles", _no_codes))
    return _scores(chosen, found.rows)


def suspected(subject: Any) -> np.ndarray:
    """The images whose labels are most probably wrong, whether the doctor names them or not."""
    from cleanlab.rank import get_label_quality_scores

    validated = subject.cross_validated
    given = validated.probabilities.astype(np.float64)
    quality = get_label_quality_scores(validated.labels, given, method="normalized_margin")
    order = np.argsort(quality, kind="stable")[: int(FIRST * len(subject.images))]
    return np.asarray(validated.rows[order])


def strange_of(spec: str | None, count: int, size: tuple[int, int]) -> np.ndarray:
    """Digits, all of one size."""
    import latentspace

    draw = np.random.default_rng(0)
    if spec is None:
        return digits(count, size, draw)
    found = latentspace.load_data(spec, resize=size).pixels
    return found[draw.permutation(len(found))[:count]]


def seen_by_cleanvision(
    python: str, images: Any, chosen: dict[str, np.ndarray]
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """The scores of cleanvision on the same images, as of ours, and the seconds that it took."""
    with tempfile.TemporaryDirectory() as place:
        for number, one in enumerate(images.pixels[:, 0]):
            Image.fromarray(one).save(Path(place) / f"{number}.png")
        done = subprocess.run([python, "-c", PEER, place], check=True, capture_output=True, text=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    scores = {}
    for fault, names in PEERS_NAMES.items():
        named = np.unique(np.concatenate([answer["found"].get(name, []) for name in names])).astype(np.int64)
        if fault in ("copies", "leaks"):  # it names both of a pair
            named = np.setdiff1d(named, chosen[f"originals of {fault}"])
        scores[f"{fault}: {', '.join(names)}"] = _scores(chosen[fault], named)
    return scores, {name: answer[name] for name in ("seconds", "cpu_seconds")}


def measured(spec: str, each: int, digits_spec: str | None, cleanvision: str | None) -> dict[str, Any]:
    import latentspace
    from latentspace.evaluation.doctor.codes import trained_here
    from latentspace.evaluation.doctor.examine import examine
    from latentspace.evaluation.doctor.subject import Subject

    whole = clean(latentspace.load_data(spec))
    images, chosen, bordered = planted(whole, each, strange_of(digits_spec, each, whole.size))
    began, computed = time.perf_counter(), time.process_time()
    subject = Subject(images, spec, lambda: trained_here(images, "cpu"))
    found = examine(subject).findings
    spent = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - computed}
    strange, copies = found["outliers"].rows, found["copies"]
    beside = copies.rows if copies.beside is None else copies.beside
    named = np.where(np.isin(beside, chosen["copies"]), beside, copies.rows)  # either of a pair
    enlarged = np.concatenate([chosen["blurred"], chosen["digits"]])
    every = {
        **{name: (chosen[name], found[name].rows) for name in NAMED},
        **({} if digits_spec else {"blurred, and digits (enlarged)": (enlarged, found["blurred"].rows)}),
        "copies": (chosen["copies"], named),
        "labels in the first 2 %": (chosen["labels"], suspected(subject)),
        "outliers (turned, digits)": (np.concatenate([chosen["turned"], chosen["digits"]]), strange),
        "outliers (turned)": (chosen["turned"], strange),
        "outliers (digits)": (chosen["digits"], strange),
    }
    faults = {name: _scores(*rows) for name, rows in every.items()}
    for width in (1.5, 2.0, 3.0):
        faults[f"blurred photographs, by {width:g} pixels"] = blurred_photographs(each, width)
    told = images.class_names[bordered] in str(found["shortcuts"].tables)
    faults["border"] = {"planted": 1, "found": int(told), "recall": float(told), "precision": float(told)}
    result: dict[str, Any] = {"images": len(images), "digits": digits_spec, **spent, "faults": faults}
    if cleanvision:
        scores, took = seen_by_cleanvision(cleanvision, images, chosen)
        result["cleanvision"] = {**took, "faults": scores}
    return result


def _no_codes() -> Any:
    raise AssertionError("blur is found without codes")


def _scores(wanted: np.ndarray, named: np.ndarray) -> dict[str, float]:
    right = len(np.intersect1d(wanted, named))
    rates = {"recall": right / len(wanted), "precision": right / max(1, len(named))}
    return {"planted": len(wanted), "found": len(named), **rates}


def table(found: dict[str, Any]) -> str:
    lines = [
        f"# The doctor, {found['date']}",
        "",
        sentence(found["hardware"]),
        f"{counted(found['images'], 'letter')} with planted faults, seed 0; all findings took "
        f"{found['seconds']:.0f} s, {found['cpu_seconds']:.0f} s of CPU,",
        "the training of the small autoencoder among them. `python benchmarks/doctor.py` makes this file.",
        "",
        *_rows(found["faults"]),
    ]
    if peer := found.get("cleanvision"):
        lines += [
            "",
            "cleanvision on the same images, as PNG files, by its own thresholds, took "
            f"{peer['seconds']:.0f} s, {peer['cpu_seconds']:.0f} s of CPU:",
            "",
            *_rows(peer["faults"]),
        ]
    return "\n".join(lines) + "\n"


def _rows(faults: dict[str, dict[str, float]]) -> list[str]:
    return [
        "| fault | planted | found | recall | precision |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {one['planted']} | {one['found']} | {one['recall']:.2f} | {one['precision']:.2f} |"
            for name, one in faults.items()
        ),
    ]


def main(*words: str) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--each", type=int, default=50)
    parser.add_argument("--digits", metavar="SPEC", help="digits to plant; without it scikit-learn's")
    parser.add_argument("--cleanvision", metavar="PYTHON", help="an interpreter that has cleanvision")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args(words)
    found = {
        "date": today(),
        "hardware": hardware(threads=1),
        **measured(given.data, given.each, given.digits, given.cleanvision),
    }
    keep("doctor", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
