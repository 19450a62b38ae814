"""WebDataset -> images: tars whose members belong together by their key, as `0001.png` and `0001.cls`.

A source is one tar, a folder of shards, or a pattern such as `shard-{000000..000003}.tar`. The key is the
path up to the first dot of the file's name, and the name of the image. Its class stands in `.cls`, `.json` or
`.txt`; a text that is different for nearly each image is a caption, and no class. Shards named `train-0.tar`
and `test-0.tar`, or in folders of these names, are parts.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...core.errors import DataError
from ...core.wording import counted
from ..imageset import ImageSet
from ..kept import kept_images
from .archives import Member, cut_short, members
from .file_sets import files_below
from .filenames import BRACES, is_junk, is_named_as_image, readable
from .label_columns import NONE, asked_column
from .layout import NO_LABEL, layout_of, part_named
from .listed import Again, listed_images, noted
from .places import Place, Stamp, stamp_of
from .reading import File
from .registry import WORTH_BYTES
from .tables import GROUP_NAMES, LABEL_NAMES, PART_NAMES, part_number, part_of_name, plain, some, text_of

if TYPE_CHECKING:
    from ..config import DataConfig

logger = logging.getLogger(__name__)

TARS: Final = (".tar", ".tgz", *(f".tar.{end}" for end in ("gz", "bz2", "xz", "zst")))
_CLASS: Final = ("cls", "class", "label")
_LOOKED_AT: Final = 60  # members, before a tar is taken for one of images alone
MOST_SHARDS: Final = 100_000
_TEXT: Final = 2**20  # bytes of a file beside an image


@dataclass
class Sample:
    """The members of one key: the image's ending, and what stands beside it."""

    shard: Path
    key: str
    image: str = ""
    labels: dict[str, str] = field(default_factory=dict)  # by where it is said: cls, json, txt
    columns: dict[str, str] = field(default_factory=dict)  # all that is said, by its name
    group: str | None = None
    part: int | None = None
    more_images: int = 0
    place: Place | None = None  # of the image, in a tar that is not compressed


def parted(name: str) -> tuple[str, str]:
    """The key of a member, and its ending in lower case: `a/01.seg.png` -> `a/01`, `seg.png`."""
    folder, slash, file = name.rpartition("/")
    stem, _, ending = file.partition(".")
    return f"{folder}{slash}{stem}", ending.casefold()


def _says(ending: str) -> str:
    """What a member of this ending says of an image: `cls` (also `cls.txt`, `label.cls`), `txt`, `json`."""
    words = ending.split(".")
    if words[-1] == "json":
        return "json"
    if words[-1] == "cls" or (words[0] in _CLASS and words[1:] in ([], ["txt"])):
        return "cls"
    return "txt" if ending == "txt" else ""


def is_tar_name(name: str) -> bool:
    return name.casefold().endswith(TARS) and not is_junk(name)


def is_webdataset(path: Path) -> bool:
    """Whether an image and what is said of it stand side by side in the first members of a tar."""
    endings: dict[str, set[bool]] = {}
    try:
        for number, member in enumerate(members(path)):
            key, ending = parted(member.name)
            if _says(ending):
                endings.setdefault(key, set()).add(False)
            elif is_named_as_image(member.name):
                endings.setdefault(key, set()).add(True)
            if len(endings.get(key, ())) == 2:
                return True
            if number > _LOOKED_AT:
                return False
    except DataError:  # said when it is read
        return False
    return False


def shards_in(folder: Path) -> list[Path]:
    """The tars in a folder, or below; none where there are images, or where the first is no shard."""
    found = files_below(folder, is_tar_name)
    return found if found and is_webdataset(found[0]) else []


def shards_of(pattern: Path) -> list[Path]:
    """The files that a pattern such as `shard-{000000..000003}.tar` stands for.

    Raises:
        DataError: some are not there, or the pattern stands for too many.
    """
    paths = [Path(one) for one in _expanded(str(pattern), pattern)]
    missing = []
    for one in paths:
        with readable(one):
            if not one.is_file():
                missing.append(one.name)
    if missing:
        raise DataError(
            f"all shards of {pattern} must be there",
            found=f"{counted(len(missing), 'shard')} of {len(paths):,} missing: {some(missing)}",
            do="check the numbers in the pattern, or fetch these",
        )
    return paths


