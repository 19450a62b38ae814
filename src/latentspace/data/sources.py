"""SPEC -> ImageSet: what SPEC names is found, recognised and read. Every command finds images here.

notmnist, notmnist:large   fetched once, kept in the cache directory
glyphs, glyphs:COUNT       letters A-J rendered from font files
auto                       notMNIST (small) if cached or fetchable, else glyphs, with a warning
https://, s3://, hf:// ... a file or folder at an address, kept in the cache directory
SPEC + SPEC                several of these, joined
a path                     a folder of class folders, a flat folder of images, IDX files or a folder of
                           them, .npy, .npz, a zip or tar of images, a table of pixels or of paths,
                           Parquet, WebDataset tars; notMNIST is recognised among them. `./glyphs` is a
                           path, `glyphs` is not.
"""

import hashlib
import logging
from pathlib import Path
from typing import Final

from ..core.config import whole_number
from ..core.errors import ConfigurationError, DataError, FetchError, OutputError
from ..core.malloc import within_memory
from ..core.wording import counted, option
from .by_names import ByName
from .cache import keep, recall
from .catalog import notmnist
from .channels import with_channels
from .cleaning import sentence
from .config import GIVEN, DataConfig
from .fitting import fitted_set
from .given import Given, given_set
from .grouping import grouped
from .imageset import ImageSet
from .inspection import inspected
from .joined import joined, specs_of
from .memmap import SHARE, Residence, free_memory
from .name_labels import labelled_by, without_label_column
from .paths import cache_directory, expanded
from .readers.filenames import BRACES, readable
from .readers.foreign import foreign, refuse_foreign
from .readers.open_labels import settled
from .readers.registry import READERS, reader_of
from .readers.streams import start_of
from .remote import is_address, local_copy
from .tiles import Tiles, tiled

logger = logging.getLogger(__name__)

GLYPHS: Final = 18_724  # as many as notMNIST (small) has
MOST_GLYPHS: Final = 10_000_000
GLYPH_SIZE: Final = 28
QUICK: Final = 3.0  # seconds that `auto` waits for a mirror


def load_images(config: DataConfig, given: Given | None = None) -> ImageSet:
    """The images that `config` names. What was recognised, skipped and converted goes to the log.

    Args:
        given: images in memory, to be treated as `config` says; None: those that it names.

    Raises:
        ConfigurationError: a SPEC such as `glyphs:0`.
        DataError: no such path, not images, damaged; FetchError: notMNIST could not be had.
    """
    if config.group_by:
        ByName("group", config.group_by).refuse_early(config.spec)
    if config.label_by:
        ByName("label", config.label_by).refuse_early(config.spec)
    config = without_label_column(config)
    with within_memory(
        DataError,
        f"the images of {config.spec} must fit in memory",
        f"make them smaller ({option('resize')}), or save them as an uncompressed .npy: it stays on disk",
    ):
        return finished(read_source(config) if given is None else given_set(given, config.levels), config)


def finished(images: ImageSet, config: DataConfig) -> ImageSet:
    """`images` after what `config` asks for: tiles, groups, labels by names, size, channels, copies, sample.

    Raises:
        DataError: with `strict`, an image that could not be read; else as `load_images`.
    """
    if config.strict and images.record.unreadable:  # from the cache, where they were counted before
        first = images.record.unreadable[0]
        raise DataError(
            f"every image of {images.source} must be readable",
            found=f"{first.name}: {first.reason}",
            do=f"leave out {option('strict', True)} to skip such images",
        )
    if config.tiles:
        images = tiled(images, Tiles.parse(config.tiles))
    if config.group_by:
        images = grouped(images, config.group_by)
    if config.label_by:
        images = labelled_by(images, config.label_by)
    if config.resize is not None:
        images = fitted_set(images, config.resize, config.fit)
    if config.channels != "auto":
        images = with_channels(images, int(config.channels))
    if config.deduplicate:
        images = images.deduplicated(config.conflicts)
    if config.limit is not None:
        images = images.limited(config.limit, config.seed)
    images = inspected(images)
    _tell(images)
    logger.info("%s", _residence(images, config.resident))
    return images


def settled_images(config: DataConfig, given: Given | None = None) -> tuple[ImageSet, DataConfig]:
    """Images, read as by `load_images`, and the settings with which the same images are found again.

    `auto` becomes what it chose, whatever can be fetched tomorrow; where images are given, their hash.

    Raises:
        DataError: also where `config` names the hash of other images than those that are given.
    """
    images = load_images(config, given)
    spec = config.spec
    if given is not None and (config.given or spec == "auto"):
        spec = f"{GIVEN}{images.content_hash[:16]}"
    elif spec == "auto":
        spec = "notmnist" if images.comparable else "glyphs"
    if config.given and spec != config.spec:
        raise DataError(
            "the images given must be those that the plan names",
            found=f"{spec}, where the plan has {config.spec}",
            do="give the same ones again, or leave data.spec out of the plan",
        )
    return images, config.model_copy(update={"spec": spec})


def names_a_path(spec: str) -> bool:
    """Whether `spec` is a path, and none of the words."""
    words = ("notmnist", "notmnist:large", "auto")
    return spec not in words and spec.partition(":")[0] not in ("glyphs", GIVEN[:-1])


