"""A run for others: a folder, or a repository of the Hugging Face hub, in the layout that the hub expects.

README.md            the model card
model.safetensors    the run's weights.safetensors
encoder/             of a classifier: the run whose codes it learned from, in the same layout
and the other records of the run under their own names. Images are not among them.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..core.atomic_files import make_folder, new_folder, refuse_taken, write_bytes
from ..core.errors import ConfigurationError, LatentspaceError, OutputError, RunError
from ..core.extras import require_extra
from ..core.output_files import folder_in_place_of
from ..core.wording import option
from .directory import Run, refuse_existing

CARD: Final = "README.md"
WEIGHTS: Final = "model.safetensors"  # the name by which the hub knows a model's weights
ENCODER: Final = "encoder"
_RECORDS: Final = ("config.json", "data.json", "split.json", "environment.json", "metrics.jsonl")
_HUB: Final = "hf://"


def is_hub(address: str) -> bool:
    """Whether an address is a hub's: hf://OWNER/NAME. Raises: ConfigurationError: of another form."""
    if not re.match(r"[A-Za-z][\w+.-]+:/", address):  # C:/ is a disk
        return False
    if not re.fullmatch(rf"{_HUB}[\w.-]+/[\w.-]+", address):
        raise ConfigurationError(
            "an address of the hub is hf://OWNER/NAME", found=address, do="write for example hf://me/letters"
        )
    return True


def require_target(target: str, *, force: bool) -> None:
    """Whether a run may be put there, before its card is made.

    Raises:
        ConfigurationError: no address, or what speaks with the hub is not installed.
        OutputError: there is something already, or the place cannot be written.
    """
    if is_hub(target):
        require_extra("hub", "huggingface_hub", to="push to the Hugging Face hub")
    elif not (force and _is_pushed(Path(target))):
        refuse_taken(
            Path(target), do=f"name another place, or replace a run there with {option('force', True)}"
        )


def packed(
    run: Run, card: str, pictures: Mapping[str, bytes], encoder: Run | None = None
) -> dict[str, bytes]:
    """The files of a finished run for others, by their paths.

    Args:
        encoder: of a classifier, the run whose codes it learned from.

    Raises:
        RunError: the run has not ended, or is damaged.
    """
    own = {CARD: card.encode(), **pictures, **_records(run)}
    more = {} if encoder is None else {f"{ENCODER}/{name}": one for name, one in _records(encoder).items()}
    return {**own, **more}


def push(files: Mapping[str, bytes], target: str, *, force: bool = False, private: bool = False) -> None:
    """Put the files of a run into a folder, or into a repository of the hub.

    Args:
        force: replace a run that is there.
        private: whether a new repository of the hub is for its owner alone.

    Raises:
        OutputError: the place is taken, cannot be written, or the hub refuses.
    """
    require_target(target, force=force)
    if is_hub(target):
        _push_to_hub(files, target.removeprefix(_HUB), force=force, private=private)
        return
    place = Path(target)
    with (folder_in_place_of if force and _is_pushed(place) else new_folder)(place) as folder:
        _fill(folder, files)


def pull(source: str, out: Path) -> Run:
    """A run that was pushed -> a run directory at `out`.

    Raises:
        RunError: there is no such run, it is damaged, or `out` is taken.
        OutputError: `out` cannot be written.
    """
    refuse_existing(out)
    if is_hub(source):
        require_extra("hub", "huggingface_hub", to="pull from the Hugging Face hub")
        from huggingface_hub import snapshot_download

        with tempfile.TemporaryDirectory() as kept, _hub_errors(source, RunError):
            snapshot_download(repo_id=source.removeprefix(_HUB), local_dir=kept)
            return _unpacked(Path(kept), source, out)
    return _unpacked(Path(source), source, out)


def _unpacked(place: Path, source: str, out: Path) -> Run:
    if not _is_pushed(place):
        raise RunError(
            f"{source} must hold a run that `latentspace push` has put there",
            found=f"no {WEIGHTS} with a config.json there",
            do="name the folder or the address that was pushed to",
        )
    with new_folder(out, refuse_existing) as folder:
        for path in sorted(place.rglob("*")):
            name = path.relative_to(place)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                kept = name.with_name("weights.safetensors") if name.name == WEIGHTS else name
                make_folder((folder / kept).parent)
                write_bytes(folder / kept, path.read_bytes())
        for one in (folder, folder / ENCODER):
            if one == folder or one.exists():
                opened = Run.open(one)
                _ = opened.weights, opened.data, opened.split, opened.experiment, opened.metrics
    return Run(out)


def _records(run: Run) -> dict[str, bytes]:
    _ = run.weights  # refuses a run that has not ended, or is damaged
    names = [*_RECORDS, *(f"results/{one}.json" for one in run.results())]
    found = {name: (run.path / name).read_bytes() for name in names}
    return {**found, WEIGHTS: (run.path / "weights.safetensors").read_bytes()}


def _is_pushed(place: Path) -> bool:
    return (place / WEIGHTS).is_file() and (place / "config.json").is_file()


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        make_folder((folder / name).parent)
        write_bytes(folder / name, content)


def _push_to_hub(files: Mapping[str, bytes], name: str, *, force: bool, private: bool) -> None:
    from huggingface_hub import HfApi

    with tempfile.TemporaryDirectory() as kept, _hub_errors(_HUB + name, OutputError):
        _fill(Path(kept), files)
        hub = HfApi(library_name="latentspace")
        if not force and hub.repo_exists(name) and hub.file_exists(name, WEIGHTS):
            raise OutputError(
                f"{_HUB}{name} must be new: nothing is overwritten unasked",
                found="a model there",
                do=f"name another repository, or set {option('force', True)}",
            )
        hub.create_repo(name, exist_ok=True, private=private)
        hub.upload_folder(repo_id=name, folder_path=kept, commit_message="A run of latentspace")


@contextmanager
def _hub_errors(address: str, kind: type[LatentspaceError]) -> Iterator[None]:
    """Within the block what the hub and the way to it refuse is an error of ours."""
    from huggingface_hub.errors import HTTPError  # of what it asks by

    try:
        yield
    except (OSError, ValueError, HTTPError) as error:
        raise kind(
            f"the Hugging Face hub must be reached, and let {address} be used",
            found=" ".join(str(error).split())[:300] or type(error).__name__,
            do="check the address and the way to the network, and log in: hf auth login",
        ) from error
