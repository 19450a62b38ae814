"""The one door to images: what SPEC names is found, recognised, read, and made an ImageSet.

notmnist, notmnist:large   fetched once, kept in the cache directory
glyphs, glyphs:COUNT       letters A-J rendered from font files
auto                       notMNIST (small) if cached or fetchable, else glyphs, with a loud warning
a path                     a folder of class folders, a flat folder of images, IDX files or a folder of
                           them, .npy, .npz, a tar, tar.gz or zip of images; notMNIST is recognised
                           among them. `./glyphs` is a path, `glyphs` is not.
"""

import gzip
import hashlib
import logging
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from ..core.atomic_files import expanded, file_hash
from ..core.config import Config, whole_number
from ..core.errors import ConfigurationError, DataError, FetchError, OutputError
from ..core.malloc import within_memory
from ..core.wording import counted, option
from .cache import keep, recall
from .catalog import notmnist
from .cleaning import sentence
from .imageset import ImageSet
from .memmap import SHARE, Residence, free_memory
from .paths import cache_directory
from .readers.archives import read_archive
from .readers.arrays import read_npy, read_npz
from .readers.collect import Gathered
from .readers.decode import resized_set
from .readers.filenames import is_named_as_image, readable
from .readers.folders import list_folder, read_listing
from .readers.idx import holds_idx, is_idx_header, is_idx_name, read_idx_files, read_idx_folder

logger = logging.getLogger(__name__)

Side: TypeAlias = Annotated[int, Field(ge=1, le=4096)]

GLYPHS: Final = 18_724  # as many as notMNIST (small) has
MOST_GLYPHS: Final = 10_000_000
GLYPH_SIZE: Final = 28
QUICK: Final = 3.0  # seconds that `auto` waits for a mirror


class DataConfig(Config):
    """Which images, and what is done to them before anything else sees them."""

    spec: str = Field(
        default="auto",
        min_length=1,
        description="which images: `notmnist`, `notmnist:large`, `glyphs`, `glyphs:COUNT`, `auto`, or a path "
        "(the guide to your own images lists what it can be); `--data`",
    )
    resize: tuple[Side, Side] | None = Field(
        default=None, description="height and width to bring every image to; `--resize`"
    )
    deduplicate: bool = Field(
        default=False, description="keep the first of each set of equal images; `--deduplicate`"
    )
    strict: bool = Field(
        default=False,
        description="the first unreadable image is an error, else such images are counted and "
        "skipped; `--strict`",
    )
    fonts: str = Field(
        default="bundled",
        description="what glyphs are rendered from: `bundled`, `system`, or a directory; `--fonts`",
    )
    seed: int = Field(default=0, description="of the rendering of glyphs")
    resident: Residence = Field(
        default="auto",
        description="where pixels are while a network trains: `always` in memory, `never`: they stay "
        "on disk and are read batch by batch, `auto`: on disk where they are more than a "
        "quarter of the free memory (Linux: MemAvailable, or what a control group "
        "leaves). `.npy`, uncompressed `.npz` and IDX files of bytes, and what is in the "
        "cache, can stay on disk. Results are the same to the bit",
    )


def load_images(config: DataConfig) -> ImageSet:
    """The images that `config` names. What was recognised, skipped and converted goes to the log.

    Raises:
        ConfigurationError: a SPEC such as `glyphs:0`.
        DataError: no such path, not images, damaged; FetchError: notMNIST could not be had.
    """
    with within_memory(
        DataError,
        f"the images of {config.spec} must fit in memory",
        f"make them smaller ({option('resize')}), or save them as an uncompressed .npy: it stays on disk",
    ):
        return finished(_found(config), config)


def finished(images: ImageSet, config: DataConfig) -> ImageSet:
    """`images` as `config` wants them, whatever they were read from; the rest as `load_images`."""
    if config.strict and images.record.unreadable:  # from the cache, where they were counted before
        first = images.record.unreadable[0]
        raise DataError(
            f"every image of {images.source} must be readable",
            found=f"{first.name}: {first.reason}",
            do=f"leave out {option('strict', True)} to skip such images",
        )
    if config.resize is not None:
        images = resized_set(images, config.resize)
    if config.deduplicate:
        images = images.deduplicated()
    _tell(images)
    logger.info("%s", _whereabouts(images, config.resident))
    return images


def names_a_path(spec: str) -> bool:
    """Whether `spec` is a path, and none of the words."""
    return spec not in ("notmnist", "notmnist:large", "auto") and spec.partition(":")[0] != "glyphs"


