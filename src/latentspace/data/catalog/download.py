"""One file from the first of several places that delivers it whole: verified, or not there at all."""

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pooch
import requests

from ...core.atomic_files import refusals
from ...core.errors import FetchError
from ...core.logs import quiet
from ..paths import Mirror

logger = logging.getLogger(__name__)

SLOWEST = 10_000  # bytes a second, on average; a mirror below is given up after the time-out
LARGEST = 2**30  # bytes, of a file whose length is not published
_NEWS = 5.0  # seconds between two lines about a long download


class _Watch:
    """The progress that pooch reports, for the log; a mirror that is too slow or sends too much is left."""

    def __init__(self, mirror: Mirror, timeout: float) -> None:
        self.mirror = mirror
        self.timeout = timeout
        self.total = 0  # set by pooch, from the server's header
        self.received = 0
        self.start = self.told = time.monotonic()
        self.done = False

    def update(self, size: int) -> None:
        if self.done:
            return
        self.received += size
        elapsed = time.monotonic() - self.start
        most = LARGEST if self.mirror.size is None else self.mirror.size
        if self.received > most + 2**16:
            raise ValueError(f"it sends more than {most:,} bytes")
        if elapsed > self.timeout and self.received < SLOWEST * elapsed:
            raise ValueError(f"{self.received / elapsed / 1000:.1f} kB a second is too slow")
        if elapsed - (self.told - self.start) > _NEWS:
            self.told = time.monotonic()
            whole = f" of {self.total / 1e6:,.0f}" if self.total else ""
            logger.info("%s: %.0f%s MB", self.mirror.file_name, self.received / 1e6, whole)

    def reset(self) -> None:
        self.done = True

    def close(self) -> None:
        self.done = True


def download(mirrors: Sequence[Mirror], folder: Path, *, timeout: float) -> Path:
    """The verified file in `folder`, from there or from the first mirror that delivers it.

    `timeout` is in seconds: to connect, without a byte, and until a slow mirror is given up.

    Raises:
        FetchError: no mirror delivered it; each is named with its reason.
        OutputError: `folder` cannot be written.
    """
    for mirror in mirrors:
        kept = folder / mirror.file_name
        if kept.is_file():
            with refusals(kept):
                if pooch.file_hash(str(kept), alg="md5") == mirror.md5:
                    return kept
            logger.warning("%s does not match its checksum and is fetched again", kept)
    reasons = []
    for mirror in mirrors:
        logger.info("fetching %s", mirror.url)
        try:
            return _downloaded(mirror, folder, timeout)
        except (requests.RequestException, ValueError) as error:
            reasons.append(f"{mirror.url}: {_reason(error)}")
            logger.warning("%s", reasons[-1])
    raise failure(reasons)


def failure(reasons: Sequence[str]) -> FetchError:
    return FetchError(
        "one mirror at least must deliver the file with the right checksum",
        found="; ".join(reasons) or "no mirror to ask",
        do="check the network; or get the archive by other means and name its path",
    )


def _downloaded(mirror: Mirror, folder: Path, timeout: float) -> Path:
    downloader = pooch.HTTPDownloader(progressbar=_Watch(mirror, timeout), timeout=timeout)
    # pooch's logger has a handler of its own; what there is to say is said here
    with refusals(folder), quiet(pooch.get_logger(), logging.ERROR):
        try:
            path = pooch.retrieve(
                mirror.url, f"md5:{mirror.md5}", fname=mirror.file_name, path=folder, downloader=downloader
            )
        except requests.RequestException as error:  # an OSError, but not of the disk
            raise ValueError(_reason(error)) from error
    return Path(path)


def _reason(error: Exception) -> str:
    """One line of what requests and urllib3 say in many."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    text = str(error)
    if "hash of downloaded file" in text:
        return "the checksum does not match"
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return "no answer in time"
    if "IncompleteRead" in text or "Connection broken" in text:
        return "the connection was dropped"
    return "no connection" if isinstance(error, requests.ConnectionError) else text.partition("\n")[0]


def answering(mirrors: Sequence[Mirror], timeout: float) -> list[Mirror]:
    """Those that give any HTTP answer within `timeout` seconds in all, name look-up included."""
    answered: dict[str, bool] = {}

    def ask(mirror: Mirror) -> None:
        try:
            pooch.HTTPDownloader(timeout=timeout)(mirror.url, None, None, check_only=True)
        except (requests.RequestException, ValueError):
            return
        answered[mirror.url] = True

    threads = [threading.Thread(target=ask, args=(mirror,), daemon=True) for mirror in mirrors]
    end = time.monotonic() + timeout
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [mirror for mirror in mirrors if mirror.url in answered]
