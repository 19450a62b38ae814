"""The server hands out what the page needs to who has the address, and nothing to anybody else."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from latentspace.core.errors import ConfigurationError, OutputError
from latentspace.data.imageset import ImageSet
from latentspace.explorer.actions import Actions
from latentspace.explorer.contents import Contents
from latentspace.explorer.labels import Labels, beside
from latentspace.explorer.server import LARGEST, application
from latentspace.explorer.serving import Place
from latentspace.explorer.subject import of_run
from latentspace.inference.anomalies import find_anomalies
from latentspace.inference.clusters import find_clusters
from latentspace.inference.code_classes import fitted
from latentspace.inference.nearest import nearest
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
def copies(tmp_path: Path) -> Path:
    return tmp_path / "copies"


@pytest.fixture
def client(contents: Contents, labels: Labels, copies: Path) -> TestClient:
    app = application(Actions(lambda: contents, labels, copies), TOKEN, frozenset({HOST}))
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


def test_groups_and_anomalies_are_computed_when_they_are_asked_for(
    client: TestClient, contents: Contents, images: ImageSet
):
    about = client.get(f"{BASE}/data/about.json").json()
    assert list(about["later"]) == ["cluster", "anomaly"]
    assert about["ordered"] is False
    assert not set(about["later"]) & {one["name"] for one in about["columns"]}
    groups = columns(client.get(f"{BASE}/data/column-cluster.arrow").content)["cluster"]
    assert groups == find_clusters(contents.subject.codes).groups.tolist()
    scores = columns(client.get(f"{BASE}/data/column-anomaly.arrow").content)["anomaly"]
    expected = find_anomalies(contents.subject.autoencoder, own=images).score
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    table = client.post(f"{BASE}/table", json={"images": [1, 2]}).content
    assert pq.read_table(io.BytesIO(table)).to_pydict()["anomaly"] == scores[1:3]
    assert client.get(f"{BASE}/data/column-label.arrow").status_code == 404


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
    parts = (b"x" * 1_000_000 for _ in range(20))  # whose length is told nowhere
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


def ask(client: TestClient, what: str, **given: object) -> Any:
    return client.post(f"{BASE}/{what}", content=json.dumps(given))


def test_neighbours_are_those_of_the_package(client: TestClient, contents: Contents):
    codes = contents.subject.codes
    found = ask(client, "nearest", code=codes[5].tolist(), count=4).json()
    expected = nearest(codes[5:6], codes, 4)
    assert found["images"][0] == 5
    np.testing.assert_allclose(found["distances"], expected.distances[0], atol=1e-6)


def test_an_image_of_ones_own_is_encoded_as_the_others_were(
    client: TestClient, contents: Contents, images: ImageSet
):
    pixels = images.pixels[5].reshape(-1).tolist()
    np.testing.assert_allclose(
        ask(client, "code", pixels=pixels).json()["code"], contents.subject.codes[5], atol=1e-4
    )
    assert ask(client, "code", pixels=pixels[1:]).status_code == 409


def test_a_classifier_is_learned_from_the_labels_that_were_given(
    client: TestClient, contents: Contents, images: ImageSet
):
    assert ask(client, "classifier").status_code == 409
    rows = range(0, len(images), 2)
    names = {images.names[row]: images.class_names[images.labels[row]] for row in rows}
    client.post(f"{BASE}/labels", content=json.dumps(names))
    about = ask(client, "classifier").json()
    expected = fitted(contents.subject.codes, np.where(np.arange(len(images)) % 2, -1, images.labels), "ABCD")
    np.testing.assert_allclose(about["weights"], expected.weights)
    assert f"{len(rows)} labelled images" in about["words"]


def test_what_to_label_next_has_no_label_yet(client: TestClient, images: ImageSet):
    given = dict(zip(images.names[:20], "ab" * 10, strict=True))
    client.post(f"{BASE}/labels", content=json.dumps(given))
    found = ask(client, "suggestions", count=6).json()
    assert len(set(found["images"])) == 6
    assert min(found["images"]) >= 20
    assert "least certain" in found["words"]


def test_a_selection_is_taken_away_as_parquet(client: TestClient, contents: Contents, images: ImageSet):
    client.post(f"{BASE}/labels", content=json.dumps({images.names[4]: "mine"}))
    answer = ask(client, "table", images=[9, 4])
    table = pq.read_table(io.BytesIO(answer.content)).to_pydict()
    assert table["name"] == [images.names[4], images.names[9]]
    assert table["label"] == [images.class_names[one] for one in images.labels[[4, 9]]]
    assert table["your label"] == ["mine", None]
    np.testing.assert_array_equal(table["code"], contents.subject.codes[[4, 9]])


def test_copies_of_a_selection_lie_in_a_new_folder_below_the_one_that_was_named(
    client: TestClient, copies: Path, images: ImageSet
):
    for number in (1, 2):
        found = ask(client, "copies", images=[0, 7]).json()
        assert found == {"folder": str(copies / f"selection-{number}"), "count": 2}
    pictures = sorted((copies / "selection-2").iterdir())
    shown = [np.asarray(Image.open(one)) for one in pictures]
    assert {one.tobytes() for one in shown} == {images.pixels[row, 0].tobytes() for row in (0, 7)}


@given(
    what=st.sampled_from(
        ["code", "nearest", "classifier", "suggestions", "table", "copies", "labels", "x", "state"]
    ),
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda one: (
            st.lists(one, max_size=4)
            | st.dictionaries(st.sampled_from(["images", "code", "count", "../x", "0"]), one, max_size=3)
        ),
    ),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_odd_requests_are_answered_and_harm_nothing(
    client: TestClient, copies: Path, labels: Labels, what: str, body: object
):
    answer = client.post(f"{BASE}/{what}", content=json.dumps(body))
    assert answer.status_code in {200, 400, 404, 409}
    assert {one.name for one in copies.parent.iterdir()} <= {
        "copies",
        labels.path.name,
        f".{labels.path.name}.lock",
    }
    assert client.get(f"{BASE}/state").status_code == 200
