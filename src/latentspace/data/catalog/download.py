"""One file from the first of several URLs that delivers it whole: verified, or not there at all."""

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

_NEWS = 5.0  # seconds between two lines about a long download


class _Progress:
    """What pooch tells of a download, for the log; more bytes than there can be end it."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self.total = 0  # set by pooch, from the server's header
        self.received = 0
        self.told = time.monotonic()

    def update(self, size: int) -> None:
        self.received += size
        if self.received > self.mirror.size + 2**16:
            raise ValueError(f"it sends more than {self.mirror.size:,} bytes")
        if time.monotonic() - self.told > _NEWS:
            self.told = time.monotonic()
            logger.info("%s: %.0f MB", self.mirror.file_name, self.received / 1e6)

    def reset(self) -> None:
        self.received = 0  # pooch tells the total once more

    def close(self) -> None: ...


def download(mirrors: Sequence[Mirror], folder: Path, *, timeout: float) -> Path:
    """The verified file in `folder`, from there or from the first mirror that delivers it.

    Args:
        timeout: seconds to connect, and without a byte.

    Raises:
        FetchError: no mirror delivered it; each is named with its reason.
        OutputError: `folder` cannot be written.
    """
    reasons = []
    # a file that is there is taken first, whichever mirror it is from
    for mirror in sorted(mirrors, key=lambda one: not (folder / one.file_name).is_file()):
        downloader = pooch.HTTPDownloader(progressbar=_Progress(mirror), timeout=timeout)
        path = folder / mirror.file_name
        # pooch's logger has a handler of its own; what there is to say is said here
        with refusals(folder), quiet(pooch.get_logger(), logging.ERROR):
            try:
                if path.is_file():
                    if pooch.file_hash(str(path), alg="md5") == mirror.md5:
                        return path
                    logger.warning("%s does not match its checksum and is fetched again", path)
                logger.info("fetching %s", mirror.url)
                pooch.retrieve(mirror.url, f"md5:{mirror.md5}", path.name, folder, downloader=downloader)
            except (requests.RequestException, ValueError) as error:
                reasons.append(f"{mirror.url}: {_reason(error)}")
            else:
                return path
        logger.warning("%s", reasons[-1])
    raise failure(reasons)


def failure(reasons: Sequence[str]) -> FetchError:
    return FetchError(
        "one mirror at least must deliver the file with the right checksum",
        found="; ".join(reasons) or "no mirror to ask",
        do="check the network; or get the archive by other means and name its path",
    )


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
    answered: set[str] = set()

    def ask(mirror: Mirror) -> None:
        try:
            requests.head(mirror.url, timeout=timeout, allow_redirects=True)
        except (requests.RequestException, ValueError):
            return
        answered.add(mirror.url)

    threads = [threading.Thread(target=ask, args=(mirror,), daemon=True) for mirror in mirrors]
    end = time.monotonic() + timeout
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [mirror for mirror in mirrors if mirror.url in answered]
