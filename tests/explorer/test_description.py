"""Requests that are made from the server's own description: answered as it says, or refused, without harm."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from latentspace.data.imageset import ImageSet
from latentspace.explorer.actions import Actions
from latentspace.explorer.contents import Contents
from latentspace.explorer.labels import Labels
from latentspace.explorer.server import LARGEST, application
from latentspace.explorer.subject import of_run
from latentspace.runs.directory import Run

pytest.importorskip("schemathesis", reason="requests are made by schemathesis, of the extra `test`")

TOKEN, HOST = "a-token", "127.0.0.1:8000"
BASE = f"http://{HOST}/{TOKEN}"
EXAMPLES = 50
QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Served:
    """The server over images of its own, what it may write, and its description."""

    def __init__(self, contents: Contents, folder: Path) -> None:
        self.folder = folder
        self.labels = Labels(folder / "run.labels.csv")
        actions = Actions(lambda: contents, self.labels, folder / "copies")
        app = application(actions, TOKEN, frozenset({HOST}))
        self.client = TestClient(app, base_url=BASE, raise_server_exceptions=False)
        self.about = self.client.get(f"{BASE}/openapi.json").json()

    def answer(self, case: Any, base: str = BASE, **headers: str) -> Any:
        """What a request of schemathesis is answered."""
        asked = case.as_transport_kwargs(base_url=base)
        content = json.dumps(asked["json"]).encode() if "json" in asked else asked.get("data")
        content = content.encode() if isinstance(content, str) else content
        given = {**asked["headers"], **headers}
        return self.client.request(
            asked["method"], asked["url"], content=content, headers=given, params=asked["params"]
        )

    def require_alive(self) -> None:
        """It answers, and has written where it may alone."""
        assert self.client.get(f"{BASE}/state").status_code == 200
        mine = {"copies", self.labels.path.name, f".{self.labels.path.name}.lock"}
        assert {one.name for one in self.folder.iterdir()} <= mine


@pytest.fixture(scope="module")
def served(small_runs: dict[str, Run], images: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Served:
    contents = Contents(of_run(small_runs["vae"], images, own=True))
    return Served(contents, tmp_path_factory.mktemp("explored"))


@cache
def cases(served: Served) -> st.SearchStrategy[Any]:
    """Requests of every operation, as it says and otherwise."""
    import schemathesis

    schema = schemathesis.openapi.from_dict(served.about)
    modes = schemathesis.GenerationMode
    return st.one_of(
        *(
            found.ok().as_strategy(generation_mode=mode)
            for found in schema.get_all_operations()
            for mode in (modes.POSITIVE, modes.NEGATIVE)
        )
    )


def test_the_description_names_every_route(served: Served):
    for path, ways in served.about["paths"].items():
        for way in ways:
            known = path.replace("{name}", "about.json").replace("{number}", "0")
            answer = served.client.request(way, f"{BASE}{known}", content=b"{}")
            assert str(answer.status_code) in ways[way]["responses"], (way, path)
            assert answer.status_code != 404 or path == "/{name}", path


def test_requests_by_the_description_are_answered_as_it_says(served: Served):
    @given(st.data())
    @QUICK
    def check(data: st.DataObject) -> None:
        case = data.draw(cases(served))
        answer = served.answer(case)
        said = case.operation.definition.raw["responses"]
        assert str(answer.status_code) in said or answer.status_code == 404, answer.text
        assert answer.headers["Content-Security-Policy"]

    check()
    served.require_alive()


def test_the_same_requests_from_elsewhere_are_refused(served: Served):
    @given(st.data())
    @settings(QUICK, max_examples=EXAMPLES // 3)
    def check(data: st.DataObject) -> None:
        case = data.draw(cases(served))
        wrong = data.draw(st.text("abcdefghijklmnopqrstuvwxyz-", max_size=9).filter(lambda one: one != TOKEN))
        assert served.answer(case, base=f"http://{HOST}/{wrong}").status_code == 403
        assert served.answer(case, Host="evil.example").status_code == 421
        assert served.answer(case, Origin="http://evil.example").status_code == 403
        assert served.answer(case, **{"Content-Length": str(LARGEST + 1)}).status_code == 413

    check()
    served.require_alive()


@pytest.mark.parametrize("way", ["/data/{}", "/images/{}", "/{}"])
@pytest.mark.parametrize(
    "name", ["..%2F..%2Fetc%2Fpasswd", "%2e%2e%2fweights.safetensors", "..%5Crun", "%00"]
)
def test_no_path_leads_out(served: Served, way: str, name: str):
    answer = served.client.get(f"{BASE}{way.format(name)}")
    assert answer.status_code in {403, 404}
    served.require_alive()
