"""What the page shows of a subject, as files by name: `about.json` and binary columns, sheets, networks."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from threading import RLock
from typing import Any, Final, Literal

import numpy as np

from ..core.types import CodeArray
from ..inference.image_files import picture, png, raster
from ..inference.mixtures import fitted_mixture, mixture_of
from ..inference.sampling import fitted, of_prior
from .columns import arrow, code_columns, shown_columns
from .later import WORDS, later_columns
from .networks import network
from .places import METHODS, ShownMap, code_maps, pixel_map
from .sprites import Sprites
from .subject import Category, Quantity, Subject

ARROW: Final = "application/vnd.apache.arrow.stream"
ONNX: Final = "application/octet-stream"


@dataclass(frozen=True)
class File:
    """The content of a file, and its media type."""

    content: bytes
    media_type: str


class Contents:
    """The files of a subject, each made when it is asked for, and kept.

    Args:
        version: which of the subjects that were shown one after another this is.
        pictures: how sheets of small pictures are kept: exact, or small.
        methods: of the maps that are not linear.
        like: places of the images on a map that was shown before, to whose sides principal components turn.
    """

    def __init__(
        self,
        subject: Subject,
        *,
        version: int = 0,
        pictures: Literal["PNG", "WEBP"] = "PNG",
        methods: tuple[str, ...] = METHODS,
        like: np.ndarray | None = None,
    ) -> None:
        self.subject = subject
        self.version = version
        self.pictures = pictures
        self.methods = methods
        self.like = like
        self.sprites = Sprites.of(subject.images.pixels)
        self._made: dict[str, File] = {}
        self._later = later_columns(subject)
        self._computed: dict[str, Category | Quantity] = {}
        self._locks = (
            RLock(),
            RLock(),
            RLock(),
        )  # networks and maps take long: the rest does not wait for them

    def file(self, name: str) -> File | None:
        """The file of that name; None: there is none."""
        with self._locks[name.endswith(".onnx") + 2 * name.startswith(("map-", "column-"))]:
            if name not in self._made:
                found = self._make(name)
                if found is None:
                    return None
                self._made[name] = found
            return self._made[name]

    def image(self, number: int) -> File | None:
        """An image at its own size, as PNG; None: there is no such row."""
        if not 0 <= number < len(self.subject.images):
            return None
        pixels = np.asarray(self.subject.images.pixels[number : number + 1])
        return File(png(picture(raster(pixels)[0])), "image/png")

    @property
    def names(self) -> list[str]:
        """Of all files that the page asks for."""
        sheets = [f"sheet-{number}" for number in range(self.sprites.sheets)]
        maps = [f"map-{number}.arrow" for number in range(len(self.maps))]
        maps += [f"column-{name}.arrow" for name in self._later]
        codes = [] if self.subject.codes is None else ["codes.arrow"]
        networks = (
            [] if self.subject.autoencoder is None else ["mixture.json", "decoder.onnx", "encoder.onnx"]
        )
        networks += [] if self.subject.classifier is None else ["classifier.onnx"]
        return ["about.json", "names.arrow", "columns.arrow", *maps, *codes, *networks, *sheets]

    @property
    def columns(self) -> tuple[Category | Quantity, ...]:
        """What is known of each image so far."""
        return (*self.subject.columns, *self._computed.values())

    @cached_property
    def maps(self) -> tuple[ShownMap, ...]:
        codes = self.subject.codes
        if codes is None:
            return (pixel_map(self.subject.images.pixels),)
        return code_maps(codes, self.methods, self.like)

    def _make(self, name: str) -> File | None:
        subject = self.subject
        makers: dict[str, Callable[[], File | None]] = {
            "about.json": lambda: File(json.dumps(self.about()).encode(), "application/json"),
            "names.arrow": lambda: File(arrow({"name": list(subject.images.names)}), ARROW),
            "columns.arrow": lambda: File(arrow(shown_columns(subject.columns)), ARROW),
            "codes.arrow": lambda: _of_codes(subject.codes),
            "mixture.json": lambda: _mixture(subject),
            "decoder.onnx": lambda: _network(subject, "decoder"),
            "encoder.onnx": lambda: _network(subject, "encoder"),
            "classifier.onnx": lambda: _head(subject),
        }
        if name in makers:
            return makers[name]()
        kind, _, rest = name.partition("-")
        number = rest.removesuffix(".arrow")
        if kind == "column" and rest.endswith(".arrow") and number in self._later:
            self._computed[number] = self._later[number]()
            return File(arrow(shown_columns((self._computed[number],))), ARROW)
        if not number.isascii() or not number.isdecimal() or len(number) > 9:
            return None
        if kind == "map" and rest.endswith(".arrow") and int(number) < len(self.maps):
            places = self.maps[int(number)].places
            return File(arrow({"x": places[:, 0], "y": places[:, 1]}), ARROW)
        if kind == "sheet" and rest == number and int(number) < self.sprites.sheets:
            content = self.sprites.sheet(subject.images.pixels, int(number), self.pictures)
            return File(content, f"image/{self.pictures.lower()}")
        return None

    def about(self) -> dict[str, Any]:
        """What the page must know first, free of anything that has a row an image."""
        subject, sprites = self.subject, self.sprites
        return {
            "title": subject.title,
            "version": self.version,
            "notes": list(subject.notes),
            "count": len(subject.images),
            "source": subject.images.source,
            "shape": list(subject.images.shape),
            "codeSize": 0 if subject.codes is None else subject.codes.shape[1],
            "kind": "" if subject.autoencoder is None else subject.autoencoder.experiment.kind,
            "columns": [
                {"name": one.name, "kind": "category", "values": list(one.names)}
                if isinstance(one, Category)
                else {"name": one.name, "kind": "number", "words": one.words}
                for one in subject.columns
            ],
            "later": {name: WORDS[name] for name in self._later},
            "ordered": subject.autoencoder is not None and subject.autoencoder.model.ordered,
            "sprites": {
                "width": sprites.width,
                "height": sprites.height,
                "across": sprites.across,
                "down": sprites.down,
                "sheets": sprites.sheets,
            },
            "maps": [one.about() for one in self.maps],
            "networks": subject.autoencoder is not None,
            "refined": subject.autoencoder is not None and subject.autoencoder.model.refine > 0,
            "classifier": _classifier(subject),
            "density": _density(subject),
            "fit": "crop" if subject.autoencoder is None else subject.autoencoder.experiment.data.fit,
        }


def _of_codes(codes: CodeArray | None) -> File | None:
    return None if codes is None else File(arrow(code_columns(codes)), ARROW)


def _network(subject: Subject, part: str) -> File | None:
    if subject.autoencoder is None:
        return None
    return File(network(subject.autoencoder, part, subject.weights_hash), ONNX)


def _head(subject: Subject) -> File | None:
    return None if subject.classifier is None else File(network(subject.classifier, "classifier"), ONNX)


def _classifier(subject: Subject) -> dict[str, Any] | None:
    """What tells the class of a code: the run's own network, or the linear one of the set's labels."""
    if subject.classifier is not None:
        names = list(subject.classifier.class_names)
        return {
            "names": names,
            "temperature": asdict(subject.temperature),
            "words": "The run's own classifier.",
        }
    return None if subject.linear is None else subject.linear.about()


def _density(subject: Subject) -> dict[str, Any] | None:
    """What new codes are drawn from, in words, and its mean."""
    if subject.codes is None or subject.autoencoder is None:
        return None
    prior = subject.autoencoder.model.prior
    mean = fitted(subject.codes).mean if prior is None else of_prior(prior).mean
    words = (
        "a mixture of Gaussians fitted to the codes of these images"
        if prior is None
        else f"the prior, {prior.words}"
    )
    return {"mean": mean.tolist(), "words": words}


def _mixture(subject: Subject) -> File | None:
    """The same as Gaussians: their weights, their means and the lower factors of their covariances."""
    if subject.codes is None or subject.autoencoder is None:
        return None
    prior = subject.autoencoder.model.prior
    found = fitted_mixture(subject.codes) if prior is None else mixture_of(prior)
    rounded = {name: np.round(one, 4).tolist() for name, one in asdict(found).items()}
    return File(json.dumps(rounded).encode(), "application/json")
