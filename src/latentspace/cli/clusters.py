"""latentspace clusters"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ..core.errors import ConfigurationError
from . import console
from .options import AskedImages, Device, Json, RunPath

if TYPE_CHECKING:
    from ..data.imageset import ImageSet
    from ..evaluation.clustering import GroupAgreement
    from ..inference.clusters import Clusters
    from ..runs.directory import Run

TABLE, PAGE = "clusters.csv", "clusters.html"
FILES = {TABLE: (".csv", ".parquet", ".npz"), PAGE: (".html",)}


def clusters(
    *,
    run: RunPath,
    count: Annotated[str, "How many clusters; auto: the number that fits best.", "auto|K"] = "auto",
    out: Annotated[
        Path | None,
        "A table (.csv, .parquet, .npz), a page with typical and unusual images of each (.html), or a "
        "folder for both.",
        "PATH",
    ] = None,
    folders: Annotated[
        Path | None, "A new folder with a folder for each cluster: links to image files, or PNG files.", "DIR"
    ] = None,
    copy: Annotated[bool, "With --folders: copy files instead of linking to them."] = False,
    seed: Annotated[int, "Seed of the clustering.", "N"] = 0,
    force: Annotated[bool, "Replace an existing file or folder."] = False,
    json: Json = False,
    device: Device = "auto",
    asked: AskedImages,
) -> None:
    """Find clusters of similar images by their codes, without labels; with labels, also how they agree.

    [bold]Examples[/bold]

      latentspace clusters runs/letters --count 10 --out groups

      latentspace clusters runs/photos photos/ --folders sorted
    """
    from ..core.output_files import refuse_folder
    from ..evaluation.clustering import agreements
    from ..inference.clusters import find_clusters, refuse_count
    from ..inference.group_folders import write_groups
    from ..inference.kept_refined import encoded_once
    from ..inference.trained import TrainedAutoencoder, encoder_run
    from ..runs.directory import Run
    from .outputs import outputs

    wanted = _wanted(count)
    refuse_count(wanted)
    files = {} if out is None else outputs(out, FILES, force=force)
    if folders is not None:
        refuse_folder(folders, force=force)
        _refuse_inside(files.values(), folders)
    opened = encoder_run(Run.open(run))
    trained = TrainedAutoencoder.load(opened, device)
    opened.refuse_damaged_split()
    with console.following():
        images, own = asked.read(opened)
        found = find_clusters(encoded_once(trained, images), wanted, seed)
        agreement = None if images.labels is None else agreements(images, found, trained.code_size, seed)
        _write(files, opened, images, own, found, agreement, force=force)
        if folders is not None:
            spec = asked.images or asked.data or opened.experiment.data.spec
            write_groups(images, found.groups, folders, Path(spec), copy=copy, force=force)
    made = [*files.values(), *(() if folders is None else (folders,))]
    _show(run, images, found, agreement, made, json=json)


def _write(
    files: dict[str, Path],
    run: "Run",
    images: "ImageSet",
    own: bool,
    found: "Clusters",
    agreement: "Mapping[str, GroupAgreement] | None",
    *,
    force: bool,
) -> None:
    """The table and the page, where they are asked for."""
    from ..core.output_files import write_file
    from ..inference.run_images import Description
    from ..inference.tables import write_table

    if TABLE in files:
        columns = Description(run, images, own).columns()
        columns |= {"group": found.groups + 1, "distance": found.distances}
        write_table(files[TABLE], [columns], force=force)
    if PAGE in files:
        from ..report.clusters import clusters_page
        from ..report.page import render

        about = f"run {run.path.name}, weights {run.weights_hash[:16]}"
        write_file(files[PAGE], render(clusters_page(images, found, agreement, about)), force=force)


def _refuse_inside(files: Iterable[Path], folders: Path) -> None:
    """The folder of clusters is new, so nothing else may be written into it before."""
    for path in files:
        if path.resolve().is_relative_to(folders.resolve()):
            raise ConfigurationError(
                "--folders is a folder of its own, and --out is outside of it",
                found=f"--out {path}, --folders {folders}",
                do="name another place for one of them, perhaps --folders in the folder of --out",
            )


def _wanted(count: str) -> int | None:
    if count == "auto":
        return None
    if not count.isdecimal():
        raise ConfigurationError(
            "--count takes a number of clusters, or auto",
            found=repr(count),
            do="write for example --count 10",
        )
    return int(count)


def _show(
    run: Path,
    images: "ImageSet",
    found: "Clusters",
    agreement: "Mapping[str, GroupAgreement] | None",
    made: list[Path],
    *,
    json: bool,
) -> None:
    from ..report.clusters import NAMES, most_common

    groups: list[dict[str, Any]] = []
    for number in range(found.count):
        rows = found.members(number)
        common = most_common(images, rows)
        label = {} if common is None else {"label": common[0], "share": common[1]}
        typical = list(images.names_of(rows[:3]))
        groups.append({"group": number + 1, "images": len(rows), **label, "typical": typical})
    if json:
        facts: dict[str, Any] = {"run": str(run), "images": len(images), "count": found.count}
        if found.silhouettes:
            facts["silhouettes"] = {str(count): one for count, one in found.silhouettes.items()}
        if agreement is not None:
            facts["agreement"] = {name: asdict(one) for name, one in agreement.items()}
        console.show_json({**facts, "groups": groups, "out": [str(path) for path in made]})
        return
    shown = [{**row, "typical": ", ".join(row["typical"])} for row in groups]
    console.show_table(str(run), list(shown[0]), [[*map(console.number, row.values())] for row in shown])
    if agreement is not None:
        rows_of = [
            [NAMES[name], f"{one.nmi:.3f}", f"{one.ari:.3f}", f"{one.accuracy:.3f}"]
            for name, one in agreement.items()
        ]
        console.show_table("agreement with the labels", ["clusters of", "NMI", "ARI", "accuracy"], rows_of)
    for path in made:
        console.made(path)
