"""latentspace data info | convert | fetch | render: info is in a file of its own"""

from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import ConfigurationError
from . import console
from .command import Group, add
from .data_info import info
from .options import Fonts, Reading

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="Look at images, convert them, download notMNIST, render letters.\n\n"
    "SPEC is notmnist, notmnist:large, glyphs, glyphs:COUNT, auto, or a path: {formats}; notMNIST is "
    "recognised among them.",
)


def fetch(
    *,
    spec: Annotated[
        str, typer.Argument(metavar="notmnist|notmnist:large", help="Which set: 18,724 or 529,114 letters.")
    ] = "notmnist",
    timeout: Annotated[float, "Seconds to wait for a mirror that does not answer.", {"min": 0.1}] = 30.0,
) -> None:
    """Download notMNIST into the cache directory, and verify its checksum.

    [bold]Examples[/bold]

      latentspace data fetch

      latentspace data fetch notmnist:large --timeout 60
    """
    from ..data.catalog import notmnist

    sizes = {"notmnist": "small", "notmnist:large": "large"}
    if spec not in sizes:
        raise ConfigurationError(
            "data fetch takes notmnist or notmnist:large", found=repr(spec), do="name one of them"
        )
    path = notmnist.fetch(sizes[spec], timeout=timeout)  # type: ignore[arg-type]
    notmnist.load(sizes[spec])  # type: ignore[arg-type]
    console.made(path)


def render(
    *,
    out: Annotated[Path, "A new folder for the IDX files.", "DIR"],
    count: Annotated[int, "How many letters.", {"min": 1, "max": 10_000_000}] = 18_724,
    seed: Annotated[int, "Seed of the letters.", {"min": 0}] = 0,
    size: Annotated[int, "Height and width, in pixels.", {"min": 16, "max": 4_096}] = 28,
    fonts: Fonts = None,
    workers: Annotated[
        int | None, "How many processes. \\[default: one for each core]", {"min": 1, "max": 1_024}
    ] = None,
) -> None:
    """Render letters A-J from fonts and write them as IDX files; use them with --data DIR.

    [bold]Example[/bold]

      latentspace data render --count 100000 --out letters
    """
    from ..core.atomic_files import refuse_taken
    from ..data.catalog.glyphs.render import render as draw
    from ..data.readers.idx import write_idx_folder

    refuse_taken(out)
    write_idx_folder(draw(count, seed=seed, fonts=fonts or "bundled", size=size, workers=workers), out)
    console.made(out)


def convert(
    *,
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="The images, a SPEC as for --data.")],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="The result: a file .parquet, .npz or .npy, or a new folder for class folders of PNG.",
        ),
    ],
    idx: Annotated[bool, "Write IDX files instead of PNG."] = False,
    force: Annotated[bool, "Replace OUT if it is a file."] = False,
    reading: Reading,
) -> None:
    """Write images in another format, with labels, names, groups and parts, without a loss.

    [bold]Examples[/bold]

      latentspace data convert photos/ photos.parquet

      latentspace data convert train.csv digits --idx
    """
    from ..data.convert import convert as write
    from ..data.convert import refuse_out
    from ..data.sources import load_images

    refuse_out(out, force=force, idx=idx)
    with console.following():
        write(load_images(reading.config(spec)), out, force=force, idx=idx)
    console.made(out)


for one in (info, convert, fetch, render):
    add(app, one)