def read_source(config: DataConfig) -> ImageSet:
    """The images that `config.spec` names, before anything else is done to them; raises as `load_images`."""
    specs = specs_of(config.spec)
    if len(specs) > 1:
        sets = [read_source(config.model_copy(update={"spec": spec})) for spec in specs]
        return joined(sets, specs, config.resize, config.fit)
    word, colon, argument = config.spec.partition(":")
    if word == "glyphs":
        return _glyphs(_count(argument, config.spec) if colon else GLYPHS, config)
    if config.given:
        raise DataError(
            "images that were given to Python must be given again",
            found=f"{config.spec}, which is where no file lies",
            do="give them again (images=... in Python), or name a file or folder that holds the same images "
            f"({option('data')})",
        )
    if config.spec == "notmnist":
        return notmnist.load("small", resident=config.resident)
    if config.spec == "notmnist:large":
        return notmnist.load("large", resident=config.resident)
    if config.spec == "auto":
        return _auto(config)
    return _at(local_copy(config.spec) if is_address(config.spec) else Path(config.spec), config)


def _tell(images: ImageSet) -> None:
    height, width = images.size
    classes = f", {counted(len(images.class_names), 'class')}" if images.class_names else ", no labels"
    logger.info(
        "%s: %s, %dx%d, %s%s", images.source, counted(len(images)), height, width, images.colour, classes
    )
    record = images.record
    if record.unreadable:
        names = sentence([one.name for one in record.unreadable], most=3)
        logger.warning("skipped %s: %s", counted(len(record.unreadable), "unreadable image"), names)
    for warning in record.warnings:
        logger.warning("%s", warning)
    for conversion in record.conversions:
        logger.info("%s", conversion)
    if record.duplicates_dropped:
        logger.info("dropped %s of images", counted(record.duplicates_dropped, "exact duplicate"))


def _residence(images: ImageSet, resident: Residence) -> str:
    megabytes = images.pixels.nbytes / 1e6
    size = f"{megabytes:,.0f} MB of pixels" if megabytes >= 10 else f"{megabytes:.2g} MB of pixels"
    if images.on_disk:
        return f"{size}: read from disk, batch by batch"
    free = free_memory()
    if resident == "never" or (resident == "auto" and free and images.pixels.nbytes * SHARE > free):
        return f"{size}: in memory, as {images.source} cannot stay on disk (.npy can)"
    return f"{size}: resident in memory"


def _auto(config: DataConfig) -> ImageSet:
    try:
        return notmnist.load_if_quick("small", timeout=QUICK, resident=config.resident)
    except (FetchError, OutputError) as error:
        logger.warning(
            "notMNIST is neither cached nor can it be fetched, so rendered letters stand in for it: "
            "no result can be compared with published ones (%s)",
            error.found.strip().partition("\n")[0],
        )
    return _glyphs(GLYPHS, config)


def _count(text: str, spec: str) -> int:
    count = whole_number(text) or 0
    if not 1 <= count <= MOST_GLYPHS:
        raise ConfigurationError(
            f"glyphs:COUNT takes a whole number from 1 to {MOST_GLYPHS:,}",
            found=repr(spec),
            do="write for example glyphs:5000",
        )
    return count


def _glyphs(count: int, config: DataConfig) -> ImageSet:
    from .catalog.glyphs.render import fingerprint, render

    about = repr((fingerprint(config.fonts), count, config.seed, GLYPH_SIZE))
    path = cache_directory() / "glyphs" / f"{hashlib.blake2b(about.encode(), digest_size=12).hexdigest()}.npz"
    images = recall(path, config.resident)
    if images is None:
        logger.info("rendering %s letters: this is done once", f"{count:,}")
        images = render(count, seed=config.seed, fonts=config.fonts, size=GLYPH_SIZE)
        images = keep(path, images, config.resident)
    return images


def _at(path: Path, config: DataConfig) -> ImageSet:
    """What the first reader that knows the file or the folder makes of it."""
    if config.spec.startswith("~"):
        path = expanded(path)
    if not _exists(path) and BRACES.search(str(path)):
        from .readers.webdataset import read_webdataset, shards_of

        return read_webdataset(shards_of(path), path, config)
    if not _exists(path):
        raise DataError(
            "the images must be notmnist, notmnist:large, glyphs, glyphs:COUNT, auto, or a path that exists",
            found=repr(config.spec),
            do="check the spelling; latentspace data --help lists what can be read",
        )
    if not (path.is_dir() or path.is_file()):
        raise DataError(f"{path} must be a file or a folder", found="something else", do="name another path")
    refuse_foreign(path)
    reader = reader_of(path)
    if reader is not None:
        return settled(reader.read(path, config), config.label)
    with readable(path):
        start = start_of(path)
    found, do = foreign(path.name, start) or (
        f"a file that begins {start[:4].hex(' ') or 'and ends'}",
        "name another file",
    )
    raise DataError(
        f"{path} must be {', '.join(reader.words for reader in READERS.values() if reader.words)}",
        found=found,
        do=do,
    )


def _exists(path: Path) -> bool:
    try:
        with readable(path):
            return path.exists()
    except ValueError:  # a zero byte in the name
        return False