def _expanded(text: str, pattern: Path) -> list[str]:
    found = BRACES.search(text)
    if found is None:
        return [text]
    ends = _expanded(text[found.end() :], pattern)
    words = found[3].split(",") if found[1] is None else []
    first, last = (int(found[1]), int(found[2])) if found[1] else (0, -1)
    count = (len(words) or last - first + 1) * len(ends)
    if not 0 < count <= MOST_SHARDS:
        raise DataError(
            f"{pattern} must stand for 1 to {MOST_SHARDS:,} shards",
            found=f"{max(count, 0):,}",
            do="write the first number before the last, for example shard-{000000..000003}.tar",
        )
    width = len(found[1]) if found[1] and found[1].startswith("0") else 0
    words = words or [f"{number:0{width}}" for number in range(first, last + 1)]
    return [f"{text[: found.start()]}{word}{end}" for word in words for end in ends]


def read_webdataset(paths: Sequence[Path], origin: Path, config: "DataConfig") -> ImageSet:
    """The images of all `paths`, in their order; from the cache where they were read before.

    Raises:
        DataError: as `_read`.
    """

    def stamps() -> list[Stamp]:
        with readable(origin):
            return [stamp_of(path.stat()) for path in paths]

    found = [(str(path), stamp) for path, stamp in zip(paths, stamps(), strict=True)]
    return kept_images(
        origin,
        found,
        config,
        lambda: _read(paths, origin, config),
        worth=sum(stamp[0] for _, stamp in found) >= WORTH_BYTES,
        again=lambda: list(zip(map(str, paths), stamps(), strict=True)),
    )


def _read(paths: Sequence[Path], origin: Path, config: "DataConfig") -> ImageSet:
    """The images of all `paths`.

    Raises:
        DataError: a damaged tar, JSON that is none, a part that is none, or what `collect` raises.
    """
    shards = [list(_samples(path, _part(path, origin))) for path in paths]
    samples = [sample for shard in shards for sample in shard]
    names = _names(samples)
    labels, notes = _labels(samples, names)
    if config.label not in (None, NONE):
        keys = list(dict.fromkeys(key for one in samples for key in one.columns))
        asked = keys[asked_column(keys, config.label, origin) or 0]
        labels, notes = [one.columns.get(asked) for one in samples], []

    def files() -> Iterator[File]:
        images = (image for pair in zip(paths, shards, strict=True) for image in _images(*pair))
        for sample, name, label, content in zip(samples, names, labels, images, strict=True):
            file = File(name, content or b"", label=label, group=sample.group, part=sample.part)
            yield file if content else file._replace(reason="no image in this sample")

    source = "a WebDataset" if len(paths) == 1 else f"a WebDataset of {counted(len(paths), 'shard')}"
    images = listed_images(Again(files), config, origin=str(origin), source=source)
    several = [name for sample, name in zip(samples, names, strict=True) if sample.more_images]
    if several:
        notes.append(
            f"{counted(len(several), 'sample')} of several images, the first one read: {some(several)}"
        )
    notes += [said for path in paths if (said := cut_short(path))]
    for note in notes:
        logger.warning("%s", note)
    return noted(images, *notes)


def _part(path: Path, origin: Path) -> int | None:
    if path == origin:
        return None
    part = part_of_name(path.name)
    return part_named(path.parent.name) if part is None and path.parent != origin else part


def _grouped(path: Path) -> Iterator[tuple[str, str, Member]]:
    """The members of a tar that count, each with its key and ending."""
    for member in members(path):
        key, ending = parted(member.name)
        if ending:
            yield key, ending, member


def _samples(path: Path, part: int | None) -> Iterator[Sample]:
    """What is said of each sample of a tar, in order; no image is kept."""
    sample: Sample | None = None
    for key, ending, member in _grouped(path):
        if sample is None or sample.key != key:
            if sample is not None:
                yield sample
            sample = Sample(path, key, part=part)
        if is_named_as_image(member.name):
            sample.more_images += bool(sample.image)
            sample.place = sample.place if sample.image else member.place
            sample.image = sample.image or ending
        elif (said := _says(ending)) == "json":
            _say_json(sample, member)
        elif said:
            _say(sample, said, _text(member))
            sample.columns |= {ending: sample.labels[said]} if said in sample.labels else {}
    if sample is not None:
        yield sample


