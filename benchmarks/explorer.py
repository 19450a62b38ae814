"""How fast the explorer is in headless Chromium without a GPU: python benchmarks/explorer.py RUN [OUT.md]

Of the run: the time of single decodes and of a 12x12 grid in the page's own worker, and the time until its
map is drawn, and until its networks are there too, from a server that has all files made. Of synthetic sets
of 100,000 and 1,000,000 points (ten numbers a code, ten classes): the time until the map is drawn, and frames
a second while it is zoomed in and out around its middle. The aims are those that the explorer was built to.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from latentspace.core.wording import counted
from latentspace.data.imageset import ImageSet
from latentspace.explorer.actions import Actions
from latentspace.explorer.contents import Contents
from latentspace.explorer.labels import Labels
from latentspace.explorer.page import page as one_file
from latentspace.explorer.serving import served
from latentspace.explorer.subject import Category, Subject, of_run
from latentspace.inference.run_images import own_or_other
from latentspace.runs.directory import Run

SLOW = 600_000  # milliseconds
DECODES, GRIDS = 200, 10
WORKER = """async ([size, shape, singles, grids]) => {
  const worker = new Worker('worker.js');
  const file = async (name) => (await fetch(name)).arrayBuffer();
  const files = ['runtime.wasm', 'data/decoder.onnx', 'data/encoder.onnx'];
  const [wasm, decoder, encoder] = await Promise.all(files.map(file));
  let id = 0;
  const ask = (given) => new Promise((done) => {
    worker.onmessage = (event) => done(event.data);
    worker.postMessage({ id: id++, ...given });
  });
  await ask({ do: 'start', start: { wasm, decoder, encoder, shape, size, codes: [] } });
  const timed = async (codes, times) => {
    const found = [];
    for (let at = 0; at < times + 5; at++) {
      const given = Float32Array.from({ length: codes * size }, () => Math.random() * 2 - 1);
      const began = performance.now();
      await ask({ do: 'decode', codes: given });
      if (at >= 5) found.push(performance.now() - began);
    }
    return found.sort((a, b) => a - b);
  };
  return [await timed(1, singles), await timed(144, grids)];
}"""
FRAMES = """() => new Promise((done) => {
  const layers = document.getElementById('layers');
  const box = layers.getBoundingClientRect();
  const middle = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
  const began = performance.now();
  let frames = 0;
  const next = () => {
    const spent = performance.now() - began;
    if (spent > 4000) return done(frames / spent * 1000);
    const deltaY = Math.floor(frames / 20) % 2 ? 20 : -20;
    layers.dispatchEvent(new WheelEvent('wheel', { deltaY, ...middle }));
    frames++;
    requestAnimationFrame(next);
  };
  next();
})"""


def actions_of(contents: Contents, folder: Path) -> Actions:
    """What a page of these contents may ask for; what it writes lies in the folder."""
    return Actions(lambda: contents, Labels(folder / "labels.csv"), folder / "copies")


def synthetic(count: int) -> Subject:
    """Points of ten groups; their images are black."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, count)
    codes = generator.normal(size=(count, 10)) + 3 * generator.normal(size=(10, 10))[labels]
    images = ImageSet(np.zeros((count, 1, 28, 28), dtype=np.uint8), "synthetic points")
    names = tuple("ABCDEFGHIJ")
    return Subject("points", images, (Category("label", labels, names),), codes.astype(np.float32))


def opened(browser: Any, address: str) -> tuple[Any, float, float]:
    """The page, and the milliseconds until its map is drawn and until all is there."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page.set_default_timeout(SLOW)
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    times = [page.evaluate(f"performance.getEntriesByName('{one}')[0].startTime") for one in ("map", "all")]
    return page, *times


def of_a_run(browser: Any, run: Run, folder: Path) -> list[tuple[str, str, str]]:
    images, own = own_or_other(run, None)
    contents = Contents(of_run(run, images, own=own), methods=())
    for name in contents.names:
        contents.file(name)
    with served(actions_of(contents, folder)) as address:
        page, drawn, ready = opened(browser, address)
        about = contents.about()
        singles, grids = page.evaluate(WORKER, [about["codeSize"], about["shape"], DECODES, GRIDS])
        page.close()
    small = one_file(Contents(contents.subject, pictures="WEBP", methods=()))
    return [
        ("one decode, median", f"{np.median(singles):.1f} ms", ""),
        ("one decode, 95th percentile", f"{np.quantile(singles, 0.95):.1f} ms", "16 ms"),
        ("a grid of 12x12 decodes, median", f"{np.median(grids):.0f} ms", "500 ms"),
        (f"{counted(len(images))}: until the map is drawn", f"{drawn / 1000:.1f} s", "2 s for 10,000"),
        ("until the networks are there too", f"{ready / 1000:.1f} s", ""),
        ("the exported page, without t-SNE", f"{len(small) / 1e6:.1f} MB", "12 MB for 10,000"),
    ]


def of_points(browser: Any, count: int, folder: Path, aims: tuple[str, str]) -> list[tuple[str, str, str]]:
    contents = Contents(synthetic(count), methods=())
    for name in ("names.arrow", "columns.arrow", "codes.arrow", "map-0.arrow"):
        contents.file(name)
    with served(actions_of(contents, folder)) as address:
        page, drawn, _ = opened(browser, address)
        frames = page.evaluate(FRAMES)
        page.screenshot(path=folder / f"{count}.png")
        page.close()
    return [
        (f"{count:,} points: until the map is drawn", f"{drawn / 1000:.1f} s", aims[0]),
        (f"{count:,} points: zoomed in and out", f"{frames:.0f} frames a second", aims[1]),
    ]


def main() -> None:
    from playwright.sync_api import sync_playwright

    run = Run.open(Path(sys.argv[1]))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as made:
        folder = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(made)
        flags = ["--no-sandbox", "--enable-unsafe-swiftshader"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        rows = of_a_run(browser, run, folder)
        rows += of_points(browser, 100_000, folder, ("", "30"))
        rows += of_points(browser, 1_000_000, folder, ("10 s", ""))
        browser.close()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    table = ["| | measured | aim |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    text = "\n".join(
        [*table, "", f"{counted(os.cpu_count() or 1, 'core')}; load average at the end: {load}.", ""]
    )
    print(text)
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
