"""notMNIST: fetched from a server on loopback, verified, recognised, parsed once."""

import hashlib
import http.server
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from latentspace.core.errors import DataError, FetchError, OutputError
from latentspace.data.catalog import notmnist
from latentspace.data.catalog.download import Mirror
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.sources import load_images
from makers import encoded, letters, load, random_pixels, write_folder, write_tar, write_zip

pytestmark = pytest.mark.usefixtures("cache")

CONTENT = bytes(range(256)) * 400
SHORT = 1.5  # seconds: sooner than this a good mirror answers, on a busy machine too


class Handler(http.server.BaseHTTPRequestHandler):
    """What is served under each path is a function of the request."""

    served: dict[str, Callable[["Handler"], None]]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        act = self.served.get(self.path)
        if act is None:
            self.send_error(404)
        else:
            act(self)

    def do_HEAD(self) -> None:
        if self.path in self.served:
            self.send_response(200)
        else:
            self.send_error(404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Site:
    """A server on loopback, and what it serves."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stop = threading.Event()
        Handler.served, Handler.asked = {}, []

    @property
    def asked(self) -> list[str]:
        return Handler.asked

    def serve(self, path: str, content: bytes) -> Mirror:
        self.act(path, lambda handler: whole(handler, content))
        return Mirror(self.url + path, hashlib.md5(content).hexdigest(), len(content))

    def act(self, path: str, act: Callable[[Handler], None]) -> Mirror:
        Handler.served[path] = act
        return Mirror(self.url + path, hashlib.md5(CONTENT).hexdigest(), len(CONTENT))


def whole(handler: Handler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def dropped(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[:30_000])
    handler.wfile.flush()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    yield site
    site.stop.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def small(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """A server that has the small set, with one unreadable file in A and one in F, and nothing else has."""
    files = letters(3) | {"notMNIST_small/A/RGVt.png": b"", "notMNIST_small/F/Q3Jv.png": b"x"}
    content = write_tar(tmp_path / "original.tar.gz", files).read_bytes()
    mirror = site.serve("/notMNIST_small.tar.gz", content)
    monkeypatch.setattr(notmnist, "MIRRORS", {"small": [mirror], "large": []})
    return mirror


def left_over(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_a_good_mirror_delivers_and_is_asked_once(site: Site, cache: Path) -> None:
    mirror = site.serve("/file.tar.gz", CONTENT)
    path = notmnist.fetch("small", timeout=5.0, mirrors=[mirror])
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(cache)
    assert notmnist.fetch("small", timeout=5.0, mirrors=[mirror]) == path
    assert site.asked == ["/file.tar.gz"]


def bad_mirrors(site: Site) -> dict[str, Mirror]:
    def slow(handler: Handler) -> None:
        site.stop.wait(5)

    def stuck(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[:5000])
        handler.wfile.flush()
        site.stop.wait(5)

    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not site.stop.is_set():
            try:
                handler.wfile.write(bytes(10_000))
            except OSError:
                return

    return {
        "the checksum does not match": site.act("/wrong/file.gz", lambda one: whole(one, CONTENT[::-1])),
        "the connection was dropped": site.act("/dropped/file.gz", dropped),
        "HTTP status 404": Mirror(f"{site.url}/missing/file.gz", "0" * 32),
        "no answer in time": site.act("/slow/file.gz", slow),
        "no answer in time ": site.act("/stuck/file.gz", stuck),
        "sends more than": site.act("/endless/file.gz", endless),
        "no connection": Mirror("http://127.0.0.1:9/file.gz", "0" * 32),
    }


def test_each_failure_is_named_and_leaves_nothing(
    site: Site, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = bad_mirrors(site)
    with pytest.raises(FetchError) as error:
        notmnist.fetch("small", timeout=SHORT, mirrors=list(bad.values()))
    lines = error.value.found.split("; ")
    assert len(lines) == len(bad)
    for line, (reason, mirror) in zip(lines, bad.items(), strict=True):
        assert mirror.url in line
        assert reason.strip() in line
        assert line.strip() in caplog.text
    assert "name its path" in error.value.do
    assert left_over(cache) == []


def test_the_next_mirror_is_asked(site: Site, cache: Path) -> None:
    good = site.serve("/good/file.gz", CONTENT)
    path = notmnist.fetch("small", timeout=SHORT, mirrors=[*bad_mirrors(site).values(), good])
    assert path.read_bytes() == CONTENT
    assert left_over(cache) == ["file.gz"]


def test_a_damaged_archive_in_the_cache_is_fetched_again(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    mirror = site.serve("/file.gz", CONTENT)
    path = notmnist.fetch("small", timeout=5.0, mirrors=[mirror])
    path.write_bytes(CONTENT[:-1])
    assert notmnist.fetch("small", timeout=5.0, mirrors=[mirror]).read_bytes() == CONTENT
    assert "does not match its checksum" in caplog.text


def test_a_cache_that_cannot_be_written_is_not_blamed_on_the_mirror(site: Site, cache: Path) -> None:
    cache.write_text("a file where the cache directory should be")
    with pytest.raises(OutputError, match="must be writable"):
        notmnist.fetch("small", timeout=5.0, mirrors=[site.serve("/file.gz", CONTENT)])


def test_the_published_archives() -> None:
    for size, count in (("small", 8_458_043), ("large", 247_336_696)):
        first, second, third = notmnist.MIRRORS[size]
        assert first.size == second.size == count
        assert first.md5 == second.md5 != third.md5
        assert {one.file_name for one in (first, second)} == {f"notMNIST_{size}.tar.gz"}
        assert third.url == f"https://zenodo.org/records/8274268/files/notMNIST_{size}.zip"


def test_the_set_is_fetched_parsed_and_kept(
    small: Mirror, site: Site, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = load("notmnist")
    assert first.source == "notMNIST (small)"
    assert first.comparable
    assert first.pixels.shape == (30, 1, 28, 28)
    assert first.class_names == tuple("ABCDEFGHIJ")
    assert [one.name for one in first.record.unreadable] == ["A/RGVt.png", "F/Q3Jv.png"]

    next(cache.rglob("*.tar.gz")).unlink()
    caplog.clear()
    second = load("notmnist")

    assert site.asked == ["/notMNIST_small.tar.gz"]
    assert second.content_hash == first.content_hash
    assert (second.source, second.comparable, second.record) == (first.source, True, first.record)
    assert "skipped 2 unreadable images" in caplog.text
    with pytest.raises(DataError, match=r"A/RGVt\.png"):
        load_images(DataConfig(spec="notmnist", strict=True))


@pytest.mark.parametrize("damage", ["cut short", "another byte", "empty", "not an npz", "another format"])
def test_a_damaged_cache_is_made_anew(
    small: Mirror, cache: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = load("notmnist")
    kept = next(cache.rglob("small.npz"))
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    arrays = dict(np.load(kept))
    kept.write_bytes(
        {"cut short": content[:-5000], "another byte": content, "empty": b""}.get(damage, b"hello")
    )
    if damage == "another format":
        np.savez(kept, **{**arrays, "about": np.frombuffer(b'{"version": 0}', np.uint8)})

    caplog.set_level(logging.INFO)
    assert load("notmnist").content_hash == first.content_hash
    assert "is made anew" in caplog.text
    caplog.clear()
    assert load("notmnist").content_hash == first.content_hash
    assert "made anew" not in caplog.text


def test_a_cache_with_other_content_than_its_hash_says_is_made_anew(small: Mirror, cache: Path) -> None:
    first = load("notmnist")
    kept = next(cache.rglob("small.npz"))
    arrays = dict(np.load(kept))
    np.savez(kept, **{**arrays, "images": 255 - arrays["images"]})
    assert load("notmnist").content_hash == first.content_hash


def test_what_is_kept_is_enough(cache: Path) -> None:
    """Neither the archive nor the network is asked again."""
    images = ImageSet(
        random_pixels(200, 1, 28, 28), "notMNIST (small)", np.arange(200) % 10, tuple("ABCDEFGHIJ")
    )
    notmnist.keep(cache / "notmnist" / "small.npz", images)
    np.testing.assert_array_equal(load("notmnist").pixels, images.pixels)


def test_a_wrong_archive_with_the_right_checksum_is_an_error(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = write_zip(tmp_path / "x.zip", {"K/1.png": encoded(random_pixels(28, 28))}).read_bytes()
    mirror = site.serve("/notMNIST_small.zip", content)
    monkeypatch.setattr(notmnist, "MIRRORS", {"small": [mirror], "large": []})
    with pytest.raises(DataError, match="letters A-J"):
        load("notmnist")


def test_a_verified_archive_by_path_shares_the_cache(
    small: Mirror, site: Site, tmp_path: Path, cache: Path
) -> None:
    images = load(tmp_path / "original.tar.gz")
    assert images.source == "notMNIST (small)"
    assert left_over(cache) == ["small.npz"]
    assert load("notmnist").content_hash == images.content_hash
    assert site.asked == []


def as_folder(place: Path, files: dict[str, bytes]) -> Path:
    return write_folder(place / "folder", files)


def as_tar(place: Path, files: dict[str, bytes]) -> Path:
    return write_tar(place / "kaggle.tar.gz", files)


def as_zip(place: Path, files: dict[str, bytes]) -> Path:
    return write_zip(place / "kaggle.zip", files)


STORES = [as_folder, as_tar, as_zip]


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("notMNIST_small/", "small"),
        ("notMNIST_large/", "large"),
        ("", "20 images"),
        ("a/notMNIST_small/", "small"),
    ],
)
def test_copies_are_recognised_and_parsed_once(
    tmp_path: Path, store: Callable[..., Path], prefix: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    files = letters(2, prefix)
    path = store(tmp_path, files)
    images = load(path)
    assert images.source == f"notMNIST ({name})"
    assert images.comparable
    assert len(images) == 20

    again = load(path)
    assert again.content_hash == images.content_hash
    assert again.comparable
    larger = store(tmp_path, files | {f"{prefix}J/em9vLnR0Zg==.png": encoded(random_pixels(28, 28, seed=7))})
    assert len(load(larger)) == 21  # a changed source is not taken from the cache


@pytest.mark.parametrize("store", STORES)
def test_a_resized_copy_can_no_longer_be_compared(tmp_path: Path, store: Callable[..., Path]) -> None:
    path = store(tmp_path, letters(1))
    resized = load_images(DataConfig(spec=str(path), resize=(14, 14)))
    assert (resized.source, resized.comparable, resized.size) == ("notMNIST (small)", False, (14, 14))
    whole = load(path)
    assert (whole.comparable, whole.size) == (True, (28, 28))
    again = load_images(DataConfig(spec=str(path), resize=(14, 14)))
    assert again.content_hash == resized.content_hash
    assert not again.comparable


LOOKALIKES = {
    "other names": {f"{letter}/{letter}001.png": encoded(random_pixels(28, 28)) for letter in "ABCDEFGHIJ"},
    "another size": {name: encoded(random_pixels(27, 28)) for name in letters(1)},
    "colour": {name: encoded(random_pixels(28, 28, 3)) for name in letters(1)},
    "a class less": {name: data for name, data in letters(1).items() if "/J/" not in name},
    "a class more": {**letters(1), "notMNIST_small/K/em9vLnR0Zg==.png": encoded(random_pixels(28, 28))},
    "another format": {name.replace(".png", ".gif"): data for name, data in letters(1).items()},
}


@pytest.mark.parametrize("kind", LOOKALIKES)
def test_lookalikes_are_not_recognised(tmp_path: Path, kind: str, cache: Path) -> None:
    images = load(write_folder(tmp_path / "folder", LOOKALIKES[kind]))
    assert not images.comparable
    assert images.source.startswith("a folder of")
    assert left_over(cache) == []
