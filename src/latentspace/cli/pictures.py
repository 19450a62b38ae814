"""What commands that decode codes write: a PNG for each image, all on one sheet, and a film."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from . import console

if TYPE_CHECKING:
    from ..core.types import CodeArray, ImageArray
    from ..figures import Steps
    from ..inference.denoise import Restored
    from ..inference.trained import TrainedAutoencoder

ReplaceFolder: TypeAlias = Annotated[
    bool, "Replace a folder made by such a command, if it has no other files."
]
SHEET = 400  # images that a contact sheet shows at most


@dataclass(frozen=True)
class Made:
    """Codes, what a person should know of them, and how they lie on the sheet."""

    codes: "CodeArray"
    words: str
    columns: int = 10
    across: "Steps | None" = None
    down: "Steps | None" = None
    warning: str = ""


def write_made(
    trained: "TrainedAutoencoder",
    made: Made,
    out: Path,
    *,
    film: bool,
    force: bool,
    back: bool = False,
    json: dict[str, Any] | None = None,
) -> None:
    """A new folder with what codes decode to, said on the terminal, or as JSON with these facts.

    Args:
        force: as `made_folder` takes it.
        back: the film, which repeats, goes back from its last image; else on to its first.
    """
    import numpy as np

    from ..core.output_files import made_folder
    from ..core.wording import counted
    from ..inference.image_files import numbered, there_and_back, write_film, write_pictures

    count, sheet = len(made.codes), _on_sheet(made)
    names, first = numbered(count), []
    with made_folder(out, force=force) as folder:
        for start, decoded in trained.decoded(made.codes):
            write_pictures(decoded, names[start : start + len(decoded)], folder)
            first.append(decoded[: count if film else max(0, sheet - start)])
        shown = np.concatenate(first)
        _write_sheet(shown[:sheet], made, folder / "sheet.png")
        if film:
            write_film(there_and_back(shown) if back else shown, folder / "film.gif")
    if json is not None:
        console.show_json({**json, "images": count, "out": str(out)})
        return
    console.say(f"{counted(count)}: {made.words}")
    console.say(f"all on one sheet: {out / 'sheet.png'}")
    if film:
        console.say(f"as a film: {out / 'film.gif'}")
    console.made(out)


def write_restored(restored: "Restored", out: Path, *, force: bool) -> float:
    """A new folder with a PNG of each image that was decoded from its own code, under its name.

    Returned is the mean squared error a pixel, of all.
    """
    from ..core.output_files import made_folder
    from ..inference.image_files import write_pictures

    total = 0.0
    with made_folder(out, force=force) as folder:
        for decoded, names, errors in restored.blocks():
            write_pictures(decoded, names, folder)
            total += float(errors.sum(dtype="float64"))
    return total / len(restored.codes)


def _on_sheet(made: Made) -> int:
    """How many of the images are on the sheet: of a grid all."""
    return len(made.codes) if made.across is not None else min(SHEET, len(made.codes))


def _write_sheet(shown: "ImageArray", made: Made, path: Path) -> None:
    from ..figures import draw_grid, image_grid, save

    more = len(shown) < len(made.codes)
    words = f"{made.words[:1].upper()}{made.words[1:]}" + (f"; the first {SHEET}" if more else "")
    sheet = image_grid(shown, columns=made.columns, drawn_from=words, across=made.across, down=made.down)
    save(draw_grid(sheet), path)
