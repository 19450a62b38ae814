"""The whole page in headless Chromium, as a phone and a desk would show it."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentspace.report.gallery import gallery
from latentspace.report.page import Page, Section, Table, render

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parents[2] / "explorer" / "web" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]  # fmt: skip
# Chromium's window is never narrower than 500 pixels, so the page is looked at through a frame of that width.
FRAME = """<!doctype html><meta charset="utf-8"><title>look</title>
<iframe id="page" src="page.html" style="border: 0; width: {width}px; height: 900px"></iframe>
<pre id="found">nothing</pre>
<script>
onload = () => {{
  const page = document.getElementById("page").contentDocument;
  const images = [...page.images];
  const missing = images.filter(one => !(one.complete && one.naturalWidth > 0)).length;
  const root = page.documentElement;
  const beyond = [...page.querySelectorAll("body *")].filter(
    one => !one.closest(".scroll") && one.getBoundingClientRect().right > root.clientWidth + 1
  ).length;
  document.getElementById("found").textContent =
    `images=${{images.length}} missing=${{missing}} ` +
    `across=${{root.scrollWidth}} room=${{root.clientWidth}} beyond=${{beyond}}`;
}};
</script>
"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def page(whole: Page, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(render(whole))
    return path


def looked_at(page: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    profile = page.parent / "profile"
    command = [CHROMIUM or "", *FLAGS, f"--user-data-dir={profile}", "--enable-logging=stderr", "--v=0"]
    return subprocess.run(
        [*command, "--allow-file-access-from-files", *flags, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


@pytest.mark.parametrize("width", [375, 1280])
def test_all_pictures_are_there_and_nothing_sticks_out(page, width):
    frame = page.with_name("frame.html")
    frame.write_text(FRAME.format(width=width))
    done = looked_at(frame, f"--window-size={max(width, 600)},1000")
    found = dict(re.findall(r"(images|missing|across|room|beyond)=(\d+)", done.stdout))
    pictures = page.read_text().count("<img ")
    assert found == {
        "images": str(pictures), "missing": "0", "across": str(width), "room": str(width), "beyond": "0"
    }  # fmt: skip
    assert "CONSOLE" not in done.stderr, done.stderr


@pytest.mark.parametrize("width", [375, 1280])
def test_a_gallery_fits_its_window(tmp_path, width):
    images = np.random.default_rng(0).random((30, 1, 20, 28))
    captions = [(f"a/folder/with_a_rather_long_name/number{row:012}.png", "0.123") for row in range(30)]
    grids = [gallery({"image": images}, captions), gallery({"image": images, "again": images}, captions)]
    page = tmp_path / "page.html"
    page.write_text(render(Page("Grids", "Two.", sections=(Section("All", galleries=tuple(grids)),))))
    frame = page.with_name("frame.html")
    frame.write_text(FRAME.format(width=width))
    done = looked_at(frame, f"--window-size={max(width, 600)},1000")
    assert f"images=90 missing=0 across={width} room={width} beyond=0" in done.stdout


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here (make explorer)")
@pytest.mark.filterwarnings("default")  # of the browser's driver
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_pages_break_no_rule_of_accessibility(whole, tmp_path, width, scheme):
    """All that a page can hold: a table called as its section is, with an empty corner; a grid; a gallery."""
    from playwright.sync_api import sync_playwright

    table = Table("Numbers", ("", "this run"), (("error", "0.01"), ("others", "\N{EN DASH}")))
    pictures = whole.sections[0].pictures * 3
    grids = (gallery({"image": np.zeros((2, 1, 8, 8))}, [("a", "b"), ("c", "d")], "A note."),)
    numbers = Section(
        "Numbers", ("Words.",), pictures, (table,), galleries=grids, commands=("do it",), grid=True
    )
    page = tmp_path / "page.html"
    page.write_text(render(replace(whole, sections=(*whole.sections, numbers))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        size = {"width": width, "height": 800}
        shown = browser.new_page(viewport=size, color_scheme=scheme, bypass_csp=True)
        shown.goto(page.as_uri())
        shown.evaluate(AXE.read_text(encoding="utf-8"))
        found = shown.evaluate(
            "axe.run().then((result) => result.violations.map((one) => one.id + ': ' + one.nodes[0].html))"
        )
        across = shown.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert (found, across) == ([], width)


def test_the_page_itself_says_nothing_on_the_console(page):
    done = looked_at(page)
    assert "CONSOLE" not in done.stderr, done.stderr
    assert "Figure 13." in done.stdout
