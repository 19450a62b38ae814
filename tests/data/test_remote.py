"""Images at an address: fetched, kept, checked; a server on this machine, and fsspec's memory."""

import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import fsspec
import numpy as np
import pytest

import latentspace
from latentspace.core.errors import DataError, FetchError
from latentspace.data import remote
from makers import encoded, random_pixels, write_zip

pytestmark = pytest.mark.usefixtures("cache")

FILES = {f"{letter}/{n}.png": encoded(random_pixels(8, 8, seed=n)) for letter in "ab" for n in range(3)}


class Quiet(SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []
    cut: ClassVar[set[str]] = set()  # what breaks off in the middle

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path in self.cut:
            content = Path(self.translate_path(self.path)).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        super().do_GET()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    pytest.importorskip("aiohttp")
    folder = tmp_path / "served"
    folder.mkdir()
    Quiet.asked.clear()
    Quiet.cut.clear()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}", folder
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_a_file_is_fetched_once_and_again_where_it_changed(server):
    address, folder = server
    write_zip(folder / "set.zip", FILES)
    for _ in range(2):
        images = latentspace.load_data(f"{address}/set.zip")
        assert len(images) == 6
        assert images.class_names == ("a", "b")
    assert len(Quiet.asked) == 1
    write_zip(folder / "set.zip", {**FILES, "c/1.png": FILES["a/0.png"]})
    assert latentspace.load_data(f"{address}/set.zip").class_names == ("a", "b", "c")


def test_what_is_damaged_in_the_cache_is_fetched_again(server, cache: Path):
    address, folder = server
    np.save(folder / "x.npy", random_pixels(5, 8, 8))
    latentspace.load_data(f"{address}/x.npy")
    (kept,) = cache.rglob("x.npy")
    kept.write_bytes(kept.read_bytes()[:-1] + b"\0")
    np.testing.assert_array_equal(
        latentspace.load_data(f"{address}/x.npy").pixels[:, 0], random_pixels(5, 8, 8)
    )


def test_without_the_server_what_was_kept_is_used_with_a_word(server, monkeypatch, caplog):
    address, folder = server
    np.save(folder / "x.npy", random_pixels(5, 8, 8))
    latentspace.load_data(f"{address}/x.npy")
    monkeypatch.setattr(remote, "_file", lambda *_: (_ for _ in ()).throw(ConnectionError("no route")))
    assert len(latentspace.load_data(f"{address}/x.npy")) == 5
    assert "what was fetched before is used" in caplog.text
    with pytest.raises(FetchError, match="no route"):
        latentspace.load_data(f"{address}/y.npy")


def test_a_download_that_breaks_off_keeps_nothing_and_is_made_again(server, cache: Path):
    address, folder = server
    np.save(folder / "x.npy", random_pixels(5, 64, 64))
    Quiet.cut.add("/x.npy")
    with pytest.raises(FetchError, match="must be there, and be reached"):
        latentspace.load_data(f"{address}/x.npy")
    assert not [one for one in cache.rglob("*") if one.is_file()]
    Quiet.cut.clear()
    assert len(latentspace.load_data(f"{address}/x.npy")) == 5


def test_a_newer_version_that_breaks_off_leaves_the_one_that_was_kept(server, cache: Path, caplog):
    address, folder = server
    np.save(folder / "x.npy", random_pixels(5, 64, 64))
    latentspace.load_data(f"{address}/x.npy")
    np.save(folder / "x.npy", random_pixels(6, 64, 64))
    Quiet.cut.add("/x.npy")
    assert len(latentspace.load_data(f"{address}/x.npy")) == 5
    assert "what was fetched before is used" in caplog.text
    Quiet.cut.clear()
    assert len(latentspace.load_data(f"{address}/x.npy")) == 6


def test_a_folder_that_breaks_off_goes_on_with_what_is_left(cache: Path, monkeypatch):
    files = fsspec.filesystem("memory")
    for name, content in FILES.items():
        files.pipe(f"/bucket/cut/{name}", content)
    opened, broken = [], {"/bucket/cut/b/1.png"}
    through = type(files).open

    def breaking(self, path, *args, **settings):
        opened.append(path)
        if path in broken:
            raise ConnectionResetError("cut")
        return through(self, path, *args, **settings)

    monkeypatch.setattr(type(files), "open", breaking)
    with pytest.raises(FetchError, match="cut"):
        latentspace.load_data("memory://bucket/cut")
    assert len(opened) == 5
    broken.clear()
    assert latentspace.load_data("memory://bucket/cut").names == tuple(FILES)
    assert opened[5:] == ["/bucket/cut/b/1.png", "/bucket/cut/b/2.png"]


def test_nothing_is_there(server):
    address, _ = server
    with pytest.raises(FetchError, match="nothing is there"):
        latentspace.load_data(f"{address}/none.npy")


def test_a_filesystem_that_connects_at_once_and_cannot(monkeypatch):
    def unknown(address, **settings):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("fsspec.core.url_to_fs", unknown)
    with pytest.raises(FetchError, match="must be there, and be reached"):
        remote.local_copy("ftp://nowhere/x.zip")


def test_files_and_folders_of_another_filesystem():
    files = fsspec.filesystem("memory")
    for name, content in FILES.items():
        files.pipe(f"/bucket/set/{name}", content)
    images = latentspace.load_data("memory://bucket/set")
    assert images.names == tuple(FILES)
    files.rm("/bucket/set/b/2.png")
    assert len(latentspace.load_data("memory://bucket/set")) == 5
    with pytest.raises(FetchError):
        latentspace.load_data("memory://bucket/nothing")


def test_a_local_address(tmp_path: Path):
    np.save(tmp_path / "a b.npy", random_pixels(5, 8, 8))
    assert len(latentspace.load_data((tmp_path / "a b.npy").as_uri())) == 5


def test_a_scheme_without_its_package_names_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    loaded = __import__("sys").modules["fsspec.registry"]._registry  # by another test, perhaps
    monkeypatch.delitem(loaded, "s3", raising=False)
    with pytest.raises(DataError) as error:
        latentspace.load_data("s3://bucket/x.npy")
    assert "pip install 'latentspace[s3]'" in error.value.do
    with pytest.raises(DataError, match="scheme"):
        latentspace.load_data("nosuch://bucket/x.npy")
