"""What a newcomer might type: every public name with wrong arguments, and labels as a list.

Shapes and types are not checked here, as they are in the other tests: nobody at a prompt has that.
"""

import json
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import latentspace as ls

TAKEN = {
    ("load_data(spec)", "a picture"),
    ("evaluate(data)", "a picture"),
    ("load_data(resize)", "None"),
    ("load_data(resize)", "a set"),
    ("evaluate(data)", "None"),
    ("evaluate(split)", "None"),
    ("Experiment(data)", "bytes"),
    ("Experiment(data)", "text"),
    ("ImageSet(labels)", "None"),
}
LONGEST = 400  # characters: no array, no nesting of pydantic's


class Thing:
    """Nothing that anybody here knows."""


WRONG: dict[str, Any] = {
    "None": None,
    "a number": 7,
    "a float": 0.5,
    "bytes": b"runs/x",
    "a dictionary": {"a": 1, "b": np.zeros((500, 500))},
    "an empty list": [],
    "a list of everything": [None, "x", Thing(), 3] * 1000,
    "text": "no such thing",
    "an array of text": np.array(["a", "b"]),
    "a large array": np.full((50, 70, 80), np.nan),
    "objects": np.array([Thing(), None], dtype=object),
    "a tensor": torch.full((3, 5), -2.0),
    "a set": {1, 2},
    "an object": Thing(),
    "a class": Thing,
    "a function": len,
    "a picture": Image.new("CMYK", (3, 2)),
}


def calls(path: str) -> dict[str, Callable[[Any], Any]]:
    trained, run = ls.load(path, device="cpu"), ls.Run.open(path)
    images, plan = ls.load_data(run.experiment.data.spec), run.experiment
    new = Path(tempfile.mkdtemp()) / "run"
    return {
        "load(run)": ls.load,
        "load(device)": lambda one: ls.load(path, device=one),
        "load_data(spec)": ls.load_data,
        "load_data(resize)": lambda one: ls.load_data(images, resize=one),
        "load_data(strict)": lambda one: ls.load_data(images, strict=one),
        "load_data(other)": lambda one: ls.load_data(images, size=one),
        "train(experiment)": lambda one: ls.train(one, new),
        "train(out)": lambda one: ls.train({"data": {"spec": "/nowhere at all"}}, one),
        "evaluate(run)": ls.evaluate,
        "evaluate(data)": lambda one: ls.evaluate(path, one),
        "evaluate(split)": lambda one: ls.evaluate(path, split=one),
        "evaluate(device)": lambda one: ls.evaluate(path, device=one),
        "evaluate(other)": lambda one: ls.evaluate(path, images, size=one),
        "Run.open": ls.Run.open,
        "Recipe.load": ls.Recipe.load,
        "Recipe.experiment(kind)": lambda one: ls.Recipe().experiment(one),
        "Recipe.experiment(changes)": lambda one: ls.Recipe().experiment(
            "ae", {"training": one, "seed": one}
        ),
        "Recipe(positional)": ls.Recipe,
        "Recipe(ae)": lambda one: ls.Recipe(ae=one),
        "Experiment(positional)": ls.Experiment,
        "Experiment(kind)": lambda one: ls.Experiment(kind=one),
        "Experiment(model)": lambda one: ls.Experiment(model={"code_size": one, "neurons": [one]}),
        "Experiment(data)": lambda one: ls.Experiment(data={"spec": one}),
        "Experiment.parse": lambda one: ls.Experiment.parse(one, "mine"),
        "Experiment.seed =": lambda one: setattr(plan, "seed", one),
        "ImageSet(pixels)": lambda one: ls.ImageSet(one, "mine"),
        "ImageSet(labels)": lambda one: ls.ImageSet(images.pixels, "mine", labels=one, class_names=("a",)),
        "encode(images)": trained.encode,
        "encode(precision)": lambda one: trained.encode(images, precision=one),
        "reconstruct": trained.reconstruct,
        "decode": trained.decode,
    }


def mistakes(path: str) -> None:
    """Of the path of a finished run: prints a line of JSON for each that did not end in an error of ours, or
    in one that is too long, and in the end how many there were. A warning is an error."""
    warnings.simplefilter("error")
    tried = 0
    for name, call in calls(path).items():
        for kind, wrong in WRONG.items():
            tried += 1
            try:
                call(wrong)
                said = "no error"
            except ls.LatentspaceError as error:
                text = str(error)
                lines = text.splitlines()
                fits = len(lines) == 3 and len(text) < LONGEST + 2 * len(path)
                said = "" if fits and "pydantic" not in text else text
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                said = f"{type(error).__name__}: {error}"
            if said and not (said == "no error" and (name, kind) in TAKEN):
                print(json.dumps([name, kind, said[:300]]))
    print(tried)


def listed_labels() -> None:
    warnings.simplefilter("error")
    for labels in ([0, 1, 0], np.array([0, 1, 0], np.uint8), (np.int32(0), 1, 0)):
        images = ls.ImageSet(np.zeros((3, 1, 8, 8), np.uint8), "mine", labels=labels, class_names=["a", "b"])
        assert images.labels is not None
        assert images.labels.dtype == np.int64
        assert images.labels.tolist() == [0, 1, 0]
        assert images.class_names == ("a", "b")
