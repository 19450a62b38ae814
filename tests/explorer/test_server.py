"""The server hands out what the page needs to who has the address, and nothing to anybody else."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from starlette.testclient import TestClient

from latentspace.core.errors import ConfigurationError, OutputError
from latentspace.data.imageset import ImageSet
from latentspace.explorer.contents import Contents
from latentspace.explorer.labels import Labels, beside
from latentspace.explorer.server import LARGEST, application
from latentspace.explorer.serving import Place
from latentspace.explorer.subject import of_run
from latentspace.runs.directory import Run

TOKEN = "a-token-that-nobody-knows"
HOST = "127.0.0.1:8000"
BASE = f"http://{HOST}/{TOKEN}"


@pytest.fixture(scope="module")
def contents(small_runs: dict[str, Run], images: ImageSet) -> Contents:
    return Contents(of_run(small_runs["vae"], images, own=True))


@pytest.fixture
def labels(tmp_path: Path) -> Labels:
    return Labels(tmp_path / "run.labels.csv")


@pytest.fixture
def client(contents: Contents, labels: Labels) -> TestClient:
    app = application(lambda: contents, labels, TOKEN, frozenset({HOST}))
    return TestClient(app, base_url=BASE, raise_server_exceptions=False)


def columns(content: bytes) -> dict[str, list[object]]:
    return pa.ipc.open_stream(content).read_all().to_pydict()


def test_what_the_page_is_told_fits_the_columns(client: TestClient, images: ImageSet):
    about = client.get(f"{BASE}/data/about.json").json()
    assert (about["count"], about["shape"], about["codeSize"]) == (len(images), list(images.shape), 3)
    codes = columns(client.get(f"{BASE}/data/codes.arrow").content)
    assert list(codes) == ["c0", "c1", "c2"]
    assert columns(client.get(f"{BASE}/data/names.arrow").content)["name"] == list(images.names)
    known = columns(client.get(f"{BASE}/data/columns.arrow").content)
    assert list(known) == [one["name"] for one in about["columns"]]
    assert known["label"] == images.labels.tolist()


def test_a_place_of_a_linear_map_gives_the_code_back(client: TestClient):
    codes = columns(client.get(f"{BASE}/data/codes.arrow").content)
    table = np.stack([codes[f"c{at}"] for at in range(3)], axis=1)
    about = client.get(f"{BASE}/data/about.json").json()
    for number, one in enumerate(about["maps"][:2]):
        places = columns(client.get(f"{BASE}/data/map-{number}.arrow").content)
        mean, axes = np.array(one["plane"]["mean"]), np.array(one["plane"]["axes"])
        back = mean + np.outer(places["x"], axes[0]) + np.outer(places["y"], axes[1])
        # The plane is that of the map: what is left of each code stands at right angles to it.
        np.testing.assert_allclose((table - back) @ axes.T, 0, atol=1e-4)


def test_sheets_hold_the_images_in_their_order(client: TestClient, contents: Contents, images: ImageSet):
    import io

    sheet = np.asarray(Image.open(io.BytesIO(client.get(f"{BASE}/data/sheet-0").content)))
    layout = contents.sprites
    for at in (0, 1, layout.across, len(images) - 1):
        x, y = at % layout.across * layout.width, at // layout.across * layout.height
        np.testing.assert_array_equal(
            sheet[y : y + layout.height, x : x + layout.width], images.pixels[at, 0]
        )


@pytest.mark.parametrize("name", ["", "explorer.js", "worker.js", "explorer.css"])
def test_the_page_comes_with_a_strict_policy(client: TestClient, name: str):
    answer = client.get(f"{BASE}/{name}")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper()])
def test_a_wrong_token_is_refused(client: TestClient, token: str):
    for path in ("", "data/about.json", "labels", "images/0"):
        assert client.get(f"http://{HOST}/{token}/{path}").status_code == 403


def test_another_host_is_refused(client: TestClient):
    """A page elsewhere that gives this server a name of its own reaches nothing."""
    answer = client.get(f"{BASE}/data/about.json", headers={"Host": "evil.example:8000"})
    assert answer.status_code == 421


def test_another_origin_is_refused(client: TestClient, labels: Labels):
    headers = {"Origin": "http://evil.example"}
    assert client.post(f"{BASE}/labels", content=b"{}", headers=headers).status_code == 403
    assert not labels.path.exists()


@pytest.mark.parametrize(
    "path",
    [
        "../../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "data/..%2f..%2fabout.json",
        "data/%2e%2e/%2e%2e/x",
        "images/../labels.csv",
        "images/-1",
        "images/999999",
        "images/1.5",
        "data/sheet-99",
        "data/sheet-0001x",
        "data/map-9.arrow",
        "data/map-²",
        "server.py",
        "static/explorer.js",
        "runtime.wasm.gz",
    ],
)
def test_nothing_but_known_names_is_handed_out(client: TestClient, path: str):
    assert client.get(f"{BASE}/{path}").status_code in {403, 404}


def test_images_are_handed_out_by_their_number(client: TestClient, images: ImageSet):
    import io

    picture = np.asarray(Image.open(io.BytesIO(client.get(f"{BASE}/images/7").content)))
    np.testing.assert_array_equal(picture, images.pixels[7, 0])


def test_labels_are_kept_and_taken_back(client: TestClient, labels: Labels, images: ImageSet):
    first, second = images.names[:2]
    answer = client.post(f"{BASE}/labels", content=json.dumps({first: "=odd", second: "b"}))
    assert answer.json() == {first: "=odd", second: "b"} == client.get(f"{BASE}/labels").json()
    client.post(f"{BASE}/labels", content=json.dumps({second: ""}))
    assert labels.read() == {first: "=odd"}
    assert "'=odd" in labels.path.read_text(encoding="utf-8"), "a spreadsheet would compute it"


def test_two_explorers_do_not_lose_each_others_labels(labels: Labels):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: Labels(labels.path).change({str(at): "x"}), range(40)))
    assert len(labels.read()) == 40


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"no such image": "a"}',
        b'{"0": 1}',
        b'{"0": "\\u0000"}',
        b"[" * 100_000,
        b'{"0": "%s"}' % (b"a" * 201),
    ],
)
def test_what_is_no_label_is_refused(client: TestClient, labels: Labels, body: bytes):
    assert client.post(f"{BASE}/labels", content=body).status_code == 400
    assert not labels.path.exists()


def test_too_much_is_refused(client: TestClient, labels: Labels):
    assert client.post(f"{BASE}/labels", content=b"x" * (LARGEST + 1)).status_code == 413
    parts = (b"x" * 100_000 for _ in range(20))  # whose length is told nowhere
    assert client.post(f"{BASE}/labels", content=parts).status_code == 400
    assert not labels.path.exists()


def test_a_flood_is_survived(client: TestClient):
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda at: client.get(f"{BASE}/data/sheet-{at % 3}").status_code, range(200)))
    assert set(found) == {200, 404}
    assert client.get(f"{BASE}/data/about.json").status_code == 200


def test_a_damaged_file_of_labels_is_said(client: TestClient, labels: Labels):
    labels.path.write_text("something,else\n", encoding="utf-8")
    with pytest.raises(OutputError, match="columns name and label"):
        labels.read()
    assert "columns name and label" in client.get(f"{BASE}/labels").text


def test_others_reach_it_only_if_that_is_allowed():
    with pytest.raises(ConfigurationError, match="allow-remote"):
        Place("0.0.0.0")
    assert not Place("0.0.0.0", allow_remote=True).local
    assert Place("localhost").local


def test_a_port_in_use_is_said():
    with Place().listening() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OutputError, match=f"port {port}"):
            Place(port=port).listening()


def test_labels_lie_beside_the_run(tmp_path: Path):
    assert beside(tmp_path / "letters") == tmp_path / "letters.labels.csv"