def _found(config: DataConfig) -> ImageSet:
    word, colon, argument = config.spec.partition(":")
    if word == "glyphs":
        return _glyphs(_count(argument, config.spec) if colon else GLYPHS, config)
    if config.spec == "notmnist":
        return notmnist.load("small", resident=config.resident)
    if config.spec == "notmnist:large":
        return notmnist.load("large", resident=config.resident)
    if config.spec == "auto":
        return _auto(config)
    return _at(Path(config.spec), config)


def _tell(images: ImageSet) -> None:
    height, width = images.size
    classes = f", {counted(len(images.class_names), 'class')}" if images.class_names else ", no labels"
    colour = "grey" if images.channels == 1 else "colour"
    logger.info("%s: %s, %dx%d, %s%s", images.source, counted(len(images)), height, width, colour, classes)
    record = images.record
    if record.unreadable:
        names = sentence([one.name for one in record.unreadable], most=3)
        logger.warning("skipped %s: %s", counted(len(record.unreadable), "unreadable image"), names)
    for conversion in record.conversions:
        logger.info("%s", conversion)
    if record.duplicates_dropped:
        logger.info("dropped %s of images", counted(record.duplicates_dropped, "exact duplicate"))


def _whereabouts(images: ImageSet, resident: Residence) -> str:
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
            "no figure can be compared with the report's (%s)",
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
    if config.spec.startswith("~"):
        path = expanded(path)
    if not _exists(path):
        raise DataError(
            "the images must be notmnist, notmnist:large, glyphs, glyphs:COUNT, auto, or a path that exists",
            found=repr(config.spec),
            do="check the spelling; latentspace data --help lists what can be read",
        )
    if path.is_dir():
        if holds_idx(path):
            return read_idx_folder(path, config.resident)
        listing = list_folder(path)
        return notmnist.remembered(listing.identity, config.resident) or _pictures(
            read_listing(listing, resize=config.resize, strict=config.strict),
            origin=str(path),
            identity=listing.identity,
            what="a folder",
        )
    if not path.is_file():
        raise DataError(f"{path} must be a file or a folder", found="something else", do="name another path")
    return _file(path, config)


def _exists(path: Path) -> bool:
    try:
        with readable(path):
            return path.exists()
    except ValueError:  # a zero byte in the name
        return False


def _file(path: Path, config: DataConfig) -> ImageSet:
    """A file is what its name says, else what its first bytes say."""
    name = path.name.casefold()
    start = _start(path)
    if name.endswith(".npy") or start.startswith(b"\x93NUMPY"):
        return read_npy(path, config.resident)
    if name.endswith(".npz"):
        return read_npz(path, config.resident)
    if name.endswith((".tar", ".tar.gz", ".tgz", ".zip")) or start[:2] == b"PK" or start[257:262] == b"ustar":
        return _archive(path, config)
    if is_idx_name(name) or is_idx_header(start):
        return read_idx_files(path, config.resident)
    found = (
        "one image" if is_named_as_image(name) else f"a file that begins {start[:4].hex(' ') or 'and ends'}"
    )
    raise DataError(
        f"{path} must be IDX, .npy, .npz, a tar, tar.gz or zip archive, or a folder of images",
        found=found,
        do="name the folder that the image lies in" if found == "one image" else "name another file",
    )


def _start(path: Path) -> bytes:
    """The first 512 bytes, inflated where they are gzip."""
    with readable(path), path.open("rb") as file:
        start = file.read(512)
        if not start.startswith(b"\x1f\x8b"):
            return start
        file.seek(0)
        try:
            with gzip.GzipFile(fileobj=file) as inflated:
                return inflated.read(512)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            return start


def _archive(path: Path, config: DataConfig) -> ImageSet:
    with readable(path):
        checksum = file_hash(path, "md5")
    size = notmnist.published(checksum)
    if size is not None:
        return notmnist.load_archive(path, size, config.resident)
    return notmnist.remembered(checksum, config.resident) or _pictures(
        read_archive(path, resize=config.resize, strict=config.strict),
        origin=str(path),
        identity=checksum,
        what="an archive",
    )


def _pictures(gathered: Gathered, *, origin: str, identity: str, what: str) -> ImageSet:
    """An ImageSet of class folders or of loose images; what is recognised as notMNIST is remembered."""
    if notmnist.recognised(gathered):
        images = notmnist.named(gathered, notmnist.name_of(gathered), origin=origin)
        if images.comparable:  # else it was resized
            notmnist.remember(identity, images)
        return images
    images = gathered.images(what, origin=origin)
    kind = counted(len(images.class_names), "class folder") if images.class_names else "images without labels"
    return replace(images, source=f"{what} of {kind}")
