"""The codes of a set as a table, a row an image: computed in pieces, so that an interrupted one goes on.

A piece is a file of its own beside the table, whole or not there. The table is written once all of them are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float32

from ..core.devices import exact
from ..core.errors import ConfigurationError
from ..core.types import CodeArray, Int64Array, Pixels
from ..core.wording import option
from ..data.batches import at_once, passed_once, told_of
from ..data.imageset import ImageSet
from ..data.sampling import affordable
from ..runs.directory import Run
from .computing import Columns, Computed, columns_of, cut, here
from .conform import conforming
from .image_files import picture, png, raster
from .kept_refined import refined_kept
from .maps import project
from .pieces import ENCODED, Pieces
from .precision import computed_in
from .refine import refined_codes
from .run_images import Description
from .shard import WHOLE, Shard
from .tables import CODE, Block, refuse_table, write_table
from .trained import BATCH, TrainedAutoencoder

PIECE: Final = 65_536  # images
STEP: Final = 5  # times as long as encoding an image a step of refinement takes
PASSES: Final = 8  # of the network, for a smaller piece
EXTRAS: Final = ("images", "map")
DRAWN: Final = 1 << 26  # bytes of pixels that lie as PNG in memory at once


@torch.no_grad()
@exact()
def codes_and_errors(
    trained: TrainedAutoencoder,
    pixels: Pixels,
    rows: Int64Array,
    precision: str = "32",
    *,
    errors: bool = True,
    told: bool = False,
    refine: int | None = None,
) -> tuple[CodeArray, Float32[np.ndarray, " images"] | None]:
    """Codes, and the mean squared error a pixel of each reconstruction, in one pass.

    Args:
        rows: the images that are encoded, in this order.
        precision: 32, bf16, or auto: bf16 where the machine computes in it natively.
        errors: whether the codes are decoded too.
        told: whether each batch is told of as progress.
        refine: steps of refinement; None: the network's own.
    """
    device, model = trained.device, trained.model.eval()
    held = passed_once(pixels, rows, torch.device("cpu"))
    codes: list[torch.Tensor] = []
    found: list[torch.Tensor] = []
    fast = computed_in(precision, device) == "bf16"
    with torch.autocast(device.type, torch.bfloat16, enabled=fast):
        for batch in told_of(held, BATCH, ENCODED) if told else held.batches(at_once(BATCH, held.shape)):
            inputs = batch.inputs.to(device)
            code = model.codes(inputs, refine)
            if errors:
                found.append((model.decode(code).float() - inputs).square().flatten(1).mean(dim=1).cpu())
            codes.append(code.float().cpu())
    return torch.cat(codes).numpy(), torch.cat(found).numpy() if errors else None


@dataclass(frozen=True, eq=False)
class Computing:
    """How the columns of a piece are computed, here or in another process; as in `EncodingPlan`."""

    trained: TrainedAutoencoder
    precision: str
    errors: bool
    refine: int | None = None
    told: bool = False

    def encoded(self, pixels: Pixels, rows: Int64Array, piece: int = 0) -> Columns:  # noqa: ARG002
        """Codes and errors of these images, as a piece keeps them."""
        before = none = np.zeros(0, np.float32)
        if self.refine and self.errors:
            codes, errors, before = refined_codes(self.trained, pixels, rows, self.refine, self.precision)
        else:
            asked = {"errors": self.errors, "told": self.told}
            codes, found = codes_and_errors(
                self.trained, pixels, rows, self.precision, refine=self.refine, **asked
            )
            errors = none if found is None else found
        return {"codes": codes, "errors": errors, "before": before}

    def on(self, device: torch.device) -> "Computing":
        """The same on another device, without the run, which is not on the nodes of a cluster."""
        return replace(self, trained=alone(self.trained, device))


def alone(trained: TrainedAutoencoder, device: torch.device) -> TrainedAutoencoder:
    """The same network on another device, without its run: what another process needs of it."""
    return TrainedAutoencoder(trained.model, trained.experiment, trained.data, device)


def computed_codes(
    trained: TrainedAutoencoder,
    pixels: Pixels,
    rows: Int64Array,
    computed: Computed = here,
    *,
    errors: bool = True,
) -> tuple[CodeArray, Float32[np.ndarray, " images"]]:
    """`codes_and_errors` in float32, of pieces that `computed` computes; no errors where none are asked."""
    computing = Computing(trained, "32", errors=errors)
    pieces = cut(rows, PASSES * at_once(BATCH, pixels.shape[1:]))
    parts = columns_of(computing, pixels, pieces, computed, "parts of images encoded")
    codes, found = (np.concatenate([one[name] for one in parts]) for name in ("codes", "errors"))
    return codes, found


@dataclass(frozen=True, eq=False)
class EncodingPlan:
    """What is encoded, by which run, and what of it the table holds.

    Args:
        own: whether the images are the run's, so that each belongs to a part of its split.
        errors: whether the table has the reconstruction error of each image.
        refine: steps of refinement (`models.refinement`) from the encoder's codes; None: the network's own.
        extras: of `EXTRAS`: the images themselves as PNG, a place on a map (PCA of the codes).
    """

    run: Run
    trained: TrainedAutoencoder
    images: ImageSet
    own: bool
    precision: str = "auto"
    errors: bool = True
    refine: int | None = None
    extras: tuple[str, ...] = ()
    shard: Shard = WHOLE

    @property
    def steps(self) -> int:
        """Steps of refinement that each code takes."""
        return self.trained.model.refine if self.refine is None else self.refine

    @property
    def piece(self) -> int:
        """Images of a piece: fewer where each takes many steps, so that an end loses a minute or two."""
        return max(1, PIECE // (1 + STEP * self.steps))

    @property
    def about(self) -> dict[str, Any]:
        """What must be the same for pieces to belong together."""
        return {
            "weights": self.run.weights_hash,
            "content_hash": self.images.content_hash,
            "precision": computed_in(self.precision, self.trained.device),
            "errors": self.errors,
            "shard": [self.shard.number, self.shard.of],
            "refine": self.steps,
            "piece": self.piece,
        }

    @cached_property
    def pixels(self) -> Pixels:
        """The images as the network takes them."""
        return conforming(self.images, self.trained.data, self.run.experiment.data.fit)

    @cached_property
    def rows(self) -> Int64Array:
        return self.shard.rows(len(self.images))

    @property
    def computing(self) -> Computing:
        precision = computed_in(self.precision, self.trained.device)
        return Computing(self.trained, precision, errors=self.errors, refine=self.steps, told=True)

    @cached_property
    def description(self) -> Description:
        return Description(self.run, self.images, self.own)


def encode_to(
    plan: EncodingPlan,
    out: Path,
    *,
    resume: bool = False,
    force: bool = False,
    computed: Computed = here,
) -> dict[str, Any]:
    """Write the codes of `plan` to `out`, whose ending says the format; facts about the table.

    Args:
        resume: go on where an earlier call ended.
        force: replace what is at `out`, and begin anew where an earlier call ended, unless `resume` is given
            and its pieces are of the same plan.
        computed: what computes the pieces, in any order.

    Raises:
        OutputError: `out` exists, or pieces of an earlier call are there; or it cannot be written.
        DataError: images of another shape than the run's.
        ConfigurationError: a map of one share of the images.
    """
    refuse_table(out, force=force)
    if "map" in plan.extras and plan.shard.of > 1:
        raise ConfigurationError(
            "a map is of all images: those of two shares have nothing in common",
            found=f"{option('with', 'map')} and {option('shard', f'{plan.shard.number}/{plan.shard.of}')}",
            do="leave out one of the two; `latentspace map` makes a map by itself",
        )
    pieces = Pieces(out, plan)
    with pieces.begun(resume=resume, force=force):
        with refined_kept(plan.trained):
            pieces.compute(computed)
        facts: dict[str, Any] = {"images": len(plan.rows), "code_size": plan.trained.code_size}
        facts["precision"] = computed_in(plan.precision, plan.trained.device)
        facts["refine"] = plan.steps
        if plan.errors:
            facts["mse"] = pieces.mean("errors")
            if plan.steps:
                facts["mse_before_refinement"] = pieces.mean("before")
        places = _map(pieces) if "map" in plan.extras else None
        write_table(out, _blocks(pieces, places), force=force)
        pieces.remove()
    return facts


def _blocks(pieces: "Pieces", places: np.ndarray | None) -> Iterator[Block]:
    plan, start = pieces.plan, 0
    step = affordable(plan.piece, plan.images.shape, DRAWN) if "images" in plan.extras else plan.piece
    for number in range(pieces.count):
        whole = pieces.read(number)
        for some in cut(np.arange(len(whole.rows)), step):
            rows = whole.rows[some]
            block = plan.description.columns(rows)
            if "images" in plan.extras:
                block["image"] = [
                    {"bytes": png(picture(one)), "path": name}
                    for one, name in zip(raster(plan.images.pixels[rows]), block["name"], strict=True)
                ]
            block[CODE] = whole.codes[some]
            if plan.errors:
                block["mse"] = whole.errors[some]
            if places is not None:
                block["x"], block["y"] = places[start : start + len(rows)].T
            start += len(rows)
            yield block


def _map(pieces: "Pieces") -> np.ndarray:
    """The first two principal components of all codes."""
    return project(np.concatenate([pieces.read(number).codes for number in range(pieces.count)])).points