def _images(path: Path, samples: Sequence[Sample]) -> Iterator[bytes | Place | None]:
    """The first image of each sample of a tar, in order: where it lies, or its bytes."""
    if any(one.place for one in samples):
        yield from (one.place for one in samples)
        return
    last: str | None = None
    content: bytes | None = None
    for key, _, member in _grouped(path):
        if last is not None and key != last:
            yield content
            content = None
        last = key
        if content is None and is_named_as_image(member.name):
            content = member.read()
    if last is not None:
        yield content


def _text(member: Member) -> str:
    where = f"{member.archive}: {member.name}"
    if member.size > _TEXT:
        raise DataError(
            f"{where} must say what an image is", found=f"{member.size:,} bytes", do="leave it out"
        )
    return text_of(member.read(), where).strip()


def _say(sample: Sample, where: str, label: object) -> None:
    text = _word(label)
    if text and sample.labels.setdefault(where, text) != text:
        sample.labels[f"{where} again"] = text


def _word(value: object) -> str:
    """A label, a group or a part as text; nothing where it is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if isinstance(value, str | int) else ""


def _say_json(sample: Sample, member: Member) -> None:
    where = f"{member.archive}: {member.name}"
    try:
        said: Any = json.loads(_text(member) or "null")
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where} must be JSON", found=str(error)[:200], do="mend that member, or leave it out"
        ) from error
    if not isinstance(said, dict):
        _say(sample, "json", said)
        return
    cells = {plain(str(name)): value for name, value in said.items()}
    sample.columns |= {name: word for name, value in cells.items() if (word := _word(value))}

    def cell(names: Sequence[str]) -> str:
        return next((word for name in names if (word := _word(cells.get(name)))), "")

    _say(sample, "json", cell(LABEL_NAMES))
    sample.group = cell(GROUP_NAMES) or sample.group
    if part := cell(PART_NAMES):
        sample.part = part_number(part, f"in {where}")


def _names(samples: Sequence[Sample]) -> list[str]:
    """The keys; with the shard before it where a key is not the only one of its kind."""
    counts = Counter(sample.key for sample in samples)
    names = [one.key if counts[one.key] == 1 else f"{one.shard.name}/{one.key}" for one in samples]
    again = Counter(names)
    return [name if again[name] == 1 else f"{name}[{row}]" for row, name in enumerate(names)]


def _labels(samples: Sequence[Sample], names: Sequence[str]) -> tuple[list[str | None], list[str]]:
    """The class of each sample, or None; and sentences on what was left out."""
    notes: list[str] = []
    texts = {one.labels["txt"] for one in samples if "txt" in one.labels}
    ours: list[dict[str, str]] = [dict(one.labels) for one in samples]
    if 2 * len(texts) > max(2, sum("txt" in one for one in ours)):
        ours = [{where: word for where, word in one.items() if not where.startswith("txt")} for one in ours]
        notes.append(f"{counted(len(texts), 'text')} of .txt not read as classes: nearly each is another one")
    both = {tuple(one.items()) for one in ours if len(one) > 1}
    one_to_one = all(len({pair[place] for pair in both}) == len(both) for place in (0, 1)) if both else True
    better = {word: _best([word for _, word in pair]) for pair in both if one_to_one for _, word in pair}
    labels: list[str | None] = []
    torn = []
    for one, name in zip(ours, names, strict=True):
        words = list(dict.fromkeys(one.values()))
        agree = len(words) < 2 or (one_to_one and len(words) == 2 and not any("again" in at for at in one))
        if not agree:
            torn.append(name)
        labels.append(better.get(words[0], words[0]) if agree and words else None)
    if torn:
        notes.append(f"{counted(len(torn), 'sample')} with two labels: {some(torn)}")
    if not any(labels) and not torn:
        layout = layout_of(names)
        if layout.labels is not None:
            named = [layout.class_names[label] for label in layout.labels]
            labels = [None if label == NO_LABEL else label for label in named]
    return labels, notes


def _best(words: Sequence[str]) -> str:
    """The name of a class, where another of its labels is a number."""
    return max(words, key=lambda word: not word.isdigit())
