"""Images at an address: `https://`, `s3://`, `hf://` and what else fsspec knows, kept in the cache.

A file is fetched once for each version that its server tells of (size, ETag, time). What is kept has its
SHA-256 beside it and is checked against it. Without the network, what is kept is used, with a word.
"""

import hashlib
import json
import logging
import posixpath
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ..core.atomic_files import file_hash, make_folder, refusals, replacing
from ..core.credentials import masked
from ..core.errors import DataError, FetchError, LatentspaceError
from ..core.wording import counted
from .paths import cache_directory

logger = logging.getLogger(__name__)

# What installs the filesystem of a scheme.
PACKAGES: Final = {
    **dict.fromkeys(("http", "https"), "'latentspace[https]'"),
    **dict.fromkeys(("s3", "s3a"), "'latentspace[s3]'"),
    "hf": "'latentspace[hub]'",
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs", "adl"), "adlfs"),
}
TIMEOUT: Final = 30.0  # seconds to connect, and without a byte
_STEP: Final = 2**20
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_VERSION = ("size", "ETag", "etag", "Content-MD5", "Last-Modified", "LastModified", "last_modified", "mtime")


def is_address(spec: str) -> bool:
    """Whether a SPEC is an address such as `https://...`, and no path."""
    return bool(_ADDRESS.match(spec))


def local_copy(address: str) -> Path:
    """The file or folder at `address`, in the cache; of `file://` the one that is meant.

    Raises:
        DataError: no filesystem for the scheme is known or installed.
        FetchError: nothing is there, or it cannot be had, and none is kept.
        OutputError: the cache cannot be written.
    """
    scheme = address.partition("://")[0].lower()
    if scheme == "file":
        return Path(unquote(urlsplit(address).path))
    if scheme not in ("http", "https"):
        address = address.rstrip("/")  # `s3://bucket/set/` is `s3://bucket/set`
    place = cache_directory() / "fetched" / hashlib.blake2b(address.encode(), digest_size=12).hexdigest()
    name = _name(address)
    try:
        files, path = _filesystem(address, scheme)  # some connect at once
        if scheme not in ("http", "https") and files.isdir(path):  # there it would be a download
            return _folder(files, path, place, name, address)
        return _file(files, path, place / name, address)
    except LatentspaceError:
        raise
    except Exception as error:  # each filesystem has errors of its own
        kept = place / name
        if not isinstance(error, FileNotFoundError) and _is_whole(kept):
            word = "%s cannot be reached (%s): what was fetched before is used"
            logger.warning(word, masked(address), _said(error))
            return kept
        raise FetchError(
            f"{masked(address)} must be there, and be reached",
            found=_said(error),
            do=_way_out(error, scheme),
        ) from error


def _way_out(error: Exception, scheme: str) -> str:
    refused = isinstance(error, PermissionError) or "credentials" in str(error).casefold()
    if not refused:
        return "check the address and the network, or fetch it by other means and name its path"
    if scheme in ("s3", "s3a"):
        return (
            "give the keys of one who may read it (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            """AWS_PROFILE); for a public bucket set FSSPEC_S3='{"anon": true}'"""
        )
    return "give the credentials of one who may read it, or fetch it by other means and name its path"


def _filesystem(address: str, scheme: str) -> tuple[Any, str]:
    import fsspec

    settings: dict[str, Any] = {}
    try:
        if scheme in ("http", "https"):
            import aiohttp

            timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT, sock_read=TIMEOUT)
            settings = {"client_kwargs": {"timeout": timeout}, "use_listings_cache": False}
        files, path = fsspec.core.url_to_fs(address, **settings)
    except ImportError as error:
        package = PACKAGES.get(scheme, scheme)
        raise DataError(
            f"{scheme}:// needs a package that is not installed",
            found=str(error).partition("\n")[0],
            do=f"pip install {package}; or fetch it by other means and name its path",
        ) from error
    except ValueError as error:
        raise DataError(
            "an address must have a scheme that fsspec knows: https, s3, hf, gs, file and others",
            found=f"{masked(address)}: {error}",
            do="check the spelling, or fetch it by other means and name its path",
        ) from error
    files.invalidate_cache()
    return files, str(path)


def _file(files: Any, path: str, place: Path, address: str) -> Path:
    info = files.info(path)
    version = [f"{key}={info[key]}" for key in _VERSION if info.get(key) is not None]
    if _is_whole(place, version):
        logger.info("%s: unchanged since it was fetched", masked(address))
        return place
    logger.info("fetching %s", masked(address))
    make_folder(place.parent)
    digest, got = hashlib.sha256(), 0
    with files.open(path, "rb", **_whole(files)) as source, replacing(place) as kept:
        while block := source.read(_STEP):
            digest.update(block)
            got += len(block)
            kept.write(block)
        expected = info.get("size")
        if expected is not None and got != expected:
            raise FetchError(
                f"{masked(address)} must come whole",
                found=f"{got:,} of {expected:,} bytes",
                do="try again; nothing of it was kept",
            )
    about = {"version": version, "sha256": digest.hexdigest(), "size": got}
    with replacing(_about(place)) as file:
        file.write(json.dumps(about).encode())
    return place


def _whole(files: Any) -> dict[str, Any]:
    """A file over HTTP is read as a stream, whether or not the server knows ranges."""
    protocols = files.protocol if isinstance(files.protocol, tuple | list) else (files.protocol,)
    return {"block_size": 0} if "https" in protocols else {}


def _folder(files: Any, path: str, place: Path, name: str, address: str) -> Path:
    found = files.find(path, detail=True)
    if not found:
        raise FetchError(
            f"{masked(address)} must hold files", found="an empty folder", do="check the address"
        )
    wanted = {posixpath.relpath(one, path): one for one in found}
    if any(one.startswith(("../", "/")) for one in wanted):
        raise FetchError(
            f"{masked(address)} must hold its files", found="one outside of it", do="do not use it"
        )
    target = place / name
    with refusals(place):
        _about(target).unlink(missing_ok=True)  # until all of it is there again
    logger.info("%s: %s", masked(address), counted(len(wanted), "file"))
    for relative, one in wanted.items():
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        _file(files, one, target / relative, f"{address}/{relative}")
    for there in target.rglob("*"):  # what was there before and is there no more
        relative = str(there.relative_to(target))
        if there.is_file() and there.name[0] != "." and relative not in wanted:
            with refusals(there):
                there.unlink()
    with replacing(_about(target)) as file:
        file.write(json.dumps({"files": sorted(wanted)}).encode())
    return target


def _about(place: Path) -> Path:
    return place.with_name(f".{place.name}.json")


def _is_whole(place: Path, version: list[str] | None = None) -> bool:
    """Whether what is kept is what was fetched, and of this version."""
    try:
        about = json.loads(_about(place).read_bytes())
        if place.is_dir():
            return all(_is_whole(place / one) for one in about["files"])
        same = version is None or (version and about["version"] == version)
        whole = place.stat().st_size == about["size"] and file_hash(place, "sha256") == about["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if not whole:
        logger.warning("%s does not match its checksum and is fetched again", place)
    return bool(same and whole)


def _name(address: str) -> str:
    name = re.sub(r"[^\w.=-]+", "-", posixpath.basename(unquote(urlsplit(address).path).rstrip("/")))
    return name.lstrip(".")[-100:] or "images"


def _said(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "nothing is there"
    return masked(str(error).partition("\n")[0]) or type(error).__name__
