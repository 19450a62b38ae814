"""The whole page in headless Chromium, as a phone and a desk would show it."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

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
WIDTHS = (375, 1280)
# Chromium's window is never narrower than 500 pixels, so pages are looked at through frames of these widths.
FRAME = '<iframe src="{page}" style="border: 0; width: {width}px; height: 900px"></iframe>'
LOOK = """<!doctype html><meta charset="utf-8"><title>look</title>
{frames}
<pre id="found">nothing</pre>
<script>
const look = (frame) => {{
  const page = frame.contentDocument;
  const images = [...page.images];
  const root = page.documentElement;
  const boxes = [...page.querySelectorAll("body *")].filter((one) => !one.closest(".scroll"));
  return {{
    images: images.length,
    missing: images.filter((one) => !(one.complete && one.naturalWidth > 0)).length,
    across: root.scrollWidth,
    room: root.clientWidth,
    beyond: boxes.filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1).length,
    last: page.body.innerText.includes("Figure 13."),
  }};
}};
onload = () => {{
  const found = [...document.querySelectorAll("iframe")].map(look);
  document.getElementById("found").textContent = JSON.stringify(found);
}};
</script>
"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def looked_at(whole: Page, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[Any]], str]:
    """What is found of a page of all studies and of one of galleries at each width; what Chromium said."""
    images = np.random.default_rng(0).random((30, 1, 20, 28))
    captions = [(f"a/folder/with_a_rather_long_name/number{row:012}.png", "0.123") for row in range(30)]
    grids = [gallery({"image": images}, captions), gallery({"image": images, "again": images}, captions)]
    pages = {
        "whole": whole,
        "grids": Page("Grids", "Two.", sections=(Section("All", galleries=tuple(grids)),)),
    }
    folder = tmp_path_factory.mktemp("pages")
    frames = []
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(render(page))
        frames += [FRAME.format(page=f"{name}.html", width=width) for width in WIDTHS]
    (folder / "look.html").write_text(LOOK.format(frames="\n".join(frames)))
    flags = [*FLAGS, f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", "--v=0"]
    flags += ["--allow-file-access-from-files", "--window-size=1280,1000", "--dump-dom"]
    done = subprocess.run(
        [CHROMIUM or "", *flags, (folder / "look.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    (said,) = re.findall(r'<pre id="found">(.*?)</pre>', done.stdout)
    found = json.loads(said)
    return {name: found[2 * at : 2 * at + 2] for at, name in enumerate(pages)}, done.stderr


def test_all_pictures_are_there_and_nothing_sticks_out(whole, looked_at):
    pictures = render(whole).count("<img ")
    assert pictures > 13
    assert looked_at[0]["whole"] == [
        {"images": pictures, "missing": 0, "across": width, "room": width, "beyond": 0, "last": True}
        for width in WIDTHS
    ]


def test_a_gallery_fits_its_window(looked_at):
    assert looked_at[0]["grids"] == [
        {"images": 90, "missing": 0, "across": width, "room": width, "beyond": 0, "last": False}
        for width in WIDTHS
    ]


def test_the_pages_say_nothing_on_the_console(looked_at):
    assert "CONSOLE" not in looked_at[1], looked_at[1]


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
